"""Answers scored as by the SQuAD v1.1 script; expected values were taken from that script."""

import pytest

from tests.metrics.random_answers import draw_questions
from xt.errors import DataError
from xt.metrics import METRICS

CASES = [  # predicted, gold answers, exact match, F1
    ("The Cat", ["cat"], 1, 1),
    ("a U.S. flag", ["us  flag!"], 1, 1),
    ("an", ["the"], 1, 0),  # both normalise to nothing: the script's own inconsistency
    ("", ["cat"], 0, 0),
    ("big cat", ["dog", "cat"], 0, 2 / 3),
    ("cat cat", ["cat"], 0, 2 / 3),
    ("der Hund", ["Hund"], 0, 2 / 3),  # only English articles go
    ("猫，", ["猫"], 0, 0),  # only ASCII punctuation goes, and only white space separates
    ("thea", ["thea a"], 1, 1),
    ("«x»", ["x"], 0, 0),
]


@pytest.mark.parametrize(("predicted", "gold", "exact", "f1"), CASES)
def test_squad_v1_cases(predicted, gold, exact, f1):
    assert METRICS["exact_match"].example_stats([predicted], [gold]).tolist() == [[exact, 1]]
    assert METRICS["f1"].example_stats([predicted], [gold]).tolist() == [[pytest.approx(f1), 1]]


def test_each_measure_takes_its_own_best_answer():
    stats = METRICS["f1"].example_stats(["one two three"], [["three four", "two three", "x"]])
    assert stats[0, 0] == pytest.approx(4 / 5)


@pytest.mark.parametrize("gold", [[], "cat"])
def test_a_question_without_a_list_of_answers_is_refused(gold):
    with pytest.raises(DataError, match="question 1"):
        METRICS["f1"].example_stats(["cat", "cat"], [["cat"], gold])


def test_random_answers_in_many_scripts_score_as_by_the_official_script():
    """729 exact matches and a sum of F1 of 884.00556 are what SQuAD v1.1's script, as XTREME has it, counts."""
    predicted, gold = zip(*draw_questions(7, 2000), strict=True)
    sums = [METRICS[name].example_stats(predicted, gold)[:, 0].sum() for name in ("exact_match", "f1")]
    assert sums == [729, pytest.approx(884.005556, abs=1e-5)]
