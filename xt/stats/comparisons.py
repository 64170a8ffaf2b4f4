"""Tests beside the primary one, each with the conditions of its use: where they are not met it refuses and says why.

From ten seeds on, gains can be tested without a model of their errors: a bootstrap over seeds and items together, and
sign flips of the seeds. Two checkpoints can be compared on their items alone. A gain can be shown to be too small to
matter.
"""

import numpy as np

from xt.stats.resampling import draw_counts, percentile_interval

MIN_SEEDS = 10
"""Seeds from which a test without a model is allowed: a percentile bootstrap of fewer covers too little."""
FEW_DISCORDANT = 25
"""Items that only one checkpoint gets right, up to which McNemar's test is exact, as in statsmodels' advice."""
EXACT_FLIPS = 2**14
"""Sign flips that are all tried; beyond, as many are drawn."""


def equivalence_test(gain: np.ndarray, standard_error: np.ndarray, df: np.ndarray, margin: float) -> np.ndarray:
    """p (...) of a gain at least `margin` points away from 0: below 0.05, it is shown to be smaller, either way.

    Two one-sided t tests (Schuirmann 1987), the larger p of both; `gain`, `standard_error` and `df` are those of a
    `GainTest`. The margin is stated before the results are looked at. Raises ValueError where it is not above 0.
    """
    from scipy.special import stdtr

    if not margin > 0:
        raise ValueError(f"margin {margin}: needed is a size in points, above 0")
    gain, df = np.asarray(gain, dtype=float), np.minimum(df, 1e9)
    return stdtr(df, -(margin - np.abs(gain)) / standard_error)


def mcnemar_test(first: np.ndarray, second: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """p of two checkpoints being right equally often on the same N items, each (N,) right or wrong (McNemar 1947).

    Exact (binomial) where at most `FEW_DISCORDANT` items are right in one only, else chi-squared with continuity
    correction. It speaks of these two checkpoints, and says nothing of other seeds. Raises ValueError where items are
    not right or wrong, or several are of one cluster (`clusters`, (N,)), as they are not independent.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or not np.isin([first, second], (0, 1)).all():
        raise ValueError("McNemar's test needs the same items, each right (1) or wrong (0) for both checkpoints")
    if clusters is not None and len(np.unique(np.asarray(clusters, dtype=str))) < len(first):
        raise ValueError("McNemar's test takes items for independent, and some share a cluster: use cluster_bootstrap")
    table = [[np.sum((first == a) & (second == b)) for b in (1, 0)] for a in (1, 0)]
    few = table[0][1] + table[1][0] <= FEW_DISCORDANT
    return float(mcnemar(table, exact=few, correction=True).pvalue)


def sign_flip_test(gains: np.ndarray, rng: np.random.Generator, level: float = 0.05) -> float:
    """p of a mean gain of 0 over S seeds (S,), against all flips of signs, or `EXACT_FLIPS` drawn ones.

    Paired permutation: under the null a seed's gain is as likely to be its negative. Over seeds alone, on these items.
    Raises ValueError below `MIN_SEEDS`, and where 2 / 2^S, the smallest p there is, is not below `level`.
    """
    from scipy.stats import permutation_test

    gains = np.asarray(gains, dtype=float)
    require_seeds(len(gains), "a test by sign flips")
    if 2 / 2 ** len(gains) > level:
        needed = int(np.ceil(np.log2(2 / level)))
        raise ValueError(
            f"sign flips of {len(gains)} seeds give no p below {2 / 2 ** len(gains):.2g}, and {level:.2g} is asked; "
            f"needed: {needed} seeds, or gain_test"
        )
    tested = permutation_test((gains,), np.mean, permutation_type="samples", n_resamples=EXACT_FLIPS, rng=rng)
    return float(tested.pvalue)


def multi_bootstrap(resampled: np.ndarray, rng: np.random.Generator, level: float = 0.95) -> tuple:
    """(low, high), each (...): percentiles over seeds and items together, from `resampled` (R, S, ...) gains of each
    seed under resampling of items (Sellam et al. 2022, MultiBERTs, section 3). Raises ValueError below `MIN_SEEDS`."""
    require_seeds(resampled.shape[1], "a percentile bootstrap over seeds")
    return percentile_interval(resample_seeds(resampled, rng), level)


def resample_seeds(resampled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(R, ...): means over seeds drawn with replacement, one draw per resample of the items, of (R, S, ...)."""
    num_resamples, num_seeds = resampled.shape[:2]
    weights = draw_counts(num_seeds, num_resamples, rng) / num_seeds
    return np.einsum("rs,rs...->r...", weights, resampled)


def require_seeds(num_seeds: int, what: str) -> None:
    """Raises ValueError below `MIN_SEEDS`, saying what would do."""
    if num_seeds < MIN_SEEDS:
        raise ValueError(
            f"{num_seeds} seeds: {what} needs {MIN_SEEDS} or more to keep its level (sign flips of {num_seeds} seeds "
            f"give no p below {min(1.0, 2 / 2**num_seeds):.2g}); with fewer use gain_test"
        )
