"""Rows of a question on a passage -> examples whose answers lie where their offsets say."""

from collections.abc import Sequence

from xt.tasks.answers import find_shift, lies_at
from xt.tasks.examples import Answer, SpanQA
from xt.tasks.rows import Row, Rows


def read_span_qa(rows: Rows) -> list[SpanQA]:
    """One example per question, its distinct answers in the release's order.

    The scripts behind some hub conversions stripped a passage's leading whitespace and left the offsets
    alone, so that all answers of the passage lie equally far before their offsets. Where an answer is not
    where its offset says, the offsets of its passage are moved by the smallest number of characters, 1 to
    MAX_SHIFT to the left, that puts *every* answer to *every* question on the passage in place. Where none
    does: DataError naming the file, the row, expected and found. An answer is never searched for elsewhere.
    Raises DataError for missing text, too, and for a question without answers unless the source has such questions.
    """
    questions = [(row, _answers(rows, row)) for row in rows]
    by_passage: dict[str, list[Answer]] = {}
    for row, answers in questions:
        by_passage.setdefault(rows.text(row, "context"), []).extend(answers)
    shifts = {context: find_shift(context, answers) for context, answers in by_passage.items()}
    return [_question(rows, row, answers, shifts[row["context"]]) for row, answers in questions]


def count_repaired(rows: Rows, examples: Sequence[SpanQA]) -> int:
    """Number of examples whose offsets differ from the release's."""
    pairs = [(row["answers"]["answer_start"], example.answers) for row, example in zip(rows, examples, strict=True)]
    return sum(answers[0].start != starts[0] for starts, answers in pairs if answers)


def gold_answers(example: SpanQA) -> list[str]:
    """The accepted texts; an empty one for a question without an answer."""
    return [answer.text for answer in example.answers] or [""]


def _answers(rows: Rows, row: Row) -> list[Answer]:
    answers = row["answers"] or {"text": None, "answer_start": []}
    texts, starts = answers["text"], answers["answer_start"]
    if texts == starts == [] and rows.unanswerable:
        return []
    if not texts or not starts or len(texts) != len(starts) or not all(texts) or None in starts:
        raise rows.error(row, f"answers are {answers!r}; expected texts and as many offsets, at least one")
    return [Answer(text, start) for text, start in zip(texts, starts, strict=True)]


def _question(rows: Rows, row: Row, answers: Sequence[Answer], shift: int) -> SpanQA:
    context = row["context"]
    misplaced = next((answer for answer in answers if not lies_at(context, answer, shift)), None)
    if misplaced:
        text, start = misplaced.text, misplaced.start
        found = context[max(start, 0) :][: len(text)]
        raise rows.error(row, f"expected {text!r} at character {start} of its context, found {found!r}")
    distinct = dict.fromkeys(Answer(answer.text, answer.start - shift) for answer in answers)
    return SpanQA(*rows.head(row), rows.text(row, "question"), context, tuple(distinct))
