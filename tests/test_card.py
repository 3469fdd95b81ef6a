"""Model cards: kept whole through JSON, and every wrong one refused by what is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mien.card import Card, Confusion, Data, Interval, Metric, Task
from mien.errors import ModelError
from tests import tiny


def written(**changes: Any) -> str:
    """Return the JSON of a good card with some of its fields replaced."""
    return json.dumps(json.loads(tiny.face_card().to_json()) | changes)


def full_card() -> Card:
    interval = Interval(level=0.9, from_age=0, margin=-0.5, pictures=120)
    return tiny.face_card(
        description="Reads\nfaces.",
        tasks=(tiny.AGE.model_copy(update={"intervals": (interval,)}), tiny.GENDER),
        data=(Data(name="set", pictures=10, terms="research only"),),
        metrics=(Metric(task="age", name="mae", value=4.5, pictures=9, by="gender", group="male"),),
        confusions=(Confusion(task="gender", labels=("male", "female"), counts=((4, 1), (0, 5))),),
        priors={"gender": (0.25, 0.75)},
        recipe={"schedule": {"epochs": 3, "rates": [0.1, 0.01]}, "name": "größe"},
        created="2025-01-01",
    )


@pytest.mark.parametrize("card", [tiny.face_card(), tiny.colour_card(), full_card()])
def test_a_card_comes_back_from_its_json(card: Card) -> None:
    assert Card.from_json(card.to_json(), "m.onnx") == card


def test_the_json_names_every_field_so_that_other_programs_need_no_defaults() -> None:
    fields = json.loads(tiny.face_card().to_json())
    assert fields.keys() == Card.model_fields.keys()
    assert fields["schema_version"] == 1
    assert fields["tasks"][0]["default"] is True


def test_a_recipe_with_endless_numbers_still_gives_valid_json() -> None:
    text = tiny.face_card(recipe={"limit": float("inf"), "rates": [float("nan")]}).to_json()

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(text, parse_constant=refuse)["recipe"] == {"limit": None, "rates": [None]}


def test_a_task_is_found_by_name() -> None:
    assert tiny.face_card().task("gender") is tiny.GENDER
    with pytest.raises(ModelError, match="has no task 'mood'; it has age, gender, race"):
        tiny.face_card().task("mood")


@pytest.mark.parametrize(
    ("task", "outputs"), [(tiny.AGE, 101), (tiny.RACE, 5), (Task(name="w", kind="regression"), 1)]
)
def test_the_numbers_of_a_tasks_output(task: Task, outputs: int) -> None:
    assert task.outputs == outputs


@pytest.mark.parametrize("version", [2, 2.0, 99, 1e300])
def test_a_newer_schema_asks_for_an_update(version: float) -> None:
    text = written(schema_version=version, invented_later="x")
    with pytest.raises(ModelError, match=r"^m.onnx: .* schema .* knows 1 .* Update mien"):
        Card.from_json(text, "m.onnx")


@pytest.mark.parametrize(
    "text",
    ["", "{", "{'name': 1}", "name: tiny", "[" * 100_000, "1" * 5_000, '{"a": "\ud800', "\0"],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"^m.onnx: its model card is not JSON \(.+\)\. Export"):
        Card.from_json(text, "m.onnx")


@pytest.mark.parametrize(
    "text", ["[]", "null", '"card"', "3", "{}", '{"a":' * 300 + "1" + "}" * 300]
)
def test_json_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"^m.onnx: its model card is not valid: "):
        Card.from_json(text, "m.onnx")


FACE = {"size": 16, "framing": "face"}
POINTS = [[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.3, 0.7], [0.7, 0.7]]
AGE = {"name": "age", "kind": "age", "ages": 101}
MARGIN = {"level": 0.9, "from_age": 5, "margin": 1, "pictures": 10}
SQUARE = {"task": "gender", "labels": ["a", "b"]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invented": 1}, "invented: Extra inputs are not permitted, not 1"),
        ({"tasks": [AGE | {"weight": 2}]}, r"tasks\.0\.weight: Extra"),
        ({"name": 3}, "name: .* valid string, not 3"),
        ({"name": ""}, "name: .* at least 1 character"),
        ({"name": "two\nlines"}, "name: "),
        ({"version": "\x1b[2J"}, "version: "),
        ({"description": "\x1b]0;title\x07"}, "description: "),
        ({"licence": None}, "licence: .* not None"),
        ({"schema_version": "2"}, "schema_version: .* not '2'"),
        ({"schema_version": True}, "schema_version: .* not True"),
        ({"schema_version": 0}, "schema_version: .* not 0"),
        ({"tasks": []}, "tasks: "),
        ({"tasks": [AGE, AGE]}, "two tasks are called 'age'"),
        ({"tasks": [AGE | {"name": "Age group"}]}, r"tasks\.0\.name"),
        (
            {"tasks": [AGE | {"kind": "mood"}]},
            "'age' or 'regression', not 'mood'",
        ),
        ({"tasks": [AGE | {"ages": 1}]}, "'age' of kind 'age' needs at least two outputs"),
        ({"tasks": [{"name": "g", "kind": "classification", "labels": ["a"]}]}, "at least two"),
        ({"tasks": [{"name": "g", "kind": "classification", "labels": ["a", "a"]}]}, "twice"),
        ({"tasks": [{"name": "g", "kind": "classification", "labels": ["a", ""]}]}, "labels.1"),
        ({"tasks": [AGE | {"intervals": [MARGIN | {"level": 90}]}]}, "level: .* less than 1"),
        ({"tasks": [AGE | {"intervals": [MARGIN, MARGIN]}]}, "'age' do not rise by from_age"),
        ({"metrics": [{"task": "age", "name": "mae", "value": 1, "pictures": -1}]}, "pictures"),
        ({"confusions": [SQUARE | {"counts": [[1, 2]]}]}, "'gender' is not labels x labels"),
        ({"confusions": [SQUARE | {"counts": [[1, 2], [3]]}]}, "'gender' is not labels x labels"),
        ({"input": FACE}, "'face' takes five landmarks"),
        ({"input": {"size": 16, "framing": "centre", "landmarks": POINTS}}, "'centre' none"),
        ({"input": FACE | {"landmarks": [[1, 2]] * 5}}, "eyes lie less than 0.05"),
        ({"input": FACE | {"landmarks": [[1]] * 5}}, r"landmarks\.0"),
        ({"input": FACE | {"landmarks": POINTS, "size": 0}}, "size: .* not 0"),
        ({"input": FACE | {"landmarks": POINTS, "size": 10**9}}, "size: .* not 1000000000"),
        ({"input": FACE | {"landmarks": POINTS, "size": 16.5}}, "size: .* not 16.5"),
    ],
)
def test_a_wrong_field_is_named_with_what_stands_there(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ModelError, match=f"^m.onnx: its model card is not valid: .*{reason}"):
        Card.from_json(written(**changes), "m.onnx")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know_are_refused(number: str) -> None:
    text = written(recipe={"rate": 0.125}).replace("0.125", number)
    with pytest.raises(ModelError, match=f"not JSON \\({number} is no number of JSON\\)"):
        Card.from_json(text, "m.onnx")


def test_an_overflowing_number_is_refused() -> None:
    text = written(priors={"age": [0.125]}).replace("0.125", "1e999")
    with pytest.raises(ModelError, match=r"priors.age.0: .* finite number, not inf"):
        Card.from_json(text, "m.onnx")


def test_a_missing_field_is_named() -> None:
    fields = json.loads(written())
    del fields["licence"]
    with pytest.raises(ModelError, match="licence: Field required"):
        Card.from_json(json.dumps(fields), "m.onnx")


def test_a_long_wrong_value_does_not_flood_the_message() -> None:
    with pytest.raises(ModelError) as raised:
        Card.from_json(written(name="x" * 100_000), "m.onnx")
    assert len(str(raised.value)) < 250


def test_cards_made_in_python_are_checked_alike() -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Interval(level=0.9, from_age=0, margin=float("inf"), pictures=1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@given(field=st.sampled_from(sorted(Card.model_fields)), value=JSON)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: Any) -> None:
    try:
        card = Card.from_json(written(**{field: value}), "m.onnx")
    except ModelError:
        return
    assert Card.from_json(card.to_json(), "again") == card


@given(text=st.text(max_size=60))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"^m\.onnx: its model card is not"):
        Card.from_json(text, "m.onnx")


def test_a_card_tells_its_terms() -> None:
    assert tiny.face_card(use="teaching").terms == (
        "model tiny-face 1: its weights may be used for teaching"
    )
    assert tiny.face_card(use="").terms == "model tiny-face 1: its terms are not stated"
