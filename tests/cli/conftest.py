"""What the tests of the command line share: the command itself, pictures and model files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from typer.testing import CliRunner

from mien.cli import app
from tests.runs import RECIPE, toy_manifest
from tests.tiny import colour_card, face_card, model_bytes


class Outcome(NamedTuple):
    """What a command left: its exit status, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


Mien = Callable[..., Outcome]


@pytest.fixture
def mien(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mien:
    """Run the command line inside an empty folder."""
    monkeypatch.chdir(tmp_path)
    # Otherwise the boxes around usage errors would break lines, and bear colours on some servers.
    monkeypatch.setenv("TERMINAL_WIDTH", "500")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder, a module's own, with a small manifest and a recipe, `toy.toml`."""
    folder = tmp_path_factory.mktemp("world")
    toy_manifest(folder)
    (folder / "toy.toml").write_text(RECIPE)
    return folder


@pytest.fixture
def place(world: Path, monkeypatch: pytest.MonkeyPatch, mien: Mien) -> Path:
    """Work in that folder."""
    monkeypatch.chdir(world)
    return world


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one face, nothing, and two tiny models in it."""
    folder = tmp_path_factory.mktemp("sources")
    portrait: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    Image.fromarray(portrait).save(folder / "astronaut.png", compress_level=1)
    Image.new("RGB", (64, 48), (200, 30, 30)).save(folder / "red.png")
    (folder / "face.onnx").write_bytes(model_bytes(face_card()))
    (folder / "colour.onnx").write_bytes(model_bytes(colour_card()))
    return folder


@pytest.fixture
def face(sources: Path) -> Path:
    """Return a picture with one face."""
    return sources / "astronaut.png"


@pytest.fixture
def red(sources: Path) -> Path:
    """Return a red picture without a face."""
    return sources / "red.png"


@pytest.fixture
def face_model(sources: Path) -> Path:
    """Return a model of age, gender and race."""
    return sources / "face.onnx"


@pytest.fixture
def colour_model(sources: Path) -> Path:
    """Return a model that tells whether red, green or blue is strongest."""
    return sources / "colour.onnx"
