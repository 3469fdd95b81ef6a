"""`mien models describe`: what a network consists of, and what it costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.output import json_text
from mien.cli.table import print_table
from mien.errors import RecipeError, printable

if TYPE_CHECKING:
    from mien.training.recipe import Recipe
    from mien.training.summary import Described

_RECIPES = Path("recipes")


def describe(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|RECIPE|FILE",
            help="A network of mien's or of timm's, a recipe, or a model file.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every recipe's network, one a line.")
    ] = False,
    recipes: Annotated[
        Path, typer.Option(metavar="FOLDER", help="With --all: where the recipes lie.")
    ] = _RECIPES,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the recipe."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Describe a network: layers, shapes, parameters, multiplications, size.

    Parameters are counted as Keras does, moving means and variances of norms among them. No weights
    are loaded.

    mien models describe mobilenetv2_100

    mien models describe recipes/cifar10.toml --set network.width=2

    mien models describe --all
    """
    if (what is None) != everything:
        raise RecipeError("name a network, a recipe or a model file, or say --all; one of them")
    _check_installed()
    if what is None:
        found = _all(recipes, changes or [])
        if as_json:
            typer.echo(json_text([_data(one) for one in found], indent=2))
        else:
            print_table([_row(one) for one in found])
        return
    one = _one(what, changes or [])
    if as_json:
        typer.echo(json_text(_data(one), indent=2))
        return
    _show(one)


def _check_installed() -> None:
    try:
        import mien.training.summary  # noqa: F401
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"describing a network needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error


def _all(folder: Path, changes: list[str]) -> "list[Described]":
    from mien.training import recipe_file
    from mien.training import summary as summaries

    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise RecipeError(f"{folder}: holds no recipes; name their folder by --recipes")
    return [summaries.describe(recipe_file.read(path, changes)) for path in paths]


def _one(what: str, changes: list[str]) -> "Described":
    from mien.model import packaged
    from mien.training import recipe_file
    from mien.training import summary as summaries

    if what.endswith(".toml"):
        return summaries.describe(recipe_file.read(Path(what), changes))
    if changes:
        raise RecipeError("--set changes a recipe; name one, as in recipes/animals.toml")
    if what.endswith(".onnx") or what in {model.name for model in packaged()}:
        return summaries.describe(_recipe_of(what))
    if Path(what).exists():
        raise RecipeError(
            f"{what}: neither a recipe, which ends in .toml, nor a model file, which ends in .onnx"
        )
    return summaries.describe_backbone(what)


def _recipe_of(name: str) -> "Recipe":
    """Return the recipe that a model file's card tells, which names no manifest."""
    from mien.model import Model
    from mien.training import recipe_file

    told = dict(Model.open(name).card.recipe)
    if not told:
        raise RecipeError(f"{name}: its card tells no recipe, so its network is not known")
    if "features" in told:
        raise RecipeError(
            f"{name}: made by `mien fit`; what is described is the network whose features it took, "
            "by its own name"
        )
    members = told.pop("members", [])
    if members and isinstance(members, list):
        count = len(members)
        typer.echo(f"{name} averages {count} networks; the first of them is described", err=True)
    data = told.get("data")
    known = data if isinstance(data, dict) else {}
    return recipe_file.checked({**told, "data": known | {"manifest": "none"}}, [], name)


def _row(found: "Described") -> dict[str, str]:
    summary, learning = found.summary, max(found.stages)
    return {
        "name": printable(found.name),
        "network": printable(found.network),
        "input": _input(found),
        "heads": _heads(found),
        "parameters": f"{summary.parameters:,}",
        "trainable": f"{learning:,}",
        "frozen": f"{summary.parameters - learning:,}",
        "multiplications": f"{summary.macs:,}",
        "bytes": f"{summary.bytes:,}",
        "bytes, half": f"{summary.half_bytes:,}",
    }


def _show(found: "Described") -> None:
    summary = found.summary
    layers = [
        {
            "layer": printable(layer.name),
            "kind": layer.kind,
            "gives": " x ".join(map(str, layer.shape)),
            "parameters": f"{layer.parameters:,}",
            "multiplications": f"{layer.macs:,}",
        }
        for layer in summary.layers
    ]
    typer.secho(f"{found.name}: {found.network}, {_input(found)}", bold=True)
    print_table(layers)
    typer.echo()
    if found.heads:
        typer.echo(f"heads: {_heads(found)}")
    typer.echo(f"parameters: {summary.parameters:,}")
    for number, learning in enumerate(found.stages, start=1):
        where = f" in stage {number}" if len(found.stages) > 1 else ""
        frozen = summary.parameters - learning
        typer.echo(f"trainable{where}: {learning:,}; frozen: {frozen:,}")
    typer.echo(f"multiplications for one picture: {summary.macs:,}")
    typer.echo(f"bytes: {summary.bytes:,}; in half precision: {summary.half_bytes:,}")


def _input(found: "Described") -> str:
    return f"{found.size} x {found.size} {found.colours}"


def _heads(found: "Described") -> str:
    return ", ".join(f"{printable(task)} {count}" for task, count in found.heads.items())


def _data(found: "Described") -> dict[str, object]:
    summary = found.summary
    return {
        "name": found.name,
        "network": found.network,
        "size": found.size,
        "colours": found.colours,
        "heads": dict(found.heads),
        "parameters": summary.parameters,
        "trainable": list(found.stages),
        "macs": summary.macs,
        "bytes": summary.bytes,
        "half_bytes": summary.half_bytes,
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "parameters": layer.parameters,
                "macs": layer.macs,
            }
            for layer in summary.layers
        ],
    }
