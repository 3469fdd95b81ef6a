"""Measured figures as lines of text."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mien.evaluation.result import Evaluation
    from mien.training.history import Row

_HEADLINES: Final = {
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
    width = max(map(len, lines), default=0)
    return "\n".join(f"{task:<{width}}  {', '.join(parts)}" for task, parts in lines.items())


def epoch_line(row: "Row", epochs: int) -> str:
    """Return one line on an epoch: losses, and each task's headline figure on validation."""
    figures = []
    for key, value in row.items():
        part, _, rest = key.partition("/")
        task, _, figure = rest.partition("/")
        if part == "validation" and figure in ("mae", "accuracy"):
            figures.append(f"{task} {_HEADLINES[figure].format(float(value))}")
    losses = f"loss {float(row['loss']):.3f}, validation {float(row['validation/loss']):.3f}"
    return ", ".join([f"epoch {row['epoch']} of {epochs}: {losses}", *figures])
