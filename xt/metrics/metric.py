"""What a metric is: statistics per example that add up, and a reduction of their sum to points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.  Because statistics add up, a bootstrap is one product: weights (R, N) @ stats (N, k)."""

    name: str
    """Key in `METRICS` and value of the `metric` column of a score table."""
    columns: tuple[str, ...]
    """Names of the k statistics; a stored column is called `<name>.<column>`."""
    example_stats: Callable[[Sequence, Sequence], np.ndarray]
    """(predictions of N examples, gold of N examples) -> (N, k).  Raises DataError if they do not pair up."""
    reduce: Callable[[np.ndarray], np.ndarray]
    """Weighted column sums (..., k) -> points (...), 0 to 100; NaN where the metric is undefined."""


def reduce_mean(sums: np.ndarray) -> np.ndarray:
    """(..., 2) sums of (total, count) -> 100 * total / count in points (...); NaN where count is 0."""
    sums = np.asarray(sums, dtype=float)
    total, count = sums[..., 0], sums[..., 1]
    return np.divide(100 * total, count, out=np.full(count.shape, np.nan), where=count != 0)
