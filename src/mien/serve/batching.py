"""Pictures of all requests through the networks together: a bounded queue and its workers.

A picture's way: accepted if there is room; decoded, searched and cropped by one worker; gathered
with others by whichever worker runs the network next, one at a time. Nothing is shared between
pictures, so one that fails does so alone.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

from mien.serve.metrics import Metrics

_PATIENCE: Final = 5
"""How many times longer a batch waits where preparing a picture takes as long."""

_LATEST: Final = 0.1
"""What the latest picture counts for in how long preparing one usually takes."""

Value = TypeVar("Value")


class Reader(Protocol):
    """Reads pictures in two steps; an `Analyzer` and a `Classifier` are such."""

    def prepare(self, source: Any, /) -> Any:
        """Do all but the network's part for one picture."""

    def finish(self, prepared: Sequence[Any], /) -> Sequence[Any]:
        """Run the network for some pictures at once; return their results in order."""


class QueueFullError(Exception):
    """There is no room for more pictures now."""


@dataclass(eq=False, slots=True)
class _Job:
    reader: Reader
    source: Callable[[], Any] | None
    future: "Future[Any]" = field(default_factory=Future)
    since: float = field(default_factory=perf_counter)
    prepared: Any = None


class Batcher:
    """Takes pictures from any thread, and reads them in batches.

    Args:
        metrics: Gets the time of each stage and the size of each batch.
        threads: How many pictures are prepared side by side.
        limit: How many pictures may be waiting or worked on.
        batch: How many go through a network together at most.
        wait: For how many seconds a batch waits for pictures that are being prepared. On a machine
            that needs longer for one it waits until one more is ready, but no more than five
            times as long: there, a batch of one would cost the most.
    """

    def __init__(
        self, metrics: Metrics, *, threads: int, limit: int, batch: int, wait: float
    ) -> None:
        self._metrics, self._limit, self._batch, self._wait = metrics, limit, batch, wait
        self._cores = threads
        self._changed = threading.Condition()
        self._tasks: deque[Callable[[], None]] = deque()
        self._ready: deque[_Job] = deque()
        self._pending = self._busy = self._watched = 0
        self._usual = 0.0
        self._in_network = self._closing = False
        # One more than work at a time, so that a batch need not wait until all of them, which may
        # have large pictures in hand, come back.
        self._workers = [
            threading.Thread(target=self._work, name=f"mien-worker-{number}", daemon=True)
            for number in range(threads + 1)
        ]
        for worker in self._workers:
            worker.start()
        metrics.watch_queue(lambda: self._pending)

    @property
    def pending(self) -> int:
        """How many pictures are waiting or worked on."""
        return self._pending

    def has_room(self, pictures: int = 1) -> bool:
        """Return whether so many pictures would be accepted now."""
        return self._pending + pictures <= self._limit

    def submit(self, reader: Reader, sources: Sequence[Callable[[], Any]]) -> list["Future[Any]"]:
        """Accept pictures, all or none.

        Args:
            reader: What is to read them.
            sources: Each gives, when called in a worker's thread, what the reader takes. What it
                raises becomes the picture's result.

        Returns:
            The result of each, as it will be. Cancelling one spares the work that is left.

        Raises:
            QueueFullError: There is no room for all of them.
        """
        jobs = [_Job(reader, source) for source in sources]
        with self._changed:
            if self._pending + len(jobs) > self._limit:
                raise QueueFullError
            self._pending += len(jobs)
            self._tasks += [partial(self._prepare, job) for job in jobs]
            self._wake()
        return [job.future for job in jobs]

    def call(self, work: Callable[[], Value]) -> "Future[Value]":
        """Have other work done, such as drawing, by the threads that prepare pictures."""
        future: Future[Value] = Future()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        with self._changed:
            self._tasks.append(task)
            self._wake()
        return future

    def close(self) -> None:
        """Finish what was accepted, and end the threads; nothing may be submitted any more."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        task = self._next()
        while task is not None:
            task()
            task = self._next(done=1)

    def _next(self, *, done: int = 0) -> Callable[[], None] | None:
        """Return what a worker does next, as soon as there is something; None at the end."""
        with self._changed:
            self._busy -= done
            while True:
                if jobs := self._gather():
                    return self._taken(partial(self._run, jobs))
                if self._tasks and self._busy < self._cores:
                    return self._taken(self._tasks.popleft())
                if self._closing and not (self._tasks or self._ready or self._busy):
                    self._changed.notify_all()
                    return None
                patience = self._patience()
                self._watched += patience is not None
                self._changed.wait(patience)
                self._watched -= patience is not None

    def _taken(self, task: Callable[[], None]) -> Callable[[], None]:
        self._busy += 1
        self._wake()
        return task

    def _wake(self) -> None:
        """Wake a worker if there is something for it; for nothing it would only be in the way."""
        can_begin = self._tasks and self._busy < self._cores
        if can_begin or (not self._watched and self._patience() is not None):
            self._changed.notify()

    def _gather(self) -> list[_Job]:
        """Return a batch for the network; none while it is in use, or more may join it."""
        if self._in_network or not self._ready:
            return []
        # There is nothing to wait for when no picture is under way.
        more = self._tasks or self._busy
        if more and len(self._ready) < self._batch and (self._patience() or 0) > 0:
            return []
        self._in_network = True
        return [self._ready.popleft() for _ in range(min(self._batch, len(self._ready)))]

    def _patience(self) -> float | None:
        """Return for how long what is ready may wait for more; None for as long as it takes."""
        if self._in_network or not self._ready:
            return None
        wait = min(max(self._wait, self._usual), _PATIENCE * self._wait)
        return max(0.0, self._ready[0].since + wait - perf_counter())

    def _prepare(self, job: _Job) -> None:
        if job.source is None or job.future.cancelled():
            self._settle(job, None)
            return
        start = perf_counter()
        self._metrics.stage("wait", start - job.since)
        try:
            job.prepared = job.reader.prepare(job.source())
        except BaseException as error:
            self._settle(job, error)
            return
        # The encoded picture is needed no more, however long the batch takes.
        job.source = None
        job.since = perf_counter()
        took = job.since - start
        self._metrics.stage("prepare", took)
        with self._changed:
            self._usual += _LATEST * (took - self._usual)
            self._ready.append(job)

    def _run(self, jobs: list[_Job]) -> None:
        groups: dict[int, list[_Job]] = {}
        for job in jobs:
            groups.setdefault(id(job.reader), []).append(job)
        for group in groups.values():
            self._finish(group)
        with self._changed:
            self._in_network = False

    def _finish(self, jobs: list[_Job]) -> None:
        start = perf_counter()
        for job in jobs:
            self._metrics.stage("gather", start - job.since)
        try:
            results = jobs[0].reader.finish([job.prepared for job in jobs])
        except BaseException as error:
            if len(jobs) == 1:
                self._settle(jobs[0], error)
            else:
                for job in jobs:
                    self._finish([job])
            return
        self._metrics.stage("network", perf_counter() - start)
        self._metrics.batch(len(jobs))
        for job, result in zip(jobs, results, strict=True):
            self._settle(job, None, result)

    def _settle(self, job: _Job, error: BaseException | None, result: Any = None) -> None:
        with self._changed:
            self._pending -= 1
        # Whoever asked may have gone away meanwhile.
        with suppress(InvalidStateError):
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
