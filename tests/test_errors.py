"""Text from outside, made fit for a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import ImageError, MienError, printable, shortened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("ảnh của tôi.jpg", "ảnh của tôi.jpg"),
        ("a\nmien: all is well", r"a\nmien: all is well"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\udcff.jpg", r"\udcff.jpg"),
        ("\U000e0041", r"\U000e0041"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(st.text())
@settings(deadline=None, derandomize=True)
def test_any_text_becomes_printable_and_then_stays(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


def test_only_long_texts_are_shortened() -> None:
    text = "".join(chr(0x4E00 + i) for i in range(301))
    assert shortened(text[:300]) == text[:300]
    assert shortened(text) == text[:200] + "…" + text[-60:]


def test_an_image_error_names_the_picture_and_the_reason() -> None:
    error = ImageError("a.jpg", "empty file")
    assert isinstance(error, MienError)
    assert (str(error), error.name, error.reason) == ("a.jpg: empty file", "a.jpg", "empty file")
