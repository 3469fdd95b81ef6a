"""What `import mien` loads and gives, and that reading faces needs nothing of training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mien
from mien.analyzer import Analyzer
from mien.errors import DataError, ImageError, MienError, ModelError, OutputError, RecipeError
from tests import tiny

READ_A_FACE = """
import sys

class Refuse:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ImportError(f"{name} is not installed here")

refused = {"torch", "torchvision", "timm", "onnx", "pytorch_lightning", "safetensors", "sklearn"}
sys.meta_path.insert(0, Refuse)

import numpy as np
import mien
picture = np.full((90, 90, 3), (255, 0, 0), np.uint8)
(found,) = mien.Analyzer(sys.argv[1], faces="whole")(picture)
print(found.gender.label, sorted(refused & sys.modules.keys()))
"""


def run(code: str, *arguments: str) -> str:
    """Return what a fresh interpreter prints; warnings are errors there too."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_mien_imports_nothing_heavy() -> None:
    loaded = run("import sys, mien; print(*(m.partition('.')[0] for m in sys.modules))").split()
    assert "mien" in loaded
    heavy = {"numpy", "cv2", "onnxruntime", "pydantic", "PIL", "typer", "rich", "torch"}
    assert heavy & set(loaded) == set()


def test_a_public_name_is_imported_on_first_use() -> None:
    code = "import sys, mien; print(mien.MienError.__module__, 'numpy' in sys.modules)"
    assert run(code) == "mien.errors False"


def test_faces_are_read_without_any_package_of_training(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny.model_bytes(tiny.face_card()))
    assert run(READ_A_FACE, str(path)) == "male []"


def test_every_public_name_is_there_and_listed() -> None:
    assert mien.Analyzer is Analyzer
    for name in mien.__all__:
        assert getattr(mien, name) is not None
        assert name in dir(mien)
    assert set(mien._HOMES) | {"__version__"} == set(mien.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mien' has no attribute 'Analyser'"):
        _ = mien.Analyser
    with pytest.raises(ImportError, match="cannot import name 'Analyser'"):
        exec("from mien import Analyser")


def test_the_version_is_one_of_numbers() -> None:
    assert all(part.isdigit() for part in mien.__version__.split("."))


def test_types_are_shipped() -> None:
    assert (Path(mien.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("kind", [ImageError, ModelError, DataError, RecipeError, OutputError])
def test_every_error_of_the_family_can_be_caught_as_one(kind: type[MienError]) -> None:
    assert issubclass(kind, MienError)
    assert issubclass(mien.MienError, Exception)


READ = """
import sys, time
from skimage import data
import mien
mien.Analyzer()(data.astronaut())
time.sleep(float(sys.argv[1]))
"""


def traces(home: Path, **variables: str) -> set[str]:
    """Return the files that a process of its own leaves in an empty home."""
    known = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "HOME")}
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    subprocess.run(
        [sys.executable, "-c", READ, "1"], env=known | places | variables, check=True, timeout=120
    )
    return {str(path.relative_to(home)) for path in home.rglob("*") if "onnx" in str(path).lower()}


def test_onnxruntime_reports_nothing(tmp_path: Path) -> None:
    """Its builds with telemetry leave the machine's number and a queue of events, unless told."""
    (tmp_path / "quiet").mkdir()
    (tmp_path / "asked").mkdir()
    assert not traces(tmp_path / "quiet")
    if not traces(tmp_path / "asked", ORT_DISABLE_TELEMETRY="0"):
        pytest.skip("this build of onnxruntime has nothing to report with")
