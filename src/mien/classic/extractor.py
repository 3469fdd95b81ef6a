"""What turns pictures into features: a network without its heads, as an ONNX graph."""

import copy
import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from mien import model as models
from mien.card import Input
from mien.classic import graph
from mien.errors import ModelError
from mien.faces import TEMPLATE
from mien.model import INPUT, Model, open_session
from mien.networks import weights
from mien.networks.multitask import MultiTaskNet
from mien.training.export import halve, noise, round_to_half, traced

Layer = Literal["pooled", "map"]

_GIVEN: Final = "given"
_PLACES: Final = "places"


class Origin(BaseModel):
    """Where features come from: what can be said of a network without its weights.

    Attributes:
        name: The backbone's name, or the model's.
        weights: Where the backbone's weights are from; empty for a model file.
        layer: "pooled": the numbers that the heads are given. "map": those of every place.
        shape: Of the features of one picture: (1280,), or (7, 7, 512).
        input: What the network takes.
        licence: The model file's licence, and ...
        use: ... what it may be used for, and ...
        limits: ... what not; empty for a backbone.
        backbone: Name of the network in timm, where it is known.
        fingerprint: Hash over the graph with its weights, and over the input.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    weights: str = ""
    layer: Layer
    shape: tuple[int, ...]
    input: Input
    licence: str = ""
    use: str = ""
    limits: str = ""
    backbone: str = ""
    fingerprint: str = ""

    @property
    def width(self) -> int:
        """How many numbers there are for one picture."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network without its heads.

    Attributes:
        data: The ONNX file: `image`, as a model file takes it -> `features`, N x width.
        origin: Where it comes from.
        threads: Threads that one run may use; 0 lets onnxruntime choose.
    """

    data: bytes
    origin: Origin
    threads: int = 0

    @cached_property
    def _session(self) -> Any:
        return open_session(self.data, self.origin.name, self.threads)

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return N x width features of N x size x size x 3 pixels.

        Raises:
            ModelError: A feature is no finite number.
        """
        (found,) = self._session.run([graph.FEATURES], {INPUT: np.ascontiguousarray(pixels)})
        rows = cast("NDArray[np.float32]", found)
        if not np.isfinite(rows).all():
            raise ModelError(f"{self.origin.name}: its features are no finite numbers")
        return rows


def open_extractor(
    name: str,
    *,
    source: str = "",
    layer: Layer = "pooled",
    size: int = 0,
    framing: Literal["centre", "face"] | None = None,
    threads: int = 0,
) -> Extractor:
    """Return the network of a model file, or of a backbone's name, without its heads.

    Args:
        name: A packaged model's name, a model file's path, or a network's name in timm.
        source: Where a backbone's weights come from; by default a package that ships them, or
            else the hub. A model file brings its own.
        layer: "pooled", or "map" for the numbers of every place.
        size: Side of a backbone's input; 0 for the one that its weights were trained at.
        framing: How pictures are cut for a backbone: by default "centre".
        threads: Threads that one run may use; 0 lets onnxruntime choose.

    Raises:
        RecipeError: There is no such network, or no such weights.
        ModelError: The model file has no features, or the network cannot be exported.
    """
    packaged = [model.name for model in models.packaged()]
    if name not in packaged and Path(name).suffix != ".onnx":
        source = source or ("package" if name in weights.PACKAGED else "hub")
        return of_backbone(
            name, source, layer=layer, size=size, framing=framing or "centre", threads=threads
        )
    if source or size or framing:
        raise ModelError(
            f"{name}: a model file brings its own weights, size and framing; leave these options "
            "out, or name a backbone"
        )
    return of_model(name, layer=layer, threads=threads)


