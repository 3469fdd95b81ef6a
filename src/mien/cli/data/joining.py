"""`mien data join`: several manifests -> one."""

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data.reporting import report, say


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
    report(joined, output)
    if moved:
        say(f"  {moved:,} moved to the part of an identical picture")
