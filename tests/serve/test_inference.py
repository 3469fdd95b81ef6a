"""The Open Inference Protocol: tensors in, tensors out, and what is refused."""

from typing import Any

import numpy as np
import pytest

from mien import Model
from tests.serve.conftest import Running, Serve, problem


def tensor(**changes: Any) -> dict[str, Any]:
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    known = {"name": "image", "datatype": "UINT8", "shape": [2, 112, 112, 3]}
    return {"inputs": [{**known, "data": crops.ravel().tolist(), **changes}]}


def infer(service: Running, body: Any) -> Any:
    return service.http.post("/v2/models/face/infer", json=body)


def test_a_network_gives_what_it_gives_in_python(real: Running) -> None:
    body = tensor()
    crops = np.array(body["inputs"][0]["data"], np.uint8).reshape(2, 112, 112, 3)
    expected = Model.open("face", threads=1).run(crops)

    answer = infer(real, {**body, "id": "seven"}).json()

    version = Model.open("face").card.version
    found = (answer["model_name"], answer["model_version"], answer["id"])
    assert found == ("face", version, "seven")
    assert [output["name"] for output in answer["outputs"]] == list(expected)
    for output in answer["outputs"]:
        values = np.array(output["data"]).reshape(output["shape"])
        np.testing.assert_allclose(values, expected[output["name"]], atol=1e-5)


def test_data_may_be_nested_and_outputs_chosen(real: Running) -> None:
    body = tensor()
    body["inputs"][0]["data"] = np.reshape(body["inputs"][0]["data"], (2, 112, 112, 3)).tolist()
    body["outputs"] = [{"name": "gender"}]
    (output,) = infer(real, body).json()["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("gender", "FP32", [2, 2])
    assert np.reshape(output["data"], (2, 2)).sum(axis=1) == pytest.approx([1, 1])


def test_no_crops_give_no_rows(real: Running) -> None:
    answer = infer(real, tensor(shape=[0, 112, 112, 3], data=[])).json()
    assert all(output["data"] == [] for output in answer["outputs"])


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"shape": [2, 111, 112, 3]}, 422, "wrong-shape"),
        ({"shape": [100, 112, 112, 3]}, 422, "wrong-shape"),
        ({"shape": [3, 112, 112, 3]}, 422, "wrong-data"),
        ({"data": [1, [2]]}, 422, "wrong-data"),
        ({"data": ["a"] * 75264}, 422, "wrong-data"),
        ({"data": [0.5] * 75264}, 422, "wrong-data"),
        ({"data": [256] * 75264}, 422, "wrong-data"),
        ({"data": [-1] * 75264}, 422, "wrong-data"),
        ({"data": [10**30] * 75264}, 422, "wrong-data"),
        ({"data": [True] * 75264}, 422, "wrong-data"),
        ({"data": []}, 422, "wrong-data"),
        ({"data": [None] * 75264}, 422, "wrong-data"),
        ({"data": {"0": 0}}, 422, "invalid-request"),
        ({"data": [[[[[0] * 75264]]]], "shape": [2, 112, 112, 3]}, 422, "wrong-data"),
        ({"data": [[0] * 55295, 0]}, 422, "wrong-data"),
        ({"data": [0], "shape": [0, 112, 112, 3]}, 422, "wrong-data"),
        ({"shape": [2, 112, 112]}, 422, "invalid-request"),
        ({"shape": [2.5, 112, 112, 3]}, 422, "invalid-request"),
        ({"shape": [2, 112, 112, -3]}, 422, "invalid-request"),
        ({"shape": [10**30, 112, 112, 3]}, 422, "invalid-request"),
        ({"datatype": "FP32"}, 422, "invalid-request"),
        ({"name": "pixels"}, 422, "invalid-request"),
    ],
)
def test_tensors_that_do_not_fit(
    real: Running, changes: dict[str, Any], status: int, kind: str
) -> None:
    problem(infer(real, tensor(**changes)), status, kind)


def test_outputs_that_there_are_not(real: Running) -> None:
    problem(infer(real, {**tensor(), "outputs": [{"name": "height"}]}), 422, "no-such-output")
    problem(real.http.post("/v2/models/face/infer", content=b"x"), 415, "unsupported-media-type")


def test_metadata(real: Running) -> None:
    assert real.http.get("/v2").json()["name"] == "mien"
    assert real.http.get("/v2/health/live").json() == {"live": True}
    assert real.http.get("/v2/health/ready").json() == {"ready": True}
    assert real.http.get("/v2/models/face/ready").json() == {"ready": True, "name": "face"}
    found = real.http.get("/v2/models/face").json()
    assert found["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 112, 112, 3]}]
    assert {"name": "age", "datatype": "FP32", "shape": [-1, 101]} in found["outputs"]


def test_a_service_that_is_not_ready_says_so(serve: Serve) -> None:
    service = serve()
    service.service.ready = False
    for path in ("/v2/health/ready", "/v2/models/tiny/ready", "/readyz"):
        problem(service.http.get(path), 503, "not-ready")
    assert service.http.get("/healthz").json() == {"status": "ok"}
