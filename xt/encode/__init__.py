"""Text to features and back, one file per format. `FORMATS` is the table by which the rest finds them.

What is encoded here is kept on disk (`cache`); the functions in the files of the formats encode each time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xt.encode import ranking, retrieval
from xt.encode.cache import kept
from xt.encode.classification import decode_classification, encode_classification
from xt.encode.features import Features
from xt.encode.multiple_choice import decode_multiple_choice, encode_multiple_choice
from xt.encode.ranking import decode_ranking, encode_ranking
from xt.encode.span_qa import decode_span_qa, decode_span_qa_v2, drop_empty_windows, encode_span_qa
from xt.encode.tagging import decode_tagging, encode_tagging


def keep_all(features: Features, knobs, rng) -> Features:
    """Training features as they are."""
    return features


def keep_some_windows(features: Features, knobs, rng) -> Features:
    """Training features with at most `knobs.empty_windows` windows without the answer per question."""
    return drop_empty_windows(features, knobs.empty_windows, rng)


def keep_one_window(features: Features, knobs, rng) -> Features:
    """The same, but at least one: of a question without an answer every window is one without the answer."""
    limit = knobs.empty_windows
    return drop_empty_windows(features, limit if limit < 0 else max(1, limit), rng)


encode_sentences = kept(retrieval.encode_sentences, "max_seq_length")
encode_queries = kept(ranking.encode_queries, "max_query_length")
encode_candidates = kept(ranking.encode_candidates, "max_seq_length")


@dataclass(frozen=True)
class Format:
    """How one task format becomes features and predictions."""

    encode: Callable  # (examples, tokenizer, knobs) -> Features
    decode: Callable  # (outputs, features, examples, knobs) -> one prediction per example
    thin: Callable = keep_all  # (features, knobs, rng) -> the features that training sees


ENCODE_SPANS = kept(encode_span_qa, "max_seq_length", "max_query_length", "doc_stride")
FORMATS: Mapping[str, Format] = {
    "classification": Format(kept(encode_classification, "max_seq_length"), decode_classification),
    "multiple_choice": Format(kept(encode_multiple_choice, "max_seq_length"), decode_multiple_choice),
    "tagging": Format(kept(encode_tagging, "max_seq_length"), decode_tagging),
    "span_qa": Format(ENCODE_SPANS, decode_span_qa, keep_some_windows),
    "span_qa_v2": Format(ENCODE_SPANS, decode_span_qa_v2, keep_one_window),
    "ranking": Format(kept(encode_ranking, "max_seq_length", "max_query_length"), decode_ranking),
}
