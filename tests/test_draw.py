"""Where boxes and labels lie, what stays untouched, and what text survives which font."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mien import draw
from mien.ages import Age
from mien.analyzer import Attribute, FaceReading
from mien.card import Task
from mien.draw import FaceLabel, draw_faces, draw_ranking, draw_reading, face_lines, save
from mien.errors import OutputError
from mien.faces import Face
from tests.tiny import face_card

Pixels = NDArray[np.uint8]


def ground(height: int = 120, width: int = 160, value: int = 0) -> Pixels:
    return np.full((height, width, 3), value, np.uint8)


def changed(before: Pixels, after: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom edge of all that differs."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def label_alone(face: FaceLabel, pixels: Pixels) -> tuple[int, int, int, int]:
    bare = FaceLabel(face.x, face.y, face.width, face.height)
    return changed(draw_faces(pixels, [bare]), draw_faces(pixels, [face]))


def light(pixels: Pixels) -> int:
    return int((pixels.min(axis=2) > 200).sum())


def noise() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


def test_the_input_is_left_alone() -> None:
    pixels = ground()
    drawn = draw_faces(pixels, [FaceLabel(40, 50, 60, 60, ["34"])])
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert not pixels.any()
    assert not np.shares_memory(draw_faces(pixels, []), pixels)


@pytest.mark.parametrize("pixels", [ground(value=0), ground(value=255), noise()])
def test_a_box_is_light_between_dark_on_any_ground(pixels: Pixels) -> None:
    drawn = draw_faces(pixels, [FaceLabel(40, 30, 60, 70)])
    np.testing.assert_array_equal(drawn[65, 40:43].max(axis=1), [26, 255, 26])
    np.testing.assert_array_equal(drawn[30:33, 70].max(axis=1), [26, 255, 26])
    np.testing.assert_array_equal(drawn[65, 97:100].max(axis=1), [26, 255, 26])
    np.testing.assert_array_equal(drawn[97:100, 70].max(axis=1), [26, 255, 26])
    drawn[30:100, 40:100] = pixels[30:100, 40:100]
    np.testing.assert_array_equal(drawn, pixels)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_letters_are_light_on_dark_on_any_ground(value: int) -> None:
    pixels = ground(value=value)
    face = FaceLabel(40, 60, 60, 50, ["34 (27-41)"])
    left, top, right, bottom = label_alone(face, ground(value=1))
    label = draw_faces(pixels, [face])[top:bottom, left:right]
    assert label.max() == 255
    assert np.median(label) < 100


@pytest.mark.parametrize(
    ("face", "where"),
    [
        (FaceLabel(40, 60, 60, 50, ["34"]), "above"),
        (FaceLabel(40, 0, 60, 50, ["34"]), "below"),
        (FaceLabel(0, 0, 160, 120, ["34"]), "inside"),
        (FaceLabel(130, 60, 60, 50, ["34 (27-41)"]), "above"),
        (FaceLabel(-50, 60, 60, 50, ["34 (27-41)"]), "above"),
    ],
)
def test_where_a_label_lies(face: FaceLabel, where: str) -> None:
    left, top, right, bottom = label_alone(face, ground(value=99))
    assert 0 <= left < right <= 160
    expected = {
        "above": bottom <= face.y,
        "below": top >= face.y + face.height,
        "inside": top >= face.y and bottom <= face.y + face.height,
    }
    assert expected[where]


def test_labels_of_neighbours_keep_clear_of_each_other() -> None:
    pixels = ground(200, 300)
    boxes = [(100, 80), (125, 85), (150, 80)]
    bare = [FaceLabel(x, y, 24, 30) for x, y in boxes]
    faces = [FaceLabel(x, y, 24, 30, ["34 (27-41)", "female"]) for x, y in boxes]
    one = light(draw_faces(pixels, faces[:1])) - light(draw_faces(pixels, bare[:1]))
    three = light(draw_faces(pixels, faces)) - light(draw_faces(pixels, bare))
    assert one > 0
    assert three == 3 * one


def test_text_that_is_too_wide_or_too_high_is_cut() -> None:
    face = FaceLabel(20, 30, 40, 40, ["a" * 100])
    wide = draw_faces(ground(), [face])
    np.testing.assert_array_equal(
        wide, draw_faces(ground(), [FaceLabel(20, 30, 40, 40, ["a" * 5000])])
    )
    assert label_alone(face, ground(value=99))[2] <= 160
    high = draw_ranking(ground(), [str(number) for number in range(100)])
    same = [draw_ranking(ground(), [str(number) for number in range(n)]) for n in range(1, 20)]
    assert sum(np.array_equal(high, other) for other in same) > 0
    assert not np.array_equal(high, same[0])


def test_a_picture_too_small_for_letters_gets_its_box() -> None:
    bare = draw_faces(ground(7, 7, 90), [FaceLabel(0, 0, 7, 7)])
    labelled = draw_faces(ground(7, 7, 90), [FaceLabel(0, 0, 7, 7, ["34", "female"])])
    np.testing.assert_array_equal(labelled, bare)
    assert (bare != 90).any()


def test_letters_and_lines_follow_the_size() -> None:
    heights = []
    for scale in (1, 4, 16):
        box = FaceLabel(40 * scale, 60 * scale, 50 * scale, 50 * scale, ["34"])
        _, top, _, bottom = label_alone(box, ground(120 * scale, 160 * scale, 99))
        heights.append(bottom - top)
    assert heights[0] >= 11
    assert heights[0] < heights[1] < heights[2]


def test_a_crowd() -> None:
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 480, (400, 2)).tolist()
    faces = [FaceLabel(x, y, 20, 24, [str(x), "male"]) for x, y in corners]
    assert draw_faces(ground(480, 480), faces).shape == (480, 480, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_box_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        draw_faces(ground(), [FaceLabel(value, 0, 1, 1)])


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_pixels_must_be_rgb(pixels: Pixels) -> None:
    with pytest.raises(ValueError, match="must be uint8, H x W x 3, not"):
        draw_ranking(pixels, ["x"])


coordinates = st.floats(-1e9, 1e9) | st.integers(-100, 200)
faces = st.builds(
    FaceLabel, coordinates, coordinates, coordinates, coordinates, st.lists(st.text(), max_size=4)
)


@given(st.integers(1, 90), st.integers(1, 90), st.lists(faces, max_size=4))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_label_can_be_drawn(width: int, height: int, labels: list[FaceLabel]) -> None:
    pixels = ground(height, width, 77)
    assert draw_faces(pixels, labels).shape == pixels.shape
    assert draw_ranking(pixels, [line for face in labels for line in face.lines]).shape == (
        pixels.shape
    )


# Text ---------------------------------------------------------------------------------------


@pytest.fixture
def only_the_font_inside_pillow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(draw, "_FONTS", ("no such font.ttf",))
    draw._font.cache_clear()
    draw._stand_in.cache_clear()
    yield
    draw._font.cache_clear()
    draw._stand_in.cache_clear()


def ranking(text: str) -> Pixels:
    return draw_ranking(ground(100, 300), [text])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("tuổi", "tuoi"),
        ("Đặng", "Dang"),
        ("27–41", "27-41"),
        ("中", "?"),
        ("Ω", "?"),
        ("98 % (a) ‘b’", "98 % (a) ‘b’"),
    ],
)
def test_stand_ins(text: str, drawn: str, only_the_font_inside_pillow: None) -> None:
    np.testing.assert_array_equal(ranking(text), ranking(drawn))
    assert light(ranking(text)) > 0


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a\nb", "a b"),
        ("a\tb\x00", "a b"),
        ("  a ", "a"),
        ("a\u202eb", "a b"),
        ("o\u0302\u0309", "ổ"),
        ("\udcff", ""),
    ],
)
def test_text_is_cleaned(text: str, drawn: str) -> None:
    np.testing.assert_array_equal(ranking(text), ranking(drawn))


def test_a_ranking_stands_in_the_corner() -> None:
    pixels = ground(100, 300, 99)
    left, top, right, bottom = changed(pixels, draw_ranking(pixels, ["cat 81 %", "dog 12 %"]))
    assert max(left, top) < 10
    assert right < 150
    assert bottom < 60
    np.testing.assert_array_equal(draw_ranking(pixels, []), pixels)
    np.testing.assert_array_equal(draw_ranking(pixels, ["", " "]), pixels)


# Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form", "tolerance"),
    [("a.png", "PNG", 0), ("a.JPG", "JPEG", 3), ("a.jpeg", "JPEG", 3), ("ảnh.webp", "WEBP", 3)],
)
def test_save(name: str, form: str, tolerance: int, tmp_path: Path) -> None:
    pixels = np.full((20, 30, 3), (200, 120, 40), np.uint8)
    save(pixels, tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert image.format == form
        np.testing.assert_allclose(np.asarray(image).astype(int), pixels, atol=tolerance)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("a.tiff", (2, 2, 3), r"a\.tiff: no picture format has the suffix '\.tiff'; use \.png"),
        ("a", (2, 2, 3), "no picture format has the suffix ''"),
        ("a\n.tiff", (2, 2, 3), r"a\\n\.tiff: no picture format"),
        ("a.jpg", (1, 70_000, 3), r"a\.jpg: not written: JPEG cannot hold 70,000 x 1 pixels"),
        ("a.webp", (17_000, 1, 3), "WEBP cannot hold 1 x 17,000 pixels"),
        ("no/a.png", (2, 2, 3), "there is no folder"),
    ],
)
def test_what_cannot_be_saved(
    name: str, shape: tuple[int, int, int], words: str, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=words):
        save(np.zeros(shape, np.uint8), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


AGE = Age(31.4, 24.0, 38.6, 0.9, np.zeros(3, np.float32), "youth")
GENDER = Attribute("female", 0.98, {"female": 0.98, "male": 0.02})
ASIAN = Attribute("Asian", 0.87, {"Asian": 0.87})


def test_lines_beside_a_face() -> None:
    found = FaceReading(None, {"race": ASIAN, "age": AGE, "gender": GENDER})
    card = face_card()
    assert face_lines(found, card) == ["31 (24–39) · female 98 %", "Asian 87 %"]
    assert face_lines(found, card, ["race"]) == ["Asian 87 %"]
    assert face_lines(FaceReading(None, {}), card) == []


def test_a_number_is_told_with_what_it_counts() -> None:
    weight = Task(name="weight", kind="regression", unit="kg")
    card = face_card().model_copy(update={"tasks": [weight]})
    assert face_lines(FaceReading(None, {"weight": 71.5}), card) == ["weight 71.5 kg"]


def test_a_face_with_a_place_gets_a_box_and_one_without_a_corner() -> None:
    face = Face(40, 60, 60, 50, 0.9, np.zeros((5, 2)))
    placed, whole = FaceReading(face, {}), FaceReading(None, {})
    np.testing.assert_array_equal(
        draw_reading(ground(), [placed], [["34"]]),
        draw_faces(ground(), [FaceLabel(40, 60, 60, 50, ["34"])]),
    )
    np.testing.assert_array_equal(
        draw_reading(ground(), [whole], [["34"]]), draw_ranking(ground(), ["34"])
    )
