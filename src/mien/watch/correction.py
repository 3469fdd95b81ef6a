"""Totals of age groups, corrected for what the model confuses.

A model reads some teens as youths and some youths as teens. Where many youths pass, counting what
was read gives too many teens. What is known is p(age | face) under the ages it was calibrated with;
if only the ages differ at the door, and faces of one age look alike everywhere (*label shift*), the
ages at the door are those that explain the distributions best. Expectation maximisation finds them
(Saerens, Latinne and Decaestecker 2002), here with a Dirichlet prior and on the mean distributions
of visits that were read alike, so that nothing but totals is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from mien.ages import GROUPS, Groups
from mien.watch import bias
from mien.watch.bias import Bias
from mien.watch.calibration import Calibration
from mien.watch.totals import Totals, bin_of
from mien.watch.visit import BINS, shares

LEVEL: Final = 0.9
RESAMPLES: Final = 200

# Tuned on resamples of the calibration alone: see docs/audience.md.
_PSEUDO_VISITS: Final = 10.0
_PSEUDO_SHARE: Final = 0.02
_EVEN: Final = 0.05
_TRUST: Final = 0.05

_LEAST: Final = 1e-4
_ITERATIONS: Final = 150
_SETTLED: Final = 1e-5
_SMOOTHING: Final = 50.0
_UNLIKELY: Final = 0.01
# With very many visits the smallest flaw of the calibration is seen: it must matter, too.
_MATTERS: Final = 0.05

Numbers = NDArray[np.float64]


class Estimate(NamedTuple):
    """A total with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Totals of age groups, as they were read and as they probably were.

    Attributes:
        raw: Group -> visits read as it.
        corrected: Group -> visits of it, by expectation maximisation, with a 90 % interval. The
            values sum to all visits.
        adjusted: Group -> visits of it, by the matrix of confusions; None without calibration.
        passed: Group -> people who passed, seen or not; None where no tally told the capture rate.
        fit: How probable it is that predictions so odd come from a mixture of known ages; None
            without calibration, or untested.
        misfit: Share of the visits that were read otherwise than the best mixture would be; None
            likewise.
        warning: What is wrong with the assumption; empty if nothing is seen to be.
    """

    raw: dict[str, float]
    corrected: dict[str, Estimate]
    adjusted: dict[str, float] | None
    passed: dict[str, Estimate] | None
    fit: float | None
    misfit: float | None
    warning: str


class Corrector:
    """Corrects totals; what depends on the calibration alone is computed once.

    Args:
        calibration: Held-out faces of the model in use.
        groups: Names of the age groups with the first age of each.
        resamples: How many resamples intervals come from.
        seed: Equal seeds draw equal resamples.
    """

    def __init__(
        self,
        calibration: Calibration,
        groups: Groups = GROUPS,
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
    ) -> None:
        self.groups, self._seed, self._resamples = groups, seed, resamples
        self._names = [name for name, _ in groups]
        self._calibration = calibration
        self._faces = faces = len(calibration.truth)
        self._prior = np.maximum(calibration.measured_prior, _LEAST)
        rng = np.random.default_rng([seed, faces])
        weights = np.zeros((resamples, faces))
        if faces:
            weights += rng.multinomial(faces, np.full(faces, 1 / faces), size=resamples)
        cells = np.array([bin_of(years) for years in calibration.years], np.int64)
        hard, soft = _table(cells, np.eye(BINS)[calibration.bins]), _table(cells, calibration.ages)
        self._priors = np.maximum(
            weights @ calibration.ages / faces if faces else self._prior[None], _LEAST
        )
        self._factors = self._drawn_factors(cells, weights, hard, soft)
        likely = soft / np.maximum(soft.sum(axis=0), _LEAST)
        self._likely = _columns(hard + _SMOOTHING * likely)
        self._drawn_likely = _columns(self._drawn(cells, weights) + _SMOOTHING * likely)
        self._matrix = self._confusions() if faces else None

    def bias(self, totals: Totals, taps: Numbers, draws: int, rng: np.random.Generator) -> Bias:
        """Return how a camera reads ages otherwise than the calibration does, by a tally.

        Args:
            totals: The visits of its time.
            taps: How many people of each group passed.
            draws: How many draws to return.
            rng: Draws them.
        """
        return bias.measure(totals.counts(), taps, self._likely, self.groups, draws, rng)

    def __call__(
        self,
        totals: Totals,
        capture: Numbers | None = None,
        *,
        biased: Sequence[tuple[Totals, Bias]] = (),
        test: bool = True,
    ) -> Corrected:
        """Correct the totals of some visits.

        Args:
            totals: Visits of the kind "visit".
            capture: R x groups, draws of the share of people that the camera sees, from tallies.
            biased: Parts of these totals, each with how its camera reads, from tallies.
            test: Whether the assumption is tested.
        """
        counts, raw = totals.counts(), totals.groups(self.groups)
        everyone = counts.sum()
        if not everyone:
            nothing = dict.fromkeys(self._names, 0.0)
            none = {name: Estimate(0.0, 0.0, 0.0) for name in self._names}
            passed = none if capture is not None else None
            return Corrected(nothing, none, nothing, passed, fit=None, misfit=None, warning="")
        centred, likely = _undone(totals, biased, self._resamples)
        each = np.maximum(counts, 1)[:, np.newaxis]
        value = self._grouped(expect(counts[None], (centred / each / self._prior)[None]))[0]
        rng = np.random.default_rng([self._seed, int(everyone)])
        # Visits are drawn anew, and so is what the calibration says of them.
        drawn_counts = rng.multinomial(int(everyone), counts / everyone, size=self._resamples)
        likelihoods = likely / each * self._factors / self._priors[:, np.newaxis, :]
        drawn = self._grouped(expect(drawn_counts.astype(np.float64), likelihoods))
        drawn *= self._detection(rng)
        fit, misfit = None, None
        if self._faces and test:
            fit, misfit = self._fit(_undone_counts(counts, biased), rng)
        return Corrected(
            raw=self._named(raw),
            corrected=self._estimates(value, drawn),
            adjusted=self._adjusted(self._undone_groups(raw, biased)),
            passed=None if capture is None else self._passed(value, drawn, capture),
            fit=fit,
            misfit=misfit,
            warning=_warning(fit, misfit),
        )

    def _grouped(self, bins: Numbers) -> Numbers:
        return group_totals(bins, self.groups)

    def _named(self, values: Numbers) -> dict[str, float]:
        return dict(zip(self._names, map(float, values), strict=True))

    def _estimates(self, value: Numbers, drawn: Numbers) -> dict[str, Estimate]:
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        ends = zip(value, np.minimum(low, value), np.maximum(high, value), strict=True)
        return {
            name: Estimate(*map(float, three))
            for name, three in zip(self._names, ends, strict=True)
        }

    def _passed(self, value: Numbers, drawn: Numbers, capture: Numbers) -> dict[str, Estimate]:
        rates = capture[np.arange(len(drawn)) % len(capture)]
        return self._estimates(value / np.median(capture, axis=0), drawn / rates)

    def _detection(self, rng: np.random.Generator) -> Numbers:
        """Return draws about 1 of how many faces of held-out pictures the detector finds."""
        found = int(self._calibration.found.sum())
        rate = rng.beta(found + 0.5, self._faces - found + 0.5, size=(self._resamples, 1))
        mean = (found + 0.5) / (self._faces + 1)
        return mean / rate if self._faces else np.ones_like(rate)

    def _drawn(self, cells: NDArray[np.int64], weights: Numbers) -> Numbers:
        """Return how many faces of each bin were read as each bin, R x `BINS` x `BINS`."""
        place = np.eye(BINS * BINS)[cells * BINS + self._calibration.bins]
        tables: Numbers = (weights @ place).reshape(-1, BINS, BINS)
        return tables

    def _drawn_factors(
        self, cells: NDArray[np.int64], weights: Numbers, hard: Numbers, soft: Numbers
    ) -> Numbers:
        """Return by how much the labels of other calibrations would move the distributions.

        The model's own word counts `_TRUST` times as much as the labels.
        """
        said = _TRUST * soft + 1e-3
        return (self._drawn(cells, weights) + said) / (hard + said)

    def _confusions(self) -> Numbers:
        """Return how often each group (columns) is read as each group (rows)."""
        firsts = [first for _, first in self.groups]
        read = np.searchsorted(firsts, self._calibration.years, side="right") - 1
        true = np.searchsorted(firsts, self._calibration.truth, side="right") - 1
        table = np.zeros((len(firsts), len(firsts)))
        np.add.at(table, (read, true), 1)
        # Of a group that no face is of, nothing better is known.
        empty = table.sum(axis=0) == 0
        table[:, empty] = np.eye(len(firsts))[:, empty]
        return _columns(table)

    def _undone_groups(self, raw: Numbers, biased: Sequence[tuple[Totals, Bias]]) -> Numbers:
        found = raw.copy()
        for part, known in biased:
            found += known.centre.groups(part, self.groups) - part.groups(self.groups)
        return found

    def _adjusted(self, raw: Numbers) -> dict[str, float] | None:
        """Solve matrix x = raw by least squares over totals that are not negative and sum alike."""
        if self._matrix is None:
            return None
        heavy = 1e3
        rows = np.vstack([self._matrix, np.full(len(raw), heavy)])
        found, _ = nnls(rows, np.append(raw / raw.sum(), heavy))
        return self._named(found / found.sum() * raw.sum())

    def _fit(self, counts: Numbers, rng: np.random.Generator) -> tuple[float, float]:
        """Return the share of mixtures whose predictions are as odd as these, and their misfit.

        The statistic is the likelihood ratio between the predictions and the best mixture of the
        measured columns. Its distribution comes from predictions drawn from that mixture, by
        columns of resampled calibrations.
        """
        everyone = round(counts.sum())
        statistic, misfit, mixture = _oddness(counts[None], self._likely[None])
        other = np.einsum("bcy,y->bc", self._drawn_likely, mixture[0])
        drawn = rng.multinomial(everyone, other / other.sum(axis=1, keepdims=True))
        usual, _, _ = _oddness(drawn.astype(np.float64), self._likely[None])
        return float((1 + (usual >= statistic).sum()) / (1 + len(usual))), float(misfit[0])


def expect(counts: Numbers, likelihoods: Numbers, pseudo: float | None = None) -> Numbers:
    """Return the ages that explain what was read, by expectation maximisation.

    With a Dirichlet prior of `pseudo` visits, evenly spread over the bins. Some of them grow with
    the visits, for so does not the knowledge of what is confused.

    Args:
        counts: R x cells: visits that were read alike.
        likelihoods: R (or 1) x cells x `BINS`: how likely a bin's people are read so, up to a
            factor for each cell: p(age | cell) / p(age).
        pseudo: How many visits the prior counts for; None for 10 and 2 % of all.

    Returns:
        R x `BINS`: how many of the visits were of each bin; the sum over bins is that of `counts`.
    """
    if pseudo is None:
        prior = _PSEUDO_VISITS + _PSEUDO_SHARE * counts.sum(axis=1, keepdims=True)
    else:
        prior = np.full((len(counts), 1), pseudo)
    mixture = _mixtures(counts, likelihoods, prior)
    joint = likelihoods * mixture[:, np.newaxis, :]
    share = counts / np.maximum(joint.sum(axis=2), np.finfo(np.float64).tiny)
    found: Numbers = np.einsum("bc,bcy->by", share, joint)
    return found


def group_totals(bins: Numbers, groups: Groups) -> Numbers:
    """Return totals of groups from totals of bins, with the density of the neighbours in mind.

    Where a group's first age cuts a bin (13 lies between 10 and 15), its people are shared by years
    and by how many are in the bin on either side: where no teens are, the bin's are children.

    Args:
        bins: R x `BINS`.
        groups: Names of the groups with the first age of each.

    Returns:
        R x groups, with the same sums.
    """
    years = shares(groups)
    even = _EVEN * bins.sum(axis=1, keepdims=True)
    padded = np.concatenate([bins[:, :1], bins, bins[:, -1:]], axis=1)
    found = np.zeros((len(bins), years.shape[1]))
    for number in range(bins.shape[1]):
        inside = np.flatnonzero(years[number])
        place = np.linspace(0, 1, len(inside)) if len(inside) > 1 else np.array([0.5])
        before, after = padded[:, [number]] + even, padded[:, [number + 2]] + even
        weights = years[number, inside] * ((1 - place) * before + place * after) + 1e-12
        weights /= weights.sum(axis=1, keepdims=True)
        found[:, inside] += bins[:, [number]] * weights
    return found


def _mixtures(counts: Numbers, likelihoods: Numbers, pseudo: Numbers) -> Numbers:
    mixture = np.full((max(len(counts), len(likelihoods)), BINS), 1 / BINS)
    for _ in range(_ITERATIONS):
        expected = np.matmul(likelihoods, mixture[:, :, np.newaxis])[:, :, 0]
        share = counts / np.maximum(expected, np.finfo(np.float64).tiny)
        weight = np.matmul(share[:, np.newaxis, :], likelihoods)[:, 0, :]
        found = mixture * weight + pseudo / BINS
        found /= found.sum(axis=1, keepdims=True)
        moved = np.abs(found - mixture).max()
        mixture = found
        if moved < _SETTLED:
            break
    return mixture


def _oddness(counts: Numbers, likely: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return how far R counts are from their best mixture, and the mixtures.

    As the likelihood ratio, and as the share that would have to move.
    """
    mixture = _mixtures(counts, likely, np.ones((len(counts), 1)))
    expected = np.matmul(likely, mixture[:, :, np.newaxis])[:, :, 0]
    everyone = counts.sum(axis=1, keepdims=True)
    expected *= everyone / expected.sum(axis=1, keepdims=True)
    ratio = np.log(np.maximum(counts, 1e-300) / np.maximum(expected, 1e-12))
    statistic: Numbers = 2 * np.where(counts > 0, counts * ratio, 0).sum(axis=1)
    misfit: Numbers = np.abs(counts - expected).sum(axis=1) / 2 / everyone[:, 0]
    return statistic, misfit, mixture


