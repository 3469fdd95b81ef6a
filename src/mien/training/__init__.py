"""A recipe becomes a run folder: stages, checkpoints, and a model file at the end."""

from mien.networks.torchvision_ops import ensure_importable

# Lightning imports torchvision by way of torchmetrics, so this stands before all of this package.
ensure_importable()
