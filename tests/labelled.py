"""Labelled pictures made on the spot: files, samples and manifests of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.data.manifest import Manifest, Sample
from mien.data.sources.reading import fingerprint


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a picture, H x W or H x W x 3, in the format of its suffix; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def noise(seed: int, height: int = 12, width: int = 12) -> NDArray[np.uint8]:
    """Return a picture unlike that of any other seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def sample_of(
    path: Path, labels: Mapping[str, str] | None = None, split: str = "", source: str = "s"
) -> Sample:
    """Return the sample of a picture that lies on disk."""
    return Sample(path, source, fingerprint(path), split, dict(labels or {}))


def manifest_of(
    folder: Path, *pictures: NDArray[np.uint8], labels: Mapping[str, str] | None = None
) -> Manifest:
    """Save pictures without loss, and return their manifest; all have the same labels."""
    paths = [save(folder / f"{number}.bmp", pixels) for number, pixels in enumerate(pictures)]
    return Manifest(tuple(sample_of(path, labels) for path in paths))
