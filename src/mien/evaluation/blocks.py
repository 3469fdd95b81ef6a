"""What a report tells of one task: questions, each with the chart or table that answers it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from mien.card import Card, Metric, Task
from mien.evaluation import age_plots, class_plots, plots, wording
from mien.evaluation.canvas import Form
from mien.evaluation.plots import Estimate, Section
from mien.evaluation.result import Evaluation

GREY_GOAL: Final = 0.9

_MOST_CLASSES: Final = 15
_MOST_COUNTED: Final = 120
_NO_DECADES: Final = ("gender", "race", "age_group", "source")


class Draw(Protocol):
    """Draws a chart."""

    def __call__(self, *, form: Form) -> bytes:
        """Return the chart's bytes."""


@dataclass(frozen=True)
class Block:
    """A question and its answer: a chart, or else a table.

    Attributes:
        question: Stands above.
        name: Stem of the chart's file; empty where it gets no file of its own.
        draw: Draws the chart.
        columns: Heads of the table.
        rows: Cells of the table.
        notes: Sentences below.
        points: A list below them.
        wide: Whether it needs a page's full width.
    """

    question: str
    name: str = ""
    draw: Draw | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class Measured:
    """One task's part of an evaluation.

    Attributes:
        task: The task.
        result: The whole evaluation.
        noun: What was read: "faces" or "pictures".
    """

    task: Task
    result: Evaluation
    noun: str

    @property
    def overall(self) -> dict[str, Metric]:
        """Name -> figure over all pictures."""
        return {metric.name: metric for metric in self._own() if not metric.by}

    @property
    def headline(self) -> Metric | None:
        """The figure that stands for the task."""
        found = self.overall
        return next((found[name] for name in wording.HEADLINES if name in found), None)

    def groups(self, name: str, by: str) -> list[Metric]:
        """Return a figure by group."""
        return [m for m in self._own() if (m.name, m.by) == (name, by)]

    def _own(self) -> Iterator[Metric]:
        return (m for m in self.result.metrics if m.task == self.task.name)


def measured(result: Evaluation, card: Card) -> list[Measured]:
    """Return the tasks that were measured, in the card's order."""
    noun = "faces" if card.input.framing == "face" else "pictures"
    found = [Measured(task, result, noun) for task in card.tasks]
    return [part for part in found if part.overall]


def blocks(part: Measured) -> list[Block]:
    """Return all that is to be told of a task; what takes the full width stands last."""
    builders = (_figures, _groups, _decades, _coverage, _scatter, _widths, _conditions)
    found = [block for build in builders for block in build(part)]
    found += [
        block
        for build in (_confusion, _classes, _reliability, _grey, _label_counts)
        for block in build(part)
    ]
    return sorted(found, key=lambda block: block.wide)


def _figures(part: Measured) -> Iterator[Block]:
    rows = tuple(
        (
            wording.wording(metric.name).label,
            wording.number(metric.name, metric.value, _unit(part, metric.name)),
            wording.span(metric.name, metric.low, metric.high),
        )
        for metric in part.overall.values()
    )
    pictures = max(metric.pictures for metric in part.overall.values())
    yield Block(
        question="How good is it, in figures?",
        columns=("figure", "value", f"{100 * part.result.level:.0f} % interval"),
        rows=rows,
        notes=(f"Measured on {pictures:,} labelled {part.noun}.",),
    )


def _groups(part: Measured) -> Iterator[Block]:
    overall = part.headline
    if overall is None:
        return
    sections = _sections(part, overall.name, _NO_DECADES)
    if not sections:
        return
    told = wording.wording(overall.name)
    unit = _unit(part, overall.name)
    gaps = (wording.gap(part.groups(overall.name, by), by, unit) for by in _NO_DECADES)
    yield Block(
        question="Is it worse for some people than for others?"
        if part.noun == "faces"
        else "Is it worse for some pictures than for others?",
        name=f"groups-{part.task.name}",
        draw=partial(
            plots.by_group,
            sections,
            overall=overall.value,
            percent=told.kind == "share",
            label=f"{told.label} in {unit}" if unit else told.label,
        ),
        notes=(
            f"Dashed: all pictures. Hollow: fewer than {wording.FEW} pictures, hardly more than "
            "chance.",
        ),
        points=tuple(gap for gap in gaps if gap),
    )


