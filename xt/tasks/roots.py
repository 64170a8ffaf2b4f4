"""Where rows are read from: `HubRoot`, `FolderRoot` or `LabRoot`, alike to everyone who reads.

All are dataset repositories as folders: `<root>/<owner>/<name>/`, what the hub's client has put into its cache, or
what the lab generates. The card (README.md) says which parquet files make a split, and pyarrow reads them. `datasets`
is not used: offline it takes the latest commit in its cache for whichever revision was asked for, it parses the card
afresh for every config (0.4 s for a cached one, against 0.02 s here), and it copies every file into a second cache.

Planning asks for `fingerprint` and `holds` only: neither reads text or labels, nor asks a server.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xt.digests import check_digest, file_digest
from xt.errors import DataError
from xt.hub import OFFLINE, ask_hub, drop_damaged
from xt.lab import LAB_VERSION
from xt.lab.languages import BEGINNING, LAB_LANGUAGES
from xt.lab.repository import find_maker, write_split
from xt.languages import LANGUAGES, Language
from xt.locations import LAB_ROOT, resolve_root
from xt.tasks.kinds import check_columns
from xt.tasks.sources import STATUSES, Source, read_json

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


def open_root(root: str) -> "HubRoot | FolderRoot | LabRoot":
    """The reader of `hub`, a lab, a root's name or a folder. Raises ValueError where there is no such folder."""
    place = resolve_root(root)
    lab = LAB_ROOT.fullmatch(place)
    return HubRoot() if place == "hub" else LabRoot(int(lab[1])) if lab else FolderRoot(Path(place))


class Repository:
    """A dataset repository as a folder: its card (README.md) says which parquet files make a split."""

    def __init__(self, path: Path, hint: str):
        self.card = path / "README.md"
        self.hint = hint  # what to do where something is missing; ends every message

    def patterns(self, config: str, split: str) -> list[str]:
        """Path patterns of a split. Raises DataError naming what there is instead."""
        configs = read_card(self.card)
        if config not in configs:
            raise _missing(f"{self.card}: no config {config!r}", config, configs, self.hint)
        if split not in configs[config]:
            raise _missing(f"{self.card}: no split {split!r} of {config}", split, configs[config], self.hint)
        return configs[config][split]

    def find(self, config: str, split: str) -> list[Path]:
        """The files of a split; none where the card does not name it or they are not here."""
        patterns = read_card(self.card).get(config, {}).get(split, [])
        return sorted(file for pattern in patterns for file in self.card.parent.glob(pattern))

    def files(self, config: str, split: str) -> list[Path]:
        """The files of a split. Raises DataError where there is none, or fewer than their names count (-of-3)."""
        place = self.card.parent / self.patterns(config, split)[0]
        files = self.find(config, split)
        if not files:
            raise DataError(f"{place}: no such file, though the card names it for {config}; {self.hint}")
        counted = re.search(r"-\d+-of-(\d+)", files[0].name)
        if counted and int(counted[1]) != len(files):
            raise DataError(f"{place}: {len(files)} files here, {int(counted[1])} expected; {self.hint}")
        return files

    def read(self, files: Sequence[Path], columns: Sequence[str] | None = None) -> "Table":
        """The rows of some files (None: all columns). Raises DataError where one is no parquet file."""
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.concat_tables(
                pyarrow.parquet.ParquetFile(file, page_checksum_verification=True).read(columns) for file in files
            )
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(
                f"{files[0]}: not readable as parquet ({error}); a Git LFS pointer, or a copy cut short? {self.hint}"
            ) from error


class Benchmark:
    """A root of the benchmark's own languages."""

    home = "en"
    codes = tuple(code for code in LANGUAGES if code not in LAB_LANGUAGES)
    """Every language there may be."""

    def languages(self, codes: Sequence[str]) -> tuple[str, ...]:
        """The languages here of a task whose row names `codes`."""
        return tuple(codes)


