"""`mien train`: a recipe -> a run folder with a model file."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import RecipeError

if TYPE_CHECKING:
    from mien.training.parts import Parts
    from mien.training.recipe import Recipe


class Device(StrEnum):
    """What a training may run on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


def train(
    recipe: Annotated[
        Path | None, typer.Argument(metavar="RECIPE", help="The recipe, a TOML file.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the recipe."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="The run folder; runs/NAME where NAME is the recipe's.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was stopped.")
    ] = None,
    device: Annotated[Device, typer.Option(help="What to train on.")] = Device.AUTO,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
    cache: Annotated[Path, typer.Option(help="Where decoded pictures are kept.")] = Path(
        "runs/cache"
    ),
) -> None:
    """Train a network by a recipe, and leave a model file.

    The run folder holds the recipe, the history, the best and the last checkpoint, and at the end
    model.onnx with its card and metrics.csv, measured on the test part. Stop it at any time, and
    go on with --resume: the result is that of a run that was not stopped.

    mien train recipes/face.toml --set data.manifest=face.csv

    mien train --resume runs/face
    """
    _check_installed()
    import torch

    from mien.cli.progress import watch
    from mien.cli.tables import epoch_line, headline
    from mien.training import finish
    from mien.training import run as runs
    from mien.training.parts import load_parts

    loaded, folder = _choose(recipe, changes or [], run, resume)
    runs.check_folder(loaded, folder, resume=resume is not None)
    if threads:
        torch.set_num_threads(threads)
    parts = load_parts(loaded, cache, watch("pictures prepared"), threads=threads)
    typer.echo(_summary(loaded, parts, folder), err=True)
    try:
        best = runs.fit(
            loaded,
            parts,
            folder,
            resume=resume is not None,
            device=device.value,
            watch=watch("batches"),
            tell=lambda row: typer.echo(epoch_line(row, loaded.epochs), err=True),
        )
    except KeyboardInterrupt:
        typer.echo(f"stopped; go on with: mien train --resume {folder}", err=True)
        raise
    path, result = finish.finish(
        loaded, parts, best, folder, watch("pictures measured"), threads=threads
    )
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB", err=True)
    typer.echo(headline(result))


def _check_installed() -> None:
    try:
        import mien.training.finish  # noqa: F401
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"training needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error


def _choose(
    recipe: Path | None, changes: list[str], run: Path | None, resume: Path | None
) -> "tuple[Recipe, Path]":
    from mien.training import recipe as recipes
    from mien.training import run as runs

    if resume is not None:
        if recipe is not None or changes or run is not None:
            raise RecipeError("--resume takes its recipe from the run folder; give nothing else")
        return runs.recipe_of(resume), resume
    if recipe is None:
        raise RecipeError("name a recipe, or a run to --resume; see `mien train --help`")
    loaded = recipes.read(recipe, changes)
    return loaded, run or Path("runs") / loaded.name


def _summary(recipe: "Recipe", parts: "Parts", folder: Path) -> str:
    train, choice, calibration = (p.store for p in (parts.train, parts.choice, parts.calibration))
    missed = sum(store.unaligned for store in (train, choice, calibration))
    return (
        f"{recipe.name}: {len(train):,} pictures to train on, {len(choice):,} to choose by, "
        f"{len(calibration):,} to calibrate on; "
        + (f"no landmarks found in {missed:,}; " if missed else "")
        + f"run folder {folder}"
    )
