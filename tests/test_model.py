"""Model files: what is asked of one, what each bad one is refused for, and runs in batches."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mien import model as models
from mien.analyzer import Analyzer
from mien.card import KEY
from mien.errors import ModelError
from mien.model import Model
from tests import tiny

GOOD = tiny.model_bytes(tiny.face_card())
Pixels = NDArray[np.uint8]


@cache
def model() -> Model:
    return Model(GOOD, "tiny.onnx")


def pixels(count: int) -> Pixels:
    return np.random.default_rng(count).integers(0, 256, (count, 16, 16, 3), np.uint8)


def edited(edit: Callable[[onnx.ModelProto], object], **weights: NDArray[np.float32]) -> bytes:
    proto = onnx.load_from_string(tiny.model_bytes(tiny.face_card(tasks=(tiny.GENDER,)), weights))
    edit(proto)
    data: bytes = proto.SerializeToString()
    return data


def output_of(kind: int, shape: list[Any]) -> Callable[[onnx.ModelProto], None]:
    def edit(proto: onnx.ModelProto) -> None:
        proto.graph.node[-1].output[0] = "before"
        proto.graph.node.append(helper.make_node("Cast", ["before"], ["cast"], to=kind))
        size = numpy_helper.from_array(np.array(shape, np.int64), "shape")
        proto.graph.initializer.append(size)
        proto.graph.node.append(helper.make_node("Reshape", ["cast", "shape"], ["gender"]))
        declared = ["n" if side == -1 else side for side in shape]
        proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("gender", kind, declared))

    return edit


def fixed_batch(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def float_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def second_input(proto: onnx.ModelProto) -> None:
    extra = helper.make_tensor_value_info("extra\nline", TensorProto.FLOAT, [])
    proto.graph.input.append(extra)


def sequence_output(proto: onnx.ModelProto) -> None:
    proto.graph.node.append(helper.make_node("SequenceConstruct", ["gender"], ["all"]))
    proto.graph.output.append(
        helper.make_tensor_sequence_value_info("all", TensorProto.FLOAT, None)
    )


def unknown_operator(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].op_type = "Wish"


def pairs_only(proto: onnx.ModelProto) -> None:
    """Fail at run time for an odd number of pictures."""
    shape = numpy_helper.from_array(np.array([-1, 2, 3], np.int64), "pairs")
    back = numpy_helper.from_array(np.array([-1, 3], np.int64), "back")
    proto.graph.initializer.extend([shape, back])
    proto.graph.node[3].input[0] = "unpaired"
    proto.graph.node.insert(3, helper.make_node("Reshape", ["means", "pairs"], ["paired"]))
    proto.graph.node.insert(4, helper.make_node("Reshape", ["paired", "back"], ["unpaired"]))


def other_file(proto: onnx.ModelProto) -> None:
    """Read the weights of the scores from a file in the working directory."""
    tensor = next(t for t in proto.graph.initializer if t.name == "w_gender")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"


def test_a_model_tells_its_card_size_and_outputs() -> None:
    assert model().card == tiny.face_card()
    assert model().bytes == len(GOOD)
    assert model().outputs == ["age", "gender", "race"]


def test_known_pixels_give_known_probabilities() -> None:
    plain = np.full((1, 16, 16, 3), (255, 0, 127.5), np.uint8)
    (male, female) = model().run(plain)["gender"][0]
    # The scores are ten times the mean red and green.
    assert male == pytest.approx(1 / (1 + np.exp(-10)), abs=1e-6)
    assert male + female == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_a_batch_equals_its_pictures_one_by_one(count: int) -> None:
    batch = pixels(count)
    found = model().run(batch)
    for task in model().card.tasks:
        assert found[task.name].shape == (count, task.outputs)
        assert found[task.name].dtype == np.float32
        for picture, row in zip(batch, found[task.name], strict=True):
            alone = model().run(picture[np.newaxis], [task.name])[task.name][0]
            np.testing.assert_allclose(row, alone, atol=1e-6)


def test_only_the_tasks_asked_for_are_run() -> None:
    assert model().run(pixels(2), ["race", "age"]).keys() == {"race", "age"}
    assert model().run(pixels(2), []) == {}
    with pytest.raises(ModelError, match="no task 'mood'"):
        model().run(pixels(2), ["mood"])


def test_a_view_with_gaps_is_run_as_it_looks() -> None:
    batch = pixels(4)
    np.testing.assert_array_equal(
        model().run(batch[::2, :, ::-1])["race"],
        model().run(np.ascontiguousarray(batch[::2, :, ::-1]))["race"],
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((1, 16, 16, 3), np.float32), "not float32 of 1 x 16 x 16 x 3"),
        (np.zeros((16, 16, 3), np.uint8), "not uint8 of 16 x 16 x 3"),
        (np.zeros((1, 16, 16, 1), np.uint8), "not uint8 of 1 x 16 x 16 x 1"),
        (np.zeros((0, 3, 16, 16), np.uint8), "not uint8 of 0 x 3 x 16 x 16"),
        (np.zeros((), np.uint8), "not uint8 of "),
    ],
)
def test_other_pixels_are_refused(wrong: Any, said: str) -> None:
    with pytest.raises(ModelError, match=f"^tiny.onnx: takes uint8 .* N x 16 x 16 x 3, {said}$"):
        model().run(wrong)


def test_threads_share_a_model() -> None:
    batches = [pixels(count) for count in (1, 3, 70, 5, 64, 2, 9, 30)]
    alone = [model().run(batch)["age"] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: model().run(batch)["age"], batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot open its 0 bytes"),
        (b"not a model, but text", "its 21 bytes are not a whole ONNX file"),
        (np.random.default_rng(0).bytes(5000), "its 5,000 bytes are not a whole ONNX file"),
        (GOOD[: len(GOOD) // 2], "not a whole ONNX file"),
        (GOOD[:-1], "not a whole ONNX file"),
        (edited(unknown_operator), r"cannot open its [\d,]+ bytes \(.*Wish"),
        (tiny.model_bytes(None), "has no model card.*Use a whole .onnx file that mien exported"),
        (tiny.model_bytes("{}"), "model card is not valid"),
        (tiny.model_bytes("age, gender"), "model card is not JSON"),
        (
            tiny.model_bytes('{"schema_version": 2, "zip": 1}'),
            "schema 2; .* knows 1.*Update",
        ),
        (
            tiny.model_bytes(tiny.face_card(), outputs={"age": 90, "gender": 2, "race": 5}),
            "'age' should be float32 N x 101, not float32 N x 90. Export it again",
        ),
        (
            tiny.model_bytes(tiny.face_card(), outputs={"age": 101, "mood": 2, "race": 5}),
            "'gender' should be float32 N x 2, not absent; 'mood' should be absent, not float32",
        ),
        (edited(output_of(TensorProto.FLOAT16, [-1, 2])), r"not tensor\(float16\) N x 2"),
        (edited(output_of(TensorProto.FLOAT, [-1, 1, 2])), "not float32 N x 1 x 2"),
        (edited(output_of(TensorProto.FLOAT, [1, 2])), "not float32 1 x 2"),
        (edited(sequence_output), r"'all' should be absent, not seq\(tensor\(float\)\)"),
        (
            edited(fixed_batch),
            "one input, .* N x 16 x 16 x 3; it has .* 1 x 16 x 16 x 3",
        ),
        (edited(float_input), "it has 'image', float32 N x 16 x 16 x 3"),
        (edited(second_input), r"it has 'image', .*; 'extra\\nline', float32"),
        (GOOD.replace(b"mien.card", b"mien.\xff\xffrd"), "a text in it is not UTF-8"),
        (GOOD.replace(b"\x03age", b"\x03\xff\xff\xff"), "a text in it is not UTF-8"),
        (edited(other_file), "keeps weights in other files, which are not read"),
    ],
)
def test_a_bad_model_file_is_refused_with_its_reason(
    data: bytes, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match=f"^bad.onnx: .*{said}"):
        Model(data, "bad.onnx")
    assert capfd.readouterr() == ("", "")


def test_the_cards_size_must_be_the_networks() -> None:
    proto = onnx.load_from_string(GOOD)
    larger = tiny.face_card().model_copy(
        update={"input": tiny.face_card().input.model_copy(update={"size": 32})}
    )
    helper.set_model_props(proto, {KEY: larger.to_json()})
    with pytest.raises(ModelError, match="uint8 N x 32 x 32 x 3; it has 'image', uint8 N x 16"):
        Model(proto.SerializeToString())


def test_weights_in_a_file_that_exists_are_refused_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.eye(3, 2, dtype=np.float32).tofile(tmp_path / "weights.bin")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="keeps weights in other files"):
        Model(edited(other_file))


def test_a_network_that_fails_on_a_batch_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    pairs = Model(edited(pairs_only), "pairs.onnx")
    assert pairs.run(pixels(4))["gender"].shape == (4, 2)
    with pytest.raises(ModelError, match=r"^pairs.onnx: .* failed on 3 pictures: .*Reshape"):
        pairs.run(pixels(3))
    assert capfd.readouterr().err == ""


def test_a_network_whose_numbers_are_not_finite_says_so() -> None:
    broken = Model(edited(lambda proto: None, gender=np.full((3, 2), np.inf, np.float32)))
    with pytest.raises(ModelError, match="output 'gender' is not 2 x 2 finite numbers"):
        broken.run(pixels(2))


def test_a_network_that_gives_other_rows_than_it_was_given_says_so() -> None:
    def twice(proto: onnx.ModelProto) -> None:
        proto.graph.node[-1].output[0] = "once"
        proto.graph.node.append(helper.make_node("Concat", ["once"] * 2, ["gender"], axis=0))

    with pytest.raises(ModelError, match="output 'gender' is not 3 x 2 finite numbers"):
        Model(edited(twice)).run(pixels(3))


@pytest.mark.parametrize("providers", [["CUDAExecutionProvider"], ["Wish", "CPUExecutionProvider"]])
def test_a_provider_that_is_not_installed_is_named(providers: list[str]) -> None:
    assert "CUDAExecutionProvider" not in onnxruntime.get_available_providers()
    with pytest.raises(ModelError, match=f"provider {providers[0]} is not .* CPUExecutionProvider"):
        Model(GOOD, providers=providers)


def test_a_file_is_opened_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(GOOD)
    assert models.find(path) == models.find(str(path)) == path
    opened = Model.open(path, threads=1)
    assert (opened.card, opened.name) == (model().card, str(path))


def test_a_packaged_model_is_found_by_its_name() -> None:
    known = models.packaged()
    assert known == sorted(known, key=lambda packaged: packaged.name)
    for packaged in known:
        assert models.find(packaged.name) == packaged.path


@pytest.mark.parametrize("name", ["nothing", "no/such.onnx", "", "a\0b", "x" * 5000, "two\nlines"])
def test_what_is_neither_name_nor_file_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=r"'.*': (neither|a folder)") as raised:
        Model.open(name)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 450


@pytest.mark.parametrize(("path", "said"), [(".", "a folder"), ("/dev/null", "no regular file")])
def test_what_is_no_file_is_refused(path: str, said: str) -> None:
    with pytest.raises(ModelError, match=f"^'{path}': {said}; give the path of an .onnx model"):
        Model.open(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc")
def test_a_file_that_fails_on_reading_says_why() -> None:
    with pytest.raises(ModelError, match=r"^/proc/self/mem: cannot be read \(.+\)$"):
        Model.open("/proc/self/mem")


def test_a_file_beyond_what_onnx_allows_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)
    with pytest.raises(ModelError, match=r"huge.onnx: 2,147,483,649 bytes; .* at most "):
        Model.open(path)


@given(position=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_changed_byte_is_harmless_or_refused(position: int, value: int) -> None:
    damaged = GOOD[:position] + bytes([value]) + GOOD[position + 1 :]
    try:
        found = Model(damaged).run(pixels(2))
    except ModelError:
        return
    assert all(len(rows) == 2 for rows in found.values())


def test_the_default_is_one_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(models.VARIABLE, raising=False)
    assert Model.open().card.name == models.DEFAULT
    (tmp_path / "own.onnx").write_bytes(GOOD)
    monkeypatch.setenv(models.VARIABLE, str(tmp_path / "own.onnx"))
    assert Model.open().card.name == Analyzer().model.card.name == "tiny-face"
    assert Model.open(models.DEFAULT).card.name == models.DEFAULT
    monkeypatch.setenv(models.VARIABLE, "fcae")
    with pytest.raises(ModelError, match=r"'fcae' \(MIEN_MODEL names it\): neither"):
        Model.open()


def test_a_runs_folder_says_where_its_model_file_is(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"model")
    with pytest.raises(ModelError, match=r"a run's folder; its model file is .*model\.onnx"):
        Model.open(tmp_path)
