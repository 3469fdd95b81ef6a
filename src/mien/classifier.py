"""A whole picture in, its most probable classes out; no face is looked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.card import Task
from mien.cores import usable
from mien.errors import ImageError, ModelError
from mien.faces import view_of_picture
from mien.images import Limits, Picture, Source
from mien.model import Model
from mien.pipeline import read
from mien.pixels import Image, sample


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and its probability."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A picture and its classes; or the reason why it could not be read.

    Attributes:
        name: What the picture is called.
        guesses: All classes, the most probable first; empty if the picture could not be read.
        error: None, or why the picture could not be read.
        picture: The decoded picture; only where `keep` asked for it.
    """

    name: str
    guesses: Sequence[Guess] = ()
    error: ImageError | None = None
    picture: Picture | None = None


Prepared = tuple[Ranking, Image | None]
"""A ranking that is still empty, and the crop to rank; None for a picture that cannot be read."""


class Classifier:
    """Classifies whole pictures. One may be shared by threads.

    Args:
        model: A packaged model's name, a model file's path, or an open model.
        threads: Processor cores to use; 0 for all.
        providers: Names of onnxruntime's execution providers, best first.
        limits: The largest pictures accepted.

    Raises:
        ModelError: The model cannot be used, or is not for whole pictures.
        ValueError: `threads` is negative.

    Example:
        >>> Classifier("animals.onnx")("photo.jpg")[0]
        Guess(label='panda', probability=0.98)
    """

    def __init__(
        self,
        model: str | Path | Model,
        *,
        threads: int = 0,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        limits: Limits = images.DEFAULT_LIMITS,
    ) -> None:
        if threads < 0:
            raise ValueError(f"threads is 0 for all cores, or more; not {threads}")
        self._threads = threads or usable()
        if not isinstance(model, Model):
            model = Model.open(model, threads=self._threads, providers=providers)
        if model.card.input.framing == "face":
            raise ModelError(f"{model.name}: reads faces, not whole pictures; use Analyzer")
        self.model = model
        self.task = _classification(model)
        self._limits = limits

    def __call__(self, picture: Source) -> Sequence[Guess]:
        """Return all classes of one picture, the most probable first.

        Args:
            picture: A path, encoded bytes, a binary stream, a Pillow image, or an array.

        Raises:
            ImageError: The picture cannot be read.
        """
        ranking = self.finish([self.prepare(picture)])[0]
        if ranking.error is not None:
            raise ranking.error
        return ranking.guesses

    def read(self, pictures: Iterable[Source], *, keep: bool = False) -> Iterator[Ranking]:
        """Classify many pictures, in order; one that cannot be read fails alone.

        Args:
            pictures: As for one picture.
            keep: Whether each ranking holds its decoded picture; fewer are then read ahead.
        """
        yield from read(pictures, self.prepare, self.finish, threads=self._threads, keep=keep)

    def prepare(self, source: Source, *, keep: bool = False) -> Prepared:
        """Do all but the network's part for one picture, for callers that make their own batches.

        Args:
            source: As for one picture.
            keep: Whether the ranking is to hold the decoded picture.
        """
        try:
            picture = images.load(source, limits=self._limits)
        except ImageError as error:
            return Ranking(error.name, error=error), None
        height, width = picture.pixels.shape[:2]
        view = view_of_picture(width, height, inside=True)
        crop = sample(picture.pixels, view, self.model.card.input.size)
        return Ranking(picture.name, picture=picture if keep else None), crop

    def finish(self, prepared: Sequence[Prepared]) -> list[Ranking]:
        """Run the network over the crops of some pictures at once, and deal out the results.

        Args:
            prepared: What `prepare` gave.

        Raises:
            ModelError: The network fails.
        """
        side = self.model.card.input.size
        crops = [crop for _, crop in prepared if crop is not None]
        pixels = np.stack(crops) if crops else np.empty((0, side, side, 3), np.uint8)
        rows = iter(self.model.run(pixels, [self.task.name])[self.task.name])
        return [
            ranking if crop is None else replace(ranking, guesses=self._guesses(next(rows)))
            for ranking, crop in prepared
        ]

    def _guesses(self, probabilities: NDArray[np.float32]) -> list[Guess]:
        return [
            Guess(self.task.labels[index], float(probabilities[index]))
            for index in np.argsort(-probabilities, kind="stable")
        ]


def _classification(model: Model) -> Task:
    for task in model.card.tasks:
        if task.kind == "classification":
            return task
    raise ModelError(f"{model.name}: has no classification task")