class FolderRoot(Benchmark):
    """Hub repositories copied to `<path>/<owner>/<name>/`; a `MIRROR.json` may declare their status."""

    def __init__(self, path: Path):
        self.path = path

    def read(self, source: Source, language: Language) -> Loaded:
        """The rows of a split. Raises DataError where it is absent, no parquet, or damaged since it was planned on."""
        repository, files = self._find(source, language)
        for file in files:
            check_digest(file)
        names = tuple(file.relative_to(self.path).as_posix() for file in files)
        return Loaded(repository.read(files), str(files[0]), names, self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """What MIRROR.json declares the split to be; `complete` where it declares nothing."""
        manifest = self.path / "MIRROR.json"
        name = f"{source.dataset}/{source.config_for(language)}"
        entry = read_json(manifest).get(name, {})
        try:
            status = entry.get("split_status", {}).get(source.split) or entry.get("status", "complete")
        except AttributeError as error:
            raise DataError(f"{manifest}: {name} has {entry!r:.60}; allowed: a JSON record") from error
        if status not in STATUSES:
            raise DataError(f"{manifest}: unknown status {status!r}; allowed: {', '.join(STATUSES)}")
        return status

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what is read, and the SHA-256 of each file. Raises DataError where it is absent."""
        digests = [file_digest(file) for file in self._find(source, language)[1]]
        return [source.dataset, source.config_for(language), source.split, language.code, digests]

    def holds(self, source: Source, language: Language) -> bool:
        """Whether there are rows of the language; reads the language column of a split that mixes several."""
        repository = self._repository(source)
        is_here = repository.card.is_file()
        files = repository.find(source.config_for(language), source.split) if is_here else []
        if not files or source.language_column is None:
            return bool(files)
        table = repository.read(files, [source.language_column])
        check_columns(table, {"a row's language": source.language_column}, str(files[0]), source.hint)
        return source.select_language(table, language).num_rows > 0

    def _repository(self, source: Source) -> Repository:
        place = self.path / source.dataset
        get = f"get it with `hf download --repo-type dataset {source.dataset} --local-dir {place}`, or use root='hub'"
        return Repository(place, source.hint or ("it is not on the hub" if source.hub_languages == () else get))

    def _find(self, source: Source, language: Language) -> tuple[Repository, list[Path]]:
        repository = self._repository(source)
        if not repository.card.is_file():
            what = f"{repository.card.parent}: no dataset with a card (README.md)"
            there = [card.parent.relative_to(self.path).as_posix() for card in self.path.glob("*/*/README.md")]
            raise _missing(what, source.dataset, there, repository.hint)
        return repository, repository.files(source.config_for(language), source.split)


class LabRoot:
    """One world of the lab; a split is generated when it is first read, planning generates nothing."""

    home = BEGINNING
    codes = tuple(LAB_LANGUAGES)

    def __init__(self, seed: int):
        self.seed = seed

    def languages(self, codes: Sequence[str]) -> tuple[str, ...]:
        """The languages here of a task whose row names `codes`: `qaa` for English, all the others for others."""
        others = tuple(code for code in LAB_LANGUAGES if code != self.home)
        return (self.home,) * ("en" in codes) + others * (tuple(codes) != ("en",))

    def read(self, source: Source, language: Language) -> Loaded:
        """The rows of a split. Raises DataError where the lab has none such."""
        place = write_split(self.seed, source.dataset, source.config_for(language), source.split)
        loaded = FolderRoot(place).read(source, language)
        return replace(loaded, status=self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """`generated`: no release at all."""
        return "generated"

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what decides every byte. Raises DataError where the lab has no such split."""
        config = source.config_for(language)
        find_maker(source.dataset, config, source.split)
        return [LAB_VERSION, self.seed, source.dataset, config, source.split, language.code]

    def holds(self, source: Source, language: Language) -> bool:
        """Whether the lab makes such a split, with rows of the language."""
        try:
            maker, _ = find_maker(source.dataset, source.config_for(language), source.split)
        except DataError:
            return False
        return source.language_column is None or language.code in maker.codes_of(source.split)


class HubRoot(Benchmark):
    """The hub, through its own client, its cache and its settings (HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE).

    What was fetched once is read from the cache, offline too, and only ever for the revision that was asked for.
    """

    def read(self, source: Source, language: Language) -> Loaded:
        """The rows of a split. Raises DataError, with what to do, where hub and cache cannot serve it."""
        self.fingerprint(source, language)
        config = source.config_for(language)
        hint = f"the hub dataset is {source.dataset} at revision {source.revision or 'main'}"
        snapshot = fetch_files(source.dataset, source.revision, ("README.md",))
        patterns = Repository(snapshot, hint).patterns(config, source.split)
        repository = Repository(fetch_files(source.dataset, snapshot.name, tuple(patterns)), hint)
        table = repository.read(repository.files(config, source.split))
        address = f"{source.dataset}@{snapshot.name}/{config}/{source.split}"
        return Loaded(table, address, (address,), self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """`complete`: the release itself."""
        return "complete"

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what is read and at which revision; asks no server. Raises DataError for what it lacks."""
        if not self.holds(source, language):
            what = f"the hub's {source.dataset} has no rows for language {language.code!r} ({language.name})"
            raise DataError(f"{what}; {source.hint}" if source.hint else what)
        revision = source.revision or "main"
        return [source.dataset, source.config_for(language), source.split, language.code, revision]

    def holds(self, source: Source, language: Language) -> bool:
        """Whether the row says so: it is taken at its word."""
        return source.hub_languages is None or language.code in source.hub_languages


@lru_cache(maxsize=1024)
def fetch_files(dataset: str, revision: str | None, patterns: tuple[str, ...]) -> Path:
    """The snapshot folder, named by its commit, that holds a hub dataset's files of some patterns.

    `main` is resolved once per process. Raises DataError, with what to do, where hub and cache cannot serve it.
    """
    from huggingface_hub import snapshot_download

    what = f"hub dataset {dataset}, files {', '.join(patterns)}, revision {revision or 'main'}"
    advice = f"{OFFLINE} root; a gated dataset needs a login and its terms accepted"
    wanted = dict(repo_type="dataset", revision=revision, allow_patterns=patterns)
    snapshot = Path(ask_hub(what, advice, snapshot_download, dataset, **wanted))
    if drop_damaged(snapshot):
        ask_hub(what, advice, snapshot_download, dataset, **wanted | {"revision": snapshot.name})
        if damaged := drop_damaged(snapshot):
            raise DataError(f"{what}: {', '.join(damaged)} came damaged, and damaged again; {advice}")
    return snapshot


def _missing(what: str, wanted: str, there: Collection[str], hint: str) -> DataError:
    nearest = get_close_matches(wanted, there, n=10, cutoff=0)
    more = f" and {len(there) - len(nearest)} more" if len(there) > len(nearest) else ""
    return DataError(f"{what}; there is: {', '.join(nearest) or 'nothing'}{more}; {hint}")


def read_card(card: Path) -> dict[str, dict[str, list[str]]]:
    """Config -> split -> path patterns, from the front matter of a dataset card.

    Raises DataError where there is no card, or it has no such section.
    """
    if not card.is_file():
        raise DataError(f"{card}: no dataset card; it says which files make a split")
    return _parse_card(card, card.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _parse_card(card: Path, mtime_ns: int) -> dict[str, dict[str, list[str]]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # six times faster, but not always built
    try:
        parts = re.split(r"^---\s*$", card.read_text(encoding="utf-8"), maxsplit=2, flags=re.MULTILINE)
        front_matter = yaml.load(parts[1], loader) if len(parts) == 3 else None
        return {
            config["config_name"]: {entry["split"]: _patterns(entry["path"]) for entry in config["data_files"]}
            for config in front_matter["configs"]
        }
    except (TypeError, KeyError, ValueError, yaml.YAMLError) as error:
        raise DataError(
            f"{card}: its front matter must list `configs`, each with `config_name` and `data_files` "
            f"of `split` and `path`; missing: {error}"
        ) from error


def _patterns(path: str | list[str]) -> list[str]:
    """The path patterns of a split. ValueError for one that is no text, or leads out of the dataset's folder."""
    patterns = [path] if isinstance(path, str) else list(path)
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise ValueError(f"a path below the dataset's folder, in place of {pattern!r}")
    return patterns
