"""Pictures in, readings out: with tiny networks, on real faces and in every wrong order."""

import gc
import io
import threading
import weakref
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien import ages
from mien.ages import Age
from mien.analyzer import Analyzer, Attribute, Reading
from mien.card import Input, Interval, Task
from mien.errors import ImageError, ModelError
from mien.faces import TEMPLATE, Detector, view_of
from mien.images import Limits
from mien.model import Model
from mien.pixels import block_mean, sample
from tests import tiny
from tests.photos import HOPPER, astronaut
from tests.pictures import encode, turned

Pixels = NDArray[np.uint8]
RED = np.full((40, 30, 3), (255, 0, 0), np.uint8)


@cache
def model(*tasks: Task) -> Model:
    card = tiny.face_card(tasks=tasks) if tasks else tiny.face_card()
    return Model(tiny.model_bytes(card), "tiny.onnx", threads=1)


make: Any = partial(Analyzer, model(), threads=2)


@cache
def analyzer() -> Analyzer:
    return Analyzer(model(), threads=2)


@cache
def jpeg() -> bytes:
    return encode(Image.fromarray(astronaut()), "JPEG", quality=95)


@cache
def two_faces() -> Pixels:
    """The face at half its size on the left, and at full size on the right."""
    picture = np.full((512, 800, 3), 120, np.uint8)
    picture[256:, :256] = block_mean(astronaut(), 2)
    picture[:, 288:] = astronaut()
    return picture


def failing() -> Model:
    """A model whose network gives no finite numbers."""
    weights = {"gender": np.full((3, 2), np.inf, np.float32)}
    return Model(tiny.model_bytes(tiny.face_card(tasks=(tiny.GENDER,)), weights), "broken.onnx")


def test_a_portrait_is_read() -> None:
    (reading,) = analyzer()(jpeg())
    assert reading.face is not None
    assert [reading.face.x, reading.face.y] == pytest.approx([178, 63], abs=3)
    assert reading.attributes.keys() == {"age", "gender"}
    assert reading.age.low <= reading.age.years <= reading.age.high
    assert reading.age.level == 0.9
    assert reading.age.group == ages.group_of(reading.age.years)
    assert sum(reading.gender.probabilities.values()) == pytest.approx(1)
    assert reading.gender.probability == max(reading.gender.probabilities.values())
    assert reading.gender.probabilities[reading.gender.label] == reading.gender.probability


def test_the_network_sees_the_aligned_face() -> None:
    (reading,) = analyzer()(astronaut())
    assert reading.face is not None
    crop = sample(astronaut(), view_of(reading.face), tiny.SIZE)
    expected = model().run(crop[np.newaxis])
    np.testing.assert_array_equal(reading.age.distribution, expected["age"][0])
    np.testing.assert_allclose(
        list(reading.gender.probabilities.values()), expected["gender"][0], atol=1e-6
    )


def test_paths_bytes_streams_pillow_images_and_arrays_are_read_alike(tmp_path: Path) -> None:
    data = encode(Image.fromarray(astronaut()), "PNG")
    path = tmp_path / "astronaut.png"
    path.write_bytes(data)
    image = Image.open(path)
    sources: list[Any] = [
        astronaut(),
        path,
        str(path),
        data,
        bytearray(data),
        io.BytesIO(data),
        image,
    ]
    found = [reading.faces[0] for reading in analyzer().read(sources)]
    assert len(found) == len(sources)
    for reading in found:
        assert reading.attributes["gender"] == found[0].attributes["gender"]
        np.testing.assert_array_equal(reading.age.distribution, found[0].age.distribution)


def test_a_path_that_pillow_cannot_tell_from_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(HOPPER.read_bytes())
    (reading,) = analyzer().read([path])
    assert (reading.name, reading.width, reading.height) == (str(path), 512, 600)
    assert len(reading.faces) == 1


@pytest.mark.parametrize("count", [0, 1, 3, 16, 17, 40])
def test_readings_come_in_order(count: int) -> None:
    sources = [np.zeros((20 + number, 30, 3), np.uint8) for number in range(count)]
    readings = list(analyzer().read(sources))
    assert [reading.height for reading in readings] == [20 + number for number in range(count)]


