"""Parts for training, validation and test: identical pictures always share one.

An import draws each picture's part from its content alone, so that pictures may come and go. A
finished set is parted more evenly by its labels.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mien.data.groups import groupings
from mien.data.manifest import SPLITS, Manifest
from mien.errors import DataError

DEFAULT_SHARES: Final = (0.8, 0.1, 0.1)
EVEN_SHARES: Final = (0.7, 0.15, 0.15)


def part_of(content: str, shares: Sequence[float] = DEFAULT_SHARES, seed: int = 0) -> str:
    """Return the part of a picture, drawn from the fingerprint of its pixels.

    The draw depends on nothing else, so a picture keeps its part when others come or go, and
    identical pictures cannot be parted.

    Args:
        content: Fingerprint of the pixels.
        shares: Shares of train, validation and test; they sum to 1.
        seed: Another seed gives another, independent split.
    """
    digest = hashlib.sha256(f"{seed} {content}".encode()).digest()
    draw = int.from_bytes(digest[:8]) / 2**64
    edge = 0.0
    for name, share in zip(SPLITS, shares, strict=True):
        edge += share
        if draw < edge:
            return name
    return SPLITS[0]


@dataclass(frozen=True)
class Scarce:
    """A label that is missing from some of the parts.

    Attributes:
        task: The task.
        label: The label, or the group of ages.
        parts: Part -> pictures with that label, identical ones counted once; of all wanted parts.
    """

    task: str
    label: str
    parts: dict[str, int]


@dataclass(frozen=True)
class Parted:
    """A manifest with new parts, and the labels that some of them lack."""

    manifest: Manifest
    scarce: tuple[Scarce, ...]


def part_evenly(
    manifest: Manifest,
    shares: Sequence[float] = EVEN_SHARES,
    *,
    seed: int = 0,
    by: Sequence[str] = (),
    same: Sequence[Sequence[int]] = (),
    keep_test: bool = False,
) -> Parted:
    """Part a manifest so that every part has its share of every label.

    Pictures fall into strata by the labels of all tasks together, ages by decades. First each part
    gets one picture of every label that has enough of them, the rarest first. Then stratum after
    stratum is dealt out, each picture to the part that lacks most; what one stratum leaves over
    carries to the next, so that the shares are met within a picture or two over each stratum and
    over all. The order of the rows does not count.

    Args:
        manifest: The manifest; the parts that it has do not count.
        shares: Shares of train, validation and test, relative to their sum.
        seed: Another seed gives another, independent split.
        by: The tasks to part by; none for all.
        same: Positions of samples that must share a part, as they look alike. Those with the same
            content do in any case.
        keep_test: Whether what lies in the test part stays there and nothing else comes to it, so
            that only train and validation are made anew.

    Raises:
        DataError: The manifest has no such task, no test part to keep, or a share is none.
    """
    _check_shares(shares, keep_test)
    units = _units(manifest, same, seed)
    labels = _labels(manifest, units, by)
    wanted = dict(zip(SPLITS, shares, strict=True))
    parts: dict[int, str] = {}
    if keep_test:
        parts = _kept_test(manifest, units)
        del wanted["test"]
    total = sum(wanted.values())
    wanted = {part: share / total for part, share in wanted.items() if share}
    free = [number for number in range(len(units)) if number not in parts]
    _seed_labels(labels, free, list(wanted), parts)
    _deal(labels, units, free, wanted, parts)
    splits = [""] * len(manifest.samples)
    for number, unit in enumerate(units):
        for row in unit:
            splits[row] = parts[number]
    return Parted(manifest.with_splits(splits), _scarce(labels, parts, wanted, free))


_Labels = Sequence[Mapping[str, str]]
"""Of each unit: task -> group of its labels."""


def _check_shares(shares: Sequence[float], keep_test: bool) -> None:
    fine = len(shares) == len(SPLITS) and all(0 <= share < math.inf for share in shares)
    if not fine or not 0 < sum(shares[: 2 if keep_test else 3]) < math.inf:
        raise DataError(
            "the shares of train, validation and test are three numbers of at least 0, as in "
            f"70,15,15, not {','.join(f'{share:g}' for share in shares)}"
            + ("; with the test part kept, the first two count" if keep_test else "")
        )


def _kept_test(manifest: Manifest, units: Sequence[Sequence[int]]) -> dict[int, str]:
    found = {
        number: "test"
        for number, unit in enumerate(units)
        if any(manifest.samples[row].split == "test" for row in unit)
    }
    if not found:
        raise DataError("the manifest has no test part to keep")
    return found


def _units(manifest: Manifest, same: Sequence[Sequence[int]], seed: int) -> list[list[int]]:
    """Return the rows that must share a part, in an order drawn from their contents."""
    leader: dict[str, str] = {}

    def find(content: str) -> str:
        while leader.setdefault(content, content) != content:
            content = leader[content]
        return content

    contents = [sample.content for sample in manifest.samples]
    for rows in same:
        first, *others = sorted({find(contents[row]) for row in rows})
        for other in others:
            leader[find(other)] = find(first)
    units: dict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(contents):
        units[find(content)].append(row)
    keyed = [(min(contents[row] for row in rows), rows) for rows in units.values()]
    keyed.sort(key=lambda pair: hashlib.sha256(f"{seed} {pair[0]}".encode()).digest())
    return [rows for _, rows in keyed]


def _labels(
    manifest: Manifest, units: Sequence[Sequence[int]], by: Sequence[str]
) -> list[dict[str, str]]:
    """Return the labels of each unit; where its pictures contradict each other, the first by name.

    A label that is missing from one of its pictures may stand at another.
    """
    tasks = groupings(manifest, by)
    found = []
    for unit in units:
        samples = [manifest.samples[row] for row in unit]
        known = {task.task: {task.of(sample) for sample in samples} - {""} for task in tasks}
        found.append({task: min(names, default="") for task, names in known.items()})
    return found


def _seed_labels(
    labels: _Labels, free: Sequence[int], wanted: Sequence[str], parts: dict[int, str]
) -> None:
    """Give every part one unit of each label that has enough of them."""
    having: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in free:
        for pair in labels[number].items():
            having[pair].append(number)
    for (_, label), numbers in sorted(having.items(), key=lambda item: (len(item[1]), item[0])):
        if not label or len(numbers) < len(wanted):
            continue
        have = {parts[number] for number in numbers if number in parts}
        lacking = [part for part in wanted if part not in have]
        still = [number for number in numbers if number not in parts]
        parts |= dict(zip(still, lacking, strict=False))


def _deal(
    labels: _Labels,
    units: Sequence[Sequence[int]],
    free: Sequence[int],
    wanted: Mapping[str, float],
    parts: dict[int, str],
) -> None:
    """Deal out the strata, one after another; what a part lacks carries over."""
    strata: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in free:
        strata[tuple(labels[number].values())].append(number)
    lacking = dict.fromkeys(wanted, 0.0)
    for _, numbers in sorted(strata.items()):
        pictures = sum(len(units[number]) for number in numbers)
        for part, share in wanted.items():
            lacking[part] += share * pictures
        for number in numbers:
            if number in parts:
                lacking[parts[number]] -= len(units[number])
        for number in (number for number in numbers if number not in parts):
            parts[number] = max(lacking, key=lacking.__getitem__)
            lacking[parts[number]] -= len(units[number])


def _scarce(
    labels: _Labels, parts: Mapping[int, str], wanted: Mapping[str, float], free: Sequence[int]
) -> tuple[Scarce, ...]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for number in free:
        for pair in labels[number].items():
            counts[pair][parts[number]] += 1
    return tuple(
        Scarce(task, label, {part: count[part] for part in wanted})
        for (task, label), count in sorted(counts.items())
        if label and not all(count[part] for part in wanted)
    )
