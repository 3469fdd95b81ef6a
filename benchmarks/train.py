"""How fast mien trains beside a bare PyTorch loop: the same network, the same batches, one run.

    python benchmarks/train.py --csv results/train.csv

The bare loop does what a training cannot do without: forward, losses, backward, a step of AdamW.
mien's trainer does that through Lightning, and averages weights, logs losses, keeps history and can
be stopped at any step. Both take turns, round by round, so that whatever else the machine does
slows both alike; the table holds medians of rounds. Validation and checkpoints, once an epoch, are
left out of both. The pictures are noise: what they show changes nothing about the speed.
"""

import argparse
import csv
import os
import platform
import statistics
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mien.data.manifest import Manifest, Sample
from mien.data.sources.reading import fingerprint
from mien.files import atomic_write
from mien.training.loading import Batches
from mien.training.losses import mean_loss
from mien.training.module import Trainee
from mien.training.parts import Parts, load_parts
from mien.training.recipe import Recipe
from mien.training.run import fit

PACKAGES: Final = ("torch", "timm", "pytorch-lightning", "numpy", "opencv-python-headless")


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    parser.add_argument("--backbone", default="tf_efficientnet_lite0", help="a network of timm's")
    parser.add_argument("--size", type=int, default=64, help="of the pictures, in pixels")
    parser.add_argument("--batch", type=int, default=64, help="pictures in a batch")
    parser.add_argument("--steps", type=int, default=12, help="batches in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = recipe_of(options, write_pictures(folder, 4 * options.batch))
        parts = load_parts(recipe, folder / "stores")
        bare, ours = [], []
        for number in range(options.rounds + 1):
            bare.append(bare_rate(recipe, parts))
            ours.append(our_rate(recipe, parts, folder / f"run{number}"))
    # The first round warms up.
    rows = table(options, bare[1:], ours[1:])
    show(rows)
    if options.csv:
        write(rows, options.csv)


def write_pictures(folder: Path, count: int) -> Path:
    """Write pictures and their manifest: a part of them to train on, a few to choose by."""
    samples = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        noise = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(noise, (128, 128)))
        split = ("train", "train", "train", "validation", "test")[number % 5]
        labels = {"age": str(number % 90), "gender": ("male", "female")[number % 2]}
        samples.append(Sample(path, "noise", fingerprint(path), split, labels))
    manifest = folder / "noise.csv"
    Manifest(tuple(samples)).write(manifest)
    return manifest


def recipe_of(options: argparse.Namespace, manifest: Path) -> Recipe:
    """Return the recipe of one round: one epoch of so many steps."""
    return Recipe.model_validate(
        {
            "name": "speed",
            "data": {"manifest": manifest},
            "input": {"size": options.size, "framing": "face"},
            "augmentation": {"grey": 0.3, "tint": 0.3, "jpeg": 0.2, "shrink": 0.3, "erase": 0.1},
            "network": {"backbone": options.backbone},
            "tasks": [
                {"name": "age", "kind": "age"},
                {"name": "gender", "kind": "classification", "labels": ["male", "female"]},
            ],
            "stages": [{"epochs": 1}],
            "optimiser": {"batch": options.batch, "steps": options.steps},
        }
    )


def bare_rate(recipe: Recipe, parts: Parts) -> float:
    """Return pictures a second of the plain loop."""
    trainee = Trainee(recipe)
    optimiser = torch.optim.AdamW(trainee.net.parameters(), lr=1e-3)
    losses = dict(zip(trainee.course.weights, trainee.losses.values(), strict=True))
    loader = Batches(recipe, parts, lambda: recipe.input.size).train_dataloader()
    begun = time.perf_counter()
    for pixels, targets, _, _ in loader:
        scores = trainee.net(pixels)
        total = torch.stack(
            [mean_loss(loss, scores[name], targets[name]) for name, loss in losses.items()]
        ).sum()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return recipe.optimiser.steps * recipe.optimiser.batch / (time.perf_counter() - begun)


def our_rate(recipe: Recipe, parts: Parts, folder: Path) -> float:
    """Return pictures a second of mien's trainer."""
    # Not before mien.training, which mends what it could not be imported without.
    import pytorch_lightning as pl

    class Clock(pl.Callback):
        """Takes the time of an epoch's steps, without what comes after them."""

        seconds = 0.0

        def on_train_epoch_start(self, *_: Any) -> None:
            self.seconds = -time.perf_counter()

        def on_validation_start(self, *_: Any) -> None:
            self.seconds += time.perf_counter()

    clock = Clock()
    fit(recipe, parts, folder, resume=False, device="cpu", more=[clock])
    return recipe.optimiser.steps * recipe.optimiser.batch / clock.seconds


def table(
    options: argparse.Namespace, bare: list[float], ours: list[float]
) -> list[dict[str, str]]:
    """Return the table's rows."""
    ratios = [mine / other for mine, other in zip(ours, bare, strict=True)]
    about = {
        "network": f"{options.backbone}, {options.size} pixels, batches of {options.batch}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES),
    }
    found = (
        ("bare loop", f"{statistics.median(bare):.1f}", "100 %"),
        ("mien", f"{statistics.median(ours):.1f}", f"{statistics.median(ratios):.0%}"),
    )
    return [
        {"trainer": name, "pictures a second": rate, "of the bare loop": share} | about
        for name, rate, share in found
    ]


def show(rows: list[dict[str, str]]) -> None:
    """Print the table."""
    columns = list(rows[0])[:3]
    shown = Table(*columns, title=rows[0]["network"])
    for row in rows:
        shown.add_row(*(row[name] for name in columns))
    Console().print(shown)


def write(rows: list[dict[str, str]], path: Path) -> None:
    """Write the table as CSV."""
    with atomic_write(path, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
