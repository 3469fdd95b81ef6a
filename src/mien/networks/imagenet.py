"""Ready-made classifiers of ImageNet's 1,000 classes: timm's networks with their own last layer."""

from collections import Counter
from pathlib import Path

from torch import Tensor

from mien.errors import ModelError, RecipeError
from mien.networks import torchvision_ops, weights
from mien.networks.multitask import Heads, MultiTaskNet
from mien.networks.registry import Settings, named

CLASSES = 1000
TASK = "label"


def labels() -> tuple[str, ...]:
    """Return the classes in ImageNet's order: their first names, set apart where two are alike."""
    torchvision_ops.ensure_importable()
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo()
    names = [str(info.index_to_description(place)).split(",")[0] for place in range(CLASSES)]
    counts = Counter(names)
    codes: list[str] = info.label_names()  # type: ignore[no-untyped-call]
    return tuple(
        name if counts[name] == 1 else f"{name} ({code})"
        for name, code in zip(names, codes, strict=True)
    )


def classifier(name: str, source: Path | None = None) -> MultiTaskNet:
    """Return a classifier of ImageNet's classes, whose one task is called "label".

    Args:
        name: A network of timm's.
        source: A safetensors file of timm's names; None for the weights that a package ships, or
            else the hub's.

    Raises:
        ModelError: There is no such network, it has no weights there, or they do not fit.
    """
    name = named(name)
    try:
        net = MultiTaskNet(name, {TASK: CLASSES}, head=Heads(dropout=0), settings=Settings())
        backbone = net.get_submodule("backbone")
        state = _state(name, source)
        weights.fill(backbone, state, f"those of {source or name}")
        last = f"{_last_layer(name)}."
        # Some of timm's write it as a convolution of one pixel.
        own = {
            key.removeprefix(last): tensor.flatten(1) if tensor.ndim > 1 else tensor
            for key, tensor in state.items()
            if key.startswith(last)
        }
        head = net.get_submodule(f"heads.{TASK}")
        weights.fill(head, own, f"those of {source or name}, its last layer,")
    except RecipeError as error:
        raise ModelError(f"imagenet/{name}: {_plain(error)}") from error
    return net.eval()


def _state(name: str, source: Path | None) -> dict[str, Tensor]:
    if source is not None:
        return weights.read_file(source)
    if name in weights.PACKAGED:
        return weights.with_last_layer(name)
    try:
        return weights.from_hub(name, CLASSES)
    except RecipeError as error:
        reason = _plain(error).partition("; without")[0]
        raise ModelError(
            f"imagenet/{name}: {reason}. With its weights in a safetensors file: "
            f"mien models imagenet {name} --weights FILE -o {name}.onnx. The weights of "
            f"{', '.join(weights.PACKAGED)} need no download."
        ) from error


def _last_layer(name: str) -> str:
    import timm

    found = timm.get_pretrained_cfg(name)
    last = getattr(found, "classifier", None)
    if not isinstance(last, str):
        raise RecipeError("its last layer is not a single one; choose another network")
    return last


def _plain(error: Exception) -> str:
    """Return what is wrong without the place in a recipe, for there is none."""
    return str(error).removeprefix("network.weights: ").removeprefix("network.backbone: ")
