"""Coloured pictures, and features of them that are as simple as their mean colours."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mien.classic.extract import extract
from mien.classic.extractor import of_model
from mien.classic.store import Features, read
from mien.data.manifest import Manifest, Sample
from mien.data.sources.reading import Skipped
from tests.labelled import noise, sample_of, save
from tests.tiny import colour_card, model_bytes

PARTS = ("train", "train", "train", "validation", "test")
COLOURS = ("red", "green", "blue")


def coloured(folder: Path, count: int = 60, **more: Sequence[str]) -> Manifest:
    """Write pictures in which one colour is strongest, and return their manifest.

    Args:
        folder: Where to.
        count: How many.
        more: Further labels, one a picture.
    """
    samples: list[Sample] = []
    for number in range(count):
        pixels = noise(number, 20, 24) // 2
        pixels[:, :, number % 3] += 30
        path = save(folder / f"{number}.bmp", np.asarray(pixels, np.uint8))
        labels = {"colour": COLOURS[number % 3]}
        labels |= {name: values[number] for name, values in more.items()}
        samples.append(sample_of(path, labels, PARTS[number // 3 % len(PARTS)]))
    return Manifest(tuple(samples))


def colour_model(folder: Path) -> Path:
    """Write a model file whose features are the mean red, green and blue, 0 to 1."""
    path = folder / "colour.onnx"
    path.write_bytes(model_bytes(colour_card()))
    return path


def features_of(manifest: Manifest, folder: Path) -> Features:
    """Return the stored features of a manifest's pictures."""
    path = folder / "features.safetensors"
    extract(of_model(str(colour_model(folder))), manifest, path, Skipped(), threads=1)
    return read(path)


def made_up(
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    labels: Sequence[Mapping[str, str]],
    parts: Sequence[str],
    features: Features,
) -> Features:
    """Return other features with their labels, said to be of the same network."""
    samples = tuple(
        Sample(Path(f"{number}.png"), "s", f"{number}", part, dict(known))
        for number, (known, part) in enumerate(zip(labels, parts, strict=True))
    )
    done = np.ones(len(rows), np.bool_)
    origin = features.origin.model_copy(update={"shape": (rows.shape[1],)})
    return Features(rows, done, Manifest(samples), origin, features.network, "d", "s")
