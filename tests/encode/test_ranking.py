"""Queries and candidates as rows: what stands in them, what is cut and counted, and rankings of passages."""

import numpy as np

from xt.encode import FORMATS, encode_candidates, encode_queries
from xt.knobs import Knobs
from xt.tasks.examples import QueryPassage

FORM = FORMATS["ranking"]
KNOBS = Knobs(max_seq_length=24, max_query_length=10)


def pair(query, passage, context=""):
    return QueryPassage("1", "1", "en", query, passage, context)


def text(tokenizer, ids):
    return tokenizer.decode(ids, skip_special_tokens=True)


def test_a_feature_is_the_row_of_the_query_and_the_row_of_the_passage_in_its_context(tokenizer):
    examples = [pair("Nora writes", "She sleeps ."), pair("Omar", "a pen", "Nora takes a pen .")]
    features = FORM.encode(examples, tokenizer, KNOBS)
    assert len(features) == 2 and features.rows_per_feature == 2 and features.num_truncated == 0
    shown = [text(tokenizer, ids) for ids in features.input_ids]
    assert shown == ["Nora writes", "She sleeps .", "Omar", "a pen Nora takes a pen ."]
    separators = [list(ids).count(tokenizer.sep_token_id) for ids in features.input_ids]
    assert separators[3] > separators[1], "passage and context are told apart"
    sizes = [len(ids) for ids in features.input_ids]
    assert list(features.lengths) == [max(sizes[:2]), max(sizes[2:])]


def test_alone_queries_and_candidates_are_the_same_rows(tokenizer):
    examples = [pair("Nora writes", "She sleeps .", "Oslo . She sleeps ."), pair("Omar", "a pen")]
    both = list(FORM.encode(examples, tokenizer, KNOBS).input_ids)
    queries = encode_queries([e.query for e in examples], tokenizer, KNOBS)
    candidates = encode_candidates([(e.passage, e.context) for e in examples], tokenizer, KNOBS)
    assert [list(row) for row in queries.input_ids] == [list(both[0]), list(both[2])]
    assert [list(row) for row in candidates.input_ids] == [list(both[1]), list(both[3])]


def test_the_context_is_cut_before_the_passage_and_examples_with_a_cut_are_counted_once(tokenizer):
    whole = pair("Omar", "She sleeps in Oslo .")
    long_context = pair("Omar", "She sleeps in Oslo .", "a b " * 30)
    long_passage = pair("Omar", "a b " * 30, "Nora writes")
    long_query = pair("a b " * 30, "a b " * 30)
    features = FORM.encode([whole, long_context, long_passage, long_query], tokenizer, KNOBS)
    rows = list(features.input_ids)
    assert text(tokenizer, rows[3]).startswith("She sleeps in Oslo . a b a b") and len(rows[3]) == 24
    assert len(rows[5]) <= 24 and text(tokenizer, rows[5]).startswith("a b a b")
    assert len(rows[6]) == 10 and len(rows[7]) == 24
    assert features.num_truncated == 3


def test_passages_are_ranked_by_their_vectors_and_equal_ones_are_one_candidate(tokenizer):
    examples = [pair("a", "Nora ."), pair("b", "Oslo ."), pair("c", "Nora ."), pair("d", "Nora .", "Nora . Oslo .")]
    vectors = {"a": [1, 0], "b": [0, 1], "c": [1, 0.1], "Nora .": [1, 0], "Oslo .": [0, 1]}
    outputs = [np.array([vectors.get(e.query, [0.4, 0.6]), vectors[e.passage]], dtype=np.float32) for e in examples]
    outputs[3][1] = [0.5, 0.5]
    names = [example.relevant[0] for example in examples]
    assert names[0] == names[2] and len({*names}) == 3
    ranked = FORM.decode(outputs, None, examples, KNOBS)
    nora, oslo, both = names[0], names[1], names[3]
    assert ranked == [[nora, both, oslo], [oslo, both, nora], [nora, both, oslo], [oslo, both, nora]]
