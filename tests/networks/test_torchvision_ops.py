"""torchvision can be imported, also where its compiled operators do not fit, and failed before."""

import subprocess
import sys

from mien.networks.torchvision_ops import ensure_importable

AFTER_A_FAILURE = """
try:
    import torchvision
except RuntimeError:
    pass
from mien.networks.torchvision_ops import ensure_importable
ensure_importable()
ensure_importable()
import torch, torchvision
from torchvision.transforms import v2
pixels = v2.functional.hflip(torch.arange(6).view(1, 2, 3))
print(pixels[0, 0].tolist())
"""


def test_it_can_be_imported_after_it_failed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AFTER_A_FAILURE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[2, 1, 0]"


def test_calling_it_again_changes_nothing() -> None:
    ensure_importable()
    import torchvision

    before = torchvision
    ensure_importable()
    assert sys.modules["torchvision"] is before
