"""Teach a trained face network's expression head what another model says of sharp, coloured faces.

    python scripts/expression_head.py runs/face face.csv face-2.onnx

Expressions are labelled in FER+ alone, whose faces are grey and 48 pixels wide. A network that is
trained on several sets can learn to read expressions in such pictures only, and a test part that
is made of them does not show it. So the head is fitted again on features that stay as they are:
FER+'s labels, and on UTKFace and FairFace the probabilities of a model that reads both alike. The
run's best checkpoint gets the new head; `mien train --resume` then ends the run again.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from mien.data import manifest as manifests
from mien.data.batches import targets
from mien.data.manifest import Manifest, Sample
from mien.data.store import open_store
from mien.model import Model
from mien.training import checkpoint
from mien.training.checkpoint import SafeCheckpointIO
from mien.training.module import Trainee
from mien.training.parts import framing_of, targets_of
from mien.training.run import BEST, recipe_of

TASK: Final = "expression"
TAKEN: Final = {"utkface": 2500, "fairface": 1500, "ferplus": 5000}
"""Source -> how many of its training pictures are looked at."""

LABELS_SHARE: Final = 0.7
"""Of a labelled picture's target; the rest is what the other model says."""

_EPOCHS, _BATCH, _RATE, _DECAY = 30, 256, 2e-3, 0.05


def main() -> None:
    """Run the fit by the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="the run folder; its best checkpoint is changed")
    parser.add_argument("manifest", type=Path, help="the manifest that it was trained on")
    parser.add_argument("teacher", type=Path, help="the model file that reads expressions")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="decoded pictures")
    arguments = parser.parse_args()
    recipe = recipe_of(arguments.run)
    trainee = Trainee(recipe, weights=False)
    state = checkpoint.load(arguments.run / BEST)["state_dict"]
    trainee.load_state_dict(state)
    chosen = _chosen(manifests.read(arguments.manifest).part("train"))
    store = open_store(chosen, framing_of(recipe), arguments.cache)
    features, said = _looked(
        trainee.net.eval(), store, recipe.input.size, Model.open(arguments.teacher)
    )
    wanted = torch.from_numpy(targets(chosen, targets_of(recipe))[TASK])
    mixed = LABELS_SHARE * wanted.nan_to_num() + (1 - LABELS_SHARE) * said
    head = trainee.net.get_submodule(f"heads.{TASK}")
    fit(head, features, torch.where(wanted.isnan(), said, mixed))
    state |= {f"net.heads.{TASK}.{name}": tensor for name, tensor in head.state_dict().items()}
    SafeCheckpointIO().save_checkpoint({"state_dict": state}, arguments.run / BEST)


def fit(head: nn.Module, features: Tensor, wanted: Tensor) -> None:
    """Fit a head to N x classes probabilities; the order of the pictures is drawn from seed 0."""
    torch.manual_seed(0)
    head.train(False)
    optimiser = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    for _ in range(_EPOCHS):
        for rows in torch.randperm(len(features)).split(_BATCH):  # type: ignore[no-untyped-call]
            scores = head(features[rows]).log_softmax(dim=1)
            loss = -(wanted[rows] * scores).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def _chosen(train: Manifest) -> Manifest:
    rng = np.random.default_rng(0)
    found: list[Sample] = []
    for source, count in TAKEN.items():
        own = [sample for sample in train.samples if sample.source == source]
        found += [own[place] for place in rng.permutation(len(own))[:count]]
    return Manifest(tuple(found))


def _looked(net: Any, store: Any, size: int, teacher: Model) -> tuple[Tensor, Tensor]:
    """Return N x features, and N x classes as the teacher says."""
    features: list[Tensor] = []
    said: list[Tensor] = []
    hook = net.backbone.register_forward_hook(lambda *values: features.append(values[2].clone()))
    with torch.no_grad():
        for start in range(0, len(store), _BATCH):
            rows: Sequence[int] = range(start, min(start + _BATCH, len(store)))
            net(torch.from_numpy(store.crops(rows, size)))
            crops = store.crops(rows, teacher.card.input.size)
            said.append(torch.from_numpy(teacher.run(crops, [TASK])[TASK]))
    hook.remove()
    return torch.cat(features), torch.cat(said)


if __name__ == "__main__":
    main()
