"""A model file: found by name or path, checked against its card, run in batches."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mien.card import KEY, Card
from mien.errors import ModelError, printable, shortened
from mien.onnxfile import names_other_files

DEFAULT: Final = "face"
"""The model that is used where nothing else is said; see `default_name`."""

PICTURES: Final = ("cifar10",)
"""The packaged models that read whole pictures."""

VARIABLE: Final = "MIEN_MODEL"
"""The environment variable that names another default."""

RUN_FILE: Final = "model.onnx"
"""What a training calls its model file."""

INPUT: Final = "image"
_BATCH: Final = 64
_LARGEST_FILE: Final = 2**31
_SILENT: Final = 4
_WANTED: Final = "Use a whole .onnx file that mien exported."


@dataclass(frozen=True)
class Packaged:
    """A model file that comes with mien: its name, and where it lies."""

    name: str
    path: Path


def packaged() -> list[Packaged]:
    """Return the model files that come with mien, by name."""
    folder = Path(str(files("mien") / "models"))
    found = sorted(folder.glob("*.onnx"), key=lambda path: path.stem)
    return [Packaged(path.stem, path) for path in found]


def default_name(environment: Mapping[str, str] = os.environ) -> str:
    """Return what is used where no model is named: that of `MIEN_MODEL`, or else `DEFAULT`.

    Args:
        environment: The environment variables; a name that is empty counts as none.
    """
    return environment.get(VARIABLE) or DEFAULT


def find(name: str | Path) -> Path:
    """Return the model file of a packaged model's name, or of a path.

    Raises:
        ModelError: There is neither a packaged model of that name nor such a file.
    """
    known = {model.name: model.path for model in packaged()}
    if str(name) in known:
        return known[str(name)]
    path, shown = Path(name), printable(shortened(str(name)))
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        have = ", ".join(known) or "none"
        origin = f" ({VARIABLE} names it)" if os.environ.get(VARIABLE) == str(name) else ""
        raise ModelError(
            f"{shown!r}{origin}: neither a model file nor a packaged model; packaged are: {have}"
        ) from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        if (path / RUN_FILE).is_file():
            kind = f"a run's folder; its model file is {printable(str(path / RUN_FILE))}"
        raise ModelError(f"{shown!r}: {kind}; give the path of an .onnx model file")
    return path


class Model:
    """An open model file. One may be shared by threads.

    Args:
        data: The model file's bytes.
        name: What messages call it.
        threads: Threads that one run may use; 0 lets onnxruntime choose.
        providers: Names of onnxruntime's execution providers, best first.

    Raises:
        ModelError: The bytes are not a model file, or one whose card or outputs are not valid, or
            a provider is not installed.
    """

    def __init__(
        self,
        data: bytes,
        name: str = "<bytes>",
        *,
        threads: int = 0,
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ) -> None:
        self.name = name
        self.bytes = len(data)
        self._session = open_session(data, name, threads, providers)
        try:
            self.card = _card(self._session, name)
            _check_signature(self._session, self.card, name)
        except UnicodeDecodeError as error:
            raise ModelError(
                f"{name}: a text in it is not UTF-8 ({error.reason}). {_WANTED}"
            ) from error

    @classmethod
    def open(
        cls,
        name: str | Path | None = None,
        *,
        threads: int = 0,
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ) -> "Model":
        """Open a packaged model by name, or a model file by path.

        Args:
            name: "face" for example, or a path; None for the default (see `default_name`).
            threads: Threads that one run may use; 0 lets onnxruntime choose.
            providers: Names of onnxruntime's execution providers, best first.

        Raises:
            ModelError: There is no such model, or the file is not a valid one.

        Example:
            >>> Model.open("face").card.input.size
            96
        """
        name = default_name() if name is None else name
        path = find(name)
        shown = printable(shortened(str(name)))
        return cls(_read(path, shown), shown, threads=threads, providers=providers)

    @cached_property
    def outputs(self) -> list[str]:
        """The names of the outputs, one a task."""
        return [task.name for task in self.card.tasks]

    def run(
        self, pixels: NDArray[np.uint8], tasks: Sequence[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Run the network.

        Args:
            pixels: N x size x size x 3, uint8, RGB, cropped as the card's input says; N may be 0.
            tasks: The tasks to compute; None for all.

        Returns:
            Task -> N x outputs: probabilities, or one number for a regression.

        Raises:
            ModelError: The pixels are of another shape or type, a task is unknown, or the network
                fails.
        """
        side = self.card.input.size
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, 3):
            raise ModelError(
                f"{self.name}: takes uint8 pixels of N x {side} x {side} x 3, "
                f"not {pixels.dtype} of {' x '.join(map(str, pixels.shape))}"
            )
        wanted = [self.card.task(name) for name in (self.outputs if tasks is None else tasks)]
        found = {task.name: np.empty((len(pixels), task.outputs), np.float32) for task in wanted}
        # Parts of bounded size keep a crowd's memory bounded.
        for start in range(0, len(pixels) if wanted else 0, _BATCH):
            part = pixels[start : start + _BATCH]
            for name, values in zip(found, self._run(part, list(found)), strict=True):
                rows = found[name][start : start + _BATCH]
                if values.shape != rows.shape or not np.isfinite(values).all():
                    raise ModelError(
                        f"{self.name}: its output {name!r} is not {len(rows)} x {rows.shape[1]} "
                        "finite numbers. Export or train the model again."
                    )
                rows[:] = values
        return found

    def _run(self, pixels: NDArray[np.uint8], names: list[str]) -> list[NDArray[np.float32]]:
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(
                names, {INPUT: np.ascontiguousarray(pixels)}
            )
        except Exception as error:
            # onnxruntime's errors share no class of their own.
            raise ModelError(
                f"{self.name}: the network failed on {len(pixels)} pictures: {_reason(error)}"
            ) from error
        return outputs


