"""Answers scored as by MLQA's own script; expected values were taken from that script."""

import pytest

from tests.metrics.random_answers import draw_questions
from xt.errors import DataError
from xt.lab.languages import LAB_LANGUAGES
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


def test_every_language_that_a_root_gives_the_task_has_a_rule():
    for code in LAB_LANGUAGES:
        assert METRICS["mlqa_f1"].example_stats(["The dog, a"], [["dog a"]], [code]).tolist() == [[0.8, 1.0]], code


def test_languages_may_be_mixed_and_each_question_has_its_own():
    stats = METRICS["mlqa_exact_match"].example_stats(["the cat", "the cat"], [["cat"], ["cat"]], ["en", "de"])
    assert stats[:, 0].tolist() == [1, 0]


@pytest.mark.parametrize("languages", [[], ["en"], ["en", "th"]])
def test_a_language_that_is_missing_or_has_no_rule_is_refused(languages):
    with pytest.raises(DataError, match="allowed: en, es|need one each"):
        METRICS["mlqa_f1"].example_stats(["cat", "cat"], [["cat"], ["cat"]], languages)


OF_THE_SCRIPT = {
    "en": (738, 872.509524), "es": (724, 883.228571), "de": (717, 886.772222), "ar": (717, 899.689827),
    "hi": (708, 902.109524), "vi": (719, 890.687302), "zh": (708, 901.718290),
}  # fmt: skip
"""Language -> (exact matches, sum of F1) of 2,000 random questions, as MLQA's own script counts them."""


@pytest.mark.parametrize("language", OF_THE_SCRIPT)
def test_random_answers_in_many_scripts_score_as_by_the_official_script(language):
    predicted, gold = zip(*draw_questions(7, 2000), strict=True)
    sums = [
        METRICS[name].example_stats(predicted, gold, [language] * 2000)[:, 0].sum()
        for name in ("mlqa_exact_match", "mlqa_f1")
    ]
    assert sums == [OF_THE_SCRIPT[language][0], pytest.approx(OF_THE_SCRIPT[language][1], abs=1e-5)]
