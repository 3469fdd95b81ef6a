"""Pictures of all requests through the networks together: a bounded queue and its workers.

A picture's way: accepted if there is room; decoded, searched and cropped by one of a few threads;
gathered with others by the one thread that runs the networks. Nothing is shared between pictures,
so one that fails does so alone.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol, TypeVar

from mien.serve.metrics import Metrics

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
        wait: For how many seconds at most a batch waits for pictures that are being prepared.
    """

    def __init__(
        self, metrics: Metrics, *, threads: int, limit: int, batch: int, wait: float
    ) -> None:
        self._metrics, self._limit, self._batch, self._wait = metrics, limit, batch, wait
        self._pool = ThreadPoolExecutor(threads, "mien-prepare")
        self._ready: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._preparing = 0
        self._worker = threading.Thread(target=self._work, name="mien-network", daemon=True)
        self._worker.start()
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
        with self._lock:
            if self._pending + len(jobs) > self._limit:
                raise QueueFullError
            self._pending += len(jobs)
        for job in jobs:
            self._pool.submit(self._prepare, job)
        return [job.future for job in jobs]

    def call(self, work: Callable[[], Value]) -> "Future[Value]":
        """Have other work done, such as drawing, by the threads that prepare pictures."""
        return self._pool.submit(work)

    def close(self) -> None:
        """Finish what was accepted, and end the threads; nothing may be submitted any more."""
        self._pool.shutdown(wait=True)
        self._ready.put(None)
        self._worker.join()

    def _prepare(self, job: _Job) -> None:
        if job.source is None or job.future.cancelled():
            self._settle(job, None)
            return
        start = perf_counter()
        self._metrics.stage("wait", start - job.since)
        with self._lock:
            self._preparing += 1
        try:
            job.prepared = job.reader.prepare(job.source())
            # The encoded picture is needed no more, however long the batch takes.
            job.source = None
        except BaseException as error:
            self._settle(job, error)
        else:
            job.since = perf_counter()
            self._metrics.stage("prepare", job.since - start)
            self._ready.put(job)
        finally:
            with self._lock:
                self._preparing -= 1

    def _work(self) -> None:
        while (first := self._ready.get()) is not None:
            jobs = self._gather(first)
            groups: dict[int, list[_Job]] = {}
            for job in jobs:
                groups.setdefault(id(job.reader), []).append(job)
            for group in groups.values():
                self._finish(group)

    def _gather(self, first: _Job) -> list[_Job]:
        """Return a batch: what is ready, and what becomes so in a moment."""
        jobs, deadline = [first], perf_counter() + self._wait
        while len(jobs) < self._batch:
            # There is nothing to wait for when no picture is under way.
            left = deadline - perf_counter() if self._preparing else 0
            try:
                job = self._ready.get(left > 0, max(left, 0))
            except queue.Empty:
                break
            if job is None:
                self._ready.put(None)
                break
            jobs.append(job)
        return jobs

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
        with self._lock:
            self._pending -= 1
        # Whoever asked may have gone away meanwhile.
        with suppress(InvalidStateError):
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
