"""Faces and classes over HTTP: the same answers as in Python, and what is refused."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from mien import Analyzer
from mien.serve.schemas import AnalyzeResult
from tests.serve.conftest import Running, Serve, files, problem


def test_faces_are_read_as_in_python(real: Running, portrait: bytes) -> None:
    (expected,) = Analyzer(threads=1)(portrait)
    text = real.http.post("/v1/analyze", files=files(portrait)).text
    AnalyzeResult.model_validate_json(text)
    answer = json.loads(text)

    (picture,) = answer["pictures"]
    (face,) = picture["faces"]
    assert answer["model"] == "face"
    assert (picture["width"], picture["height"], picture["error"]) == (512, 512, None)
    assert face["attributes"].keys() == {"age", "gender", "expression"}
    assert face["attributes"]["age"]["years"] == pytest.approx(expected.age.years, abs=0.01)
    shares = face["attributes"]["expression"]["probabilities"]
    assert shares == pytest.approx(expected.expression.probabilities, abs=1e-3)
    assert expected.face is not None
    assert face["box"]["x"] == pytest.approx(expected.face.x)
    assert np.allclose(face["landmarks"], expected.face.landmarks)


def test_json_and_forms_give_the_same(real: Running, portrait: bytes) -> None:
    text = base64.b64encode(portrait).decode()
    body = {"pictures": [text, f"data:image/jpeg;base64,{text}"]}

    by_json = real.http.post("/v1/analyze", json=body).json()["pictures"]
    by_form = real.http.post("/v1/analyze", files=files(portrait, portrait)).json()["pictures"]

    for one, other in zip(by_json, by_form, strict=True):
        assert one["faces"][0]["box"] == other["faces"][0]["box"]


def test_one_bad_picture_fails_alone(real: Running, portrait: bytes) -> None:
    answer = real.http.post("/v1/analyze", files=files(portrait, b"nonsense", portrait))

    first, second, third = answer.json()["pictures"]
    assert answer.status_code == 200
    assert (len(first["faces"]), len(third["faces"])) == (1, 1)
    assert second["faces"] == []
    assert second["error"].startswith("not a picture (it starts with b'nonsense')")


def test_only_bad_pictures_are_a_problem(real: Running, portrait: bytes) -> None:
    answer = real.http.post("/v1/analyze", files=files(portrait[:5000], b""))

    found = problem(answer, 422, "unreadable-picture")
    assert [item["picture"] for item in found["pictures"]] == [0, 1]


def test_race_and_distributions_are_told_when_asked_for(real: Running, portrait: bytes) -> None:
    query = {"tasks": "race,age", "distribution": "true"}
    answer = real.http.post("/v1/analyze", files=files(portrait), params=query).json()

    attributes = answer["pictures"][0]["faces"][0]["attributes"]
    assert list(attributes) == ["race", "age"]
    assert sum(attributes["age"]["distribution"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("query", "faces"), [({"min_face": 200}, 0), ({"max_faces": 1}, 1), ({"faces": "whole"}, 1)]
)
def test_which_faces(real: Running, portrait: bytes, query: dict[str, str], faces: int) -> None:
    answer = real.http.post("/v1/analyze", files=files(portrait), params=query).json()

    assert len(answer["pictures"][0]["faces"]) == faces


def test_a_picture_taken_whole_may_lack_a_box(real: Running, red: bytes) -> None:
    answer = real.http.post("/v1/analyze?faces=whole", files=files(red)).json()

    (face,) = answer["pictures"][0]["faces"]
    assert (face["box"], face["score"], face["landmarks"]) == (None, None, [])


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("tasks=height", 422, "no-such-task"),
        ("tasks=", 422, "no-such-task"),
        ("model=none", 404, "no-such-model"),
        ("model=colour", 422, "wrong-model"),
        ("max_faces=0", 422, "invalid-request"),
        ("min_face=nan", 422, "invalid-request"),
        ("faces=all", 422, "invalid-request"),
        ("taks=age", 422, "invalid-request"),
    ],
)
def test_wrong_options(real: Running, red: bytes, query: str, status: int, kind: str) -> None:
    problem(real.http.post(f"/v1/analyze?{query}", files=files(red)), status, kind)


@pytest.mark.parametrize(
    ("content", "kind", "status", "problem_kind"),
    [
        (b"{", "application/json", 400, "invalid-json"),
        (b"[" * 5000, "application/json", 400, "invalid-json"),
        (b"{}", "application/json", 422, "invalid-request"),
        (b'{"pictures": []}', "application/json", 422, "invalid-request"),
        (b'{"pictures": [1]}', "application/json", 422, "invalid-request"),
        (b'{"pictures": ["***"]}', "application/json", 422, "unreadable-picture"),
        (b"x", "image/jpeg", 415, "unsupported-media-type"),
        (b"x", "", 415, "unsupported-media-type"),
        (b"x", "multipart/form-data", 400, "invalid-form"),
        (b"x", "multipart/form-data; boundary=b", 400, "invalid-form"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "no-picture"),
    ],
)
def test_bodies_that_hold_no_pictures(
    real: Running, content: bytes, kind: str, status: int, problem_kind: str
) -> None:
    answer = real.http.post("/v1/analyze", content=content, headers={"Content-Type": kind})

    problem(answer, status, problem_kind)


def test_too_many_pictures(real: Running, red: bytes) -> None:
    found = problem(
        real.http.post("/v1/analyze", files=files(*[red] * 5)), 422, "too-many-pictures"
    )
    assert found["detail"] == "5 pictures; send at most 4 at once."


def test_classes_are_given_by_probability(real: Running, red: bytes) -> None:
    answer = real.http.post("/v1/classify?top=2", files=files(red, b"no")).json()

    first, second = answer["pictures"]
    assert answer["model"] == "colour"
    assert first["classes"][0]["label"] == "red"
    assert len(first["classes"]) == 2
    assert (second["classes"], bool(second["error"])) == ([], True)


def test_a_service_without_a_classifier_says_so(
    serve: Serve, tiny_models: tuple[str, str], red: bytes
) -> None:
    problem(
        serve(models=tiny_models[:1]).http.post("/v1/classify", files=files(red)),
        404,
        "no-such-model",
    )


def test_an_annotated_picture_is_of_the_same_size(real: Running, portrait: bytes) -> None:
    answer = real.http.post("/v1/annotate", files=files(portrait))

    drawn = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"), int)
    before = np.asarray(Image.open(io.BytesIO(portrait)).convert("RGB"), int)
    changed = np.abs(drawn - before).max(axis=2) > 80
    rows, columns = np.nonzero(changed)
    assert answer.headers["content-type"] == "image/jpeg"
    assert drawn.shape == before.shape
    # About the face, and nowhere else.
    assert 100 < columns.min() < columns.max() < 420
    assert rows.max() < 300


def test_a_large_picture_is_annotated_in_full(real: Running, portrait: bytes) -> None:
    large = Image.open(io.BytesIO(portrait)).resize((3000, 3000))
    stream = io.BytesIO()
    large.save(stream, "JPEG", quality=80)

    answer = real.http.post("/v1/annotate?faces=whole", files=files(stream.getvalue()))

    assert Image.open(io.BytesIO(answer.content)).size == (3000, 3000)


def test_annotating_takes_one_picture_that_can_be_read(real: Running, red: bytes) -> None:
    assert real.http.post("/v1/annotate", files=files(red)).headers["content-type"] == "image/png"
    problem(real.http.post("/v1/annotate", files=files(red, red)), 422, "too-many-pictures")
    problem(real.http.post("/v1/annotate", files=files(b"no")), 422, "unreadable-picture")
