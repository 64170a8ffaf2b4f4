"""Windows and spans: characters to tokens and back, by offsets only."""

from dataclasses import replace

import numpy as np
import pytest

from xt.encode import FORMATS
from xt.encode.span_qa import best_span, drop_empty_windows
from xt.knobs import Knobs
from xt.tasks.examples import Answer, SpanQA

KNOBS = Knobs(max_seq_length=32, doc_stride=12, max_query_length=8, max_answer_length=32)
FORM = FORMATS["span_qa"]


def example(context, answer, question="wo?", start=None):
    start = context.index(answer) if start is None else start
    return SpanQA("1", "1", "en", question, context, (Answer(answer, start),))


def decode_gold(examples, tokenizer, knobs=KNOBS):
    """What decoding returns when the gold positions have the highest scores."""
    features = FORM.encode(examples, tokenizer, knobs)
    outputs = []
    for ids, (first, last) in zip(features.input_ids, features.labels, strict=True):
        scores = np.full((len(ids), 2), -1.0, dtype=np.float32)
        if last:
            scores[first, 0] = scores[last, 1] = 10
        outputs.append(scores)
    return FORM.decode(outputs, features, examples, knobs)


LONG = "Nora writes a letter . " * 9
AWKWARD = {
    "combining mark": ("Das Cafe\u0301 am Markt liegt in Zu\u0308rich .", "Markt"),
    "precomposed": ("Das Café am Markt liegt in Zürich .", "Zürich"),
    "arabic": ("ولدت ليلى في مدينة القاهرة عام 1990 .", "القاهرة"),
    "arabic at the very end": ("ولدت ليلى في مدينة القاهرة", "القاهرة"),
    "hebrew with points": ("הילד אכל תפוח בְּבַיִת קטן", "בְּבַיִת"),
    "hindi": ("लीला दिल्ली में रहती है ।", "दिल्ली"),
    "very beginning": ("Nora writes a letter .", "Nora"),
    "whole context": ("Nora", "Nora"),
    "far behind the first window": (LONG + "Omar sings in Oslo .", "Oslo"),
    "answer over two words with two blanks": ("Nora  writes  a letter .", "writes  a"),
    "emoji beside": ("Nora 👩‍👧 writes .", "writes"),
}


@pytest.mark.parametrize("context, answer", AWKWARD.values(), ids=AWKWARD.keys())
def test_gold_positions_decode_to_the_gold_text(tokenizer, context, answer):
    assert decode_gold([example(context, answer)], tokenizer) == [answer]


@pytest.mark.parametrize(
    "context, answer",
    [
        ("李娜住在北京的一个小区里。", "北京"),
        ("田中さんは東京に住んでいます。", "東京"),
        ("นิดาอยู่ที่กรุงเทพมานาน", "กรุงเทพ"),
    ],
    ids=["chinese", "japanese", "thai"],
)
def test_scripts_without_spaces_need_no_blank_around_an_answer(tokenizer, context, answer):
    decoded = decode_gold([example(context, answer)], tokenizer)[0]
    assert answer in decoded and len(decoded) <= len(answer) + 6
    offsets = FORM.encode([example(context, answer)], tokenizer, KNOBS).offsets[0]
    start, end = context.index(answer), context.index(answer) + len(answer)
    if start in offsets[:, 0] and end in offsets[:, 1]:
        assert decoded == answer


def test_an_answer_inside_a_token_decodes_to_the_shortest_covering_span(tokenizer):
    context = "Nora writes a letter ."
    offsets = FORM.encode([example(context, "Nora")], tokenizer, KNOBS).offsets[0]
    assert tuple(offsets[np.flatnonzero(offsets[:, 0] == 5)[0]]) == (5, 11), "`writes` is one token of this vocabulary"
    assert decode_gold([example(context, "rite")], tokenizer) == ["writes"]


def test_windows_cover_the_context_and_overlap_by_the_stride(tokenizer):
    examples = [example(LONG, "letter")]
    features = FORM.encode(examples, tokenizer, KNOBS)
    spans = [offsets[offsets[:, 1] > offsets[:, 0]] for offsets in features.offsets]
    assert len(spans) > 2 and all(len(ids) <= KNOBS.max_seq_length for ids in features.input_ids)
    covered = {place for rows in spans for start, end in rows for place in range(start, end)}
    assert covered == {place for place, letter in enumerate(LONG) if not letter.isspace()}
    ids = [row[offsets[:, 0] >= 0] for row, offsets in zip(features.input_ids, features.offsets, strict=True)]
    for left, right in zip(ids, ids[1:], strict=False):
        assert list(left[-KNOBS.doc_stride :]) == list(right[: KNOBS.doc_stride])


@pytest.mark.parametrize("repeats", range(1, 9))
def test_an_answer_at_a_window_edge_is_whole_in_some_window(tokenizer, repeats):
    context = "a b " * repeats * 2 + "Nora writes " + "a b " * 10
    assert decode_gold([example(context, "Nora writes")], tokenizer) == ["Nora writes"]


