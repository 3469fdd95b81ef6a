"""Models and their files over HTTP."""

import hashlib
from pathlib import Path

import pytest

from mien import Model
from mien.card import Card
from mien.errors import ModelError
from mien.faces import detector_file
from mien.model import find
from mien.serve.app import create_app
from mien.serve.settings import Settings, SettingsError
from tests.serve.conftest import Running, problem, running
from tests.tiny import colour_card, face_card, model_bytes


def test_models_are_listed_with_their_cards(real: Running) -> None:
    found = real.http.get("/v1/models").json()
    assert [(model["name"], model["kind"]) for model in found["models"][:2]] == [
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


def beside(folder: Path, small: Card | None, name: str = "shop") -> str:
    """Write a model of faces, made larger by its card, and a smaller one beside it."""
    path = folder / f"{name}.onnx"
    path.write_bytes(model_bytes(face_card(name=name, description="x" * 500)))
    if small is not None:
        (folder / f"{name}-small.onnx").write_bytes(model_bytes(small))
    return str(path)


def test_a_smaller_model_beside_one_is_for_browsers(tmp_path: Path) -> None:
    model = beside(tmp_path, face_card(name="shop-small"))
    with running(Settings(models=(model,))) as found:
        told = found.http.get("/v1/models").json()["models"]
        assert [(one["name"], one["small"]) for one in told] == [
            ("shop", "shop-small"),
            ("shop-small", None),
        ]
        assert told[1]["bytes"] < told[0]["bytes"]
        file = found.http.get(told[1]["file"]).content
        assert file == (tmp_path / "shop-small.onnx").read_bytes()
        # Who names none is still read by the larger one.
        assert found.service.catalogue.choose(None, "face").name == "shop"
        assert found.service.catalogue.notes == [
            "browsers that read by themselves take shop-small instead of shop"
        ]


def test_a_smaller_model_that_is_named_too_keeps_its_place(tmp_path: Path) -> None:
    model = beside(tmp_path, face_card(name="shop-small"))
    small = str(tmp_path / "shop-small.onnx")
    catalogue = create_app(Settings(models=(small, model))).state.service.catalogue
    assert list(catalogue.entries) == ["shop-small", "shop"]
    assert (catalogue.small("shop"), catalogue.small("shop-small")) == ("shop-small", None)


def test_the_smaller_model_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    model = beside(tmp_path / "pets", face_card(), "model")
    catalogue = create_app(Settings(models=(model,))).state.service.catalogue
    assert (list(catalogue.entries), catalogue.small("pets")) == (
        ["pets", "pets-small"],
        "pets-small",
    )


@pytest.mark.parametrize(
    ("small", "note"),
    [
        (face_card(tasks=face_card().tasks[:2]), "it reads other than shop"),
        (colour_card(), "it reads other than shop"),
        (face_card(description="x" * 5000), "it is no smaller than shop"),
        (None, ""),
    ],
)
def test_what_cannot_stand_for_a_model_is_not_offered(
    small: Card | None, note: str, tmp_path: Path
) -> None:
    catalogue = create_app(Settings(models=(beside(tmp_path, small),))).state.service.catalogue
    assert (list(catalogue.entries), catalogue.small("shop")) == (["shop"], None)
    wanted = [f"shop-small is not offered to browsers: {note}"] if note else []
    assert catalogue.notes == wanted


def test_a_broken_file_beside_a_model_does_not_stop_the_service(tmp_path: Path) -> None:
    model = beside(tmp_path, None)
    (tmp_path / "shop-small.onnx").write_bytes(b"no model")
    catalogue = create_app(Settings(models=(model,))).state.service.catalogue
    assert list(catalogue.entries) == ["shop"]
    (note,) = catalogue.notes
    assert note.startswith("shop-small is not offered to browsers: shop-small: ")
