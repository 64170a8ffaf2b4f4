"""Mean average precision of ranked candidates, cut at 20 (LAReQA, Roy et al. 2020; with one gold id it is MRR@20)."""

from collections.abc import Collection, Sequence

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_mean

CUTOFF = 20
"""How many ranked ids are looked at."""


def average_precision(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Sum of the precisions at the ranks that hold a relevant id, over min(number of relevant, 20); 0 to 1.

    An id that is named again counts as a miss.
    """
    seen: set[str] = set()
    total = 0.0
    for rank, found in enumerate(ranked[:CUTOFF], start=1):
        if found in relevant and found not in seen:
            seen.add(found)
            total += len(seen) / rank
    return total / min(len(relevant), CUTOFF)


def ranking_stats(
    predictions: Sequence[Sequence[str]], gold: Sequence[Collection[str]], languages: Sequence[str] = ()
) -> np.ndarray:
    """N rankings (ids, best first; what stands behind the 20th is not read) and N sets of relevant ids -> (N, 2) floats
    (average precision between 0 and 1, count). Raises DataError when their numbers differ, for a query without a
    relevant id, and for ids that are no list.
    """
    if len(predictions) != len(gold):
        raise DataError(f"{len(predictions)} rankings for {len(gold)} queries")
    for row, (ranked, relevant) in enumerate(zip(predictions, gold, strict=True)):
        if not relevant or isinstance(relevant, str) or isinstance(ranked, str):
            raise DataError(f"query {row}: ranking {ranked!r}, relevant {relevant!r}; both must be ids, at least one")
    points = [average_precision(ranked, set(relevant)) for ranked, relevant in zip(predictions, gold, strict=True)]
    return np.column_stack([np.array(points, dtype=float), np.ones(len(gold))])


MAP_AT_20 = Metric("map_at_20", ("average_precision", "count"), ranking_stats, reduce_mean)
