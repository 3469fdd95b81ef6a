"""What a run folder notes of where and on what its run was begun."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import mien
from mien.data.manifest import Manifest
from mien.errors import RecipeError
from mien.files import atomic_write

NAME: Final = "environment.json"
LAYOUT: Final = 1
"""Raised whenever a run folder of before could not be resumed as it lies."""

_PACKAGES: Final = ("torch", "timm", "pytorch-lightning", "numpy", "opencv-python-headless", "onnx")


def write(folder: Path, manifest: Manifest) -> None:
    """Note versions, machine and data in a run folder.

    Raises:
        OutputError: The file cannot be written.
    """
    found = {
        "layout": LAYOUT,
        "mien": mien.__version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "data_fingerprint": manifest.fingerprint,
        "split_hash": manifest.split_hash,
    }
    with atomic_write(folder / NAME) as file:
        json.dump(found, file, indent=2)


def check(folder: Path) -> None:
    """Check that a run was begun by a mien whose run folders are like this one's.

    Raises:
        RecipeError: It was not.
    """
    try:
        found = json.loads((folder / NAME).read_bytes())
        layout, made_by = found["layout"], found["mien"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            f"{folder}: its run cannot be resumed, for {NAME} is missing or damaged; start another"
        ) from error
    if layout != LAYOUT:
        raise RecipeError(
            f"{folder}: its run was begun by mien {made_by!s:.20}, whose run folders (layout "
            f"{layout!s:.10}) this mien {mien.__version__} (layout {LAYOUT}) cannot resume; "
            "resume it with that version, or start another run"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
