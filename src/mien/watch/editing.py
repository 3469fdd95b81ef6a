"""Areas written into a configuration's file: comments and all else stay as they are."""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, InlineTable, Table, Whitespace

from mien.files import atomic_write
from mien.watch.config import Area, Config, WatchError, checked


def rounded(areas: Sequence[Area]) -> list[Area]:
    """Return areas with corners as a file shows them, to a ten-thousandth of the picture.

    Raises:
        ValidationError: An area is too small to be left of.
    """
    return [
        Area(
            name=area.name,
            polygon=tuple((round(x, 4), round(y, 4)) for x, y in area.polygon),
            ignore=area.ignore,
        )
        for area in areas
    ]


def write_areas(file: str | os.PathLike[str], camera: str, areas: Sequence[Area]) -> None:
    """Give a camera other areas in a configuration's file, which is replaced whole or not at all.

    Tables of areas that stay keep their comments.

    Args:
        file: The TOML file.
        camera: The camera's name.
        areas: All its areas, in order.

    Raises:
        WatchError: The file cannot be read, or is no configuration with such a camera any more.
        OutputError: It cannot be written.
    """
    path = Path(file)
    try:
        # Not as text: ends of lines stay what they are.
        text = path.read_bytes().decode("utf-8")
        before = checked(tomllib.loads(text), str(path))
        document = tomlkit.parse(text)
    except OSError as error:
        raise WatchError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, TOMLKitError, UnicodeDecodeError, RecursionError) as error:
        raise WatchError(f"{path}: not a TOML file ({error})") from error
    names = [one.name for one in before.cameras]
    if camera not in names:
        raise WatchError(f"{path}: there is no camera {camera!r} in it any more")
    tables: Any = document["cameras"]
    _set(tables[names.index(camera)], areas)
    new = tomlkit.dumps(document)
    _check(before, new, path, camera, areas)
    with atomic_write(path, newline="") as stream:
        stream.write(new)


def _set(table: Any, areas: Sequence[Area]) -> None:
    known = {one.get("name"): one for one in table.get("areas", [])}
    nested = isinstance(table, Table) and isinstance(table.get("areas", tomlkit.aot()), AoT)
    if not areas:
        table.pop("areas", None)
        return
    if nested:
        array: Any = tomlkit.aot()
        for area in areas:
            array.append(_bare(_filled(known.get(area.name, tomlkit.table()), area)))
        # Between tables the library sets an empty line by itself.
        array[-1].add(tomlkit.nl())
    else:
        array = tomlkit.array()
        for area in areas:
            array.append(_filled(known.get(area.name, tomlkit.inline_table()), area))
    table["areas"] = array


def _filled(table: Table | InlineTable, area: Area) -> Table | InlineTable:
    polygon = [list(corner) for corner in area.polygon]
    if table.get("name") != area.name:
        table["name"] = area.name
    if table.get("polygon") != polygon:
        table["polygon"] = polygon
    if bool(table.get("ignore", False)) != area.ignore:
        table["ignore"] = area.ignore
    return table


def _bare(table: Any) -> Any:
    """Return a table without the empty lines after it, wherever it stood before."""
    body = table.value.body
    while body and isinstance(body[-1][1], Whitespace):
        body.pop()
    return table


def _check(before: Config, new: str, path: Path, camera: str, areas: Sequence[Area]) -> None:
    """Make sure that the new text says what it should, and nothing else has changed in it.

    Raises:
        WatchError: It does not, or is no configuration.
    """
    cameras = tuple(
        one.model_copy(update={"areas": tuple(areas)}) if one.name == camera else one
        for one in before.cameras
    )
    wanted = before.model_copy(update={"cameras": cameras})
    if checked(tomllib.loads(new), str(path)) != wanted:
        raise WatchError(f"{path}: the areas cannot be written into it; write them by hand")
