"""Photographs that installed packages ship, for tests on real faces."""

from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import skimage.data
from numpy.typing import NDArray

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
"""512 x 600 JPEG, with one face at about x 183, y 120, 170 wide and 212 high."""


@cache
def astronaut() -> NDArray[np.uint8]:
    """Return 512 x 512 x 3 RGB with one face at about x 178, y 63, 90 wide and 113 high."""
    data: Any = skimage.data
    return np.asarray(data.astronaut(), np.uint8)
