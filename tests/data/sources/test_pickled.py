"""Pickles of plain values are read; whatever could run something is refused, and does not run."""

import os
import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.sources import pickled
from mien.errors import DataError
from tests.data.sources.batches import PROTOCOL, batch_of, encode, pickle_of
from tests.labelled import noise


def read(folder: Path, data: bytes) -> object:
    path = folder / "data.pickle"
    path.write_bytes(data)
    return pickled.load(path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text("abcé", max_size=300),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text("ab"), values),
)


def to_python_2(value: object) -> object:
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, list):
        return [to_python_2(entry) for entry in value]
    if isinstance(value, dict):
        return {to_python_2(key): to_python_2(entry) for key, entry in value.items()}
    return value


@settings(deadline=None, max_examples=50)
@given(plain)
def test_plain_values(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    data = pickle_of(to_python_2(value))
    assert pickle.loads(data, encoding="latin-1") == value
    assert read(tmp_path_factory.getbasetemp(), data) == value


def test_a_batch_is_read_as_pickle_reads_it(tmp_path: Path) -> None:
    batch = batch_of([noise(seed, 32, 32) for seed in range(3)], [3, 0, 9])
    found = read(tmp_path, pickle_of(batch))
    assert isinstance(found, dict)
    np.testing.assert_array_equal(found["data"], batch[b"data"])
    assert found["data"].dtype == np.uint8
    assert found["labels"] == [3, 0, 9]
    wanted = pickle.loads(pickle_of(batch), encoding="latin-1")
    np.testing.assert_array_equal(wanted.pop("data"), found.pop("data"))
    assert found == wanted


def test_every_kind_of_tuple_and_memo(tmp_path: Path) -> None:
    data = PROTOCOL + b"(K\x01\x85q\x05K\x02K\x03\x86K\x04K\x05K\x06\x87)h\x05j\x05\x00\x00\x00t."
    assert read(tmp_path, data) == ((1,), (2, 3), (4, 5, 6), (), (1,), (1,))


def test_items_one_by_one(tmp_path: Path) -> None:
    data = PROTOCOL + b"}U\x01aK\x01sU\x01b]K\x02as."
    assert read(tmp_path, data) == {"a": 1, "b": [2]}


class Shell:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_a_command(protocol: int, tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    data = pickle.dumps({"data": Shell(f"touch '{trace}'")}, protocol)
    with pytest.raises(DataError, match="refused, for it holds more than plain values"):
        read(tmp_path, data)
    assert not trace.exists()
    pickle.loads(data)
    assert trace.exists()  # so the pickle is one that runs


HOSTILE = {
    "a command in old opcodes": b"cos\nsystem\n(U\x04trueto",
    "an instance in old opcodes": b"(ios\nsystem\n",
    "a name from the stack": b"U\x02osU\x06system\x93)R",
    "a name of builtins": b"c__builtin__\neval\nU\x011\x85R",
    "a name of numpy that is none of the three": b"cnumpy\nload\nU\x01x\x85R",
    "a registered extension": b"\x82\x01",
    "a persistent object": b"U\x01aQ",
    "a call of what is no name": b"K\x01K\x02R",
    "the array's type called as its maker": b"cnumpy\nndarray\nK\x05\x85R",
    "an array of objects": b"cnumpy\ndtype\nU\x01OK\x00K\x01\x87R",
    "a state of a name": b"cnumpy\ndtype\n}U\x01aK\x01sb",
    "a state of a list": b"]}b",
    "items in a list": b"]U\x01aK\x01s",
    "values in a dict": b"}K\x01a",
    "a key that is a number": b"}K\x01K\x01s",
    "a key that is a tuple": b"})K\x01s",
    "a number of any length": b"\x8a\x01\x05",
    "a fraction": b"G?\xf0\x00\x00\x00\x00\x00\x00",
    "a frozen set of protocol 4": b"(\x91",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.pickle: refused, .* nothing of it was run"):
        read(tmp_path, PROTOCOL + body + b".")


def test_an_array_whose_shape_does_not_fit(tmp_path: Path) -> None:
    good = encode(np.zeros((2, 3), np.uint8))
    assert b"K\x02K\x03\x86" in good
    for shape in (b"K\x02K\x04\x86", b"J\xff\xff\xff\xffJ\xfa\xff\xff\xff\x86", b"NN\x86"):
        with pytest.raises(DataError, match="whose shape does not fit its content"):
            read(tmp_path, PROTOCOL + good.replace(b"K\x02K\x03\x86", shape) + b".")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"hello",
        b"\xff\xfe\x80\x02}.",
        PROTOCOL,
        PROTOCOL + b"(K\x01",
        PROTOCOL + b"K\x01K\x02\x87.",
        PROTOCOL + b"t.",
        PROTOCOL + b"q\x01.",
        PROTOCOL + b"h\x07.",
        PROTOCOL + b"}(U\x01au.",
        PROTOCOL + b"T\xff\xff\xff\x7fabc.",
        PROTOCOL + b"T\xff\xff\xff\xffabc.",
    ],
)
def test_damaged_pickles(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.pickle: not a pickle, or a damaged one; download"):
        read(tmp_path, data)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing: cannot be read \(No such file"):
        pickled.load(tmp_path / "missing")
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        pickled.load(tmp_path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(pickled.MAX_BYTES + 1)
    with pytest.raises(DataError, match="large: more than 67,108,864 bytes"):
        pickled.load(tmp_path / "large")


def test_endless_steps_are_stopped(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"refused, .*NONE at byte 300002"):
        read(tmp_path, PROTOCOL + b"N" * 310_000 + b".")


good_batch = pickle_of(batch_of([noise(1, 32, 32)], [3]))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(good_batch) - 1), st.binary(min_size=1, max_size=4))
def test_a_batch_with_a_few_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, place: int, other: bytes
) -> None:
    # Half of them near the ends, where the opcodes stand.
    place = place if place % 2 else (place % 200) - 100
    data = bytearray(good_batch)
    data[place : place + len(other)] = other
    with suppress(DataError):
        read(tmp_path_factory.getbasetemp(), bytes(data))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with suppress(DataError):
        read(tmp_path_factory.getbasetemp(), PROTOCOL + data)