def test_a_window_with_half_the_answer_is_labelled_empty(tokenizer):
    context = "a b " * 30 + "Nora writes a letter ." + " a b" * 30
    features = FORM.encode([example(context, "Nora writes a letter")], tokenizer, KNOBS)
    for offsets, (first, last) in zip(features.offsets, features.labels, strict=True):
        text = context[offsets[first][0] : offsets[last][1]] if last else ""
        assert text in {"", "Nora writes a letter"}
    assert sum(label[1] > 0 for label in features.labels) >= 1


def test_empty_windows_are_thinned_to_the_limit_and_full_ones_kept(tokenizer):
    features = FORM.encode([example(LONG * 3 + "Oslo", "Oslo")] * 2, tokenizer, KNOBS)
    full = sum(label[1] > 0 for label in features.labels)
    for limit, expected in ((-1, len(features)), (0, full), (1, full + 2)):
        thinned = drop_empty_windows(features, limit, np.random.default_rng(0))
        assert len(thinned) == expected
        assert sum(label[1] > 0 for label in thinned.labels) == full


def test_a_long_question_is_shortened_and_counted(tokenizer):
    long = "where does Nora write a letter in the morning before the others come and see it ?"
    features = FORM.encode([example("Nora writes .", "Nora", question=long)], tokenizer, KNOBS)
    assert features.num_truncated == 1
    assert FORM.encode([example("Nora writes .", "Nora")], tokenizer, KNOBS).num_truncated == 0


def test_a_window_without_room_for_context_is_refused(tokenizer):
    with pytest.raises(ValueError, match="max_seq_length = 32 leaves no room.*allowed"):
        FORM.encode([example("Nora", "Nora")], tokenizer, replace(KNOBS, doc_stride=24))


def test_best_span_never_ends_before_it_starts_nor_exceeds_the_length_nor_leaves_the_context():
    rng = np.random.default_rng(1)
    for _ in range(50):
        scores = rng.normal(size=(20, 2))
        offsets = np.array([[-1, -1]] * 5 + [[3 * i, 3 * i + 2] for i in range(12)] + [[-1, -1]] * 3)
        _, start, end = best_span(scores, offsets, 4)
        pairs = {
            (scores[i, 0] + scores[j, 1], offsets[i, 0], offsets[j, 1])
            for i in range(5, 17)
            for j in range(i, min(i + 4, 17))
        }
        assert (start, end) == max(pairs)[1:]


@pytest.mark.parametrize("empty", [-1, 0, 1])
def test_a_question_without_an_answer_keeps_a_window_when_windows_are_thinned(tokenizer, empty):
    knobs = Knobs(max_seq_length=20, doc_stride=2, max_query_length=8, empty_windows=empty)
    context = "Nora writes a letter . " * 8
    examples = [
        SpanQA("1", "1", "en", "Omar", context, (Answer("Nora", 0),)),
        SpanQA("2", "2", "en", "Omar", context, ()),
    ]
    form = FORMATS["span_qa_v2"]
    encoded = form.encode(examples, tokenizer, knobs)
    kept = form.thin(encoded, knobs, np.random.default_rng(0))
    counts = np.bincount(kept.example_index, minlength=2).tolist()
    windows = len(encoded) // 2
    assert windows > 2 and counts == ([windows, windows] if empty < 0 else [2, 1])


def test_the_no_answer_score_is_the_lowest_null_of_all_windows_less_the_best_span(tokenizer):
    form, knobs = FORMATS["span_qa_v2"], replace(KNOBS, max_answer_length=2)
    examples = [example(LONG + "Omar sings .", "Omar"), example("Nora writes .", "writes")]
    features = form.encode(examples, tokenizer, knobs)
    owners = features.example_index
    assert (owners == 0).sum() > 1
    outputs = [np.zeros((len(ids), 2), dtype=np.float32) for ids in features.input_ids]
    nulls = np.arange(len(outputs), 0, -1, dtype=float)
    for scores, null in zip(outputs, nulls, strict=True):
        scores[0] = null / 2
    first, last = features.labels[-1]
    outputs[-1][first, 0] = outputs[-1][last, 1] = 2.0
    found = form.decode(outputs, features, examples, knobs)
    assert found[1] == ("writes", nulls[-1] - 4.0)
    assert found[0][1] == nulls[owners == 0].min() - 0.0 and found[0][0] in examples[0].context
    assert [text for text, _ in found] == FORM.decode(outputs, features, examples, knobs)


def test_windows_without_any_text_answer_nothing_with_certainty(tokenizer):
    blank = [replace(example("Nora .", "Nora"), context=" ", answers=())]
    features = FORMATS["span_qa_v2"].encode(blank, tokenizer, KNOBS)
    outputs = [np.zeros((len(ids), 2), dtype=np.float32) for ids in features.input_ids]
    assert FORMATS["span_qa_v2"].decode(outputs, features, blank, KNOBS) == [("", np.inf)]
