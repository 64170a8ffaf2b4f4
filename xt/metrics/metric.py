"""What a metric is: statistics per example that add up, and a reduction of their sum to points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.  Because statistics add up, a bootstrap is one product: weights (R, N) @ stats (N, k)."""

    name: str
    """Key in `METRICS` and value of the `metric` column of a score table."""
    columns: tuple[str, ...]
    """Names of the k statistics; a stored column is called `<name>.<column>`."""
    example_stats: Callable[..., np.ndarray]
    """(predictions of N examples, their gold, their language codes) -> (N, k).  DataError if they do not pair up.

    The codes may be left out where the metric is the same in every language.
    """
    reduce: Callable[[np.ndarray], np.ndarray]
    """Weighted column sums (..., k) -> points (...), 0 to 100; NaN where the metric is undefined."""


def reduce_mean(sums: np.ndarray) -> np.ndarray:
    """(..., 2) sums of (total, count) -> 100 * total / count in points (...); NaN where count is 0."""
    sums = np.asarray(sums, dtype=float)
    total, count = sums[..., 0], sums[..., 1]
    return np.divide(100 * total, count, out=np.full(count.shape, np.nan), where=count != 0)


def reduce_f1(sums: np.ndarray) -> np.ndarray:
    """(..., 3) sums of (tp, predicted, gold) -> F1 = 200 tp / (predicted + gold) in points (...).

    This is the harmonic mean of precision and recall wherever both exist.  With tp = 0 it is 0, also when
    only one side has any; with nothing predicted and nothing gold it is undefined: NaN (seqeval prints 0).
    """
    sums = np.asarray(sums, dtype=float)
    total = sums[..., 1] + sums[..., 2]
    return np.divide(200 * sums[..., 0], total, out=np.full(total.shape, np.nan), where=total != 0)
