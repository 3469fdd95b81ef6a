"""An evaluation's figures in plain words, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mien.card import Confusion, Metric
from mien.evaluation.confusions import apart, largest
from mien.evaluation.result import AgeFigures, Reliability, WidthFigure

FEW: Final = 30
"""Groups of fewer pictures are not called the best or the worst."""

HEADLINES: Final = ("accuracy", "mae", "in_interval")
"""The figures that stand for a whole task: the first that was measured."""

_PERCENT: Final = " %"
_TENTHS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_AS_GOOD: Final = 0.03


@dataclass(frozen=True)
class Wording:
    """How a figure is told.

    Attributes:
        label: Its name in plain words.
        kind: Whether it is a share, shown in percent, or a number.
        better: Whether lower or higher values are better; "none" where neither is.
    """

    label: str
    kind: Literal["share", "number", "signed"] = "number"
    better: Literal["low", "high", "none"] = "none"


_FIGURES: Final = {
    "mae": Wording("mean error", better="low"),
    "median": Wording("half of all errors are below", better="low"),
    "within5": Wording("off by 5 years or less", "share", "high"),
    "rmse": Wording("root of the mean squared error", better="low"),
    "r2": Wording("explained variance", "share", "high"),
    "in_interval": Wording("estimates within the labelled range", "share", "high"),
    "bias": Wording("mean of estimate minus truth", "signed"),
    "coverage": Wording("intervals that hold the truth", "share"),
    "width": Wording("mean width of the interval", better="low"),
    "accuracy": Wording("right answers", "share", "high"),
    "balanced_accuracy": Wording("right answers, every class counted alike", "share", "high"),
    "macro_precision": Wording("mean precision of the classes", "share", "high"),
    "macro_f1": Wording("mean F1 of the classes", "share", "high"),
    "calibration_error": Wording("gap between confidence and right answers", "share", "low"),
}


def wording(name: str) -> Wording:
    """Return how a figure is told; one that is not known, by its own name."""
    return _FIGURES.get(name, Wording(name.replace("_", " ")))


def counted(kind: str, unit: str) -> str:
    """Return what a task's numbers count: its unit, and of ages years."""
    return unit or ("years" if kind == "age" else "")


def title(name: str) -> str:
    """Return the name of a task or a grouping as people write it."""
    return name.replace("_", " ")


def number(name: str, value: float, unit: str = "") -> str:
    """Return a figure's value: "91.5 %", "5.0 years", "+0.3 years"."""
    kind = wording(name).kind
    if kind == "share":
        return f"{100 * value:.1f}{_PERCENT}"
    sign = "+" if kind == "signed" else ""
    # Two digits of a very small one, which would be 0.0.
    form = ".2g" if 0 < abs(value) < 0.095 else ".1f"
    digits = f"{value:{sign}{form}}".replace("-", "\N{MINUS SIGN}")
    return f"{digits} {unit}".rstrip()


def span(name: str, low: float | None, high: float | None) -> str:
    """Return an interval, "4.7 to 5.2"; empty where there is none."""
    if low is None or high is None:
        return ""
    ends = (number(name, end).removesuffix(_PERCENT) for end in (low, high))
    return " to ".join(ends) + (_PERCENT if wording(name).kind == "share" else "")


def with_span(metric: Metric, unit: str = "") -> str:
    """Return a figure with its interval: "5.0 years (4.7 to 5.2)"."""
    interval = span(metric.name, metric.low, metric.high)
    return number(metric.name, metric.value, unit) + (f" ({interval})" if interval else "")


def headline(figures: dict[str, Metric], noun: str, unit: str = "") -> str:
    """Say in a sentence what a task's figures over all pictures come to.

    Args:
        figures: Name -> figure.
        noun: What was read: "faces" or "pictures".
        unit: What an error counts, "years" for an age.
    """
    if "accuracy" in figures:
        return _told_right(figures, noun)
    if "mae" not in figures and "in_interval" in figures:
        inside = figures["in_interval"]
        return f"Within the labelled range for {100 * inside.value:.0f} of 100 {noun}" + (
            f"{_brackets(inside)}."
        )
    if "mae" not in figures:
        return ""
    mae = figures["mae"]
    said = f"Off by {number('mae', mae.value, unit)} on average{_brackets(mae)}"
    if "coverage" in figures:
        said += f"; {_held(figures['coverage'])}"
    return f"{said}."


def gap(metrics: Sequence[Metric], by: str, unit: str = "") -> str:
    """Name the best and the worst group, and how far they lie apart; empty for fewer than two.

    Args:
        metrics: One figure of every group.
        by: What the groups are, "race" for example.
        unit: What the figure counts.
    """
    ends = extremes(metrics)
    if ends is None:
        return ""
    best, worst = ends
    name, difference = best.name, abs(best.value - worst.value)
    apart = f"{100 * difference:.1f} points" if wording(name).kind == "share" else ""
    return (
        f"By {title(by)}: best for {best.group} ({number(name, best.value, unit)}), worst for "
        f"{worst.group} ({number(name, worst.value, unit)}), a gap of "
        f"{apart or number(name, difference, unit)}{_overlap(best, worst)}."
    )


