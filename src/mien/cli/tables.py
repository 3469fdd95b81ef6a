"""Measured figures as lines of text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.evaluation.evaluate import Evaluation

_HEADLINES = {
    "mae": "MAE {:.2f} years",
    "coverage": "90 % intervals hold {:.1%}",
    "width": "their mean width is {:.1f} years",
    "accuracy": "accuracy {:.1%}",
    "balanced_accuracy": "balanced {:.1%}",
    "calibration_error": "calibration error {:.1%}",
}


def headline(result: "Evaluation") -> str:
    """Return one line a task: its main figures over all pictures."""
    lines: dict[str, list[str]] = {}
    for metric in result.metrics:
        if metric.by or metric.name not in _HEADLINES:
            continue
        parts = lines.setdefault(metric.task, [f"{metric.pictures:,} pictures"])
        parts.append(_HEADLINES[metric.name].format(metric.value))
    width = max(map(len, lines))
    return "\n".join(f"{task:<{width}}  {', '.join(parts)}" for task, parts in lines.items())
