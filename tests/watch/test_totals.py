"""Visits added up, and their stays."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.ages import GROUPS
from mien.watch import dwell
from mien.watch.totals import UNIT, Totals, added, of_visit
from mien.watch.visit import BINS, Visit
from tests.watch.visits import NOON, crowd, visit

UTC = ZoneInfo("UTC")


def of(visits: list[Visit]) -> Totals:
    return added(part for v in visits for _, part in of_visit(v, UTC))


def test_sums_of_distributions_lose_nothing() -> None:
    made = crowd(50)
    found = of(made)

    assert found.counts().sum() == found.count == 50
    assert found.distributions().sum() == pytest.approx(50, abs=1e-9)
    exact = np.sum([v.ages for v in made], axis=0)
    assert found.distributions().sum(axis=0) == pytest.approx(exact, abs=1e-4)
    assert sum(sum(row) for row in found.sums.values()) == 50 * UNIT


def test_groups_are_those_of_the_visits() -> None:
    made = [visit(age) for age in (12.9, 13.0, 17.99, 35.9, 36.0, 59.9, 60.0, 130.0)]

    assert of(made).groups(GROUPS).tolist() == [1, 2, 1, 2, 2]


@given(st.permutations(range(8)), st.integers(0, 8))
def test_order_and_parts_do_not_count(order: list[int], cut: int) -> None:
    made = crowd(8)
    mixed = [made[n] for n in order]

    assert added([of(mixed[:cut]), of(mixed[cut:])]) == of(made)


def test_totals_come_back_from_json() -> None:
    found = of([*crowd(20), visit(expressions={"happiness": 0.5})])
    assert Totals.from_json(found.to_json()) == found
    assert Totals().to_json() == {}


def test_a_stay_over_midnight_counts_where_it_began_and_is_present_where_it_was() -> None:
    late = visit(at=NOON.replace(hour=23, minute=57), stay=7 * 60)

    (first, before), (second, after) = of_visit(late, UTC)

    assert (second - first, before.count, after.count) == (timedelta(hours=1), 1, 0)
    assert (before.presence, after.presence) == ({11: 180_000}, {0: 240_000})


def test_posters_and_staff_are_not_present() -> None:
    for kind in ("still", "long"):
        [(_, found)] = of_visit(visit(kind=kind, stay=9000), UTC)
        assert (found.count, found.presence) == (1, {})


@pytest.mark.parametrize("changes", [{"ages": (0.0,) * BINS}, {"ages": (float("nan"),) * BINS}])
def test_refuses(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="sum to nothing"):
        of_visit(visit(**changes), UTC)  # type: ignore[arg-type]


@given(st.lists(st.floats(0.05, 1e5), min_size=1, max_size=60), st.floats(0.01, 1))
def test_quantiles_of_stays_are_within_two_percent(stays: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for stay in stays:
        counts[dwell.bucket(stay)] = counts.get(dwell.bucket(stay), 0) + 1

    found = dwell.quantile(counts, share)

    exact = float(np.quantile(stays, share, method="inverted_cdf"))
    assert found == pytest.approx(exact, rel=dwell.ACCURACY * 1.0001)


def test_no_stays_have_no_quantile() -> None:
    assert dwell.quantile({}, 0.5) is None
