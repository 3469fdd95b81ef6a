"""Runs beside each other: figures over seeds, and which differences are more than noise."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from mien.card import Metric
from mien.evaluation.bootstrap import Resampling, interval, resampled
from mien.evaluation.contenders import Contender
from mien.evaluation.metrics import Numbers
from mien.evaluation.wording import HEADLINES, wording

_SEED: Final = re.compile(r"^seed=\d+$")


@dataclass(frozen=True, eq=False)
class Entry:
    """One run, or runs that differ by their seed alone.

    Attributes:
        name: What tables call it.
        runs: The runs; at least one.
    """

    name: str
    runs: tuple[Contender, ...]

    def values(self, task: str, name: str) -> list[float]:
        """Return a figure of each run that has it."""
        found = (run.metric(task, name) for run in self.runs)
        return [metric.value for metric in found if metric is not None]


@dataclass(frozen=True)
class Figure:
    """A figure of an entry.

    Attributes:
        entry: The entry's name.
        task: The task.
        name: The figure.
        value: Its value; of several runs their mean.
        low: Lower end of its interval at 95 %; None where it is not known.
        high: Upper end.
        spread: Standard deviation over the seeds; None for one run.
        pictures: How many pictures it was measured on.
        runs: How many runs.
    """

    entry: str
    task: str
    name: str
    value: float
    low: float | None
    high: float | None
    spread: float | None
    pictures: int
    runs: int


@dataclass(frozen=True)
class Difference:
    """A headline figure of one entry minus that of another, on the very same pictures.

    Attributes:
        task: The task.
        name: The figure.
        first: Name of the one.
        second: Name of the other.
        value: The difference.
        low: Lower end of its interval at 95 %.
        high: Upper end.
    """

    task: str
    name: str
    first: str
    second: str
    value: float
    low: float
    high: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.low > 0 or self.high < 0

    @property
    def better(self) -> str:
        """Name of the entry that is better, by chance or not."""
        first = (self.value < 0) == (wording(self.name).better == "low")
        return self.first if first else self.second


@dataclass(frozen=True)
class Apart:
    """Two entries whose figures cannot be set against each other, and why."""

    first: str
    second: str
    reason: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found.

    Attributes:
        contenders: All runs and model files.
        entries: The same, with those that differ by the seed alone joined.
        figures: All figures of all entries.
        differences: Every pair that can be compared, by each shared task's headline figure.
        apart: The pairs that cannot.
    """

    contenders: tuple[Contender, ...]
    entries: tuple[Entry, ...]
    figures: tuple[Figure, ...]
    differences: tuple[Difference, ...]
    apart: tuple[Apart, ...]

    @property
    def headlines(self) -> dict[str, str]:
        """Task -> the figure that stands for it, in the order in which tasks appear."""
        found: dict[str, str] = {}
        for task in dict.fromkeys(figure.task for figure in self.figures):
            names = {figure.name for figure in self.figures if figure.task == task}
            found |= {task: next(name for name in HEADLINES if name in names)} if names else {}
        return found

    def figure(self, entry: str, task: str, name: str) -> Figure | None:
        """Return one figure; None where it was not measured."""
        found = (f for f in self.figures if (f.entry, f.task, f.name) == (entry, task, name))
        return next(found, None)

    def ranked(self, task: str) -> list[Figure]:
        """Return a task's headline figures, the best first."""
        name = self.headlines[task]
        found = [f for f in self.figures if (f.task, f.name) == (task, name)]
        high = wording(name).better == "high"
        return sorted(found, key=lambda figure: -figure.value if high else figure.value)


def compare(contenders: Sequence[Contender], seed: int = 0) -> Comparison:
    """Compare runs and model files.

    The noise of a figure has two parts: which pictures the test part happens to hold, and which
    seed a run happened to have. The first is resampled, the same pictures for all entries (paired
    bootstrap, Efron 1979); the second, where an entry has several seeds, is Student's t of their
    mean. Of a single run its seed's part is not known: the difference is one of two files.

    Args:
        contenders: What to compare.
        seed: Seed of the resamples.
    """
    entries = _entries(contenders)
    drawn = {
        run.name: _Drawn(run, Resampling(seed)) for run in contenders if run.predictions is not None
    }
    rng = np.random.default_rng([seed, len(contenders)])
    noisy = {entry.name: _noisy(entry, drawn, rng) for entry in entries}
    differences: list[Difference] = []
    apart: list[Apart] = []
    for first, second in combinations(entries, 2):
        reason = _reason(first, second)
        if reason:
            apart.append(Apart(first.name, second.name, reason))
            continue
        found = [*_differences(first, second, noisy)]
        if not found:
            few = "too few test pictures to tell noise from more"
            apart.append(Apart(first.name, second.name, few))
        differences += found
    return Comparison(
        contenders=tuple(contenders),
        entries=tuple(entries),
        figures=tuple(figure for entry in entries for figure in _figures(entry, noisy)),
        differences=tuple(differences),
        apart=tuple(apart),
    )


