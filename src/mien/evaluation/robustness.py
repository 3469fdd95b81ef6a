"""What becomes of the answers where faces are small, and where they are small and grey."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.card import Task
from mien.data.manifest import Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ImageError
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.labels import Labels
from mien.evaluation.metrics import Numbers, means
from mien.evaluation.reading import Outputs, printed_ages, read, stacked
from mien.evaluation.result import GreyAgreement, WidthFigure
from mien.faces import Detector
from mien.model import Model
from mien.pixels import Image

WIDTHS: Final = (24, 32, 48, 64, 96)
"""Widths of a face, in pixels, at which figures are measured."""

GREY_WIDTH: Final = 48
SAMPLE: Final = 1000
"""How many pictures are shrunk, at most."""


@dataclass(frozen=True, eq=False)
class Copies:
    """Small copies of some samples' pictures, and what was read from them.

    Attributes:
        sample: M indices of samples, one for each copy.
        width: M widths of the subject in pixels: of the face, or for a model of whole pictures of
            the shorter side.
        grey: Which of the M are grey copies of colour pictures.
        outputs: Task -> M x outputs.
    """

    sample: NDArray[np.int64]
    width: NDArray[np.int64]
    grey: NDArray[np.bool_]
    outputs: Outputs


@dataclass(frozen=True)
class Drawing:
    """Which copies are made.

    Attributes:
        widths: Widths of the subject in pixels.
        grey: Whether grey copies are wanted.
        seed: Seed of the draw.
    """

    widths: Sequence[int] = WIDTHS
    grey: bool = True
    seed: int = 0


def read_copies(
    model: Model,
    samples: Sequence[Sample],
    drawing: Drawing,
    *,
    threads: int = 0,
    watch: Watcher = unwatched,
) -> Copies:
    """Shrink up to 1,000 pictures, drawn by a seed, and read the copies as use reads pictures.

    A picture has a copy at each width that its subject reaches; a colour picture one more, grey and
    48 pixels wide. A picture without a face has none where the model reads faces.

    Args:
        model: The model file.
        samples: Whose pictures to shrink.
        drawing: Which copies to make.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures.

    Raises:
        DataError: A picture cannot be read.
    """
    order = np.random.default_rng(drawing.seed).permutation(len(samples))[:SAMPLE]
    detector = Detector() if model.card.input.framing == "face" else None
    maker = _Maker(samples, drawing, detector)
    copies = maker.make(watch(np.sort(order).tolist(), len(order)))
    outputs = stacked(read(model, copies, threads=threads), model.card.tasks)
    # One for each output by now; the maker runs ahead of the reader.
    made = np.array(maker.made, np.int64).reshape(-1, 3)
    return Copies(made[:, 0], made[:, 1], made[:, 2].astype(np.bool_), outputs)


def width_figures(
    labels: Labels, copies: Copies, units: NDArray[np.int64], resampling: Resampling
) -> tuple[WidthFigure, ...]:
    """Return a task's error, or accuracy, at each width that has pictures enough for an interval.

    Args:
        labels: What is known of the samples; what is known by an interval only does not count.
        copies: What was read from their copies.
        units: One number a sample, equal for samples that are resampled together.
        resampling: How intervals are drawn.
    """
    name = name_of(labels.task)
    found = []
    for width in np.unique(copies.width[~copies.grey]).tolist():
        rows = np.flatnonzero((copies.width == width) & ~copies.grey)
        rows = rows[np.isin(copies.sample[rows], labels.exact)]
        chosen = copies.sample[rows]
        said = copies.outputs[labels.task.name][rows]
        ends = with_ends(values(labels.task, labels.low[chosen], said), units[chosen], resampling)
        if ends is not None:
            found.append(WidthFigure(labels.task.name, name, width, *ends, len(rows)))
    return tuple(found)


def grey_agreement(
    task: str, outputs: Outputs, copies: Copies, units: NDArray[np.int64], resampling: Resampling
) -> GreyAgreement | None:
    """Return how often pictures and their grey copies get the same class; None for too few.

    Args:
        task: A classification.
        outputs: Task -> N x outputs for the samples' own pictures.
        copies: What was read from their copies.
        units: N numbers, equal for samples that are resampled together.
        resampling: How the interval is drawn.
    """
    chosen = copies.sample[copies.grey]
    same = outputs[task][chosen].argmax(1) == copies.outputs[task][copies.grey].argmax(1)
    ends = with_ends(same, units[chosen], resampling)
    return None if ends is None else GreyAgreement(task, *ends, len(chosen))


def name_of(task: Task) -> Literal["mae", "accuracy"]:
    """Return the figure that tells how well a task is read."""
    return "accuracy" if task.kind == "classification" else "mae"


def values(task: Task, truth: Numbers, output: NDArray[np.float32]) -> NDArray[np.generic]:
    """Return what each picture is worth: how far off it is, or whether it is right."""
    if task.kind == "classification":
        return np.asarray(output.argmax(axis=1) == truth)
    found = printed_ages(task, output)[0] if task.kind == "age" else output[:, 0]
    return np.abs(found - truth)


def with_ends(
    found: NDArray[np.generic], units: NDArray[np.int64], resampling: Resampling
) -> tuple[float, float, float] | None:
    """Return the mean with its interval, or None where the pictures are too few for one."""
    if not len(found):
        return None
    value, low, high = estimates(means(mean=found), units, resampling)["mean"]
    return None if low is None or high is None else (value, low, high)


class _Maker:
    """Makes copies one after the other, and notes of which sample, how wide, and whether grey."""

    def __init__(
        self, samples: Sequence[Sample], drawing: Drawing, detector: Detector | None
    ) -> None:
        self._samples, self._drawing, self._detector = samples, drawing, detector
        self.made: list[tuple[int, int, bool]] = []

    def make(self, chosen: Iterable[int]) -> Iterator[Image]:
        for index in chosen:
            try:
                pixels = images.load(self._samples[index].path).pixels
            except ImageError as error:
                raise DataError(str(error)) from error
            subject = self._subject(pixels)
            for width in self._drawing.widths:
                if subject >= width:
                    self.made.append((index, width, False))
                    yield shrunk(pixels, width / subject)
            if self._drawing.grey and subject >= GREY_WIDTH and (pixels != pixels[:, :, :1]).any():
                self.made.append((index, GREY_WIDTH, True))
                small = shrunk(pixels, GREY_WIDTH / subject)
                yield np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)

    def _subject(self, pixels: Image) -> float:
        """Return the width of what a picture shows; 0 where no face is found."""
        if self._detector is None:
            return float(min(pixels.shape[:2]))
        face = self._detector.find_main(pixels)
        return 0.0 if face is None else face.width


def shrunk(pixels: Image, scale: float) -> Image:
    """Return a picture at a fraction of its size, as a camera farther away would take it."""
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
