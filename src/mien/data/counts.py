"""How many pictures each label has in each part, and the bar chart of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mien.data.groups import groupings
from mien.data.manifest import SPLITS, Manifest
from mien.errors import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_PART: Final = "no part"
COLOURS: Final = {
    "train": "#2468b2",
    "validation": "#8fb4dc",
    "test": "#b3541e",
    NO_PART: "#9aa2a9",
}
MOST: Final = 40
"""Labels of one task that a chart shows."""

_LONGEST: Final = 24
_LINE: Final = 0.22
_HEAD: Final = 0.6
_WIDTH: Final = 7.5


@dataclass(frozen=True)
class Count:
    """The pictures of one label (or group of ages) of one task, by part."""

    task: str
    label: str
    parts: dict[str, int]

    @property
    def total(self) -> int:
        """The pictures of all parts."""
        return sum(self.parts.values())


def count(manifest: Manifest) -> list[Count]:
    """Count the pictures of each label by part; ages and other numbers by groups of them."""
    names = parts(manifest)
    found = []
    for grouping in groupings(manifest):
        pairs = Counter((grouping.of(s), s.split or NO_PART) for s in manifest.samples)
        found += [
            Count(grouping.task, label, {name: pairs[label, name] for name in names})
            for label in grouping.names
        ]
    return found


def parts(manifest: Manifest) -> list[str]:
    """Return the parts that hold pictures, in their usual order."""
    have = {sample.split or NO_PART for sample in manifest.samples}
    return [name for name in (*SPLITS, NO_PART) if name in have]


def condensed(counts: Sequence[Count], most: int = MOST) -> list[Count]:
    """Return at most so many labels a task: the largest, and the rest as one."""
    found: list[Count] = []
    for task in dict.fromkeys(one.task for one in counts):
        row = [one for one in counts if one.task == task]
        small = sorted(row, key=lambda one: -one.total)[most - 1 :] if len(row) > most else []
        found += [one for one in row if one not in small]
        if small:
            sums = {part: sum(one.parts[part] for one in small) for part in small[0].parts}
            found.append(Count(task, f"{len(small):,} more labels", sums))
    return found


def as_dict(counts: Sequence[Count]) -> dict[str, dict[str, dict[str, int]]]:
    """Return task -> label -> part -> pictures, ready for JSON."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for one in counts:
        found.setdefault(one.task, {})[one.label] = one.parts
    return found


def size_of_chart(counts: Sequence[Count]) -> tuple[float, float]:
    """Return width and height, in inches, of a figure that `draw` fills well."""
    tasks = {one.task for one in counts}
    return _WIDTH, max(1.5, _LINE * len(counts) + _HEAD * (len(tasks) + 1))


def draw(figure: "Figure", counts: Sequence[Count]) -> None:
    """Draw the counts as bars, one chart a task, the parts in colours."""
    tasks = list(dict.fromkeys(one.task for one in counts))
    rows = [[one for one in counts if one.task == task] for task in tasks]
    charts = figure.subplots(
        len(tasks), 1, squeeze=False, height_ratios=[len(row) * _LINE + _HEAD for row in rows]
    )[:, 0]
    for chart, task, row in zip(charts, tasks, rows, strict=True):
        _draw_task(chart, task, row)
    handles, names = charts[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names))


def _draw_task(chart: Any, task: str, row: Sequence[Count]) -> None:
    lines = range(len(row))
    left = [0] * len(row)
    for part in row[0].parts:
        widths = [one.parts[part] for one in row]
        chart.barh(lines, widths, left=left, color=COLOURS[part], label=part, height=0.75)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for line, one in zip(lines, row, strict=True):
        chart.text(one.total, line, f" {one.total:,}", va="center", fontsize=8)
    chart.set_yticks(lines, [_shown(one.label) for one in row])
    chart.invert_yaxis()
    chart.grid(visible=False, axis="y")
    chart.margins(x=0.12, y=0.02)
    chart.set_title(f"{_shown(task)}: pictures")


def _shown(text: str) -> str:
    plain = printable(text)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
