"""The primary test: gains of arms over the baseline, over few seeds and many items."""

from dataclasses import dataclass

import numpy as np

from xt.stats.behrens_fisher import quantile, tail

SEEDS_AND_ITEMS = "over seeds and item clusters"
ITEMS_ONLY = "conditional on these checkpoints"
SEEDS_ONLY = "over seeds, conditional on these items"
LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True, slots=True)
class GainTest:
    """Gains of K - 1 arms over the baseline, in points, with their uncertainty; arrays are (K - 1,), or (T, K - 1) of T
    studies tested at once."""

    gain: np.ndarray
    """Mean over seeds of (score of the arm - score of the same seed's baseline)."""
    variances: tuple[np.ndarray, np.ndarray, np.ndarray]
    """Its variance in three parts: what a seed does to the gains of all arms, what it does to this gain, and what other
    items would change at every seed alike; NaN where it cannot be told."""
    dfs: tuple[float, float, float]
    """Degrees of freedom with which these are known; infinite: taken for exact."""
    standard_error: np.ndarray
    """Root of their sum; NaN where scores never vary, which tells nothing of their spread."""
    low: np.ndarray
    """Lower limit of the 95 % interval."""
    high: np.ndarray
    """Upper limit of the interval."""
    p: np.ndarray
    """Two-sided p value of gain = 0; NaN where the test refuses to give one."""
    df: np.ndarray
    """Degrees of freedom of the Student's t with this standard error and this interval; infinite where it is normal."""
    seed_sd: float | np.ndarray
    """Pooled standard deviation of one score over seeds, points; without what a seed does to all arms, where that
    cancels from a gain. Per study; NaN at one seed."""
    kind: str
    """What the interval is over: SEEDS_AND_ITEMS; ITEMS_ONLY below three seeds; SEEDS_ONLY where items are unknown."""

    @property
    def item_error(self) -> np.ndarray:
        """The part of the standard error that other items would change at every seed alike, points."""
        return np.sqrt(self.variances[2])

    def limits(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of the two-sided interval at another level."""
        half = quantile(level, self.variances, self.dfs)
        return self.gain - half, self.gain + half


def gain_test(
    scores: np.ndarray, item_variance: np.ndarray | None, *, item_df: float = np.inf, untrained: bool = False
) -> GainTest:
    """The primary test: is the mean gain of each arm over the baseline different from 0?

    `scores` (S, K) are points of each seed and arm, arm 0 the baseline, already averaged over languages, or
    (T, S, K) those of T studies, with variances (T, K - 1). `item_variance` (K - 1,) is what items do to a gain at
    every seed alike, and `item_df` its degrees of freedom (`item_part` computes both from resamples).

        gain_k = mean_s (y_sk - y_s0)              r_sk = y_sk - mean_k y_s - mean_s y_k + mean y
        sigma2 = sum r_sk^2 / ((S-1)(K-1))         a = 2 sigma2 / S
        p_k = P(|sqrt(a) T + sqrt(b_k) U| > |gain_k|), T and U Student's t with (S-1)(K-1) and item_df degrees

    sigma2 is the residual mean square of the seed x arm two-way layout (Scheffe 1959, chapter 4): what all arms of a
    seed share cancels from a gain, and pooling over the arms (placebo arms too: they are trained alike) gives few seeds
    their degrees of freedom. The two parts, a and b, the item variance, are known to different degrees; p and interval
    are those of Behrens and Fisher (`xt.stats.behrens_fisher`), which keep their level.
    With K = 2 and no item variance this is the paired t test.

    `untrained`: the baseline is not trained (retrieval), or some of the scores averaged into it are not. Such a score
    is the same at every seed and shares none with the arms, so that what a seed does to all arms stays in the gains.
    The gains g_sk = y_sk - y_s0 themselves then have the mean squares

        B = sum_s (mean_k g_s - mean g)^2 / (S-1)
        W = sum (g_sk - mean_k g_s - mean_s g_k + mean g)^2 / (K-1) / (S-1)

    between and within seeds, and a is B / S and W / S, with S - 1 and (S-1)(K-2) degrees of freedom.

    It trusts that all arms vary alike over seeds, and independently once what a seed does to all of them is taken out.
    With S = 1 or 2 the interval is over items only, normal, and there is no p. Where `item_variance` is None
    (imported scores without their examples) interval and p are over seeds only: they say nothing about other items, and
    below three seeds there are none.  Raises ValueError for fewer than two arms, or a score that is missing.
    """
    scores = np.asarray(scores, dtype=float)
    num_seeds = check_layout(scores)
    gain = (scores[..., 1:] - scores[..., :1]).mean(axis=-2)
    none, kind = np.zeros(gain.shape), SEEDS_ONLY if item_variance is None else SEEDS_AND_ITEMS
    shared, own, seed_dfs = split_seeds(scores, untrained)
    variances = [none + part[..., None] / num_seeds for part in (shared, own)]
    variances.append(none if item_variance is None else none + item_variance)
    if num_seeds < 3:
        kind, item_df = SEEDS_ONLY if item_variance is None else ITEMS_ONLY, np.inf
        variances[:2] = [none * np.nan if item_variance is None else none] * 2
    dfs, total = (*seed_dfs, item_df), sum(variances)
    half = quantile(LEVEL, variances, dfs)
    error = np.sqrt(np.where(total > 0, total, np.nan))
    p = none * np.nan if num_seeds < 3 else tail(gain, variances, dfs)
    seed_sd = np.sqrt((shared + own) / (1 if untrained else 2))
    return GainTest(
        gain, tuple(variances), dfs, error, gain - half, gain + half, p, match_df(half / error, LEVEL), seed_sd, kind
    )


def split_item_variance(gains: np.ndarray, num_clusters: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """(V, W), each (..., K), squared points: the variance under resampling of item clusters of values averaged over
    seeds, and that of one seed's value around their mean; W is 0 at one seed, where it cannot be told.

    `gains` (R, ..., S, K) are those of each seed under resampling. Both are multiplied by
    C / (C - 1), as a bootstrap of C clusters shows (C - 1) / C of their variance (Efron 1982, section 5.3).
    """
    share = 1.0 if np.isinf(num_clusters) else num_clusters / (num_clusters - 1)
    mean, num_seeds = gains.mean(axis=-2), gains.shape[-2]
    around = (gains - mean[..., None, :]).var(axis=0).sum(axis=-2) / max(1, num_seeds - 1)
    return share * mean.var(axis=0), share * around


def keep_common(total: np.ndarray, at_one_seed: np.ndarray, num_seeds: int) -> np.ndarray:
    """What items do at every seed alike: max(0, V - W / S) of `split_item_variance`, below three seeds V.

    What items do to one seed of one arm moves its score like any noise of that seed and is in the spread over seeds
    already; W / S of it is left in a mean of S seeds (the analysis of variance's estimator of a variance component;
    Searle, Casella and McCulloch 1992, chapter 4). The rest equals the mean covariance of two seeds over resamples.
    """
    return np.maximum(0, total - (at_one_seed / num_seeds if num_seeds > 2 else 0))


def item_part(drawn: np.ndarray, num_clusters: float = np.inf) -> tuple[np.ndarray, float]:
    """(variance (..., K) that items give at every seed alike to values (R, ..., S, K) under resampling, its degrees of
    freedom: clusters - 1, infinite below three seeds, where it is an interval's only part and taken for exact)."""
    num_seeds = drawn.shape[-2]
    variance = keep_common(*split_item_variance(drawn, num_clusters), num_seeds)
    return variance, np.inf if num_seeds < 3 else max(1.0, num_clusters - 1)


def check_layout(scores: np.ndarray) -> int:
    """S of complete tables of scores (..., S, K); raises ValueError saying what the test would need."""
    if scores.ndim < 2 or scores.shape[-1] < 2:
        raise ValueError(f"scores of shape {scores.shape}: needed are (seeds, arms), a baseline and an arm")
    if not np.isfinite(scores).all():
        raise ValueError("a score is missing; the test needs every arm at every seed")
    return scores.shape[-2]


def split_seeds(scores: np.ndarray, untrained: bool = False) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """(what a seed does to all gains, what it does to one, each (...), their degrees of freedom): the variance of one
    seed's gain over seeds in its two parts, of scores (..., S, K), arm 0 the baseline; see `gain_test`."""
    num_seeds, num_arms = scores.shape[-2:]
    if num_seeds < 2:
        return *(np.full(scores.shape[:-2], np.nan),) * 2, (1.0, 1.0)
    if not untrained:
        sigma2, df = pool_seeds(scores)
        return 0 * sigma2, 2 * sigma2, (num_seeds - 1.0, df)
    gains = scores[..., 1:] - scores[..., :1]
    between, within = mean_squares(gains - gains.mean(axis=-2, keepdims=True))
    return between, within, (num_seeds - 1.0, (num_seeds - 1.0) * max(1, num_arms - 2))


def pool_seeds(scores: np.ndarray) -> tuple[np.ndarray, float]:
    """(residual mean square (...) of the two-way layout of seeds and arms, its degrees of freedom) of (..., S, K)."""
    num_seeds, num_arms = scores.shape[-2:]
    centred, df = scores - scores.mean(axis=-2, keepdims=True), float((num_seeds - 1) * (num_arms - 1))
    return ((centred - centred.mean(axis=-1, keepdims=True)) ** 2).sum(axis=(-2, -1)) / df, df


def mean_squares(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(between, within), each (...), of values (..., S, K) of S seeds, each arm's less its mean: their sum estimates
    the variance of one value over seeds, with what a seed does to all arms in it."""
    num_seeds, num_arms = centred.shape[-2:]
    of_seeds = centred.mean(axis=-1, keepdims=True)
    between = (of_seeds**2).sum(axis=(-2, -1)) / (num_seeds - 1)
    return between, ((centred - of_seeds) ** 2).sum(axis=(-2, -1)) / num_arms / (num_seeds - 1)


def pool_trained(centred: np.ndarray) -> tuple[np.ndarray, float]:
    """(variance over seeds of one score, Satterthwaite's degrees of freedom) of arms (S, K), each centred."""
    num_seeds, num_arms = centred.shape
    between, within = mean_squares(centred)
    squares = (between**2 + within**2 / max(1, num_arms - 1)) / (num_seeds - 1)
    return between + within, float((between + within) ** 2 / squares) if squares > 0 else num_seeds - 1


def match_df(ratio: np.ndarray, level: float) -> np.ndarray:
    """Degrees of freedom (n,) of the t whose quantile is this many standard errors; infinite up to the normal one."""
    from scipy.special import ndtri, stdtridf

    normal = ndtri((1 + level) / 2) * (1 + 1e-9)
    return np.where(np.isnan(ratio), np.nan, np.where(ratio > normal, stdtridf((1 + level) / 2, ratio), np.inf))
