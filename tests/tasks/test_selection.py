"""Slices, caps and shuffled labels."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xt.tasks import Answer, Classification, MultipleChoice, SentencePair, SpanQA, shuffle_labels
from xt.tasks.selection import cap_examples, split_off


def build_examples(clusters):
    return [Classification(str(i), f"c{c}", "en", "p", "h", i % 3) for i, c in enumerate(clusters)]


CLUSTERS = st.lists(st.integers(0, 6), max_size=40).map(build_examples)


@given(CLUSTERS, st.integers(0, 50), st.integers(0, 3))
def test_a_slice_takes_whole_clusters_and_at_most_its_size(examples, size, data_seed):
    rest, chosen = split_off(examples, size, data_seed)
    assert len(chosen) <= size
    assert not {e.cluster for e in rest} & {e.cluster for e in chosen}
    assert sorted(rest + chosen, key=lambda e: int(e.id)) == examples
    assert chosen == [e for e in examples if e in chosen] and rest == [e for e in examples if e in rest]


@given(CLUSTERS, st.integers(1, 40), st.integers(0, 40), st.integers(0, 3))
def test_a_larger_cap_is_a_superset(examples, cap, more, data_seed):
    smaller, larger = (cap_examples(examples, size, data_seed) for size in (cap, cap + more))
    assert len(smaller) == min(cap, len(examples))
    assert set(smaller) <= set(larger)
    assert cap_examples(examples, None, data_seed) == examples


def test_a_cap_depends_on_clusters_not_on_the_order_of_rows():
    examples = build_examples(range(30))
    kept = cap_examples(examples, 10, data_seed=0)
    assert set(cap_examples(examples[::-1], 10, data_seed=0)) == set(kept)
    assert kept != examples[:10]  # no head of the file
    assert [int(e.id) for e in kept] == [0, 1, 2, 4, 5, 6, 12, 19, 27, 29]  # the same on every machine


def test_shuffled_labels_keep_texts_and_counts():
    examples = build_examples(range(60))
    shuffled = shuffle_labels(examples, np.random.default_rng(0))
    assert [(e.id, e.premise) for e in shuffled] == [(e.id, e.premise) for e in examples]
    assert Counter(e.label for e in shuffled) == Counter(e.label for e in examples)
    assert sum(a.label == b.label for a, b in zip(examples, shuffled, strict=True)) < 40
    assert shuffled == shuffle_labels(examples, np.random.default_rng(0))
    assert shuffled != shuffle_labels(examples, np.random.default_rng(1))


def test_labels_of_choices_are_shuffled_and_those_of_pairs_cannot_be():
    choices = [MultipleChoice(str(i), str(i), "en", "p", ("a", "b"), i % 2) for i in range(20)]
    assert {type(e) for e in shuffle_labels(choices, np.random.default_rng(0))} == {MultipleChoice}
    with pytest.raises(ValueError, match="SentencePair has no label to shuffle"):
        shuffle_labels([SentencePair("0", "0", "de", "a", "b")], np.random.default_rng(0))


def test_displaced_answers_are_as_many_words_somewhere_in_the_same_passage():
    context = "one two three four five six seven eight"
    examples = [SpanQA(str(i), str(i), "en", "q", context, (Answer("three four", 8),)) for i in range(200)]
    displaced = shuffle_labels(examples, np.random.default_rng(0))
    answers = [answer for example in displaced for answer in example.answers]
    assert all(context.startswith(answer.text, answer.start) and len(answer.text.split()) == 2 for answer in answers)
    starts = Counter(answer.start for answer in answers)
    assert len(starts) == 7 and max(starts.values()) < 50, "everywhere, and nowhere more often"
    assert [e.context for e in displaced] == [e.context for e in examples]


def test_which_questions_have_an_answer_is_shuffled_too():
    context, none = "one two three four five six seven eight", ()
    examples = [SpanQA(str(i), str(i), "en", "q", context, none if i % 3 else (Answer("six", 24),)) for i in range(300)]
    displaced = shuffle_labels(examples, np.random.default_rng(0))
    assert Counter(len(example.answers) for example in displaced) == {0: 200, 1: 100}
    assert sum(bool(a.answers) == bool(b.answers) for a, b in zip(examples, displaced, strict=True)) < 220
    assert all(context.startswith(e.answers[0].text, e.answers[0].start) for e in displaced if e.answers)
