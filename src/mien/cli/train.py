"""`mien train`: a recipe -> a run folder with a model file."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import RecipeError
from mien.files import make_folder

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
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER|MANIFEST", help="Without a recipe: what to learn."),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="With --data: the model to begin with."),
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
    cache_limit: Annotated[
        float, typer.Option(min=0.1, help="How large that folder may become, in GB.")
    ] = 20.0,
) -> None:
    """Train a network, and leave a model file and a report.

    The run folder holds the recipe, the history with its curves, the best and the last checkpoint,
    and at the end model.onnx with its card, its figures on the test part, and report.html. Stop it
    at any time, and go on with --resume: the result is that of a run that was not stopped.

    One folder a class is enough; or begin with a model, the packaged one or yours:

    mien train --data animals

    mien train --data my-faces --from face

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

    loaded, folder = _choose(recipe, data, begin, changes or [], run, resume)
    runs.check_folder(loaded, folder, resume=resume is not None)
    if threads:
        torch.set_num_threads(threads)
    begun = runs.check(loaded, device.value).begun
    if not runs.leads():
        # Of several processes that train together one speaks, and makes the model file.
        runs.fit(
            loaded, load_parts(loaded, cache), folder, resume=resume is not None, device=device
        )
        return
    parts = load_parts(
        loaded,
        cache,
        watch("pictures prepared"),
        threads=threads,
        limit=int(cache_limit * 1e9),
    )
    typer.echo(_summary(loaded, parts, folder, begun), err=True)
    batches = watch("batches")
    try:
        best = runs.fit(
            loaded,
            parts,
            folder,
            resume=resume is not None,
            device=device.value,
            watch=batches,
            note=batches.note,
            tell=lambda row: typer.echo(epoch_line(row, loaded.epochs), err=True),
        )
    except KeyboardInterrupt:
        typer.echo(f"stopped; go on with: mien train --resume {folder}", err=True)
        raise
    path, result = finish.finish(
        loaded,
        parts,
        best,
        folder,
        watch("pictures measured"),
        threads=threads,
        tell=lambda line: typer.echo(line, err=True),
    )
    typer.echo(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB; see {folder / 'report.html'}", err=True
    )
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
    recipe: Path | None,
    data: Path | None,
    begin: str | None,
    changes: list[str],
    run: Path | None,
    resume: Path | None,
) -> "tuple[Recipe, Path]":
    from mien.training import recipe_file
    from mien.training import run as runs

    if resume is not None:
        if (recipe, data, begin, run) != (None, None, None, None) or changes:
            raise RecipeError("--resume takes its recipe from the run folder; give nothing else")
        return runs.recipe_of(resume), resume
    if recipe is not None and data is not None:
        raise RecipeError("give a recipe or --data, not both; --set data.manifest=FILE changes it")
    if begin is not None and data is None:
        raise RecipeError("--from goes with --data; a recipe names its first weights itself")
    if data is not None:
        return _start(data, begin, changes, run)
    if recipe is None:
        raise RecipeError(
            "name a recipe, a folder of labelled pictures by --data, or a run to --resume; "
            "see `mien train --help`"
        )
    loaded = recipe_file.read(recipe, changes)
    return loaded, run or Path("runs") / loaded.name


def _start(
    data: Path, begin: str | None, changes: list[str], run: Path | None
) -> "tuple[Recipe, Path]":
    """Make a recipe for a folder or a manifest."""
    from mien.data import manifest
    from mien.model import Model
    from mien.training.starter import starter

    name = re.sub("[^a-z0-9]+", "-", data.resolve().stem.lower()).strip("-")
    name = name if name[:1].isalpha() else f"model-{name}".rstrip("-")
    folder = run or Path("runs") / name
    path = data if data.is_file() else _import(data, folder / "manifest.csv")
    model = None if begin is None else Model.open(begin)
    return starter(manifest.read(path), path, name, model, changes), folder


def _import(data: Path, path: Path) -> Path:
    """Import a folder of classes' folders into the run folder, once."""
    from mien.cli.data.reporting import report, report_skipped
    from mien.cli.progress import watch
    from mien.data.sources.folders import import_folders
    from mien.data.sources.parts import PART_NAMES
    from mien.data.sources.reading import Skipped
    from mien.data.split import part_evenly

    if path.exists():
        return path
    skipped = Skipped()
    found = import_folders(data, skipped, watch=watch("pictures read"))
    if not any(child.name.lower() in PART_NAMES for child in data.iterdir()):
        # Drawn by label: of few pictures chance alone might leave a part without a class.
        found = part_evenly(found, (80, 10, 10)).manifest
    make_folder(path.parent)
    found.write(path)
    report(found, path)
    report_skipped(skipped)
    return path


def _summary(recipe: "Recipe", parts: "Parts", folder: Path, begun: list[str]) -> str:
    train, choice, calibration = (p.store for p in (parts.train, parts.choice, parts.calibration))
    missed = sum(store.unaligned for store in (train, choice, calibration))
    discarded = sum(store.discarded for store in (train, choice, calibration))
    new = [task.name for task in recipe.tasks if task.name not in begun]
    return (
        f"{recipe.name}: {len(train):,} pictures to train on, {len(choice):,} to choose by, "
        f"{len(calibration):,} to calibrate on; "
        + (f"no landmarks found in {missed:,}; " if missed else "")
        + (f"{discarded:,} damaged parts of the cache made again; " if discarded else "")
        + (f"heads that begin anew: {', '.join(new)}; " if begun and new else "")
        + f"run folder {folder}"
    )
