"""From estimates to a verdict: intervals of one difference or several, the side they lie on, what it would take.

Symbols: K differences d_k (an arm minus the one it is compared with), each with a 1 - a interval [L_k(a), U_k(a)].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xt.stats import seeds_needed
from xt.stats.behrens_fisher import quantile

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTED = "supported", "contradicted", "undecided", "not tested"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, NOT_TESTED)
LEVEL = 0.05
"""Of the verdicts of a study together: the probability that one of them is wrong."""
SMALLEST_P = 1e-6
"""No smaller p value is looked for."""


@dataclass(frozen=True, slots=True)
class Differences:
    """K differences in points with their uncertainty; arrays are (K,)."""

    arms: tuple[str, ...]
    """What is compared."""
    against: tuple[str, ...]
    """What each is compared with."""
    effect: np.ndarray
    """Mean over targets, languages and seeds."""
    seed_variance: np.ndarray
    """The part of its variance that falls with the number of seeds."""
    item_variance: np.ndarray
    """The part that does not."""
    dfs: tuple[float, float]
    """Degrees of freedom of these two."""
    num_seeds: int
    """Seeds, each with all arms."""
    kind: str
    """What the intervals are over."""

    arrays: ClassVar[tuple[str, ...]] = ("effect", "seed_variance", "item_variance")

    def limits(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each (K,), of the primary test's two-sided 1 - alpha intervals."""
        half = quantile(1 - alpha, (self.seed_variance, self.item_variance), self.dfs)
        return self.effect - half, self.effect + half


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
    d_k is shown to lie outside, at a / K."""

    rank: Callable[[int], int]
    """K -> r."""
    size: bool = False
    """Whether signs are ignored; then r = K."""

    def join(self, found: Differences, alpha: float) -> Joined:
        """The effect with its interval."""
        rank, effect = self.rank(len(found.effect)), found.effect
        (_, below), (_, above) = self.needs(len(effect))
        (low, opposite), (other, high) = found.limits(alpha / below), found.limits(alpha / above)
        if self.size:
            effect, low, high = np.abs(effect), np.maximum(0, np.maximum(low, -opposite)), np.maximum(high, -other)
        nearest = int(np.argsort(effect, kind="stable")[rank - 1])
        return float(effect[nearest]), float(np.sort(low)[rank - 1]), float(np.sort(high)[rank - 1]), nearest

    def needs(self, total: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """((differences that must lie above e for `low` to, what the level is divided by), the same below e)."""
        rank = self.rank(total)
        return ((1, total), (total, 1)) if self.size else ((total - rank + 1, rank), (rank, total - rank + 1))


AGGREGATES: Mapping[str, Aggregate] = {
    "only": Aggregate(lambda total: 1),
    "smallest": Aggregate(lambda total: 1),
    "all but one of nine": Aggregate(lambda total: 1 + total // 9),
    "half": Aggregate(lambda total: total // 2 + 1),
    "largest size": Aggregate(lambda total: total, size=True),
}
"""Name in the table of claims -> what it is. `half`: at least half of the differences are as large."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where an effect must lie for a claim to hold, and where for it to be wrong; open intervals, in points."""

    claimed: tuple[float, float]
    """The claimed side."""
    refuting: tuple[tuple[float, float], ...]
    """The other side, or where the difference counts as none."""


DIRECTIONS: Mapping[str, Callable[[float, float], Region]] = {
    "above": lambda edge, margin: Region((edge, np.inf), ((-np.inf, edge), (-margin, margin))),
    "not above": lambda edge, margin: Region((-np.inf, edge + margin), ((edge + margin, np.inf),)),
    "equal": lambda edge, margin: Region(
        (edge - margin, edge + margin), ((edge + margin, np.inf), (-np.inf, edge - margin))
    ),
}
"""Side that is claimed -> (edge, margin) -> regions."""


def judge(region: Region, low: float, high: float) -> str:
    """SUPPORTED where the interval lies in the claimed region, CONTRADICTED in a refuting one, else UNDECIDED."""
    if lies_in(region.claimed, low, high):
        return SUPPORTED
    return CONTRADICTED if any(lies_in(part, low, high) for part in region.refuting) else UNDECIDED


def lies_in(part: tuple[float, float], low: float, high: float) -> bool:
    """Whether an interval lies wholly inside an open one."""
    return bool(part[0] < low and high < part[1])


def level_of(found: Differences, aggregate: str, region: Region) -> float:
    """The p value of a verdict: the smallest two-sided level at which one would be reached; 1 where none would."""

    def decided(alpha: float) -> bool:
        return judge(region, *AGGREGATES[aggregate].join(found, alpha)[1:3]) != UNDECIDED

    few, many = np.log(SMALLEST_P), 0.0
    if not decided(1 - 1e-9):
        return 1.0
    for _ in range(40):
        middle = (few + many) / 2
        few, many = (few, middle) if decided(np.exp(middle)) else (middle, many)
    return float(np.exp(many))


def seeds_to_decide(found: Differences, aggregate: str, region: Region, alpha: float) -> float:
    """The fewest seeds with which there would be a verdict, were the differences what they are estimated to be: each
    that must lie on one side of an edge is found there with the power of `xt.stats.seeds_needed`.

    NaN where its largest number of seeds would not do (what is uncertain are the items, or the effect lies on the
    edge), and where fewer than three seeds were run, which do not tell how much seeds differ."""
    if found.num_seeds < 3:
        return np.nan
    kind, total = AGGREGATES[aggregate], len(found.effect)
    effect = np.abs(found.effect) if kind.size else found.effect
    (above, low_split), (below, high_split) = kind.needs(total)
    answers = []
    for low, high in (region.claimed, *region.refuting):
        past_low = count_seeds(found, effect - low, above, alpha / low_split)
        past_high = count_seeds(found, high - effect, below, alpha / high_split)
        answers.append(max(past_low, past_high))
    return min(answers) if np.isfinite(min(answers)) else np.nan


def count_seeds(found: Differences, distance: np.ndarray, count: int, level: float) -> float:
    """The fewest seeds with which so many (`count`) of the differences are found this far (K,) past an edge; infinite
    where no number does, 0 where there is no edge."""
    num_arms = 1 + found.dfs[0] / (found.num_seeds - 1)
    needed = []
    for far, over_seeds, over_items in zip(distance, found.seed_variance, found.item_variance, strict=True):
        seed_sd = np.sqrt(over_seeds * found.num_seeds / 2)
        seeds = seeds_needed(far, seed_sd, np.sqrt(over_items), num_arms, level) if 0 < far < np.inf else None
        needed.append(0 if far == np.inf else np.inf if seeds is None else seeds)
    return float(np.sort(needed)[count - 1])
