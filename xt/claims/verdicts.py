"""From estimates to a verdict: intervals of one difference or several, the side they lie on, what it would take.

Symbols: K differences d_k (an arm minus the one it is compared with), each with a 1 - a interval [L_k(a), U_k(a)].
Of a difference that was not run nothing is known: its interval is (-inf, inf).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xt.stats import seeds_needed
from xt.stats.behrens_fisher import quantile

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTED = "supported", "contradicted", "undecided", "not tested"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTED)
LEVEL = 0.05
"""Of the verdicts of a study together: the probability that one of them is wrong."""
LEAST_SEEDS = 3
"""Fewer give no p value, and test nothing."""
SMALLEST_P = 1e-6
"""No smaller p value is looked for."""


@dataclass(frozen=True, slots=True)
class Differences:
    """K differences in points with their uncertainty; NaN where a difference was not run."""

    pairs: tuple[tuple[str, str], ...]
    """What is compared with what."""
    effect: np.ndarray
    """(K,) means over targets, languages and seeds."""
    variances: np.ndarray
    """(3, K) the parts of their variance, as in `xt.stats.GainTest`: two fall with the number of seeds, one does
    not."""
    dfs: tuple[float, float, float]
    """Degrees of freedom of these."""
    num_seeds: int
    """Seeds, each with all arms."""
    kind: str
    """What the intervals are over."""

    @property
    def num_known(self) -> int:
        """Differences that were run."""
        return int(np.isfinite(self.effect).sum())

    @property
    def has_p(self) -> bool:
        """Whether there are seeds enough for a p value."""
        return self.num_seeds >= LEAST_SEEDS

    def limits(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each (K,), of the primary test's two-sided 1 - alpha intervals."""
        half = quantile(1 - alpha, self.variances, self.dfs)
        low, high = self.effect - half, self.effect + half
        return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


Joined = tuple[float, float, float, int]
"""Effect, low, high, and the place of the difference that the effect is of."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What of K differences a claim is about: the r-th smallest of d_k, or of |d_k|, with its 1 - a interval.

        low = r-th smallest of L_k(a / n)        high = r-th smallest of U_k(a / m)

    For the d_k themselves n = r and m = K - r + 1. Where `low` is above the truth, the limit of at least one of the r
    smallest d_k is above it; where `high` is below the truth, that of at least one of the K - r + 1 largest. The limits
    hold whatever the dependence. With r = 1 the lower one is the intersection-union test (Berger 1982), with r > 1 the
    partial conjunction of Benjamini and Heller (2008).

    The largest |d_k| lies below e where every d_k is shown to lie between -e and e, each at a, and above e where one
    d_k is shown to lie outside, at a / K.

    Differences that were not run count among the K: one that is shown to be small refutes that all are large, but that
    all are large is shown by all of them only."""

    rank: Callable[[int], int]
    """K -> r."""
    size: bool = False
    """Whether signs are ignored; then r = K."""

    def counts(self, total: int) -> tuple[int, int]:
        """How many of K differences must lie above e for `low` to, and how many below e for `high` to; each is tested
        at the level divided by K + 1 less that number."""
        rank = self.rank(total)
        return (1, total) if self.size else (total - rank + 1, rank)

    def join(self, found: Differences, alpha: float) -> Joined:
        """The effect with its interval. With differences that were not run the effect is of the nearest known one."""
        effect, total = found.effect, len(found.effect)
        splits = [total + 1 - count for count in self.counts(total)]
        (low, opposite), (other, high) = (found.limits(alpha / split) for split in splits)
        if self.size:
            effect, low, high = np.abs(effect), np.maximum(0, np.maximum(low, -opposite)), np.maximum(high, -other)
        place = self.rank(total) - 1
        nearest = int(np.argsort(effect, kind="stable")[min(place, found.num_known - 1)])
        return float(effect[nearest]), float(np.sort(low)[place]), float(np.sort(high)[place]), nearest


