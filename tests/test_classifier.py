"""Whole pictures in, rankings out."""

import gc
import io
import threading
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.card import Task
from mien.classifier import Classifier, Guess, Ranking
from mien.errors import ImageError, ModelError
from mien.images import Limits
from mien.model import Model
from mien.pixels import Image as Pixels
from tests import tiny
from tests.pictures import BLUE, GREEN, RED, corners, encode, turned


@cache
def model() -> Model:
    return Model(tiny.model_bytes(tiny.colour_card()), "colour.onnx", threads=1)


@cache
def classifier() -> Classifier:
    return Classifier(model(), threads=2)


def plain(colour: tuple[int, int, int], height: int = 20, width: int = 30) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


@pytest.mark.parametrize(("colour", "label"), [(RED, "red"), (GREEN, "green"), (BLUE, "blue")])
def test_the_most_probable_class_comes_first(colour: tuple[int, int, int], label: str) -> None:
    guesses = classifier()(plain(colour))
    # The tiny network's scores are ten times the mean colours.
    assert isinstance(guesses[0], Guess)
    assert guesses[0].label == label
    assert guesses[0].probability == pytest.approx(1 / (1 + 2 * np.exp(-10)), abs=1e-5)
    assert {guess.label for guess in guesses} == {"red", "green", "blue"}
    assert sum(guess.probability for guess in guesses) == pytest.approx(1)


def test_equal_classes_keep_the_order_of_the_card() -> None:
    assert [guess.label for guess in classifier()(plain((90, 90, 90)))] == ["red", "green", "blue"]


@pytest.mark.parametrize(("height", "width"), [(16, 64), (90, 30), (1, 1), (1, 501)])
def test_the_largest_square_about_the_centre_is_classified(height: int, width: int) -> None:
    picture = plain(BLUE, height, width)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    picture[top : top + side, left : left + side] = GREEN
    assert classifier()(picture)[0].label == "green"
    assert classifier()(picture)[0].probability > 0.99


@pytest.mark.parametrize("tag", [1, 3, 6])
def test_pictures_are_classified_upright(tag: int) -> None:
    data = turned(corners().crop((0, 0, 32, 32)).resize((64, 64)), tag, "JPEG", quality=95)
    expected = classifier()(np.asarray(corners().crop((0, 0, 32, 32)).resize((64, 64))))
    for guess, other in zip(classifier()(data), expected, strict=True):
        assert guess.probability == pytest.approx(other.probability, abs=0.02)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 33])
def test_rankings_come_in_order(count: int) -> None:
    sources = [plain((RED, GREEN, BLUE)[number % 3]) for number in range(count)]
    labels = [ranking.guesses[0].label for ranking in classifier().read(sources)]
    assert labels == [("red", "green", "blue")[number % 3] for number in range(count)]


def test_one_bad_picture_fails_alone() -> None:
    sources: list[Any] = [plain(RED), b"plain text", "no/such.jpg", None, plain(BLUE)]
    rankings = list(classifier().read(sources))
    assert [len(ranking.guesses) for ranking in rankings] == [3, 0, 0, 0, 3]
    assert [ranking.error is None for ranking in rankings] == [1, 0, 0, 0, 1]
    assert rankings[2].name == "no/such.jpg"
    assert str(rankings[1].error).startswith("<bytes>: not a picture")


def test_only_bad_pictures_reach_the_end() -> None:
    rankings = list(classifier().read([b"plain text"] * 3))
    assert [ranking.guesses for ranking in rankings] == [()] * 3


def test_one_picture_that_cannot_be_read_raises() -> None:
    with pytest.raises(ImageError, match="not a picture"):
        classifier()(b"plain text")
    with pytest.raises(ImageError, match="600 pixels; the limit is 100 "):
        Classifier(model(), limits=Limits(max_pixels=100))(plain(RED))


def test_pictures_are_kept_only_when_asked_for() -> None:
    (kept,) = classifier().read([plain(RED)], keep=True)
    assert kept.picture is not None
    np.testing.assert_array_equal(kept.picture.pixels, plain(RED))
    (let_go,) = classifier().read([plain(RED)])
    assert let_go.picture is None


@pytest.mark.parametrize("keep", [False, True])
def test_pictures_are_taken_as_they_are_needed_and_let_go(keep: bool) -> None:
    data = encode(Image.fromarray(plain(RED)), "PNG")
    alive: weakref.WeakSet[io.BytesIO] = weakref.WeakSet()
    taken = 0

    def sources() -> Iterator[io.BytesIO]:
        nonlocal taken
        for _ in range(120):
            taken += 1
            stream = io.BytesIO(data)
            alive.add(stream)
            yield stream

    ahead = 4 * (2 if keep else 16)
    for position, ranking in enumerate(classifier().read(sources(), keep=keep)):
        assert ranking.guesses[0].label == "red"
        assert taken - position <= ahead
        assert len(alive) <= ahead + 2
    assert taken == 120


def test_a_closed_iterator_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    rankings = classifier().read(plain(RED) for _ in range(100_000))
    assert isinstance(next(rankings), Ranking)
    del rankings
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_an_error_of_the_network_surfaces() -> None:
    weights = {"colour": np.full((3, 3), np.nan, np.float32)}
    broken = Classifier(Model(tiny.model_bytes(tiny.colour_card(), weights), "broken.onnx"))
    with pytest.raises(ModelError, match=r"^broken.onnx: its output 'colour' is not"):
        list(broken.read([plain(RED)] * 40))


def test_the_first_classification_is_the_task() -> None:
    weight = Task(name="weight", kind="regression")
    card = tiny.colour_card(tasks=(weight, tiny.COLOUR, tiny.GENDER))
    several = Classifier(Model(tiny.model_bytes(card)))
    assert several.task is not None
    assert several.task.name == "colour"
    assert several(plain(GREEN))[0].label == "green"


def test_models_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^face.onnx: reads faces.*use Analyzer"):
        Classifier(Model(tiny.model_bytes(tiny.face_card()), "face.onnx"))
    card = tiny.colour_card(tasks=(Task(name="weight", kind="regression"),))
    with pytest.raises(ModelError, match=r"^weight.onnx: has no classification task"):
        Classifier(Model(tiny.model_bytes(card), "weight.onnx"))
    with pytest.raises(ModelError, match="'no-such': neither"):
        Classifier("no-such")


def test_a_negative_number_of_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="0 for all cores, or more; not -2"):
        Classifier(model(), threads=-2)


def test_a_model_is_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "colour.onnx"
    path.write_bytes(tiny.model_bytes(tiny.colour_card()))
    data = encode(Image.fromarray(plain(BLUE)), "PNG")
    assert Classifier(str(path))(data)[0].label == "blue"
