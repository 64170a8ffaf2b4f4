"""Rows of sentence pairs with a class -> examples."""

from xt.tasks.examples import Classification
from xt.tasks.rows import Rows


def read_classification(rows: Rows) -> list[Classification]:
    """One example per row. Raises DataError for missing text and for placeholder or unknown labels."""
    return [
        Classification(
            *rows.head(row),
            premise=rows.text(row, "premise"),
            hypothesis=rows.text(row, "hypothesis"),
            label=rows.label(row, row["label"]),
        )
        for row in rows
    ]
