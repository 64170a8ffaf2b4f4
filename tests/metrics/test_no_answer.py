"""Questions that may have no answer: the best threshold of all, as SQuAD 2.0's script finds it."""

import random

import pytest

from xt.errors import DataError
from xt.metrics import METRICS
from xt.metrics.span_qa import normalise_answer


def best_over_all_cuts(predictions, gold, score):
    """The highest total, in points, when the k questions of lowest no-answer score are answered, for any k."""
    order = sorted(range(len(gold)), key=lambda i: predictions[i][1])
    totals = []
    for cut in range(len(gold) + 1):
        answered = set(order[:cut])
        totals.append(
            sum(
                (score(predictions[i][0], gold[i]) if gold[i] else not predictions[i][0])
                if i in answered
                else not gold[i]
                for i in range(len(gold))
            )
        )
    return 100 * max(totals) / len(gold)


def exact(text, answers):
    right = [normalise_answer(answer) for answer in answers if normalise_answer(answer)] or [[]]
    return normalise_answer(text) in right


def test_it_is_the_best_of_all_cuts_on_random_answers():
    rng = random.Random(0)
    words = ["the", "cat", "dog", "!", "猫", "", "a"]
    for _ in range(100):
        count = rng.randrange(1, 20)
        gold = [[rng.choice(words) for _ in range(rng.choice([0, 0, 1, 2]))] for _ in range(count)]
        predictions = [
            (rng.choice([*answers, rng.choice(words)]), rng.choice([rng.gauss(0, 1), 0.0])) for answers in gold
        ]
        metric = METRICS["exact_match_no_answer"]
        found = metric.reduce(metric.example_stats(predictions, gold).sum(axis=0))
        assert found == pytest.approx(best_over_all_cuts(predictions, gold, exact))


PREDICTIONS = [("cat", -2.0), ("big dog", -1.0), ("bird", 0.5), ("fish", 2.0), ("", 3.0)]
GOLD = [["the cat"], ["dog"], [], ["fish"], []]


def test_per_question_values_add_up_to_what_the_script_gives():
    stats = METRICS["f1_no_answer"].example_stats(PREDICTIONS, GOLD)
    assert stats[:, 0].tolist() == pytest.approx([1, 2 / 3, 1, 0, 1]), "answered: the first two; `fish` comes too late"
    assert METRICS["f1_no_answer"].reduce(stats.sum(axis=0)) == pytest.approx(73.33333333333333)
    assert METRICS["exact_match_no_answer"].example_stats(PREDICTIONS, GOLD)[:, 0].tolist() == [1, 0, 1, 0, 1]


def test_one_question_more_can_move_the_threshold_of_all():
    stats = METRICS["f1_no_answer"].example_stats([*PREDICTIONS, ("eel", 2.5), ("ox", 2.6)], [*GOLD, ["eel"], ["ox"]])
    assert stats[:, 0].tolist() == pytest.approx([1, 2 / 3, 0, 1, 1, 1, 1])


def test_answers_that_normalise_to_nothing_agree_with_nothing():
    assert METRICS["f1_no_answer"].example_stats([("the", -1.0)], [["a"]]).tolist() == [[1, 1]]
    assert METRICS["f1_no_answer"].example_stats([("", -1.0)], [["cat", "!"]]).tolist() == [[0, 1]]


def test_a_score_that_is_no_number_and_a_gold_that_is_no_list_are_refused():
    with pytest.raises(DataError, match="question 1: its no-answer score is NaN"):
        METRICS["f1_no_answer"].example_stats([("cat", 0.0), ("cat", float("nan"))], [["cat"], []])
    with pytest.raises(DataError, match="question 0: gold is 'cat'"):
        METRICS["f1_no_answer"].example_stats([("cat", 0.0)], ["cat"])
