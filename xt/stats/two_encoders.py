"""The difference between what an arm gains in one encoder and in another."""

from collections.abc import Sequence

import numpy as np

from xt.stats.behrens_fisher import quantile, tail
from xt.stats.primary import (
    ITEMS_ONLY,
    LEVEL,
    SEEDS_AND_ITEMS,
    SEEDS_ONLY,
    GainTest,
    check_layout,
    match_df,
    split_item_variance,
    split_seeds,
)


def compare_gains(
    first: tuple[np.ndarray, np.ndarray | None],
    second: tuple[np.ndarray, np.ndarray | None],
    num_clusters: float = np.inf,
    untrained: bool = False,
) -> GainTest:
    """Gains in the first encoder minus gains in the second, each given as (scores (S, K), resampled (R, S, K)).

    Arm 0 is the baseline; K is the same, S need not be. Items are the same and are drawn alike, so that what they do to
    both gains cancels; `resampled` is None where they are not known. Seeds are of either encoder for itself. With a_e
    the variance over seeds in encoder e as in `xt.stats.gain_test`, and V, W_e variances of the difference and of one
    seed's gain over items,

        var(difference) = a_1 + a_2 + max(0, V - W_1 / S_1 - W_2 / S_2)

    where each part of a_1 + a_2 has Satterthwaite's (1946) degrees of freedom; `untrained` as there. Below three seeds
    of either, over items only (V) and without p. It says nothing of other encoders: one pretraining each is one draw of
    two, and no spread is known.
    """
    sides = [(np.asarray(scores, dtype=float), drawn) for scores, drawn in (first, second)]
    num_seeds = [check_layout(scores) for scores, _ in sides]
    gains = [(scores[:, 1:] - scores[:, :1]).mean(axis=0) for scores, _ in sides]
    difference, few = gains[0] - gains[1], min(num_seeds) < 3
    splits = [split_seeds(scores, untrained) for scores, _ in sides]
    parts, dfs = zip(*(add_variances(splits, num_seeds, part) for part in range(2)), strict=True)
    over_items, kind = np.zeros(difference.shape), SEEDS_ONLY
    if all(drawn is not None for _, drawn in sides):
        kind = ITEMS_ONLY if few else SEEDS_AND_ITEMS
        moved = [drawn[..., 1:] - drawn[..., :1] for _, drawn in sides]
        share = 1.0 if np.isinf(num_clusters) else num_clusters / (num_clusters - 1)
        over_items = share * (moved[0].mean(axis=1) - moved[1].mean(axis=1)).var(axis=0)
        if not few:
            own = [split_item_variance(gain, num_clusters)[1] / gain.shape[1] for gain in moved]
            over_items = np.maximum(0, over_items - sum(own))
    if few:
        parts = (np.nan if kind == SEEDS_ONLY else 0.0,) * 2
    variances = (*(np.full(difference.shape, part) for part in parts), over_items)
    dfs = (*dfs, np.inf if few else num_clusters - 1)
    error, half = np.sqrt(sum(variances)), quantile(LEVEL, variances, dfs)
    p = np.full(difference.shape, np.nan) if few else tail(difference, variances, dfs)
    seed_sd = float(np.sqrt(np.mean([sum(split[:2]) for split in splits]) / (1 if untrained else 2)))
    df = match_df(half / np.where(error > 0, error, np.nan), LEVEL)
    return GainTest(difference, variances, dfs, error, difference - half, difference + half, p, df, seed_sd, kind)


def add_variances(splits: Sequence[tuple], num_seeds: Sequence[int], part: int) -> tuple[float, float]:
    """(sum over encoders of a part of the variance of a mean gain, Satterthwaite's degrees of freedom)."""
    over = [float(split[part]) / count for split, count in zip(splits, num_seeds, strict=True)]
    squares = sum(variance**2 / split[2][part] for variance, split in zip(over, splits, strict=True))
    return sum(over), sum(over) ** 2 / squares if squares > 0 else 1.0
