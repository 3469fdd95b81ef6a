"""Which crops are read: size, turn, sharpness; the best, and not too often."""

import cv2
import numpy as np
import pytest

from mien.faces import Detector, Face, view_of
from mien.pixels import sample
from mien.watch.crops import Album, Answers, frontality, quality_of, sharpness, size_and_turn
from tests.photos import astronaut
from tests.watch.faces import face

CROP = np.zeros((4, 4, 3), np.uint8)


def turned(degrees: float) -> Face:
    """Return a face that has turned its nose aside, as the projection of a head of some depth."""
    one = face(100, width=60)
    angle = np.radians(degrees)
    middle = one.landmarks.mean(axis=0)
    depth = np.array([0.0, 0.0, 22.0, 4.0, 4.0])
    points = one.landmarks - middle
    points[:, 0] = points[:, 0] * np.cos(angle) + depth * np.sin(angle)
    return Face(one.x, one.y, one.width, one.height, one.score, points + middle)


def test_a_face_turned_away_is_less_frontal() -> None:
    values = [frontality(turned(angle)) for angle in (0, 20, 40, 60)]

    assert values[0] == pytest.approx(1, abs=0.01)
    assert values == sorted(values, reverse=True)
    assert values[3] == 0
    assert frontality(turned(-40)) == pytest.approx(values[2], abs=0.05)


def test_larger_faces_are_better_up_to_a_width() -> None:
    values = [size_and_turn(face(100, width=width)) for width in (5, 16, 32, 64, 200)]

    assert values[0] > 0
    assert values[:4] == sorted(set(values[:4]))
    assert values[3] == values[4]


def test_a_blurred_face_is_worse() -> None:
    found = Detector().detect(astronaut())[0]
    crop = sample(astronaut(), view_of(found), 96)
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), 2), np.uint8)

    assert sharpness(blurred) < 0.6 * sharpness(crop)
    assert quality_of(found, blurred) < quality_of(found, crop) <= 1


def test_a_crop_without_contrast_is_no_error() -> None:
    assert sharpness(np.full((16, 16, 3), 9, np.uint8)) == 0


def answers(quality: float, **more: object) -> Answers:
    return Answers(quality, np.full(101, 1 / 101, np.float32), **more)  # type: ignore[arg-type]


def test_the_best_of_those_that_wait_is_read() -> None:
    album = Album(most=5, every=1)
    for quality in (0.2, 0.8, 0.5):
        if album.wants(quality):
            album.offer(CROP, quality)

    wanted = album.due(0)
    assert wanted is not None
    assert wanted.quality == 0.8
    assert album.due(0.1) is None


def test_the_next_one_must_wait() -> None:
    album = Album(most=5, every=1)
    album.offer(CROP, 0.5)
    album.due(0)
    album.offer(CROP, 0.5)

    assert album.due(0.9) is None
    assert album.due(1.0) is not None


def test_only_better_ones_once_there_are_enough() -> None:
    album = Album(most=2, every=0)
    for quality in (0.5, 0.6, 0.2):
        album.add(answers(quality))

    assert [known.quality for known in album.answers] == [0.6, 0.5]
    assert not album.wants(0.5)
    assert album.wants(0.51)


def test_expressions_are_read_all_the_time_and_averaged_over_it() -> None:
    album = Album(most=1, every=0, always=True)
    for quality, shown in ((0.9, (1, 0)), (0.5, (0, 1)), (0.1, (0, 1)), (0.1, (0, 1))):
        assert album.wants(quality)
        album.add(answers(quality, expressions=np.array(shown, np.float32)))

    assert album.expressions is not None
    assert album.expressions.tolist() == [0.25, 0.75]
    assert len(album.answers) == 1
