"""Live totals, the recorder's and the cameras' state for Prometheus."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mien.watch.bulletin import Edition
from mien.watch.live import LiveTotals
from mien.watch.run import Status
from mien.watch.sources.health import STATES
from mien.watch.store.recorder import State

_PLACE = ["camera", "area"]


class Gauges:
    """Gauges in a registry, which the service or the watch shows.

    Args:
        registry: Where they are registered, once.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._visits = Gauge(
            "mien_visits_today",
            "Visits since local midnight, by age group as read; in steps.",
            [*_PLACE, "age"],
            registry=registry,
        )
        self._present = Gauge(
            "mien_present", "People there now; in steps.", _PLACE, registry=registry
        )
        self._waiting = Gauge(
            "mien_outbox_waiting", "Visits that the database does not have yet.", registry=registry
        )
        self._held = Gauge(
            "mien_outbox_held", "Visits in memory alone, the disk being full.", registry=registry
        )
        self._lost = Gauge(
            "mien_visits_lost", "Visits lost since the start, for any reason.", registry=registry
        )

    def read(self, edition: Edition) -> None:
        """Show an edition of the bulletin."""
        self.update(edition.totals)
        if edition.recorder is not None:
            self.recorder(edition.recorder)

    def update(self, totals: Iterable[LiveTotals]) -> None:
        """Show live totals; the age `all` stands for every age."""
        for one in totals:
            for age, count in {"all": one.visits, **one.ages}.items():
                self._visits.labels(one.camera, one.area, age).set(count)
            self._present.labels(one.camera, one.area).set(one.present)

    def recorder(self, state: State) -> None:
        """Show how the recorder fares."""
        self._waiting.set(state.waiting)
        self._held.set(state.held)
        self._lost.set(state.lost + state.refused + state.damaged)


_COUNTS: Final = {
    "frames": "Frames that came.",
    "dropped": "Frames left out for want of time.",
    "damaged": "Packets that could not be decoded.",
    "losses": "How often the source went away.",
}


class Cameras(Collector):
    """How the cameras are, asked for at each scrape.

    Args:
        registry: Where it is registered, once.
        status: Gives how the cameras are.
    """

    def __init__(self, registry: CollectorRegistry, status: Callable[[], Sequence[Status]]) -> None:
        self._status = status
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return the figures of all cameras."""
        known = self._status()
        state = GaugeMetricFamily(
            "mien_camera_state", "1 for the state that it is in.", labels=["camera", "state"]
        )
        since = GaugeMetricFamily(
            "mien_camera_since_seconds", "Since when, in Unix time.", labels=["camera"]
        )
        rate = GaugeMetricFamily("mien_camera_rate", "Frames a second.", labels=["camera"])
        for one in known:
            for known_state in STATES:
                is_it = float(one.health.state == known_state)
                state.add_metric([one.name, known_state], is_it)
            since.add_metric([one.name], one.health.since.timestamp())
            rate.add_metric([one.name], one.health.rate)
        yield from (state, since, rate)
        for name, meaning in _COUNTS.items():
            counter = CounterMetricFamily(f"mien_camera_{name}", meaning, labels=["camera"])
            for one in known:
                counter.add_metric([one.name], getattr(one.health, name))
            yield counter
