"""The stream /v1/stream: a camera's frames in, results out, and the newest frame wins.

The client's first message is JSON, a `StreamStart`; the service answers `StreamReady`. Then each
binary message is a frame: an encoded picture. Frames are numbered from 1 in the order they come.
While one is read, only the newest that came since is kept; so results may skip numbers, but a
slow link or service never lags behind. Each answer is a `StreamResult` or a `StreamProblem`.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter
from typing import Annotated, Final, Literal

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from mien.serve import bodies
from mien.serve.access import may_stream
from mien.serve.bodies import Upload
from mien.serve.catalogue import Entry
from mien.serve.logs import failure, log
from mien.serve.problems import Problem, of_exception
from mien.serve.reading import FaceOptions, read_faces
from mien.serve.schemas import FaceResult, picture_result
from mien.serve.service import Service, ServiceDep

router = APIRouter()

_FIRST_MESSAGE: Final = 10.0
_MOST_WAITING: Final = 100
"""Streams that have not said yet what they want; each may have a frame's bytes in memory."""

_MOST_START: Final = 100_000
"""Characters of the first message that are read at all."""

_POLICY, _UNSUPPORTED, _TOO_BIG, _LATER = 1008, 1003, 1009, 1013


class StreamStart(BaseModel):
    """The first message of a client."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["start"]
    key: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="An API key, where the service asks for one."
    )
    model: Annotated[str, Field(max_length=100)] | None = None
    tasks: (
        Annotated[
            list[Annotated[str, Field(max_length=100)]], Field(max_length=100, fail_fast=True)
        ]
        | None
    ) = None
    min_face: Annotated[float, Field(ge=0, le=1e6)] = 0
    max_faces: Annotated[int, Field(ge=1, le=10_000)] | None = None


class StreamReady(BaseModel):
    """The service's answer: frames may come."""

    type: Literal["ready"] = "ready"
    model: str
    tasks: list[str]


class StreamResult(BaseModel):
    """The faces of a frame."""

    type: Literal["result"] = "result"
    frame: int = Field(description="The frame's number, from 1.")
    dropped: int = Field(description="How many frames were passed over since the last answer.")
    milliseconds: float = Field(description="From the frame's arrival to its result.")
    width: int
    height: int
    faces: list[FaceResult]


class StreamProblem(BaseModel):
    """Why a frame was not read; the stream goes on, unless it is closed at once."""

    type: Literal["problem"] = "problem"
    frame: int = Field(description="The frame's number; 0 for the first message.")
    status: int
    kind: str
    detail: str


@dataclass
class _Newest:
    """A place for one frame: a newer one takes it from an older."""

    data: bytes = b""
    number: int = 0
    since: float = 0
    taken: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def put(self, data: bytes) -> None:
        self.data, self.number, self.since = data, self.number + 1, perf_counter()
        self.changed.set()

    def close(self) -> None:
        self.closed = True
        self.changed.set()

    async def take(self) -> tuple[bytes, int, int, float] | None:
        """Return a frame, its number, how many were dropped before it, and when it came."""
        while self.number == self.taken:
            if self.closed:
                return None
            self.changed.clear()
            await self.changed.wait()
        if self.closed:
            return None
        dropped, self.taken = self.number - self.taken - 1, self.number
        data, self.data = self.data, b""
        return data, self.number, dropped, self.since


@router.websocket("/v1/stream")
async def stream(socket: WebSocket, service: ServiceDep) -> None:
    """Take frames and answer with their faces until the client goes away."""
    headers = socket.headers
    if not may_stream(headers.get("origin"), headers.get("host"), service.settings.origins):
        await socket.close(_POLICY, "this page's origin may not open a stream")
        return
    if service.waiting >= _MOST_WAITING:
        service.metrics.reject("streams")
        await socket.close(_LATER, "too many streams are being opened; try again later")
        return
    await socket.accept()
    start = perf_counter()
    frames = 0
    try:
        frames = await _converse(socket, service)
    except WebSocketDisconnect:
        pass
    finally:
        log("stream", frames=frames, seconds=round(perf_counter() - start, 3))


