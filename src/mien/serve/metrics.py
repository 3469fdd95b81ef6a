"""What the service tells Prometheus; each application has a registry of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

Stage = Literal["receive", "wait", "prepare", "gather", "network", "draw"]
"""Parts of a request's time: its body comes in; a picture waits for a thread; it is decoded and
searched; it waits for its batch; the batch goes through the network; the result is drawn."""

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters and histograms of one application."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "mien_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._latency = Histogram(
            "mien_request_seconds",
            "From the request's head to the end of its answer.",
            ["route"],
            registry=registry,
            buckets=_SECONDS,
        )
        stages = Histogram(
            "mien_stage_seconds",
            "Parts of a request's time.",
            ["stage"],
            registry=registry,
            buckets=_SECONDS,
        )
        # Looked up once: five of them are observed for each picture.
        self._parts = {name: stages.labels(name) for name in get_args(Stage)}
        self._batches = Histogram(
            "mien_batch_pictures",
            "Pictures that went through a network together.",
            registry=registry,
            buckets=_SIZES,
        )
        self._rejected = Counter(
            "mien_rejected", "Requests refused for want of room.", ["reason"], registry=registry
        )
        self._depth = Gauge(
            "mien_queue_depth", "Pictures waiting or being worked on.", registry=registry
        )
        self.streams = Gauge("mien_streams", "Open streams.", registry=registry)
        self._frames = Counter(
            "mien_stream_frames", "Frames of streams.", ["outcome"], registry=registry
        )

    @property
    def registry(self) -> CollectorRegistry:
        """Where figures are registered; whoever extends the application may add some."""
        return self._registry

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: Its method.
            route: Its route's template, never the path itself, which a client may choose.
            status: The answer's status.
            seconds: How long it took.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def stage(self, name: Stage, seconds: float) -> None:
        """Record how long a part took."""
        self._parts[name].observe(seconds)

    @contextmanager
    def timed(self, name: Stage) -> Iterator[None]:
        """Record how long a block takes."""
        start = perf_counter()
        try:
            yield
        finally:
            self.stage(name, perf_counter() - start)

    def batch(self, pictures: int) -> None:
        """Record a batch's size."""
        self._batches.observe(pictures)

    def reject(self, reason: str) -> None:
        """Count a request that was refused for want of room."""
        self._rejected.labels(reason).inc()

    def frame(self, outcome: Literal["read", "dropped", "failed"]) -> None:
        """Count a stream's frame."""
        self._frames.labels(outcome).inc()

    def watch_queue(self, depth: Callable[[], float]) -> None:
        """Have the queue's depth read from a function."""
        self._depth.set_function(depth)

    def text(self) -> bytes:
        """Return all in Prometheus' text format."""
        return generate_latest(self._registry)
