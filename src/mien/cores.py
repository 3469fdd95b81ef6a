"""How many processor cores there are to use."""

import os
from math import ceil
from pathlib import Path
from typing import Final

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def usable(quota: Path = _QUOTA) -> int:
    """Return how many cores this process may use, at least 1.

    A container that may use two of sixty-four cores still sees all of them; with a thread for each
    they would only be in each other's way, each with a picture in memory.

    Args:
        quota: Where Linux tells the share of a container: microseconds of time, and in how many.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        share, period = map(int, quota.read_text().split())
        return max(1, min(cores, ceil(share / period)))
    except (OSError, ValueError, ZeroDivisionError):
        # There is no limit ("max"), or no such thing on this system.
        return cores
