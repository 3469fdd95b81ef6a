"""A training from recipe to run folder: epochs, checkpoints, and history."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pydantic import ValidationError
from pytorch_lightning.callbacks import ModelCheckpoint, WeightAveraging
from pytorch_lightning.utilities import rank_zero_only
from torch.optim.swa_utils import get_ema_multi_avg_fn

from mien.data.progress import Watcher, unwatched
from mien.errors import RecipeError
from mien.files import atomic_write, make_folder
from mien.networks.multitask import MultiTaskNet
from mien.tomlfile import explain
from mien.training import environment
from mien.training.checkpoint import SafeCheckpointIO
from mien.training.describe import card_of
from mien.training.export import export
from mien.training.history import History, Row, Steps
from mien.training.interrupt import interruptible
from mien.training.loading import Batches, steps_of
from mien.training.memory import keep_memory
from mien.training.module import Trainee
from mien.training.parts import Parts
from mien.training.precision import mix
from mien.training.recipe import Recipe

LAST: Final = "last.safetensors"
BEST: Final = "best.safetensors"
RECIPE: Final = "recipe.json"
HISTORY: Final = "history.csv"

_SHOWN: Final = 5000
"""Training pictures that a network may be shown before its first step."""


def fit(
    recipe: Recipe,
    parts: Parts,
    folder: Path,
    *,
    resume: bool,
    net: MultiTaskNet | None = None,
    device: str = "auto",
    watch: Watcher = unwatched,
    tell: Callable[[Row], None] = lambda row: None,
    note: Callable[[str], None] = lambda text: None,
    more: Sequence[pl.Callback] = (),
) -> Path:
    """Train a recipe's network, and leave checkpoints and history in the run folder.

    Args:
        recipe: What to train.
        parts: The data.
        folder: The run folder.
        resume: Whether to go on from the folder's last checkpoint.
        net: The network that `check` gave; None builds it.
        device: "auto", "cpu", "cuda" or "mps".
        watch: Progress over the steps.
        tell: Gets each epoch's row of the history.
        note: Gets the losses on the way, as a line of text.
        more: Callbacks of one's own.

    Returns:
        The best checkpoint, by the losses on the choosing half of the validation part.

    Raises:
        RecipeError: The recipe cannot be carried out, there is nothing to resume, the folder holds
            another training, or the loss is not a number any more; the checkpoints before it stand.
        DataError: The data does not fit the recipe, or is not what the run began with.
        ModelError: The network could not be exported after its training.
        OutputError: A checkpoint cannot be written.
        KeyboardInterrupt: The run was stopped; it can be resumed.
    """
    check_folder(recipe, folder, resume=resume)
    keep_memory()
    card = card_of(recipe, parts)
    pl.seed_everything(recipe.seed, verbose=False)
    trainee = Trainee(recipe, net=net, shares=card.priors)
    batches = Batches(recipe, parts, lambda: trainee.course.size)
    last = folder / LAST
    begun = resume and last.exists()
    if not begun:
        # Weights of another training know their own beginning.
        if recipe.network.weights == "none":
            _begin(trainee, parts)
        # What would fail after hours fails now.
        export(trainee.net, card)
    if recipe.machine.precision == "bf16-mixed":
        mix(trainee.net)
    _claim(recipe, parts, folder)
    # Its mean of equal numbers is that number: what is frozen stays to the last bit.
    average = get_ema_multi_avg_fn(recipe.optimiser.average)  # type: ignore[no-untyped-call]
    with _quiet(), _opencv_as_before(), interruptible() as stop:
        callbacks = [
            WeightAveraging(multi_avg_fn=average),
            History(folder / HISTORY, tell),
            Steps(watch, recipe.epochs * steps_of(recipe, parts), note),
            stop,
            *more,
            _Keeper(folder, BEST, monitor="validation/choice"),
            _Keeper(folder, LAST),
        ]
        trainer = _trainer(recipe, device, callbacks)
        trainer.fit(trainee, datamodule=batches, ckpt_path=str(last) if begun else None)
    return folder / BEST


def _begin(trainee: Trainee, parts: Parts) -> None:
    """Show the network some training pictures, as use sees them, for what it begins with."""
    store = parts.train.store
    chosen = np.linspace(0, len(store) - 1, min(len(store), _SHOWN)).astype(int)
    trainee.net.begin_with(torch.from_numpy(store.crops(chosen, trainee.recipe.input.size)))


def check(recipe: Recipe, device: str = "auto") -> Trainee:
    """Check, before any picture is read, that a recipe's network can be trained on this machine.

    Args:
        recipe: The recipe.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        What is trained: its network has its first weights, drawn from the recipe's seed.

    Raises:
        RecipeError: It cannot; the message names the recipe's key, or the device.
    """
    # The same draws as where `fit` builds it.
    pl.seed_everything(recipe.seed, verbose=False)
    trainee = Trainee(recipe)
    trainee.check()
    with _quiet():
        _trainer(recipe, device, [])
    return trainee


def leads() -> bool:
    """Say whether this process leads a training, as one that trains alone does.

    The others are started by the strategy: they run the same command, and leave all files alone.
    """
    return not getattr(rank_zero_only, "rank", 0)


def check_folder(recipe: Recipe, folder: Path, *, resume: bool) -> None:
    """Check that a run folder may take a training.

    Raises:
        RecipeError: It holds a run that is not to be resumed, one of another recipe or of another
            version of mien, or none.
    """
    if not leads():
        return
    if not (folder / RECIPE).exists():
        if resume:
            raise RecipeError(f"{folder}: holds no run to resume")
    elif not resume:
        raise RecipeError(
            f"{folder}: holds a run already; go on with it by --resume, or name another folder"
        )
    elif recipe_of(folder) != recipe:
        raise RecipeError(
            f"{folder}: its run was started with another recipe; see {folder / RECIPE}"
        )
    else:
        environment.check(folder)


def recipe_of(folder: Path) -> Recipe:
    """Return the recipe that a run was started with.

    Raises:
        RecipeError: The folder holds no run.
    """
    path = folder / RECIPE
    try:
        return Recipe.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RecipeError(f"{folder}: holds no run to resume ({error.strerror})") from error
    except ValidationError as error:
        raise RecipeError(f"{path}: not a recipe of this mien: {explain(error, Recipe)}") from error


def _claim(recipe: Recipe, parts: Parts, folder: Path) -> None:
    """Make the run folder hold this recipe."""
    if not leads():
        return
    make_folder(folder)
    if not (folder / RECIPE).exists():
        environment.write(folder, parts.whole)
        with atomic_write(folder / RECIPE) as file:
            json.dump(recipe.model_dump(mode="json"), file, indent=2)


class _Keeper(ModelCheckpoint):
    """Keeps one checkpoint: after each epoch, or with `monitor` after each that is the best yet."""

    FILE_EXTENSION = ".safetensors"

    def __init__(self, folder: Path, name: str, monitor: str | None = None) -> None:
        super().__init__(
            folder,
            filename=name.removesuffix(self.FILE_EXTENSION),
            monitor=monitor,
            enable_version_counter=False,
            auto_insert_metric_name=False,
        )
        self._path = str(Path(str(self.dirpath)) / name)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best score so far, also where the run folder was moved."""
        scores = list(state_dict["best_k_models"].values())
        moved = {
            "dirpath": self.dirpath,
            "best_model_path": self._path,
            "kth_best_model_path": self._path if scores else "",
            "best_k_models": {self._path: scores[0]} if scores else {},
        }
        super().load_state_dict(state_dict | moved)


