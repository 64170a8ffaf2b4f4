"""What names the rows: a `Source`, and their status; how clusters are found; the digest of a file."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xt.errors import DataError
from xt.languages import Language
from xt.locations import folder

if TYPE_CHECKING:
    from pyarrow import Table

STATUSES = ("complete", "subset", "substitute", "generated", "fixture")
"""What a root's rows are, against the release's: from best to worst."""


def worst_status(*statuses: str) -> str:
    """The worst of `statuses`, which is the status of what is made from all of them."""
    return max(statuses, key=STATUSES.index)


@dataclass(frozen=True)
class Source:
    """The rows of one split, named as on the hub."""

    dataset: str
    """Hub dataset id, `owner/name`."""
    config: str
    """Config; `{code}`, `{iso3}` and `{name}` stand for the language's."""
    split: str
    """Split."""
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

    def config_for(self, language: Language) -> str:
        """The config that holds a language."""
        return self.config.format(code=language.code, iso3=language.iso3, name=language.name)

    def select_language(self, table: "Table", language: Language) -> "Table":
        """The language's rows of a table as released."""
        if self.language_column is None:
            return table
        import pyarrow.compute as pc

        pattern = self.language_pattern.format(code=language.code, iso3=language.iso3, name=language.name)
        return table.filter(pc.match_substring_regex(table[self.language_column], pattern))


def group_equal(field: str) -> Callable[[Mapping[str, list], list[str], str], list[str]]:
    """Rows with the same `field` (premise, passage, tokens) are a cluster, named by its first row's id."""

    def group(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
        first: dict[str, str] = {}
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


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes (hexadecimal), remembered by path, size and modification time."""
    stat = Path(path).stat()
    return _remembered_digest(str(Path(path).resolve()), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _remembered_digest(path: str, size: int, mtime_ns: int) -> str:
    store = folder("XT_CACHE") / "digests.json"
    known = read_json(store).get(path)
    if known and known[:2] == [size, mtime_ns]:
        return known[2]
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _write_json(store, read_json(store) | {path: [size, mtime_ns, digest]})
    return digest


def read_json(path: Path) -> dict:
    """The record in a JSON file; empty where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write_json(path: Path, record: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(record), encoding="utf-8")
    os.replace(draft, path)  # whole or not at all, whoever else writes
