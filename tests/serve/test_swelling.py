"""Bodies that would swell: what is refused before a little of it takes very much memory."""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.serve.bodies import parse_json, parse_urlencoded
from mien.serve.inference import InferenceRequest, InputTensor, _crops
from mien.serve.problems import Problem
from mien.serve.schemas import PicturesBody
from mien.serve.stream import StreamStart
from tests.serve.conftest import Running, problem

MANY = 100_000


def _infer(data: str) -> str:
    tensor = f'{{"name": "image", "datatype": "UINT8", "shape": [1, 96, 96, 3], "data": {data}}}'
    return f'{{"inputs": [{tensor}]}}'


def _crops_of(text: str) -> None:
    _crops(parse_json(text.encode(), InferenceRequest).inputs[0], 96)


def _pictures(text: str) -> object:
    return parse_json(text, PicturesBody)


def _start(text: str) -> object:
    return parse_json(text, StreamStart)


def _outputs(text: str) -> object:
    return parse_json(text, InferenceRequest)


def _form(text: str) -> object:
    return parse_urlencoded(text.encode(), "img")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (_pictures, f'{{"pictures": [{"1," * MANY}1]}}'),
        (_pictures, f'{{"pictures": [{"[]," * MANY}1]}}'),
        (_pictures, json.dumps({"pictures": ["", *[1] * MANY]})),
        (_pictures, json.dumps(dict.fromkeys(map(str, range(MANY))))),
        (_start, f'{{"type": "start", "tasks": [{"1," * MANY}1]}}'),
        (_outputs, f'{{"inputs": [], "outputs": [{"1," * MANY}1]}}'),
        (_crops_of, _infer(json.dumps(["a" * 5000] + ["b"] * 10_000))),
        (_crops_of, _infer(f"[{'[],' * MANY}[]]")),
        (_form, "&" * MANY * 10),
        (_form, "img=" + "%41" * 2 * MANY),
    ],
)
def test_a_body_takes_no_more_than_some_times_its_size(
    read: Callable[[str], object], text: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Problem):
            read(text)
        assert tracemalloc.get_traced_memory()[1] < 60 * len(text)
    finally:
        tracemalloc.stop()


def test_a_field_of_plusses_stays_as_large_as_it_is() -> None:
    tracemalloc.start()
    upload = parse_urlencoded(b"img=" + b"+" * MANY, "img")
    assert tracemalloc.get_traced_memory()[1] < 10 * MANY
    tracemalloc.stop()
    assert upload.data == b"+" * MANY


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"img=a%2Bb%2fc%3D", b"a+b/c="),
        (b"img=a+b", b"a+b"),
        (b"img=a+b%3D", b"a b="),
        (b"img=%41%42", b"AB"),
        (b"x=1&img=no&img=yes", b"yes"),
        (
            b"img=data%3Aimage%2Fpng%3Bbase64%2CAAAA%0D%0ABBBB",
            b"data:image/png;base64,AAAA\r\nBBBB",
        ),
        (b"img=%zz%", b"%zz%"),
        (b"img", b""),
        (b"img=a=b", b"a=b"),
    ],
)
def test_forms_that_are_urlencoded(body: bytes, data: bytes) -> None:
    assert parse_urlencoded(body, "img").data == data


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        (b"", 400, "Invalid JSON"),
        (b"{", 400, "Invalid JSON"),
        (b"\xff", 400, "Invalid JSON"),
        (b'{"pictures": ["\\ud800"]}', 400, "Invalid JSON"),
        (b'{"pictures": NaN}', 422, "pictures: "),
        (b"[" * 10_000, 400, "recursion limit"),
        (b"9" * 10_000, 400, "Invalid JSON"),
        (b"[]", 422, "the body: "),
        (b"null", 422, "the body: "),
        (b'{"pictures": []}', 422, "pictures: "),
        (b'{"pictures": ["a", 1, 2]}', 422, "pictures.1: "),
        (b'{"pictures": ["a"], "more": 1}', 422, "more: "),
    ],
)
def test_what_is_no_such_json(real: Running, text: bytes, status: int, told: str) -> None:
    answer = real.http.post(
        "/v1/analyze", content=text, headers={"Content-Type": "application/json"}
    )
    kind = "invalid-json" if status == 400 else "invalid-request"
    assert told in problem(answer, status, kind)["detail"]


def test_numbers_may_be_nested_as_one_likes() -> None:
    flat = list(range(256)) * 108
    nested = [[flat[:13824], flat[13824:]]]
    shape = {"name": "image", "datatype": "UINT8", "shape": [1, 96, 96, 3]}
    for data in (flat, nested):
        found = _crops(InputTensor.model_validate({**shape, "data": data}), 96)
        assert found.ravel().tolist() == flat


def test_a_client_of_forms_as_before(real: Running) -> None:
    answer = httpx2.post(
        f"{real.url}/image",
        content=b"img=" + b"A" * 100,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    problem(answer, 422, "unreadable-picture")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(_VALUES, st.lists(st.integers(-1, 3), max_size=5) | _VALUES, st.text() | _VALUES)
def test_no_values_do_more_than_be_refused(data: Any, shape: Any, name: Any) -> None:
    tensor = {"name": "image", "datatype": "UINT8", "shape": shape, "data": data}
    bodies = ({"inputs": [tensor], "outputs": name, "id": name}, {"inputs": data}, data)
    for body in bodies:
        with suppress(Problem):
            asked = parse_json(json.dumps(body), InferenceRequest)
            assert _crops(asked.inputs[0], 1).shape == tuple(asked.inputs[0].shape)
        for model in (PicturesBody, StreamStart):
            with suppress(Problem):
                parse_json(json.dumps(body), model)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_of_a_form_do_more_than_be_refused(body: bytes) -> None:
    for text in (body, b"img=" + body, b"img=" + body.replace(b"\0", b"%") + b"&img"):
        with suppress(Problem):
            assert len(parse_urlencoded(text, "img").data) <= len(text)
