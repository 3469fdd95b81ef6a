"""`mien data augment`: a manifest -> changed pictures of its rare classes, as files."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.data.reporting import report, say
from mien.errors import RecipeError

if TYPE_CHECKING:
    from mien.data.augment import Augmentation


def augment(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The pictures.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The new folder to write.")
    ],
    to: Annotated[
        int, typer.Option("--to", min=1, help="Pictures that each class is to have, all parts.")
    ],
    task: Annotated[
        str, typer.Option(help="Whose classes (of ages: decades); by default the only task.")
    ] = "",
    recipe: Annotated[
        Path | None,
        typer.Option(metavar="RECIPE", help="Change pictures as its \\[augmentation] says."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One key of \\[augmentation]; repeatable."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=16, max=4096, help="Largest side of a new picture, in pixels.")
    ] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other changes.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Write changed pictures as files, until every class has as many as asked for.

    Only pictures of the training part are changed. FOLDER, which must be new, gets a subfolder a
    class and manifest.csv, which lists the old pictures where they are, and the new ones; every
    old picture keeps its part. Do not part that manifest anew: a changed copy would leak.

    A training changes pictures anew each time it meets them: this is for other programs, and for
    classes that should weigh alike.

    mien data augment animals.csv -o animals-1500 --to 1500 --set rotation=40
    """
    import os

    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.data.enlarge import MANIFEST, enlarge

    found = enlarge(
        manifests.read(manifest),
        output,
        to,
        _augmentation(recipe, changes or []),
        task=task,
        size=size,
        seed=seed,
        threads=threads or os.cpu_count() or 1,
        watch=watch("pictures written"),
    )
    report(found.manifest, output / MANIFEST)
    say(f"  split: {found.manifest.split_hash}")
    for name, count in found.after.items():
        before = found.before[name]
        say(f"  {found.task} {name}: {before:,}" + (f" -> {count:,}" if count > before else ""))


def _augmentation(recipe: Path | None, changes: list[str]) -> "Augmentation":
    """Return a recipe's augmentation, or the default one, with some keys changed."""
    from pydantic import ValidationError

    from mien import tomlfile
    from mien.data.augment import Augmentation

    place = "--set" if recipe is None else f"{recipe}, [augmentation]"
    table: Any = {}
    if recipe is not None:
        table = tomlfile.read(recipe, RecipeError).get("augmentation", {})
        if not isinstance(table, dict):
            raise RecipeError(f"{recipe}: augmentation must be a table, [augmentation]")
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"{change!r}: a change is written key=value, as in rotation=40")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            value = text
        table[key.strip().removeprefix("augmentation.")] = value
    try:
        return Augmentation.model_validate(table)
    except ValidationError as error:
        raise RecipeError(f"{place}: {tomlfile.explain(error, Augmentation)}") from error
