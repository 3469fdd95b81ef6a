"""The file of features: whole, mapped, and refused where it is neither."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from mien.classic import store
from mien.classic.extractor import Extractor, of_model
from mien.classic.store import Filling
from mien.data.manifest import Manifest
from mien.errors import DataError, OutputError
from tests.classic.world import colour_model, coloured


@pytest.fixture
def extractor(tmp_path: Path) -> Extractor:
    return of_model(str(colour_model(tmp_path)), threads=1)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return coloured(tmp_path / "pictures", 7)


def fill(path: Path, extractor: Extractor, manifest: Manifest) -> None:
    filling = Filling(path, extractor, manifest)
    filling.put([0, 2, 5], np.arange(9, dtype=np.float32).reshape(3, 3))
    filling.finish()


def test_what_was_put_in_is_read_back(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    path = tmp_path / "f.safetensors"
    fill(path, extractor, manifest)
    found = store.read(path)
    assert found.rows[[0, 2, 5]].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert found.done.tolist() == [True, False, True, False, False, True, False]
    assert [s.content for s in found.missing] == [
        manifest.samples[row].content for row in (1, 3, 4, 6)
    ]
    assert found.manifest == manifest
    assert found.origin == extractor.origin
    assert found.network == extractor.data
    assert (found.split_hash, found.data_fingerprint) == (
        manifest.split_hash,
        manifest.fingerprint,
    )
    assert not found.rows.flags.writeable


def test_other_programs_can_read_it(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    path = tmp_path / "f.safetensors"
    fill(path, extractor, manifest)
    with safe_open(path, "np") as file:
        assert sorted(file.keys()) == ["done", "features", "network"]
        np.testing.assert_array_equal(file.get_tensor("features"), store.read(path).rows)
        about = json.loads(file.metadata()[store.KEY])
    assert about["origin"]["name"] == "tiny-colour"
    assert about["rows"][3]["labels"] == {"colour": "red"}


def test_an_earlier_attempt_is_taken_up(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    path = tmp_path / "f.safetensors"
    first = Filling(path, extractor, manifest)
    assert not first.begun_before
    first.put([1], np.ones((1, 3), np.float32))
    again = Filling(path, extractor, manifest)
    assert again.begun_before
    assert again.missing == [0, 2, 3, 4, 5, 6]
    assert not path.exists()


def test_an_attempt_at_something_else_is_dropped(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    path = tmp_path / "f.safetensors"
    Filling(path, extractor, manifest).put([1], np.ones((1, 3), np.float32))
    other = Filling(path, extractor, Manifest(manifest.samples[:5]))
    assert (other.begun_before, other.outdated) == (False, True)
    assert len(other.missing) == 5


def test_a_file_that_is_not_finished(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    path = tmp_path / "f.safetensors"
    Filling(path, extractor, manifest)
    with pytest.raises(DataError, match="not finished; run the same `mien features` again"):
        store.read(path)


def test_what_is_no_file_of_features(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    whole = tmp_path / "f.safetensors"
    fill(whole, extractor, manifest)
    data = whole.read_bytes()
    table = json.dumps({"__metadata__": {store.KEY: "{}"}}).encode()
    for name, content in {
        "empty": b"",
        "text": b"path,source,content,split\n",
        "long": struct.pack("<Q", 2**60) + data[8:],
        "short": data[: len(data) - len(extractor.data) - 3],
        "bare": struct.pack("<Q", 2) + b"{}",
        "odd": struct.pack("<Q", len(table)) + table,
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{name}: .*make one by `mien features`"):
            store.read(path)
    with pytest.raises(DataError, match="cannot be read"):
        store.read(tmp_path / "absent")


def test_a_place_that_cannot_be_written(
    tmp_path: Path, extractor: Extractor, manifest: Manifest
) -> None:
    with pytest.raises(OutputError, match="the features cannot be written"):
        Filling(tmp_path / "absent" / "f.safetensors", extractor, manifest)