@pytest.mark.parametrize("alone", [astronaut(), jpeg()], ids=["array", "bytes"])
def test_one_picture_for_a_list_is_taken_as_one(alone: Any) -> None:
    (reading,) = analyzer().read(alone)
    assert len(reading.faces) == 1


def test_one_task_for_a_list_is_taken_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (reading,) = make(tasks="gender").read(str(tmp_path / "a.jpg"))
    assert list(reading.faces[0].attributes) == ["gender"]


def test_one_bad_picture_fails_alone() -> None:
    missing = "no/such.jpg"
    sources: list[Any] = [jpeg(), b"plain text", RED, missing, jpeg()[:9000], None, 7, jpeg()]
    readings = list(analyzer().read(sources))
    assert [len(reading.faces) for reading in readings] == [1, 0, 0, 0, 0, 0, 0, 1]
    assert [reading.error is None for reading in readings] == [1, 0, 1, 0, 0, 0, 0, 1]
    assert str(readings[3].error).startswith("no/such.jpg: ")
    assert "truncated JPEG" in str(readings[4].error)
    for reading in readings:
        assert reading.error is None or (reading.width, reading.height) == (0, 0)


def test_one_picture_that_cannot_be_read_raises() -> None:
    with pytest.raises(ImageError, match=r"^<bytes>: not a picture"):
        analyzer()(b"plain text")
    with pytest.raises(ImageError, match="1,200 pixels; the limit is 100 "):
        make(limits=Limits(max_pixels=100))(RED)


def test_a_picture_without_a_face_has_no_readings() -> None:
    assert analyzer()(RED) == []
    (reading,) = analyzer().read([RED])
    assert (reading.faces, reading.error, reading.width, reading.height) == ([], None, 30, 40)


@pytest.mark.parametrize("source", [RED, np.zeros((1, 1, 3), np.uint8), np.zeros((1, 3000), bool)])
def test_whole_gives_one_reading_also_without_a_face(source: Any) -> None:
    (found,) = make(faces="whole")(source)
    assert found.face is None
    assert found.attributes.keys() == {"age", "gender"}


def test_whole_reads_all_of_a_plain_picture() -> None:
    (found,) = make(faces="whole")(RED)
    # The tiny network's scores are ten times the mean red and green.
    assert found.gender.label == "male"
    assert found.gender.probability == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-6)


def test_whole_aligns_the_face_it_finds_as_detection_does() -> None:
    tight = np.ascontiguousarray(astronaut()[45:205, 150:310])
    whole, detected = make(faces="whole")(tight)[0], analyzer()(tight)[0]
    assert whole.face is not None
    assert detected.face is not None
    np.testing.assert_allclose(whole.face.landmarks, detected.face.landmarks, atol=1)
    assert whole.gender.probability == pytest.approx(detected.gender.probability, abs=0.02)


def test_race_is_read_only_when_named() -> None:
    assert "race" not in analyzer()(jpeg())[0].attributes
    (found,) = make(tasks=["race", "gender", "race"])(jpeg())
    assert list(found.attributes) == ["race", "gender"]
    assert found.race.label in tiny.RACE.labels


def test_no_tasks_leave_the_faces() -> None:
    (found,) = make(tasks=[])(jpeg())
    assert found.face is not None
    assert found.attributes == {}


def test_what_was_not_read_says_what_was() -> None:
    (found,) = analyzer()(jpeg())
    with pytest.raises(
        AttributeError, match=r"^'race' was not read; read were: age, gender\. Name it"
    ):
        _ = found.race
    with pytest.raises(
        AttributeError, match=r"^'expression' was not read; read were: nothing\. Name"
    ):
        _ = make(tasks=[])(jpeg())[0].expression


