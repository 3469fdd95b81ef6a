"""A manifest against its pictures: what cannot be read, what is there twice, what leaks."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from mien import images
from mien.data.groups import is_number, label_of
from mien.data.hashes import DISTANCE, FEATURES, Features, content_hash, features, near_groups
from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.errors import ImageError
from mien.pipeline import in_batches

_BATCH: Final = 64

Rows = tuple[int, ...]
"""Positions of samples in the manifest."""


class Kind(StrEnum):
    """What may be wrong with pictures."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    DUPLICATES = "duplicates"
    CONTRADICTIONS = "contradictions"
    LEAKS = "leaks"
    NEAR_DUPLICATES = "near duplicates"
    NEAR_CONTRADICTIONS = "near contradictions"
    NEAR_LEAKS = "near leaks"


_HARMLESS: Final = frozenset({Kind.NEAR_DUPLICATES, Kind.NEAR_CONTRADICTIONS})


@dataclass(frozen=True)
class Finding:
    """Something wrong with one picture, or with several together.

    Attributes:
        kind: What is wrong.
        rows: The samples.
        reason: Why a picture cannot be read; the labels or the parts that differ.
        task: The task whose labels differ.
        apart: How far numbers lie apart, at most.
    """

    kind: Kind
    rows: Rows
    reason: str = ""
    task: str = ""
    apart: float = 0.0


@dataclass(frozen=True)
class Seen:
    """What was seen of one sample's file.

    Attributes:
        content: Fingerprint of its pixels; empty where it cannot be read.
        features: What it looks like: see `mien.data.hashes`.
        error: Why it cannot be read.
    """

    content: str
    features: Features
    error: str = ""


@dataclass(frozen=True)
class Check:
    """What was found in a manifest.

    Attributes:
        manifest: The manifest.
        seen: What was seen of each sample's file.
        same: The samples of each picture that can be read: identical pixels stand together.
        near: The same, pictures that look almost alike standing together.
        findings: All that was found, by kind.
    """

    manifest: Manifest
    seen: tuple[Seen, ...]
    same: tuple[Rows, ...]
    near: tuple[Rows, ...]
    findings: tuple[Finding, ...]

    def of(self, kind: Kind) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.findings if finding.kind is kind]

    def problems(self, *, near: bool = False) -> list[Finding]:
        """Return what should be mended.

        Args:
            near: Whether near-duplicates are a problem even where they lie in one part. Pictures
                of a series may be alike and have labels of their own.
        """
        return [finding for finding in self.findings if near or finding.kind not in _HARMLESS]

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        """Return all findings by kind, ready for JSON."""
        return {kind.value.replace(" ", "_"): list(map(self._row, self.of(kind))) for kind in Kind}

    def _row(self, finding: Finding) -> dict[str, Any]:
        row: dict[str, Any] = {"paths": [str(self.manifest.samples[i].path) for i in finding.rows]}
        if finding.task:
            row |= {"task": finding.task, "apart": finding.apart}
        return row | ({"reason": finding.reason} if finding.reason else {})


def check(
    manifest: Manifest,
    *,
    distance: int = DISTANCE,
    threads: int = 0,
    watch: Watcher = unwatched,
) -> Check:
    """Read all pictures of a manifest and look for what would spoil a training or its measurement.

    Args:
        manifest: The manifest; identical pictures may lie in different parts.
        distance: In how many of 64 bits the hashes of near-duplicates may differ.
        threads: Processor cores to use; 0 for all.
        watch: Progress over the pictures.
    """
    seen = tuple(look(manifest.samples, threads=threads, watch=watch))
    same, near = same_pictures(seen), near_pictures(seen, distance)
    several = [rows for rows in near if len({seen[row].content for row in rows}) > 1]
    findings = [
        *_files(manifest, seen),
        *_groups(manifest, [rows for rows in same if len(rows) > 1], _EXACT),
        *_groups(manifest, several, _NEAR),
    ]
    order = list(Kind)
    findings.sort(key=lambda finding: order.index(finding.kind))
    return Check(manifest, seen, same, near, tuple(findings))


