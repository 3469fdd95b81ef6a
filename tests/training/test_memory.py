"""Memory kept between steps: pages are cleared once, not at every allocation."""

import platform
import subprocess
import sys

import pytest

from mien.training.memory import keep_memory

SCRIPT = """
import resource
import numpy as np
from mien.training.memory import keep_memory

def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        np.ones(16 * 2**20, np.uint8)
        np.ones(64 * 2**20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults(5)
kept = keep_memory()
faults(1)
print(kept, before, faults(5))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to")
def test_pages_are_asked_for_once() -> None:
    # In a process of its own: what is told to the C library holds for a whole process.
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    kept, before, after = said.stdout.split()
    assert kept == "True"
    assert int(after) < int(before) / 5


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: None) -> object:
        raise TypeError(name)

    monkeypatch.setattr("ctypes.CDLL", none)
    assert not keep_memory()
