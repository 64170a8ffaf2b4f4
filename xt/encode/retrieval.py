"""Sentence retrieval: single sentences -> rows of ids, sources first, then targets."""

import numpy as np

from xt.encode.features import Features, as_rows, count_truncated


def encode_sentences(sentences, tokenizer, knobs) -> Features:
    """Features of N sentences, special tokens included; those cut at `knobs.max_seq_length` are counted."""
    encoding = tokenizer(list(sentences), truncation=True, max_length=knobs.max_seq_length)
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=np.arange(len(encoding.encodings)),
        num_truncated=count_truncated(encoding),
    )
