"""What a model reads: rows of token ids with their labels, and what decoding needs to go back to text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

IGNORED = -100
"""Label of a position that no loss and no metric looks at (torch's cross-entropy default)."""


@dataclass
class Features:
    """Encoded examples. F features; each has R rows of token ids (R = choices of a multiple-choice task, else 1)."""

    input_ids: list[np.ndarray]  # F * R arrays (T,) int32, unpadded, special tokens included
    token_type_ids: list[np.ndarray] | None  # the same shapes, for BERT-style pairs; None where the model has none
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
        rows = np.fromiter((len(ids) for ids in self.input_ids), dtype=np.int64, count=len(self.input_ids))
        return rows.reshape(-1, self.rows_per_feature).max(axis=1) if len(rows) else np.zeros(0, dtype=np.int64)


def as_rows(encoding, name: str) -> list[np.ndarray] | None:
    """The lists of a tokenizer's output as int32 arrays, or None where the tokenizer does not give them."""
    return [np.asarray(row, dtype=np.int32) for row in encoding[name]] if name in encoding else None


def count_truncated(encoding) -> int:
    """How many inputs of a batch encoding lost tokens (the fast tokenizer keeps what it cut as overflow)."""
    return sum(bool(row.overflowing) for row in encoding.encodings)


def chunk(values: Sequence, size: int) -> list[Sequence]:
    """A sequence cut into consecutive parts of at most `size`."""
    return [values[start : start + size] for start in range(0, len(values), size)]
