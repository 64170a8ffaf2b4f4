"""Rows of words with one tag each -> examples."""

from xt.tasks.examples import Tagging
from xt.tasks.rows import Row, Rows


def read_tagging(rows: Rows) -> list[Tagging]:
    """One example per sentence.

    Raises DataError for a sentence without tokens, tokens and tags of unequal length, an unknown tag.
    """
    return [_tagging(rows, row) for row in rows]


def _tagging(rows: Rows, row: Row) -> Tagging:
    tokens, tags = row["tokens"], row["tags"]
    if not tokens:
        raise rows.error(row, "no tokens; expected at least one")
    if tags is None or len(tokens) != len(tags):
        raise rows.error(row, f"{len(tokens)} tokens but {len(tags or ())} tags; expected one tag per token")
    if not all(isinstance(token, str) for token in tokens):
        raise rows.error(row, f"tokens are {tokens!r}; expected texts")
    return Tagging(*rows.head(row), tuple(tokens), tuple(rows.label(row, tag) for tag in tags))
