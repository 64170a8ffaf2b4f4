"""Power of the primary test: the gain that so many seeds and examples can show, and how many it takes."""

from dataclasses import dataclass

import numpy as np

from xt.stats.behrens_fisher import estimates, quantile

POWER = 0.8
"""How often a gain of that size should be found."""
MOST_SEEDS = 100
"""Seeds beyond which nobody goes."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What moves a gain of a study, as standard deviations in points, measured on its N items."""

    training_sd: float
    """Of one score from one training to the next, were it scored on every item there is."""
    seed_item_sd: float
    """Of one seed's gain, from the choice of items, as far as it is that seed's own."""
    item_sd: float
    """Of a gain, from the choice of items, at every seed alike."""
    num_varying: int = 2
    """How many of a gain's two scores vary over seeds: 1 where the baseline is not trained."""

    def on(self, share: float) -> tuple[float, float]:
        """(seed_sd, item_sd) of a study with `share` times as many items, as `gain_power` takes them."""
        of_items = self.seed_item_sd**2 / self.num_varying / share
        return float(np.sqrt(self.training_sd**2 + of_items)), float(self.item_sd / np.sqrt(share))


def gain_power(
    gain: float,
    seed_sd: float,
    item_sd: float,
    num_seeds: int,
    num_arms: int,
    level: float = 0.05,
    num_varying: int = 2,
) -> float:
    """How often `gain_test` finds a gain of that many points at this two-sided level, one arm for itself.

    `seed_sd` is the residual standard deviation of one score over seeds, `item_sd` that of a gain by the choice of
    items at every seed alike (both points), `num_arms` counts the baseline. Exact for normal errors and a known
    `item_sd`: the limit that a gain must pass is computed for what the seed variance may be estimated as. NaN below
    three seeds, which give no p value, and where there is no noise.
    """
    from scipy.special import ndtr

    if num_seeds < 3 or num_arms < 2 or not seed_sd**2 + item_sd**2 > 0:
        return np.nan
    df = (num_seeds - 1) * (num_arms - 1)
    seed_variance, (inverse, weights) = num_varying * seed_sd**2 / num_seeds, estimates(df)
    known = np.full(len(inverse), item_sd**2)
    limit, error = (
        quantile(1 - level, (seed_variance / inverse, known), (df, np.inf)),
        np.sqrt(seed_variance + item_sd**2),
    )
    found = ndtr((gain - limit) / error) + ndtr((-gain - limit) / error)
    return float(found @ weights)


def smallest_gain(
    seed_sd: float,
    item_sd: float,
    num_seeds: int,
    num_arms: int,
    level: float = 0.05,
    power: float = POWER,
    num_varying: int = 2,
) -> float:
    """The gain in points that `gain_test` finds with this power, everything else as in `gain_power`."""
    from scipy.optimize import brentq

    noise = dict(level=level, num_varying=num_varying)
    error = np.sqrt(num_varying * seed_sd**2 / max(1, num_seeds) + item_sd**2)
    if num_seeds < 3 or num_arms < 2 or not error > 0:
        return np.nan
    return float(brentq(
        lambda gain: gain_power(gain, seed_sd, item_sd, num_seeds, num_arms, **noise) - power, 0, 100 * error / level
    ))  # fmt: skip


def seeds_needed(
    gain: float,
    seed_sd: float,
    item_sd: float,
    num_arms: int,
    level: float = 0.05,
    power: float = POWER,
    num_varying: int = 2,
    most: int = MOST_SEEDS,
) -> int | None:
    """The fewest seeds, three or more, with which a gain of this size is found with this power; see `gain_power`.

    None where `most` seeds would not do: the items leave too much open, or the gain is 0 or missing.
    """
    noise = dict(level=level, num_varying=num_varying)
    enough = [np.nan_to_num(gain_power(abs(gain), seed_sd, item_sd, most, num_arms, **noise)) >= power]
    if not all(enough):
        return None
    low, high = 2, most
    while high - low > 1:
        middle = (low + high) // 2
        reached = gain_power(abs(gain), seed_sd, item_sd, middle, num_arms, **noise) >= power
        low, high = (low, middle) if reached else (middle, high)
    return high


def power_curve(
    noise: Noise, gains: np.ndarray, num_seeds: list[int], shares: list[float], num_arms: int, level: float = 0.05
) -> list[dict]:
    """One row per number of seeds, share of the items and gain: `num_seeds, items` (the share), `gain`, `power`."""
    return [
        dict(num_seeds=seeds, items=share, gain=float(gain))
        | dict(power=gain_power(gain, *noise.on(share), seeds, num_arms, level, noise.num_varying))
        for seeds in num_seeds
        for share in shares
        for gain in gains
    ]
