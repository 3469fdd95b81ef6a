"""Server-sent events: live totals, as they change, to whoever listens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE: Final = "text/event-stream"
_SLOW: Final = 10.0


class EventStream(Response):
    """An answer that goes on until its events end, or its client goes away or takes none.

    Args:
        events: Each event's text, as `event` and `comment` make it.
        done: Called at the end, however it comes.
    """

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, events: AsyncIterator[str], done: Callable[[], None]) -> None:
        # Proxies that gather an answer before they hand it on would hold everything back.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events, self._done = events, done
        self.background: BackgroundTask | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(_left(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                if not sending.done():
                    sending.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)
            if not sending.cancelled() and (error := sending.exception()):
                raise error
        finally:
            self._done()

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        try:
            async for text in self._events:
                # Whoever does not read must not hold a place for ever.
                async with asyncio.timeout(_SLOW):
                    await send(
                        {
                            "type": "http.response.body",
                            "body": text.encode(),
                            "more_body": True,
                        }
                    )
        except TimeoutError:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def event(name: str, data: str) -> str:
    """Return an event whose data is one line of JSON."""
    return f"event: {name}\ndata: {data}\n\n"


def comment() -> str:
    """Return what keeps a quiet connection open, and says nothing."""
    return ":\n\n"
