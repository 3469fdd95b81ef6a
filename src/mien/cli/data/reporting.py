"""What every `mien data` command says of a manifest that it wrote."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.data.labels import PREDICTED, marked
from mien.errors import printable

if TYPE_CHECKING:
    from mien.data.manifest import Manifest
    from mien.data.sources.reading import Skipped


def report(manifest: "Manifest", output: Path) -> None:
    """Say how many pictures a written manifest has, by part and by label."""
    parts = Counter(sample.split or "no part" for sample in manifest.samples)
    labelled = Counter(name for sample in manifest.samples for name in _known(sample.labels))
    say(f"{output}: {len(manifest.samples):,} pictures ({counted(parts)})")
    say(f"  labels: {counted(labelled)}")


def report_skipped(skipped: "Skipped", shown: int = 3) -> None:
    """Say how a data set was understood; what was left out and why, naming the first few each."""
    for note in skipped.notes:
        say(f"  {note}")
    if skipped.total:
        say(f"  left out: {skipped.total:,}")
    for reason, names in sorted(skipped.names.items(), key=lambda item: -len(item[1])):
        more = f", and {len(names) - shown:,} more" if len(names) > shown else ""
        say(f"    {len(names):,}: {reason} ({', '.join(names[:shown])}{more})")


def _known(labels: Mapping[str, str]) -> Iterator[str]:
    """Yield what is known of a picture; an interval's two ends are one thing."""
    for name in labels:
        if f"{name}{PREDICTED}" in labels:
            yield f"{name} (predicted)"
            continue
        if marked(name):
            continue
        task = name.removesuffix("_low")
        if task != name and f"{task}_high" in labels:
            yield f"{task} (interval)"
        elif "/" not in name and f"{name.removesuffix('_high')}_low" not in labels:
            yield name


def counted(counts: Counter[str]) -> str:
    """Return counts in words, the largest first, as in "12 train, 3 test"."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common()) or "none"


def say(line: str) -> None:
    """Write one line to stderr, whatever its text holds."""
    typer.echo(printable(line), err=True)
