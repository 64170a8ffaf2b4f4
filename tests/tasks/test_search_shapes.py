"""Sentences of passages, and the sentence of an answer."""

import pytest

from xt.tasks.search_shapes import questions_with_sentences, split_sentences
from xt.tasks.sources import Release


def sentences(text):
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ('He said "No." Then 3.5 km.', ['He said "No."', "Then 3.5 km."]),
        ("  Eins … und zwei", ["Eins … und zwei"]),
        ("一。二！三", ["一。", "二！", "三"]),
        ("नमस्ते। यह ठीक है।", ["नमस्ते।", "यह ठीक है।"]),
        ("ما هذا؟ هذا كتاب.", ["ما هذا؟", "هذا كتاب."]),
        ("วันนี้ฝนตก เราไปตลาดกัน", ["วันนี้ฝนตก เราไปตลาดกัน"]),
    ],
)
def test_sentences_end_at_their_marks(text, parts):
    assert sentences(text) == parts


def read_passages(context, *found):
    rows = [
        {"id": str(n), "question": "?", "context": context, "answers": {"text": [text], "answer_start": [start]}}
        for n, (text, start) in enumerate(found)
    ]
    return [row["passage"] for row in questions_with_sentences(Release(rows, (), "en", "en", "some file"))]


def test_the_sentences_that_an_answer_touches_are_joined():
    context = "Ann came. Ben left. Cy slept."
    assert read_passages(context, ("Ben", 10), ("came. Ben", 4), ("Ann came.", 0), ("left. Cy", 14)) == [
        "Ben left.",
        "Ann came. Ben left.",
        "Ann came.",
        "Ben left. Cy slept.",
    ]


def test_offsets_of_a_stripped_passage_are_repaired_before_it_is_cut():
    assert read_passages("Ann came. Ben left.", ("Ben", 12), ("Ann", 2)) == ["Ben left.", "Ann came."]