def _decades(part: Measured) -> Iterator[Block]:
    sections = _sections(part, "mae", ("decade",))
    if not sections or "mae" not in part.overall:
        return
    bias = [wording.biased(ages) for ages in part.result.ages if ages.task == part.task.name]
    yield Block(
        question="At which ages does it err?",
        name=f"decades-{part.task.name}",
        draw=partial(
            plots.by_group,
            [Section("true age", sections[0].rows)],
            overall=part.overall["mae"].value,
            percent=False,
            label="mean error in years",
        ),
        notes=tuple(sentence for sentence in bias if sentence),
    )


def _coverage(part: Measured) -> Iterator[Block]:
    sections = _sections(part, "coverage", ("age_group", "gender", "race", "source"))
    overall = part.overall.get("coverage")
    if not sections or overall is None:
        return
    low, high = plots.BAND
    inside = "within" if low <= overall.value <= high else "outside"
    share = wording.number("coverage", overall.value)
    yield Block(
        question="Do its intervals hold the true age as often as they should, for everybody?",
        name=f"coverage-{part.task.name}",
        draw=partial(
            plots.by_group,
            sections,
            overall=overall.value,
            percent=True,
            band=plots.BAND,
            label="intervals that hold the true age",
        ),
        notes=(
            f"They should in 90 %. Over all they do in {share}, which is {inside} the band of "
            f"{100 * low:.0f} to {100 * high:.0f} % (shaded).",
        ),
    )


def _scatter(part: Measured) -> Iterator[Block]:
    for ages in part.result.ages:
        if ages.task == part.task.name and ages.truth:
            points = ages.truth, ages.estimate, ages.low, ages.high
            yield Block(
                question="How do its estimates follow the true ages?",
                name=f"ages-{part.task.name}",
                draw=partial(age_plots.age_scatter, *points),
                notes=(
                    "One dot a picture; on the dashed line the estimate is right. Shaded: the "
                    "interval it usually gives.",
                ),
            )


def _widths(part: Measured) -> Iterator[Block]:
    figures = [figure for figure in part.result.widths if figure.task == part.task.name]
    if not figures:
        return
    told = wording.wording(figures[0].name)
    unit = _unit(part, figures[0].name)
    points = [
        Estimate(str(figure.width), figure.value, figure.low, figure.high, figure.pictures)
        for figure in figures
    ]
    yield Block(
        question="How small may a face be?",
        name=f"widths-{part.task.name}",
        draw=partial(
            plots.over_width,
            points,
            percent=told.kind == "share",
            label=f"{told.label} in {unit}" if unit else told.label,
        ),
        notes=(wording.over_widths(figures, unit),),
    )


def _conditions(part: Measured) -> Iterator[Block]:
    figures = [figure for figure in part.result.conditions if figure.task == part.task.name]
    if not figures:
        return
    name = figures[0].name
    unit = _unit(part, name)
    level = f"{100 * part.result.level:.0f} % interval"
    yield Block(
        question="What do bad conditions cost?",
        columns=("condition", "as it is", "then", level, "pictures"),
        rows=tuple(
            (
                figure.condition,
                wording.number(name, figure.plain, unit),
                wording.number(name, figure.value, unit),
                wording.span(name, figure.low, figure.high),
                f"{figure.pictures:,}",
            )
            for figure in figures
        ),
        notes=(
            f"{wording.wording(name).label.capitalize()} for the same {part.noun}, as they are and "
            "changed: shrunk, without colour, at a quarter of the light with noise, and through "
            "JPEG at quality 30.",
        ),
    )