AGGREGATES: Mapping[str, Aggregate] = {
    "only": Aggregate(lambda total: 1),
    "smallest": Aggregate(lambda total: 1),
    "all but one of nine": Aggregate(lambda total: 1 + total // 9),
    "half": Aggregate(lambda total: total // 2 + 1),
    "largest size": Aggregate(lambda total: total, size=True),
}
"""Name in the table of claims -> what it is. `half`: at least half of the differences are as large."""

Part = tuple[float, float]
"""An open interval, in points."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where an effect must lie for a claim to hold, and where for it to be wrong."""

    claimed: Part
    """The claimed side."""
    refuting: tuple[Part, ...]
    """The other side, or where the difference counts as none: there a claim is wrong on whichever side of 0 it lies."""

    def parts(self, verdict: str) -> tuple[Part, ...]:
        """Where an interval must lie for a verdict; for UNDECIDED, for any."""
        known = {SUPPORTED: (self.claimed,), CONTRADICTED: self.refuting}
        return known.get(verdict, (self.claimed, *self.refuting))


DIRECTIONS: Mapping[str, Callable[[float, float], Region]] = {
    "above": lambda edge, margin: Region((edge, np.inf), ((-np.inf, edge), (-margin, margin))),
    "not above": lambda edge, margin: Region((-np.inf, edge + margin), ((edge + margin, np.inf),)),
    "equal": lambda edge, margin: Region(
        (edge - margin, edge + margin), ((edge + margin, np.inf), (-np.inf, edge - margin))
    ),
}
"""Side that is claimed -> (edge, margin) -> regions."""


def judge(region: Region, low: float, high: float) -> str:
    """CONTRADICTED where the interval lies in a refuting region, else SUPPORTED in the claimed one, else UNDECIDED."""
    for verdict in (CONTRADICTED, SUPPORTED):
        if lies_in(region.parts(verdict), low, high):
            return verdict
    return UNDECIDED


def lies_in(parts: Sequence[Part], low: float, high: float) -> bool:
    """Whether an interval lies wholly inside one of these; where such a part is unbounded, the interval may be."""
    return any(bool((start < low or start == -np.inf) and (high < end or end == np.inf)) for start, end in parts)


def level_of(found: Differences, aggregate: str, parts: Sequence[Part]) -> float:
    """The p value of a verdict: the smallest two-sided level at which the interval lies in its parts; 1 where it never
    does."""

    def decided(alpha: float) -> bool:
        return lies_in(parts, *AGGREGATES[aggregate].join(found, alpha)[1:3])

    few, many = np.log(SMALLEST_P), 0.0
    if not decided(1 - 1e-9):
        return 1.0
    for _ in range(20):
        middle = (few + many) / 2
        few, many = (few, middle) if decided(np.exp(middle)) else (middle, many)
    return float(np.exp(many))


def seeds_to_decide(found: Differences, aggregate: str, region: Region, alpha: float) -> float:
    """The fewest seeds with which there would be a verdict, were the differences what they are estimated to be: each
    that must lie on one side of an edge is found there with the power of `xt.stats.seeds_needed`.

    NaN where its largest number of seeds would not do: what is uncertain are the items, the effect lies on the edge, or
    too few of the differences were run.
    """
    kind, total = AGGREGATES[aggregate], len(found.effect)
    effect = np.abs(found.effect) if kind.size else found.effect
    answers = [
        max(
            count_seeds(found, distance, count, alpha / (total + 1 - count))
            for distance, count in zip((effect - low, high - effect), kind.counts(total), strict=True)
        )
        for low, high in region.parts(UNDECIDED)
    ]
    return min(answers) if np.isfinite(min(answers)) else np.nan


def count_seeds(found: Differences, distance: np.ndarray, count: int, level: float) -> float:
    """The fewest seeds with which so many (`count`) of the differences are found this far (K,) past an edge; infinite
    where no number does, 0 where there is no edge."""
    if np.isposinf(distance).any():
        return 0.0
    per_seed = [df / (found.num_seeds - 1) for df in found.dfs[:2]]
    needed = []
    for far, (*over_seeds, over_items) in zip(distance, found.variances.T, strict=True):
        spread = tuple(zip((variance * found.num_seeds for variance in over_seeds), per_seed, strict=True))
        seeds = seeds_needed(far, spread, np.sqrt(over_items), level) if far > 0 else None
        needed.append(np.inf if seeds is None else seeds)
    return float(np.sort(needed)[count - 1])
