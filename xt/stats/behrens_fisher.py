"""A sum of errors whose variances are known to different degrees: tails and quantiles.

The error of a gain is the sum of sqrt(v_i) T_i, with estimated variances v_i and independent Student's T_i with the
degrees of freedom of these estimates (Behrens 1929, Fisher 1935). Intervals from two of them never covered less than
they say in any case that was computed (Robinson 1976). Satterthwaite's approximation does, with few degrees of freedom:
at 2 it declares up to 1.5 times as often as its level of 5 % says, and up to 7 times at 0.3 %, as Holm's steps ask.
"""

from functools import lru_cache

import numpy as np

FEW = 15
"""Degrees of freedom from which the chi distribution is near enough to a normal one for few points."""
NODES_FEW, NODES_MANY = 32, 12
"""Points of the quadrature over an estimated variance with fewer degrees of freedom than that, and with more."""
NEWTON_STEPS = 6


def tail(size: np.ndarray, variances: tuple, dfs: tuple) -> np.ndarray:
    """P(|sum of sqrt(v_i) T_i| > size), (...), for sizes (...) in units of the scores.

    `variances`: the v_i, each (...), in squared units; `dfs`: their degrees of freedom, numbers; infinite means known.
    Given what the estimates are off by, the sum is normal: a quadrature over their chi distributions. NaN
    where all variances are 0 or one is missing.
    """
    from scipy.special import ndtr

    spread, weights = mixture(variances, dfs)
    return 2 * ndtr(-np.abs(np.asarray(size, dtype=float))[..., None] / spread) @ weights


def quantile(level: float, variances: tuple, dfs: tuple) -> np.ndarray:
    """The size (...) that |sum of sqrt(v_i) T_i| exceeds with probability 1 - level, by Newton's method.

    Starts from the mean of the quantiles of t weighted by the variances (Cochran 1964), which is close.
    """
    from scipy.special import ndtr, stdtrit

    spread, weights = mixture(variances, dfs)
    starts = [np.asarray(v, dtype=float) * stdtrit(min(df, 1e9), (1 + level) / 2)
              for v, df in zip(variances, dfs, strict=True)]  # fmt: skip
    with np.errstate(invalid="ignore"):
        size = sum(starts) / np.sqrt(sum(np.asarray(variance, dtype=float) for variance in variances))
    for _ in range(NEWTON_STEPS):
        z = size[..., None] / spread
        excess = 2 * ndtr(-z) @ weights - (1 - level)
        density = 2 / np.sqrt(2 * np.pi) * (np.exp(-(z**2) / 2) / spread) @ weights
        size = np.maximum(size + excess / density, 0)
    return size


def mixture(variances: tuple, dfs: tuple) -> tuple[np.ndarray, np.ndarray]:
    """(spread (..., q), weights (q,)): the normal distributions whose mixture the sum is. A part that is 0 everywhere
    takes no points."""
    total, weights = np.zeros(1), np.ones(1)
    for variance, df in zip(variances, dfs, strict=True):
        variance = np.asarray(variance, dtype=float)[..., None, None]
        errors, own = estimates(df) if np.any(variance) else (np.ones(1), np.ones(1))
        total = total[..., None] + variance * errors
        total, weights = total.reshape(*total.shape[:-2], -1), np.outer(weights, own).ravel()
    return np.sqrt(np.where(total > 0, total, np.nan)), weights


@lru_cache
def estimates(df: float) -> tuple[np.ndarray, np.ndarray]:
    """(df / chi^2 at each point, weights) of a quadrature over the chi distribution; exactly 1 where df is infinite."""
    if np.isinf(df):
        return np.ones(1), np.ones(1)
    if df < FEW:
        points, weights = np.polynomial.legendre.leggauss(NODES_FEW)
        low, high = max(0, np.sqrt(df) - 8), np.sqrt(df) + 8
        chi, correction = low + (high - low) * (points + 1) / 2, 0
    else:
        points, weights = np.polynomial.hermite.hermgauss(NODES_MANY)
        chi, correction = np.maximum(np.sqrt(df) + points, 1e-3), points**2
    logs = (df - 1) * np.log(chi) - chi**2 / 2 + correction
    weights = weights * np.exp(logs - logs.max())
    return df / chi**2, weights / weights.sum()
