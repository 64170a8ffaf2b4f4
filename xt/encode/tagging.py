"""Tagging: words -> subwords whose first piece carries the tag; tags of first pieces -> one tag per word.

A sentence longer than the model is split at word borders into several features and joined again when decoded
(XTREME does the same; cutting it off would change the score).
"""

import numpy as np

from xt.encode.features import IGNORED, Features, as_rows, count_truncated


def encode_tagging(examples, tokenizer, knobs) -> Features:
    """Features of `Tagging` examples: (T,) ids; (T,) labels, the tag at a word's first subword and -100 elsewhere.

    A single word longer than the model keeps its first subwords and is counted in `num_truncated`. A word of which
    the tokenizer makes nothing (a control character, say) is read as the unknown token, so that it is tagged too.
    """
    words = [[readable(word, tokenizer) for word in example.tokens] for example in examples]
    room = knobs.max_seq_length - tokenizer.num_special_tokens_to_add(pair=False)
    pieces = [split_words(counts, room) for counts in subword_counts(words, tokenizer)]
    owners = [index for index, spans in enumerate(pieces) for _ in spans]
    starts = [start for spans in pieces for start, _ in spans]
    encoding = tokenizer(
        [words[index][start:end] for index, spans in enumerate(pieces) for start, end in spans],
        is_split_into_words=True,
        truncation=True,
        max_length=knobs.max_seq_length,
    )
    word_index = [first_subwords(row.word_ids, start) for row, start in zip(encoding.encodings, starts, strict=True)]
    tags = [np.asarray(example.tags, dtype=np.int64) for example in examples]
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=np.asarray(owners, dtype=np.int64),
        labels=[
            np.where(index >= 0, tags[owner][index], IGNORED) for index, owner in zip(word_index, owners, strict=True)
        ],
        word_index=word_index,
        num_truncated=count_truncated(encoding),
    )


def decode_tagging(outputs, features: Features, examples, knobs) -> list[np.ndarray]:
    """One (W,) array of tag ids per example, its features' predictions joined. `outputs`: F arrays (T,) of tag ids."""
    tags = [np.full(len(example.tokens), -1, dtype=np.int64) for example in examples]
    for predicted, index, owner in zip(outputs, features.word_index, features.example_index, strict=True):
        opens = index >= 0
        tags[owner][index[opens]] = predicted[opens]
    assert all((row >= 0).all() for row in tags), "every word has one first subword in exactly one feature"
    return tags


def readable(word: str, tokenizer) -> str:
    """The word, or the unknown token where the tokenizer's normaliser leaves nothing of it."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    left = normalizer.normalize_str(word) if normalizer else word
    return word if left.strip() else tokenizer.unk_token


def subword_counts(words: list[list[str]], tokenizer) -> list[np.ndarray]:
    """Per sentence, (W,) how many subwords each word has; at least one."""
    encoding = tokenizer(words, is_split_into_words=True, add_special_tokens=False, verbose=False)
    counts = [
        np.bincount(np.asarray(row.word_ids, dtype=np.int64), minlength=len(sentence))
        for row, sentence in zip(encoding.encodings, words, strict=True)
    ]
    for sentence, row in zip(words, counts, strict=True):
        if (row == 0).any():
            lost = sentence[int(np.argmin(row))]
            raise ValueError(f"the tokenizer makes no token of the word {lost!r} in {sentence!r}")
    return counts


def split_words(counts: np.ndarray, room: int) -> list[tuple[int, int]]:
    """(start, end) word spans, each of at most `room` subwords (a longer single word stands alone)."""
    spans, start, used = [], 0, 0
    for word, count in enumerate(counts):
        if used and used + count > room:
            spans.append((start, word))
            start, used = word, 0
        used += count
    return [*spans, (start, len(counts))]


def first_subwords(word_ids: list[int | None], start: int) -> np.ndarray:
    """(T,) the sentence's word that a token is the first subword of, -1 for other tokens."""
    ids = np.asarray([-1 if word is None else word for word in word_ids], dtype=np.int64)
    opens = (ids >= 0) & (ids != np.concatenate([[-1], ids[:-1]]))
    return np.where(opens, ids + start, -1)
