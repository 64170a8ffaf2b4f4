"""Rows of a question on a passage -> examples whose answers lie where their offsets say."""

from collections.abc import Sequence

from xt.tasks.examples import Answer, SpanQA
from xt.tasks.rows import Row, Rows

MAX_SHIFT = 8
"""Characters; the most leading whitespace whose loss from a passage is repaired."""


def read_span_qa(rows: Rows) -> list[SpanQA]:
    """One example per question, its distinct answers in the release's order.

    The scripts behind some hub conversions stripped a passage's leading whitespace and left the offsets
    alone, so that all answers of the passage lie equally far before their offsets. Where an answer is not
    where its offset says, the offsets of its passage are moved by the smallest number of characters, 1 to
    MAX_SHIFT to the left, that puts *every* answer to *every* question on the passage in place. Where none
    does: DataError naming the file, the row, expected and found. An answer is never searched for elsewhere.
    Raises DataError for missing text and for a question without answers, too.
    """
    questions = [(row, _answers(rows, row)) for row in rows]
    by_passage: dict[str, list[Answer]] = {}
    for row, answers in questions:
        by_passage.setdefault(rows.text(row, "context"), []).extend(answers)
    shifts = {context: _find_shift(context, answers) for context, answers in by_passage.items()}
    return [_question(rows, row, answers, shifts[row["context"]]) for row, answers in questions]


def count_repaired(rows: Rows, examples: Sequence[SpanQA]) -> int:
    """Number of examples whose offsets differ from the release's."""
    pairs = zip(rows, examples, strict=True)
    return sum(example.answers[0].start != row["answers"]["answer_start"][0] for row, example in pairs)


def gold_answers(example: SpanQA) -> list[str]:
    """The accepted texts."""
    return [answer.text for answer in example.answers]


def _answers(rows: Rows, row: Row) -> list[Answer]:
    answers = row["answers"] or {"text": [], "answer_start": []}
    texts, starts = answers["text"], answers["answer_start"]
    if not texts or len(texts) != len(starts) or not all(texts):
        raise rows.error(row, f"answers are {answers!r}; expected texts and as many offsets, at least one")
    return [Answer(text, start) for text, start in zip(texts, starts, strict=True)]


def _lies_at(context: str, answer: Answer, shift: int) -> bool:
    start = answer.start - shift
    return start >= 0 and context.startswith(answer.text, start)


def _find_shift(context: str, answers: Sequence[Answer]) -> int:
    """Characters by which all answers lie before their offsets; 0 if they are in place, or if nothing fits."""
    fits = (s for s in range(MAX_SHIFT + 1) if all(_lies_at(context, answer, s) for answer in answers))
    return next(fits, 0)


def _question(rows: Rows, row: Row, answers: Sequence[Answer], shift: int) -> SpanQA:
    context = row["context"]
    misplaced = next((answer for answer in answers if not _lies_at(context, answer, shift)), None)
    if misplaced:
        text, start = misplaced.text, misplaced.start
        found = context[max(start, 0) :][: len(text)]
        raise rows.error(row, f"expected {text!r} at character {start} of its context, found {found!r}")
    distinct = dict.fromkeys(Answer(answer.text, answer.start - shift) for answer in answers)
    return SpanQA(*rows.head(row), rows.text(row, "question"), context, tuple(distinct))
