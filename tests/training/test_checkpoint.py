"""Checkpoints: what goes in comes out, in one safetensors file; a broken one is refused."""

import json
import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from mien.errors import OutputError, RecipeError
from mien.training.checkpoint import SafeCheckpointIO, load
from tests.disk import files_of_at_most

torch.set_num_threads(1)
IO = SafeCheckpointIO()


def assert_same(found: Any, wanted: Any) -> None:
    """Compare trees, tensors bit for bit, and the kinds of containers and numbers too."""
    if isinstance(wanted, torch.Tensor):
        assert isinstance(found, torch.Tensor)
        assert found.dtype == wanted.dtype
        torch.testing.assert_close(found, wanted, rtol=0, atol=0, equal_nan=True)
    elif isinstance(wanted, dict):
        assert isinstance(found, dict)
        assert list(map(repr, found)) == list(map(repr, wanted))
        for one, other in zip(found.values(), wanted.values(), strict=True):
            assert_same(one, other)
    elif isinstance(wanted, list | tuple):
        assert type(found) is type(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    else:
        assert type(found) is type(wanted)
        assert found == wanted or (math.isnan(found) and math.isnan(wanted))


def round_trip(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    IO.save_checkpoint(tree, path)
    return load(path)


def test_trees(tmp_path: Path) -> None:
    tree = {
        "epoch": 3,
        "none": None,
        "floats": [0.1, math.inf, -math.inf, math.nan, 1e-320],
        "numbers by number": {0: {"step": torch.tensor(7.0)}, 10: [], -1: ()},
        "tuple": (1, (True, "x"), [None, (2,)]),
        "mixed keys": {1: "int", "1": "text", (0, 9): "pair", None: 0, 2.5: 2},
        "tags": {"tensor": "x", "pairs": [[1, 2]], "tuple": {}},
        "text": "tuổi \0 \ud7ff",
        "empty": {},
        "big": 2**70,
    }
    assert_same(round_trip(tree, tmp_path / "c"), tree)


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    ],
)
def test_tensors_of_every_kind(dtype: torch.dtype, tmp_path: Path) -> None:
    whole = torch.arange(24).view(2, 3, 4).to(dtype)
    tree = {
        "whole": whole,
        "point": torch.tensor(1).to(dtype),
        "empty": torch.zeros(0, 5, dtype=dtype),
        "turned": whole.transpose(0, 2),
        "part": whole[:, 1, ::2],
        "repeated": whole[:, :1].expand(2, 5, 4),
        "channels last": whole[None].contiguous(memory_format=torch.channels_last),
        "trained": torch.nn.Parameter(whole, requires_grad=dtype.is_floating_point),
    }
    assert_same(round_trip(tree, tmp_path / "c"), tree)


def test_tensors_that_share_memory(tmp_path: Path) -> None:
    one = torch.arange(6.0)
    tree = {"a": one, "b": one, "c": one[2:], "d": [one.view(2, 3)]}
    found = round_trip(tree, tmp_path / "c")
    assert_same(found, tree)
    found["a"][0] = 99
    assert found["b"][0] == 0


def test_keys_that_read_alike_keep_their_own_tensors(tmp_path: Path) -> None:
    tree = {
        "a": {1: torch.tensor(1), "1": torch.tensor(2), "1'": torch.tensor(3)},
        "a/1": torch.tensor(4),
        "a/1'": torch.tensor(5),
    }
    assert_same(round_trip(tree, tmp_path / "c"), tree)


keys = st.one_of(st.text(st.sampled_from("a/'1.\"")), st.integers(-3, 3), st.none())
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.integers(0, 9).map(torch.tensor),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(keys, trees, max_size=4))
def test_any_tree(tmp_path_factory: pytest.TempPathFactory, tree: dict[Any, Any]) -> None:
    assert_same(round_trip(tree, tmp_path_factory.getbasetemp() / "any"), tree)


def test_the_state_of_a_module_and_its_optimiser(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.randn(8, 3)).sum().backward()
    optimiser.step()
    tree = {"state_dict": net.state_dict(), "optimizer_states": [optimiser.state_dict()]}
    assert isinstance(tree["state_dict"], OrderedDict)
    found = round_trip(tree, tmp_path / "c")
    assert_same(found, tree)
    torch.optim.AdamW(net.parameters()).load_state_dict(found["optimizer_states"][0])


def test_the_file_is_no_pickle(tmp_path: Path) -> None:
    """Any reader of safetensors opens it; names and form must not change."""
    path = tmp_path / "deep" / "c.safetensors"
    IO.save_checkpoint({"state_dict": {"net.w": torch.ones(2)}, "epoch": 1}, path)
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(path.read_bytes())
    with safe_open(path, "pt") as file:
        assert list(file.keys()) == ["/state_dict/net.w"]
        tree = json.loads(file.metadata()["mien.checkpoint"])
    inner = {"pairs": [["net.w", {"tensor": "/state_dict/net.w"}]]}
    assert tree == {"pairs": [["state_dict", inner], ["epoch", 1]]}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j, torch.nn.Linear(1, 1)])
def test_what_json_cannot_hold(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=rf"cannot hold {type(value).__name__} at /a/0"):
        IO.save_checkpoint({"a": [value]}, tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c"
    IO.save_checkpoint({"a": torch.arange(4), "b": {"c": (1, 2)}}, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(RecipeError, match="c: not a whole training checkpoint"):
            load(path)


TREES = [
    None,
    "",
    "no json",
    "[1, 2]",
    "3",
    "{}",
    '{"tensor": "missing"}',
    '{"tensor": []}',
    '{"pairs": 3}',
    '{"pairs": [[1]]}',
    '{"pairs": [[{"pairs": []}, 1]]}',
    '{"tuple": 3}',
    '{"pairs": [["a", {"x": 1}]]}',
    '{"tuple": ' * 20_000,
]


@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_safetensors_that_are_no_checkpoint(tree: str | None, tmp_path: Path) -> None:
    metadata = None if tree is None else {"mien.checkpoint": tree}
    save_file({"w": torch.ones(2)}, tmp_path / "c", metadata)
    with pytest.raises(RecipeError, match=r"c: not a (whole )?training checkpoint"):
        load(tmp_path / "c")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="missing: cannot be read"):
        IO.load_checkpoint(tmp_path / "missing")
    with pytest.raises(RecipeError, match="cannot be read"):
        IO.load_checkpoint(tmp_path)
    torch.save({"a": torch.ones(2)}, tmp_path / "pickle.pt")
    with pytest.raises(RecipeError, match=r"pickle\.pt: not a whole training checkpoint"):
        IO.load_checkpoint(tmp_path / "pickle.pt")


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c"
    IO.save_checkpoint({"epoch": 1}, path)
    with files_of_at_most(10_000), pytest.raises(OutputError, match="c: not written"):
        IO.save_checkpoint({"epoch": 2, "w": torch.zeros(10_000)}, path)
    assert load(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_removal(tmp_path: Path) -> None:
    path = tmp_path / "c"
    IO.save_checkpoint({}, path)
    IO.remove_checkpoint(path)
    IO.remove_checkpoint(path)
    assert not path.exists()