def _undone(
    totals: Totals, biased: Sequence[tuple[Totals, Bias]], resamples: int
) -> tuple[Numbers, Numbers]:
    """Return the sums of distributions without the cameras' bias, and R draws of them."""
    known = totals.distributions()
    if not biased:
        return known, known
    for part, _ in biased:
        known = known - part.distributions()
    centred, drawn = known, np.repeat(known[np.newaxis], resamples, axis=0)
    for part, one in biased:
        read = part.distributions()
        centred = centred + read @ one.centre.undoing[0]
        drawn += read @ one.undoing[np.arange(resamples) % len(one.undoing)]
    return np.maximum(centred, 0), np.maximum(drawn, 0)


def _undone_counts(counts: Numbers, biased: Sequence[tuple[Totals, Bias]]) -> Numbers:
    for part, one in biased:
        read = part.counts()
        counts = counts - read + read @ one.centre.undoing[0]
    return np.maximum(counts, 0)


def _table(cells: NDArray[np.int64], rows: NDArray[np.floating[Any]]) -> Numbers:
    table = np.zeros((BINS, BINS))
    np.add.at(table, cells, rows)
    return table


def _columns(table: Numbers) -> Numbers:
    """Return a table, or several, whose columns sum to 1."""
    found: Numbers = table / np.maximum(table.sum(axis=-2, keepdims=True), _LEAST)
    return found


def _warning(fit: float | None, misfit: float | None) -> str:
    if fit is None or misfit is None or fit >= _UNLIKELY or misfit < _MATTERS:
        return ""
    return (
        f"{misfit:.0%} of the visits were read as no mix of ages would be, if faces look as in the "
        f"calibration (p = {fit:.3f}): corrected totals may be wrong. Look at the light and at the "
        "size of the faces, and take a tally at the door."
    )
