"""A sum of errors whose variances are known to different degrees: tails and quantiles.

The error of a gain is the sum of sqrt(v_i) T_i, with estimated variances v_i and independent Student's T_i with the
degrees of freedom of these estimates (Behrens 1929, Fisher 1935). Intervals from two of them never covered less than
they say in any case that was computed (Robinson 1976). Satterthwaite's approximation does, with few degrees of freedom:
at 2 it declares up to 1.5 times as often as its level of 5 % says, and up to 7 times at 0.3 %, as Holm's steps ask.
"""

from functools import lru_cache

import numpy as np

FEW, NODES_FEW = 15, 18
"""Degrees of freedom below which a quadrature over an estimated variance takes this many points on a grid: p then
errs by 0.4 % of itself at 2 degrees of freedom, and by a tenth of that beyond."""
NODES = ((100, 8), (np.inf, 4))
"""(degrees of freedom, points of Gauss and Hermite up to there): a chi distribution of many is near a normal one."""
MANY = 1e9
"""Degrees of freedom of a t distribution that is a normal one."""
NEWTON_STEPS, NEAR = 8, 1e-9
"""Newton's steps at most, and the error of a level at which they end."""


def tail(size: np.ndarray, variances: tuple, dfs: tuple) -> np.ndarray:
    """P(|sum of sqrt(v_i) T_i| > size), (...), for sizes (...) in units of the scores.

    `variances`: the v_i, each (...), in squared units; `dfs`: their degrees of freedom, numbers; infinite means known.
    Given what the estimates are off by, the sum is normal: a quadrature over their chi distributions. NaN
    where all variances are 0 or one is missing.
    """
    from scipy.special import ndtr, stdtr

    active = [(np.asarray(v, dtype=float), df) for v, df in zip(variances, dfs, strict=True) if np.any(v)]
    if len(active) == 1:
        [(variance, df)] = active
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(variance > 0, 2 * stdtr(min(df, MANY), -np.abs(size) / np.sqrt(variance)), np.nan)
    spread, weights = mixture(variances, dfs)
    return 2 * ndtr(-np.abs(np.asarray(size, dtype=float))[..., None] / spread) @ weights


def quantile(level: float, variances: tuple, dfs: tuple) -> np.ndarray:
    """The size (...) that |sum of sqrt(v_i) T_i| exceeds with probability 1 - level, by Newton's method.

    Starts from the mean of the quantiles of t weighted by the variances (Cochran 1964), which is close.
    """
    from scipy.special import ndtr, stdtrit

    known = [np.asarray(variance, dtype=float) for variance in variances]
    quantiles = [stdtrit(min(df, MANY), (1 + level) / 2) for df in dfs]
    with np.errstate(invalid="ignore"):
        size = sum(v * q for v, q in zip(known, quantiles, strict=True)) / np.sqrt(sum(known))
    if sum(np.any(variance) for variance in known) == 1:
        return size
    spread, weights = mixture(known, dfs)
    for _ in range(NEWTON_STEPS):
        z = size[..., None] / spread
        excess = 2 * ndtr(-z) @ weights - (1 - level)
        if not (np.abs(excess) > NEAR * (1 - level)).any():
            break
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
    if df < FEW:  # equal steps of log chi: from where a tail begins to weigh, to where nothing is left
        middle = np.log(df) / 2
        points = np.linspace(middle - 16 / df - 0.5, np.log(np.sqrt(df) + 6), NODES_FEW)
        chi, weights, correction = np.exp(points), np.exp(points - middle), 0
    else:
        points, weights = np.polynomial.hermite.hermgauss(next(count for most, count in NODES if df <= most))
        chi, correction = np.maximum(np.sqrt(df) + points, 1e-3), points**2
    logs = (df - 1) * np.log(chi) - chi**2 / 2 + correction
    weights = weights * np.exp(logs - logs.max())
    return df / chi**2, weights / weights.sum()
