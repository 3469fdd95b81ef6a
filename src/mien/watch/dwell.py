"""How long people stay, as counts in buckets that grow by a fixed ratio.

The buckets add up over hours and areas, and every quantile comes within 2 % (DDSketch: Masson et
al. 2019).
"""

import math
from collections.abc import Mapping
from typing import Final

ACCURACY: Final = 0.02
"""How far a quantile may be off, as a share of it."""

_RATIO: Final = (1 + ACCURACY) / (1 - ACCURACY)
_SHORTEST: Final = 0.05


def bucket(seconds: float) -> int:
    """Return the bucket of a stay; stays too short for a frame's time share one."""
    return math.ceil(math.log(max(seconds, _SHORTEST)) / math.log(_RATIO))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the stay, in seconds, that `share` of the stays do not exceed; None without any."""
    wanted, below = share * sum(counts.values()), 0
    for number in sorted(counts):
        below += counts[number]
        if below >= wanted:
            # Within the bucket's ends by the same ratio.
            return float(2 * _RATIO**number / (_RATIO + 1))
    return None
