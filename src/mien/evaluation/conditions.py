"""What becomes of the answers under conditions that users meet: no colour, little light, damage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.manifest import Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import DataError, ImageError
from mien.evaluation.bootstrap import Resampling
from mien.evaluation.labels import Labels
from mien.evaluation.reading import Outputs, read, stacked
from mien.evaluation.result import ConditionFigure
from mien.evaluation.robustness import SAMPLE, Copies, name_of, values, with_ends
from mien.model import Model
from mien.pixels import Image

SMALL: Final = 32
"""The width of a face, in pixels, that counts as a condition."""

CONDITIONS: Final = (f"{SMALL} pixels wide", "grey", "dark", "jpeg")

_DIM: Final = 0.25
_NOISE: Final = 4.0
_QUALITY: Final = 30


@dataclass(frozen=True, eq=False)
class Changed:
    """Changed copies of some samples' pictures, in their own size, and what was read from them.

    Attributes:
        sample: M indices of samples, one for each copy.
        condition: M conditions, by their place in `CONDITIONS`.
        outputs: Task -> M x outputs.
    """

    sample: NDArray[np.int64]
    condition: NDArray[np.int64]
    outputs: Outputs


def read_changed(
    model: Model,
    samples: Sequence[Sample],
    *,
    seed: int = 0,
    threads: int = 0,
    watch: Watcher = unwatched,
) -> Changed:
    """Change up to 1,000 pictures, drawn by a seed, and read the copies as use reads pictures.

    Each has a grey copy, where it has colours; a dark one, at a quarter of its light and with the
    noise of a sensor; and one that went through JPEG at quality 30.

    Args:
        model: The model file.
        samples: Whose pictures to change.
        seed: Seed of the draw, and of the noise.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures.

    Raises:
        DataError: A picture cannot be read.
    """
    order = np.sort(np.random.default_rng(seed).permutation(len(samples))[:SAMPLE]).tolist()
    made: list[tuple[int, int]] = []

    def copies() -> Iterator[Image]:
        for index in watch(order, len(order)):
            for condition, picture in _changed(samples[index], (seed, index)):
                made.append((index, CONDITIONS.index(condition)))
                yield picture

    outputs = stacked(read(model, copies(), threads=threads), model.card.tasks)
    # One for each output by now; the maker runs ahead of the reader.
    pairs = np.array(made, np.int64).reshape(-1, 2)
    return Changed(pairs[:, 0], pairs[:, 1], outputs)


def condition_figures(
    labels: Labels,
    outputs: Outputs,
    copies: Copies,
    changed: Changed,
    units: NDArray[np.int64],
    resampling: Resampling,
) -> tuple[ConditionFigure, ...]:
    """Return a task's error, or accuracy, under each condition, and plain for the same pictures.

    Args:
        labels: What is known of the samples; what is known by an interval only does not count.
        outputs: Task -> N x outputs for the samples' own pictures.
        copies: What was read from their small copies.
        changed: What was read from their changed ones.
        units: N numbers, equal for samples that are resampled together.
        resampling: How intervals are drawn.
    """
    task = labels.task.name
    small = np.flatnonzero((copies.width == SMALL) & ~copies.grey)
    found = []
    for number, condition in enumerate(CONDITIONS):
        source, rows = (copies, small) if number == 0 else (changed, changed.condition == number)
        chosen, said = source.sample[rows], source.outputs[task][rows]
        known = np.isin(chosen, labels.exact)
        chosen, said = chosen[known], said[known]
        truth = labels.low[chosen]
        ends = with_ends(values(labels.task, truth, said), units[chosen], resampling)
        if ends is not None:
            plain = values(labels.task, truth, outputs[task][chosen]).mean(dtype=float)
            found.append(
                ConditionFigure(
                    task, name_of(labels.task), condition, *ends, float(plain), len(chosen)
                )
            )
    return tuple(found)


def _changed(sample: Sample, seed: tuple[int, int]) -> Iterator[tuple[str, Image]]:
    """Yield the changed copies of a picture, each with its condition."""
    try:
        pixels = images.load(sample.path).pixels
    except ImageError as error:
        raise DataError(str(error)) from error
    if (pixels != pixels[:, :, :1]).any():
        yield "grey", np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    noise = np.random.default_rng(seed).normal(0, _NOISE, pixels.shape)
    yield "dark", np.clip(np.rint(pixels * _DIM + noise), 0, 255).astype(np.uint8)
    bgr = np.ascontiguousarray(pixels[:, :, ::-1])
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    yield "jpeg", np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
