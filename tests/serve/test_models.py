"""Models and their files over HTTP."""

import hashlib
from pathlib import Path

import pytest

from mien import Model
from mien.errors import ModelError
from mien.faces import detector_file
from mien.model import find
from mien.serve.app import create_app
from mien.serve.settings import Settings, SettingsError
from tests.serve.conftest import Running, problem, running


def test_models_are_listed_with_their_cards(real: Running) -> None:
    found = real.http.get("/v1/models").json()
    assert [(model["name"], model["kind"]) for model in found["models"]] == [
        ("face", "face"),
        ("colour", "picture"),
    ]
    assert found["models"][0]["card"] == Model.open("face").card.model_dump(mode="json")
    assert real.http.get("/v1/models/face").json() == found["models"][0]
    assert found["detector"] == "/v1/detector/file"


def test_a_model_file_is_the_very_same(real: Running) -> None:
    told = real.http.get("/v1/models/face").json()
    answer = real.http.get(told["file"])
    assert answer.content == find("face").read_bytes()
    assert hashlib.sha256(answer.content).hexdigest() == told["sha256"]
    assert answer.headers["etag"] == f'"{told["sha256"]}"'
    assert answer.headers["cache-control"] == "private, no-cache"


def test_the_detectors_file_is_the_one_that_is_run(real: Running) -> None:
    assert real.http.get("/v1/detector/file").content == detector_file()


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_a_file_that_the_client_has_is_not_sent_again(real: Running, known: str) -> None:
    tag = real.http.get("/v1/detector/file").headers["etag"]
    header = {"If-None-Match": known.format(tag=tag)}
    answer = real.http.get("/v1/detector/file", headers=header)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


def test_unknown_models(real: Running) -> None:
    for path in ("/v1/models/none", "/v1/models/none/file", "/v2/models/none"):
        problem(real.http.get(path), 404, "no-such-model")
    problem(real.http.get("/v1/models/..%2f..%2fetc%2fpasswd/file"), 404, "not-found")


def test_models_that_cannot_be_served(tiny_models: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="two are called 'tiny'"):
        create_app(Settings(models=(tiny_models[0], tiny_models[0])))
    odd = tmp_path / "a model.onnx"
    odd.write_bytes(Path(tiny_models[0]).read_bytes())
    with pytest.raises(SettingsError, match="cannot stand in an address"):
        create_app(Settings(models=(str(odd),)))
    with pytest.raises(ModelError, match="neither a model file"):
        create_app(Settings(models=("none",)))


def test_the_model_of_a_run_is_called_after_its_folder(
    tiny_models: tuple[str, str], tmp_path: Path
) -> None:
    paths = [tmp_path / name / "model.onnx" for name in ("pets", "cars")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(Path(tiny_models[0]).read_bytes())
    with running(Settings(models=tuple(map(str, paths)))) as found:
        listed = found.http.get("/v1/models").json()["models"]
    assert [model["name"] for model in listed] == ["pets", "cars"]
