"""Pairs of texts: what makes them hard, and fair."""

from collections import Counter

import pytest

from tests.lab.oracle import split_words
from tests.lab.quality import read_items
from xt.lab.meaning import Clause, Link, Thing
from xt.lab.pairs import LABELS, invert, swap_roles
from xt.lab.world import build_world

WORLD = build_world(101)
SALE = Clause("sell", Thing("person:1"), Thing("axe"), Thing("person:2"))


def test_inverse_verbs_exchange_two_roles_and_back():
    bought = Clause("buy", Thing("person:2"), Thing("axe"), Thing("person:1"))
    assert invert(WORLD, SALE) == bought and invert(WORLD, bought) == SALE
    assert swap_roles(SALE) == Clause("sell", Thing("person:2"), Thing("axe"), Thing("person:1"))
    asleep = Clause("sleep", Thing("owl"))
    assert invert(WORLD, asleep) == asleep
    small = Clause("be", Thing("owl"), complement="small")
    assert invert(WORLD, small) == small


def test_xnli_has_three_hypotheses_on_a_premise_one_of_each_label_in_any_order():
    rows = [item.row for item in read_items(101, "google/xtreme", "XNLI", "test", 0.2)]
    orders = set()
    for start in range(0, len(rows), 3):
        block = rows[start : start + 3]
        assert len({(row["language"], row["sentence1"]) for row in block}) == 1
        assert len({row["sentence2"] for row in block}) == 3
        assert {row["gold_label"] for row in block} == set(LABELS)
        orders.add(tuple(row["gold_label"] for row in block))
    assert len(orders) == 6


def test_premises_have_one_to_three_sentences_in_mnli_one_in_snli_three_in_anli():
    def lengths(dataset, config, split):
        return {len(item.meaning[0]) for item in read_items(101, dataset, config, split)}

    assert lengths("nyu-mll/glue", "mnli", "train") == {1, 2, 3}
    assert lengths("stanfordnlp/snli", "plain_text", "train") == {1}
    assert lengths("facebook/anli", "plain_text", "test_r2") == {3}


def test_the_rounds_of_anli_differ():
    rounds = [read_items(101, "facebook/anli", "plain_text", f"train_r{n}", 0.1) for n in (1, 2, 3)]
    texts = [{item.row["premise"] for item in items} for items in rounds]
    assert not texts[0] & texts[1] and not texts[1] & texts[2]
    ids = [item.row["uid"] for items in rounds for item in items]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("negated", (False, True))
def test_a_negated_hypothesis_decides_no_label(negated):
    drawn = read_items(101, "stanfordnlp/snli", "plain_text", "train")
    labels = Counter(item.row["label"] for item in drawn if item.meaning[1].negated == negated)
    assert min(labels.values()) > 0.25 * labels.total()


def test_one_negation_contradicts_in_plain_inference_and_decides_nothing_in_hard():
    """Among premises of one clause, and among clauses with the hypothesis' verb."""
    plain = read_items(101, "stanfordnlp/snli", "plain_text", "train")
    once = {item.row["label"] for item in plain if item.meaning[0][0].negated != item.meaning[1].negated}
    assert once == {2}
    hard = [(clause, item) for item in read_items(101, "facebook/anli", "plain_text", "train_r1")
            for clause in item.meaning[0] if clause.verb == item.meaning[1].verb]  # fmt: skip
    for differ in (False, True):
        assert {i.row["label"] for clause, i in hard if (clause.negated != i.meaning[1].negated) == differ} == {0, 1, 2}


def test_paraphrases_and_their_adversaries_have_nearly_the_same_words():
    drawn = read_items(101, "google/xtreme", "PAWS-X.qaa", "test", 2.0)
    missing = {"0": [], "1": []}
    for item in drawn:
        one, other = (Counter(split_words(item.row[column])) for column in ("sentence1", "sentence2"))
        missing[item.row["label"]].append((one - other).total())
        assert item.row["sentence1"] != item.row["sentence2"]
    means = [sum(counts) / len(counts) for counts in missing.values()]
    assert max(means) < 2.5 and abs(means[0] - means[1]) < 0.7
    assert {type(item.meaning[0]) for item in drawn} == {Clause, Link}


def test_questions_ask_for_every_slot():
    drawn = read_items(101, "nyu-mll/glue", "qqp", "train", 0.2)
    asked = Counter(question.asked for item in drawn for question in item.meaning)
    assert set(asked) == {"whether", "subject", "object", "recipient", "place", "time"}
    equal = Counter(item.row["label"] for item in drawn if item.row["question1"] == item.row["question2"])
    assert set(equal) == {1} and equal[1] < 0.2 * len(drawn)
