"""Multiple choice: a prompt and its choices -> one row of ids per choice; scores over choices -> a choice."""

import numpy as np

from xt.encode.features import Features, as_rows, chunk


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
    fitted_choices, room = fit_choices(choices, tokenizer, knobs.max_seq_length)
    fitted_prompts = fit_prompts(prompts, tokenizer, room)
    cut = [
        pair != kept
        for pair, kept in zip(
            zip(prompts, choices, strict=True), zip(fitted_prompts, fitted_choices, strict=True), strict=True
        )
    ]
    encoding = tokenizer(fitted_prompts, fitted_choices, truncation="longest_first", max_length=knobs.max_seq_length)
    num_choices = max(sizes, default=1)
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=np.arange(len(examples)),
        labels=[np.int64(example.label) for example in examples],
        rows_per_feature=num_choices,
        num_truncated=sum(map(any, chunk(cut, num_choices))),
    )


def fit_choices(choices: list[str], tokenizer, max_seq_length: int) -> tuple[list[str], list[int]]:
    """Choices cut at their end to what one row can hold, and the tokens each leaves for its prompt."""
    capacity = max_seq_length - tokenizer.num_special_tokens_to_add(pair=True)
    offsets = token_offsets(choices, tokenizer)
    kept = [
        text[: spans[capacity - 1][1]] if len(spans) > capacity else text
        for text, spans in zip(choices, offsets, strict=True)
    ]
    return kept, [max(0, capacity - len(spans)) for spans in offsets]


def fit_prompts(prompts: list[str], tokenizer, room: list[int]) -> list[str]:
    """Prompts cut at their beginning to the tokens there is room for."""
    offsets = token_offsets(prompts, tokenizer)
    return [keep_end(text, spans, size) for text, spans, size in zip(prompts, offsets, room, strict=True)]


def keep_end(text: str, spans: list[tuple[int, int]], size: int) -> str:
    """The end of a text that its last `size` tokens cover."""
    if len(spans) <= size:
        return text
    return text[spans[-size][0] :].lstrip() if size else ""


def token_offsets(texts: list[str], tokenizer) -> list[list[tuple[int, int]]]:
    """Per text, the (start, end) characters of its tokens, special tokens left out."""
    return tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]


def decode_multiple_choice(outputs, features: Features, examples, knobs) -> list[int]:
    """The choice of the highest score, per example. `outputs`: F arrays (C,) of scores."""
    return [int(np.argmax(scores)) for scores in outputs]
