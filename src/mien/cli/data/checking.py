"""`mien data check`: a manifest against its pictures, and a clean one."""

import sys
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.data.bars import print_bars
from mien.cli.data.reporting import counted, report, report_skipped, say
from mien.cli.inputs import check_places
from mien.errors import DataError, MienError, printable

if TYPE_CHECKING:
    from mien.data.check import Check, Finding, Kind
    from mien.data.counts import Count
    from mien.data.manifest import Manifest
    from mien.data.mend import Mended

_SHOWN: Final = 3
_TITLES: Final = {
    "unreadable": "cannot be read",
    "changed": "changed since the import",
    "duplicates": "identical pictures",
    "contradictions": "identical, with different labels",
    "leaks": "identical, in different parts",
    "near duplicates": "almost alike",
    "near contradictions": "almost alike, with different labels",
    "near leaks": "almost alike, in different parts",
}


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"


def check(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The manifest to check.")],
    fix: Annotated[bool, typer.Option("--fix", help="Write a clean manifest to --output.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The clean manifest to write.")
    ] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Treat pictures that look almost alike as identical.")
    ] = False,
    distance: Annotated[
        int, typer.Option(min=0, max=12, help="Bits of 64 in which hashes of these may differ.")
    ] = 8,
    years: Annotated[
        float, typer.Option(min=0, help="--fix keeps the mean of ages that differ by no more.")
    ] = 5.0,
    left_out: Annotated[
        Path | None, typer.Option("--left-out", help="Name all that --fix dropped in this CSV.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the counts of each label into this PNG file.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="text or json.")] = Format.TEXT,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
) -> None:
    """Check a manifest: files, copies, contradicting labels, leaks between the parts.

    Every picture is read. Those that look almost alike are told by their low frequencies; they
    are a problem only in different parts, or with --near. Ends with exit code 1 if there are
    problems and no --fix.

    With --fix, unreadable pictures are dropped, one of each group of identical ones is kept, and
    none if their labels contradict each other; groups that leak go to test, or else to validation.

    mien data check faces.csv --fix -o clean.csv --left-out dropped.csv
    """
    if fix != (output is not None) or (left_out is not None and not fix):
        raise DataError("--fix and --output go together, and --left-out needs both")
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.data.check import check as examine
    from mien.data.counts import count
    from mien.data.mend import mend

    # A clean manifest may take the place of the one that is checked.
    check_places([manifest], left_out=left_out, plot=plot)
    check_places([], output=output, left_out=left_out, plot=plot)
    whole = manifests.read(manifest, parted=False)
    if plot is not None:
        _check_plot(whole)
    found = examine(whole, distance=distance, threads=threads, watch=watch("pictures read"))
    counts = count(whole)
    if form is Format.JSON:
        _print_json(found, counts, near)
    else:
        _print_text(manifest, found, counts)
    if plot is not None:
        _plot(plot, counts)
    if output is not None:
        _write(mend(found, near=near, years=years), output, left_out)
    elif found.problems(near=near):
        raise typer.Exit(1)


def _write(mended: "Mended", output: Path, left_out: Path | None) -> None:
    mended.manifest.write(output)
    report(mended.manifest, output)
    report_skipped(mended.dropped)
    for number, what in (
        (mended.averaged, "kept with the mean of their differing numbers"),
        (mended.renewed, "changed since the import, and kept as they are now"),
        (mended.moved, "moved to the part of an identical or similar picture"),
    ):
        if number:
            say(f"  {number:,} {what}")
    if left_out is not None:
        mended.dropped.write(left_out)


def _print_json(found: "Check", counts: "list[Count]", near: bool) -> None:
    from mien.cli.output import json_text
    from mien.data.counts import as_dict

    result = {
        "pictures": len(found.manifest.samples),
        "problems": len(found.problems(near=near)),
        "split": found.manifest.split_hash,
        **found.as_dict(),
        "counts": as_dict(counts),
    }
    typer.echo(json_text(result, indent=2))


def _print_text(manifest: Path, found: "Check", counts: "list[Count]") -> None:
    from collections import Counter

    from mien.data.check import Kind

    parts = Counter(sample.split or "no part" for sample in found.manifest.samples)
    _echo(f"{manifest}: {len(found.manifest.samples):,} pictures ({counted(parts)})")
    if not found.findings:
        _echo("nothing wrong")
    for kind in Kind:
        _print_kind(found, kind)
    print_bars(counts, sys.stdout)


def _print_kind(found: "Check", kind: "Kind") -> None:
    findings = sorted(found.of(kind), key=lambda finding: -finding.apart)
    if not findings:
        return
    groups = {finding.rows for finding in findings}
    pictures = len({row for rows in groups for row in rows})
    number = _several(pictures, "picture")
    if any(len(rows) > 1 for rows in groups):
        number = f"{_several(len(groups), 'group')}, {number}"
    _echo(f"{_TITLES[kind.value]}: {number}{_by_task(findings)}")
    for finding in findings[:_SHOWN]:
        names = ", ".join(found.manifest.samples[row].path.name for row in finding.rows)
        about = f" ({': '.join(filter(None, (finding.task, finding.reason)))})"
        _echo(f"    {names}{about if finding.reason else ''}")
    if len(findings) > _SHOWN:
        _echo(f"    and {len(findings) - _SHOWN:,} more; --format json names all")


def _by_task(findings: "list[Finding]") -> str:
    """Say in how many groups the labels of each task differ, and by how much."""
    said = []
    for task in dict.fromkeys(finding.task for finding in findings if finding.task):
        apart = [finding.apart for finding in findings if finding.task == task]
        gap = f", {median(apart):g} apart at the median, {max(apart):g} at most"
        said.append(f"{task} in {len(apart):,}{gap if max(apart) else ''}")
    return f": {'; '.join(said)}" if said else ""


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _check_plot(manifest: "Manifest") -> None:
    """Fail before the pictures are read, not after.

    Raises:
        MienError: There is nothing to draw, or what draws the chart is not installed.
    """
    if not manifest.tasks:
        raise DataError("--plot: the manifest has no labels to draw")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise MienError("--plot needs matplotlib; pip install 'mien[train]' brings it") from error


def _plot(path: Path, counts: "list[Count]") -> None:
    from mien.data.counts import condensed, draw, size_of_chart
    from mien.evaluation.canvas import render
    from mien.files import atomic_write

    shown = condensed(counts)
    picture = render(lambda figure: draw(figure, shown), *size_of_chart(shown), "png")
    with atomic_write(path, "wb") as file:
        file.write(picture)


def _echo(line: str) -> None:
    typer.echo(printable(line))
