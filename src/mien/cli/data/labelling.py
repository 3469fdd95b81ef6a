"""`mien data label`: a manifest -> the same one with labels that models predict."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data.reporting import report, say
from mien.cli.inputs import check_places
from mien.errors import DataError

_PARTS = ("train", "validation", "test")


def label(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The pictures.")],
    task: Annotated[str, typer.Option(help="What to label them with: a task of the models.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="A model file, or a packaged model's name; repeat it to average several."
        ),
    ] = None,
    confidence: Annotated[
        float,
        typer.Option(min=0, max=1, help="Least probability that the likeliest class must have."),
    ] = 0.9,
    widest: Annotated[
        float | None,
        typer.Option(metavar="YEARS", min=0, help="Of ages: the widest interval to take; any."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Label this part; repeatable. By default train, and pictures in no part.",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Label the pictures that lack a label of a task by what models say of them.

    A class comes with all its probabilities, as votes, which a training learns; an age is the
    estimate. The column TASK:predicted names the models. Such labels are only learnt from: no
    figure is measured by them, no epoch chosen, nothing calibrated. Take models that were trained
    on the same split, or they may have seen the test part.

    mien data label utkface.csv --model face --task expression -o more.csv
    """
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.evaluation.labelling import PARTS
    from mien.evaluation.labelling import label as label_all
    from mien.model import Model

    for name in split or ():
        if name not in _PARTS:
            raise DataError(f"--split is one of {', '.join(_PARTS)}, not {name!r}")
    check_places([], output=output)
    whole = manifests.read(manifest)
    named: list[str | None] = [*model] if model else [None]
    found = label_all(
        whole,
        [Model.open(name, threads=threads) for name in named],
        task,
        parts=split or PARTS,
        confidence=confidence,
        widest=widest,
        threads=threads,
        watch=watch("pictures"),
    )
    found.manifest.write(output)
    report(found.manifest, output)
    say(f"  {found.predicted:,} got a predicted {task}; for {found.unsure:,} it is too unsure")
