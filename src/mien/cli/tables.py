"""Measured figures as lines of text."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mien.evaluation.result import Evaluation, Gap
    from mien.training.history import Row

_HEADLINES: Final = {
    "coverage": "90 % intervals hold {:.1%}",
    "accuracy": "accuracy {:.1%}",
    "balanced_accuracy": "balanced {:.1%}",
    "calibration_error": "calibration error {:.1%}",
}
_IN_UNITS: Final = ("mae", "width")


def amount(value: float) -> str:
    """Return a number in units of its own: two decimals, or two digits of a very small one."""
    return f"{value:.2g}" if 0 < abs(value) < 0.095 else f"{value:.2f}"


def _told(name: str, value: float, unit: str) -> str:
    if name == "mae":
        return f"MAE {amount(value)} {unit}".rstrip()
    if name == "width":
        return f"their mean width is {value:.1f} {unit}".rstrip()
    return _HEADLINES[name].format(value)


def headline(result: "Evaluation", units: "Mapping[str, str]") -> str:
    """Return one line a task: its main figures over all pictures.

    Args:
        result: What was measured.
        units: Task -> what its numbers count.
    """
    lines: dict[str, list[str]] = {}
    for metric in result.metrics:
        if metric.by or metric.name not in (*_HEADLINES, *_IN_UNITS):
            continue
        parts = lines.setdefault(metric.task, [f"{metric.pictures:,} pictures"])
        parts.append(_told(metric.name, metric.value, units.get(metric.task, "")))
    width = max(map(len, lines), default=0)
    return "\n".join(f"{task:<{width}}  {', '.join(parts)}" for task, parts in lines.items())


GAPS: Final = "Gap between the best and the worst group"


def gap_rows(gaps: "Iterable[Gap]") -> "Iterator[dict[str, str]]":
    """Yield one row a gap between groups."""
    from mien.evaluation.wording import number, wording

    def told(gap: "Gap", value: float) -> str:
        # The difference of two shares is told in points of a hundred.
        points = wording(gap.name).kind == "share"
        return f"{100 * value:.1f} points" if points else number(gap.name, value)

    for gap in gaps:
        interval = ""
        if gap.low is not None and gap.high is not None:
            interval = f"{told(gap, gap.low).removesuffix(' points')} to {told(gap, gap.high)}"
        yield {
            "task": gap.task,
            "figure": wording(gap.name).label,
            "by": gap.by.replace("_", " "),
            "best": gap.best,
            "worst": gap.worst,
            "gap": told(gap, gap.value),
            "95 % interval": interval,
        }


def epoch_line(row: "Row", epochs: int, units: "Mapping[str, str]") -> str:
    """Return one line on an epoch: losses, and each task's headline figure on validation."""
    figures = []
    for key, value in row.items():
        part, _, rest = key.partition("/")
        task, _, figure = rest.partition("/")
        if part == "validation" and figure in ("mae", "accuracy"):
            figures.append(f"{task} {_told(figure, float(value), units.get(task, ''))}")
    losses = f"loss {float(row['loss']):.3f}, validation {float(row['validation/loss']):.3f}"
    return ", ".join([f"epoch {row['epoch']} of {epochs}: {losses}", *figures])
