"""What the routes of one application share: models, queue, limits and figures."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from mien.cores import usable
from mien.serve.access import Keys, RateLimit
from mien.serve.batching import Batcher, QueueFullError, Reader
from mien.serve.bodies import Bodies, Upload
from mien.serve.catalogue import Catalogue
from mien.serve.metrics import Metrics
from mien.serve.peers import Peers
from mien.serve.problems import Problem, overloaded
from mien.serve.settings import Settings

Value = TypeVar("Value")


class Service:
    """One application's parts.

    Args:
        settings: Its settings.
        peers: Where the workers' sockets lie, if it is one of several workers.

    Attributes:
        ready: Whether the models are warmed up.
        ending: Whether it was told to end; answers that would go on for ever end then.
        streams: How many streams are open.

    Raises:
        ModelError: A model cannot be used.
        SettingsError: The models' names clash, or the file of keys cannot be read.
    """

    def __init__(self, settings: Settings, peers: Path | None = None) -> None:
        self.settings = settings
        cores = settings.threads or max(1, usable() // settings.workers)
        # Most of a picture's time goes into decoding and detection, which have threads of their
        # own: more for the network would only take cores from them.
        self.catalogue = Catalogue(settings, threads=max(1, cores // 4))
        self.metrics = Metrics()
        self.peers = Peers(peers, self.metrics.text) if peers else None
        self.keys = Keys(settings.all_keys())
        self.rate = RateLimit(settings.rate)
        self.bodies = Bodies(
            self.metrics,
            max_body=settings.max_body,
            max_held=settings.max_held,
            timeout=settings.timeout,
        )
        self.batcher = Batcher(
            self.metrics,
            # A worker often waits for Python's lock, which the event loop holds meanwhile; one more
            # than there are cores keeps them busy (2 cores: 8 % more pictures a second).
            threads=cores + 1 if cores > 1 else 1,
            limit=settings.queue,
            batch=settings.batch,
            wait=settings.batch_wait / 1000,
        )
        self.ready = False
        self.ending = False
        self.streams = self.waiting = 0

    def warm_up(self) -> None:
        """Run every model once; the service is ready afterwards."""
        self.catalogue.warm_up()
        # What lives until the end need not be looked through for what does not.
        gc.collect()
        gc.freeze()
        self.ready = True

    def close(self) -> None:
        """Finish what was accepted, and end the threads."""
        self.ready = False
        self.batcher.close()

    async def figures(self) -> bytes:
        """Return the figures of all workers in Prometheus' text format."""
        return self.metrics.text() if self.peers is None else await self.peers.text()

    def check_ready(self) -> None:
        """Refuse a request that asks whether the service is ready while it is not.

        Raises:
            Problem: The models are not loaded and warmed up yet, or the service is ending.
        """
        if not self.ready:
            raise overloaded("not-ready", "The models are being warmed up; try again in a moment.")

    def check_room(self) -> None:
        """Refuse a request before its body is read, if there is no room for any picture.

        Raises:
            Problem: The queue is full.
        """
        if not self.batcher.has_room():
            raise self._full()

    async def read(self, reader: Reader, uploads: Sequence[Upload]) -> list[Any]:
        """Read the pictures of a request.

        Args:
            reader: What reads them.
            uploads: The pictures, as they came.

        Returns:
            Each one's result, in order.

        Raises:
            Problem: There are too many, there is no room for them, or they took too long.
        """
        self._check_number(len(uploads))
        limits = self.catalogue.limits
        return await self.run(reader, [partial(upload.decoded, limits) for upload in uploads])

    async def run(self, reader: Reader, sources: Sequence[Callable[[], Any]]) -> list[Any]:
        """Have the queue read what the sources give, within the time that a request has."""
        try:
            futures = self.batcher.submit(reader, sources)
        except QueueFullError:
            raise self._full() from None
        await self._in_time(futures)
        return [future.result() for future in futures]

    async def call(self, work: Callable[[], Value]) -> Value:
        """Have other work done off the event loop, within the time that a request has."""
        future = self.batcher.call(work)
        await self._in_time([future])
        return future.result()

    async def _in_time(self, futures: "Sequence[Future[Any]]") -> None:
        """Wait until all are done, which a request's time limits.

        In as few turns of the event loop as can be: under load each turn lasts long, and asyncio's
        own `wrap_future`, `gather` and `wait_for` take three more.
        """
        loop = asyncio.get_running_loop()
        left, waiter = len(futures), loop.create_future()

        def count() -> None:
            nonlocal left
            left -= 1
            if not left and not waiter.done():
                waiter.set_result(None)

        def done(_: "Future[Any]") -> None:
            # At the very end nobody is left who would wait.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(count)

        def late() -> None:
            if not waiter.done():
                waiter.set_exception(TimeoutError())

        for future in futures:
            future.add_done_callback(done)
        timer = loop.call_later(self.settings.timeout, late)
        try:
            await waiter
        except TimeoutError:
            self.metrics.reject("timeout")
            raise overloaded(
                "too-slow",
                f"Not done within {self.settings.timeout:g} s; try again later.",
            ) from None
        finally:
            timer.cancel()
            # Those that nobody waits for any more spare their work.
            for future in futures:
                future.cancel()

    def _check_number(self, pictures: int) -> None:
        most = self.settings.max_pictures
        if pictures > most:
            raise Problem(
                422, "too-many-pictures", f"{pictures} pictures; send at most {most} at once."
            )

    def _full(self) -> Problem:
        self.metrics.reject("queue")
        return overloaded("queue-full", "The service is at its limit; try again in a moment.")


# What routes depend on is asynchronous, however little it does: FastAPI calls everything else in
# a thread, and each change of threads waits for those that decode.


def service_of(connection: HTTPConnection) -> Service:
    """Return the service that a request or a stream came to."""
    service: Service = connection.app.state.service
    return service


async def _service(connection: HTTPConnection) -> Service:
    return service_of(connection)


ServiceDep = Annotated[Service, Depends(_service)]


async def check_access(request: Request) -> None:
    """Refuse clients that call too often, or without a right key.

    The headers are read here, and described in `mien.serve.openapi`: as dependencies of FastAPI
    they took a tenth of a request's time.
    """
    service = service_of(request)
    service.rate.take(request.client.host if request.client else "")
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")
    service.keys.check(given)


class DirectRoute(APIRoute):
    """A route whose function takes the bare request and gives the answer, whoever may call.

    The way by which FastAPI calls functions, with parameters, dependencies and validated answers,
    took a fifth of the time that a request has beside its picture. What stands at the function is
    for the OpenAPI document; access is checked here.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = self.endpoint

        async def handle(request: Request) -> Response:
            await check_access(request)
            response: Response = await answer(request)
            return response

        return handle
