"""Rows of a prompt with choices -> examples."""

from xt.tasks.examples import MultipleChoice
from xt.tasks.rows import Row, Rows


def read_multiple_choice(rows: Rows) -> list[MultipleChoice]:
    """One example per row.

    Raises DataError for missing text, a number of choices other than the task's number of labels, and
    placeholder or unknown labels.
    """
    return [
        MultipleChoice(
            *rows.head(row),
            prompt=rows.text(row, "prompt"),
            choices=_choices(rows, row),
            label=rows.label(row, row["label"]),
        )
        for row in rows
    ]


def _choices(rows: Rows, row: Row) -> tuple[str, ...]:
    choices = tuple(row["choices"] or ())
    if len(choices) != len(rows.label_index) or not all(isinstance(choice, str) for choice in choices):
        raise rows.error(row, f"choices are {choices!r}; expected {len(rows.label_index)} texts")
    return choices
