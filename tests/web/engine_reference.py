"""What Python says of some photographs, for the engine in the browser to say the same."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien import Analyzer, ages
from mien.faces import detector_file, view_of
from mien.images import load
from mien.model import find
from mien.pixels import affine, block_mean, sample
from mien.serve.catalogue import File
from mien.serve.schemas import ModelSummary, picture_result
from tests.photos import HOPPER, astronaut

BOX_PIXELS: Final = 2.0
AGE_YEARS: Final = 0.5
PROBABILITY: Final = 0.02
MODEL: Final = "face"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Photo:
    """A photograph, and what Python reads from it.

    Attributes:
        name: Its name.
        pixels: H x W x 3, RGB.
        faces: Its faces as in the service's answer.
        crops: Each face's crop.
    """

    name: str
    pixels: Pixels
    faces: list[dict[str, Any]]
    crops: list[Pixels]


def photographs() -> list[Photo]:
    """Return photographs of faces at several sizes and turns, a collage, and one without a face."""
    analyzer = Analyzer(MODEL, threads=1, tasks=task_names())
    return [_read(analyzer, name, pixels) for name, pixels in _pictures().items()]


def task_names() -> list[str]:
    """Return the names of all tasks of the model."""
    return [task.name for task in Analyzer(MODEL, threads=1).model.card.tasks]


def _pictures() -> dict[str, Pixels]:
    portrait = Image.fromarray(astronaut())
    pictures = {"plain": portrait, "collage": _collage(portrait)}
    for side in (200, 333, 900, 1700):
        pictures[f"side-{side}"] = portrait.resize((side, side), Image.Resampling.BICUBIC)
    for angle in (-35, 20):
        turned = portrait.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(90, 110, 70))
        pictures[f"turned-{angle}"] = turned
    pictures["border"] = portrait.crop((190, 40, 420, 330))
    pictures["nobody"] = portrait.crop((0, 330, 150, 512))
    return {name: np.asarray(picture, np.uint8) for name, picture in pictures.items()}


def _collage(portrait: Image.Image) -> Image.Image:
    """Return 1000 x 700 pixels with two people's faces, most of them small."""
    one, other = portrait.crop((120, 20, 330, 230)), Image.open(HOPPER).crop((130, 80, 410, 380))
    collage = Image.new("RGB", (1000, 700), (70, 90, 110))
    places = [(one, 60, 30, 40), (other, 75, 200, 60), (one, 130, 380, 30), (other, 210, 600, 20)]
    places += [(one, 90, 60, 300), (other, 120, 250, 330), (one, 260, 480, 350)]
    for face, side, left, top in places:
        collage.paste(face.resize((side, side), Image.Resampling.LANCZOS), (left, top))
    return collage


def _read(analyzer: Analyzer, name: str, pixels: Pixels) -> Photo:
    card = analyzer.model.card
    (reading,) = analyzer.read([pixels])
    result = picture_result(reading, card, [task.name for task in analyzer.tasks])
    views = [
        view_of(found.face, card.input.landmarks)
        for found in reading.faces
        if found.face is not None
    ]
    crops = [sample(load(pixels).pixels, view, card.input.size) for view in views]
    faces = [face.model_dump(mode="json") for face in result.faces]
    return Photo(name, pixels, faces, crops)


def write(folder: Path, photos: list[Photo]) -> None:
    """Write the photographs, the networks, and what Python makes of them, for node to read."""
    (folder / "detector.onnx").write_bytes(detector_file())
    (folder / "model.onnx").write_bytes(find(MODEL).read_bytes())
    reference = {
        "tolerances": {"box": BOX_PIXELS, "age": AGE_YEARS, "probability": PROBABILITY},
        "summary": json.loads(_summary().model_dump_json()),
        "tasks": task_names(),
        "photos": [_written(folder, photo) for photo in photos],
        "means": _means(folder),
        "affines": _affines(folder),
        "ages": _ages(),
    }
    (folder / "reference.json").write_text(json.dumps(reference))


def _summary() -> ModelSummary:
    file = File.of(find(MODEL).read_bytes())
    return ModelSummary(
        name=MODEL,
        kind="face",
        bytes=len(file.data),
        sha256=file.digest,
        file=f"/v1/models/{MODEL}/file",
        small=None,
        card=Analyzer(MODEL, threads=1).model.card,
    )


def _written(folder: Path, photo: Photo) -> dict[str, Any]:
    crops = [_raw(folder, f"{photo.name}-{n}", crop) for n, crop in enumerate(photo.crops)]
    picture = _raw(folder, photo.name, photo.pixels)
    return {"name": photo.name, "picture": picture, "faces": photo.faces, "crops": crops}


def _raw(folder: Path, name: str, pixels: Pixels) -> dict[str, Any]:
    """Write RGB bytes; say where they are, and their size."""
    (folder / f"{name}.rgb").write_bytes(pixels.tobytes())
    return {"file": f"{name}.rgb", "width": pixels.shape[1], "height": pixels.shape[0]}


def _means(folder: Path) -> list[dict[str, Any]]:
    """Return noise of odd sizes, shrunk by several factors."""
    random = np.random.default_rng(1)
    cases = [(37, 53, 2), (37, 53, 3), (64, 40, 4), (99, 100, 5), (61, 75, 6), (90, 131, 7)]
    cases += [(1, 9, 2), (3, 50, 4), (200, 210, 16)]
    found = []
    for number, (height, width, factor) in enumerate(cases):
        image = random.integers(0, 256, (height, width, 3), np.uint8)
        found.append(
            {
                "factor": factor,
                "from": _raw(folder, f"mean-{number}-from", image),
                "to": _raw(folder, f"mean-{number}-to", block_mean(image, factor)),
            }
        )
    return found


def _affines(folder: Path) -> list[dict[str, Any]]:
    """Return noise, turned, scaled and shifted, partly out of the picture."""
    random = np.random.default_rng(2)
    found = []
    for number in range(12):
        image = random.integers(0, 256, (*random.integers(1, 90, 2), 3), np.uint8)
        angle, scale = random.uniform(-3, 3), random.uniform(0.2, 2.2)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([turn, random.uniform(-30, 60, 2)])
        made = affine(image, matrix, 48, 40)
        found.append(
            {
                "matrix": matrix.ravel().tolist(),
                "from": _raw(folder, f"affine-{number}-from", image),
                "to": _raw(folder, f"affine-{number}-to", made),
            }
        )
    return found


def _ages() -> list[dict[str, Any]]:
    """Return distributions, and what Python reads from them by the model's margins."""
    random = np.random.default_rng(3)
    peaked = random.dirichlet(np.full(101, 0.05), 20).astype(np.float32)
    margins = Analyzer(MODEL, threads=1).model.card.task("age").intervals
    return [
        {
            "distribution": distribution.tolist(),
            "years": age.years,
            "low": age.low,
            "high": age.high,
            "group": age.group,
        }
        for distribution, age in zip(peaked, ages.read(peaked, margins), strict=True)
    ]
