"""Answers scored as by MLQA's own script; expected values were taken from that script."""

import pytest

from xt.errors import DataError
from xt.metrics import METRICS

CASES = [  # language, predicted, gold answers, exact match, F1
    ("en", "", ["cat"], 0, 0),
    ("en", "", ["the"], 1, 0),
    ("en", "…“?!»", ["--"], 1, 0),
    ("en", "The “big” cat", ["big cat"], 1, 1),
    ("en", "der Hund", ["Hund"], 0, 2 / 3),
    ("en", "5 $ + 3", ["5 3"], 1, 1),
    ("de", "Der Hund, ein Tier", ["Hund Tier"], 1, 1),
    ("de", "the cat", ["cat"], 0, 2 / 3),
    ("es", "«El gato»", ["gato"], 1, 1),
    ("vi", "của những cái cây", ["cây"], 1, 1),
    ("ar", "الكتاب والقلم، هذا", ["كتاب والقلم هذا"], 1, 1),
    ("ar", "كتاب", ["الكتاب", "باب"], 1, 1),
    ("ar", "والقلم", ["و قلم"], 1, 1),
    ("hi", "यह कुत्ता है।", ["कुत्ता", "यह कुत्ता"], 0, 0.8),
    ("zh", "大猫，在2019年 ok", ["在 2019年"], 0, 0.6666666666666666),
    ("zh", "猫", ["猫。", "大猫"], 1, 1),
    ("zh", "ไทย ๆ 猫", ["ไทย 猫"], 0, 0.8),
]


@pytest.mark.parametrize(("language", "predicted", "gold", "exact", "f1"), CASES)
def test_each_language_has_its_own_rule(language, predicted, gold, exact, f1):
    assert METRICS["mlqa_exact_match"].example_stats([predicted], [gold], [language]).tolist() == [[exact, 1]]
    assert METRICS["mlqa_f1"].example_stats([predicted], [gold], [language]).tolist() == [[pytest.approx(f1), 1]]


def test_languages_may_be_mixed_and_each_question_has_its_own():
    stats = METRICS["mlqa_exact_match"].example_stats(["the cat", "the cat"], [["cat"], ["cat"]], ["en", "de"])
    assert stats[:, 0].tolist() == [1, 0]


@pytest.mark.parametrize("languages", [[], ["en"], ["en", "th"]])
def test_a_language_that_is_missing_or_has_no_rule_is_refused(languages):
    with pytest.raises(DataError, match="allowed: en, es|need one each"):
        METRICS["mlqa_f1"].example_stats(["cat", "cat"], [["cat"], ["cat"]], languages)
