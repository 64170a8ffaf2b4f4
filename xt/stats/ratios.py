"""Gains as shares: of the baseline's score, or of the error that the baseline leaves."""

import numpy as np

from xt.stats.behrens_fisher import quantile
from xt.stats.primary import pool_seeds, split_item_variance

OF_BASELINE, OF_ERROR = "of the baseline's score", "of the remaining error"
SLOPES = {OF_BASELINE: 1, OF_ERROR: -1}
"""How what the gain is divided by goes with the baseline: y, or 100 - y."""
CLEAR = 3
"""Standard errors by which a denominator must be away from 0; nearer, a ratio is not near enough to normal."""


def relative_gains(
    scores: np.ndarray,
    resampled: np.ndarray | None,
    share: str,
    num_clusters: float = np.inf,
    level: float = 0.95,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ratio, low, high), each (K - 1,): gains of arms divided by D, the mean baseline score or 100 less it.

    `scores` (S, K) in points, arm 0 the baseline; `resampled` (R, S, K) the same under resampling of items, None where
    they are not known; `share` is OF_BASELINE or OF_ERROR. The delta method: with D = c + d * baseline, the ratio r
    moves like the gain of an arm over (1 + d r) times the baseline, divided by D. Its variance is found as in
    `xt.stats.gain_test`, with

        a = (sigma2 (1 + f^2) + tau2 (1 - f)^2) / S / D^2,  f = 1 + d r

    where tau2 is the variance of what a seed does to all arms, which cancels from a gain and not from a ratio
    ((mean square of seeds - sigma2) / K). The interval is missing where D is not `CLEAR` standard errors away from 0,
    where only Fieller's (1954) would hold, and below three seeds it is over items only, as the gain's.
    """
    scores = np.asarray(scores, dtype=float)
    slope, baseline = SLOPES[share], scores[:, 0].mean()
    divisor = baseline if slope > 0 else 100 - baseline
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (scores[:, 1:].mean(axis=0) - baseline) / divisor
        variances, dfs = ratio_variances(scores, resampled, 1 + slope * ratio, num_clusters)
        half = quantile(level, tuple(variance / divisor**2 for variance in variances), dfs)
    half = np.where(is_clear(scores[:, 0], resampled, divisor), half, np.nan)
    return ratio, ratio - half, ratio + half


def ratio_variances(
    scores: np.ndarray, resampled: np.ndarray | None, factor: np.ndarray, num_clusters: float
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[float, float]]:
    """((over seeds, over items), their degrees of freedom) of mean_s(y_sk - factor_k y_s0), each (K - 1,)."""
    num_seeds, num_arms = scores.shape
    none = np.zeros(num_arms - 1)
    if num_seeds < 3 and resampled is None:
        return (np.full(num_arms - 1, np.nan), none), (1, np.inf)
    over_items = none
    if resampled is not None:
        moved = resampled[..., 1:] - factor * resampled[..., :1]
        total, at_one_seed = split_item_variance(moved, num_clusters)
        over_items = np.maximum(0, total - (at_one_seed / num_seeds if num_seeds > 2 else 0))
    if num_seeds < 3:
        return (none, over_items), (1, np.inf)
    sigma2, df, num_varying = pool_seeds(scores)
    common = max(0.0, scores.mean(axis=1).var(ddof=1) - sigma2 / num_arms) if num_varying == 2 else 0.0
    varying = sigma2 * (1 + factor**2) + common * (1 - factor) ** 2 if num_varying == 2 else sigma2 + none
    return (varying / num_seeds, over_items), (df, num_clusters - 1)


def is_clear(baseline: np.ndarray, resampled: np.ndarray | None, divisor: float) -> bool:
    """Whether what is divided by is away from 0 by more than its error over seeds and items."""
    variance = baseline.var(ddof=1) / len(baseline) if len(baseline) > 1 else 0.0
    if resampled is not None:
        variance += resampled[..., 0].mean(axis=-1).var()
    return bool(divisor > CLEAR * variance**0.5)
