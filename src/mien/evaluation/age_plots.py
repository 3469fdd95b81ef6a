"""Charts of ages: estimates against the truth."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from mien.evaluation.canvas import ACCENT, COLUMN, DOT, FAINT, Form, one


def age_scatter(
    truth: ArrayLike, estimate: ArrayLike, low: ArrayLike, high: ArrayLike, *, form: Form = "svg"
) -> bytes:
    """Draw estimated ages against true ones, with the diagonal and the usual interval.

    Args:
        truth: N ages in years.
        estimate: N estimates.
        low: N lower ends of the intervals.
        high: N upper ends.
        form: "png" or "svg".
    """
    ages = [np.asarray(values, np.float64) for values in (truth, estimate, low, high)]
    return one(lambda axes: _draw_ages(axes, *ages), COLUMN, 3.8, form)


def _draw_ages(
    axes: Axes,
    truth: NDArray[np.float64],
    estimate: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    centres, lows, highs = _usual_interval(truth, low, high)
    axes.fill_between(
        centres, lows, highs, color=ACCENT, alpha=0.13, linewidth=0, label="usual interval"
    )
    # As pixels also within an SVG: thousands of points would make it heavy.
    axes.scatter(
        truth,
        estimate,
        s=7,
        color=DOT,
        alpha=min(0.7, max(0.2, 500 / max(1, len(truth)))),
        linewidths=0,
        rasterized=True,
    )
    end = 5 * np.ceil(max(truth.max(), estimate.max(), 20) / 5)
    axes.plot((0, end), (0, end), color=FAINT, linewidth=1, dashes=(3, 3))
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal")
    axes.set_xlabel("true age in years")
    axes.set_ylabel("estimated age in years")
    if len(centres):
        axes.legend(loc="upper left")


def _usual_interval(
    truth: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[list[float], list[float], list[float]]:
    """Return the medians of both ends by every five years of true age that hold five pictures."""
    fives = np.floor(truth / 5).astype(int)
    known = [five for five in np.unique(fives) if (fives == five).sum() >= 5]
    return (
        [float(truth[fives == five].mean()) for five in known],
        [float(np.median(low[fives == five])) for five in known],
        [float(np.median(high[fives == five])) for five in known],
    )
