"""`mien evaluate`: a model file measured on labelled pictures."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A packaged model, or a model file.")
    ],
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="The table of labelled pictures.")
    ],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write all figures as CSV, by group too."),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Measure a model file on one part of a manifest.

    Faces go the way of `mien predict --faces whole`. A model that was trained on this very split
    is measured honestly only on its test part: compare the split's hash with the card's.

    mien evaluate face face.csv --split test -o results/face-test.csv
    """
    from mien.cli.progress import watch
    from mien.cli.tables import headline
    from mien.data import manifest as manifests
    from mien.evaluation.evaluate import evaluate as measure
    from mien.evaluation.evaluate import table, write_table
    from mien.model import Model

    opened = Model.open(model, threads=threads)
    whole = manifests.read(manifest)
    result = measure(opened, whole.part(split), threads=threads, watch=watch("pictures measured"))
    if whole.split_hash != opened.card.split_hash:
        typer.echo(
            f"note: the model was trained on split {opened.card.split_hash or 'unknown'}, this "
            f"manifest has split {whole.split_hash}: it may have seen these pictures",
            err=True,
        )
    if output is not None:
        seed = opened.card.recipe.get("seed", "")
        rows = table(opened, result, split=split, split_hash=whole.split_hash, seed=seed)
        write_table(output, rows)
        typer.echo(f"{output}: {len(rows)} figures", err=True)
    typer.echo(headline(result))