async def _converse(socket: WebSocket, service: Service) -> int:
    """Go through a stream from its first message to its end; return how many frames came."""
    service.waiting += 1
    try:
        asked = await _begin(socket, service)
    except Problem as problem:
        await _tell(socket, 0, problem)
        await socket.close(_POLICY, problem.kind)
        return 0
    finally:
        service.waiting -= 1
    # Only now, so that nobody without a key can take the places of those who have one.
    if service.streams >= service.settings.max_streams:
        service.metrics.reject("streams")
        await socket.close(_LATER, "too many streams are open; try again later")
        return 0
    service.streams += 1
    service.metrics.streams.inc()
    try:
        return await _read_frames(socket, service, asked)
    finally:
        service.streams -= 1
        service.metrics.streams.dec()


async def _read_frames(
    socket: WebSocket, service: Service, asked: tuple[Entry, FaceOptions, list[str]]
) -> int:
    await socket.send_text(StreamReady(model=asked[0].name, tasks=asked[2]).model_dump_json())
    newest = _Newest()
    receiving = asyncio.create_task(_receive(socket, newest))
    try:
        while (taken := await newest.take()) is not None:
            with suppress(WebSocketDisconnect, RuntimeError):
                await _answer(socket, service, taken, asked)
        await receiving
    finally:
        receiving.cancel()
    return newest.number


async def _begin(socket: WebSocket, service: Service) -> tuple[Entry, FaceOptions, list[str]]:
    """Take the first message.

    Raises:
        Problem: It came too late, is no such message, bears no right key, or asks for what the
            service does not have.
    """
    try:
        message = await asyncio.wait_for(socket.receive(), _FIRST_MESSAGE)
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
    except TimeoutError:
        raise Problem(408, "no-start", f"No first message within {_FIRST_MESSAGE:g} s.") from None
    start = _start(message.get("text") or "")
    service.rate.take(socket.client.host if socket.client else "")
    service.keys.check(start.key)
    entry = service.catalogue.choose(start.model, "face")
    tasks = None if start.tasks is None else ",".join(start.tasks)
    options = FaceOptions(
        model=start.model, tasks=tasks, min_face=start.min_face, max_faces=start.max_faces
    )
    return entry, options, options.names(entry)


def _start(text: str) -> StreamStart:
    try:
        return bodies.parse_json(text[:_MOST_START], StreamStart)
    except Problem:
        raise Problem(
            422, "invalid-request", 'The first message is JSON: {"type": "start"} and options.'
        ) from None


async def _receive(socket: WebSocket, newest: _Newest) -> None:
    """Put each frame where the newest lies, until the client goes away."""
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:
                await socket.close(_UNSUPPORTED, "a frame is a binary message")
                return
            newest.put(data)
    finally:
        newest.close()


async def _answer(
    socket: WebSocket,
    service: Service,
    taken: tuple[bytes, int, int, float],
    asked: tuple[Entry, FaceOptions, list[str]],
) -> None:
    data, number, dropped, since = taken
    entry, options, names = asked
    for _ in range(dropped):
        service.metrics.frame("dropped")
    try:
        (reading,) = await read_faces(service, [Upload(data)], entry, options)
        if reading.error:
            raise reading.error
    except Exception as error:
        service.metrics.frame("failed")
        problem = of_exception(error)
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log("frame failed", level=logging.ERROR, **failure(error))
        await _tell(socket, number, problem)
        return
    service.metrics.frame("read")
    found = picture_result(reading, entry.card, names)
    result = StreamResult(
        frame=number,
        dropped=dropped,
        milliseconds=round((perf_counter() - since) * 1000, 1),
        width=found.width,
        height=found.height,
        faces=found.faces,
    )
    await socket.send_text(result.model_dump_json())


async def _tell(socket: WebSocket, frame: int, problem: Problem) -> None:
    told = StreamProblem(
        frame=frame, status=problem.status, kind=problem.kind, detail=problem.detail
    )
    await socket.send_text(told.model_dump_json())
