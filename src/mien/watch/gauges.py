"""Live totals and the recorder's state for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from mien.watch.live import LiveTotals
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
