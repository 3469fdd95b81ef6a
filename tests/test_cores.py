"""How many cores a process may use, also in a container."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.cores import usable


@pytest.mark.parametrize(
    ("told", "cores"),
    [("100000 100000\n", 1), ("5000 100000\n", 1), ("max 100000\n", None), ("odd", None)],
)
def test_a_containers_share_is_the_limit(tmp_path: Path, told: str, cores: int | None) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(told)
    assert usable(quota) == (cores or usable(tmp_path / "none"))


def test_a_share_may_be_larger_than_what_there_is(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("99900000 100000\n")
    assert usable(quota) == usable(tmp_path / "none") <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_cores_that_a_process_is_bound_to() -> None:
    script = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from mien.cores import usable; assert usable() == 1"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