def _confusion(part: Measured) -> Iterator[Block]:
    for matrix in part.result.confusions:
        if matrix.task != part.task.name:
            continue
        mistakes = wording.mistakes(matrix)
        apart = wording.told_apart(matrix) if len(matrix.labels) > 2 else []
        yield Block(
            question="What does it take for what?",
            name=f"confusion-{part.task.name}",
            draw=partial(class_plots.confusion_matrix, matrix.labels, matrix.counts),
            notes=(
                "Counts of pictures; the stronger the colour, the larger the share of the row.",
            ),
            points=(*mistakes, *apart),
            wide=class_plots.wide_confusion(len(matrix.labels)),
        )


def _classes(part: Measured) -> Iterator[Block]:
    figures = [figures for figures in part.result.classes if figures.task == part.task.name]
    if not figures:
        return
    yield Block(
        question="Which classes does it tell well?",
        columns=("class", "precision", "recall", "F1", "pictures"),
        rows=tuple(
            (
                row.label,
                *(
                    wording.number("accuracy", share)
                    for share in (row.precision, row.recall, row.f1)
                ),
                f"{row.support:,}",
            )
            for row in figures
        ),
        notes=(
            "Precision: how often it is right when it says so. Recall: how many of the class it "
            "finds. F1: their harmonic mean.",
        ),
    )
    counted = sorted(figures, key=lambda row: -row.support)
    # Of two there is little to see, and of many the table says it as well.
    if 2 < len(counted) <= _MOST_CLASSES:
        yield Block(
            question="On how many pictures of each class was it measured?",
            name=f"counts-{part.task.name}",
            draw=partial(
                class_plots.class_counts,
                [row.label for row in counted],
                [row.support for row in counted],
            ),
        )


def _label_counts(part: Measured) -> Iterator[Block]:
    counts = [found for found in part.result.counts if found.task == part.task.name]
    if not 1 < len(counts) <= _MOST_COUNTED:
        return
    names = list(dict.fromkeys(name for found in counts for name in found.parts))
    yield Block(
        question="How many pictures of each label are there to learn from?",
        name=f"labels-{part.task.name}",
        draw=partial(
            class_plots.part_counts,
            [found.label for found in counts],
            {name: [found.parts.get(name, 0) for found in counts] for name in names},
        ),
    )


def _reliability(part: Measured) -> Iterator[Block]:
    for curve in part.result.reliability:
        if curve.task == part.task.name and curve.counts:
            columns = curve.confidence, curve.accuracy, curve.counts
            yield Block(
                question="Is it right as often as it is sure?",
                name=f"reliability-{part.task.name}",
                draw=partial(class_plots.reliability, *columns),
                notes=(wording.calibrated(curve), "On the dashed line it is just as sure."),
            )


def _grey(part: Measured) -> Iterator[Block]:
    grey = part.result.grey
    if grey is None or grey.task != part.task.name:
        return
    share = wording.number("accuracy", grey.share)
    reached = "reached" if grey.share >= GREY_GOAL else "missed"
    yield Block(
        question="Does it say the same of a small grey copy?",
        columns=("same answer", "share", f"{100 * part.result.level:.0f} % interval"),
        rows=(
            (
                f"{grey.pictures:,} colour pictures and their grey copies",
                share,
                wording.span("accuracy", grey.low, grey.high),
            ),
        ),
        notes=(f"The goal of {100 * GREY_GOAL:.0f} % is {reached}.",),
    )


def _sections(part: Measured, name: str, groupings: Sequence[str]) -> list[Section]:
    """Return a figure by group, for those groupings that have two groups or more."""
    sections = []
    for by in groupings:
        rows = tuple(
            Estimate(m.group, m.value, m.low, m.high, m.pictures) for m in part.groups(name, by)
        )
        if len(rows) > 1:
            sections.append(Section(wording.title(by), rows))
    return sections


def _unit(part: Measured, name: str) -> str:
    """Return what a figure counts: the task's unit for those that are no shares."""
    if wording.wording(name).kind == "share":
        return ""
    return wording.counted(part.task.kind, part.task.unit)