def _trainer(recipe: Recipe, device: str, callbacks: list[pl.Callback]) -> pl.Trainer:
    try:
        return pl.Trainer(
            accelerator=device,
            devices=recipe.machine.devices,
            num_nodes=recipe.machine.nodes,
            strategy=recipe.machine.strategy,
            precision=recipe.machine.precision,
            # Each process draws its own batches by their numbers.
            use_distributed_sampler=False,
            max_epochs=recipe.epochs,
            gradient_clip_val=recipe.optimiser.clip or None,
            logger=False,
            plugins=[SafeCheckpointIO()],
            callbacks=callbacks,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            enable_model_summary=False,
            enable_progress_bar=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise RecipeError(
            f"the device {device!r} cannot be used with {recipe.machine.devices} devices, strategy "
            f"{recipe.machine.strategy!r} and precision {recipe.machine.precision!r}: {error}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back Lightning's notices and advice; what matters is said in errors and history."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            warnings.filterwarnings("ignore", message=".*[Cc]heckpoint directory .* exists.*")
            warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
            # Each process validates on all pictures; the training's losses are those of the first.
            warnings.filterwarnings("ignore", message=".*sync_dist=True.*")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _opencv_as_before() -> Iterator[None]:
    """Give OpenCV its threads back, which loading pictures takes away."""
    threads = cv2.getNumThreads()
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
