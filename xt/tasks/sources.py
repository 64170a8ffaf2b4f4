"""Where rows come from: a `Source` names them as on the hub, a root reads them.

Two roots, one behaviour: `HubRoot` reads through `datasets` and its cache, `FolderRoot` reads the parquet files
that the card (README.md) of a repository copied to `<root>/<owner>/<name>/` names. A folder is read with pyarrow
and not with `load_dataset`, because the latter parses the card afresh and copies every file into its cache: 0.4 s
for a config that is already cached against 0.02 s here, which a study of a hundred configs would notice.

Planning asks for `fingerprint` and `holds` only: neither loads data nor imports `datasets`.
"""

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
from xt.locations import folder, resolve_root

if TYPE_CHECKING:
    from pyarrow import Table

STATUSES = ("complete", "subset", "substitute", "fixture")
"""What a root's rows are, against the release's: from best to worst."""


def worst_status(*statuses: str) -> str:
    """The worst of `statuses`, which is the status of what is made from all of them."""
    return max(statuses, key=STATUSES.index)


def select_all(table: "Table", language: Language) -> "Table":
    """The whole table: a config that holds one language."""
    return table


def select_by_column(column: str) -> Callable[["Table", Language], "Table"]:
    """Rows whose `column` is the language's code."""

    def select(table: "Table", language: Language) -> "Table":
        import pyarrow.compute as pc

        return table.filter(pc.equal(table[column], language.code))

    return select


def select_by_prefix(column: str) -> Callable[["Table", Language], "Table"]:
    """Rows whose `column` starts with the language's English name in lower case and a hyphen."""

    def select(table: "Table", language: Language) -> "Table":
        import pyarrow.compute as pc

        return table.filter(pc.starts_with(table[column], f"{language.name.lower()}-"))

    return select


def group_each(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
    """Every row is its own cluster."""
    return ids


def group_equal(field: str) -> Callable[..., list[str]]:
    """Rows with the same `field` (premise, passage, tokens) form a cluster, named by the id of its first row."""

    def group(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
        first: dict[str, str] = {}
        return [first.setdefault(str(value), id) for value, id in zip(columns[field], ids, strict=True)]

    return group


def group_consecutive(size: int, field: str) -> Callable[..., list[str]]:
    """Every `size` consecutive rows form a cluster, named by the id of its first row; they must share `field`."""

    def group(columns: Mapping[str, list], ids: list[str], where: str) -> list[str]:
        values = columns[field]
        for start in range(0, len(ids), size):
            block = values[start : start + size]
            if len(block) != size or len(set(block)) != 1:
                raise DataError(
                    f"{where}, row {ids[start]}: expected {size} rows with one {field}, found {block}"
                )
        return [ids[index - index % size] for index in range(len(ids))]

    return group


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
    select: Callable[["Table", Language], "Table"] = select_all
    """Picks a language's rows out of a table."""
    cluster: Callable[[Mapping[str, list], list[str], str], list[str]] = group_each
    """The cluster of each row."""
    label_values: tuple = ()
    """The release's values of the labels, in the task's order; empty: 0, 1, 2, ..."""
    drop_unlabelled: bool = False
    """Drop (and count) rows with a placeholder label where the release documents them; otherwise refuse them."""

    def config_for(self, language: Language) -> str:
        """The config that holds a language."""
        return self.config.format(code=language.code, iso3=language.iso3, name=language.name)


@dataclass(frozen=True)
class Loaded:
    """A table as read, and where it came from."""

    table: "Table"
    """The release's rows and columns; its schema carries the hub's feature description."""
    where: str
    """File or hub address, for messages."""
    files: tuple[str, ...]
    """What was read: paths below a folder root, or `dataset@commit/config/split`."""
    status: str
    """One of STATUSES."""


def open_root(root: str) -> "HubRoot | FolderRoot":
    """The reader behind `hub`, a root's name or a folder. Raises ValueError where there is no such folder."""
    place = resolve_root(root)
    return HubRoot() if place == "hub" else FolderRoot(Path(place))


class FolderRoot:
    """Hub repositories copied to `<path>/<owner>/<name>/`, with an optional `MIRROR.json` about their status."""

    def __init__(self, path: Path):
        self.path = path

    def read(self, source: Source, language: Language, split: str) -> Loaded:
        """The rows of a split. Raises DataError where it is absent or is no parquet."""
        import pyarrow
        import pyarrow.parquet

        files = self._files(source.dataset, source.config_for(language), split)
        try:
            table = pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in files])
        except pyarrow.ArrowInvalid as error:
            raise DataError(
                f"{files[0]}: not readable as parquet ({error}); a pointer of Git LFS, or an interrupted copy? "
                + self._hint(source.dataset)
            ) from error
        names = tuple(file.relative_to(self.path).as_posix() for file in files)
        return Loaded(table, str(files[0]), names, self.status(source, language, split))

    def status(self, source: Source, language: Language, split: str) -> str:
        """What MIRROR.json declares the split to be; `complete` where it declares nothing."""
        manifest = self.path / "MIRROR.json"
        entry = _read_json(manifest).get(f"{source.dataset}/{source.config_for(language)}", {})
        status = entry.get("split_status", {}).get(split) or entry.get("status", "complete")
        if status not in STATUSES:
            raise DataError(f"{manifest}: unknown status {status!r}; allowed: {', '.join(STATUSES)}")
        return status

    def fingerprint(self, source: Source, language: Language, split: str) -> list:
        """JSON-able: what is read, and the SHA-256 of each file. Raises DataError where it is absent."""
        config = source.config_for(language)
        digests = [file_digest(file) for file in self._files(source.dataset, config, split)]
        return [source.dataset, config, split, language.code, digests]

    def holds(self, source: Source, language: Language, split: str) -> bool:
        """Whether the split is there."""
        return bool(self._splits(source.dataset, source.config_for(language)).get(split))

    def _files(self, dataset: str, config: str, split: str) -> list[Path]:
        card = self.path / dataset / "README.md"
        if not card.is_file():
            there = sorted(
                path.parent.relative_to(self.path).as_posix() for path in self.path.glob("*/*/README.md")
            )
            raise self._missing(f"{card.parent}: no dataset with a card (README.md)", there, dataset)
        configs = read_card(card)
        if config not in configs:
            raise self._missing(f"{card}: no config {config!r}", list(configs), dataset)
        splits = self._splits(dataset, config)
        if not splits.get(split):
            there = [name for name, files in splits.items() if files]
            raise self._missing(f"{card.parent / config}: no files of split {split!r}", there, dataset)
        return splits[split]

    def _splits(self, dataset: str, config: str) -> dict[str, list[Path]]:
        card = self.path / dataset / "README.md"
        patterns = read_card(card).get(config, {}) if card.is_file() else {}
        return {
            split: sorted(file for path in paths for file in card.parent.glob(path))
            for split, paths in patterns.items()
        }

    def _missing(self, what: str, there: list[str], dataset: str) -> DataError:
        return DataError(f"{what}; there is: {', '.join(there) or 'nothing'}; {self._hint(dataset)}")

    def _hint(self, dataset: str) -> str:
        place = self.path / dataset
        return (
            f"get it with `hf download {dataset} --repo-type dataset --local-dir {place}`, or use root='hub'"
        )


