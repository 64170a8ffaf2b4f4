"""What names the rows: a `Source`, and their status; how clusters are found."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xt.errors import DataError
from xt.languages import Language

if TYPE_CHECKING:
    from pyarrow import Table

STATUSES = ("complete", "subset", "substitute", "generated", "fixture")
"""What a root's rows are, against the release's: from best to worst."""


def worst_status(*statuses: str) -> str:
    """The worst of `statuses`, which is the status of what is made from all of them."""
    return max(statuses, key=STATUSES.index)


@dataclass(frozen=True)
class Release:
    """One language's rows of a split as released, for a source's `shape`."""

    rows: Sequence[Mapping[str, Any]]
    """The columns that the source names, under our names."""
    beside: Sequence[Mapping[str, Any]]
    """The rows of the source beside it, likewise."""
    language: str
    """Our code."""
    home: str
    """The language that the root's training data are in."""
    where: str
    """File or hub address, for messages."""

    def error(self, row: Any, message: str) -> DataError:
        """The error to raise about a row: its id or its place."""
        return DataError(f"{self.where}, row {row} ({self.language}): {message}")


@dataclass(frozen=True)
class Source:
    """The rows of one split, named as on the hub."""

    dataset: str
    """Hub dataset id, `owner/name`; what stands for the language in a config may stand here too."""
    config: str
    """Config; `{code}`, `{iso3}` and `{name}` stand for the language's."""
    split: str
    """Split; of a source beside another, `{split}` stands for the other's."""
    columns: Mapping[str, str]
    """Our field -> the release's column; without `id`, a row's id is its position within the language."""
    revision: str | None = None
    """Hub commit; None: `main` as found, and the commit found is recorded with the run."""
    language_column: str | None = None
    """Column that tells the language in a config that mixes several; None: the config holds one."""
    language_pattern: str = "^{code}$"
    """Regular expression that the language's rows match in that column."""
    cluster: Callable[[Mapping[str, list], list[str], str], list[str]] = lambda columns, ids, where: ids
    """(columns, ids, where) -> the cluster of each row; by default each row is its own."""
    label_values: tuple = ()
    """The release's values of the labels, in the task's order; empty: 0, 1, 2, ..."""
    drop_unlabelled: bool = False
    """Drop (and count) rows with a placeholder label where the release documents them; otherwise refuse."""
    outside: tuple[str, ...] = ()
    """Classes that the release has behind the task's: they are read as the task's first, `O`."""
    unanswerable: bool = False
    """Whether questions without an answer are meant: otherwise they are refused."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Our code -> what stands for `{code}` and `{iso3}`, where the release uses another."""
    shape: Callable[[Release], list] | None = None
    """From rows as released to rows of our fields, where naming the columns is not enough."""
    beside: "Source | None" = None
    """Rows that complete these: what `shape` finds in `Release.beside`."""
    otherwise: "Source | None" = None
    """Where the rows are looked for in a root that has none here."""
    hub_languages: tuple[str, ...] | None = None
    """The languages that the hub has; None: all that are asked for."""
    place: str = ""
    """Variable naming the folder of licensed data that no root holds, out of `xt.locations.FOLDERS`."""
    hint: str = ""
    """What a message about missing rows or columns should say."""

    @property
    def names_language(self) -> bool:
        """Whether there are rows of several languages, told by config or column."""
        return "{" in self.config or self.language_column is not None

    @property
    def needed(self) -> dict[str, str]:
        """Our field -> the column that is read, that which tells a row's language too."""
        return {**self.columns, **({"a row's language": self.language_column} if self.language_column else {})}

    def spoken(self, language: Language) -> "Source":
        """The source with the language put into dataset and columns, and its split into the source beside it."""
        names = self._names(language)
        beside = self.beside and replace(self.beside, split=self.beside.split.format(split=self.split))
        columns = {ours: column.format(**names) for ours, column in self.columns.items()}
        return replace(self, dataset=self.dataset.format(**names), columns=columns, beside=beside)

    def at(self, split: str) -> "Source":
        """The source at another split."""
        return replace(self, split=split, otherwise=self.otherwise and self.otherwise.at(split))

    def config_for(self, language: Language) -> str:
        """The config that holds a language."""
        return self.config.format(**self._names(language))

    def _names(self, language: Language) -> dict[str, str]:
        released = self.codes.get(language.code)
        return {"code": released or language.code, "iso3": released or language.iso3, "name": language.name}

    def select_language(self, table: "Table", language: Language) -> "Table":
        """The language's rows of a table as released."""
        if self.language_column is None:
            return table
        import pyarrow.compute as pc

        pattern = self.language_pattern.format(**self._names(language))
        return table.filter(pc.match_substring_regex(table[self.language_column], pattern))


def translation(source: Source) -> Source:
    """The translations of English rows into a language: beside them, under the config with the language's code."""
    return replace(source, config=source.config + ".{code}", hub_languages=(), hint=TRANSLATE)


TRANSLATE = "notebooks/experiments/translate.ipynb makes such translations"


def group_equal(field: str) -> Callable[[Mapping[str, list], list[str], str], list[str]]:
    """Rows with the same `field` (premise, passage, tokens) are a cluster, named by its first row's id."""

    def group(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
        first: dict[str, str] = {}
        missing = next((id for value, id in zip(columns[field], ids, strict=True) if value is None), None)
        if missing is not None:
            raise DataError(f"{where}, row {missing}: {field} is None; rows with the same one belong together")
        return [first.setdefault(str(value), id) for value, id in zip(columns[field], ids, strict=True)]

    return group


def group_consecutive(size: int, field: str) -> Callable[[Mapping[str, list], list[str], str], list[str]]:
    """Every `size` consecutive rows, which must share `field`, are a cluster, named by its first row's id.

    The grouping function raises DataError where they do not, or where the last block is short.
    """

    def group(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
        for start in range(0, len(ids), size):
            block = columns[field][start : start + size]
            if len(block) != size or len(set(block)) != 1:
                raise DataError(f"{where}, row {ids[start]}: expected {size} rows with one {field}, found {block}")
        return [ids[index - index % size] for index in range(len(ids))]

    return group


def read_json(path: Path) -> dict:
    """The record in a JSON file; empty where there is no file. DataError where it holds none."""
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: no JSON ({error}); allowed: a JSON record") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: {str(record)[:40]!r}; allowed: a JSON record")
    return record
