"""The report: one HTML file that tells what a model is worth, with the charts beside it as PNG."""

import base64
import io
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import mien
from mien import images
from mien.card import Card
from mien.errors import ImageError, shortened
from mien.evaluation import wording
from mien.evaluation.blocks import Block, Measured, blocks, measured
from mien.evaluation.curves import History, curve, panels, read_history, training_curves
from mien.evaluation.page import Shown, fill, inlined, shown
from mien.evaluation.result import AUGMENTED, Evaluation, Example
from mien.evaluation.sample_plots import Panel, samples
from mien.files import atomic_write, make_folder

NAME: Final = "report.html"

_THUMBNAIL: Final = 192
_SMALL: Final = 96
_SHEET: Final = 1200
_PARTS: Final = {
    "train": "Measured on the pictures it learned from: these figures say nothing of new ones.",
    "validation": "Measured on the part that chose and calibrated the model: expect somewhat "
    "worse of new pictures.",
}


@dataclass(frozen=True)
class ShownExample:
    """An example as the page holds it; `picture` is a data URI, `missing` why there is none."""

    name: str
    truth: str
    said: str
    score: str
    picture: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Gallery:
    """The best examples of a task, or the worst."""

    title: str
    measure: str
    embedded: bool
    examples: tuple[ShownExample, ...]


@dataclass(frozen=True)
class Chapter:
    """What the page tells of one task."""

    title: str
    anchor: str
    figure: str
    headline: str
    blocks: tuple[Shown, ...]
    examples: tuple[Gallery, ...]


@dataclass(frozen=True)
class Page:
    """What the template shows beside the card."""

    title: str
    notices: tuple[str, ...]
    measured: str
    tasks: tuple[Chapter, ...]
    training: tuple[Shown, ...]
    augmented: str
    method: tuple[tuple[str, str], ...]
    recipe: str
    made: str


def write_report(
    result: Evaluation,
    card: Card,
    folder: Path,
    history: Path | None = None,
    *,
    embed: bool = False,
) -> Path:
    """Write report.html, one file that needs no other, and its charts beside it as PNG.

    The same input gives the same bytes. The page runs no script and asks no other host for
    anything.

    Args:
        result: What was measured.
        card: The model's card.
        folder: Where to write; made if it is missing.
        history: The history.csv of the run that made the model, for its training curves.
        embed: Whether to put small copies of pictures into the page: the best and the worst, some
            drawn by chance, and some before and after augmentation. Most data sets may
            not be passed on, so by default the page holds the files' names only.

    Returns:
        The page's path.

    Raises:
        DataError: The history cannot be read.
        OutputError: A file cannot be written.
    """
    run = None if history is None else read_history(history)
    parts = measured(result, card)
    asked = {part.task.name: [*blocks(part), *_samples(part, embed)] for part in parts}
    page = Page(
        title=f"{card.name} {card.version}".strip(),
        notices=tuple(_notices(result, card)),
        measured=_measured(result, parts, card),
        tasks=tuple(_chapter(part, asked[part.task.name], embed) for part in parts),
        training=() if run is None else tuple(_training(run)),
        augmented=_thumbnail(str(folder / AUGMENTED), _SHEET)
        if embed and (folder / AUGMENTED).exists()
        else "",
        method=tuple(_method(result, card)),
        recipe=json.dumps(card.recipe, indent=1, ensure_ascii=False) if card.recipe else "",
        made=f"Written by mien {mien.__version__}.",
    )
    make_folder(folder)
    _write_charts(folder, [block for found in asked.values() for block in found], run)
    path = folder / NAME
    with atomic_write(path) as file:
        file.write(fill(NAME, page=page, card=card))
    return path


def _notices(result: Evaluation, card: Card) -> Iterator[str]:
    if result.split in _PARTS:
        yield _PARTS[result.split]
    elif result.split_hash != card.split_hash:
        yield (
            f"The model was trained on split {card.split_hash or 'unknown'} of its data, these "
            f"pictures are of split {result.split_hash or 'unknown'}: it may have learned from "
            "some of them, and then looks better here than it is."
        )


def _measured(result: Evaluation, parts: Sequence[Measured], card: Card) -> str:
    said = (
        f"Measured on the {result.pictures:,} pictures of the part “{result.split}”. Figures in "
        f"brackets, and lines through dots, are {100 * result.level:.0f} % intervals: how far "
        "chance alone may have moved a figure."
    )
    names = {part.task.name for part in parts}
    missing = [wording.title(task.name) for task in card.tasks if task.name not in names]
    return f"{said} Not measured, for want of labels: {', '.join(missing)}." if missing else said


