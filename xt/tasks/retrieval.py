"""Rows of a sentence and its English translation -> examples."""

from xt.tasks.examples import SentencePair
from xt.tasks.rows import Row, Rows


def read_retrieval(rows: Rows) -> list[SentencePair]:
    """One pair per row, without the newlines that end the release's sentences.

    Raises DataError for a sentence without text: it has no embedding.
    """
    return [
        SentencePair(*rows.head(row), _sentence(rows, row, "source"), _sentence(rows, row, "target")) for row in rows
    ]


def _sentence(rows: Rows, row: Row, field: str) -> str:
    sentence = rows.text(row, field).rstrip("\r\n")
    if not sentence.strip():
        raise rows.error(row, f"{field} is empty; expected a sentence")
    return sentence
