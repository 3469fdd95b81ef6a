"""One backbone (or a branch for each task) with a head a task, pixels in and scores out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import RecipeError
from mien.networks import weights
from mien.networks.activations import ACTIVATIONS, Activation
from mien.networks.registry import GREY, Branches, Settings, create, features_of


@dataclass(frozen=True)
class Heads:
    """How the heads are built.

    Attributes:
        dropout: Share of the features dropped before them in training.
        units: Units of a hidden layer of each; 0 for none.
        activation: Name of that layer's activation.
        single: Names of the classifications of two labels that have one score: the second
            label's, the first one's being 0. Its sigmoid is the second label's probability.
    """

    dropout: float = 0.2
    units: int = 0
    activation: Activation = "relu"
    single: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Looks:
    """Several looks at one picture, whose scores are averaged.

    Attributes:
        mirror: Whether its mirror image is looked at as well.
        shift: By how many pixels it is also looked at shifted, up and left and down and right,
            its border reflected; together these count as much as it does unshifted. 0: not at all.
    """

    mirror: bool = False
    shift: int = 0

    def at(self, image: Tensor) -> list[tuple[float, Tensor]]:
        """Return all looks at N x C x H x W pictures, each with its weight; these sum to 1."""
        found = [(1.0, image)]
        if self.shift:
            height, width = image.shape[2:]
            padded = functional.pad(image, (self.shift,) * 4, mode="reflect")
            end = 2 * self.shift
            found = [
                (0.5, image),
                (0.25, padded[:, :, :height, :width]),
                (0.25, padded[:, :, end:, end:]),
            ]
        if self.mirror:
            found = [(w / 2, each) for w, look in found for each in (look, look.flip(3))]
        return found


class MultiTaskNet(nn.Module):
    """A backbone, dropout, and a head for each task.

    Args:
        backbone: Name of one of our own networks or of timm's; or task -> name of its own branch.
        heads: Task -> number of its outputs.
        source: Where the first weights come from; see `weights.load`.
        settings: How the backbone is built.
        head: How the heads are built.

    Attributes:
        begun: Names of the heads that the source had weights for.
        looks: How often each picture is looked at; None for once, as it is.

    Raises:
        RecipeError: There is no such network, it cannot be built so, the weights do not fit, or
            torch does not allow a task's name.
    """

    def __init__(
        self,
        backbone: str | Mapping[str, str],
        heads: Mapping[str, int],
        source: str = "none",
        *,
        settings: Settings | None = None,
        head: Heads | None = None,
    ) -> None:
        super().__init__()
        settings, head = settings or Settings(), head or Heads()
        for task in heads:
            if hasattr(nn.ModuleDict(), task):
                raise RecipeError(f"a task cannot be called {task!r} in torch; choose another name")
        network: Any = (
            create(backbone, settings)
            if isinstance(backbone, str)
            else Branches(backbone, settings)
        )
        self.backbone = network
        mean, std = (network.pretrained_cfg[key] for key in ("mean", "std"))
        self.mean: Tensor
        self.scale: Tensor
        # Folded so that uint8 pixels need one subtraction and one multiplication.
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        scale = 1 / (255 * torch.tensor(std)).view(1, -1, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.grey = settings.grey
        self.register_buffer("shares", torch.tensor(GREY).view(1, 3, 1, 1), persistent=False)
        self.looks: Looks | None = None
        self.dropout = nn.Dropout(head.dropout)
        self.heads = nn.ModuleDict()
        for task, outputs in heads.items():
            branches = isinstance(network, Branches)
            features = network.num_features[task] if branches else features_of(network)
            self.heads[task] = _head(features, outputs, head, single=task in head.single)
        self.begun: list[str] = weights.load(self, backbone, source)

    def begin_with(self, pixels: Tensor) -> None:
        """Take from training pictures what the backbone begins with, where it has such layers.

        Args:
            pixels: N x H x W x 3, RGB, 0 to 255.
        """
        begin = getattr(self.backbone, "begin_with", None)
        if begin is not None:
            begin(self._image(pixels))

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return task -> N x outputs, scores before softmax.

        Args:
            pixels: N x H x W x 3, RGB, 0 to 255, uint8 or float.
        """
        image = self._image(pixels)
        if self.looks is None:
            return self._scores(image)
        # One after the other: the exported file's shapes stay as plain as those of a single look.
        looks = [(weight, self._scores(look)) for weight, look in self.looks.at(image)]
        return {
            task: torch.stack([weight * scores[task] for weight, scores in looks]).sum(dim=0)
            for task in self.heads
        }

    def _image(self, pixels: Tensor) -> Tensor:
        image = pixels.permute(0, 3, 1, 2).float()
        if self.grey:
            # Within the network, so that every consumer gives it the same RGB pixels.
            image = (image * self.get_buffer("shares")).sum(dim=1, keepdim=True)
        return (image - self.mean) * self.scale

    def _scores(self, image: Tensor) -> dict[str, Tensor]:
        found = self.backbone(image)
        if isinstance(found, Tensor):
            features = self.dropout(found)
            return {task: head(features) for task, head in self.heads.items()}
        branches = cast("dict[str, Tensor]", found)
        return {task: head(self.dropout(branches[task])) for task, head in self.heads.items()}


class SingleScore(nn.Linear):
    """A head of one score for two labels: the first label's score is always 0.

    So its softmax is the sigmoid of the one score, and its cross-entropy the binary one.
    """

    def __init__(self, features: int) -> None:
        super().__init__(features, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return N x 2 scores."""
        return functional.pad(super().forward(features), (1, 0))


def _head(features: int, outputs: int, head: Heads, *, single: bool) -> nn.Module:
    wide = head.units or features
    last = SingleScore(wide) if single else nn.Linear(wide, outputs)
    if not head.units:
        return last
    hidden = nn.Linear(features, head.units)
    return nn.Sequential(hidden, ACTIVATIONS[head.activation](), last)