Draws = Mapping[tuple[str, str], Numbers]
"""Task and figure -> its value on each resample."""


class _Drawn:
    """A run's figures on resamples of the test pictures, in an order that all runs share."""

    def __init__(self, run: Contender, resampling: Resampling) -> None:
        kept = run.predictions
        self.draws: dict[tuple[str, str], Numbers] = {}
        if kept is None:
            return
        _, units = np.unique(np.array(kept.contents), return_inverse=True)
        for task, said in kept.tasks.items():
            for measure, rows in said.measures():
                if len(rows):
                    found = resampled(measure, units[rows], resampling)
                    self.draws |= {(task, name): values for name, values in found.items()}


def _entries(contenders: Sequence[Contender]) -> list[Entry]:
    """Join the runs that differ by their seed alone."""
    groups: dict[object, list[Contender]] = {}
    for run in contenders:
        alike = (run.recipe, run.split_hash, run.card.data_fingerprint)
        groups.setdefault(alike if run.recipe and run.seed else run.name, []).append(run)
    found = []
    for runs in groups.values():
        if len({run.seed for run in runs}) == len(runs) > 1:
            found.append(Entry(_shared_name(runs), tuple(runs)))
        else:
            found += [Entry(run.name, (run,)) for run in runs]
    names = [entry.name for entry in found]
    return [
        entry if names.count(entry.name) == 1 else Entry(entry.runs[0].name, entry.runs)
        for entry in found
    ]


def _shared_name(runs: Sequence[Contender]) -> str:
    """Return what the names of runs have in common: "loss=l1" of "seed=1,loss=l1" and the like."""
    words = [word for word in runs[0].name.split(",") if not _SEED.match(word.split("/")[-1])]
    return ",".join(words) or runs[0].card.name


def _noisy(entry: Entry, drawn: Mapping[str, _Drawn], rng: np.random.Generator) -> Draws:
    """Return the draws of an entry's figures: those of its runs' mean, seeds counted as noise."""
    own = [drawn[run.name].draws for run in entry.runs if run.name in drawn]
    if len(own) < len(entry.runs):
        return {}
    shared = [key for key in own[0] if all(key in draws for draws in own)]
    found = {}
    for key in shared:
        mean = np.mean([draws[key] for draws in own], axis=0)
        if len(own) > 1:
            error = np.std(entry.values(*key), ddof=1) / np.sqrt(len(own))
            mean = mean + error * rng.standard_t(len(own) - 1, len(mean))
        found[key] = mean
    return found


def _figures(entry: Entry, noisy: Mapping[str, Draws]) -> Iterator[Figure]:
    first = entry.runs[0]
    for metric in first.metrics:
        values = entry.values(metric.task, metric.name)
        if len(values) < len(entry.runs):
            continue
        low, high = _ends(entry, metric, noisy[entry.name])
        yield Figure(
            entry=entry.name,
            task=metric.task,
            name=metric.name,
            value=float(np.mean(values)),
            low=low,
            high=high,
            spread=float(np.std(values, ddof=1)) if len(values) > 1 else None,
            pictures=metric.pictures,
            runs=len(values),
        )


def _ends(entry: Entry, metric: Metric, draws: Draws) -> tuple[float | None, float | None]:
    if len(entry.runs) == 1:
        return metric.low, metric.high
    key = metric.task, metric.name
    if key not in draws:
        return None, None
    # Student's t of a few seeds knows no bounds, where shares and errors have some.
    ends = np.clip(interval(draws[key], Resampling().level), *_bounds(metric.name))
    return float(ends[0]), float(ends[1])


def _bounds(name: str) -> tuple[float, float]:
    """Return between what a figure lies, whatever the pictures."""
    if name == "r2":
        return -math.inf, 1.0
    kind = wording(name).kind
    return {"share": (0.0, 1.0), "signed": (-math.inf, math.inf)}.get(kind, (0.0, math.inf))


