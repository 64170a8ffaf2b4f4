"""Words to first subwords and back; long sentences are split and joined, never cut."""

import numpy as np

from xt.encode import FORMATS
from xt.encode.features import IGNORED
from xt.knobs import Knobs
from xt.tasks.examples import Tagging

FORM = FORMATS["tagging"]


def sentence(words, tags=None, id="1"):
    return Tagging(id, id, "en", tuple(words), tuple(tags or [place % 17 for place in range(len(words))]))


def decode_gold(examples, tokenizer, knobs):
    features = FORM.encode(examples, tokenizer, knobs)
    outputs = [np.where(labels >= 0, labels, 16) for labels in features.labels]
    return features, FORM.decode(outputs, features, examples, knobs)


def test_the_first_subword_carries_the_tag_and_the_others_none(tokenizer):
    features = FORM.encode([sentence(["Nora", "xyzzy", "writes"], [3, 5, 7])], tokenizer, Knobs(max_seq_length=64))
    labels = features.labels[0]
    assert [tag for tag in labels if tag != IGNORED] == [3, 5, 7]
    assert len(labels) > 5, "xyzzy is spelt in several subwords"
    pieces = tokenizer.convert_ids_to_tokens(features.input_ids[0])
    assert [piece[0] for piece, tag in zip(pieces, labels, strict=True) if tag != IGNORED] == ["▁", "▁", "▁"]


def test_long_sentences_come_back_whole_in_order_and_mixed_with_short_ones(tokenizer):
    knobs = Knobs(max_seq_length=16)
    words = ["Nora", "writes", "Überraschung", "这是", "a", "letter", "ครับ"]
    examples = [sentence(words * 13, id="long"), sentence(words[:2], id="short"), sentence(words * 7, id="middle")]
    features, tags = decode_gold(examples, tokenizer, knobs)
    assert len(features) > 10 and max(map(len, features.input_ids)) <= 16
    assert [list(row) for row in tags] == [list(example.tags) for example in examples]
    assert features.num_truncated == 0


def test_a_word_longer_than_the_model_keeps_its_tag_and_is_counted(tokenizer):
    features, tags = decode_gold([sentence(["a", "x" * 60, "b"], [1, 2, 3])], tokenizer, Knobs(max_seq_length=16))
    assert list(tags[0]) == [1, 2, 3]
    assert features.num_truncated == 1


def test_words_that_the_normaliser_empties_are_tagged_too(tokenizer):
    words = ["a", "\u200b", " ", "b", "\ufeff"]
    _, tags = decode_gold([sentence(words, [1, 2, 3, 4, 5])], tokenizer, Knobs(max_seq_length=32))
    assert list(tags[0]) == [1, 2, 3, 4, 5]


def test_over_all_parts_of_a_sentence_each_word_is_labelled_once_with_its_own_tag_and_nothing_else_is(tokenizer):
    words = ["Nora", "Überraschung", "x" * 60, "这是", "a", "letter"] * 5
    example = sentence(words, [place % 13 + 1 for place in range(len(words))])
    features = FORM.encode([example], tokenizer, Knobs(max_seq_length=16))
    labels = np.concatenate(features.labels)
    assert list(labels[labels != IGNORED]) == list(example.tags), "what is cut off has no label, and shifts none"
    assert len(features) > 5 and features.num_truncated == 5
    for ids, row in zip(features.input_ids, features.labels, strict=True):
        assert row[0] == row[-1] == IGNORED and len(ids) == len(row)