def of_model(name: str, *, layer: Layer = "pooled", threads: int = 0) -> Extractor:
    """Return what a model file computes before its heads.

    Args:
        name: A packaged model's name, or a model file's path.
        layer: Whether to take the features as the heads do, or the map that they are pooled from.
        threads: Threads that one run may use; 0 lets onnxruntime choose.

    Raises:
        ModelError: There is no such model, its outputs share no last layer, or it has no map.
    """
    card = Model.open(name, threads=1).card
    whole = onnx.load_from_string(models.find(name).read_bytes())
    tensor = graph.before_heads(whole)
    if layer == "map":
        tensor = graph.before_pooling(whole, tensor)
    network = card.recipe.get("network")
    found = network.get("backbone") if isinstance(network, dict) else None
    origin = {
        "name": card.name,
        "layer": layer,
        "input": card.input,
        "licence": card.licence,
        "use": card.use,
        "limits": card.limits,
        "backbone": str(found or ""),
    }
    return _finished(graph.cut(whole, tensor), origin, threads)


def of_backbone(
    name: str,
    source: str,
    *,
    layer: Layer = "pooled",
    size: int = 0,
    framing: Literal["centre", "face"] = "centre",
    threads: int = 0,
) -> Extractor:
    """Return a network of timm's without its top.

    Args:
        name: Its name in timm.
        source: Where its weights come from; see `weights.load`. Those of the top may be missing.
        layer: "pooled", or "map" for all that its convolutions give, in the order height, width,
            channels: 7 x 7 x 512 of VGG16.
        size: Side of the input in pixels; 0 for the one that its weights were trained at.
        framing: How pictures are cut for it.
        threads: Threads that one run may use; 0 lets onnxruntime choose.

    Raises:
        RecipeError: There is no such network, or no such weights.
        ModelError: The network cannot be exported, or has no map.
    """
    net = MultiTaskNet(name, {})
    if layer == "map" and hasattr(net.backbone, "pre_logits"):
        # The dense layers of VGG count as its top: a file without it lacks them.
        net.backbone.pre_logits = nn.Identity()
    weights.load(net, name, source)
    side = size or int(net.backbone.pretrained_cfg["input_size"][-1])
    module = _Features(copy.deepcopy(net), layer).eval()
    round_to_half(module)
    module.training = True  # as at every export: equal tensors keep their own names
    found = traced(module, noise(side), [_GIVEN])
    halve(found)
    origin = {
        "name": name,
        "weights": source if source in ("none", "package", "hub") else Path(source).name,
        "layer": layer,
        "input": Input(size=side, framing=framing, landmarks=TEMPLATE if framing == "face" else ()),
        "backbone": name,
    }
    return _finished(found, origin, threads)


class _Features(nn.Module):
    """A backbone from pixels to features; its tensors keep the names of a model file."""

    def __init__(self, net: MultiTaskNet, layer: Layer) -> None:
        super().__init__()
        self.net, self.layer = net, layer

    def forward(self, image: Tensor) -> Tensor:
        scaled = (image.permute(0, 3, 1, 2).float() - self.net.mean) * self.net.scale
        if self.layer == "map":
            return cast("Tensor", self.net.backbone.forward_features(scaled))
        return cast("Tensor", self.net.backbone(scaled))


def _finished(part: onnx.ModelProto, known: dict[str, object], threads: int) -> Extractor:
    """Return the extractor of a graph: its one output laid out by height, width and channel."""
    name, side = str(known["name"]), cast("Input", known["input"]).size
    session = open_session(part.SerializeToString(), name)
    (found,) = session.run(None, {INPUT: np.zeros((1, side, side, 3), np.uint8)})
    shape = found.shape[1:]
    last = part.graph.output[0].name
    nodes = []
    if len(shape) == 3:
        shape = (*shape[1:], shape[0])
        nodes = [helper.make_node("Transpose", [last], [_PLACES], perm=[0, 2, 3, 1])]
        last = _PLACES
    nodes.append(helper.make_node("Flatten", [last], [graph.FEATURES], axis=1))
    data = graph.append(part, nodes, graph.FEATURES, math.prod(shape)).SerializeToString()
    told = cast("Input", known["input"]).model_dump_json().encode()
    fingerprint = hashlib.sha256(told + data).hexdigest()[:16]
    origin = Origin.model_validate(known | {"shape": shape, "fingerprint": fingerprint})
    return Extractor(data, origin, threads)
