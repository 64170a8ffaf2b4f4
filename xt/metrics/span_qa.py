"""Exact match and F1 of extracted answers, as in SQuAD v1.1 (Rajpurkar et al. 2016, `evaluate-v1.1.py`).

XTREME scores XQuAD and TyDiQA-GoldP with this English normalisation in every language: ASCII punctuation and
the words a, an, the are dropped, tokens are what white space separates.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_mean

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
DROP_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_answer(text: str) -> list[str]:
    """Lower-cased tokens of an answer, without ASCII punctuation and without English articles."""
    return ARTICLES.sub(" ", text.lower().translate(DROP_PUNCTUATION)).split()


def match_exactly(predicted: list[str], gold: list[str]) -> float:
    """1.0 when the normalised answers are the same (two empty ones are), else 0.0."""
    return float(predicted == gold)


def overlap_f1(predicted: list[str], gold: list[str]) -> float:
    """F1 of the two bags of tokens, 0 to 1; 0 when none is shared, even if both are empty (as in v1.1)."""
    shared = sum((Counter(predicted) & Counter(gold)).values())
    return 2 * shared / (len(predicted) + len(gold)) if shared else 0.0


def best_over_gold(
    score: Callable,
    predictions: Sequence[str],
    gold: Sequence[Sequence[str]],
    languages: Sequence[str] = (),
    normalisers: Iterable[Callable[[str], list[str]]] = repeat(normalise_answer),
) -> np.ndarray:
    """N answers, N lists of gold ones -> (N, 2) floats (score of the best match, count); `normalisers`: one each.

    Raises DataError when the numbers of questions differ or a question has no list of gold answers.
    """
    if len(predictions) != len(gold):
        raise DataError(f"{len(predictions)} predicted answers for {len(gold)} questions")
    for row, answers in enumerate(gold):
        if not answers or isinstance(answers, str):
            raise DataError(f"question {row}: gold is {answers!r}; this metric needs a list of answers")
    best = [
        max(score(normalise(prediction), normalise(answer)) for answer in answers)
        for prediction, answers, normalise in zip(predictions, gold, normalisers, strict=False)
    ]
    return np.column_stack([np.array(best, dtype=float), np.ones(len(gold))])


EXACT_MATCH = Metric("exact_match", ("correct", "count"), partial(best_over_gold, match_exactly), reduce_mean)
F1 = Metric("f1", ("f1", "count"), partial(best_over_gold, overlap_f1), reduce_mean)
