"""FER+ (Barsoum et al. 2016): FER2013's faces with the votes of ten people each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.parts import settle
from mien.data.sources.reading import Skipped, exists, fingerprints, manifest_of
from mien.data.sources.rows import read_rows
from mien.errors import DataError

EXPRESSIONS: Final = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
_VOTES: Final = (*EXPRESSIONS, "unknown", "NF")
_FOLDERS: Final = {"Training": "FER2013Train", "PublicTest": "FER2013Valid"}


def import_ferplus(
    folder: Path,
    skipped: Skipped,
    *,
    rule: str = "majority",
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Manifest:
    """Read FER+ (Barsoum et al. 2016): FER2013's pictures with ten votes each.

    PublicTest is the test part, a tenth of Training (by group of identical pictures) the validation
    part, and Training pictures that PublicTest repeats are left out.

    Args:
        folder: Holds `fer2013new.csv`, `FER2013Train` and `FER2013Valid`.
        skipped: Collects what is left out.
        rule: How votes make a label. "majority", FER+'s own: an expression with a single vote loses
            it; more than half of the votes that are left must agree; "unknown" and "not a face"
            are left out. "argmax": the expression of the eight with most votes, where it is one.
        seed: Seed of the validation part.
        watch: Progress over the pictures.

    Raises:
        DataError: The table is missing or not FER+'s; the message names the row.
    """
    if rule not in RULES:
        raise DataError(f"rule must be one of {', '.join(RULES)}, not {rule!r:.50}")
    rows: dict[Path, _Row] = {}
    for where, values in read_rows(folder / "fer2013new.csv", ("Usage", "Image name", *_VOTES))[1]:
        row = _row(values, where)
        path = _picture(folder, row, where, skipped)
        if path in rows:
            skipped.add("row that names a picture again", row.name)
        elif path is not None:
            rows[path] = row
    contents = dict(fingerprints(rows, skipped, watch))
    named = {path: "test" if row.usage == "PublicTest" else "train" for path, row in rows.items()}
    samples = []
    for path, split in settle(contents, named, skipped, seed=seed).items():
        labels = RULES[rule](rows[path].votes)
        if labels is None:
            skipped.add(_DISPUTED[rule], rows[path].name)
        else:
            samples.append(Sample(path, "ferplus", contents[path], split, labels))
    return manifest_of(samples, folder, "readable picture with a label in fer2013new.csv", skipped)


def majority(votes: Mapping[str, int]) -> dict[str, str] | None:
    """Return the label and the soft votes by FER+'s own rule; None where too few agree.

    Args:
        votes: Each of the ten things to vote for -> its votes.
    """
    kept = {name: count if count > 1 else 0 for name, count in votes.items()}
    best = max(kept, key=kept.__getitem__)
    if best not in EXPRESSIONS or kept[best] * 2 <= sum(kept.values()):
        return None
    return _labels(best, kept)


def argmax(votes: Mapping[str, int]) -> dict[str, str] | None:
    """Return the expression with most votes, and the soft votes; None where two have as many.

    Args:
        votes: Each of the ten things to vote for -> its votes.
    """
    most = max(votes[name] for name in EXPRESSIONS)
    best = [name for name in EXPRESSIONS if votes[name] == most]
    return _labels(best[0], votes) if len(best) == 1 else None


RULES: Final = {"majority": majority, "argmax": argmax}
"""Name of a rule -> what makes a label of votes."""

_DISPUTED: Final = {
    "majority": "no expression has more than half of the votes",
    "argmax": "no single expression has the most votes",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of FER+'s table: the part and name of a picture, and its ten votes."""

    usage: str
    name: str
    votes: dict[str, int]


def _row(row: dict[str, str], where: str) -> _Row:
    votes = {}
    for name in _VOTES:
        if not (row[name].isascii() and row[name].isdigit() and len(row[name]) < 10):
            raise DataError(
                f"{where}: the votes for {name} must be a whole number, not {row[name]!r:.50}"
            )
        votes[name] = int(row[name])
    return _Row(row["Usage"], row["Image name"], votes)


def _picture(folder: Path, row: _Row, where: str, skipped: Skipped) -> Path | None:
    """Return where the picture of a row lies, whatever its file type; None if it is left out."""
    part = _FOLDERS.get(row.usage)
    if part is None:
        skipped.add("row of a part that is not used", f"{row.name} of {row.usage}")
        return None
    if not row.name:
        skipped.add("row without a picture's name", where)
        return None
    name = Path(row.name)
    for suffix in (name.suffix, ".webp", ".png", ".jpg"):
        path = folder / part / f"{name.stem}{suffix}"
        if exists(path):
            return path
    skipped.add("row whose picture is missing", row.name)
    return None


def _labels(best: str, votes: Mapping[str, int]) -> dict[str, str]:
    soft = {f"expression/{name}": str(votes[name]) for name in EXPRESSIONS if votes[name]}
    return {"expression": best} | soft
