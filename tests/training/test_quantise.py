"""Whole numbers: a quarter of the size, nearly the same answers; refused where they are not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from mien.errors import ModelError
from mien.model import Model
from mien.training import finish as finishing
from mien.training.export import export, with_card
from mien.training.finish import finish
from mien.training.parts import Parts
from mien.training.quantise import quantise
from mien.training.run import BEST
from tests.runs import toy_recipe
from tests.training.test_export import card, network, pictures

torch.set_num_threads(1)


def test_it_answers_nearly_as_the_network_does() -> None:
    net = network(scale=3)
    single = export(net, card(), half=False)
    small = with_card(quantise(single, [pictures(16).numpy()]), card())
    assert len(small) < 0.5 * len(single)
    found, wanted = (Model(data, threads=1).run(pictures(40).numpy()) for data in (small, single))
    assert wanted["gender"].std() > 0.02
    for task, rows in wanted.items():
        np.testing.assert_allclose(found[task], rows, atol=0.08)
    kinds = {node.op_type for node in onnx.load_from_string(small).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert "BatchNormalization" not in kinds


def test_what_is_no_network_is_refused() -> None:
    net = network()
    single = export(net, card(), half=False)
    with pytest.raises(ModelError, match=r"cannot be stored in int8 \(.*\); take file.weights"):
        quantise(single, [np.zeros((1, 3, 3, 3), np.uint8)])


def test_a_run_whose_file_is_int8(
    whole: Path, manifest: Path, parts: Parts, tmp_path: Path
) -> None:
    told: list[str] = []
    recipe = toy_recipe(manifest, file={"weights": "int8", "largest_loss": 1e6})
    path, result = finish(recipe, parts, whole / BEST, tmp_path, threads=1, tell=told.append)
    assert told == []
    graph = onnx.load(path).graph
    assert any(node.op_type == "QuantizeLinear" for node in graph.node)
    assert Model.open(path).card.metrics == result.card_metrics


@pytest.mark.parametrize("loss", [0.5, "the network cannot be stored"])
def test_where_int8_is_worse_half_precision_is_written(
    loss: Any,
    whole: Path,
    manifest: Path,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def worse(*_: object) -> dict[str, float]:
        if isinstance(loss, str):
            raise ModelError(loss)
        return {"age": loss, "gender": 0.0}

    monkeypatch.setattr(finishing, "_worse", worse)
    told: list[str] = []
    recipe = toy_recipe(manifest, file={"weights": "int8", "largest_loss": 0.1})
    path, _ = finish(recipe, parts, whole / BEST, tmp_path, threads=1, tell=told.append)
    (line,) = told
    wanted = (
        "int8 failed, " if isinstance(loss, str) else "int8 is refused, .* worse at age by 50.0%"
    )
    assert line.startswith(wanted.partition(".*")[0])
    assert "half precision is written instead" in line
    graph = onnx.load(path).graph
    assert any(t.data_type == onnx.TensorProto.FLOAT16 for t in graph.initializer)