def look(
    samples: Sequence[Sample], *, threads: int = 0, watch: Watcher = unwatched
) -> Iterator[Seen]:
    """Read pictures side by side; yield what was seen of each, in order."""
    count = threads or os.cpu_count() or 1
    with closing(in_batches(samples, _look, list, threads=count, batch=_BATCH)) as found:
        yield from watch(found, len(samples))


def same_pictures(seen: Sequence[Seen]) -> tuple[Rows, ...]:
    """Group the pictures that can be read by their pixels."""
    groups: dict[str, list[int]] = {}
    for row, one in enumerate(seen):
        if not one.error:
            groups.setdefault(one.content, []).append(row)
    return tuple(map(tuple, groups.values()))


def near_pictures(seen: Sequence[Seen], distance: int = DISTANCE) -> tuple[Rows, ...]:
    """Group the pictures that can be read by their looks; identical ones always share a group."""
    same = same_pictures(seen)
    if not same:
        return ()
    labels = near_groups(np.stack([seen[rows[0]].features for rows in same]), distance)
    groups: dict[int, list[int]] = {}
    for label, rows in zip(labels.tolist(), same, strict=True):
        groups.setdefault(label, []).extend(rows)
    return tuple(tuple(sorted(rows)) for rows in groups.values())


def contradictions(
    manifest: Manifest, rows: Rows, kind: Kind, tasks: Mapping[str, bool]
) -> list[Finding]:
    """Find the tasks in which samples of one picture have different labels.

    Args:
        manifest: The manifest.
        rows: The samples.
        kind: The kind of the findings.
        tasks: Task -> whether its labels are numbers; intervals that overlap do not differ.
    """
    # A truth that differs from a prediction does not contradict it.
    samples = [manifest.samples[row].known for row in rows]
    found = []
    for task, numbers in tasks.items():
        reason, apart = (_numbers if numbers else _classes)(samples, task)
        if reason:
            found.append(Finding(kind, rows, reason, task, apart))
    return found


def tasks_of(manifest: Manifest) -> dict[str, bool]:
    """Return the manifest's tasks, and whether the labels of each are numbers."""
    return {task: is_number(manifest, task) for task in manifest.tasks}


_EXACT: Final = (Kind.DUPLICATES, Kind.CONTRADICTIONS, Kind.LEAKS)
_NEAR: Final = (Kind.NEAR_DUPLICATES, Kind.NEAR_CONTRADICTIONS, Kind.NEAR_LEAKS)


def _look(sample: Sample) -> Seen:
    try:
        pixels = images.load(sample.path).pixels
    except ImageError as error:
        return Seen("", np.zeros(FEATURES, np.float32), error.reason)
    return Seen(content_hash(pixels), features(pixels))


def _files(manifest: Manifest, seen: Sequence[Seen]) -> Iterator[Finding]:
    for row, (sample, one) in enumerate(zip(manifest.samples, seen, strict=True)):
        if one.error:
            yield Finding(Kind.UNREADABLE, (row,), one.error)
        elif one.content != sample.content:
            yield Finding(Kind.CHANGED, (row,))


def _groups(
    manifest: Manifest, groups: Sequence[Rows], kinds: tuple[Kind, Kind, Kind]
) -> Iterator[Finding]:
    repeated, contradicting, leaking = kinds
    tasks = tasks_of(manifest)
    for rows in groups:
        yield Finding(repeated, rows)
        yield from contradictions(manifest, rows, contradicting, tasks)
        parts = {manifest.samples[row].split or "no part" for row in rows}
        if len(parts) > 1:
            yield Finding(leaking, rows, ", ".join(sorted(parts)))


def _classes(samples: Sequence[Sample], task: str) -> tuple[str, float]:
    labels = {label_of(sample, task) for sample in samples} - {""}
    return (", ".join(sorted(labels)) if len(labels) > 1 else "", 0.0)


def _numbers(samples: Sequence[Sample], task: str) -> tuple[str, float]:
    ends = sorted(pair for pair in {s.interval(task) for s in samples} if not math.isnan(pair[0]))
    if not ends:
        return "", 0.0
    apart = max(low for low, _ in ends) - min(high for _, high in ends)
    named = (f"{low:g}" if low == high else f"{low:g}–{high:g}" for low, high in ends)
    return (", ".join(named), apart) if apart > 0 else ("", 0.0)
