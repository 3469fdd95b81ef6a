"""A service whose model reads fewer attributes than the packaged one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from mien.serve.settings import Settings
from tests.serve.conftest import Running, files, problem, running
from tests.tiny import AGE, GENDER, face_card, model_bytes


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a service with a model of age and gender alone."""
    path: Path = tmp_path_factory.mktemp("few") / "few.onnx"
    path.write_bytes(model_bytes(face_card(tasks=(AGE, GENDER))))
    with running(Settings(models=(str(path),), threads=1)) as found:
        yield found


def test_faces_bear_what_the_model_reads(service: Running, portrait: bytes) -> None:
    answer = service.http.post("/v1/analyze", files=files(portrait)).json()
    assert list(answer["pictures"][0]["faces"][0]["attributes"]) == ["age", "gender"]
    named = service.http.post("/v1/analyze?tasks=expression", files=files(portrait))
    assert "reads age, gender" in problem(named, 422, "no-such-task")["detail"]


def test_pictures_are_annotated(service: Running, portrait: bytes) -> None:
    assert service.http.post("/v1/annotate", files=files(portrait)).status_code == 200


def test_the_published_interfaces(service: Running, portrait: bytes) -> None:
    assert service.http.post("/image", files={"img": portrait}).status_code == 200
    answer = service.http.post("/uploader", files=files(portrait))
    assert "no expression" in problem(answer, 404, "no-such-task")["detail"]


def test_the_stream(service: Running, portrait: bytes) -> None:
    url = service.url.replace("http", "ws", 1) + "/v1/stream"
    with connect(url, compression=None) as socket:
        socket.send(json.dumps({"type": "start"}))
        assert json.loads(socket.recv(timeout=60))["tasks"] == ["age", "gender"]
        socket.send(portrait)
        faces = json.loads(socket.recv(timeout=60))["faces"]
        assert list(faces[0]["attributes"]) == ["age", "gender"]
