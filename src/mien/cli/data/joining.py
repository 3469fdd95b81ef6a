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

    A file that several list is taken once, with all its labels; they must not contradict each
    other. A picture that stands in several parts goes to the most guarded: test, then validation.

    mien data join utkface.csv ferplus.csv -o face.csv
    """
    from mien.data import manifest
    from mien.data.join import join as join_all

    joined = join_all(manifest.read(path) for path in manifests)
    joined.manifest.write(output)
    report(joined.manifest, output)
    if joined.repeated:
        say(f"  {joined.repeated:,} listed more than once, and taken once")
    if joined.moved:
        say(f"  {joined.moved:,} moved to the part of an identical picture")