def test_every_kind_of_task_has_its_reading() -> None:
    margin = Interval(level=0.9, from_age=0, margin=3, pictures=100)
    aged = tiny.AGE.model_copy(update={"name": "years", "intervals": (margin,)})
    weight = Task(name="weight", kind="regression", unit="kg")
    (found,) = Analyzer(model(aged, weight, tiny.GENDER), threads=1)(jpeg())
    years = found.attributes["years"]
    assert isinstance(years, Age)
    (bare,) = ages.read(years.distribution[np.newaxis], [])
    assert years.high == pytest.approx(bare.high + 3)
    assert found.attributes["weight"] == 1.0
    assert isinstance(found.attributes["gender"], Attribute)


def test_age_groups_can_be_ones_own() -> None:
    (found,) = make(age_groups=(("minor", 0), ("major", 18)))(jpeg())
    assert found.age.group == ("major" if found.age.years >= 18 else "minor")


def test_faces_are_chosen_by_width_and_number() -> None:
    large, small = analyzer()(two_faces())
    assert large.face is not None
    assert small.face is not None
    assert large.face.width > 80 > 60 > small.face.width
    for options in ({"min_face": 70}, {"max_faces": 1}):
        (only,) = make(**options)(two_faces())
        assert only.face is not None
        assert only.face.width == large.face.width
    assert make(min_face=500)(two_faces()) == []


def test_a_larger_working_size_finds_smaller_faces() -> None:
    wide = np.pad(block_mean(astronaut(), 4), ((0, 0), (0, 1200), (0, 0)))
    assert make()(wide) == []
    assert len(make(detect_size=1280)(wide)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"faces": "some"}, "'detect' or 'whole', not 'some'"),
        ({"threads": -1}, "0 for all cores, or more; not -1"),
        ({"min_face": -5}, "a width in pixels, not -5"),
        ({"min_face": float("nan")}, "a width in pixels, not nan"),
        ({"max_faces": 0}, "at least 1, or None for all; not 0"),
        ({"max_faces": -3}, "at least 1, or None for all; not -3"),
        ({"detect_size": 8}, "at least 32, not 8"),
        ({"age_groups": ()}, "begin at 0 and rise"),
        ({"age_groups": (("all", 5),)}, "begin at 0 and rise"),
    ],
)
def test_senseless_arguments_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Analyzer(model(), **options)


def test_models_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match="no task 'mood'; it has age, gender, race"):
        make(tasks=["mood"])
    whole = Model(tiny.model_bytes(tiny.colour_card()), "colour.onnx")
    with pytest.raises(ModelError, match=r"^colour.onnx: reads whole pictures.*use Classifier"):
        Analyzer(whole)
    with pytest.raises(ModelError, match="'no-such': neither a model file nor"):
        Analyzer("no-such")


def test_a_model_is_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(tiny.model_bytes(tiny.face_card()))
    (found,) = Analyzer(path)(jpeg())
    assert found.attributes["gender"] == analyzer()(jpeg())[0].attributes["gender"]


def test_an_error_of_the_network_surfaces_and_the_threads_end() -> None:
    before = set(threading.enumerate())
    broken = Analyzer(failing(), faces="whole", threads=2)
    with pytest.raises(ModelError, match=r"^broken.onnx: its output 'gender' is not"):
        list(broken.read([RED] * 40))
    with pytest.raises(ModelError, match=r"^broken.onnx: "):
        broken(RED)
    assert set(threading.enumerate()) <= before


def test_a_closed_iterator_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    readings = analyzer().read(RED for _ in range(100_000))
    assert isinstance(next(readings), Reading)
    del readings
    gc.collect()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("keep", [False, True])
def test_pictures_are_taken_as_they_are_needed_and_let_go(keep: bool) -> None:
    data = encode(Image.fromarray(RED), "PNG")
    alive: weakref.WeakSet[io.BytesIO] = weakref.WeakSet()
    taken = 0

    def sources() -> Iterator[io.BytesIO]:
        nonlocal taken
        for _ in range(120):
            stream = io.BytesIO(data)
            alive.add(stream)
            taken += 1
            yield stream

    ahead = 4 * (2 if keep else 16)
    for position, reading in enumerate(analyzer().read(sources(), keep=keep)):
        assert (reading.picture is not None) == keep
        assert taken - position <= ahead
        assert len(alive) <= ahead + 2
    assert taken == 120


