"""A model file: found by name or path, checked against its card, run in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mien.card import KEY, Card
from mien.errors import ModelError

DEFAULT: Final = "face"
INPUT: Final = "image"
_BATCH: Final = 64
_ERRORS_ONLY: Final = 3


@dataclass(frozen=True)
class Packaged:
    """A model file that comes with mien: its name, and where it lies."""

    name: str
    path: Path


def packaged() -> list[Packaged]:
    """Return the model files that come with mien, by name."""
    folder = Path(str(files("mien") / "models"))
    return [Packaged(path.stem, path) for path in sorted(folder.glob("*.onnx"))]


def find(name: str | Path) -> Path:
    """Return the model file of a packaged model's name, or of a path.

    Raises:
        ModelError: There is neither a packaged model of that name nor such a file.
    """
    known = {model.name: model.path for model in packaged()}
    if str(name) in known:
        return known[str(name)]
    path = Path(name)
    if path.is_file():
        return path
    have = ", ".join(known) or "none"
    raise ModelError(f"{name}: neither a model file nor a packaged model; packaged are: {have}")


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
        self._session = _open_session(data, name, threads, providers)
        metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        if KEY not in metadata:
            raise ModelError(
                f"{name}: has no model card, so its outputs have no known meaning. "
                "Use a model file that mien exported."
            )
        self.card = Card.from_json(metadata[KEY], name)
        _check_signature(self._session, self.card, name)

    @classmethod
    def open(
        cls,
        name: str | Path = DEFAULT,
        *,
        threads: int = 0,
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ) -> "Model":
        """Open a packaged model by name, or a model file by path.

        Args:
            name: "face" for example, or a path.
            threads: Threads that one run may use; 0 lets onnxruntime choose.
            providers: Names of onnxruntime's execution providers, best first.

        Raises:
            ModelError: There is no such model, or the file is not a valid one.

        Example:
            >>> Model.open("face").card.input.size
            96
        """
        path = find(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        return cls(data, str(name), threads=threads, providers=providers)

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
            ModelError: The pixels are of another shape or type, or a task is unknown.
        """
        side = self.card.input.size
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, 3):
            raise ModelError(
                f"{self.name}: takes uint8 pixels of N x {side} x {side} x 3, "
                f"not {pixels.dtype} of {' x '.join(map(str, pixels.shape))}"
            )
        names = [self.card.task(name).name for name in tasks or self.outputs]
        if not len(pixels):
            return {name: np.empty((0, self.card.task(name).outputs), np.float32) for name in names}
        # Parts of bounded size keep a crowd's memory bounded.
        parts = [
            self._session.run(names, {INPUT: np.ascontiguousarray(pixels[start : start + _BATCH])})
            for start in range(0, len(pixels), _BATCH)
        ]
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}


def _open_session(
    data: bytes, name: str, threads: int, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    missing = set(providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise ModelError(
            f"the execution provider {', '.join(sorted(missing))} is not installed; there are "
            f"{', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        # From bytes, not from a path: so a file cannot name others for onnxruntime to read.
        return onnxruntime.InferenceSession(data, options, providers=list(providers))
    except Exception as error:
        # onnxruntime's errors share no class of their own.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelError(
            f"{name}: not a whole ONNX model file ({len(data)} bytes): {reason}"
        ) from error


def _check_signature(session: onnxruntime.InferenceSession, card: Card, name: str) -> None:
    side = card.input.size
    inputs: list[Any] = session.get_inputs()
    shapes = [(i.name, i.type, list(i.shape)[1:]) for i in inputs]
    if shapes != [(INPUT, "tensor(uint8)", [side, side, 3])]:
        raise ModelError(
            f"{name}: its card says one input {INPUT!r}, uint8, N x {side} x {side} x 3; "
            f"the network has {shapes}"
        )
    found = {o.name: list(o.shape)[-1] for o in session.get_outputs()}
    wanted = {task.name: task.outputs for task in card.tasks}
    wrong = [
        f"{task} ({count} numbers; the network gives {found.get(task, 'no such output')})"
        for task, count in wanted.items()
        if found.get(task) != count
    ]
    if wrong or set(found) - set(wanted):
        extra = ", ".join(sorted(set(found) - set(wanted)))
        raise ModelError(
            f"{name}: its outputs do not match its card: "
            + "; ".join(wrong + ([f"outputs without a task: {extra}"] if extra else []))
        )
