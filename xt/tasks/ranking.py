"""Rows of queries, of candidates, and of texts with the passages that belong to them -> examples."""

from xt.tasks.examples import Candidate, Query, QueryPassage
from xt.tasks.rows import Row, Rows


def read_queries(rows: Rows) -> list[Query]:
    """One query per row. Raises DataError for a query without text."""
    return [Query(*rows.head(row), _text(rows, row, "text"), tuple(row["relevant"])) for row in rows]


def read_candidates(rows: Rows) -> list[Candidate]:
    """One candidate per row, of the language and with the context that the row names, if any.

    Raises DataError for one without text.
    """
    return [
        Candidate(row["id"], row.get("language", rows.language), _text(rows, row, "text"), row.get("context", ""))
        for row in rows
    ]


def read_pairs(rows: Rows) -> list[QueryPassage]:
    """One pair per row. Raises DataError for a text that is missing."""
    return [
        QueryPassage(*rows.head(row), _text(rows, row, "query"), _text(rows, row, "passage"), row["context"])
        for row in rows
    ]


def _text(rows: Rows, row: Row, field: str) -> str:
    if not rows.text(row, field).strip():
        raise rows.error(row, f"{field} is empty; expected text")
    return row[field]
