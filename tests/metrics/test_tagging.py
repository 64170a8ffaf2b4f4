"""Tagging metrics against seqeval 1.2.2, and XTREME's own reading of bare UPOS tags (seqeval 0.0.12)."""

import pytest
import seqeval.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from xt.errors import DataError
from xt.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore:.*seems not to be NE tag")

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
IOB2 = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
IOBES = (*IOB2, "E-PER", "S-PER", "E-LOC", "S-LOC")


def score(name, predictions, gold):
    metric = METRICS[name]
    return metric.reduce(metric.example_stats(predictions, gold).sum(0))


def corpora(tags):
    """Pairs of (predicted, gold) sentences; few distinct tags, so that chunks of several tokens occur."""
    token = st.tuples(st.sampled_from(tags), st.sampled_from(tags), st.booleans())
    sentence = st.lists(token, min_size=1, max_size=8)
    corpus = st.lists(sentence, min_size=1, max_size=3)
    return corpus.map(
        lambda rows: (
            [[g if same else p for p, g, same in row] for row in rows],
            [[g for _, g, _ in row] for row in rows],
        )
    )


def expect_seqeval(name, predictions, gold, rename=lambda tag: tag):
    renamed = [[[rename(tag) for tag in sentence] for sentence in side] for side in (gold, predictions)]
    has_chunks = any(tag != "O" for side in (gold, predictions) for sentence in side for tag in sentence)
    if has_chunks:
        assert score(name, predictions, gold) == pytest.approx(100 * seqeval.metrics.f1_score(*renamed))


@settings(max_examples=150, deadline=None)
@given(corpora(IOB2))
def test_span_f1_is_seqeval_on_iob2(corpus):
    expect_seqeval("span_f1", *corpus)


@settings(max_examples=100, deadline=None)
@given(corpora(IOBES))
def test_the_border_rule_is_seqeval_on_iobes(corpus):
    expect_seqeval("span_f1", *corpus)


@pytest.mark.parametrize("tags", [UPOS, ("NOUN", "SCONJ", "SYM", "INTJ")])
def test_chunk_f1_is_seqeval_0_0_12_on_bare_tags(tags):
    # 0.0.12 took the first letter as prefix and the whole tag as type; 1.2.2 reads `N-NOUN` in that way
    @settings(max_examples=100, deadline=None)
    @given(corpora(tags))
    def check(corpus):
        expect_seqeval("chunk_f1", *corpus, rename=lambda tag: f"{tag[0]}-{tag}")

    check()
    assert score("chunk_f1", [list(tags)], [list(tags)]) == 100


def test_accuracy_and_chunk_f1_are_far_apart():
    gold, predicted = [["NOUN", "NOUN", "NOUN", "VERB"]], [["NOUN", "ADJ", "NOUN", "VERB"]]
    assert score("token_accuracy", predicted, gold) == 75
    assert score("chunk_f1", predicted, gold) == pytest.approx(100 / 3)


@pytest.mark.parametrize(("tag", "chunks"), [("NOUN", 1), ("INTJ", 1), ("SCONJ", 3), ("SYM", 3)])
def test_tags_that_begin_with_s_are_single(tag, chunks):
    stats = METRICS["chunk_f1"].example_stats([[tag] * 3], [[tag] * 3])
    assert stats.tolist() == [[chunks] * 3]


def test_sconj_and_cconj_stay_apart():
    assert score("chunk_f1", [["SCONJ"]], [["CCONJ"]]) == 0


def test_chunks_do_not_cross_sentences():
    sentences = [["NOUN"], [], ["NOUN", "NOUN"]]
    stats = METRICS["chunk_f1"].example_stats(sentences, sentences)
    assert stats.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1]]


def test_unequal_lengths_name_the_sentence():
    with pytest.raises(DataError, match="sentence 1: 1 predicted tags for 2 gold"):
        METRICS["span_f1"].example_stats([["O"], ["O"]], [["O"], ["O", "O"]])
