"""Tagged sentences, translations, mentions, and text to pretrain on."""

from collections import Counter

import pytest

from tests.lab.quality import read_items
from xt.lab.languages import LAB_LANGUAGES, RESOURCES
from xt.lab.meaning import Clause, Link, Question
from xt.lab.sentences import NAMES, UPOS
from xt.lab.world import build_world
from xt.tasks.target_tasks import PANX_TAGS
from xt.tasks.target_tasks import UPOS as RELEASED_UPOS

WORLD = build_world(101)


def test_tags_are_numbered_as_in_the_releases():
    assert tuple(UPOS) == RELEASED_UPOS and tuple(NAMES) == PANX_TAGS


def test_sentences_are_of_three_sorts_and_differ():
    drawn = read_items(101, "google/xtreme", "udpos.qaa", "train", 0.2)
    assert {type(item.meaning) for item in drawn} == {Clause, Link, Question}
    assert len({tuple(item.row["tokens"]) for item in drawn}) == len(drawn)
    assert len({tag for item in drawn for tag in item.row["pos_tags"]}) >= 9


def test_every_sentence_of_panx_has_a_name_and_all_sorts_occur():
    drawn = read_items(101, "google/xtreme", "PAN-X.qao", "test")
    assert all(any(item.row["ner_tags"]) for item in drawn)
    tags = Counter(NAMES[tag] for item in drawn for tag in item.row["ner_tags"])
    assert set(tags) == set(NAMES) - {"I-LOC"}  # places have names of one word


def test_corpora_of_languages_are_drawn_apart():
    rows = [read_items(101, "google/xtreme", f"udpos.{code}", "test", 0.3) for code in ("qaa", "qab")]
    assert not {item.meaning for item in rows[0]} == {item.meaning for item in rows[1]}


@pytest.mark.parametrize("code", ("qaa", "qao"))
def test_mentions_stand_where_they_are_said_to_and_link_to_a_candidate(code):
    config = "wikipedia_pairs" if code == "qaa" else f"wikinews_mentions.{code}"
    split = "train" if code == "qaa" else "test"
    candidates = {
        item.row["entity"]: item.row
        for item in read_items(101, "izhx/mewsli-x", "candidate_entities", "test")
        if item.row["language"] == "qaa"
    }
    assert len(candidates) == len({*WORLD.people, *WORLD.places, *WORLD.organisations})
    for item in read_items(101, "izhx/mewsli-x", config, split, 0.1):
        row = item.row
        assert row["context"][row["mention_start"] :].startswith(row["mention"])
        assert candidates[row["entity"]]["description"] == row["entity_description"]


def test_text_tells_of_everything():
    """Events in their order, facts, questions with their answers, combinations that training lacks."""
    documents = [item.meaning for item in read_items(101, "xt/text", "qaa", "train", 0.1)]
    assert {4, 5, 6, 7, 8} <= {len(told) for told in documents}
    said = [meaning for told in documents for meaning in told]
    assert {type(meaning) for meaning in said} == {Clause, Link, Question}
    asked = [(one, other) for told in documents for one, other in zip(told, told[1:], strict=False)]
    assert all(other.verb == one.clause.verb for one, other in asked if isinstance(one, Question))
    verbs = Counter(meaning.verb for meaning in said if isinstance(meaning, Clause))
    assert {"live", "be", "serve", "eat"} <= set(verbs)
    events = {(event.verb, event.object) for script in WORLD.scripts for event in script.events}
    done = {(c.verb, c.object.head) for c in said if isinstance(c, Clause) and c.object}
    assert len(events & done) > 0.9 * len(events)


def test_languages_have_as_much_text_as_their_level():
    spaced = {row.resource: code for code, row in LAB_LANGUAGES.items() if row.spaced}
    assert set(spaced) == set(RESOURCES)
    for level in RESOURCES.keys() - {"unseen"}:
        code, words = spaced[level], RESOURCES[level] // 20
        drawn = read_items(101, "xt/text", code, "train", 0.05)
        written = sum(len(item.row["text"].split()) for item in drawn)
        assert 0.8 * words < written <= 1.05 * words


def test_text_is_comparable_not_parallel():
    one, other = ([item.meaning for item in read_items(101, "xt/text", code, "train", 0.05)] for code in ("qaa", "qac"))
    assert one[:50] != other[:50]
    sizes = [Counter(len(told) for told in documents) for documents in (one, other)]
    assert abs(sizes[0][5] / len(one) - sizes[1][5] / len(other)) < 0.1
