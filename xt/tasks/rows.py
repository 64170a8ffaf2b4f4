"""From a table as released to rows in our own field names, with ids, clusters and checked labels."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xt.errors import DataError
from xt.languages import Language
from xt.tasks.kinds import check_columns
from xt.tasks.roots import Loaded
from xt.tasks.sources import Release, Source

if TYPE_CHECKING:
    from pyarrow import Table

Row = Mapping[str, Any]

PLACEHOLDERS = (-1, "-1", "", "-", None)
"""What releases write in place of a label that they hide."""


@dataclass(frozen=True)
class Rows:
    """One language's rows of a split; each is a mapping of `id`, `cluster` and the format's fields."""

    language: str
    """Our code."""
    where: str
    """File or hub address, for messages."""
    values: list[Row]
    """The rows, in the release's order."""
    label_index: Mapping[Any, int]
    """The release's value of a label -> index into the task's labels."""
    num_dropped: int
    """Rows left out because the release documents them as unlabelled."""
    unanswerable: bool = False
    """Whether questions without an answer are meant."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.values)

    def error(self, row: Row, message: str) -> DataError:
        """The error to raise about a row."""
        return DataError(f"{self.where}, row {row['id']} ({self.language}): {message}")

    def head(self, row: Row) -> tuple[str, str, str]:
        """What every example starts with: id, cluster, language."""
        return row["id"], row["cluster"], self.language

    def text(self, row: Row, field: str) -> str:
        """A field that must be a string."""
        if not isinstance(row[field], str):
            raise self.error(row, f"{field} is {row[field]!r}; expected text")
        return row[field]

    def label(self, row: Row, value: Any) -> int:
        """The index of a label as released. Raises DataError for placeholders and for unknown labels."""
        if value in self.label_index:
            return self.label_index[value]
        allowed = ", ".join(repr(known) for known in self.label_index)
        if value in PLACEHOLDERS:
            raise self.error(row, f"label {value!r} is a placeholder for a hidden label; allowed: {allowed}")
        raise self.error(row, f"unknown label {value!r}; allowed: {allowed}")


def build_rows(
    loaded: Loaded,
    source: Source,
    labels: Sequence[str],
    language: Language,
    beside: Sequence[Row] = (),
    home: str = "en",
) -> Rows:
    """A language's rows out of a table as released; `beside` are the rows of the source beside.

    Raises DataError for a missing column, a class order that is not the task's, a language without rows, ids
    that occur twice, clusters that do not hold together, and what the source's `shape` refuses.
    """
    where = loaded.where
    _check_class_names(loaded.table, source, labels, where)
    rows = release_rows(loaded, source, language)
    if source.shape:
        rows = source.shape(Release(rows, beside, language.code, home, where))
    if not rows:
        raise DataError(f"{where}: no rows for language {language.code!r} ({language.name})")
    columns = {field: [row[field] for row in rows] for field in rows[0]}
    ids = columns.pop("id", None) or [str(position) for position in range(len(rows))]
    _check_ids(ids, where)
    clusters = source.cluster(columns, ids, where)
    columns |= {"id": ids, "cluster": clusters}
    values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    kept = [row for row in values if not (source.drop_unlabelled and row["label"] in PLACEHOLDERS)]
    released = source.label_values or range(len(labels))
    label_index = {value: index for index, value in enumerate(released)}
    label_index |= {len(labels) + index: 0 for index in range(len(source.outside))}
    return Rows(language.code, where, kept, label_index, len(values) - len(kept), source.unanswerable)


def release_rows(loaded: Loaded, source: Source, language: Language) -> list[Row]:
    """A language's rows with the columns that a source names. Raises DataError for a missing one, and for no rows."""
    check_columns(loaded.table, source.needed, loaded.where, source.hint)
    _check_language(loaded.table, source, loaded.where)
    table = source.select_language(loaded.table, language)
    if not table.num_rows:
        raise DataError(f"{loaded.where}: no rows for language {language.code!r} ({language.name})")
    columns = {field: table[column].to_pylist() for field, column in source.columns.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _check_language(table: "Table", source: Source, where: str) -> None:
    """DataError for the first row of several languages' that does not say its own: it would be left out unseen."""
    column = source.language_column
    if column and table[column].null_count:
        row = table[column].is_null().to_pylist().index(True)
        raise DataError(f"{where}, row {row}: column {column!r} is empty; allowed: what tells a language")


def _check_ids(ids: list[str], where: str) -> None:
    seen: set[str] = set()
    for row, id in enumerate(ids):
        if id is None:
            raise DataError(f"{where}, row {row}: its id is missing; ids must be texts")
        if id in seen:
            raise DataError(f"{where}: id {id!r} occurs twice; ids must be unique")
        seen.add(id)


def _check_class_names(table: "Table", source: Source, labels: Sequence[str], where: str) -> None:
    """Integer labels mean what the file says they mean: its class names must be the task's, in its order."""
    for field in {"label", "tags"} & source.columns.keys():
        names = _class_names(table, source.columns[field], where)
        expected = [*labels, *source.outside]
        if names and not source.label_values and list(names) != expected:
            raise DataError(f"{where}: classes of {source.columns[field]} are {names}; expected {expected}")


def _class_names(table: "Table", column: str, where: str) -> list[str] | None:
    """The names that the hub's description of a file gives the classes of a column; None where it gives none."""
    try:
        description = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        feature = description.get("info", {}).get("features", {}).get(column, {})
        return feature.get("names") or feature.get("feature", {}).get("names")
    except (ValueError, AttributeError) as error:
        raise DataError(f"{where}: its description of the features is damaged ({error})") from error
