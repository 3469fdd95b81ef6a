"""`mien data import`: pictures and labels as they lie on disk -> a manifest."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data.reporting import report, report_skipped


class Source(StrEnum):
    """The layouts that can be imported."""

    FOLDERS = "folders"
    UTKFACE = "utkface"
    FERPLUS = "ferplus"
    FAIRFACE = "fairface"


def import_source(
    source: Annotated[
        Source, typer.Argument(metavar="LAYOUT", help="How the pictures lie: see above.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that holds them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    seed: Annotated[int, typer.Option(help="Seed of the split into parts.")] = 0,
    left_out: Annotated[
        Path | None, typer.Option("--left-out", help="Name all that was left out in this CSV file.")
    ] = None,
) -> None:
    """Import a data set: every picture is read once, its labels noted, its part drawn.

    folders: one folder a class; the folder's name is the label

    utkface: age, gender, race and date in the names, as in 26_1_2_20170116.jpg

    ferplus: fer2013new.csv beside FER2013Train and FER2013Valid

    fairface: fairface_label_train.csv beside train; ages are intervals

    Identical pictures always share one part. What is left out is counted and named.

    mien data import utkface UTKFace -o utkface.csv
    """
    from mien.cli.progress import watch
    from mien.data.sources import SOURCES
    from mien.data.sources.reading import Skipped

    skipped = Skipped()
    found = SOURCES[source.value](folder, skipped, seed=seed, watch=watch("pictures read"))
    found.write(output)
    report(found, output)
    report_skipped(skipped)
    if left_out is not None:
        skipped.write(left_out)
