"""`mien data`: pictures and labels as they lie on disk -> manifests."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import printable

if TYPE_CHECKING:
    from mien.data.manifest import Manifest
    from mien.data.sources import Skipped

app = typer.Typer(no_args_is_help=True, help="Make manifests: tables of labelled pictures.")


class Source(StrEnum):
    """The layouts that can be imported."""

    FOLDERS = "folders"
    UTKFACE = "utkface"
    FERPLUS = "ferplus"


@app.command("import")
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

    Identical pictures always share one part. What is left out is counted and named.

    mien data import utkface UTKFace -o utkface.csv
    """
    from mien.cli.progress import watch
    from mien.data.sources import SOURCES, Skipped

    skipped = Skipped()
    found = SOURCES[source.value](folder, skipped, seed=seed, watch=watch("pictures read"))
    found.write(output)
    _report(found, output)
    _report_skipped(skipped)
    if left_out is not None:
        skipped.write(left_out)


@app.command()
def join(
    manifests: Annotated[
        list[Path], typer.Argument(metavar="MANIFEST", help="The manifests to join.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
) -> None:
    """Join manifests into one; labels that a picture lacks stay empty.

    A picture that stands in several goes to the most guarded part: test, then validation.

    mien data join utkface.csv ferplus.csv -o face.csv
    """
    from mien.data import manifest

    joined, moved = manifest.join(manifest.read(path) for path in manifests)
    joined.write(output)
    _report(joined, output)
    if moved:
        _say(f"  {moved:,} moved to the part of an identical picture")


def _report(manifest: "Manifest", output: Path) -> None:
    parts = Counter(sample.split or "no part" for sample in manifest.samples)
    labelled = Counter(
        name for sample in manifest.samples for name in sample.labels if "/" not in name
    )
    _say(f"{output}: {len(manifest.samples):,} pictures ({_counted(parts)})")
    _say(f"  labels: {_counted(labelled)}")


def _report_skipped(skipped: "Skipped", shown: int = 3) -> None:
    if skipped.total:
        _say(f"  left out: {skipped.total:,}")
    for reason, names in sorted(skipped.names.items(), key=lambda item: -len(item[1])):
        more = f", and {len(names) - shown:,} more" if len(names) > shown else ""
        _say(f"    {len(names):,}: {reason} ({', '.join(names[:shown])}{more})")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common()) or "none"


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)
