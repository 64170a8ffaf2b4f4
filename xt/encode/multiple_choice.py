"""Multiple choice: a prompt and its choices -> one row of ids per choice; scores over choices -> a choice."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from xt.encode.features import Features, as_rows, chunk, cut_texts


def encode_multiple_choice(examples, tokenizer, knobs) -> Features:
    """Features of `MultipleChoice` examples: C rows (T,) of `prompt, choice` each, () int64 index of the right one.

    Where a row exceeds `knobs.max_seq_length` the prompt loses its beginning, because the choice continues its end.
    A choice that alone fills the row is shortened at its end. Examples with any cut are counted in `num_truncated`.
    Raises ValueError where examples have different numbers of choices.
    """
    sizes = {len(example.choices) for example in examples}
    if len(sizes) > 1:
        raise ValueError(f"examples with {sorted(sizes)} choices cannot share a batch; allowed: one number of choices")
    prompts = [example.prompt for example in examples for _ in example.choices]
    choices = [choice for example in examples for choice in example.choices]
    room = knobs.max_seq_length - tokenizer.num_special_tokens_to_add(pair=True) - 2  # a token or two of the prompt
    fitted = cut_texts(choices, tokenizer, room)
    with truncation_at_the_left(tokenizer):
        encoding = tokenizer(prompts, fitted, truncation="only_first", max_length=knobs.max_seq_length)
    cut = [
        bool(row.overflowing) or kept != choice
        for row, kept, choice in zip(encoding.encodings, fitted, choices, strict=True)
    ]
    num_choices = max(sizes, default=1)
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=np.arange(len(examples)),
        labels=[np.int64(example.label) for example in examples],
        rows_per_feature=num_choices,
        num_truncated=sum(any(rows) for rows in chunk(cut, num_choices)),
    )


@contextmanager
def truncation_at_the_left(tokenizer) -> Iterator[None]:
    """While it lasts, the tokenizer cuts the beginning of what is too long."""
    side = tokenizer.truncation_side
    tokenizer.truncation_side = "left"
    try:
        yield
    finally:
        tokenizer.truncation_side = side


def decode_multiple_choice(outputs, features: Features, examples, knobs) -> list[int]:
    """The choice of the highest score, per example. `outputs`: F arrays (C,) of scores."""
    return [int(np.argmax(scores)) for scores in outputs]
