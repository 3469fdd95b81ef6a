"""`mien data split`: a manifest -> the same one in new parts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.data.reporting import report, say
from mien.errors import DataError

if TYPE_CHECKING:
    from mien.data.check import Rows
    from mien.data.manifest import Manifest
    from mien.data.split import Scarce

_SHOWN: Final = 12


def split(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The manifest to part.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    shares: Annotated[str, typer.Option(help="Shares of train, validation and test.")] = "70,15,15",
    seed: Annotated[int, typer.Option(help="Another seed gives another split.")] = 0,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="Part evenly by this task's labels; else by all."),
    ] = None,
    keep_test: Annotated[
        bool, typer.Option("--keep-test", help="Leave the test part as it is.")
    ] = False,
    near: Annotated[
        bool, typer.Option("--near", help="Keep pictures that look almost alike together.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores for --near; 0 for all.")] = 0,
) -> None:
    """Part a manifest anew, so that train, validation and test have their share of every label.

    Ages count by decades, several tasks by the combination of their labels. Identical pictures
    always share one part; with --near all pictures are read, and those that look almost alike
    share one too. The same pictures, labels and seed give the same parts in any order.

    mien data split faces.csv -o parted.csv --by age --by gender
    """
    from mien.data import manifest as manifests
    from mien.data.split import part_evenly

    wanted = _numbers(shares)
    whole = manifests.read(manifest, parted=False)
    same = _alike(whole, threads) if near else ()
    parted = part_evenly(whole, wanted, seed=seed, by=by or (), same=same, keep_test=keep_test)
    parted.manifest.write(output)
    report(parted.manifest, output)
    say(f"  split: {parted.manifest.split_hash}")
    _report_scarce(parted.scarce)


def _numbers(shares: str) -> list[float]:
    try:
        return [float(share) for share in shares.split(",")]
    except ValueError as error:
        raise DataError(f"--shares takes numbers as in 70,15,15, not {shares!r}") from error


def _alike(whole: "Manifest", threads: int) -> "tuple[Rows, ...]":
    """Return the pictures that look alike.

    Raises:
        DataError: A picture cannot be read.
    """
    from mien.cli.progress import watch
    from mien.data.check import look, near_pictures

    seen = list(look(whole.samples, threads=threads, watch=watch("pictures read")))
    for sample, one in zip(whole.samples, seen, strict=True):
        if one.error:
            raise DataError(
                f"{sample.path}: {one.error}; `mien data check --fix` leaves such pictures out"
            )
    return near_pictures(seen)


def _report_scarce(scarce: "tuple[Scarce, ...]") -> None:
    if scarce:
        say(f"  too few pictures for every part: {len(scarce):,} labels")
    for one in scarce[:_SHOWN]:
        parts = ", ".join(f"{count:,} {part}" for part, count in one.parts.items())
        say(f"    {one.task} {one.label}: {parts}")
    if len(scarce) > _SHOWN:
        say(f"    and {len(scarce) - _SHOWN:,} more")
