"""`mien train`: a recipe -> a run folder with a model file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import RecipeError

if TYPE_CHECKING:
    from mien.training.recipe import Recipe
    from mien.training.run import Parts


def train(
    recipe: Annotated[Path | None, typer.Argument(help="The recipe, a TOML file.")] = None,
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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
    cache: Annotated[Path, typer.Option(help="Where decoded pictures are kept.")] = Path(
        "runs/cache"
    ),
) -> None:
    """Train a network by a recipe, and leave a model file.

    The run folder holds the recipe, the history, the best and the last checkpoint, and at the end
    model.onnx with its card and metrics.csv, measured on the test part. Stop it at any time, and
    go on with --resume.

    mien train recipes/face.toml --set data.manifest=face.csv

    mien train --resume runs/face
    """
    import torch

    from mien.cli.progress import watch
    from mien.cli.tables import headline
    from mien.training import finish
    from mien.training import run as runs

    loaded, folder = _choose(recipe, changes or [], run, resume)
    if threads:
        torch.set_num_threads(threads)
    parts = runs.load_parts(loaded, cache, watch("pictures searched for their face"))
    typer.echo(
        f"{loaded.name}: {len(parts.train.store):,} pictures to train on, "
        f"{len(parts.choice.store):,} to choose by, {len(parts.calibration.store):,} to calibrate "
        f"on; {_unaligned(parts)}run folder {folder}",
        err=True,
    )
    try:
        best = runs.fit(loaded, parts, folder, resume=resume is not None, device=device)
    except KeyboardInterrupt:
        typer.echo(f"stopped; go on with: mien train --resume {folder}", err=True)
        raise
    path, result = finish.finish(loaded, parts, best, folder, watch("pictures measured"))
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB", err=True)
    typer.echo(headline(result))


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


def _unaligned(parts: "Parts") -> str:
    stores = (parts.train.store, parts.choice.store, parts.calibration.store)
    missed = sum(store.unaligned for store in stores)
    return f"no landmarks found in {missed:,}; " if missed else ""
