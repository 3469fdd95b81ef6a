"""The Lightning module: a multi-task network, its losses, its schedule, its validation."""

import math
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from mien.errors import RecipeError
from mien.networks.multitask import MultiTaskNet
from mien.training.losses import age_loss, expected_age, soft_cross_entropy
from mien.training.recipe import Optimiser, Recipe, Task

Batch = tuple[Tensor, dict[str, Tensor]]
"""N x S x S x 3 uint8 pixels, and task -> targets with nan where missing."""


class Trainee(pl.LightningModule):
    """A network under training.

    Args:
        recipe: What to train and how.
        weights: Whether to load the recipe's first weights.
    """

    def __init__(self, recipe: Recipe, *, weights: bool = True) -> None:
        super().__init__()
        self.recipe = recipe
        self.net = MultiTaskNet(
            recipe.network.backbone,
            {task.name: task.outputs for task in recipe.tasks},
            recipe.network.weights if weights else "none",
            recipe.network.dropout,
        )
        # On CPUs convolutions run fastest where a pixel's channels lie side by side.
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def check_sizes(self) -> None:
        """Try the network on one picture of each size that the recipe's stages use.

        Raises:
            RecipeError: The backbone cannot take pictures of that size.
        """
        self.net.eval()
        for size in sorted({self.recipe.input.size, *(s.size for s in self.recipe.stages)}):
            try:
                with torch.no_grad():
                    self.net(torch.zeros(1, size, size, 3, dtype=torch.uint8))
            except (RuntimeError, AssertionError, ValueError) as error:
                raise RecipeError(
                    f"network.backbone: {self.recipe.network.backbone} cannot take pictures of "
                    f"{size} x {size} pixels: {str(error).strip():.200}"
                ) from error
        self.net.train()

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the weighted sum of the tasks' losses.

        Raises:
            RecipeError: It is not a finite number.
        """
        losses = self._losses(batch)
        total = torch.stack([task.weight * losses[task.name] for task in self.recipe.tasks]).sum()
        if not total.isfinite():
            figures = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
            raise RecipeError(
                f"the loss is not a number in epoch {self.current_epoch + 1}, at step "
                f"{self.global_step + 1} of the run ({figures}); the checkpoints of the epochs "
                "before stand. Start another run with a lower optimiser.rate."
            )
        self.log("loss", total, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        for name, loss in losses.items():
            self.log(f"loss/{name}", loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        return total

    def validation_step(self, batch: Batch, _: int) -> None:
        """Log each task's loss and headline figure over the samples that have its label."""
        pixels, targets = batch
        scores = self.net(pixels)
        for task in self.recipe.tasks:
            known = ~targets[task.name][:, 0].isnan()
            count = int(known.sum())
            if not count:
                continue
            loss = _loss(task, scores[task.name], targets[task.name])
            self.log(f"validation/{task.name}/loss", loss, on_epoch=True, batch_size=count)
            figures = _figures(task, scores[task.name][known], targets[task.name][known])
            for name, values in figures.items():
                self.log(
                    f"validation/{task.name}/{name}",
                    values.mean(),
                    on_epoch=True,
                    batch_size=len(values),
                )

    def on_validation_epoch_end(self) -> None:
        """Log the sum of the tasks' weighted losses, by which the best epoch is chosen."""
        logged = self.trainer.callback_metrics
        losses = (
            task.weight * logged[f"validation/{task.name}/loss"]
            for task in self.recipe.tasks
            if f"validation/{task.name}/loss" in logged
        )
        self.log("validation/loss", sum(losses, torch.zeros(())))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the learning rate of this step, and seed what its dropout draws.

        Seeded by the step, and not once, a run that is resumed draws as one that never stopped.
        """
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.global_step)
        rate = learning_rate(self.recipe.optimiser, self.global_step, self.recipe.epochs)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW; biases and norms are not decayed."""
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        free = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.recipe.optimiser.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.recipe.optimiser.rate)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        pixels, targets = batch
        scores = self.net(pixels)
        return {
            task.name: _loss(task, scores[task.name], targets[task.name])
            for task in self.recipe.tasks
        }


def learning_rate(optimiser: Optimiser, step: int, epochs: int) -> float:
    """Return the rate of a step: a cosine up from a 25th, then a cosine down to a 1000th.

    Args:
        optimiser: The schedule's figures.
        step: Steps done so far.
        epochs: Epochs of the whole training.
    """
    done = step / max(1, epochs * optimiser.steps)
    if done < optimiser.warm_up:
        low, share = optimiser.rate / 25, 1 - done / optimiser.warm_up
    else:
        low = optimiser.rate / 1000
        share = min(1.0, (done - optimiser.warm_up) / (1 - optimiser.warm_up))
    return low + (optimiser.rate - low) * (1 + math.cos(math.pi * share)) / 2


def _loss(task: Task, scores: Tensor, target: Tensor) -> Tensor:
    return (age_loss if task.kind == "age" else soft_cross_entropy)(scores, target)


def _figures(task: Task, scores: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return name -> values whose mean is the figure; figures without a value are left out.

    For ages the absolute error in years where the age is known, and else whether the estimate lies
    in the interval.
    """
    if task.kind == "classification":
        return {"accuracy": (scores.argmax(dim=1) == target.argmax(dim=1)).float()}
    years, (low, high) = expected_age(scores), target.unbind(dim=1)
    exact = low == high
    inside = (low - 0.5 <= years) & (years < high + 0.5)
    figures = {"mae": (years - low).abs()[exact], "in_interval": inside[~exact].float()}
    return {name: values for name, values in figures.items() if len(values)}
