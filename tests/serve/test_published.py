"""The published interfaces: every form in which their clients send a picture."""

import base64
import io
import tempfile

import numpy as np
import pytest
from PIL import Image

from mien import Analyzer
from tests.pictures import encode
from tests.serve.conftest import Running, Serve, files, problem


def expected(portrait: bytes) -> dict[str, object]:
    age = Analyzer(threads=1)(portrait)[0].age
    return {"age": round(age.years), "cl_age": age.group.capitalize()}


@pytest.fixture(scope="module")
def text(portrait: bytes) -> str:
    found = base64.b64encode(portrait).decode()
    assert "+" in found
    return found


@pytest.mark.parametrize("before", ["", ",", "data:image/jpeg;base64,", " \n,"])
def test_base64_in_an_urlencoded_form(
    real: Running, portrait: bytes, text: str, before: str
) -> None:
    answer = real.http.post("/image", data={"img": before + text})
    assert (answer.status_code, answer.json()) == (200, expected(portrait))


def test_base64_in_a_multipart_form(real: Running, portrait: bytes, text: str) -> None:
    answer = real.http.post("/image", files={"img": (None, f",{text}")})
    assert answer.json() == expected(portrait)


def test_base64_that_was_not_encoded_for_the_form(
    real: Running, portrait: bytes, text: str
) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = real.http.post("/image", content=f"img=,{text}", headers=kind)
    assert answer.json() == expected(portrait)


def test_lines_of_base64(real: Running, portrait: bytes) -> None:
    answer = real.http.post("/image", data={"img": base64.encodebytes(portrait).decode()})
    assert answer.json() == expected(portrait)


def test_no_face(real: Running, red: bytes) -> None:
    answer = real.http.post("/image", data={"img": base64.b64encode(red).decode()})
    assert problem(answer, 422, "no-face")["detail"] == "Can not find any face in this image"


def test_a_picture_of_several_megabytes_is_never_written_to_disk(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/there/is/no/such/folder")
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), np.uint8)
    noise = encode(Image.fromarray(pixels), "PNG", compress_level=0)
    assert len(noise) > 4_000_000
    service = serve()
    encoded = base64.b64encode(noise).decode()
    problem(service.http.post("/image", data={"img": encoded}), 422, "no-face")
    problem(service.http.post("/image", files={"img": (None, encoded)}), 422, "no-face")
    assert service.http.post("/v1/analyze", files=files(noise)).status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        ({"img": "***"}, 422, "unreadable-picture"),
        ({"img": ""}, 422, "unreadable-picture"),
        ({"picture": "aGVsbG8="}, 422, "no-picture"),
        ({str(n): "" for n in range(200)}, 400, "invalid-form"),
    ],
)
def test_forms_without_a_picture(
    real: Running, data: dict[str, str], status: int, kind: str
) -> None:
    problem(real.http.post("/image", data=data), status, kind)


def test_other_bodies(real: Running) -> None:
    problem(real.http.post("/image", json={"img": ""}), 415, "unsupported-media-type")
    problem(real.http.post("/uploader", data={"file": ""}), 415, "unsupported-media-type")


def test_expressions_are_drawn(real: Running, portrait: bytes) -> None:
    form = {"file": ("../../evil.jpg", portrait)}
    answer = real.http.post("/uploader", files=form)

    drawn = np.asarray(Image.open(io.BytesIO(answer.content)), int)
    plain = np.asarray(Image.open(io.BytesIO(portrait)), int)
    assert (answer.status_code, drawn.shape) == (200, plain.shape)
    assert np.abs(drawn - plain).max() > 100


def test_a_picture_without_a_face_comes_back(real: Running, red: bytes) -> None:
    answer = real.http.post("/uploader", files=files(red))
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(answer.content))),
        np.asarray(Image.open(io.BytesIO(red))),
    )


def test_damaged_pictures(real: Running, portrait: bytes) -> None:
    form = files(portrait[: len(portrait) // 2])
    problem(real.http.post("/uploader", files=form), 422, "unreadable-picture")


def test_a_model_that_reads_no_expression(serve: Serve, red: bytes) -> None:
    problem(serve().http.post("/uploader", files=files(red)), 404, "no-such-task")
