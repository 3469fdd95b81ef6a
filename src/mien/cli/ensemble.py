"""`mien models ensemble`: several model files -> one that averages them."""

import re
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.inputs import check_places
from mien.errors import ModelError


def ensemble(
    model: Annotated[
        list[str],
        typer.Argument(metavar="NAME|FILE", help="The models: packaged ones, or model files."),
    ],
    manifest: Annotated[
        Path,
        typer.Option("--data", "-d", metavar="MANIFEST", help="Labelled pictures, with all parts."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The model file to write.")
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What it is called; else as its file.")
    ] = "",
    version: Annotated[str, typer.Option(metavar="VERSION", help="Its version.")] = "1",
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Average several models of the same tasks into one file, which usually errs less than each.

    Their scores are averaged, and calibrated on what of the validation part chose none of them;
    the card's figures are measured on the test part. It takes as long as all of them, less what
    they share: layers that were frozen in their trainings are stored and computed once.

    mien train recipes/face.toml --sweep seed=1,2,3

    mien models ensemble runs/face/seed=*/model.onnx --data face.csv -o faces.onnx
    """
    from mien import model as models
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.files import atomic_write
    from mien.training.ensemble import ensemble as averaged

    twice = sorted({each for each in model if model.count(each) > 1})
    if twice:
        raise ModelError(f"{twice[0]} is named twice; an ensemble takes each model once")
    check_places([*model, manifest], output=output)
    files = {each: models.find(each).read_bytes() for each in model}
    whole = manifests.read(manifest)
    found = averaged(
        files,
        whole,
        name=name or re.sub(r"[^A-Za-z0-9._-]+", "-", output.stem),
        version=version,
        threads=threads,
        watch=watch("pictures read"),
    )
    with atomic_write(output, "wb") as file:
        file.write(found)
    typer.echo(
        f"{output}: {len(found) / 1e6:.1f} MB; mien models show {output} prints its figures",
        err=True,
    )
