"""How robust scores are over languages, on arrays: each measure with its definition.

Symbols: S seeds, K arms, L languages, R resamples; `points` (S, K, L) are scores, `drawn` (R, K, L) the same averaged
over seeds, under resampling of item clusters. Worst language and spread are those of the seeds that were run: what
other seeds would add to their noise is not taken off, and their intervals do not hold it.

slope               of scores on distance by least squares, in points from the nearest to the farthest of the languages
                    (`slope_weights`; Lauscher et al. 2020 correlate the two). The primary measure: it uses all
                    languages and is linear in scores, so noise does not bias it.
gap                 score in the training language less the mean over the others: the cross-lingual transfer gap of Hu
                    et al. 2020. Smaller is more robust; so, by this measure, is a model that is worse in English.
worst language      the smallest score over languages (`correct_worst`). The smallest of noisy scores is too small.
spread              standard deviation over languages (`correct_spread`). Noise makes languages differ too.
spread over seeds   standard deviation of the mean score over seeds (Dodge et al. 2020).
collapse rate       share of trained runs that diverged or scored like a trivial answer (Mosbach et al. 2021).
"""

import numpy as np

from xt.stats.behrens_fisher import quantile
from xt.stats.primary import item_part, mean_squares


def slope_weights(distance: np.ndarray) -> np.ndarray:
    """(L,) weights whose product with scores is their least-squares slope on distance (L,), times the range of the
    distances that are known; 0 where one is not.

    w = (max x - min x) (x - mean x) / sum (x - mean x)^2. All NaN below three languages with a distance, or where it is
    the same.
    """
    distance = np.asarray(distance, dtype=float)
    known = np.isfinite(distance)
    if known.sum() < 3 or np.ptp(distance[known]) == 0:
        return np.full(len(distance), np.nan)
    away = np.where(known, distance - distance[known].mean(), 0.0)
    return np.ptp(distance[known]) * away / (away**2).sum()


def interval_of_means(points: np.ndarray, drawn: np.ndarray | None, num_clusters: float = np.inf) -> tuple:
    """(mean, low, high), each (K,): 95 % intervals of a linear measure (S, K), mean over seeds, over seeds and items.

    `drawn` (R, S, K) is the measure under resampling of item clusters; None where items are not known. What a seed does
    to all arms is in the mean of each, so the variance over seeds has two parts, the mean squares between and within
    seeds over the K' arms that vary, with S - 1 and (S-1)(K'-1) degrees of freedom; items are the third, as in
    `xt.stats.gain_test`. Below three seeds the interval is over items alone.
    """
    num_seeds, mean = len(points), points.mean(axis=0)
    varies = np.ptp(points, axis=0) > 0
    between, within = np.zeros((2, len(mean)))
    items, item_df = (np.zeros(len(mean)), np.inf) if drawn is None else item_part(drawn, num_clusters)
    if num_seeds > 2 and varies.any():
        squares = mean_squares((points - mean)[:, varies])
        between[varies], within[varies] = (square / num_seeds for square in squares)
    df = max(1, num_seeds - 1)
    half = quantile(0.95, (between, within, items), (df, df * max(1, int(varies.sum()) - 1), item_df))
    return mean, mean - half, mean + half


def spread(scores: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Standard deviation over languages of scores (..., L), without what noise adds to their variance (...)."""
    return np.sqrt(np.maximum(0.0, scores.var(axis=-1, ddof=1) - noise))


def noise_of(scores: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(K,): what noise adds to the variance over languages of scores (K, L): the mean over resamples of the variance
    over languages of drawn - scores. Noise that all languages share adds nothing."""
    return (drawn - scores).var(axis=-1, ddof=1).mean(axis=0)


def correct_worst(scores: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(worst (K,), what it may be (R, K)): the smallest score over languages, less what it owes to bad luck.

        luck = mean_b (min_l y_b - min_l y)        worst = min_l y - luck

    The luck is estimated where the truth is known: in the resamples it is y (Efron 1983), as for the oracle of
    `xt.choosing`. The second's percentiles are the basic bootstrap's interval; said to hold 95 % it held 89 to 93 % in
    simulations. Where many languages are equally bad, about half of the luck is found: the result is still too small.
    """
    smallest = scores.min(axis=-1)
    errors = drawn.min(axis=-1) - smallest
    worst = smallest - errors.mean(axis=0)
    return worst, worst - (errors - errors.mean(axis=0))


def correct_spread(scores: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(spread (K,), the same of each resample (R, K)): see `spread`; a resample has its own noise and that of the
    scores, and both are taken out. An interval is the resamples' percentiles."""
    noise = noise_of(scores, drawn)
    return spread(scores, noise), spread(drawn, 2 * noise)
