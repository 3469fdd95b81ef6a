"""Counting: synthetic faces through one camera's lane, and the visits that come of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mien.watch.areas import WHOLE
from mien.watch.config import Area
from mien.watch.visit import BINS
from tests.watch.faces import START, Counting, config, face

HALVES = {
    "areas": [
        {"name": "left", "polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]},
        {"name": "right", "polygon": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]},
    ]
}


def test_a_visit_says_when_where_and_how_old() -> None:
    counting = Counting()
    counting.sway(100, 5)
    [visit] = counting.visits()

    assert (visit.camera, visit.area, visit.kind) == ("door", WHOLE, "visit")
    assert visit.entered == datetime.fromtimestamp(START, UTC)
    assert visit.dwell == pytest.approx(4.9, abs=0.001)
    assert len(visit.ages) == BINS
    assert sum(visit.ages) == pytest.approx(1)
    assert visit.years == pytest.approx(50, abs=0.1)
    assert visit.low < visit.years < visit.high
    assert visit.group == "adult"
    assert 0 < visit.quality <= 1
    assert visit.female is None
    assert visit.expressions is None


@pytest.mark.parametrize("rate", [2, 5, 10, 25])
def test_dwell_does_not_depend_on_the_rate(rate: float) -> None:
    counting = Counting(rate=rate)
    counting.sway(100, 10)

    assert [visit.dwell for visit in counting.visits()] == pytest.approx([10 - 1 / rate], abs=0.001)


def test_no_faces_no_visits() -> None:
    counting = Counting()
    counting.wait(3)

    assert counting.visits() == []


def test_one_false_face_is_no_visit() -> None:
    counting = Counting()
    counting.wait(1)
    counting.see(face(100))
    counting.wait(5)

    assert counting.visits() == []


def test_whoever_comes_back_after_long_is_another_visit() -> None:
    counting = Counting()
    counting.sway(100, 3)
    counting.wait(5)
    counting.sway(100, 4)

    assert [round(visit.dwell, 1) for visit in counting.visits()] == [2.9, 3.9]


def test_from_area_to_area_is_a_visit_in_each() -> None:
    counting = Counting(config(HALVES))
    counting.walk(range(100, 220, 2))
    left, right = counting.visits()

    assert (left.area, right.area) == ("left", "right")
    assert left.left < right.entered
    assert left.dwell + right.dwell == pytest.approx(5.8, abs=0.01)
    assert left.id != right.id


def test_whoever_is_there_while_areas_are_redrawn_has_a_visit_in_each() -> None:
    counting = Counting(config(HALVES))
    counting.sway(100, 3)
    counting.lane.redraw([Area(name="new", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))])
    counting.sway(100, 3)
    old, new = counting.visits()

    assert (old.area, new.area) == ("left", "new")
    assert [round(old.dwell), round(new.dwell)] == [3, 3]


def test_jitter_on_a_border_is_one_visit() -> None:
    counting = Counting(config(HALVES))
    for index in range(100):
        counting.see(face(158 + 4 * (index % 2)))

    assert len(counting.visits()) == 1


def test_two_who_swap_places_are_a_visit_in_each_half_each() -> None:
    counting = Counting(config(HALVES))
    for index in range(60):
        counting.see(face(80 + 2.6 * index, 60), face(240 - 2.6 * index, 120))

    assert sorted(visit.area for visit in counting.visits()) == ["left", "left", "right", "right"]


def test_a_visit_is_told_once_the_area_is_left() -> None:
    counting = Counting(config(HALVES))
    counting.sway(80, 3)
    counting.walk(range(80, 240, 4))
    counting.sway(240, 4)

    assert [visit.area for visit in counting._visits] == ["left"]
    assert [visit.area for visit in counting.visits()] == ["left", "right"]


def test_outside_of_all_areas_nobody_counts() -> None:
    counting = Counting(config({"areas": HALVES["areas"][:1]}))
    counting.sway(250, 5)

    assert counting.visits() == []


def test_the_point_below_the_face_decides() -> None:
    floor = {"areas": [{"name": "floor", "polygon": [[0, 0.8], [1, 0.8], [1, 1], [0, 1]]}]}
    near, far = Counting(config(floor)), Counting(config(floor | {"foot": 2}))
    near.sway(100, 3)
    far.sway(100, 3)

    assert near.visits() == []
    assert [visit.area for visit in far.visits()] == ["floor"]


def test_faces_in_an_ignored_area_are_passed_over() -> None:
    screen = {"name": "screen", "polygon": [[0, 0], [0.4, 0], [0.4, 1], [0, 1]], "ignore": True}
    counting = Counting(config({"areas": [screen]}))
    for _ in range(50):
        counting.see(face(50), face(250))

    assert [visit.area for visit in counting.visits()] == [WHOLE]


def test_whoever_walks_before_a_screen_stays_one_visit() -> None:
    screen = {"name": "s", "polygon": [[0.4, 0], [0.5, 0], [0.5, 1], [0.4, 1]], "ignore": True}
    counting = Counting(config({"areas": [screen]}))
    counting.walk(range(40, 280, 3))

    assert len(counting.visits()) == 1


def test_small_faces_are_passed_over() -> None:
    counting = Counting()
    counting.stand(100, 3, width=9)

    assert counting.visits() == []


@pytest.mark.parametrize(
    ("handling", "kinds"), [("apart", ["still"]), ("leave-out", []), ("count", ["visit"])]
)
def test_a_face_that_never_moves(handling: str, kinds: list[str]) -> None:
    counting = Counting(config(limits={"still_after": 30, "still": handling}), rate=2)
    counting.stand(100, 60)

    assert [visit.kind for visit in counting.visits()] == kinds


def test_a_poster_that_is_covered_now_and_then_is_known_again() -> None:
    counting = Counting(config(limits={"still_after": 29}), rate=5)
    for _ in range(6):
        counting.stand(100, 10)
        counting.wait(3)
    kinds = [visit.kind for visit in counting.visits()]

    # Until it has been seen for long enough in all, nobody can know.
    assert kinds == ["visit", "visit", *["still"] * 4]


@pytest.mark.parametrize(("handling", "there"), [("apart", [1, 0, 0]), ("count", [1, 1, 1])])
def test_a_picture_is_nobody_who_is_there_once_it_is_known(handling: str, there: list[int]) -> None:
    counting = Counting(config(limits={"still_after": 30, "still": handling}), rate=5)
    found = []
    for seconds in (10, 25):
        counting.stand(100, seconds)
        found.append(len(counting.lane.present()))
    counting.wait(3)
    counting.stand(100, 10)
    found.append(len(counting.lane.present()))

    assert found == there


def test_a_person_who_stands_still_for_a_while_is_a_visit() -> None:
    counting = Counting(config(limits={"still_after": 30}))
    counting.stand(100, 20)

    assert [visit.kind for visit in counting.visits()] == ["visit"]


def test_people_who_wait_for_long_sway() -> None:
    counting = Counting(config(limits={"still_after": 30}))
    counting.sway(100, 60)

    assert [visit.kind for visit in counting.visits()] == ["visit"]


@pytest.mark.parametrize(
    ("handling", "kinds"), [("apart", ["long"]), ("leave-out", []), ("count", ["visit"])]
)
def test_a_stay_longer_than_the_limit(handling: str, kinds: list[str]) -> None:
    counting = Counting(config(limits={"long_after": 60, "long": handling}), rate=5)
    counting.sway(100, 90)

    assert [visit.kind for visit in counting.visits()] == kinds
    assert counting.lane.counted.total() == 1


def test_a_gap_in_the_stream_ends_visits_at_what_was_last_seen() -> None:
    counting = Counting()
    counting.sway(100, 3)
    counting.now += 60
    counting.sway(100, 3)

    assert [round(visit.dwell, 1) for visit in counting.visits()] == [2.9, 2.9]


def test_a_camera_that_is_gone_ends_visits() -> None:
    counting = Counting()
    counting.sway(100, 3)
    counting.lane.advance(counting.now + 5)

    assert [round(visit.dwell, 1) for visit in counting.lane.visits()] == [2.9]
    assert counting.lane.present() == []


@pytest.mark.parametrize(
    "middle",
    [
        datetime(2026, 3, 2, 0, 0, tzinfo=ZoneInfo("Europe/Paris")),  # midnight
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # one hour is left out
        datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # one hour comes twice
    ],
)
def test_dwell_over_midnight_and_changes_of_the_clock(middle: datetime) -> None:
    counting = Counting(rate=5, start=middle.timestamp() - 10)
    counting.sway(100, 20)
    [visit] = counting.visits()

    assert visit.dwell == pytest.approx(19.8, abs=0.001)
    assert visit.entered < middle < visit.left
    assert visit.entered == middle - timedelta(seconds=10)


def test_a_clock_that_is_set_back_makes_no_visit_of_negative_length() -> None:
    counting = Counting()
    counting.sway(100, 3)
    counting.now -= 3600
    counting.sway(100, 3)

    assert [round(visit.dwell, 1) for visit in counting.visits()] == [2.9, 2.9]


def test_a_face_is_read_at_most_so_many_times_a_second() -> None:
    counting = Counting(config(tracking={"min_face": 10, "reads": 2, "crops": 50}))
    counting.sway(100, 5)

    assert 1 <= counting.read <= 11


def test_whoever_stays_long_is_not_read_on_and_on() -> None:
    counting = Counting()
    counting.stand(100, 60)

    assert counting.read <= 6


def test_who_is_present_is_told_with_area_and_time() -> None:
    counting = Counting(config(HALVES))
    counting.sway(80, 5)
    [present] = counting.lane.present()

    assert present.area == "left"
    assert present.seconds == pytest.approx(4.9, abs=0.001)
    assert (present.x, present.y) == pytest.approx((0.25, 0.5), abs=0.05)


def test_memory_stays_bounded_for_a_face_that_never_leaves() -> None:
    counting = Counting(rate=2)
    counting.stand(100, 1200)
    [passage] = counting.lane._passages.values()

    assert len(passage.places._boxes) <= 241
    assert len(passage.album.answers) <= 5
    assert len(passage.path._away) == 0


def test_chance_faces_leave_nothing_behind() -> None:
    counting = Counting()
    rng = np.random.default_rng(0)
    for _ in range(200):
        counting.see(face(float(rng.uniform(20, 300)), float(rng.uniform(20, 160))))
        counting.wait(0.3)

    assert len(counting.lane._passages) < 10