def _read(path: Path, name: str) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise ModelError(
                f"{name}: {size:,} bytes; an ONNX file holds at most {_LARGEST_FILE:,}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{name}: cannot be read ({error.strerror})") from error


def open_session(
    data: bytes,
    name: str,
    threads: int = 0,
    providers: Sequence[str] = ("CPUExecutionProvider",),
) -> onnxruntime.InferenceSession:
    """Open an ONNX file for inference, whatever it computes.

    Args:
        data: The file's bytes.
        name: What messages call it.
        threads: Threads that one run may use; 0 lets onnxruntime choose.
        providers: Names of onnxruntime's execution providers, best first.

    Raises:
        ModelError: It cannot be opened, keeps weights in other files, or a provider is missing.
    """
    missing = set(providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise ModelError(
            f"the execution provider {', '.join(sorted(missing))} is not installed; there are "
            f"{', '.join(onnxruntime.get_available_providers())}"
        )
    _check_self_contained(data, name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait busily for the next batch would take the cores from those that prepare it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What goes wrong is raised; on stderr it would stand a second time.
    options.log_severity_level = _SILENT
    try:
        # Without its fallback: that would print, and take another provider without a word.
        return onnxruntime.InferenceSession(
            data, options, providers=list(providers), enable_fallback=0
        )
    except Exception as error:
        raise ModelError(
            f"{name}: onnxruntime cannot open its {len(data):,} bytes ({_reason(error)}). {_WANTED}"
        ) from error


def _check_self_contained(data: bytes, name: str) -> None:
    """Refuse a file that would have onnxruntime read others, from wherever the program runs."""
    try:
        if names_other_files(data):
            raise ModelError(
                f"{name}: keeps weights in other files, which are not read. Use a model file that "
                "holds all of its weights."
            )
    except ValueError as error:
        raise ModelError(
            f"{name}: its {len(data):,} bytes are not a whole ONNX file ({error}). {_WANTED}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the first line of an error of onnxruntime, which may quote what the file holds."""
    lines = str(error).splitlines() or [type(error).__name__]
    return printable(shortened(re.sub(r"^\[ONNXRuntimeError\] : \d+ : ", "", lines[0])))


def _card(session: onnxruntime.InferenceSession, name: str) -> Card:
    metadata: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if KEY not in metadata:
        raise ModelError(
            f"{name}: has no model card, so its outputs have no known meaning. {_WANTED}"
        )
    return Card.from_json(metadata[KEY], name)


def _check_signature(session: onnxruntime.InferenceSession, card: Card, name: str) -> None:
    _check_input(session.get_inputs(), card.input.size, name)
    found = {output.name: _described(output) for output in session.get_outputs()}
    wanted = {task.name: f"float32 N x {task.outputs}" for task in card.tasks}
    wrong = [
        f"{output!r} should be {wanted.get(output, 'absent')}, not {found.get(output, 'absent')}"
        for output in sorted(found.keys() | wanted)
        if found.get(output) != wanted.get(output)
    ]
    if wrong:
        raise ModelError(
            f"{name}: its outputs do not match its card: {'; '.join(wrong)}. Export it again."
        )


def _check_input(inputs: Sequence[Any], side: int, name: str) -> None:
    found = [f"{i.name!r}, {_described(i)}" for i in inputs]
    wanted = f"{INPUT!r}, uint8 N x {side} x {side} x 3"
    if found != [wanted]:
        raise ModelError(
            f"{name}: should have one input, {wanted}; it has {'; '.join(found) or 'none'}. "
            "Export it again."
        )


def _described(value: Any) -> str:
    """Return "float32 N x 7" for a tensor of any number of rows by seven."""
    kind = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}.get(value.type, value.type)
    shape = list(value.shape)
    rows = ["N" if not isinstance(side, int) else str(side) for side in shape[:1]]
    return f"{kind} {' x '.join(rows + [str(side) for side in shape[1:]])}"
