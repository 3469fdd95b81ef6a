"""Connections that may not be held for nothing: uvicorn's own, with an end to waiting.

Whoever opens a connection has to send a whole head in time, and no larger one than any client
needs; and once a request is answered its body may not trickle in for ever. Bodies of requests that
are being answered have limits of their own, in `mien.serve.bodies`. An answer's head and body leave
together.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS: Final = 10.0
"""How long a request's head may take, from the connection or from its own first byte."""

HEAD_BYTES: Final = 64 * 1024
"""How large a head may be, the address and all names and values together."""

REST_SECONDS: Final = 10.0
"""How long the rest of a body may take that nobody reads, as its request is answered already."""

IDLE_SECONDS: Final = 75.0
"""How long a connection may lie idle between two requests. Longer than clients and proxies keep one
for later (up to 60 s as a rule): whoever sends just as the service closes gets no answer."""

STALL_SECONDS: Final = 20.0
"""How often it is looked at whether a client takes what is written to it."""

STALL_BYTES: Final = 20_000
"""How much of it a client has to take in that time, if there is as much."""

_LAST_LOOK: Final = 0.05
_JOINED_BYTES: Final = 64 * 1024


class Joined(asyncio.Transport):
    """A transport that writes what one turn of the event loop brings as one.

    uvicorn writes an answer's head and its body apart, and uvloop hands each to the system at once:
    the client would be woken twice, and both sides would work for it.

    Args:
        inner: The transport itself.
        loop: The event loop.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.inner = inner
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Take a part, which is written at the end of the turn; at once where much waits."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(bytes(data))
        self._size += len(data)
        if self._size >= _JOINED_BYTES:
            # So that whoever writes is told in time when the client takes nothing.
            self._flush()

    def close(self) -> None:
        """Write what is left, and close; a client that does not take it is not waited for."""
        self._flush()
        self.inner.close()
        self.watch()

    def is_closing(self) -> bool:
        """Return whether it is closed or about to be."""
        return self.inner.is_closing()

    def watch(self) -> None:
        """End the connection if its client stops taking what is left to be written."""
        left = self.inner.get_write_buffer_size()
        if left and self._timer is None:
            self._timer = self._loop.call_later(STALL_SECONDS, self._look, left)

    def end_watch(self) -> None:
        """Let the client be: everything was taken, or the connection is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _look(self, before: int) -> None:
        self._timer = None
        if before - self.inner.get_write_buffer_size() < min(before, STALL_BYTES):
            self.inner.abort()
        else:
            self.watch()

    def _flush(self) -> None:
        if self._parts and not self.inner.is_closing():
            # A large body, which many may be fetching, is not copied.
            self.inner.writelines(self._parts)
        self._parts = []
        self._size = 0


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = IDLE_SECONDS  # type: ignore[assignment]
        self._timer: asyncio.TimerHandle | None = None
        self._in_head, self._whole = True, False
        self._head_bytes = self._fields = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.transport = Joined(transport, self.loop)
        self._wait(HEAD_SECONDS)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, with the transport itself."""
        self._wait(None)
        if isinstance(self.transport, Joined):
            self.transport = self.transport.inner
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that does not end is too large at some time."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, more: int) -> None:
        self._fields += more
        if self._fields > HEAD_BYTES:
            # The parser makes it its own error, which uvicorn answers with 400.
            raise ValueError("the head is too large")

    def on_message_begin(self) -> None:
        """Begin to wait for a head."""
        super().on_message_begin()
        self._in_head, self._whole = True, False
        self._fields = 0
        self._wait(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Leave the time of the body to whoever reads it."""
        self._in_head, self._head_bytes = False, 0
        self._wait(None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that nothing more is to come."""
        self._in_head, self._whole = True, True
        super().on_message_complete()
        # A request that was answered before its body had come leaves the connection idle only now.
        cycle: RequestResponseCycle | None = self.cycle
        idle = cycle is not None and cycle.response_complete
        self._wait(IDLE_SECONDS if idle else None)

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that nobody needs, but not for ever."""
        super().on_response_complete()
        if not self._whole:
            self._wait(REST_SECONDS)

    def pause_writing(self) -> None:
        """Begin to look whether the client takes anything; much waits for it."""
        super().pause_writing()
        if isinstance(self.transport, Joined):
            self.transport.watch()

    def resume_writing(self) -> None:
        """Let it be: what is left fits into the system's own buffers before long."""
        super().resume_writing()
        if isinstance(self.transport, Joined) and not self.transport.is_closing():
            self.transport.end_watch()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that lies idle, unless a request is there already."""
        self._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is waited for."""
        self._wait(None)
        if isinstance(self.transport, Joined):
            self.transport.end_watch()
        super().connection_lost(exc)

    def _wait(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._wait(None)
        # A turn of a busy loop lasts long, and ends with its timers. What has arrived since it
        # last read is read before the connection may end, or its request would have no answer.
        self._timer = self.loop.call_later(_LAST_LOOK, self._end)

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
