"""Memory that a training would give back to the system at every step, kept instead."""

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_MAX: Final = -4
"""Parameters of glibc's mallopt, by the numbers of its malloc.h."""

_ASKED: Final = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28))


def keep_memory() -> bool:
    """Have the C library keep what a step frees, for the next one will ask for as much.

    glibc gives large blocks back to the system as soon as they are freed, and the system clears
    each page before it hands it out once more: up to a quarter of a step's time on processors (see
    docs/experiments.md; PyTorch's tuning guide advises another allocator for the same reason).
    What is kept is what the process took at its highest.

    Returns:
        Whether the C library does so now; others than glibc are left as they are.
    """
    try:
        change = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(change(name, value) for name, value in _ASKED)
