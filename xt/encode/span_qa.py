"""Extractive question answering: overlapping windows of the context -> a span of its characters.

Spans go to tokens and back by character offsets only; nothing is re-aligned by text (that ruins Chinese).
"""

import numpy as np

from xt.encode.features import Features, as_rows, cut_texts

WHITE_SPACE = np.array([code for code in range(0x3001) if chr(code).isspace()], dtype=np.uint32)
"""What `str.strip` takes away: no character behind U+3000 is white space."""


def encode_span_qa(examples, tokenizer, knobs) -> Features:
    """Features of `SpanQA` examples: one per window, (T,) ids of `question, context`, (2,) first and last token.

    A window without the (first) answer is labelled with its first token, (0, 0); `drop_empty_windows` thins these
    for training. Questions longer than `knobs.max_query_length` keep their first tokens and are counted
    in `num_truncated`. Raises ValueError where the window leaves no room for the context beside `doc_stride`.
    """
    whole = [example.question.strip() for example in examples]
    questions = cut_texts(whole, tokenizer, knobs.max_query_length)
    check_room(questions, tokenizer, knobs)
    encoding = tokenizer(
        questions,
        [example.context for example in examples],
        truncation="only_second",
        max_length=knobs.max_seq_length,
        stride=knobs.doc_stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    owners = np.asarray(encoding["overflow_to_sample_mapping"], dtype=np.int64)
    borders = [text_borders(example.context) for example in examples]
    offsets = [context_offsets(row, *borders[owner]) for row, owner in zip(encoding.encodings, owners, strict=True)]
    return Features(
        input_ids=as_rows(encoding, "input_ids"),
        token_type_ids=as_rows(encoding, "token_type_ids"),
        example_index=owners,
        labels=[span_label(window, examples[owner].answers) for window, owner in zip(offsets, owners, strict=True)],
        offsets=offsets,
        num_truncated=sum(short != example.question for short, example in zip(questions, examples, strict=True)),
    )


def drop_empty_windows(features: Features, limit: int, rng: np.random.Generator) -> Features:
    """Training features with at most `limit` windows without the answer per question, drawn at random; -1 = all."""
    empty = np.array([label[1] == 0 for label in features.labels], dtype=bool)
    if limit < 0:
        return features
    order = rng.permutation(len(features))
    kept = ~empty
    seen: dict[int, int] = {}
    for index in order[empty[order]]:
        owner = int(features.example_index[index])
        seen[owner] = seen.get(owner, 0) + 1
        kept[index] = seen[owner] <= limit
    return features.select(np.flatnonzero(kept))


def decode_span_qa(outputs, features: Features, examples, knobs) -> list[str]:
    """The best span of all windows, per example. `outputs`: F arrays (T, 2) of start and end scores.

    The best start-end pair of at most `knobs.max_answer_length` tokens inside the context; the text is the slice of
    the context from the first token's first character to the last token's last.
    """
    return [text for text, _ in best_answers(outputs, features, examples, knobs)]


def decode_span_qa_v2(outputs, features: Features, examples, knobs) -> list[tuple[str, float]]:
    """(the best span of all windows, its no-answer score) per example, as SQuAD 2.0's baselines make them.

    The no-answer score is the lowest sum, over the windows, of the first token's start and end scores, less the best
    span's; +inf where no window holds text.
    """
    nothing = np.full(len(examples), np.inf)
    np.minimum.at(nothing, features.example_index, [float(scores[0].sum()) for scores in outputs])
    answers = best_answers(outputs, features, examples, knobs)
    return [(text, float(score - best)) for (text, best), score in zip(answers, nothing, strict=True)]


def best_answers(outputs, features: Features, examples, knobs) -> list[tuple[str, float]]:
    """(the best span of all windows, its score) per example; an empty text and -inf where no window holds text."""
    best = [(-np.inf, 0, 0)] * len(examples)
    for scores, offsets, owner in zip(outputs, features.offsets, features.example_index, strict=True):
        candidate = best_span(scores, offsets, knobs.max_answer_length)
        best[owner] = max(best[owner], candidate, key=lambda span: span[0])
    return [(example.context[start:end], score) for example, (score, start, end) in zip(examples, best, strict=True)]


def best_span(scores: np.ndarray, offsets: np.ndarray, max_answer_length: int) -> tuple[float, int, int]:
    """(score, first character, end character) of the best span in one window; score -inf where it holds no text."""
    inside = offsets[:, 1] > offsets[:, 0]
    starts = np.where(inside, scores[:, 0], -np.inf)
    ends = np.where(inside, scores[:, 1], -np.inf)
    width = min(max_answer_length, len(scores))
    padded = np.concatenate([ends, np.full(width - 1, -np.inf)])
    sums = starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, width)
    first, length = np.unravel_index(int(np.argmax(sums)), sums.shape)
    if not np.isfinite(sums[first, length]):
        return -np.inf, 0, 0
    return float(sums[first, length]), int(offsets[first, 0]), int(offsets[first + length, 1])


def span_label(offsets: np.ndarray, answers) -> np.ndarray:
    """(2,) first and last token of the shortest span that covers the first answer, (0, 0) where it is not all here."""
    if not answers:
        return np.zeros(2, dtype=np.int64)
    text, inside = answers[0].text, np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    start = answers[0].start + len(text) - len(text.lstrip())
    end = answers[0].start + len(text.rstrip())
    touching = inside[(offsets[inside, 1] > start) & (offsets[inside, 0] < end)]
    whole = len(touching) and offsets[inside[0], 0] <= start and end <= offsets[inside[-1], 1]
    return np.array([touching[0], touching[-1]] if whole else [0, 0], dtype=np.int64)


def context_offsets(encoding, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(T, 2) int32 characters of the context that a token stands for, white space trimmed; -1 outside the context.

    `begins`, `ends`: `text_borders` of the context. White space alone is the span from its end to its start.
    """
    spans = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
    inside = np.array(encoding.sequence_ids, dtype=float) == 1  # None, of a special token, is not a number
    start, end = spans[inside].T
    spans[~inside] = -1
    spans[inside] = np.stack([np.minimum(begins[start], end), np.maximum(ends[end], start)], axis=1)
    return spans


def text_borders(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Two (N + 1,) arrays for the N characters of a text and its end: from each place, the first character on that is
    no white space (N where there is none), and the end of the last before it (0 where there is none)."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    places = np.arange(len(codes) + 1, dtype=np.int32)
    printed = ~np.isin(codes, WHITE_SPACE)
    begins = np.where(np.append(printed, True), places, len(codes))
    ends = np.where(np.insert(printed, 0, True), places, 0)
    return np.minimum.accumulate(begins[::-1])[::-1], np.maximum.accumulate(ends)


def check_room(questions: list[str], tokenizer, knobs) -> None:
    """ValueError where a question of full length and the stride leave no new context token in a window."""
    fixed = tokenizer.num_special_tokens_to_add(pair=True) + knobs.max_query_length + knobs.doc_stride
    if questions and fixed >= knobs.max_seq_length:
        raise ValueError(
            f"max_seq_length = {knobs.max_seq_length} leaves no room: special tokens, max_query_length and doc_stride "
            f"take {fixed}; allowed: max_seq_length above that, or smaller max_query_length and doc_stride"
        )
