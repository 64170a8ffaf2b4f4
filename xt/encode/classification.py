"""Sentence pairs: text -> one row of ids and a class; class scores -> a class."""

import numpy as np

from xt.encode.features import Features, as_rows, count_truncated


def encode_classification(examples, tokenizer, knobs) -> Features:
    """Features of `Classification` examples: (T,) ids of `premise, hypothesis`, () int64 class.

    A pair longer than `knobs.max_seq_length` loses tokens of its longer sentence and is counted in `num_truncated`.
    """
    encoding = tokenizer(
        [example.premise for example in examples],
        [example.hypothesis for example in examples],
        truncation="longest_first",
        max_length=knobs.max_seq_length,
    )
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=np.arange(len(examples)),
        labels=[np.int64(example.label) for example in examples],
        num_truncated=count_truncated(encoding),
    )


def decode_classification(outputs, features: Features, examples, knobs) -> list[int]:
    """The class of the highest score, per example. `outputs`: F arrays (L,) of class scores."""
    return [int(np.argmax(scores)) for scores in outputs]
