"""The page of a comparison: who is best, what is beyond noise, what each costs, how each learnt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import mien
from mien.evaluation import plots, run_plots, wording
from mien.evaluation.blocks import Block
from mien.evaluation.comparison import Comparison, Entry, Figure
from mien.evaluation.curves import History, Panel, mean_history, overlay, panels
from mien.evaluation.page import Shown, fill, shown
from mien.evaluation.plots import Estimate, Section
from mien.evaluation.run_plots import Duel, Offer
from mien.files import atomic_write

_PAGE: Final = "comparison.html"
_MOST: Final = 24
"""Entries beyond which a table of all pairs cannot be read."""


@dataclass(frozen=True)
class Chapter:
    """What the page tells of one task."""

    title: str
    anchor: str
    verdict: str
    blocks: tuple[Shown, ...]


@dataclass(frozen=True)
class Page:
    """What the template shows."""

    title: str
    lead: str
    notices: tuple[str, ...]
    tasks: tuple[Chapter, ...]
    cost: tuple[Shown, ...]
    training: tuple[Shown, ...]
    method: tuple[tuple[str, str], ...]
    made: str


def write_page(comparison: Comparison, path: Path, machine: str) -> None:
    """Write the page, one file that needs no other and runs no script.

    Args:
        comparison: What was found.
        path: The HTML file.
        machine: What speed was measured on.

    Raises:
        OutputError: The file cannot be written.
    """
    entries = len(comparison.entries)
    runs = len(comparison.contenders)
    page = Page(
        title=f"{entries:,} compared",
        lead=f"{runs:,} runs, of which some differ by their seed alone."
        if runs > entries
        else "Side by side, on the same pictures where that can be.",
        notices=tuple(_notices(comparison)),
        tasks=tuple(_chapter(comparison, task) for task in comparison.headlines),
        cost=(shown(_costs(comparison), "cost"),),
        training=tuple(
            shown(block, f"training-{n}") for n, block in enumerate(_courses(comparison))
        ),
        method=tuple(_method(comparison, machine)),
        made=f"Written by mien {mien.__version__}.",
    )
    with atomic_write(path) as file:
        file.write(fill(_PAGE, page=page))


def verdict(comparison: Comparison, task: str) -> str:
    """Say in sentences which entry is best at a task, and which of the others may be as good."""
    best = comparison.ranked(task)[0]
    told = f"Best: {best.entry}, {_value(comparison, best)}."
    if len(comparison.ranked(task)) == 1:
        return told
    duels = [
        d for d in comparison.differences if d.task == task and best.entry in (d.first, d.second)
    ]
    other = {d: d.second if d.first == best.entry else d.first for d in duels}
    clear = [name for d, name in other.items() if d.beyond_noise]
    open_ = [name for d, name in other.items() if not d.beyond_noise]
    if clear:
        told += f" Better beyond noise than {_listed(clear)}."
    if open_:
        told += f" It cannot be told from {_listed(open_)}: the difference may be chance."
    if not duels:
        told += " Whether that is more than noise cannot be told; see the notes."
    return told


def unit_of(comparison: Comparison, task: str, name: str) -> str:
    """Return what a figure counts; empty for a share."""
    if wording.wording(name).kind == "share":
        return ""
    tasks = [t for run in comparison.contenders for t in run.card.tasks if t.name == task]
    return next((wording.counted(t.kind, t.unit) for t in tasks), "")


def digits_of(name: str) -> int:
    """Return how many decimals of a figure are shown: an error's differences are small."""
    return 1 if wording.wording(name).kind == "share" else 2


def told_value(name: str, value: float, unit: str = "", *, signed: bool = False) -> str:
    """Return a figure's value as comparisons write it: "91.5 %", "4.68 years"."""
    sign = "+" if signed else ""
    if wording.wording(name).kind == "share":
        text = f"{100 * value:{sign}.1f} %"
    else:
        text = f"{value:{sign}.2f} {unit}".rstrip()
    return text.replace("-", "\N{MINUS SIGN}")