def _chapter(part: Measured, found: Iterable[Block], embed: bool) -> Chapter:
    task, headline = part.task, part.headline
    unit = wording.counted(task.kind, task.unit)
    return Chapter(
        title=wording.title(task.name),
        anchor=f"task-{task.name}",
        figure=wording.number(headline.name, headline.value, unit) if headline else "",
        headline=wording.headline(part.overall, part.noun, unit),
        blocks=tuple(shown(block, f"{task.name}-{n}") for n, block in enumerate(found)),
        examples=tuple(_galleries(part, unit, embed)),
    )


def _training(run: History) -> Iterator[Shown]:
    runs = {"": run}
    for place, panel in enumerate(panels([run])):
        draw = partial(curve, panel, runs)
        svg = inlined(draw, panel.title, f"training-{place}")
        yield Shown(panel.title, svg)


def _samples(part: Measured, embed: bool) -> Iterator[Block]:
    """Yield the grid of pictures drawn by chance, with all their probabilities."""
    found = [sampled for sampled in part.result.samples if sampled.task == part.task.name]
    if not found:
        return
    panels = [
        Panel(
            title=PurePath(sampled.path).name,
            truth=sampled.truth,
            probabilities=sampled.probabilities,
            picture=_small(sampled.path) if embed else None,
        )
        for sampled in found
    ]
    yield Block(
        question="What does it say of single pictures, in full?",
        name=f"samples-{part.task.name}",
        draw=partial(samples, part.task.labels, panels),
        notes=(
            "Drawn by chance from those measured; probabilities in percent. The label in colour, "
            "a wrong answer in another.",
        ),
        wide=True,
    )


def _small(path: str) -> NDArray[np.uint8] | None:
    """Return a small copy of a picture; None where it cannot be read."""
    try:
        small = Image.fromarray(images.load(path).pixels)
    except ImageError:
        return None
    small.thumbnail((_SMALL, _SMALL))
    return np.asarray(small, np.uint8)


def _galleries(part: Measured, unit: str, embed: bool) -> Iterator[Gallery]:
    classes = part.task.kind == "classification"
    measure = "probability of the label" if classes else f"off by, in {unit or 'its unit'}"
    for kind in ("best", "worst"):
        found = [
            _shown_example(example, classes, unit, embed)
            for example in part.result.examples
            if (example.task, example.kind) == (part.task.name, kind)
        ]
        if found:
            yield Gallery(f"The {kind}, from the {kind} on", measure, embed, tuple(found))


def _shown_example(example: Example, classes: bool, unit: str, embed: bool) -> ShownExample:
    score = f"{100 * example.score:.1f} %" if classes else f"{example.score:.1f}"
    picture = missing = ""
    if embed:
        score = f"{score} for the label" if classes else f"off by {score} {unit}".rstrip()
        try:
            picture = _thumbnail(example.path)
        except ImageError as error:
            missing = f"not shown: {shortened(error.reason)}"
    # The folders above would tell more of the machine than of the picture.
    name = "/".join(PurePath(example.path).parts[-2:])
    return ShownExample(name, example.truth, example.said, score, picture, missing)


def _thumbnail(path: str, side: int = _THUMBNAIL) -> str:
    """Return a small copy of a picture as a data URI.

    Raises:
        ImageError: It cannot be read.
    """
    small = Image.fromarray(images.load(path).pixels)
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _method(result: Evaluation, card: Card) -> Iterator[tuple[str, str]]:
    yield "model", f"{result.model} {result.version}".strip()
    yield "part", f"{result.split}, {result.pictures:,} pictures"
    yield "hash of the split", result.split_hash or "unknown"
    yield "fingerprint of the data", result.data_fingerprint or "unknown"
    yield (
        "intervals",
        f"{100 * result.level:.0f} %, by bootstrap over the pictures, seed {result.seed}",
    )
    yield "machine", result.machine or "unknown"
    made = " on ".join(text for text in (card.created_by, card.created) if text)
    yield "model made by", made or "unknown"
    model, split = shlex.quote(result.model), shlex.quote(result.split)
    yield "to repeat it", f"mien evaluate {model} MANIFEST --split {split} --seed {result.seed}"


def _write_charts(folder: Path, found: Iterable[Block], run: History | None) -> None:
    for block in found:
        if block.draw and block.name:
            _write_picture(folder / f"{_safe(block.name)}.png", block.draw(form="png"))
    if run is not None and panels([run]):
        _write_picture(folder / "training.png", training_curves({"": run}, form="png"))


def _write_picture(path: Path, data: bytes) -> None:
    with atomic_write(path, "wb") as file:
        file.write(data)


def _safe(name: str) -> str:
    """Return a name that stays in its folder, whatever a task is called."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)
