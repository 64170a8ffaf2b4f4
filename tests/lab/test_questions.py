"""Questions on passages: where answers lie, and what else could be one."""

from collections import Counter

import pytest

from tests.lab.quality import read_items
from xt.lab.meaning import Link

SQUAD = ("rajpurkar/squad", "plain_text", "train", 0.2)


@pytest.mark.parametrize("code", ("qaa", "qac", "qaf", "qal", "qao"))
@pytest.mark.parametrize("dataset, config", (("google/xtreme", "XQuAD.{}"), ("google-research-datasets/xquad_r", "{}")))
def test_answers_lie_where_their_offsets_say(dataset, config, code):
    for item in read_items(101, dataset, config.format(code), "validation", 0.3):
        context, answers = item.row["context"], item.row["answers"]
        (text,), (start,) = answers["text"], answers["answer_start"]
        assert text and context[start : start + len(text)] == text


def test_passages_have_four_to_seven_sentences_and_several_candidates():
    drawn = read_items(101, *SQUAD)
    assert {len(told) for told, _ in (item.meaning for item in drawn)} == {4, 5, 6, 7}
    shared = 0
    for item in drawn:
        told, asked = item.meaning
        slot = "object" if asked.slot == "number" else asked.slot
        shared += len({getattr(clause, slot) for clause in told} - {None}) > 1
    assert shared > 0.85 * len(drawn)


def test_the_answer_may_stand_in_any_sentence_and_any_slot():
    drawn = read_items(101, *SQUAD)
    places = Counter(item.meaning[1].index for item in drawn if len(item.meaning[0]) == 5)
    assert set(places) == set(range(5)) and max(places.values()) < 2 * min(places.values())
    slots = Counter(item.meaning[1].slot for item in drawn)
    assert set(slots) == {"subject", "object", "recipient", "place", "time", "number"}
    assert min(slots.values()) > 0.05 * len(drawn)


def test_most_questions_need_more_than_one_word_of_their_sentence():
    """The verb alone seldom tells which sentence is asked about."""
    drawn = read_items(101, *SQUAD)
    same = [
        sum(clause.verb == item.meaning[1].question.clause.verb for clause in item.meaning[0]) > 1 for item in drawn
    ]
    assert sum(same) > 0.5 * len(same)


def test_what_has_no_answer_mentions_only_what_the_passage_does():
    drawn = read_items(101, "rajpurkar/squad_v2", "squad_v2", "train", 0.2)
    unanswerable = [item for item in drawn if not item.row["answers"]["text"]]
    assert len(unanswerable) == len(drawn) / 3
    for item in unanswerable:
        told, asked = item.meaning
        said = {getattr(clause, slot) for clause in told for slot in ("subject", "object", "recipient", "place")}
        wanted = asked.question.clause
        heads = {thing.head for thing in said if thing}
        mentioned = [wanted.subject, wanted.object, wanted.recipient, wanted.place]
        named = {thing.head for thing in mentioned if thing and thing.head not in ("who", "what", "where")}
        assert asked.index == -1 and item.row["answers"]["answer_start"] == []
        assert named <= heads and wanted.verb in {clause.verb for clause in told}


def test_mlqa_asks_in_one_language_about_a_passage_in_another():
    same, crossed, asked = (
        [item.row for item in read_items(101, "google/xtreme", f"MLQA.{config}", "test", 0.1)]
        for config in ("qab.qab", "qab.qaj", "qaj.qaj")
    )
    assert [row["context"] for row in crossed] == [row["context"] for row in same]
    assert [row["question"] for row in crossed] == [row["question"] for row in asked]
    assert [row["id"] for row in crossed] == [row["id"] for row in asked]
    assert not {row["question"] for row in crossed} & {row["question"] for row in same}


def test_tydiqa_has_its_own_questions_in_every_language_on_joined_clauses():
    drawn = read_items(101, "google/xtreme", "tydiqa", "validation", 0.1)
    by_language = {}
    for item in drawn:
        by_language.setdefault(item.row["id"].split("-")[0], []).append(item.meaning)
        text, start = item.row["answers"]["text"][0], item.row["answers"]["answer_start"][0]
        assert item.row["context"][start:].startswith(text)
    assert len(by_language) == 24 and by_language["qaa"] != by_language["qab"]
    assert any(isinstance(said, Link) for told, _ in by_language["qaa"] for said in told)
    assert any(asked.slot.startswith("second.") for _, asked in by_language["qaa"])


def test_lareqa_breaks_xquads_passages_into_sentences():
    for code in ("qaa", "qao"):
        rows = [item.row for item in read_items(101, "google-research-datasets/xquad_r", code, "validation", 0.1)]
        xquad = [item.row for item in read_items(101, "google/xtreme", f"XQuAD.{code}", "validation", 0.1)]
        for row, other in zip(rows, xquad, strict=True):
            assert {key: row[key] for key in other} == other
            assert [row["context"][start:end] for start, end in row["sentence_breaks"]] == row["sentences"]
            assert "".join(row["sentences"]).replace(" ", "") == row["context"].replace(" ", "")
