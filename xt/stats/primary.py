"""The primary test: gains of arms over the baseline, over few seeds and many items."""

from dataclasses import dataclass

import numpy as np

SEEDS_AND_ITEMS = "over seeds and item clusters"
ITEMS_ONLY = "conditional on these checkpoints"
SEEDS_ONLY = "over seeds, conditional on these items"


@dataclass(frozen=True, slots=True)
class GainTest:
    """Gains of K - 1 arms over the baseline, in points, with their uncertainty; arrays are (K - 1,)."""

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
    df: int
    """Degrees of freedom of the pooled seed variance, (S - 1)(K - 1)."""
    seed_sd: float
    """Pooled residual standard deviation of one score over seeds, points; NaN at one seed."""
    kind: str
    """What the interval is over: SEEDS_AND_ITEMS; ITEMS_ONLY below three seeds; SEEDS_ONLY where items are unknown."""


def gain_test(scores: np.ndarray, item_variance: np.ndarray | None, level: float = 0.95) -> GainTest:
    """The primary test: is the mean gain of each arm over the baseline different from 0?

    `scores` (S, K) are points of each seed and arm, arm 0 the baseline, already averaged over languages;
    `item_variance` (K - 1,) is the variance of the seed-averaged gain under resampling of item clusters.

        gain_k = mean_s (y_sk - y_s0)            r_sk = y_sk - mean_k y_s - mean_s y_k + mean y
        sigma2 = sum r_sk^2 / ((S-1)(K-1))       var(gain_k) = 2 sigma2 / S + item_variance_k
        t_k = gain_k / sqrt(var(gain_k))         Student's t with (S-1)(K-1) degrees of freedom

    A baseline that is the same at every seed (retrieval without training) shares no seed with the arms; then
    r_sk = y_sk - mean_s y_k over the K - 1 trained arms, and var(gain_k) = sigma2 / S + item_variance_k.

    sigma2 is the residual mean square of the seed x arm two-way layout (Scheffe 1959, chapter 4): what all
    arms of a seed share cancels from a gain, and pooling over the arms (placebo arms too: they are trained
    alike) gives few seeds their degrees of freedom.  With K = 2 and no item variance this is the paired t
    test.  The test is cautious: what items add to sigma2 is counted in both terms, and the item variance is
    known better than the degrees of freedom say.  It trusts that all arms vary alike over seeds.

    With S = 1 or 2 the interval is over items only, normal, and there is no p.  Where `item_variance` is None (imported
    scores without their examples) interval and p are over seeds only: they say nothing about other items, and below
    three seeds there are none.  Raises ValueError for fewer than two arms, or a score that is missing.
    """
    scores = np.asarray(scores, dtype=float)
    num_seeds, num_arms = check_layout(scores)
    gain = (scores[:, 1:] - scores[:, :1]).mean(axis=0)
    df = (num_seeds - 1) * (num_arms - 1)
    residuals, num_varying = seed_residuals(scores)
    seed_variance = float((residuals**2).sum() / df) if df else np.nan
    spread = num_varying * seed_variance / num_seeds
    if item_variance is None:
        known = np.full(gain.shape, 0.0 if num_seeds > 2 else np.nan)
        error, quantile, p, kind = (*infer_over_seeds(gain, spread, known, df, level)[:3], SEEDS_ONLY)
    else:
        infer = infer_over_items if num_seeds < 3 else infer_over_seeds
        error, quantile, p, kind = infer(gain, spread, np.asarray(item_variance, dtype=float), df, level)
    half = quantile * error
    return GainTest(gain, error, gain - half, gain + half, p, df, seed_variance**0.5, kind)


def check_layout(scores: np.ndarray) -> tuple[int, int]:
    """(S, K) of a complete table of scores; raises ValueError saying what the test would need."""
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f"scores of shape {scores.shape}: needed are (seeds, arms), a baseline and an arm")
    if not np.isfinite(scores).all():
        raise ValueError("a score is missing; the test needs every arm at every seed")
    return scores.shape


def seed_residuals(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """Residuals over seeds of scores (S, K), and how many of a gain's two scores vary: see `gain_test`."""
    centred = scores - scores.mean(axis=0)
    if np.ptp(scores[:, 0]) == 0:
        return centred[:, 1:], 1
    return centred - centred.mean(axis=1, keepdims=True), 2


def infer_over_seeds(gain: np.ndarray, seed_variance: float, item_variance: np.ndarray, df: int, level: float):
    """(standard error, quantile, p, kind) of gains from seed variance plus item variance, Student's t."""
    from scipy.stats import t as student

    error = np.sqrt(seed_variance + item_variance)
    error = np.where(error > 0, error, np.nan)  # scores that never vary tell nothing of their spread
    p = 2 * student.sf(np.abs(gain) / error, df)
    return error, student.ppf((1 + level) / 2, df), p, SEEDS_AND_ITEMS


def infer_over_items(gain: np.ndarray, seed_variance: float, item_variance: np.ndarray, df: int, level: float):
    """(standard error, quantile, p, kind) of gains from item variance alone, without p: too few seeds."""
    from scipy.stats import norm

    return np.sqrt(item_variance), norm.ppf((1 + level) / 2), np.full(gain.shape, np.nan), ITEMS_ONLY