def told_span(name: str, low: float | None, high: float | None) -> str:
    """Return an interval: "4.44 to 4.92"; empty where there is none."""
    if low is None or high is None:
        return ""
    ends = [told_value(name, end).removesuffix(" %") for end in (low, high)]
    return " to ".join(ends) + (" %" if wording.wording(name).kind == "share" else "")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _value(comparison: Comparison, figure: Figure) -> str:
    unit = unit_of(comparison, figure.task, figure.name)
    span = told_span(figure.name, figure.low, figure.high)
    label = wording.wording(figure.name).label
    return f"{label} {told_value(figure.name, figure.value, unit)}" + (f" ({span})" if span else "")


def _notices(comparison: Comparison) -> Iterator[str]:
    """Yield what cannot be compared, each reason once."""
    reasons: dict[str, list[str]] = {}
    for pair in comparison.apart:
        reasons.setdefault(pair.reason, []).append(f"{pair.first} and {pair.second}")
    for reason, pairs in reasons.items():
        shown_pairs = pairs if len(pairs) <= 3 else [*pairs[:2], f"{len(pairs) - 2:,} more pairs"]
        yield f"Not comparable picture by picture: {'; '.join(shown_pairs)}: {reason}."


def _chapter(comparison: Comparison, task: str) -> Chapter:
    name = comparison.headlines[task]
    found = [_ranking(comparison, task, name)]
    found += _trades(comparison, task, name)
    found += _duels(comparison, task, name)
    found.append(_table(comparison, task))
    found.sort(key=lambda block: block.wide)
    return Chapter(
        title=wording.title(task),
        anchor=f"task-{task}",
        verdict=verdict(comparison, task),
        blocks=tuple(shown(block, f"{task}-{n}") for n, block in enumerate(found)),
    )


def _ranking(comparison: Comparison, task: str, name: str) -> Block:
    told, unit = wording.wording(name), unit_of(comparison, task, name)
    rows = tuple(
        Estimate(f.entry, f.value, f.low, f.high, f.pictures) for f in comparison.ranked(task)
    )
    several = any(len(entry.runs) > 1 for entry in comparison.entries)
    return Block(
        question="Which is best?",
        draw=partial(
            plots.by_group,
            [Section("best first", rows)],
            percent=told.kind == "share",
            label=f"{told.label} in {unit}" if unit else told.label,
            digits=digits_of(name),
        ),
        notes=(
            "Lines: 95 % intervals over the pictures"
            + (" and over the seeds, where there are several." if several else "."),
            "Two lines that overlap may still differ: the pairs below are compared on the same "
            "pictures.",
        ),
    )


def _trades(comparison: Comparison, task: str, name: str) -> Iterator[Block]:
    told, unit = wording.wording(name), unit_of(comparison, task, name)
    offers = []
    for entry in comparison.entries:
        figure = comparison.figure(entry.name, task, name)
        speed = entry.runs[0].speed
        if figure is not None and speed is not None:
            offers.append(Offer(entry.name, figure.value, speed.p50))
    alike = len({run.size for run in comparison.contenders}) == 1
    # Networks of one make differ in speed by chance alone.
    if len(offers) > 1 and not alike:
        yield Block(
            question="What does being better cost?",
            draw=partial(
                run_plots.trade,
                offers,
                cost="milliseconds a picture, one thread",
                label=f"{told.label} in {unit}" if unit else told.label,
                percent=told.kind == "share",
            ),
        )


def _duels(comparison: Comparison, task: str, name: str) -> Iterator[Block]:
    found = [d for d in comparison.differences if d.task == task]
    names = [figure.entry for figure in comparison.ranked(task)]
    names = [n for n in names if any(n in (d.first, d.second) for d in found)]
    if not found or len(names) > _MOST:
        return
    pairs = {(d.first, d.second): (d, 1.0) for d in found}
    pairs |= {(d.second, d.first): (d, -1.0) for d in found}

    def cell(row: str, column: str) -> Duel | None:
        if (row, column) not in pairs:
            return None
        difference, sign = pairs[row, column]
        text = told_value(name, sign * difference.value, signed=True).removesuffix(" %")
        return Duel(text, difference.beyond_noise, difference.better == row)

    unit = unit_of(comparison, task, name) or "points"
    yield Block(
        question="Which differences are more than noise?",
        draw=partial(run_plots.duels, names, [[cell(a, b) for b in names] for a in names]),
        notes=(
            f"Row minus column, {wording.wording(name).label} in {unit}. Bold on colour: beyond "
            "noise, strong where the row is better. Grey: the 95 % interval of the difference "
            "holds 0.",
        ),
        wide=run_plots.wide_duels(len(names)),
    )


