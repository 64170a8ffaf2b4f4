"""Ranking: a query in one row, a candidate in another -> vectors; vectors -> ranked ids."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from xt.encode.features import Features, Ragged, chunk, cut_texts
from xt.metrics.ranking import CUTOFF
from xt.neighbours import ranked


def encode_ranking(examples, tokenizer, knobs) -> Features:
    """Features of `QueryPassage` examples: two rows each, the query and its passage; () int64 label, without meaning.

    See `encode_queries` and `encode_candidates`. An example of which either row is cut counts once in `num_truncated`.
    """
    queries = query_rows([example.query for example in examples], tokenizer, knobs)
    candidates = candidate_rows([(example.passage, example.context) for example in examples], tokenizer, knobs)
    rows = [row for pair in zip(queries, candidates, strict=True) for row in pair]
    return as_features(rows, rows_per_feature=2, labels=[np.int64(0)] * len(examples))


def encode_queries(texts: Sequence[str], tokenizer, knobs) -> Features:
    """Features of N queries, one row each of at most `knobs.max_query_length` tokens, special ones included."""
    return as_features(query_rows(texts, tokenizer, knobs))


def encode_candidates(texts: Sequence[tuple[str, str]], tokenizer, knobs) -> Features:
    """Features of N (text, context) candidates, one row each of at most `knobs.max_seq_length` tokens.

    The row is the pair of text and context, or the text alone where the context is empty. The context loses its end
    first; the text only where it alone is too long.
    """
    return as_features(candidate_rows(texts, tokenizer, knobs))


def decode_ranking(outputs, features: Features, examples, knobs) -> list[list[str]]:
    """The 20 best passages for each query, among the distinct passages of the same examples.

    `outputs`: F arrays (2, H), a query's vector and its passage's. A passage is named as in `QueryPassage.relevant`.
    """
    names = [example.relevant[0] for example in examples]
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    chosen = sorted(first.values())
    vectors = torch.from_numpy(np.stack(outputs))
    found = ranked(vectors[:, 0], vectors[chosen, 1], CUTOFF, "cpu")
    return [[names[chosen[place]] for place in places] for places in found.places.tolist()]


@dataclass(frozen=True)
class Row:
    """One row before rows become features."""

    ids: list[int]
    token_types: list[int] | None
    cut: bool


def query_rows(texts: Sequence[str], tokenizer, knobs) -> list[Row]:
    """One row per query."""
    return tokenize(tokenizer, knobs.max_query_length, True, list(texts))


def candidate_rows(texts: Sequence[tuple[str, str]], tokenizer, knobs) -> list[Row]:
    """One row per (text, context)."""
    room = knobs.max_seq_length - tokenizer.num_special_tokens_to_add(pair=True) - 1
    contexts = [context for _, context in texts if context]
    whole = [text for text, context in texts if context]
    kept = fit_texts(whole, tokenizer, room)
    beginnings = shorten_all(contexts, tokenizer, knobs.max_seq_length)
    paired = iter(tokenize(tokenizer, knobs.max_seq_length, "only_second", kept, beginnings))
    shortened = iter(
        (short, beginning) != (text, context)
        for short, beginning, text, context in zip(kept, beginnings, whole, contexts, strict=True)
    )
    alone = iter(tokenize(tokenizer, knobs.max_seq_length, True, [text for text, context in texts if not context]))
    return [
        replace(row, cut=row.cut or next(shortened)) if context else row
        for row, context in ((next(paired if context else alone), context) for _, context in texts)
    ]


def shorten_all(contexts: Sequence[str], tokenizer, max_tokens: int) -> list[str]:
    """The contexts, each or its beginning of `max_tokens` tokens; many candidates share one, which is read once."""
    distinct = list(dict.fromkeys(contexts))
    short = dict(zip(distinct, cut_texts(distinct, tokenizer, max_tokens), strict=True))
    return [short[context] for context in contexts]


def fit_texts(texts: Sequence[str], tokenizer, room: int) -> list[str]:
    """The texts, each or its beginning, so that it has at most `room` tokens by itself (a beginning of a text may be
    parted otherwise than in the whole of it, into more tokens)."""
    kept, limit, left = cut_texts(texts, tokenizer, room), room, np.arange(len(texts))
    while len(left):
        sizes = tokenizer([kept[place] for place in left], add_special_tokens=False, verbose=False)["input_ids"]
        left, limit = left[np.fromiter(map(len, sizes), dtype=int) > room], limit - 1
        for place, text in zip(left, cut_texts([kept[place] for place in left], tokenizer, limit), strict=True):
            kept[place] = text
    return kept


def tokenize(tokenizer, max_length: int, truncation, *texts: list[str]) -> list[Row]:
    """Rows of single texts, or of pairs."""
    if not texts[0]:
        return []
    encoding = tokenizer(*texts, truncation=truncation, max_length=max_length)
    types = encoding.get("token_type_ids", [None] * len(texts[0]))
    pieces = zip(encoding["input_ids"], types, encoding.encodings, strict=True)
    return [Row(ids, row_types, bool(piece.overflowing)) for ids, row_types, piece in pieces]


def as_features(rows: list[Row], rows_per_feature: int = 1, labels: Sequence = ()) -> Features:
    """Consecutive rows as features of so many rows each; one of which any row was cut is counted once."""
    types = [row.token_types for row in rows]
    return Features(
        input_ids=Ragged.of([row.ids for row in rows]),
        token_type_ids=None if None in types else Ragged.of(types),
        example_index=np.arange(len(rows) // rows_per_feature),
        labels=list(labels),
        rows_per_feature=rows_per_feature,
        num_truncated=sum(any(row.cut for row in rows) for rows in chunk(rows, rows_per_feature)),
    )