def extremes(metrics: Sequence[Metric]) -> tuple[Metric, Metric] | None:
    """Return the figures of the best and of the worst group; None for fewer than two groups.

    Args:
        metrics: One figure of every group; groups of few pictures are passed over.
    """
    large = [metric for metric in metrics if metric.pictures >= FEW]
    if len(large) < 2 or wording(large[0].name).better == "none":
        return None
    best, worst = sorted(large, key=lambda metric: (metric.value, metric.group))[:: len(large) - 1]
    return (worst, best) if wording(best.name).better == "high" else (best, worst)


def mistakes(matrix: Confusion, count: int = 5) -> list[str]:
    """Tell the mistakes that the largest shares of their classes suffer, the largest first."""
    return [
        f"“{mistake.truth}” is taken for “{mistake.said}” {_times(mistake.pictures)}, "
        f"{100 * mistake.share:.0f}{_PERCENT} of its pictures"
        for mistake in largest(matrix, count)
    ]


def told_apart(matrix: Confusion, count: int = 3) -> list[str]:
    """Tell the groups of classes that are never, or rarely, taken for one another."""
    told = []
    for pair in apart(matrix)[:count]:
        first, second = (" or ".join(labels) for labels in (pair.first, pair.second))
        often = f"only {_times(pair.mistakes)}" if pair.mistakes else "never"
        told.append(
            f"Told apart: {first} from {second}, {often} mixed up in {pair.pictures:,} pictures"
        )
    return told


def calibrated(curve: Reliability) -> str:
    """Say whether a classification is as often right as it is sure."""
    pictures = sum(curve.counts)
    weighted = zip(curve.confidence, curve.accuracy, curve.counts, strict=True)
    excess = sum((sure - right) * count for sure, right, count in weighted) / max(1, pictures)
    if abs(excess) < _AS_GOOD:
        return "On average it is right about as often as it is sure."
    more, less = ("surer", "is right less") if excess > 0 else ("less sure", "is right more")
    return f"It is {more} than it should be: it {less} often by {100 * abs(excess):.0f} points."


def biased(ages: AgeFigures) -> str:
    """Say at which ages estimates lie too high, and at which too low."""
    decades = [decade for decade in ages.decades if decade.pictures >= FEW]
    if not decades:
        return ""
    told = []
    for word, chosen in (
        ("too old", max(decades, key=lambda decade: decade.bias)),
        ("too young", min(decades, key=lambda decade: decade.bias)),
    ):
        if abs(chosen.bias) >= 1 and (chosen.bias > 0) == (word == "too old"):
            years = f"{abs(chosen.bias):.1f} years {word}"
            told.append(f"at {chosen.from_age} to {chosen.from_age + 9} by {years}")
    if not told:
        return "In no decade do estimates lie a year too high or too low on average."
    return f"Estimates err most {', and '.join(told)}, on average."


def over_widths(figures: Sequence[WidthFigure], unit: str = "") -> str:
    """Compare the narrowest and the widest faces."""
    narrow, wide = figures[0], figures[-1]
    return (
        f"{_at_width(narrow, unit)}; {_at_width(wide, unit)}."
        if len(figures) > 1
        else f"{_at_width(narrow, unit)}."
    )


def _told_right(figures: dict[str, Metric], noun: str) -> str:
    accuracy = figures["accuracy"]
    said = f"Right for {100 * accuracy.value:.0f} of 100 {noun}{_brackets(accuracy)}"
    balanced = figures.get("balanced_accuracy")
    if balanced is not None and abs(balanced.value - accuracy.value) > _AS_GOOD:
        said += f"; counting every class alike, for {100 * balanced.value:.0f} of 100"
        said += _brackets(balanced)
    return f"{said}."


def _held(coverage: Metric) -> str:
    share = coverage.value
    if share >= 0.95:
        often = "nearly always"
    elif share < 0.05:
        often = "hardly ever"
    else:
        often = f"{_TENTHS[max(1, min(9, round(10 * share))) - 1]} of ten times"
    interval = span("coverage", coverage.low, coverage.high)
    exact = number("coverage", share) + (f", {interval}" if interval else "")
    return f"{often} the truth lies in the interval it gives ({exact})"


def _brackets(metric: Metric) -> str:
    interval = span(metric.name, metric.low, metric.high)
    return f" ({interval})" if interval else ""


def _overlap(best: Metric, worst: Metric) -> str:
    if None in (best.low, best.high, worst.low, worst.high):
        return ""
    ends = sorted([(best.low or 0, best.high or 0), (worst.low or 0, worst.high or 0)])
    if ends[0][1] < ends[1][0]:
        return "; their intervals do not overlap"
    return "; their intervals overlap, so it may be chance"


def _at_width(figure: WidthFigure, unit: str) -> str:
    value = number(figure.name, figure.value, unit)
    interval = span(figure.name, figure.low, figure.high)
    told = f"mean error {value}" if figure.name == "mae" else f"{value} right"
    return f"{figure.width} pixels wide: {told} ({interval})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
