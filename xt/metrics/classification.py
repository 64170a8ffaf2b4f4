"""Accuracy of one label per example: classification, multiple choice, and nearest-neighbour retrieval."""

from collections.abc import Sequence

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_mean


def label_stats(predictions: Sequence[int], gold: Sequence[int], languages: Sequence[str] = ()) -> np.ndarray:
    """N predicted and N gold labels (for retrieval: indices) -> (N, 2) integers (correct, count)."""
    predictions, gold = np.asarray(predictions), np.asarray(gold)
    if predictions.shape != gold.shape or gold.ndim != 1:
        raise DataError(
            f"predictions of shape {predictions.shape} for gold labels of shape {gold.shape}; both must be (N,)"
        )
    return np.column_stack([predictions == gold, np.ones(len(gold), dtype=bool)]).astype(np.int64)


ACCURACY = Metric("accuracy", ("correct", "count"), label_stats, reduce_mean)
