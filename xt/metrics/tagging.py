"""Scores of tagged sentences: accuracy per token, and F1 of chunks.

`chunk_f1` and `span_f1` count the same way, the one over bare UPOS tags, the other over IOB2 tags.  The
rule is the lenient one of seqeval 0.0.12 (`seqeval/metrics/sequence_labeling.py`, after conlleval): the
first letter of a tag is its IOBES prefix, and what follows `X-` is its type; a tag without a hyphen is its
own type.  Tokens of one type form one chunk until the type changes, a `B` or `S` begins, or an `E` or `S`
has ended.

On bare UPOS tags this is XTREME's published "F1", with its quirk: SCONJ and SYM read as `S`, so each is a
chunk of its own, while NOUN NOUN is one chunk of two.  seqeval >= 0.0.19 drops the first letter from the
type, so that SCONJ and CCONJ become one; the numbers differ (70.217 against 70.398 on XTREME's mock data).
Over IOB2 all versions agree.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from xt.errors import DataError
from xt.metrics.metric import Metric, reduce_f1, reduce_mean

Sentences = Sequence[Sequence[str]]

OUTSIDE = ("O", ".")
ENDS_BEFORE = ("B", "S")  # a token with this prefix begins a new chunk
ENDS_AFTER = ("E", "S")  # after a token with this prefix a new chunk begins


def token_stats(predictions: Sentences, gold: Sentences, languages: Sequence[str] = ()) -> np.ndarray:
    """Tag names of N sentences -> (N, 2) integers (correct, tokens).  Raises DataError on unequal lengths."""
    lengths = match_lengths(predictions, gold)
    correct = np.array([p == g for p, g in zip(chain(*predictions), chain(*gold), strict=True)], dtype=bool)
    return np.column_stack([count_per_sentence(correct, lengths), lengths])


def chunk_stats(predictions: Sentences, gold: Sentences, languages: Sequence[str] = ()) -> np.ndarray:
    """Tag names of N sentences -> (N, 3) integers (tp, predicted, gold) chunks.

    A hit has equal type and borders.  Raises DataError when a prediction has another number of tags than
    gold.
    """
    lengths = match_lengths(predictions, gold)
    predicted_types, predicted_ends = find_chunks(predictions, lengths)
    gold_types, gold_ends = find_chunks(gold, lengths)
    hit = (predicted_types == gold_types) & (predicted_ends == gold_ends) & (gold_ends > 0)
    columns = (hit, predicted_ends > 0, gold_ends > 0)
    return np.column_stack([count_per_sentence(column, lengths) for column in columns])


def find_chunks(sentences: Sentences, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Types (T,) of all T tokens; ends (T,): at the start of a chunk the position after its end, else 0."""
    tags = list(chain(*sentences))
    prefixes = np.array([tag[:1] for tag in tags], dtype="U1")
    types = np.array([tag[2:] if tag[1:2] == "-" else tag for tag in tags], dtype=str)
    border = np.zeros(len(tags) + 1, dtype=bool)
    border[np.append(0, np.cumsum(lengths))] = True
    border[1:-1] |= types[1:] != types[:-1]
    border[:-1] |= np.isin(prefixes, ENDS_BEFORE)
    border[1:] |= np.isin(prefixes, ENDS_AFTER)
    positions = np.flatnonzero(border)
    ends = np.zeros(len(tags), dtype=np.int64)
    ends[positions[:-1]] = positions[1:]
    ends[np.isin(prefixes, OUTSIDE)] = 0
    return types, ends


def match_lengths(predictions: Sentences, gold: Sentences) -> np.ndarray:
    """Number of tokens of each sentence (N,).  Raises DataError, naming the sentence, if the sides differ."""
    if len(predictions) != len(gold):
        raise DataError(f"{len(predictions)} predicted sentences for {len(gold)} gold sentences")
    for row, (p, g) in enumerate(zip(predictions, gold, strict=True)):
        if len(p) != len(g):
            raise DataError(f"sentence {row}: {len(p)} predicted tags for {len(g)} gold tags")
    return np.array([len(sentence) for sentence in gold], dtype=np.int64)


def count_per_sentence(flags: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Flags of all tokens (T,) -> how many are set in each sentence (N,)."""
    return np.diff(np.append(0, np.cumsum(flags))[np.append(0, np.cumsum(lengths))])


TOKEN_ACCURACY = Metric("token_accuracy", ("correct", "tokens"), token_stats, reduce_mean)
CHUNK_F1 = Metric("chunk_f1", ("tp", "predicted", "gold"), chunk_stats, reduce_f1)
SPAN_F1 = Metric("span_f1", ("tp", "predicted", "gold"), chunk_stats, reduce_f1)
