"""The primary test: gains of arms over the baseline, over few seeds and many items."""

from dataclasses import dataclass

import numpy as np

from xt.stats.behrens_fisher import quantile, tail

SEEDS_AND_ITEMS = "over seeds and item clusters"
ITEMS_ONLY = "conditional on these checkpoints"
SEEDS_ONLY = "over seeds, conditional on these items"


@dataclass(frozen=True, slots=True)
class GainTest:
    """Gains of K - 1 arms over the baseline, in points, with their uncertainty; arrays are (K - 1,), or (T, K - 1) of T
    studies tested at once."""

    gain: np.ndarray
    """Mean over seeds of (score of the arm - score of the same seed's baseline)."""
    standard_error: np.ndarray
    """Root of seed variance plus item variance of the gain."""
    low: np.ndarray
    """Lower limit of the interval."""
    high: np.ndarray
    """Upper limit of the interval."""
    p: np.ndarray
    """Two-sided p value of gain = 0; NaN where the test refuses to give one."""
    df: np.ndarray
    """Degrees of freedom of the Student's t with this standard error and this interval; infinite where it is normal."""
    seed_sd: float | np.ndarray
    """Pooled residual standard deviation of one score over seeds, points, per study; NaN at one seed."""
    seed_df: float
    """Its degrees of freedom."""
    item_error: np.ndarray
    """The part of the standard error that other items would change at every seed alike, points."""
    kind: str
    """What the interval is over: SEEDS_AND_ITEMS; ITEMS_ONLY below three seeds; SEEDS_ONLY where items are unknown."""


def gain_test(
    scores: np.ndarray,
    item_variance: np.ndarray | None,
    level: float = 0.95,
    *,
    seed_item_variance: np.ndarray | float = 0.0,
    item_df: float = np.inf,
) -> GainTest:
    """The primary test: is the mean gain of each arm over the baseline different from 0?

    `scores` (S, K) are points of each seed and arm, arm 0 the baseline, already averaged over languages, or
    (T, S, K) those of T studies whose baselines vary, with variances (T, K - 1). Under
    resampling of item clusters, with g* the gains of one resample, `item_variance` V (K - 1,) is the variance of the
    seed-averaged gain, and `seed_item_variance` W (K - 1,) that of one seed's gain around it (`split_item_variance`
    computes both); `item_df` are the degrees of freedom of V, clusters - 1.

        gain_k = mean_s (y_sk - y_s0)              r_sk = y_sk - mean_k y_s - mean_s y_k + mean y
        sigma2 = sum r_sk^2 / ((S-1)(K-1))         a = 2 sigma2 / S
        b_k = max(0, V_k - W_k / S)                var(gain_k) = a + b_k
        p_k = P(|sqrt(a) T + sqrt(b_k) U| > |gain_k|), T and U Student's t with (S-1)(K-1) and item_df degrees

    sigma2 is the residual mean square of the seed x arm two-way layout (Scheffe 1959, chapter 4): what all arms of a
    seed share cancels from a gain, and pooling over the arms (placebo arms too: they are trained alike) gives few seeds
    their degrees of freedom. What items do to one seed of one arm moves its score like any noise of that seed and is in
    sigma2 already. b is what they do to an arm at every seed alike: V less the share of W that is left in a mean of S
    seeds (the analysis of variance's estimator of a variance component; Searle, Casella and McCulloch 1992, chapter 4).
    It equals the mean covariance of two seeds' gains over resamples. The two parts are known to different degrees;
    p and interval are those of Behrens and Fisher (`xt.stats.behrens_fisher`), which keep their level.
    With K = 2 and no item variance this is the paired t test.

    A baseline that is the same at every seed (retrieval without training) shares no seed with the arms; then
    r_sk = y_sk - mean_s y_k over the K - 1 trained arms, and a = sigma2 / S. What a seed does to all arms stays in the
    gain, so the arms of a seed are not K - 1 independent draws: the degrees of freedom are Satterthwaite's (1946) for
    sigma2 as a sum of the mean squares between and within seeds.

    It trusts that all arms vary alike over seeds, and independently once what a seed does to all of them is taken out.
    With S = 1 or 2 the interval is over items only (V, normal), and there is no p. Where `item_variance` is None
    (imported scores without their examples) interval and p are over seeds only: they say nothing about other items, and
    below three seeds there are none.  Raises ValueError for fewer than two arms, or a score that is missing.
    """
    scores = np.asarray(scores, dtype=float)
    num_seeds = check_layout(scores)
    gain = (scores[..., 1:] - scores[..., :1]).mean(axis=-2)
    seed_variance, seed_df, num_varying = pool_seeds(scores)
    over_seeds = np.zeros(gain.shape) + (num_varying * seed_variance / num_seeds)[..., None]
    over_items, kind = np.zeros(gain.shape), SEEDS_ONLY
    if item_variance is not None:
        kept = 0.0 if num_seeds < 3 else np.divide(seed_item_variance, num_seeds)
        over_items = np.maximum(over_items, np.asarray(item_variance, dtype=float) - kept)
        kind = SEEDS_AND_ITEMS if num_seeds > 2 else ITEMS_ONLY
    if num_seeds < 3:
        over_seeds, item_df = np.full(gain.shape, np.nan if kind == SEEDS_ONLY else 0.0), np.inf
    parts, dfs = (over_seeds, over_items), (max(seed_df, 1), item_df)
    p = np.full(gain.shape, np.nan) if num_seeds < 3 else tail(gain, parts, dfs)
    half, error = quantile(level, parts, dfs), np.sqrt(over_seeds + over_items)
    error = np.where(error > 0, error, np.nan)  # scores that never vary tell nothing of their spread
    return GainTest(
        gain, error, gain - half, gain + half, p, match_df(half / error, level), seed_variance**0.5, seed_df,
        np.sqrt(over_items), kind,
    )  # fmt: skip


