"""Tiny model files with known answers, made on the spot."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mien.card import KEY, Card, Input, Task
from mien.faces import TEMPLATE

SIZE = 16
AGE = Task(name="age", kind="age", ages=101)
GENDER = Task(name="gender", kind="classification", labels=("male", "female"))
RACE = Task(
    name="race",
    kind="classification",
    labels=("white", "black", "asian", "indian", "other"),
    default=False,
)
COLOUR = Task(name="colour", kind="classification", labels=("red", "green", "blue"))


def face_card(**changes: Any) -> Card:
    """Return the card of a face model with age, gender and race."""
    known: dict[str, Any] = {
        "name": "tiny-face",
        "version": "1",
        "description": "A model for tests.",
        "licence": "Apache-2.0",
        "use": "tests",
        "input": Input(size=SIZE, framing="face", landmarks=TEMPLATE),
        "tasks": (AGE, GENDER, RACE),
    }
    return Card.model_validate(known | changes)


def colour_card(**changes: Any) -> Card:
    """Return the card of a whole-picture classifier: which of red, green and blue is strongest."""
    whole = {"name": "tiny-colour", "input": Input(size=SIZE, framing="centre")}
    return face_card(**(whole | {"tasks": (COLOUR,)} | changes))


def model_bytes(
    card: Card | str | None,
    weights: Mapping[str, NDArray[np.float32]] | None = None,
    outputs: Mapping[str, int] | None = None,
) -> bytes:
    """Return a model file: softmax of a linear map of the mean red, green and blue (0 to 1).

    Args:
        card: The card; its text; or None for a file without one.
        weights: Task -> 3 x outputs. By default the scores are 10 times the mean colours, cut or
            repeated to the number of outputs.
        outputs: Task -> number of outputs, where they should differ from the card's.
    """
    described = card if isinstance(card, Card) else face_card()
    counts = outputs or {task.name: task.outputs for task in described.tasks}
    side = described.input.size
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["sums"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["sums", "scale"], ["means"]),
    ]
    constants = [numpy_helper.from_array(np.array(1 / 255, np.float32), "scale")]
    for task, count in counts.items():
        given = (weights or {}).get(task)
        matrix = np.resize(10 * np.eye(3, dtype=np.float32).T, (count, 3)).T
        constants.append(
            numpy_helper.from_array(
                np.ascontiguousarray(matrix if given is None else given), f"w_{task}"
            )
        )
        nodes.append(helper.make_node("MatMul", ["means", f"w_{task}"], [f"s_{task}"]))
        nodes.append(helper.make_node("Softmax", [f"s_{task}"], [task], axis=1))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info(t, TensorProto.FLOAT, ["n", c]) for t, c in counts.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if card is not None:
        text = card.to_json() if isinstance(card, Card) else card
        onnx.helper.set_model_props(model, {KEY: text})
    data: bytes = model.SerializeToString()
    return data
