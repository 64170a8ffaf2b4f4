"""How a quantity goes with another one over a few independent units, such as pretrained encoders with their size."""

from dataclasses import dataclass

import numpy as np

from xt.stats.behrens_fisher import quantile, tail

UNITS_AND_ITEMS = "over encoders and item clusters"
UNITS_ONLY = "over encoders, conditional on these items"
FEWEST_DF = 5
"""Units less parameters below which there is no p value."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through n units."""

    slope: float
    """Change of y per unit of x."""
    standard_error: float
    """Root of the variance over units plus that over items; NaN below three units."""
    low: float
    """Lower limit of the interval."""
    high: float
    """Upper limit of the interval."""
    p: float
    """Two-sided p value of slope = 0; NaN where n - 2 is below FEWEST_DF."""
    df: int
    """n - 2, the degrees of freedom of the variance over units."""
    kind: str
    """What the interval is over."""


def fit_trend(
    x: np.ndarray, y: np.ndarray, resampled: np.ndarray | None, num_clusters: float = np.inf, level: float = 0.95
) -> Trend:
    """Least squares of y (n,) on x (n,), one value per unit; `resampled` (R, n) is y under resampling of item clusters,
    drawn alike for all units, or None where items are not known.

        slope = w @ y,  w = (x - mean x) / sum (x - mean x)^2          a = sum w^2 * residual mean square of y
        V = var(w @ y*) * C / (C - 1)                                  b = max(0, V - sum w^2 * M)

    with y* a resample and M the residual mean square of y* - y, mean over resamples. What other items would do to one
    unit is in the residuals of y already; b is what they would do along x to all units, which no further units average
    out: the two parts of `xt.stats.gain_test`, and p and interval are Behrens and Fisher's as there. An interval needs
    n > 2. Raises ValueError where all x are equal.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if np.ptp(x) == 0:
        raise ValueError(f"{len(x)} units at x = {x[0]}: needed are two values of x")
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope, df = float(weights @ y), len(x) - 2
    kind = UNITS_ONLY if resampled is None else UNITS_AND_ITEMS
    if df < 1:
        return Trend(slope, *[np.nan] * 4, df, kind)
    over_units, over_items = (weights**2).sum() * mean_square(x, y), 0.0
    if resampled is not None:
        share = 1.0 if np.isinf(num_clusters) else num_clusters / (num_clusters - 1)
        moved = mean_square(x, resampled - y).mean()
        over_items = share * max(0.0, (resampled @ weights).var() - (weights**2).sum() * moved)
    parts, dfs = (over_units, over_items), (df, num_clusters - 1)
    half = float(quantile(level, parts, dfs))
    p = float(tail(slope, parts, dfs)) if df >= FEWEST_DF else np.nan
    return Trend(slope, float(np.sqrt(over_units + over_items)), slope - half, slope + half, p, df, kind)


def mean_square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Residual mean square (...) of y (..., n) around its line on x (n,)."""
    centred, along = y - y.mean(axis=-1, keepdims=True), x - x.mean()
    slope = (centred @ along) / (along**2).sum()
    return ((centred - slope[..., None] * along) ** 2).sum(axis=-1) / (len(x) - 2)
