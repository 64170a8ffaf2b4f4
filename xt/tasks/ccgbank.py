"""CCGbank, which is licensed, from a folder that the user names: words, parts of speech and categories.

Either its sections (folders `00` to `24` at any depth) or a file per split (`train`, `validation` or `dev`, `test`,
with any ending). Files ending in `.auto` hold derivations as CCGbank has them, all others a sentence per line,
`word|POS|category` between blanks.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xt.errors import DataError
from xt.languages import Language
from xt.locations import folder
from xt.tasks.roots import Loaded
from xt.tasks.sources import Source

if TYPE_CHECKING:
    from pyarrow import Table

SECTIONS = {"train": range(2, 22), "validation": (0,), "test": (23,)}
"""Split -> sections, as in Hockenmaier and Steedman (2007)."""
NAMES = {"train": ("train",), "validation": ("validation", "dev"), "test": ("test",)}
LEAF = re.compile(r"\(<L (\S+) (\S+) \S+ (\S+) \S+>\)")
"""A word of a derivation: category, part of speech as corrected, as it was, word, category with indices."""


class CcgbankFolder:
    """The folder that a variable names."""

    def __init__(self, variable: str):
        self.variable = variable

    def read(self, source: Source, language: Language) -> Loaded:
        """The sentences of a split. Raises DataError for an absent folder and for a line that is none of a sentence."""
        files = self._find(source)
        names = tuple(f"${self.variable}/{file.relative_to(folder(self.variable)).as_posix()}" for file in files)
        return Loaded(_read_files(files), str(files[0]), names, self.status(source, language))

    def status(self, source: Source, language: Language) -> str:
        """`complete`: the release itself."""
        return "complete"

    def fingerprint(self, source: Source, language: Language) -> list:
        """JSON-able: what is read, and the SHA-256 of all its files. Raises DataError where it is absent."""
        if language.code != "en":
            raise DataError(f"CCGbank has no rows for language {language.code!r} ({language.name})")
        stats = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in self._find(source))
        return [source.dataset, source.split, language.code, _digest(stats)]

    def holds(self, source: Source, language: Language) -> bool:
        """Whether the folder has the split."""
        return language.code == "en" and bool(find_files(folder(self.variable), source.split))

    def _find(self, source: Source) -> list[Path]:
        place = folder(self.variable)
        files = find_files(place, source.split)
        if not files:
            named = ", ".join(f"{name}.*" for name in NAMES.get(source.split, ("train",)))
            raise DataError(
                f"{place}: no CCGbank for split {source.split!r}: neither sections (folders 00 to 24) nor {named}. "
                f"CCGbank is licensed (Linguistic Data Consortium, LDC2005T13): get it and set {self.variable} to its "
                "folder; allowed splits: train, validation, test"
            )
        return files


def find_files(place: Path, split: str) -> list[Path]:
    """The files of a split below a folder, in order; none where there are none."""
    sections = [file for file in place.rglob("*") if re.fullmatch(r"\d\d", file.parent.name) and file.is_file()]
    derivations = [file for file in sections if file.suffix == ".auto"]  # the release has other files beside them
    if sections:
        wanted = SECTIONS.get(split, ())
        return sorted(file for file in derivations or sections if int(file.parent.name) in wanted)
    return sorted(file for file in place.glob("*") if file.stem in NAMES.get(split, ()) and file.is_file())


@lru_cache(maxsize=16)
def _digest(stats: tuple) -> str:
    digest = hashlib.sha256()
    for name, *_ in stats:
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def _read_files(files: list[Path]) -> "Table":
    import pyarrow

    names = ("tokens", "pos_tags", "categories")
    sentences = [dict(zip(names, map(list, words), strict=True)) for file in files for words in read_sentences(file)]
    if not sentences:
        raise DataError(f"{files[0]}: no sentences; expected some")
    return pyarrow.Table.from_pylist(sentences)


def read_sentences(file: Path) -> Iterator[tuple[tuple[str, ...], ...]]:
    """(words, parts of speech, categories) of each sentence. Raises DataError naming file and line."""
    parse = parse_derivation if file.suffix == ".auto" else parse_line
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: no text in UTF-8 ({error})") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not (file.suffix == ".auto" and line.startswith("ID=")):
            yield parse(line, f"{file}, line {number}")


def parse_derivation(line: str, where: str) -> tuple[tuple[str, ...], ...]:
    """(words, parts of speech, categories) of the leaves of a derivation."""
    leaves = LEAF.findall(line)
    if not leaves or len(leaves) != line.count("(<L "):
        raise DataError(
            f"{where}: {line[:60]!r} is no derivation; expected (<T ... (<L category POS POS word ...>) ...)"
        )
    categories, tags, words = zip(*leaves, strict=True)
    return words, tags, categories


def parse_line(line: str, where: str) -> tuple[tuple[str, ...], ...]:
    """(words, parts of speech, categories) of a line `word|POS|category word|POS|category`."""
    parts = [tuple(piece.rsplit("|", 2)) for piece in line.split()]
    wrong = next((part for part in parts if len(part) != 3 or not all(part)), None)
    if wrong:
        raise DataError(f"{where}: {'|'.join(wrong)!r}; expected word|POS|category")
    return tuple(zip(*parts, strict=True))
