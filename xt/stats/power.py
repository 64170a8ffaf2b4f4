"""Power of the primary test: the gain that so many seeds and examples can show, and how many it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xt.stats.behrens_fisher import estimates, quantile

POWER = 0.8
"""How often a gain of that size should be found."""
MOST_SEEDS = 100
"""Seeds beyond which nobody goes."""


Spread = tuple[tuple[float, float], ...]
"""What seeds do to a gain, in independent parts: the variance of one seed's gain in squared points, and the degrees of
freedom with which it is estimated for each seed beyond the first."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What moves a gain of a study, as standard deviations in points, measured on its N items."""

    training_sd: float
    """Of one score from one training to the next, were it scored on every item there is."""
    seed_item_sd: float
    """Of one seed's gain, from the choice of items, as far as it is that seed's own."""
    item_sd: float
    """Of a gain, from the choice of items, at every seed alike."""
    common_sd: float = 0.0
    """Of what a seed does to the gains of all arms: 0 where the baseline is trained with that seed, as it cancels."""
    num_varying: int = 2
    """How many of a gain's two scores vary over seeds: 1 where the baseline is not trained."""

    def spread(self, num_arms: int, share: float = 1.0) -> Spread:
        """As `gain_power` takes it, of a study with so many arms (the baseline counts) and `share` times the items."""
        own = self.num_varying * self.training_sd**2 + self.seed_item_sd**2 / share
        if self.num_varying == 2:
            return ((own, num_arms - 1),)
        return (self.common_sd**2 + own / (num_arms - 1), 1), (own * (num_arms - 2) / (num_arms - 1), num_arms - 2)


def gain_power(gain: float, spread: Spread, item_sd: float, num_seeds: int, level: float = 0.05) -> float:
    """How often `gain_test` finds a gain of that many points at this two-sided level, one arm for itself.

    `item_sd` is the standard deviation of a gain by the choice of items at every seed alike (points). Exact for normal
    errors and a known `item_sd`: the limit that a gain must pass is computed for what each part of the variance over
    seeds may be estimated as. NaN below three seeds, which give no p value, and where there is no noise.
    """
    from scipy.special import ndtr

    limit, weights, error = find_limits(spread, item_sd, num_seeds, level)
    return float((ndtr((gain - limit) / error) + ndtr((-gain - limit) / error)) @ weights)


@lru_cache
def find_limits(spread: Spread, item_sd: float, num_seeds: int, level: float) -> tuple[np.ndarray, np.ndarray, float]:
    """(the limits (q,) that a gain must pass, how often it is each of them, the gain's standard error), all NaN where
    there is no test: a limit for each of what the parts of the variance may be estimated as."""
    parts = [(variance / num_seeds, df * (num_seeds - 1)) for variance, df in spread if variance != 0]
    total = sum(variance for variance, _ in parts) + item_sd**2
    if num_seeds < 3 or not total > 0:
        return np.full(1, np.nan), np.ones(1), np.nan
    nodes = [estimates(df) for _, df in parts]
    grids = np.meshgrid(*(variance / inverse for (variance, _), (inverse, _) in zip(parts, nodes, strict=True)))
    weights = np.prod(np.meshgrid(*(own for _, own in nodes)), axis=0).ravel()
    estimated = [grid.ravel() for grid in grids]
    known = np.full(len(estimated[0]) if estimated else 1, item_sd**2)
    limit = quantile(1 - level, (*estimated, known), (*(df for _, df in parts), np.inf))
    return limit, weights if estimated else np.ones(1), float(np.sqrt(total))


def smallest_gain(spread: Spread, item_sd: float, num_seeds: int, level: float = 0.05, power: float = POWER) -> float:
    """The gain in points that `gain_test` finds with this power, everything else as in `gain_power`; NaN with it."""
    from scipy.optimize import brentq

    if np.isnan(gain_power(0.0, spread, item_sd, num_seeds, level)):
        return np.nan
    error = np.sqrt(sum(variance for variance, _ in spread) / num_seeds + item_sd**2)
    return float(
        brentq(lambda gain: gain_power(gain, spread, item_sd, num_seeds, level) - power, 0, 100 * error / level)
    )


def seeds_needed(
    gain: float, spread: Spread, item_sd: float, level: float = 0.05, power: float = POWER, most: int = MOST_SEEDS
) -> int | None:
    """The fewest seeds, three or more, with which a gain of this size is found with this power; see `gain_power`.

    None where `most` seeds would not do: the items leave too much open, or the gain is 0 or missing.
    """

    def reaches(num_seeds: int) -> bool:
        return bool(np.nan_to_num(gain_power(abs(gain), spread, item_sd, num_seeds, level)) >= power)

    if not reaches(most):
        return None
    low, high = 2, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def power_curve(
    noise: Noise, gains: np.ndarray, num_seeds: Sequence[int], shares: Sequence[float], num_arms: int
) -> list[dict]:
    """One row per number of seeds, share of the items and gain: `num_seeds, items` (the share), `gain`, `power`."""
    return [
        dict(num_seeds=seeds, items=share, gain=float(gain))
        | dict(power=gain_power(gain, noise.spread(num_arms, share), noise.item_sd / share**0.5, seeds))
        for seeds in num_seeds
        for share in shares
        for gain in gains
    ]