class HubRoot:
    """The hub itself, through `datasets`, its cache and its settings (HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE)."""

    def read(self, source: Source, language: Language, split: str) -> Loaded:
        """The rows of a split; what was fetched once is read from the cache, offline too.

        Raises DataError, with what to do, where the hub or its cache cannot serve it.
        """
        import datasets
        import httpx

        config = source.config_for(language)
        try:
            builder = datasets.load_dataset_builder(source.dataset, config, revision=source.revision)
            builder.download_and_prepare()
            rows = builder.as_dataset(split=split)
        except (OSError, ValueError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
            raise DataError(
                f"hub dataset {source.dataset}, config {config!r}, split {split!r}, revision "
                f"{source.revision or 'main'}: {error}. Without a network only what was fetched before can be read: "
                "fetch it once online, or use a folder root; a gated dataset needs its terms accepted and a login"
            ) from error
        table = rows.with_format("arrow")[:].replace_schema_metadata(rows.features.arrow_schema.metadata)
        address = f"{source.dataset}@{builder.hash}/{config}/{split}"
        return Loaded(table, address, (address,), self.status(source, language, split))

    def status(self, source: Source, language: Language, split: str) -> str:
        """`complete`: the release itself."""
        return "complete"

    def fingerprint(self, source: Source, language: Language, split: str) -> list:
        """JSON-able: what is read and at which revision; asks no server."""
        return [source.dataset, source.config_for(language), split, language.code, source.revision or "main"]

    def holds(self, source: Source, language: Language, split: str) -> bool:
        """True: the hub is taken to hold what a task's row names."""
        return True


def read_card(card: Path) -> dict[str, dict[str, list[str]]]:
    """Config -> split -> path patterns, from the front matter of a dataset card.

    Raises DataError where the card has no such section.
    """
    return _parse_card(card, card.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _parse_card(card: Path, mtime_ns: int) -> dict[str, dict[str, list[str]]]:
    import yaml

    loader = getattr(
        yaml, "CSafeLoader", yaml.SafeLoader
    )  # the C loader is six times faster, and not always built
    parts = card.read_text(encoding="utf-8").split("---\n", 2)
    front_matter = yaml.load(parts[1], loader) if len(parts) == 3 and not parts[0] else None
    try:
        return {
            config["config_name"]: {
                entry["split"]: [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
                for entry in config["data_files"]
            }
            for config in front_matter["configs"]
        }
    except (TypeError, KeyError) as error:
        raise DataError(
            f"{card}: its front matter must list `configs`, each with `config_name` and `data_files` "
            f"of `split` and `path`; missing: {error}"
        ) from error


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes (hexadecimal), remembered by path, size and modification time."""
    stat = Path(path).stat()
    return _remembered_digest(str(Path(path).resolve()), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _remembered_digest(path: str, size: int, mtime_ns: int) -> str:
    store = folder("XT_CACHE") / "digests.json"
    known = _read_json(store).get(path)
    if known and known[:2] == [size, mtime_ns]:
        return known[2]
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _write_json(store, _read_json(store) | {path: [size, mtime_ns, digest]})
    return digest


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write_json(path: Path, record: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(record), encoding="utf-8")
    os.replace(draft, path)  # whole or not at all, whoever else writes
