"""`mien data show`: pictures of a manifest on one sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.data.reporting import say
from mien.errors import DataError

if TYPE_CHECKING:
    from mien.data.manifest import Manifest
    from mien.data.show import Tile

_PICTURES: Final = 32
_ROWS: Final = 8


def show(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The manifest.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, a PNG.")],
    count: Annotated[
        int | None,
        typer.Option(min=1, help="Pictures to show; 32, or 8 rows with --augmented."),
    ] = None,
    columns: Annotated[int, typer.Option(min=2, help="Tiles in a row.")] = 8,
    split: Annotated[str | None, typer.Option(help="train, validation or test; else all.")] = None,
    augmented: Annotated[
        Path | None,
        typer.Option(metavar="RECIPE", help="Show each picture as this recipe's training does."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed shows others.")] = 0,
) -> None:
    """Draw a sheet of pictures with their labels, chosen by chance, rare labels as often as others.

    With --augmented each picture has a row: first the crop that use sees, then several draws of
    what training may make of it.

    mien data show faces.csv -o sheet.png --split train --augmented recipes/face.toml
    """
    from mien.data import manifest as manifests
    from mien.data.show import choose, plain_tiles, sheet
    from mien.draw import save

    whole = manifests.read(manifest, parted=False)
    part = whole if split is None else whole.part(split)
    chosen = choose(part, count or (_PICTURES if augmented is None else _ROWS), seed)
    if augmented is None:
        tiles = plain_tiles(chosen)
    else:
        tiles = _changed(chosen, augmented, columns - 1, seed)
    save(sheet(tiles, columns), output)
    say(f"{output}: {len(chosen.samples):,} of {len(part.samples):,} pictures")


def _changed(chosen: "Manifest", recipe: Path, draws: int, seed: int) -> "list[Tile]":
    """Return the tiles of a recipe's augmentation.

    Raises:
        RecipeError: The recipe cannot be used.
        DataError: What reads it is not installed, or a picture cannot be read.
    """
    from mien.data.show import changed_tiles

    try:
        from mien.training import recipe_file
        from mien.training.parts import framing_of
    except ModuleNotFoundError as error:
        raise DataError(
            f"--augmented needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error
    loaded = recipe_file.read(recipe)
    return changed_tiles(chosen, framing_of(loaded), loaded.augmentation, draws, seed)