def _table(comparison: Comparison, task: str) -> Block:
    names = list(dict.fromkeys(f.name for f in comparison.figures if f.task == task))
    order = [figure.entry for figure in comparison.ranked(task)]
    rows = []
    for entry in order:
        cells = [entry]
        for name in names:
            figure = comparison.figure(entry, task, name)
            cells.append("" if figure is None else _cell(figure))
        rows.append(tuple(cells))
    units = [unit_of(comparison, task, name) for name in names]
    heads = [
        f"{wording.wording(name).label}, {unit}" if unit else wording.wording(name).label
        for name, unit in zip(names, units, strict=True)
    ]
    return Block(
        question="All figures, with their intervals",
        columns=("", *heads),
        rows=tuple(rows),
        notes=(
            "Below each figure its 95 % interval."
            + (
                " After ±: standard deviation over the seeds."
                if any(f.spread is not None for f in comparison.figures)
                else ""
            ),
        ),
        wide=True,
    )


def _cell(figure: Figure) -> str:
    value = told_value(figure.name, figure.value)
    if figure.spread is not None:
        value = f"{value.removesuffix(' %')} ± {told_value(figure.name, figure.spread)}"
    span = told_span(figure.name, figure.low, figure.high)
    return f"{value}\n{span}" if span else value


def _costs(comparison: Comparison) -> Block:
    rows = tuple(_cost(run.name, Entry(run.name, (run,))) for run in comparison.contenders)
    return Block(
        question="What does each cost, in use and in training?",
        columns=(
            "",
            "parameters",
            "MACs a picture",
            "file, MB",
            "p50, ms",
            "p95, ms",
            "seconds an epoch",
            "best epoch",
            "minutes",
        ),
        rows=rows,
        notes=(
            "MACs: multiplications with addition. p50 and p95: half, and 95 of 100 pictures take "
            "at most so long, one at a time on one thread, all models measured in turns.",
        ),
        wide=True,
    )


def _cost(name: str, entry: Entry) -> tuple[str, ...]:
    run = entry.runs[0]
    speed = run.speed
    epochs = "" if run.best_epoch is None else f"{run.best_epoch} of {run.epochs}"
    return (
        name,
        f"{run.size.parameters:,}",
        f"{run.size.macs:,}",
        f"{run.bytes / 1e6:.2f}",
        "" if speed is None else f"{speed.p50:.2f}",
        "" if speed is None else f"{speed.p95:.2f}",
        "" if run.seconds is None else f"{run.seconds:.1f}",
        epochs,
        "" if run.minutes is None else f"{run.minutes:.1f}",
    )


def _courses(comparison: Comparison) -> Iterator[Block]:
    histories = {}
    for entry in comparison.entries:
        own = [run.history for run in entry.runs if run.history is not None]
        if own:
            histories[entry.name] = mean_history(own)
    if not histories:
        return
    wanted = {f"validation/{task}/{name}" for task, name in comparison.headlines.items()}
    if len({str(run.card.recipe.get("tasks")) for run in comparison.contenders}) == 1:
        # Losses of different kinds have no common measure.
        wanted.add("validation/loss")
    for panel in panels(list(histories.values())):
        if panel.validation in wanted:
            yield _course(panel, histories)


def _course(panel: Panel, histories: dict[str, History]) -> Block:
    return Block(
        question=f"{panel.title}, in validation",
        draw=partial(overlay, panel, histories),
        wide=True,
    )


def _method(comparison: Comparison, machine: str) -> Iterator[tuple[str, str]]:
    hashes = list(dict.fromkeys(run.split_hash or "unknown" for run in comparison.contenders))
    yield "hash of the split" if len(hashes) == 1 else "hashes of the splits", ", ".join(hashes)
    yield (
        "intervals of differences",
        "95 %, paired bootstrap: the same resamples of the same test pictures for both; of entries "
        "with several seeds, Student's t of their mean is added. Of a single run the noise of its "
        "seed is not known.",
    )
    yield "speed measured on", machine
