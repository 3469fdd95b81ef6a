"""Addresses: what is opened, and what is shown."""

import pytest

from mien.watch.sources.address import Address, AddressError, redacted

ENVIRONMENT = {"DOOR": "me:p@ss/word", "TOKEN": "a b"}


@pytest.mark.parametrize(
    ("source", "credentials", "kind", "target", "shown"),
    [
        ("0", "", "webcam", "0", "webcam 0"),
        ("day.mp4", "", "file", "file:day.mp4", "day.mp4"),
        ("concat:a|b", "", "file", "file:concat:a|b", "concat:a|b"),
        ("rtsp://h/live", "", "stream", "rtsp://h/live", "rtsp://h/live"),
        ("rtsp://u:p@h/live", "", "stream", "rtsp://u:p@h/live", "rtsp://***@h/live"),
        (
            "rtsp://h:554/live",
            "DOOR",
            "stream",
            "rtsp://me:p%40ss%2Fword@h:554/live",
            "rtsp://h:554/live",
        ),
        (
            "http://h/${TOKEN}/x?pwd=${TOKEN}",
            "",
            "stream",
            "http://h/a%20b/x?pwd=a%20b",
            "http://h/${TOKEN}/x?***",
        ),
    ],
)
def test_address(source: str, credentials: str, kind: str, target: str, shown: str) -> None:
    found = Address.of(source, credentials, ENVIRONMENT)

    assert (found.kind, found.target, found.shown) == (kind, target, shown)
    assert target not in repr(found) or target in shown


@pytest.mark.parametrize(
    ("source", "credentials", "message"),
    [
        ("rtsp://h/${NONE}", "", "NONE is not set"),
        ("rtsp://h", "NONE", "NONE is not set"),
        ("day.mp4", "DOOR", "URL only"),
        ("subfile://u:secret@x", "", "not with subfile"),
    ],
)
def test_refuses(source: str, credentials: str, message: str) -> None:
    with pytest.raises(AddressError, match=message) as error:
        Address.of(source, credentials, ENVIRONMENT)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no address at all", "no address at all"),
        ("rtsp://u:p@ss/w@h/x: 401", "rtsp://***@h/x: 401"),
        ("'http://h/x?u=a&p=b' and http://v:w@i", "'http://h/x?***' and http://***@i"),
    ],
)
def test_redacted(text: str, shown: str) -> None:
    assert redacted(text) == shown
