"""Areas: points in polygons, hysteresis at borders, stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.watch.areas import WHOLE, Path, Zones, holds

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
ARROW = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("polygon", "x", "y", "inside"),
    [
        (LEFT, 0.25, 0.5, True),
        (LEFT, 0.75, 0.5, False),
        (LEFT[::-1], 0.25, 0.5, True),
        (ARROW, 0.9, 0.5, False),
        (ARROW, 0.9, 0.05, True),
        (ARROW, 0.2, 0.5, True),
    ],
)
def test_holds(polygon: tuple[tuple[float, float], ...], x: float, y: float, inside: bool) -> None:
    assert holds(polygon, x, y) == inside


@given(st.floats(0, 0.999), st.floats(0, 0.999))
def test_every_point_lies_in_one_of_two_halves(x: float, y: float) -> None:
    assert holds(LEFT, x, y) != holds(RIGHT, x, y)


def test_without_areas_the_whole_view_counts() -> None:
    assert Zones().find(0.5, 7) == WHOLE


def test_the_first_area_wins_and_feet_below_the_picture_count() -> None:
    zones = Zones([("left", LEFT), ("all", LEFT[:1] + RIGHT[1:3] + LEFT[3:])])

    assert zones.find(0.2, 1.7) == "left"
    assert zones.find(0.7, 0.5) == "all"


def test_outside_of_all_areas() -> None:
    assert Zones([("left", LEFT)]).find(0.7, 0.5) is None
    assert Zones([("left", LEFT)], [RIGHT]).ignores(0.7, 0.5)


def stays(areas: str, *, border: int = 3, hidden: float = 2) -> list[tuple[str, float, float]]:
    """Walk a path of one letter a second, "." for outside, and return its stays in order."""
    path = Path(border, hidden)
    found = []
    for now, letter in enumerate(areas):
        path.step(None if letter == "." else letter, now)
        found += path.finished(now)
    return sorted((stay.area, stay.entered, stay.left) for stay in found + path.end())


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        ("", []),
        ("....", []),
        ("aaaa", [("a", 0, 3)]),
        # A change counts from its first frame on.
        ("aaabbbb", [("a", 0, 2), ("b", 3, 6)]),
        # Jitter on a border changes nothing.
        ("aababaabaa", [("a", 0, 9)]),
        ("aabbabbabbaa", [("a", 0, 11)]),
        ("..a.a...", []),
        # Two in a row are too few, three are enough.
        ("aabbaaa", [("a", 0, 6)]),
        ("aabbb", [("a", 0, 1), ("b", 2, 4)]),
        # Outside, and back after long.
        ("aaa......aaa", [("a", 0, 2), ("a", 9, 11)]),
        # There and back within the time for which one may be hidden: never away.
        ("aaabbbaaa", [("a", 0, 2), ("a", 6, 8), ("b", 3, 5)]),
        # Straight over from one to a third.
        ("aaabccc", [("a", 0, 2), ("c", 4, 6)]),
    ],
)
def test_stays(areas: str, expected: list[tuple[str, float, float]]) -> None:
    assert stays(areas) == expected


def test_a_short_excursion_does_not_end_a_stay() -> None:
    assert stays("aaabbbaaa", hidden=4) == [("a", 0, 8), ("b", 3, 5)]


def test_stays_are_given_once_and_only_when_they_are_over() -> None:
    path = Path(1, 2)
    path.step("a", 0)
    path.step("b", 1)

    assert path.finished(2) == []
    assert [stay.area for stay in path.finished(2.5)] == ["a"]
    assert path.finished(9) == []
    assert path.area == "b"
    assert [stay.area for stay in path.end()] == ["b"]
    assert path.end() == []
