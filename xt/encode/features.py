"""What a model reads: rows of token ids with their labels, and what decoding needs to go back to text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

IGNORED = -100
"""Label of a position that no loss and no metric looks at (torch's cross-entropy default)."""


class Ragged:
    """N rows of different lengths in one int32 array, so that a large training set is two arrays, not millions."""

    def __init__(self, values: np.ndarray, lengths: np.ndarray):
        self.values, self.lengths = values, lengths  # (sum of lengths,) int32 and (N,) int64
        self.starts = np.cumsum(lengths) - lengths

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Ragged":
        """The rows laid end to end."""
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        values = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(lengths.sum()))
        return cls(values, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.starts[row] : self.starts[row] + self.lengths[row]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))

    def select(self, rows: np.ndarray) -> "Ragged":
        """These rows, in this order, over the same values; a row may be named more than once."""
        chosen = Ragged(self.values, self.lengths[rows])
        chosen.starts = self.starts[rows]
        return chosen

    def pad(self, value: int) -> np.ndarray:
        """(N, longest) int64, rows filled up with `value` at the right."""
        places = np.arange(self.lengths.max(initial=0))
        inside = places < self.lengths[:, None]
        padded = np.full(inside.shape, value, dtype=np.int64)
        padded[inside] = self.values[(self.starts[:, None] + places)[inside]]
        return padded


@dataclass
class Features:
    """Encoded examples. F features; each has R rows of token ids (R = choices of a multiple-choice task, else 1)."""

    input_ids: Ragged  # F * R rows (T,), unpadded, special tokens included
    token_type_ids: Ragged | None  # the same shapes, for BERT-style pairs; None where the model has none
    example_index: np.ndarray  # (F,) the example a feature was made from
    labels: list[np.ndarray] = field(default_factory=list)  # F arrays: () class, (T,) tags, or (2,) span
    word_index: list[np.ndarray] | None = None  # tagging: (T,) word that a token opens, -1 elsewhere
    offsets: list[np.ndarray] | None = None  # span QA: (T, 2) characters of the context, -1 outside of it
    rows_per_feature: int = 1
    num_truncated: int = 0  # examples of which tokens had to be cut to fit the model

    def __len__(self) -> int:
        return len(self.example_index)

    @property
    def lengths(self) -> np.ndarray:
        """(F,) tokens of the longest row of each feature."""
        return self.input_ids.lengths.reshape(-1, self.rows_per_feature).max(axis=1, initial=0)

    def select(self, chosen: np.ndarray) -> "Features":
        """The chosen features, in this order."""
        rows = (np.asarray(chosen)[:, None] * self.rows_per_feature + np.arange(self.rows_per_feature)).ravel()
        return replace(
            self,
            input_ids=self.input_ids.select(rows),
            token_type_ids=self.token_type_ids and self.token_type_ids.select(rows),
            example_index=self.example_index[chosen],
            labels=[self.labels[index] for index in chosen] if self.labels else [],
            word_index=self.word_index and [self.word_index[index] for index in chosen],
            offsets=self.offsets and [self.offsets[index] for index in chosen],
        )


def as_rows(encoding, name: str) -> Ragged | None:
    """The lists of a tokenizer's output as rows, or None where the tokenizer does not give them."""
    return Ragged.of(encoding[name]) if name in encoding else None


def count_truncated(encoding: Iterable) -> int:
    """How many inputs of a batch encoding lost tokens (the fast tokenizer keeps what it cut as overflow)."""
    return sum(bool(row.overflowing) for row in encoding.encodings)


def cut_texts(texts: Sequence[str], tokenizer, max_tokens: int) -> list[str]:
    """The texts, each or its beginning of `max_tokens` tokens, special ones not counted."""
    if not texts:
        return []
    encoding = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [
        text[: spans[max_tokens - 1][1]] if len(spans) > max_tokens else text
        for text, spans in zip(texts, encoding["offset_mapping"], strict=True)
    ]


def chunk(values: Sequence, size: int) -> list[Sequence]:
    """A sequence cut into consecutive parts of at most `size`."""
    return [values[start : start + size] for start in range(0, len(values), size)]