@pytest.mark.parametrize("threads", [1, 3])
def test_so_many_threads_work_as_are_asked_for(threads: int) -> None:
    names = set()

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            names.add(threading.current_thread().name)
            return super().read(size)

    data = encode(Image.fromarray(RED), "PNG")
    readings = list(make(threads=threads).read([Watched(data) for _ in range(40)]))
    assert [reading.error for reading in readings] == [None] * 40
    assert len(names) <= threads
    assert threading.current_thread().name not in names


def test_kept_pictures_are_the_decoded_ones() -> None:
    (reading,) = analyzer().read([encode(Image.fromarray(RED), "PNG")], keep=True)
    assert reading.picture is not None
    np.testing.assert_array_equal(reading.picture.pixels, RED)


def on_canvas(side: int) -> Image.Image:
    """Return the portrait, `side` pixels wide, in a picture of 1283 x 1029."""
    canvas = Image.new("RGB", (1283, 1029), (120, 120, 120))
    portrait = Image.fromarray(astronaut())
    canvas.paste(portrait.resize((side, side), Image.Resampling.LANCZOS), (211, 7))
    return canvas


@pytest.mark.parametrize(("side", "reduce"), [(1000, 2), (500, 1)])
def test_a_large_jpeg_is_decoded_no_finer_than_its_faces_need(side: int, reduce: int) -> None:
    """With a working size of 320 and crops of 32, half the size is enough from 128 pixels on."""
    picture = on_canvas(side)
    card = tiny.face_card(input=Input(size=32, framing="face", landmarks=TEMPLATE))
    finer = Model(tiny.model_bytes(card), threads=1)
    quick = Analyzer(finer, detect_size=320, tasks=["gender"], threads=1)
    (reading,) = quick.read([encode(picture, "JPEG", quality=95)], keep=True)
    assert reading.picture is not None
    assert reading.picture.reduce == reduce
    assert (reading.width, reading.height) == (1283, 1029)
    (found,) = reading.faces
    assert found.face is not None
    # What the network was shown, cut from the picture in full.
    view = view_of(found.face)
    crop = sample(np.asarray(picture), view, 32)
    shown = sample(reading.picture.pixels, view / reduce, 32)
    assert np.abs(shown - crop.astype(float)).mean() < 1.5
    probabilities = list(found.gender.probabilities.values())
    expected = finer.run(crop[np.newaxis])["gender"][0]
    np.testing.assert_allclose(probabilities, expected, atol=0.01)


@pytest.mark.parametrize("tag", range(1, 9))
def test_a_reduced_turned_picture_gives_full_positions_and_the_same_crop(tag: int) -> None:
    """Of odd sizes the halves of a mirrored or turned picture begin outside of it."""
    quick = make(detect_size=320)
    data = turned(on_canvas(1000), tag, "JPEG", quality=95)
    (reading,) = quick.read([data], keep=True)
    picture, (found,) = reading.picture, reading.faces
    assert picture is not None
    assert found.face is not None
    assert picture.reduce == 2
    (face,) = Detector(size=320).detect(picture.pixels, reduce=2)
    corner = picture.to_full(np.array([face.x, face.y]))
    np.testing.assert_allclose([found.face.x, found.face.y], corner)
    np.testing.assert_allclose(found.face.landmarks, picture.to_full(face.landmarks))
    crop = sample(picture.pixels, view_of(face), tiny.SIZE)
    expected = model().run(crop[np.newaxis])["age"][0]
    np.testing.assert_allclose(found.age.distribution, expected, atol=0.01)
    # And they are those of the upright portrait, to the detector's own scatter.
    middle = np.array([211, 7]) + np.array([223, 120]) * 1000 / 512
    np.testing.assert_allclose(found.face.landmarks.mean(axis=0), middle, atol=20)


def test_positions_are_exact_where_nothing_is_reduced() -> None:
    upright, turned_back = (
        analyzer()(turned(Image.fromarray(astronaut()), tag, "PNG"))[0].face for tag in (1, 6)
    )
    assert upright is not None
    assert turned_back is not None
    np.testing.assert_array_equal(upright.landmarks, turned_back.landmarks)
