"""Pairs, choices and single sentences: what a row holds, what is cut, and that cutting is counted."""

import numpy as np
import pytest

from xt.encode import FORMATS, encode_sentences
from xt.knobs import Knobs
from xt.tasks.examples import Classification, MultipleChoice

PAIR, CHOICE = FORMATS["classification"], FORMATS["multiple_choice"]
KNOBS = Knobs(max_seq_length=24)


def text(tokenizer, ids):
    return tokenizer.decode(ids, skip_special_tokens=True)


def test_a_pair_is_one_row_of_both_sentences_and_its_class(tokenizer):
    pair = Classification("1", "1", "en", "Nora writes .", "Nora sleeps .", 2)
    features = PAIR.encode([pair], tokenizer, KNOBS)
    assert text(tokenizer, features.input_ids[0]) == "Nora writes . Nora sleeps ."
    assert features.labels == [2] and features.num_truncated == 0
    assert PAIR.decode([np.array([0.1, 0.9, 0.3])], features, [pair], KNOBS) == [1]


def test_a_pair_that_is_too_long_loses_its_longer_sentence_and_is_counted(tokenizer):
    pair = Classification("1", "1", "en", "a b " * 20, "Nora sleeps .", 0)
    features = PAIR.encode([pair, pair], tokenizer, KNOBS)
    assert features.num_truncated == 2 and len(features.input_ids[0]) == 24
    assert text(tokenizer, features.input_ids[0]).endswith("Nora sleeps .")


def test_choices_are_rows_of_one_feature(tokenizer):
    question = MultipleChoice("1", "1", "en", "Nora takes a pen .", ("She writes .", "She sleeps ."), 1)
    features = CHOICE.encode([question, question], tokenizer, KNOBS)
    assert len(features) == 2 and features.rows_per_feature == 2 and len(features.input_ids) == 4
    assert text(tokenizer, features.input_ids[3]).endswith("She sleeps .")
    assert list(features.lengths) == [max(map(len, list(features.input_ids)[:2]))] * 2
    assert CHOICE.decode([np.array([0.2, 0.8])] * 2, features, [question] * 2, KNOBS) == [1, 1]


def test_a_long_prompt_keeps_its_end_and_the_whole_choice(tokenizer):
    question = MultipleChoice("1", "1", "en", "a b " * 20 + "Nora takes a pen", ("She writes .", "She sleeps ."), 0)
    features = CHOICE.encode([question], tokenizer, KNOBS)
    first = text(tokenizer, features.input_ids[0])
    assert first.endswith("Nora takes a pen She writes .") and len(features.input_ids[0]) <= 24
    assert features.num_truncated == 1


def test_a_choice_that_fills_the_row_is_shortened_at_its_end(tokenizer):
    question = MultipleChoice("1", "1", "en", "Nora", ("She writes " + "a b " * 30, "She sleeps ."), 0)
    features = CHOICE.encode([question], tokenizer, KNOBS)
    assert text(tokenizer, features.input_ids[0]).startswith("Nora She writes a b") and features.num_truncated == 1


def test_examples_with_different_numbers_of_choices_are_refused(tokenizer):
    rows = [MultipleChoice("1", "1", "en", "a", ("b", "c"), 0), MultipleChoice("2", "2", "en", "a", ("b", "c", "d"), 0)]
    with pytest.raises(ValueError, match=r"\[2, 3\] choices"):
        CHOICE.encode(rows, tokenizer, KNOBS)


def test_sentences_keep_their_special_tokens_and_cuts_are_counted(tokenizer):
    features = encode_sentences(["Nora writes .", "a b " * 40], tokenizer, KNOBS)
    assert features.input_ids[0][0] == tokenizer.cls_token_id and features.input_ids[0][-1] == tokenizer.sep_token_id
    assert len(features.input_ids[1]) == 24 and features.num_truncated == 1
