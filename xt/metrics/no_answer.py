"""Exact match and F1 where questions may have no answer, as in SQuAD 2.0 (Rajpurkar et al. 2018, `evaluate-v2.0.py`).

A prediction is (answer, no-answer score), a higher score for "there is none". What is reported is the best over all
thresholds on that score ("best_exact", "best_f1"): the questions answered are those of the lowest scores.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_mean
from xt.metrics.span_qa import match_exactly, normalise_answer, overlap_f1

Predictions = Sequence[tuple[str, float]]


def overlap_or_both_empty(predicted: list[str], gold: list[str]) -> float:
    """F1 of the two bags of tokens, 0 to 1; where one of them is empty, 1.0 if both are (unlike v1.1)."""
    return overlap_f1(predicted, gold) if predicted and gold else float(predicted == gold)


def stats_at_best_threshold(
    score: Callable, predictions: Predictions, gold: Sequence[Sequence[str]], languages: Sequence[str] = ()
) -> np.ndarray:
    """(N, 2) floats (score at the best threshold for these N questions together, count).

    As in the script: questions are taken in the order of their no-answer score (of equal ones in the order given);
    with each, the total changes by the answer's score, or by -1 where something is said and there is no answer; all
    up to the first highest total are answered, the rest count as "no answer". Raises DataError when the numbers of
    questions differ, a gold is no list, or a no-answer score is NaN.
    """
    if len(predictions) != len(gold):
        raise DataError(f"{len(predictions)} predicted answers for {len(gold)} questions")
    for row, answers in enumerate(gold):
        if isinstance(answers, str):
            raise DataError(f"question {row}: gold is {answers!r}; SQuAD 2.0 needs a list of answers, empty for none")
    doubts = np.array([doubt for _, doubt in predictions], dtype=float)
    if np.isnan(doubts).any():
        raise DataError(f"question {int(np.isnan(doubts).argmax())}: its no-answer score is NaN; a number is needed")
    answered = np.array([gain(score, text, right) for (text, _), right in zip(predictions, gold, strict=True)])
    silent = np.array([not right for right in gold], dtype=float)
    order = np.argsort(doubts, kind="stable")
    totals = np.cumsum(np.concatenate([[0.0], (answered - silent)[order]]))
    chosen = order[: int(np.argmax(totals))]
    stats = np.column_stack([silent, np.ones(len(gold))])
    stats[chosen, 0] = answered[chosen]
    return stats


def gain(score: Callable, text: str, answers: Sequence[str]) -> float:
    """What answering is worth: the best match, or without a right answer 1.0 for saying nothing.

    Answers of which the normalisation leaves nothing are passed over, unless there is no other.
    """
    if not answers:
        return float(not text)
    right = [tokens for tokens in map(normalise_answer, answers) if tokens] or [[]]
    return max(score(normalise_answer(text), tokens) for tokens in right)


F1_NO_ANSWER = Metric(
    "f1_no_answer", ("f1", "count"), partial(stats_at_best_threshold, overlap_or_both_empty), reduce_mean
)
EXACT_MATCH_NO_ANSWER = Metric(
    "exact_match_no_answer", ("correct", "count"), partial(stats_at_best_threshold, match_exactly), reduce_mean
)
