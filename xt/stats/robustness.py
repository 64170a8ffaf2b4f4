"""How robust scores are over languages, on arrays: each measure with its definition.

Symbols: S seeds, K arms, L languages, R resamples; `points` (S, K, L) are scores, `drawn` (R, K, L) the same averaged
over seeds, under resampling of seeds and of item clusters together.

slope               of scores on distance by least squares, in points per unit of distance: what a language loses that
                    is farther by 1 (`slope_weights`; Lauscher et al. 2020 correlate the two). The primary measure: it
                    uses all languages and is linear in scores, so noise does not bias it.
gap                 score in the training language less the mean over the others: the cross-lingual transfer gap of Hu
                    et al. 2020. Smaller is more robust; so, by this measure, is a model that is worse in English.
worst language      the smallest score over languages (`correct_worst`). The smallest of noisy scores is too small.
spread              standard deviation over languages (`correct_spread`). Noise makes languages differ too.
spread over seeds   standard deviation of the mean score over seeds (Dodge et al. 2020).
collapse rate       share of runs that diverged or scored like a trivial answer (`share_interval`; Mosbach et al. 2021).
"""

import numpy as np

from xt.stats.behrens_fisher import quantile
from xt.stats.primary import split_item_variance
from xt.stats.resampling import percentile_interval


def slope_weights(distance: np.ndarray) -> np.ndarray:
    """(L,) weights whose product with scores is their least-squares slope on distance (L,); 0 where it is not known.

    w = (x - mean x) / sum (x - mean x)^2. All NaN below three languages with a distance, or where it is the same.
    """
    distance = np.asarray(distance, dtype=float)
    known = np.isfinite(distance)
    away = np.where(known, distance - distance[known].mean() if known.any() else 0.0, 0.0)
    square = (away**2).sum()
    return away / square if known.sum() > 2 and square > 0 else np.full(len(distance), np.nan)


def interval_of_means(points: np.ndarray, drawn: np.ndarray | None, num_clusters: float = np.inf) -> tuple:
    """(mean, low, high), each (K,): 95 % intervals of a linear measure (S, K), mean over seeds, over seeds and items.

    `drawn` (R, S, K) is the measure under resampling of item clusters; None where items are not known. The variance
    over seeds is pooled over the arms that vary, K' (S - 1) degrees of freedom; items add what `xt.stats.gain_test`
    counts, the two joined by Behrens and Fisher. Below three seeds the interval is over items alone.
    """
    num_seeds = len(points)
    varies = np.ptp(points, axis=0) > 0
    squares = ((points - points.mean(axis=0)) ** 2).sum(axis=0)
    df = max(1, int(varies.sum()) * (num_seeds - 1))
    over_seeds = np.where(varies, squares.sum() / df / num_seeds, 0.0) if num_seeds > 2 else np.zeros(points.shape[1])
    over_items = np.zeros(points.shape[1])
    if drawn is not None:
        total, own = split_item_variance(drawn, num_clusters)
        over_items = np.maximum(0.0, total - (own / num_seeds if num_seeds > 2 else 0.0))
    item_df = np.inf if num_seeds < 3 else max(1, num_clusters - 1)
    half = quantile(0.95, (over_seeds, over_items), (df, item_df))
    mean = points.mean(axis=0)
    return mean, mean - half, mean + half


def spread(scores: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Standard deviation over languages of scores (..., L), without what noise adds to their variance (...)."""
    return np.sqrt(np.maximum(0.0, scores.var(axis=-1, ddof=1) - noise))


def noise_of(scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(K,): what noise adds to the variance over languages of scores (K, L): the mean over resamples of the variance
    over languages of drawn - scores. Noise that all languages share adds nothing."""
    return (drawn - scores).var(axis=-1, ddof=1).mean(axis=0)


def correct_worst(scores: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(worst, low, high), each (K,): the smallest score over languages, less what it owes to bad luck.

        luck = mean_b (min_l y_b - min_l y)        worst = min_l y - luck

    The luck is estimated where the truth is known: in the resamples it is y (Efron 1983), as for the oracle of
    `xt.choosing`. The interval is the basic bootstrap's; said to hold 95 % it held 89 to 93 % in simulations. Where
    many languages are equally bad, about half of the luck is found and the result is still too small.
    """
    smallest = scores.min(axis=-1)
    errors = drawn.min(axis=-1) - smallest
    luck = errors.mean(axis=0)
    low, high = percentile_interval(errors - luck)
    return smallest - luck, smallest - luck - high, smallest - luck - low


def correct_spread(scores: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(spread, low, high), each (K,): see `spread`; the resamples of the interval have their own noise and that of the
    scores, and both are taken out."""
    noise = noise_of(scores, drawn)
    estimate = spread(scores, noise)
    moved = spread(drawn, 2 * noise)
    low, high = percentile_interval(moved)
    return estimate, low, high


def share_interval(count: int, total: int) -> tuple[float, float, float]:
    """(share, low, high) of `count` in `total`: 95 %, Clopper and Pearson 1934, exact; NaN of none."""
    from scipy.stats import binomtest

    if not total:
        return (np.nan,) * 3
    found = binomtest(count, total).proportion_ci(0.95, "exact")
    return count / total, float(found.low), float(found.high)
