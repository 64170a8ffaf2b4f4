"""Masked language modelling: documents -> windows of ids; for each update, which positions are hidden."""

from collections.abc import Callable, Sequence

import numpy as np

from xt.encode.features import IGNORED, Features, Ragged

MASKED, REPLACED = 0.8, 0.1
"""Of the positions to predict: shares shown as the mask token, and as a random token (Devlin et al. 2019, 3.1)."""


def encode_text(documents: Sequence[str], tokenizer, max_seq_length: int) -> Features:
    """Features of D documents, special tokens included; one that is too long is cut into several, none of it lost."""
    encoding = tokenizer(
        list(documents), truncation=True, max_length=max_seq_length, return_overflowing_tokens=True, stride=0
    )
    owners = np.asarray(encoding["overflow_to_sample_mapping"], dtype=np.int64)
    return Features(Ragged.of(encoding["input_ids"]), None, owners)


def mask_tokens(tokenizer, mask_ratio: float) -> Callable:
    """What training draws for one update: (features, chosen, rng) -> features whose labels are the hidden tokens.

    Special tokens are never hidden. What is drawn depends on the update's features and `rng` alone, not on how the
    update is cut into micro-batches.
    """
    special = np.zeros(len(tokenizer), dtype=bool)
    special[tokenizer.all_special_ids] = True
    ordinary = np.flatnonzero(~special)

    def draw(features: Features, chosen: np.ndarray, rng: np.random.Generator) -> Features:
        shown = features.select(chosen)
        ids = np.concatenate(list(shown.input_ids))
        hidden = (rng.random(len(ids)) < mask_ratio) & ~special[ids]
        fate, other = rng.random(len(ids)), rng.choice(ordinary, len(ids))
        labels = np.where(hidden, ids, IGNORED).astype(np.int64)
        ids = np.where(hidden & (fate < MASKED), tokenizer.mask_token_id, ids)
        ids = np.where(hidden & (fate >= MASKED) & (fate < MASKED + REPLACED), other, ids).astype(np.int32)
        lengths = shown.input_ids.lengths
        rows = np.split(labels, np.cumsum(lengths)[:-1])
        return Features(Ragged(ids, lengths), None, shown.example_index, labels=rows)

    return draw
