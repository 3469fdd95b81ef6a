"""Training checkpoints without pickle: tensors as safetensors, everything else as JSON beside them.

Both parts lie in one file (the JSON in the safetensors header), which appears whole or not at all.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from pytorch_lightning.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mien.errors import RecipeError
from mien.files import atomic_write

_KEY: Final = "mien.checkpoint"
_TENSOR, _PAIRS, _TUPLE = "tensor", "pairs", "tuple"


class SafeCheckpointIO(CheckpointIO):
    """Stores what Lightning hands over; Lightning's own way would be a pickle."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            OutputError: The disk is full or the folder cannot be written.
            TypeError: The checkpoint holds something that JSON cannot.
        """
        tensors: dict[str, Tensor] = {}
        tree = _to_json(checkpoint, "", tensors)
        data = save(tensors, metadata={_KEY: json.dumps(tree)})
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(Path(path), "wb") as file:
            file.write(data)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint.

        Raises:
            RecipeError: The file is missing or not a checkpoint of ours.
        """
        return load(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint, if it is there."""
        Path(path).unlink(missing_ok=True)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint into the CPU's memory.

    Raises:
        RecipeError: The file is missing, cut short, or not a checkpoint of ours.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = _from_json(json.loads(metadata[_KEY]), tensors)
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RecipeError(
            f"{path}: not a whole training checkpoint ({error}); train again, or resume from a copy"
        ) from error
    if not isinstance(found, dict):
        raise RecipeError(f"{path}: not a training checkpoint")
    return found


def _to_json(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Replace tensors by their names, and what JSON would change by a tagged form."""
    if isinstance(value, Tensor):
        while place in tensors:  # the keys 1 and "1" read alike
            place += "'"
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors[place] = value.detach().clone(memory_format=torch.contiguous_format)
        return {_TENSOR: place}
    if isinstance(value, dict):
        pairs = [
            [_to_json(key, place, tensors), _to_json(item, f"{place}/{key}", tensors)]
            for key, item in value.items()
        ]
        return {_PAIRS: pairs}
    if isinstance(value, list | tuple):
        items = [_to_json(item, f"{place}/{i}", tensors) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {_TUPLE: items}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__} at {place or 'its top'}")


def _from_json(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_from_json(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(_from_json(item, tensors) for item in value[_TUPLE])
    return {_from_json(key, tensors): _from_json(item, tensors) for key, item in value[_PAIRS]}
