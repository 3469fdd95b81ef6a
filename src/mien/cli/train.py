"""`mien train`: a recipe -> a run folder with a model file."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import DataError, ModelError, RecipeError
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
        Path | None,
        typer.Option(
            "--run",
            "--output",
            "-o",
            metavar="FOLDER",
            help="The run folder to make; else runs/NAME, NAME being the recipe's.",
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was stopped.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=A,B,C",
            help="One run a value, or a combination of values where given again.",
        ),
    ] = None,
    embed: Annotated[
        bool,
        typer.Option("--embed", help="Put some pictures of the data into the report."),
    ] = False,
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

    A sweep trains once for each value, one run after the other, and compares them at the end. Its
    runs lie in folders of their own; the same command goes on where it was stopped, and repeats
    none that has ended:

    mien train recipes/face.toml --sweep seed=1,2,3 --sweep optimiser.rate=4e-4,8e-4
    """
    _check_installed()
    import torch

    if threads:
        torch.set_num_threads(threads)
    how = _How(device.value, threads, cache, int(cache_limit * 1e9), embed)
    if sweep:
        if recipe is None or data is not None or resume is not None:
            raise RecipeError(
                "a sweep takes a recipe; to go on with one, give the same command again"
            )
        _sweep(recipe, changes or [], sweep, run, how)
    else:
        loaded, folder = _choose(recipe, data, begin, changes or [], run, resume)
        _train(
            loaded, folder, how, resume=resume is not None, again=f"mien train --resume {folder}"
        )


@dataclass(frozen=True)
class _How:
    """How runs are carried out: the options that say nothing of what is learnt."""

    device: str
    threads: int
    cache: Path
    limit: int
    embed: bool


def _train(loaded: "Recipe", folder: Path, how: _How, *, resume: bool, again: str) -> None:
    """Carry out one run.

    Args:
        loaded: Its recipe.
        folder: Its folder.
        how: How.
        resume: Whether to go on with what the folder holds.
        again: The command that goes on if it is stopped.
    """
    from mien.cli.progress import watch
    from mien.cli.tables import epoch_line, headline
    from mien.evaluation.wording import counted
    from mien.training import finish
    from mien.training import run as runs
    from mien.training.parts import load_parts

    runs.check_folder(loaded, folder, resume=resume)
    trainee = runs.check(loaded, how.device)
    if not runs.leads():
        # Of several processes that train together one speaks, and makes the model file.
        parts = load_parts(loaded, how.cache)
        runs.fit(loaded, parts, folder, resume=resume, net=trainee.net, device=how.device)
        return
    parts = load_parts(
        loaded, how.cache, watch("pictures prepared"), threads=how.threads, limit=how.limit
    )
    typer.echo(_summary(loaded, parts, folder, trainee.begun), err=True)
    batches = watch("batches")
    units = {t.name: counted(t.kind, t.unit) for t in loaded.tasks}
    try:
        best = runs.fit(
            loaded,
            parts,
            folder,
            resume=resume,
            net=trainee.net,
            device=how.device,
            watch=batches,
            note=batches.note,
            tell=lambda row: typer.echo(epoch_line(row, loaded.epochs, units), err=True),
        )
    except KeyboardInterrupt:
        typer.echo(f"stopped; go on with: {again}", err=True)
        raise
    path, result = finish.finish(
        loaded,
        parts,
        best,
        folder,
        watch("pictures measured"),
        threads=how.threads,
        embed=how.embed,
        tell=lambda line: typer.echo(line, err=True),
    )
    typer.echo(
        f"{path}: {path.stat().st_size / 1e6:.1f} MB; see {folder / 'report.html'}", err=True
    )
    typer.echo(headline(result, units))


def _sweep(recipe: Path, changes: list[str], axes: list[str], run: Path | None, how: _How) -> None:
    """Carry out all runs of a sweep that have not ended yet."""
    from mien.training import recipe_file, sweep
    from mien.training import run as runs

    points = sweep.points(axes)
    # A wrong value is told before the first run, not after hours.
    recipes = [recipe_file.read(recipe, [*changes, *point.changes]) for point in points]
    if any(found.machine.devices * found.machine.nodes > 1 for found in recipes):
        raise RecipeError("the runs of a sweep train on one device each; see machine.devices")
    root = run or Path("runs") / recipes[0].name
    if sweep.is_begun(root):
        raise RecipeError(f"{root}: holds a single run; name another folder for the sweep by --run")
    failed = []
    for number, (point, loaded) in enumerate(zip(points, recipes, strict=True), start=1):
        folder = root / point.name
        resume = sweep.is_begun(folder)
        runs.check_folder(loaded, folder, resume=resume)
        told = f"run {number} of {len(points)}: {point.name}"
        if sweep.is_finished(folder):
            typer.echo(f"{told}: has ended before", err=True)
            continue
        typer.echo(told, err=True)
        try:
            _train(loaded, folder, how, resume=resume, again="the same command")
        except (DataError, RecipeError, ModelError) as error:
            # One value that cannot be trained, as a rate that is too high, ends no sweep.
            typer.echo(f"{point.name}: {error}", err=True)
            failed.append(point.name)
    _compare([root / point.name for point in points if point.name not in failed], root)
    if failed:
        raise RecipeError(f"{len(failed)} of {len(points)} runs failed: {', '.join(failed)}")


def _compare(folders: list[Path], root: Path) -> None:
    """Compare the runs of a sweep, on the terminal and in its folder."""
    from mien.cli import compare
    from mien.evaluation.comparison import compare as compared
    from mien.evaluation.contenders import gather

    if not folders:
        return
    found = compared(gather([str(folder) for folder in folders], rounds=compare.ROUNDS))
    compare.show(found)
    for name in ("comparison.csv", "comparison.html"):
        compare.write(found, root / name)
    typer.echo(f"see {root / 'comparison.html'}", err=True)


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
    from mien.training.starter import check_changes, starter

    name = re.sub("[^a-z0-9]+", "-", data.resolve().stem.lower()).strip("-")
    name = name if name[:1].isalpha() else f"model-{name}".rstrip("-")
    folder = run or Path("runs") / name
    model = None if begin is None else Model.open(begin)
    check_changes(changes)
    path = data if data.is_file() else _import(data, folder / "manifest.csv")
    return starter(manifest.read(path), path, name, model, changes), folder


def _import(data: Path, path: Path) -> Path:
    """Import a folder of classes' folders into the run folder, once."""
    from mien.cli.data.reporting import report, report_skipped
    from mien.cli.progress import watch
    from mien.data.sources.folders import import_folders
    from mien.data.sources.parts import PART_NAMES
    from mien.data.sources.reading import Skipped
    from mien.data.split import part_evenly
    from mien.training.sweep import is_begun

    # What a run, or one of a sweep, was begun with; a try that came to no run is no reason to keep
    # to what lay in the folder then.
    if path.exists() and any(map(is_begun, (path.parent, *path.parent.iterdir()))):
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
        + _teachers(parts)
        + f"run folder {folder}"
    )


def _teachers(parts: "Parts") -> str:
    """Tell who teaches what, and whose figures might not be measured on unseen pictures."""
    lessons = parts.lessons
    if not lessons.cards:
        return ""
    named = ", ".join(f"{card.name} {card.version}" for card in lessons.cards)
    seen = [card.name for card in lessons.cards if card.split_hash != parts.whole.split_hash]
    if seen:
        named += f" ({', '.join(seen)} by another split: maybe from the test part)"
    return f"{', '.join(lessons.rows)} taught by {named}; "
