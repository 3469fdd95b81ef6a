"""Clients of a service that cost the machine little: on few cores they slow what they measure.

A request is encoded once, before anything is measured; an answer is taken apart only as far as its
status and its length. So a request costs a client about a tenth of a millisecond, where the usual
libraries take ten to thirty times as long.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import uvloop

Value = TypeVar("Value")
_BOUNDARY: Final = "mien-benchmark"
_TIMEOUT: Final = 120


def run(work: Coroutine[Any, Any, Value]) -> Value:
    """Run asynchronous work on the fastest loop there is."""
    return uvloop.run(work)


def encode(picture: bytes, host: str, path: str = "/v1/analyze") -> bytes:
    """Return a request with a JPEG in a multipart form, as it goes over the wire."""
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="p.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@dataclass
class Turn:
    """What some clients saw: how long each answer took, in seconds, by its status."""

    seconds: float = 0
    sent: int = 0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: int = 0

    @property
    def rate(self) -> float:
        """Pictures read a second."""
        return len(self.accepted) / self.seconds

    def add(self, status: int, seconds: float) -> None:
        """Count an answer; a status of 0 stands for none."""
        if status == 200:
            self.accepted.append(seconds)
        elif status == 503:
            self.refused.append(seconds)
        else:
            self.others += 1


class Connection(asyncio.Protocol):
    """One connection, kept open, with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._data = bytearray()
        self._status = self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast(asyncio.Transport, transport)

    async def ask(self, request: bytes) -> int:
        """Send a request; return its answer's status, 0 if the connection broke."""
        if self._transport is None or self._transport.is_closing():
            return 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await asyncio.wait_for(self._answer, _TIMEOUT)
        except TimeoutError:
            self.close()
            return 0

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        if not self._left:
            self._data += data
            head, gap, body = bytes(self._data).partition(b"\r\n\r\n")
            if not gap:
                return
            self._data.clear()
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._status, self._left, data = int(head[9:12]), int(length), body
        self._left -= len(data)
        if not self._left:
            self._settle(self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the request that is under way without an answer."""
        self._settle(0)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def open(self) -> bool:
        """Whether it can carry another request."""
        return self._transport is not None and not self._transport.is_closing()

    def _settle(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


async def connect(port: int) -> Connection:
    """Open a connection to a service on this machine."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Connection, "127.0.0.1", port))[1]


@asynccontextmanager
async def connections(port: int, number: int) -> AsyncIterator[list[Connection]]:
    """Open some connections until the block ends."""
    opened = [await connect(port) for _ in range(number)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


async def take_turn(port: int, requests: Sequence[bytes], number: int) -> Turn:
    """Have some clients send all requests, each its next one when the last is answered."""
    turn, left = Turn(sent=len(requests)), iter(requests)

    async def client(connection: Connection) -> None:
        for request in left:
            start = time.perf_counter()
            status = await connection.ask(request)
            turn.add(status, time.perf_counter() - start)

    async with connections(port, number) as opened:
        start = time.perf_counter()
        await asyncio.gather(*map(client, opened))
        turn.seconds = time.perf_counter() - start
    return turn


async def flood(
    port: int, requests: Sequence[bytes], rate: float, seconds: float, most: int = 800
) -> Turn:
    """Send requests at a fixed rate, whatever becomes of those before.

    Args:
        port: Where the service listens.
        requests: What is sent, again and again.
        rate: Requests a second.
        seconds: For how long.
        most: Connections at most. Where all of them wait for an answer, what is due is sent as
            soon as one is free; `Turn.sent` says how many were.

    Returns:
        What the clients saw, until the last answer.
    """
    turn, idle = Turn(), []
    under_way: set[asyncio.Task[None]] = set()

    async def send(connection: Connection, request: bytes) -> None:
        if not connection.open:  # it lay idle for longer than the service keeps one
            connection = await connect(port)
        start = time.perf_counter()
        turn.add(await connection.ask(request), time.perf_counter() - start)
        idle.append(connection)

    async with connections(port, most) as opened:
        idle += opened
        start = time.perf_counter()
        while (now := time.perf_counter() - start) < seconds:
            while idle and turn.sent < rate * now:
                request = requests[turn.sent % len(requests)]
                under_way.add(task := asyncio.create_task(send(idle.pop(), request)))
                task.add_done_callback(under_way.discard)
                turn.sent += 1
            await asyncio.sleep(0.001)
        turn.seconds = time.perf_counter() - start
        await asyncio.gather(*under_way)
    return turn


async def probe(port: int, seconds: float, path: str = "/healthz") -> list[float]:
    """Ask four times a second whether a service is well; return how long each answer took."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    took, end = [], time.perf_counter() + seconds
    async with connections(port, 1) as (connection,):
        while (start := time.perf_counter()) < end and await connection.ask(request) == 200:
            took.append(time.perf_counter() - start)
            await asyncio.sleep(0.25)
    return took
