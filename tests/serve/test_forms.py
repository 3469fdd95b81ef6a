"""Multipart forms: their parts, and what is no form."""

from contextlib import suppress

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.serve.forms import FormError, parse

TYPE = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_what_a_client_sends_comes_out(contents: list[bytes]) -> None:
    request = httpx2.Request("POST", "http://x", files=[("file", ("a", c)) for c in contents])
    parts = parse(request.headers["content-type"], request.read())
    assert [(part.name, bytes(part.data), part.is_file) for part in parts] == [
        ("file", content, True) for content in contents
    ]


def test_a_text_is_no_file() -> None:
    request = httpx2.Request("POST", "http://x", files={"img": (None, "text")})
    (part,) = parse(request.headers["content-type"], request.read())
    assert (part.name, bytes(part.data), part.is_file) == ("img", b"text", False)


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("multipart/form-data", b"", "names no boundary"),
        (TYPE + "; a=b" * 500, b"", "too long"),
        (TYPE, b"", "ends before its closing boundary"),
        (TYPE, PART + b"cut sho", "ends before its closing boundary"),
        (TYPE, PART + b"one\r\n" + PART + b"tw", "ends before its closing boundary"),
        (TYPE, b"nonsense", "damaged"),
        (TYPE, b"--b\r\nA: b\r\n\r\nx\r\n--b--\r\n", "has no name"),
        (TYPE, (PART + b"\r\n") * 1001 + b"--b--\r\n", "more than 1,000 parts"),
        (TYPE, PART.replace(b"\r\n\r\n", b";" * 99 + b"\r\n\r\n"), "holds too much"),
        (
            TYPE,
            PART.replace(b"\r\n\r\n", b"\r\ncontent-disposition: form-data\r\n\r\n"),
            "is repeated, or",
        ),
    ],
)
def test_what_is_no_form(kind: str, body: bytes, told: str) -> None:
    with pytest.raises(FormError, match=told):
        parse(kind, body)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=40))
def test_no_bytes_do_more_than_be_refused(body: bytes, kind: bytes) -> None:
    for content in (body, PART + body, PART + body + b"\r\n--b--\r\n"):
        for header in (TYPE, "multipart/form-data; boundary=" + kind.decode("latin-1")):
            with suppress(FormError):
                assert all(isinstance(part.data, bytearray) for part in parse(header, content))
