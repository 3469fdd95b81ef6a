"""The Lightning module: a multi-task network, its losses, its optimiser, its validation."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase

from mien.errors import RecipeError
from mien.networks.freezing import freeze, frozen_layers, rest_norms
from mien.networks.multitask import MultiTaskNet
from mien.training.course import Course
from mien.training.losses import expected_age, loss_of, mean_loss, taught_by
from mien.training.network import network_of
from mien.training.recipe import Recipe, Task
from mien.training.teacher import PREFIX

Targets = dict[str, Tensor]
"""Task -> N targets, nan where missing."""

Batch = tuple[Tensor, Targets, Tensor, Tensor]
"""N x S x S x 3 uint8 pixels, targets, each sample's partner in a mixture, and its own share."""


class Trainee(pl.LightningModule):
    """A network under training.

    Args:
        recipe: What to train and how.
        weights: Whether to load the recipe's first weights.
        net: The recipe's network with its first weights, where it has been built before.
        shares: Task -> share of each label in the training part, for balanced class weights and
            for the first guess of a regression (its mean).

    Attributes:
        course: Where the run stands.
        begun: Names of the heads whose first weights were loaded too.
        losses: Task -> its loss.
        latest: Task -> its loss in the last step.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        weights: bool = True,
        net: MultiTaskNet | None = None,
        shares: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.course = Course(recipe)
        self.net = network_of(recipe, weights=weights) if net is None else net
        self.begun = self.net.begun
        self.latest: dict[str, Tensor] = {}
        shares = shares or {}
        self.losses = {t.name: loss_of(t, shares.get(t.name, ())) for t in recipe.tasks}
        # On CPUs convolutions run fastest where a pixel's channels lie side by side.
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def check(self) -> None:
        """Try the network on each size, and each freezing, that the recipe's stages name.

        Raises:
            RecipeError: The backbone cannot take pictures of that size, or has too few layers.
        """
        self.net.eval()
        named = self.recipe.network.backbone or "a branch"
        own = self.recipe.input.size
        sizes = {own, *(stage.size or own for stage in self.recipe.stages)}
        for size in sorted(sizes):
            try:
                with torch.no_grad():
                    self.net(torch.zeros(1, size, size, 3, dtype=torch.uint8))
            except (RuntimeError, AssertionError, ValueError) as error:
                raise RecipeError(
                    f"network.backbone: {named} cannot take pictures of {size} x {size} pixels: "
                    f"{str(error).strip():.200}"
                ) from error
        self.net.train()
        for number, stage in enumerate(self.recipe.stages):
            try:
                frozen_layers(self.net.backbone, stage.frozen)
            except ValueError as error:
                raise RecipeError(f"stages.{number}.frozen: {error}") from error

    def on_train_start(self) -> None:
        """Train no more if the run that is taken up has ended early."""
        self.trainer.should_stop = self.course.ended

    def on_train_epoch_end(self) -> None:
        """Go on in the recipe; this comes after the history and before the checkpoints."""
        self.course = self.course.after(float(self.trainer.callback_metrics["validation/choice"]))
        self.trainer.should_stop = self.trainer.should_stop or self.course.ended

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Note where the run stands."""
        checkpoint["course"] = self.course.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there."""
        self.course = self.course.restored(checkpoint["course"])

    def on_train_epoch_start(self) -> None:
        """Freeze what the stage freezes."""
        freeze(self.net.backbone, self.course.current.frozen)
        if self.course.current.norm == "inference":
            # What an earlier stage froze keeps its statistics when it learns again.
            for stage in self.recipe.stages[: self.course.stage + 1]:
                rest_norms(self.net.backbone, stage.frozen)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the learning rate of this step, and seed what its dropout draws.

        Seeded by the step, and not once, a run that is resumed draws as one that never stopped.
        """
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.global_step)
        rate = self.rate(batch_idx / max(1, int(self.trainer.num_training_batches)))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate * group["factor"]

    def rate(self, done: float) -> float:
        """Return the learning rate.

        Args:
            done: Which share of the epoch is done, 0 to 1.
        """
        return self.course.rate(done) / (1 + self.recipe.optimiser.decay * self.global_step)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return the weighted sum of the tasks' losses.

        Raises:
            RecipeError: It is not a finite number.
        """
        pixels, targets, partners, kept = batch
        scores = self.net(pixels)
        losses = {
            name: mean_loss(loss, scores[name], targets[name], partners, kept)
            for name, loss in self.losses.items()
        }
        for name, loss in self._lessons(scores, targets, partners, kept).items():
            self.log(f"teacher/{name}", loss, on_step=False, on_epoch=True, batch_size=len(pixels))
            share = self.recipe.teacher.weight
            losses[name] = (1 - share) * losses[name] + share * loss
        weights = self.course.weights
        total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
        if not total.isfinite():
            figures = ", ".join(f"{name} {loss.item():.3g}" for name, loss in losses.items())
            raise RecipeError(
                f"the loss is not a number in epoch {self.current_epoch + 1}, at step "
                f"{self.global_step + 1} of the run ({figures}); the checkpoints of the epochs "
                "before stand. Start another run with a lower optimiser.rate."
            )
        self.latest = {name: loss.detach() for name, loss in losses.items()}
        self.log("loss", total, on_step=False, on_epoch=True, batch_size=len(pixels))
        for name, loss in losses.items():
            self.log(f"loss/{name}", loss, on_step=False, on_epoch=True, batch_size=len(pixels))
        return total

    def _lessons(
        self, scores: Mapping[str, Tensor], targets: Targets, partners: Tensor, kept: Tensor
    ) -> dict[str, Tensor]:
        """Return task -> how far the scores lie from what the teachers say."""
        found = {}
        for task in self.recipe.tasks:
            said = targets.get(f"{PREFIX}{task.name}")
            if said is not None:
                loss = taught_by(task, self.recipe.teacher.temperature)
                found[task.name] = mean_loss(loss, scores[task.name], said, partners, kept)
        return found

    def validation_step(self, batch: tuple[Tensor, Targets], _: int) -> None:
        """Log each task's loss and headline figure over the samples that have its label."""
        pixels, targets = batch
        scores = self.net(pixels)
        for task in self.recipe.tasks:
            target = targets[task.name]
            known = ~target[:, 0].isnan()
            if not known.any():
                continue
            loss = mean_loss(self.losses[task.name], scores[task.name], target)
            figures = _figures(task, scores[task.name][known], target[known])
            for name, values in ({"loss": loss.expand(int(known.sum()))} | figures).items():
                self.log(
                    f"validation/{task.name}/{name}",
                    values.mean(),
                    on_epoch=True,
                    batch_size=len(values),
                )

    def on_validation_epoch_end(self) -> None:
        """Log the sum of the tasks' weighted losses, and by what the best epoch is chosen."""
        logged = self.trainer.callback_metrics
        losses = (
            task.weight * logged[f"validation/{task.name}/loss"]
            for task in self.recipe.tasks
            if f"validation/{task.name}/loss" in logged
        )
        total = sum(losses, torch.zeros(()))
        self.log("validation/loss", total)
        self.log("validation/choice", self._choice(total))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the recipe's optimiser; biases and norms are not decayed."""
        settings = self.recipe.optimiser
        groups = self._groups()
        if settings.name == "sgd":
            nesterov = settings.momentum > 0
            return torch.optim.SGD(
                groups, lr=settings.rate, momentum=settings.momentum, nesterov=nesterov
            )
        if settings.name == "rmsprop":
            return torch.optim.RMSprop(groups, lr=settings.rate, momentum=settings.momentum)
        kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
        return kind(groups, lr=settings.rate)

    def _groups(self) -> list[dict[str, Any]]:
        """Return the weights, and what is not decayed; with them the factor of their rate."""
        settings = self.recipe.optimiser
        apart = settings.norm_bias_rate != 1
        shifts = [
            module.bias
            for module in self.net.modules()
            if apart and isinstance(module, _NormBase) and module.bias is not None
        ]
        others = [p for p in self.net.parameters() if all(p is not shift for shift in shifts)]
        decay, factor = settings.weight_decay, settings.norm_bias_rate
        groups = [
            {"params": [p for p in others if p.ndim > 1], "weight_decay": decay, "factor": 1.0},
            {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0, "factor": 1.0},
            # A decay counts once more with the rate.
            {"params": shifts, "weight_decay": decay / factor, "factor": factor},
        ]
        return groups if shifts else groups[:2]

    def _choice(self, total: Tensor) -> Tensor:
        """Return what the best epoch is chosen by; lower is better."""
        if self.recipe.choice.by == "loss":
            return total
        task = self.recipe.task(self.recipe.choice.by)
        logged = self.trainer.callback_metrics
        for name, sign in (("accuracy", -1.0), ("mae", 1.0), ("in_interval", -1.0)):
            if f"validation/{task.name}/{name}" in logged:
                return sign * logged[f"validation/{task.name}/{name}"]
        raise RecipeError(
            f"choice.by: the choosing half of the validation part has no label for {task.name!r}"
        )


def _figures(task: Task, scores: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return name -> values whose mean is the figure; figures without a value are left out.

    For an age or a number, the absolute error where it is known, and else whether the estimate
    lies in the interval.
    """
    if task.kind == "classification":
        return {"accuracy": (scores.argmax(dim=1) == target.argmax(dim=1)).float()}
    values = expected_age(scores) if task.kind == "age" else scores[:, 0]
    low, high = target.unbind(dim=1)
    exact = low == high
    # A person is 29 until the day of being 30: the year belongs to the interval as a whole.
    half = 0.5 if task.kind == "age" else 0.0
    inside = (low - half <= values) & (values <= high + half)
    figures = {"mae": (values - low).abs()[exact], "in_interval": inside[~exact].float()}
    return {name: found for name, found in figures.items() if len(found)}
