"""Pictures to features: interrupted, killed, with bad pictures among them."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.classic.extract import extract
from mien.classic.extractor import of_model
from mien.classic.store import PARTIAL, read
from mien.data.manifest import Manifest
from mien.data.sources.reading import Skipped
from mien.errors import DataError
from tests.classic.world import colour_model, coloured

COUNT = 150


def test_features_are_those_of_the_crop_in_use(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", 4)
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    path = tmp_path / "f.safetensors"
    assert extract(extractor, manifest, path, Skipped(), threads=1) == 4
    rows = read(path).rows
    assert rows.argmax(axis=1).tolist() == [0, 1, 2, 0]
    from mien.classifier import Classifier

    scores = 10 * rows
    for sample, wanted in zip(manifest.samples, np.exp(scores), strict=True):
        guess = Classifier(colour_model(tmp_path), threads=1)(sample.path)[0]
        assert guess.probability == pytest.approx(wanted.max() / wanted.sum(), abs=1e-5)


def test_bad_pictures_are_counted_and_named(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", 5)
    manifest.samples[1].path.write_bytes(b"no picture")
    manifest.samples[3].path.unlink()
    skipped, path = Skipped(), tmp_path / "f.safetensors"
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    assert extract(extractor, manifest, path, skipped, threads=1) == 3
    names = skipped.names["unreadable picture"]
    assert [name.split(" ")[0] for name in names] == [
        str(manifest.samples[row].path) for row in (1, 3)
    ]
    assert read(path).done.tolist() == [True, False, True, False, True]


def test_no_picture_at_all(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", 2)
    for sample in manifest.samples:
        sample.path.write_bytes(b"no picture")
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    with pytest.raises(DataError, match=r"none of the 2 pictures can be read; the first: .*0\.bmp"):
        extract(extractor, manifest, tmp_path / "f.safetensors", Skipped(), threads=1)


class _StoppedError(Exception):
    pass


def stopping(after: int) -> Any:
    def watch(items: Iterable[Any], _total: int) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == after:
                raise _StoppedError
            yield item

    return watch


def test_an_interrupted_extraction_goes_on(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", COUNT)
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    whole, path = tmp_path / "whole.safetensors", tmp_path / "f.safetensors"
    extract(extractor, manifest, whole, Skipped(), threads=1)
    with pytest.raises(_StoppedError):
        extract(extractor, manifest, path, Skipped(), threads=1, watch=stopping(100))
    assert not path.exists()
    counts: list[int] = []
    lines: list[str] = []

    def watch(items: Iterable[Any], total: int) -> Iterable[Any]:
        counts.append(total)
        return items

    extract(extractor, manifest, path, Skipped(), threads=1, watch=watch, tell=lines.append)
    # What was done when it stopped is not done again.
    assert counts == [COUNT - 100]
    assert lines == [f"goes on: 100 of {COUNT} pictures were done before"]
    assert path.read_bytes() == whole.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from mien.classic.extract import extract
from mien.classic.extractor import of_model
from mien.data import manifest
from mien.data.sources.reading import Skipped

def watch(items, total):
    for number, item in enumerate(items):
        if number == 90:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item

extract(of_model("colour.onnx"), manifest.read(Path("m.csv")), Path("f.safetensors"), Skipped(),
        threads=1, watch=watch)
"""


def test_a_killed_extraction_goes_on(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", COUNT)
    manifest.write(tmp_path / "m.csv")
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    found = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert found.returncode == -signal.SIGKILL
    path = tmp_path / "f.safetensors"
    assert path.with_name(path.name + PARTIAL).exists()
    lines: list[str] = []
    extract(extractor, manifest, path, Skipped(), threads=1, tell=lines.append)
    assert lines == [f"goes on: 64 of {COUNT} pictures were done before"]
    whole = tmp_path / "whole.safetensors"
    extract(extractor, manifest, whole, Skipped(), threads=1)
    assert path.read_bytes() == whole.read_bytes()


def test_a_finished_file_is_left_alone(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", 6)
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    path = tmp_path / "f.safetensors"
    extract(extractor, manifest, path, Skipped(), threads=1)
    before = path.stat().st_mtime_ns
    lines: list[str] = []
    assert extract(extractor, manifest, path, Skipped(), threads=1, tell=lines.append) == 6
    assert (lines, path.stat().st_mtime_ns) == (["already there"], before)
    other = Manifest(manifest.samples[:3])
    with pytest.raises(DataError, match="holds the features of tiny-colour for another manifest"):
        extract(extractor, other, path, Skipped(), threads=1)


def test_a_finished_file_says_what_it_lacks(tmp_path: Path) -> None:
    manifest = coloured(tmp_path / "pictures", 6)
    manifest.samples[2].path.write_bytes(b"no picture")
    extractor = of_model(str(colour_model(tmp_path)), threads=1)
    path = tmp_path / "f.safetensors"
    extract(extractor, manifest, path, Skipped(), threads=1)
    skipped = Skipped()
    assert extract(extractor, manifest, path, skipped, threads=1) == 5
    ((reason, (name,)),) = skipped.names.items()
    assert reason == "unreadable picture"
    assert f"{manifest.samples[2].path} (delete {path} to try it again)" == name