def _reason(first: Entry, second: Entry) -> str:
    """Say why two entries cannot be compared picture by picture; empty where they can."""
    one, other = first.runs[0], second.runs[0]
    if one.split_hash != other.split_hash or not one.split_hash:
        hashes = (run.split_hash or "unknown" for run in (one, other))
        return f"measured on different splits ({' and '.join(hashes)})"
    kept = (one.predictions, other.predictions)
    if len({found.split for found in kept if found is not None}) > 1:
        return "measured on different parts of the data"
    tasks = {m.task for m in one.metrics} & {m.task for m in other.metrics}
    if not tasks:
        return "they share no task"
    for entry in (first, second):
        if any(run.predictions is None for run in entry.runs):
            return (
                f"{entry.name} keeps no predictions; `mien evaluate --report` into its folder, or "
                "training it again, leaves them"
            )
    if not any(_same_truth(one, other, task) for task in tasks):
        return "their test pictures or labels are not the same"
    return ""


def _same_truth(one: Contender, other: Contender, task: str) -> bool:
    """Say whether two runs were measured on the same pictures with the same labels of a task."""
    if one.predictions is None or other.predictions is None:
        return False
    if not all(task in kept.tasks for kept in (one.predictions, other.predictions)):
        return False
    (kinds, first), (others, second) = (
        _labelled(kept, task) for kept in (one.predictions, other.predictions)
    )
    return kinds == others and first == second


def _labelled(kept: Any, task: str) -> tuple[object, list[tuple[str, str]]]:
    said = kept.tasks[task]
    rows = sorted(
        (content, _told(said, row)) for content, row in zip(kept.contents, said.truth, strict=True)
    )
    return said.kind, rows


def _told(said: Any, row: Numbers) -> str:
    if said.kind == "classification" and row[0] == row[0]:
        return str(said.labels[int(row[0])])
    return f"{row[0]:g} {row[1]:g}"


def _differences(first: Entry, second: Entry, noisy: Mapping[str, Draws]) -> Iterator[Difference]:
    one, other = first.runs[0], second.runs[0]
    for task in dict.fromkeys(metric.task for metric in one.metrics):
        if not _same_truth(one, other, task):
            continue
        for name in HEADLINES:
            key = task, name
            if key in noisy[first.name] and key in noisy[second.name]:
                drawn = noisy[first.name][key] - noisy[second.name][key]
                value = np.mean(first.values(*key)) - np.mean(second.values(*key))
                low, high = interval(drawn, Resampling().level)
                yield Difference(task, name, first.name, second.name, float(value), low, high)
                break


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the comparison as rows of equal keys: every run, then every entry of several runs.

    Each figure has a column TASK.NAME, with `.low` and `.high` for its interval, and for several
    runs `.spread`, the standard deviation over seeds.
    """
    single = [Entry(run.name, (run,)) for run in comparison.contenders]
    several = [entry for entry in comparison.entries if len(entry.runs) > 1]
    return [row_of(entry, comparison) for entry in (*single, *several)]


def told(comparison: Comparison) -> dict[str, Any]:
    """Return all of a comparison as JSON can hold it."""
    return {
        "rows": rows(comparison),
        "figures": [asdict(figure) for figure in comparison.figures],
        "differences": [
            asdict(d) | {"beyond_noise": d.beyond_noise} for d in comparison.differences
        ],
        "not_comparable": [asdict(pair) for pair in comparison.apart],
    }


def row_of(entry: Entry, comparison: Comparison) -> dict[str, Any]:
    """Return the row of one run, or of an entry of several; see `rows`."""
    runs, first = entry.runs, entry.runs[0]
    speeds = [run.speed for run in runs]
    found: dict[str, Any] = {
        "name": entry.name,
        "runs": len(runs),
        "seed": " ".join(run.seed for run in runs),
        "split_hash": first.split_hash,
        "parameters": first.size.parameters,
        "macs": first.size.macs,
        "bytes": first.bytes,
        "p50_ms": _mean([None if s is None else s.p50 for s in speeds], 3),
        "p95_ms": _mean([None if s is None else s.p95 for s in speeds], 3),
        "seconds_an_epoch": _mean([run.seconds for run in runs], 1),
        "epochs": _mean([run.epochs for run in runs], 1),
        "best_epoch": _mean([run.best_epoch for run in runs], 1),
        "minutes": _mean([run.minutes for run in runs], 1),
    }
    for task, name in dict.fromkeys((f.task, f.name) for f in comparison.figures):
        figure: Figure | Metric | None = first.metric(task, name)
        if len(runs) > 1:
            figure = comparison.figure(entry.name, task, name)
        column = f"{task}.{name}"
        for part, ending in (("value", ""), ("low", ".low"), ("high", ".high")):
            found[f"{column}{ending}"] = _rounded(getattr(figure, part, None))
        found[f"{column}.spread"] = _rounded(getattr(figure, "spread", None))
    return found


def _mean(values: Sequence[float | None], digits: int) -> float | str:
    """Return the mean; empty where one is not known."""
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known:
        return ""
    mean = round(sum(known) / len(known), digits)
    return int(mean) if mean == int(mean) else mean


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 5)
