"""Looks: what tells people apart, and what does not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.watch.looks import difference, learnt, look_of
from tests.watch.faces import face

SKIN, RED, BLUE = (180, 140, 120), (160, 40, 40), (40, 40, 160)


def person(below: tuple[int, int, int], light: float = 1.0) -> NDArray[np.uint8]:
    """Return a picture of 400 x 300 with a face of 60 x 75 at (120, 80), and a body below."""
    pixels = np.full((400, 300, 3), 90, np.float32)
    pixels[80:155, 120:180] = SKIN
    pixels[170:, 90:210] = below
    return np.asarray(np.clip(pixels * light, 0, 255), np.uint8)


def look(
    pixels: NDArray[np.uint8], x: float = 150, y: float = 117, width: float = 60
) -> NDArray[np.float64]:
    return look_of(face(x, y, width), pixels)


def test_a_look_is_eight_numbers_and_no_more() -> None:
    found = look(person(RED))
    assert found.shape == (8,)
    assert np.isfinite(found).all()


def test_what_is_worn_tells_people_apart_and_light_hardly() -> None:
    known = look(person(RED))
    shade = difference(known, look(person(RED, 0.75)))
    moved = difference(known, look(person(RED), x=154.0, y=114.0))
    other = difference(known, look(person(BLUE)))
    assert max(shade, moved) < 2
    assert other > 16


def test_a_grey_picture_has_no_colours_to_compare() -> None:
    grey = np.repeat(person(RED).mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    assert look(grey)[2:] == pytest.approx(0)


@pytest.mark.parametrize(
    ("place", "unknown"),
    [
        ({"y": 340.0}, [1, 5, 6, 7]),  # nothing of the body is inside
        ({"x": -31.0}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"x": 500.0}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"width": 0.4}, [1, 5, 6, 7]),  # less than a pixel of it is left
    ],
)
def test_what_is_outside_of_the_picture_is_not_known(
    place: dict[str, float], unknown: list[int]
) -> None:
    found = look(person(RED), **place)
    assert np.flatnonzero(np.isnan(found)).tolist() == unknown
    assert difference(found, look(person(BLUE))) >= 0


def test_a_look_is_learnt_slowly() -> None:
    first, second = look(person(RED)), look(person(BLUE))
    assert learnt(None, first) is first
    after = learnt(first, second)
    assert 0 < difference(after, first) < difference(after, second)
