"""Multipart forms, taken apart in memory: no part ever becomes a file."""

from typing import TYPE_CHECKING, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_PARTS: Final = 1000
_MOST_OPTIONS: Final = 20
_LONGEST_TYPE: Final = 1000
"""Characters; a boundary has at most 70, and taking many parameters apart takes long."""


class FormError(ValueError):
    """A body that is no whole multipart form; the message says why."""


class Part:
    """A part of a form.

    Attributes:
        name: The field's name.
        data: The content.
        is_file: Whether it came as a file. The file's name is not kept.
    """

    def __init__(self) -> None:
        self.name = ""
        self.data = bytearray()
        self.is_file = False


def parse(content_type: str, body: bytes) -> list[Part]:
    """Return a form's parts, in order.

    Args:
        content_type: The header Content-Type, with the boundary.
        body: The whole body.

    Raises:
        FormError: It is no form, ends before its closing boundary, or has too many parts.
    """
    if len(content_type) > _LONGEST_TYPE:
        raise FormError("the Content-Type is too long")
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise FormError("the Content-Type names no boundary")
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise FormError("its boundaries or its parts' headers are damaged") from error
    if not form.ended:
        raise FormError("it ends before its closing boundary")
    return form.parts


class _Form:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._part = Part()
        self._field, self._value = bytearray(), bytearray()
        self._has_name = self._described = False

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._part, self._has_name, self._described = Part(), False, False

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._part.data += memoryview(data)[start:end]

    def _end_part(self) -> None:
        if not self._has_name:
            raise FormError("a part of it has no name in its Content-Disposition")
        if len(self.parts) == _MOST_PARTS:
            raise FormError(f"it has more than {_MOST_PARTS:,} parts")
        self.parts.append(self._part)

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            # What takes them apart takes long over very many.
            if self._described or self._value.count(b";") > _MOST_OPTIONS:
                raise FormError("a part's Content-Disposition is repeated, or holds too much")
            self._described = True
            _, options = parse_options_header(bytes(self._value))
            if b"name" in options:
                self._part.name = options[b"name"].decode("utf-8", "replace")
                self._has_name = True
            self._part.is_file = b"filename" in options
        self._field.clear()
        self._value.clear()

    def _end(self) -> None:
        self.ended = True
