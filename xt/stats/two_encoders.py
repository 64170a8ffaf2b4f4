"""The difference between what an arm gains in one encoder and in another."""

import numpy as np

from xt.stats.behrens_fisher import quantile, tail
from xt.stats.primary import (
    ITEMS_ONLY,
    SEEDS_AND_ITEMS,
    SEEDS_ONLY,
    GainTest,
    check_layout,
    match_df,
    pool_seeds,
    split_item_variance,
)


def compare_gains(
    first: tuple[np.ndarray, np.ndarray | None],
    second: tuple[np.ndarray, np.ndarray | None],
    num_clusters: float = np.inf,
    level: float = 0.95,
) -> GainTest:
    """Gains in the first encoder minus gains in the second, each given as (scores (S, K), resampled (R, S, K)).

    Arm 0 is the baseline; K is the same, S need not be. Items are the same and are drawn alike, so that what they do to
    both gains cancels; `resampled` is None where they are not known. Seeds are of either encoder for itself. With a_e
    the variance over seeds in encoder e as in `xt.stats.gain_test`, and V, W_e variances of the difference and of one
    seed's gain over items,

        var(difference) = a_1 + a_2 + max(0, V - W_1 / S_1 - W_2 / S_2)

    where a_1 + a_2 has Satterthwaite's (1946) degrees of freedom. Below three seeds of either, over items only (V) and
    without p. It says nothing of other encoders: one pretraining each is one draw of two, and no spread is known.
    """
    sides = [(np.asarray(scores, dtype=float), drawn) for scores, drawn in (first, second)]
    num_seeds = [check_layout(scores) for scores, _ in sides]
    gains = [(scores[:, 1:] - scores[:, :1]).mean(axis=0) for scores, _ in sides]
    difference, few = gains[0] - gains[1], min(num_seeds) < 3
    pools = [pool_seeds(scores) for scores, _ in sides]
    over = [pool[2] * pool[0] / count for pool, count in zip(pools, num_seeds, strict=True)]
    squares = sum(part**2 / max(pool[1], 1) for part, pool in zip(over, pools, strict=True))
    seed_df = float(sum(over) ** 2 / squares) if squares > 0 else 1.0
    over_seeds, over_items, kind = np.full(difference.shape, sum(over)), np.zeros(difference.shape), SEEDS_ONLY
    if all(drawn is not None for _, drawn in sides):
        kind = ITEMS_ONLY if few else SEEDS_AND_ITEMS
        moved = [drawn[..., 1:] - drawn[..., :1] for _, drawn in sides]
        share = 1.0 if np.isinf(num_clusters) else num_clusters / (num_clusters - 1)
        over_items = share * (moved[0].mean(axis=1) - moved[1].mean(axis=1)).var(axis=0)
        if not few:
            own = [split_item_variance(gain, num_clusters)[1] / gain.shape[1] for gain in moved]
            over_items = np.maximum(0, over_items - sum(own))
    if few:
        over_seeds = np.full(difference.shape, np.nan if kind == SEEDS_ONLY else 0.0)
    parts, dfs = (over_seeds, over_items), (seed_df, np.inf if few else num_clusters - 1)
    error, half = np.sqrt(over_seeds + over_items), quantile(level, parts, dfs)
    p = np.full(difference.shape, np.nan) if few else tail(difference, parts, dfs)
    seed_sd = float(np.sqrt(np.mean([pool[0] for pool in pools])))
    df = match_df(half / np.where(error > 0, error, np.nan), level)
    return GainTest(
        difference, error, difference - half, difference + half, p, df, seed_sd, seed_df, np.sqrt(over_items), kind
    )
