"""Parts that a data set names itself: kept, completed where one is missing, and kept apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mien.data.manifest import SPLITS
from mien.data.sources.reading import Skipped
from mien.data.split import part_of

PART_NAMES: Final = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}
"""What data sets call their parts, in lower case -> the part."""

SHARE: Final = 0.1
"""Of the training pictures, what a validation or test part takes that nobody named."""


def settle(
    contents: Mapping[Path, str],
    named: Mapping[Path, str],
    skipped: Skipped,
    *,
    seed: int,
    validation: float = SHARE,
) -> dict[Path, str]:
    """Settle which part each picture belongs to, where a data set names parts itself.

    Named parts are kept. A validation or test part that is not named at all is drawn from the
    training pictures, by content. Of identical pictures in different named parts only those of
    the most guarded part (test, then validation) stay; the others are counted as left out.

    Args:
        contents: Picture -> fingerprint of its pixels.
        named: Picture -> the part that the data set names for it; "" counts as training.
        skipped: Collects what is left out.
        seed: Seed of what is drawn.
        validation: The share of the training pictures that a drawn validation part takes; a drawn
            test part takes a tenth.

    Returns:
        Picture -> part, without the pictures that were left out.
    """
    guarded: dict[str, str] = {}
    for path, content in contents.items():
        guarded[content] = max(guarded.get(content, "train"), _part(named, path), key=SPLITS.index)
    have = set(named.values())
    shares = _shares(have, validation)
    for part, share in zip(SPLITS[1:], shares[1:], strict=True):
        if share and have & {"", "train"} and have != {""}:
            skipped.notes.append(f"{part} is drawn from the training pictures, {share:.0%} of them")
    settled = {}
    for path, content in contents.items():
        own, best = _part(named, path), guarded[content]
        if own != best:
            called = "training" if own == "train" else own
            skipped.add(f"{called} picture that the {best} part repeats", path.name)
        else:
            settled[path] = part_of(content, shares, seed) if own == "train" else own
    return settled


def _shares(have: set[str], validation: float) -> tuple[float, float, float]:
    """Return how the training pictures are shared out to train, validation and test."""
    to_validation = 0.0 if "validation" in have else validation
    to_test = 0.0 if "test" in have else SHARE
    return 1 - (to_validation + to_test), to_validation, to_test


def _part(named: Mapping[Path, str], path: Path) -> str:
    return named[path] or "train"
