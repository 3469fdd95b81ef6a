"""Model files of ready-made ImageNet classifiers, made when first asked for and then kept."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import mien
from mien.card import Card, Input, Task
from mien.errors import ModelError, OutputError
from mien.files import atomic_write, make_folder
from mien.model import Model
from mien.networks import imagenet
from mien.training.export import export

PREFIX: Final = "imagenet/"
"""Before the names of such classifiers, where a model is named."""


def model_file(name: str, weights: Path | None = None) -> bytes:
    """Make the model file of a network of timm's that tells ImageNet's 1,000 classes apart.

    Args:
        name: The network's name, as "resnet50".
        weights: A safetensors file of timm's names; None for what a package ships, or the hub.

    Raises:
        ModelError: There is no such network, it has no weights there, or it cannot be exported.
    """
    net = imagenet.classifier(name, weights)
    config: Any = net.backbone.pretrained_cfg
    card = Card(
        name=f"imagenet-{name}".replace("_", "-"),
        version="1",
        description=f"Tells ImageNet's 1,000 classes apart, by {name} with weights of others.",
        licence=str(getattr(config, "license", None) or "see the weights' source"),
        use="see the weights' licence; ImageNet itself is for non-commercial research",
        limits="Whatever a picture shows, one of the 1,000 classes is named.",
        input=Input(size=int(config["input_size"][1]), framing="centre"),
        tasks=(Task(name=imagenet.TASK, kind="classification", labels=imagenet.labels()),),
        recipe={"network": {"backbone": name, "weights": "imagenet", "dropout": 0.2}},
        created_by=f"mien {mien.__version__}",
    )
    return export(net, card)


def open_model(name: str, *, threads: int = 0, providers: tuple[str, ...] = ()) -> Model:
    """Open a ready-made classifier; its model file is made once, and kept in the user's cache.

    Args:
        name: "imagenet/" and the network's name.
        threads: Threads that one run may use; 0 lets onnxruntime choose.
        providers: Names of onnxruntime's execution providers, best first.

    Raises:
        ModelError: As for `model_file`.
    """
    options = {"threads": threads, "providers": providers or ("CPUExecutionProvider",)}
    network = name.removeprefix(PREFIX)
    path = _cache() / f"{network}-{mien.__version__}.onnx"
    if network.replace("_", "").isalnum() and path.is_file():
        # One that was damaged is made anew.
        with suppress(ModelError):
            return Model(path.read_bytes(), name, **options)  # type: ignore[arg-type]
    data = model_file(network)
    with suppress(OutputError):
        # Without a cache it is made again the next time.
        make_folder(path.parent)
        with atomic_write(path, "wb") as file:
            file.write(data)
    return Model(data, name, **options)  # type: ignore[arg-type]


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mien" / "imagenet"
