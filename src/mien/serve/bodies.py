"""A request's body: counted while it comes in, kept in memory alone, and taken apart."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from mien.errors import printable, shortened
from mien.guards import RefusedError
from mien.images import Limits, from_base64, unquoted
from mien.serve import forms
from mien.serve.metrics import Metrics
from mien.serve.problems import Problem, overloaded

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 100
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it came.

    Attributes:
        data: Its bytes, or base64 text of them.
        base64: Whether it is base64.
    """

    data: bytes
    base64: bool = False

    def decoded(self, limits: Limits) -> bytes:
        """Return the picture's bytes.

        Raises:
            ImageError: The text is not base64.
        """
        return from_base64(self.data, limits=limits) if self.base64 else self.data


class Bodies:
    """Reads bodies, each no larger than allowed, and all together no larger than memory allows.

    Args:
        metrics: Gets the time that a body takes, and what is refused.
        max_body: Bytes of one body.
        max_held: Bytes of all bodies that are in memory together.
        timeout: Seconds that a body may take.
    """

    def __init__(self, metrics: Metrics, *, max_body: int, max_held: int, timeout: float) -> None:
        self._metrics, self._timeout = metrics, timeout
        self._max_body, self._max_held = max_body, max_held
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """Read a request's body, which counts as held until the block ends.

        Raises:
            Problem: It is too large, too slow, or there is no room for it now.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_body:
            raise self._too_large()
        body, size = bytearray(), 0
        try:
            with self._metrics.timed("receive"):
                await self._receive(request, body)
            size = len(body)
            yield _taken(body)
        finally:
            self._held -= size or len(body)

    async def _receive(self, request: Request, body: bytearray) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                async for chunk in request.stream():
                    self._take(len(chunk), len(body))
                    body += chunk
        except TimeoutError:
            raise Problem(
                408, "slow-body", f"The body took longer than {self._timeout:g} s to come in."
            ) from None

    def _take(self, more: int, before: int) -> None:
        if before + more > self._max_body:
            raise self._too_large()
        if self._held + more > self._max_held:
            self._metrics.reject("memory")
            raise overloaded("no-memory", "Too many requests are being taken in; try again.")
        self._held += more

    def _too_large(self) -> Problem:
        return Problem(
            413,
            "body-too-large",
            f"The body is larger than {self._max_body:,} bytes; send fewer or smaller pictures.",
        )


def _taken(body: bytearray) -> bytes:
    """Return what came in, of which no second copy stays."""
    data = bytes(body)
    body.clear()
    return data


def media_type(request: Request) -> str:
    """Return the type of a request's body, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(request: Request, *wanted: str) -> Problem:
    """Return the problem of a body of another type than those wanted."""
    found = printable(shortened(media_type(request))) or "none"
    return Problem(
        415,
        "unsupported-media-type",
        f"The body's Content-Type is {found}; send {' or '.join(wanted)}.",
    )


def parse_json(body: bytes | str, model: type[Body]) -> Body:
    """Return the body as a model, whose lists should be bounded and end at their first error.

    It is read into plain values first. pydantic's own way from bytes to a model keeps a note of
    each thing that is wrong: a few megabytes of wrong things were gigabytes of notes.

    Raises:
        Problem: It is no such JSON.
    """
    # Millions of new values would have Python look through all of them for cycles, again and again.
    gc.disable()
    try:
        found = from_json(body)
    except ValueError as error:
        detail = f"the body: Invalid JSON: {printable(shortened(str(error)))}"
        raise Problem(400, "invalid-json", detail) from None
    finally:
        gc.enable()
    if isinstance(found, dict) and len(found) > _MOST_FIELDS:
        raise Problem(422, "invalid-request", f"The body has more than {_MOST_FIELDS} fields.")
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = printable(shortened(".".join(map(str, first["loc"])))) or "the body"
    raise Problem(422, "invalid-request", f"{place}: {printable(shortened(first['msg']))}")


def parse_multipart(request: Request, body: bytes, field: str) -> list[Upload]:
    """Return the pictures in a form's field, in order: files as they are, text as base64.

    Raises:
        Problem: It is no such form.
    """
    try:
        parts = forms.parse(request.headers["content-type"], body)
    except forms.FormError as error:
        raise Problem(400, "invalid-form", f"The body is no multipart form: {error}.") from None
    found = [
        Upload(bytes(part.data), base64=not part.is_file) for part in parts if part.name == field
    ]
    if not found:
        have = ", ".join(sorted({printable(shortened(part.name)) for part in parts})) or "none"
        raise Problem(
            422, "no-picture", f"The form has no field {field!r}; its fields: {shortened(have)}."
        )
    return found


def parse_urlencoded(body: bytes, field: str) -> Upload:
    """Return the picture in a field of an urlencoded form.

    Raises:
        Problem: There is no such field.
    """
    # Where nothing is percent-encoded the client did not encode at all: a plus is a digit.
    plus = b" " if b"%" in body else b"+"
    if body.count(b"&") >= _MOST_FIELDS:
        raise Problem(400, "invalid-form", f"The form has more than {_MOST_FIELDS} fields.")
    found = [
        value
        for name, _, value in (part.partition(b"=") for part in body.split(b"&"))
        if name == field.encode()
    ]
    if not found:
        raise Problem(422, "no-picture", f"The form has no field {field!r}.")
    try:
        return Upload(unquoted(found[-1].replace(b"+", plus)), base64=True)
    except RefusedError as error:
        raise Problem(400, "invalid-form", f"The field {field!r}: {error}.") from None
