"""Training data of qaa in another language, faithfully and not."""

import pytest

from tests.lab.oracle import split_words
from tests.lab.quality import read_items
from xt.lab.draw import generator
from xt.lab.grammar import realise
from xt.lab.meaning import Clause, Link, Question, Thing
from xt.lab.parsing import parse
from xt.lab.translation import Noise, translate

SALE = Clause("sell", Thing("person:1"), Thing("axe", ("big",)), Thing("person:4"), time="today")

CONFIGS = {
    ("nyu-mll/glue", "mnli"): "mnli.qac",
    ("rajpurkar/squad", "plain_text"): "plain_text.qac",
    ("Rowan/hellaswag", "default"): "default.qac",
    ("allenai/cosmos_qa", "default"): "default.qac",
    ("xt/ccg", "default"): "default.qac",
}


@pytest.mark.parametrize("dataset, config", CONFIGS)
def test_a_translation_says_the_same_in_another_language(dataset, config):
    home, away = (read_items(101, dataset, name, "train", 0.02) for name in (config, CONFIGS[dataset, config]))
    assert [item.meaning for item in home] == [item.meaning for item in away]
    assert sum(one.row == other.row for one, other in zip(home, away, strict=True)) < 0.1 * len(home)  # loans, names


def test_the_hubs_own_translations_are_those_of_mnli_and_squad():
    for own, hub in (
        (("nyu-mll/glue", "mnli.qac"), ("facebook/xnli", "qac")),
        (("rajpurkar/squad", "plain_text.qac"), ("facebook/mlqa", "mlqa-translate-train.qac")),
    ):
        assert [i.row for i in read_items(101, *own, "train", 0.02)] == [
            i.row for i in read_items(101, *hub, "train", 0.02)
        ]


def test_lexical_errors_have_their_rate_and_keep_names_and_sense_of_grammar():
    rng, noise = generator(101, "test"), Noise(lexical=30)
    parsed = [parse(split_words(translate(SALE, 101, "qab", rng, noise).text), 101, "qab") for _ in range(400)]
    kept = [
        sum(one.verb == "sell" for one in parsed),
        sum(one.object.head == "axe" for one in parsed),
        sum(one.object.properties == ("big",) for one in parsed),
    ]
    assert all(0.63 < count / 400 < 0.77 for count in kept)
    assert {(one.subject, one.recipient, one.time) for one in parsed} == {(SALE.subject, SALE.recipient, "today")}


def test_errors_reach_questions_and_links():
    rng, noise = generator(101, "test"), Noise(lexical=100)
    for meaning in (Link(SALE, "and", SALE), Question(SALE, "whether")):
        wrong = parse(split_words(translate(meaning, 101, "qaa", rng, noise).text), 101, "qaa")
        clauses = [wrong.first, wrong.second] if isinstance(wrong, Link) else [wrong.clause]
        assert all(clause.verb != "sell" and clause.object.head != "axe" for clause in clauses)


def test_errors_of_order_keep_the_words_and_the_order_of_qaa():
    said = [translate(SALE, 101, "qac", generator(101, number), Noise(order=50)) for number in range(200)]
    order = {code: [token.concept for token in realise(SALE, 101, code).tokens[:-1]] for code in ("qaa", "qac")}
    found = [[token.concept for token in sentence.tokens[:-1]] for sentence in said]
    assert all(one in order.values() for one in found)
    assert 70 < found.count(order["qaa"]) < 130
    forms = {token.form for token in realise(SALE, 101, "qac").tokens}
    assert all({token.form for token in sentence.tokens} == forms for sentence in said)


def test_answers_stay_in_place_in_a_noisy_translation():
    for item in read_items(101, "rajpurkar/squad", "plain_text.qac-lexical20-order50", "train", 0.02):
        (text,), (start,) = item.row["answers"]["text"], item.row["answers"]["answer_start"]
        assert item.row["context"][start:].startswith(text)
    clean, noisy = (
        [item.row["context"] for item in read_items(101, "rajpurkar/squad", config, "train", 0.02)]
        for config in ("plain_text.qac", "plain_text.qac-lexical20-order50")
    )
    assert sum(one != other for one, other in zip(clean, noisy, strict=True)) > 0.9 * len(clean)
