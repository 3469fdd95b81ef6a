"""One backbone with one linear head a task, pixels in and scores out."""

import difflib
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from mien.errors import RecipeError
from mien.networks import torchvision_ops, weights


class MultiTaskNet(nn.Module):
    """A backbone, global average pooling, dropout, and a linear head for each task.

    Args:
        backbone: Name of a network in timm.
        heads: Task -> number of its outputs.
        source: Where the first weights come from; see `weights.load`.
        dropout: Share of pooled features dropped in training.

    Attributes:
        begun: Names of the heads that the source had weights for.

    Raises:
        RecipeError: timm has no such network, the weights do not fit, or torch does not allow a
            task's name.
    """

    def __init__(
        self, backbone: str, heads: Mapping[str, int], source: str = "none", dropout: float = 0.2
    ) -> None:
        super().__init__()
        network = _create(backbone)
        self.backbone = network
        mean, std = (network.pretrained_cfg[key] for key in ("mean", "std"))
        self.mean: Tensor
        self.scale: Tensor
        # Folded so that uint8 pixels need one subtraction and one multiplication.
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        scale = 1 / (255 * torch.tensor(std)).view(1, 3, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.dropout = nn.Dropout(dropout)
        # Some backbones widen their features once more after the pooling.
        features: int = getattr(network, "head_hidden_size", network.num_features)
        self.heads = nn.ModuleDict()
        for task, outputs in heads.items():
            if hasattr(self.heads, task):
                raise RecipeError(f"a task cannot be called {task!r} in torch; choose another name")
            self.heads[task] = nn.Linear(features, outputs)
        self.begun: list[str] = weights.load(self, backbone, source)

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Return task -> N x outputs, scores before softmax.

        Args:
            pixels: N x H x W x 3, RGB, 0 to 255, uint8 or float.
        """
        image = (pixels.permute(0, 3, 1, 2).float() - self.mean) * self.scale
        features = self.dropout(cast("Tensor", self.backbone(image)))
        return {task: head(features) for task, head in self.heads.items()}


def _create(backbone: str) -> Any:
    torchvision_ops.ensure_importable()
    import timm

    if not timm.is_model(backbone):
        near = difflib.get_close_matches(backbone, timm.list_models(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise RecipeError(f"network.backbone: timm has no network called {backbone!r}{hint}")
    return timm.create_model(backbone, pretrained=False, num_classes=0)
