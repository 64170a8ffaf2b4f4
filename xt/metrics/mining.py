"""F1 of mined sentence pairs, as in BUCC (Zweigenbaum et al. 2018): pairs found against pairs that are there."""

from collections.abc import Collection, Sequence

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_f1


def pair_stats(
    predictions: Sequence[str | None], gold: Sequence[Collection[str]], languages: Sequence[str] = ()
) -> np.ndarray:
    """Of N sentences the id each is paired with (None or empty: with none) and the ids it should be -> (N, 3) integers
    (tp, predicted, gold). Raises DataError when their numbers differ or a gold is no collection of ids.
    """
    if len(predictions) != len(gold):
        raise DataError(f"{len(predictions)} mined sentences for {len(gold)} sentences")
    for row, relevant in enumerate(gold):
        if isinstance(relevant, str):
            raise DataError(f"sentence {row}: gold is {relevant!r}; a collection of ids is needed, empty for none")
    rows = [
        (bool(found) and found in relevant, bool(found), len(set(relevant)))
        for found, relevant in zip(predictions, gold, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


PAIR_F1 = Metric("pair_f1", ("tp", "predicted", "gold"), pair_stats, reduce_f1)
