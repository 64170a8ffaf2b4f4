"""Where rows are read from: `HubRoot` or `FolderRoot`, alike to everyone who reads.

`HubRoot` reads through `datasets` and its cache, `FolderRoot` the parquet files named by the card (README.md)
of a repository that was copied to `<root>/<owner>/<name>/`. A folder is read with pyarrow and not with
`load_dataset`, because the latter parses the card afresh and copies every file into its cache: 0.4 s for a
config that is already cached, against 0.02 s here, which a study of a hundred configs would notice.

Planning asks for `fingerprint` and `holds` only: neither reads text or labels, nor imports `datasets`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xt.errors import DataError
from xt.languages import Language
from xt.locations import resolve_root
from xt.tasks.sources import STATUSES, Source, file_digest, read_json

if TYPE_CHECKING:
    from pyarrow import Table


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
    """The reader of `hub`, a root's name or a folder. Raises ValueError where there is no such folder."""
    place = resolve_root(root)
    return HubRoot() if place == "hub" else FolderRoot(Path(place))


class FolderRoot:
    """Hub repositories copied to `<path>/<owner>/<name>/`; a `MIRROR.json` may declare their status."""

    def __init__(self, path: Path):
        self.path = path

    def read(self, source: Source, language: Language) -> Loaded:
        """The rows of a split. Raises DataError where it is absent or is no parquet."""
        files = self._files(source, language)
        table = self._table(source.dataset, files)
        names = tuple(file.relative_to(self.path).as_posix() for file in files)
        return Loaded(table, str(files[0]), names, self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """What MIRROR.json declares the split to be; `complete` where it declares nothing."""
        manifest = self.path / "MIRROR.json"
        entry = read_json(manifest).get(f"{source.dataset}/{source.config_for(language)}", {})
        status = entry.get("split_status", {}).get(source.split) or entry.get("status", "complete")
        if status not in STATUSES:
            raise DataError(f"{manifest}: unknown status {status!r}; allowed: {', '.join(STATUSES)}")
        return status

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what is read, and the SHA-256 of each file. Raises DataError where it is absent."""
        digests = [file_digest(file) for file in self._files(source, language)]
        return [source.dataset, source.config_for(language), source.split, language.code, digests]

    def holds(self, source: Source, language: Language) -> bool:
        """Whether there are rows of the language; reads the language column of a split that mixes several."""
        files = self._splits(source.dataset, source.config_for(language)).get(source.split)
        if not files or source.language_column is None:
            return bool(files)
        table = self._table(source.dataset, files, [source.language_column])
        return source.select_language(table, language).num_rows > 0

    def _table(self, dataset: str, files: list[Path], columns: list[str] | None = None) -> "Table":
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.concat_tables(pyarrow.parquet.ParquetFile(file).read(columns) for file in files)
        except pyarrow.ArrowInvalid as error:
            raise DataError(
                f"{files[0]}: not readable as parquet ({error}); a Git LFS pointer, or a copy cut short? "
                f"{self._hint(dataset)}"
            ) from error

    def _files(self, source: Source, language: Language) -> list[Path]:
        dataset, config, split = source.dataset, source.config_for(language), source.split
        card = self.path / dataset / "README.md"
        if not card.is_file():
            there = [
                path.parent.relative_to(self.path).as_posix() for path in self.path.glob("*/*/README.md")
            ]
            raise self._missing(f"{card.parent}: no dataset with a card (README.md)", dataset, there, dataset)
        if config not in read_card(card):
            raise self._missing(f"{card}: no config {config!r}", config, read_card(card), dataset)
        splits = self._splits(dataset, config)
        if not splits.get(split):
            there = [name for name, files in splits.items() if files]
            raise self._missing(f"{card}: no files of {config}, split {split!r}", split, there, dataset)
        return splits[split]

    def _splits(self, dataset: str, config: str) -> dict[str, list[Path]]:
        card = self.path / dataset / "README.md"
        patterns = read_card(card).get(config, {}) if card.is_file() else {}
        return {
            split: sorted(file for path in paths for file in card.parent.glob(path))
            for split, paths in patterns.items()
        }

    def _missing(self, what: str, wanted: str, there: Collection[str], dataset: str) -> DataError:
        nearest = get_close_matches(wanted, there, n=10, cutoff=0)
        more = f" and {len(there) - len(nearest)} more" if len(there) > len(nearest) else ""
        return DataError(f"{what}; there is: {', '.join(nearest) or 'nothing'}{more}; {self._hint(dataset)}")

    def _hint(self, dataset: str) -> str:
        place = self.path / dataset
        return (
            f"get it with `hf download --repo-type dataset {dataset} --local-dir {place}`, or use root='hub'"
        )


class HubRoot:
    """The hub, through `datasets`, its cache and its settings (HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE)."""

    def read(self, source: Source, language: Language) -> Loaded:
        """The rows of a split; what was fetched once is read from the cache, offline too.

        Raises DataError, with what to do, where the hub or its cache cannot serve it.
        """
        import datasets
        import httpx

        config = source.config_for(language)
        try:
            builder = datasets.load_dataset_builder(source.dataset, config, revision=source.revision)
            builder.download_and_prepare()
            rows = builder.as_dataset(split=source.split)
        except (OSError, ValueError, httpx.HTTPError, datasets.exceptions.DatasetsError) as error:
            raise DataError(
                f"hub dataset {source.dataset}, config {config!r}, split {source.split!r}, revision "
                f"{source.revision or 'main'}: {error}. Without a network only what was fetched before can "
                "be read: fetch it once online, or use a folder root; a gated dataset needs a login and its "
                "terms accepted"
            ) from error
        table = rows.with_format("arrow")[:].replace_schema_metadata(rows.features.arrow_schema.metadata)
        address = f"{source.dataset}@{builder.hash}/{config}/{source.split}"
        return Loaded(table, address, (address,), self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """`complete`: the release itself."""
        return "complete"

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what is read and at which revision; asks no server."""
        revision = source.revision or "main"
        return [source.dataset, source.config_for(language), source.split, language.code, revision]

    def holds(self, source: Source, language: Language) -> bool:
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

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # six times faster, but not always built
    parts = re.split(r"^---\s*$", card.read_text(encoding="utf-8"), maxsplit=2, flags=re.MULTILINE)
    front_matter = yaml.load(parts[1], loader) if len(parts) == 3 else None
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