def split_item_variance(gains: np.ndarray, num_clusters: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """(V, W), each (..., K - 1), squared points: see `gain_test`; W is 0 at one seed, where it cannot be told.

    `gains` (R, ..., S, K - 1) are those of each seed under resampling of item clusters. Both are multiplied by
    C / (C - 1), as a bootstrap of C clusters shows (C - 1) / C of their variance (Efron 1982, section 5.3).
    """
    share = 1.0 if np.isinf(num_clusters) else num_clusters / (num_clusters - 1)
    mean, num_seeds = gains.mean(axis=-2), gains.shape[-2]
    around = (gains - mean[..., None, :]).var(axis=0).sum(axis=-2) / max(1, num_seeds - 1)
    return share * mean.var(axis=0), share * around


def check_layout(scores: np.ndarray) -> int:
    """S of complete tables of scores (..., S, K); raises ValueError saying what the test would need."""
    if scores.ndim < 2 or scores.shape[-1] < 2:
        raise ValueError(f"scores of shape {scores.shape}: needed are (seeds, arms), a baseline and an arm")
    if not np.isfinite(scores).all():
        raise ValueError("a score is missing; the test needs every arm at every seed")
    return scores.shape[-2]


def pool_seeds(scores: np.ndarray) -> tuple[np.ndarray, float, int]:
    """(sigma2 (...), its degrees of freedom, how many of a gain's two scores vary) of scores (..., S, K): see
    `gain_test`. Raises ValueError for several studies where every baseline is the same at every seed."""
    *studies, num_seeds, num_arms = scores.shape
    if num_seeds < 2:
        return np.full(studies, np.nan), 0, 2
    centred = scores - scores.mean(axis=-2, keepdims=True)
    if (np.ptp(scores[..., 0], axis=-1) > 0).any():
        residuals, df = centred - centred.mean(axis=-1, keepdims=True), (num_seeds - 1) * (num_arms - 1)
        return (residuals**2).sum(axis=(-2, -1)) / df, df, 2
    if studies:
        raise ValueError("a baseline that is the same at every seed is tested alone, one study at a time")
    return *pool_trained(centred[:, 1:]), 1


def pool_trained(centred: np.ndarray) -> tuple[np.ndarray, float]:
    """(variance over seeds of one score, Satterthwaite's degrees of freedom) of arms (S, K - 1), each centred."""
    num_seeds, num_arms = centred.shape
    of_seeds = centred.mean(axis=1, keepdims=True)
    between = (of_seeds**2).sum() / (num_seeds - 1)
    within = ((centred - of_seeds) ** 2).sum() / num_arms / (num_seeds - 1)
    squares = (between**2 + within**2 / max(1, num_arms - 1)) / (num_seeds - 1)
    return between + within, float((between + within) ** 2 / squares) if squares > 0 else num_seeds - 1


def match_df(ratio: np.ndarray, level: float) -> np.ndarray:
    """Degrees of freedom (n,) of the t whose quantile is this many standard errors; infinite up to the normal one."""
    from scipy.special import ndtri, stdtridf

    normal = ndtri((1 + level) / 2) * (1 + 1e-9)
    return np.where(np.isnan(ratio), np.nan, np.where(ratio > normal, stdtridf((1 + level) / 2, ratio), np.inf))
