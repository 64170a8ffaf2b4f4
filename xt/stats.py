"""Intervals, tests and corrections, on arrays.

Symbols: N examples, C clusters, k statistics of a metric, R resamples, S seeds, K arms (arm 0 is the
baseline). What is resampled is a cluster of examples (premise, passage, sentence, pair), never a single
example of one. Needs numpy at import; scipy and statsmodels where they are used.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 1000
"""Resamples of a cluster bootstrap; the error of an estimated standard error is then about 2 %."""
SEEDS_AND_ITEMS = "over seeds and item clusters"
ITEMS_ONLY = "conditional on these checkpoints"
SEEDS_ONLY = "over seeds, conditional on these items"

Reduce = Callable[[np.ndarray], np.ndarray]


def cluster_bootstrap(
    stats: np.ndarray,
    clusters: np.ndarray,
    reduce: Reduce,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
) -> np.ndarray:
    """Points of `num_resamples` resamples of whole clusters, (R, ...).

    `stats` (N, ..., k) holds per-example statistics; whatever stands in the middle (seeds, arms, languages
    of a parallel task) is resampled jointly, with one weight per cluster.  `clusters` (N,) names each
    example's cluster.  Drawing C of C clusters with replacement gives multinomial counts W (R, C); the
    resampled sums are one matrix product, W @ sums (C, ... * k).  NaN with fewer than two clusters, whose
    spread cannot be known.  Source: the pairs cluster bootstrap of Cameron, Gelbach and Miller 2008.
    """
    sums = sum_clusters(stats, clusters)
    num_clusters = len(sums)
    if num_clusters < 2:
        return np.full((num_resamples, *sums.shape[1:-1]), np.nan)
    weights = draw_counts(num_clusters, num_resamples, rng)
    resampled = weights @ sums.reshape(num_clusters, -1)
    return reduce(resampled.reshape(num_resamples, *sums.shape[1:]))


def sum_clusters(stats: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Per-example statistics (N, ..., k) -> sums per cluster (C, ..., k), clusters in sorted order."""
    stats = np.asarray(stats, dtype=float)
    if len(stats) != len(clusters):
        raise ValueError(f"{len(clusters)} cluster names for {len(stats)} examples")
    names, places = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), *stats.shape[1:]))
    np.add.at(sums, places, stats)
    return sums


def draw_counts(num_clusters: int, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn in each resample, (R, C) floats; every row sums to C."""
    draws = rng.integers(num_clusters, size=(num_resamples, num_clusters))
    cells = draws + num_clusters * np.arange(num_resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=num_resamples * num_clusters)
    return counts.reshape(num_resamples, num_clusters).astype(float)


def cluster_interval(
    stats: np.ndarray,
    clusters: np.ndarray,
    reduce: Reduce,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    level: float = 0.95,
) -> tuple:
    """(low, high), arrays (...): percentiles of `cluster_bootstrap`, conditional on the checkpoint."""
    return percentile_interval(cluster_bootstrap(stats, clusters, reduce, rng, num_resamples), level)


def percentile_interval(resampled: np.ndarray, level: float = 0.95) -> tuple:
    """(low, high), arrays (...): percentiles of resampled points (R, ...)."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


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


def smallest_gain(
    seed_sd: float, item_sd: float, num_seeds: int, num_arms: int, level: float = 0.05, power: float = 0.8
) -> float:
    """The gain in points that `gain_test` finds with this power at this two-sided level, one arm for itself.

    `seed_sd` is the residual standard deviation of one score over seeds, `item_sd` that of a gain over items (both
    points), `num_arms` counts the baseline. From Student's t, noncentral, with (S - 1)(K - 1) degrees of freedom. NaN
    below three seeds, which give no p value.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct
    from scipy.stats import t as student

    if num_seeds < 3 or num_arms < 2:
        return np.nan
    df = (num_seeds - 1) * (num_arms - 1)
    error, limit = np.sqrt(2 * seed_sd**2 / num_seeds + item_sd**2), student.ppf(1 - level / 2, df)
    missed = brentq(lambda shift: nct.sf(limit, df, shift) - power, 0, 10 * limit)
    return float(missed * error)


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


def adjust_holm(p: np.ndarray) -> np.ndarray:
    """p values (n,) adjusted by Holm 1979 (family-wise error); a missing p stays missing and is not counted.

    The family is what one would act on: the intermediate tasks tried on one encoder and target.  Placebo
    arms stand outside it.  A placebo is a check of the procedure and nobody's hypothesis: counting it would
    weaken the tests of the real arms the more checks a study has, and an effect of it is no discovery but a
    warning.  It stays in the variance pool, where it is one more arm trained like the others.
    """
    p, adjusted, order = places_of(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return adjusted


def adjust_benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p values (n,) adjusted by Benjamini and Hochberg 1995 (false discovery rate); missing stays missing."""
    p, adjusted, order = places_of(p)
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1])
    return adjusted


def places_of(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p as floats, as many NaN, places of the values that are there, smallest first).

    statsmodels' `multipletests` gives the same values, and collects garbage at every call: 60 ms each.
    """
    p = np.asarray(p, dtype=float)
    return p, np.full(p.shape, np.nan), np.argsort(p, kind="stable")[: np.isfinite(p).sum()]
