"""What a column of a release may hold, by the field of ours that it becomes: told from its type, before any value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xt.errors import DataError

if TYPE_CHECKING:
    from pyarrow import DataType, Table

TEXT, NUMBER = "text", "whole number"
"""Kinds of single values; a list `[kind]` holds values of a kind, a mapping fields of a kind each."""

ANSWERS = {"text": [TEXT], "answer_start": [NUMBER]}
KINDS: Mapping[str, tuple] = {
    "label": (NUMBER, TEXT),
    "idx": (NUMBER,),
    "start": (NUMBER,),
    "tokens": ([TEXT],),
    "tags": ([NUMBER], [TEXT]),
    "choices": ([TEXT], {"label": [TEXT], "text": [TEXT]}),
    "answers": (ANSWERS,),
    "sentences": ([TEXT],),
    "breaks": ([[NUMBER]],),
    "foreign": ([TEXT], TEXT),
    "english": ([TEXT], TEXT),
    "gold": ([[NUMBER]],),
}
"""Our field -> the kinds that its column may be of; every other field is a text."""


def check_columns(table: "Table", columns: Mapping[str, str], where: str, hint: str = "") -> None:
    """DataError naming the column that is missing or there twice, is of another kind than its field, or holds bytes
    that are no text; `hint` says more where one is missing.

    So that a text is never read as the list of its letters, nor a fraction or a truth value as a class.
    """
    import pyarrow

    there = table.column_names
    lacking = next((column for column in columns.values() if there.count(column) != 1), None)
    if lacking is not None:
        what = "twice a" if lacking in there else "no"
        raise DataError(f"{where}: {what} column {lacking!r}; there is: {', '.join(there)}{hint and '; '}{hint}")
    for field, column in columns.items():
        kinds, found = KINDS.get(field, (TEXT,)), table.schema.field(column).type
        if not any(is_of(found, kind) for kind in kinds):
            allowed = " or ".join(map(say, kinds))
            raise DataError(f"{where}: column {column!r} holds {found}; allowed: {allowed}")
        try:
            table[column].validate(full=True)
        except pyarrow.ArrowInvalid as error:
            raise DataError(f"{where}: column {column!r} is damaged: {error}") from error


def is_of(found: "DataType", kind) -> bool:
    """Whether values of an arrow type are of a kind; a column of nothing but missing values is of every kind."""
    from pyarrow import types

    if types.is_null(found):
        return True
    if types.is_dictionary(found):
        return is_of(found.value_type, kind)
    if isinstance(kind, list):
        return (types.is_list(found) or types.is_large_list(found)) and is_of(found.value_type, kind[0])
    if isinstance(kind, dict):
        held = {part.name: part.type for part in found} if types.is_struct(found) else {}
        return all(name in held and is_of(held[name], part) for name, part in kind.items())
    return types.is_integer(found) if kind == NUMBER else types.is_string(found) or types.is_large_string(found)


def say(kind) -> str:
    """A kind in words."""
    if isinstance(kind, list):
        return f"lists of ({say(kind[0])})"
    return " with ".join(["records", ", ".join(kind)]) if isinstance(kind, dict) else kind
