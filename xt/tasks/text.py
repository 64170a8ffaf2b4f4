"""Plain text of one language, for pretraining: documents of a root, or the lines of `<root>/<code>.txt`."""

from pathlib import Path

from xt.errors import DataError
from xt.languages import get_language
from xt.locations import resolve_root
from xt.tasks.roots import open_root
from xt.tasks.sources import Source, file_digest

TEXT = Source("xt/text", "{code}", "train", {"text": "text"})


def read_text(root: str, language: str) -> list[str]:
    """The documents of a language, in their order; empty lines of a plain file separate nothing and are skipped.

    Raises DataError where the root has no text of the language, or a file without any.
    """
    file = plain_file(root, language)
    if file:
        documents = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        place = open_root(root)
        documents = place.read(TEXT, get_language(language)).table["text"].to_pylist()
    if not documents:
        raise DataError(f"{file or root}: no text of {language!r}; pretraining needs at least one line")
    return documents


def fingerprint_text(root: str, language: str) -> list | str:
    """JSON-able: what `read_text` would read. Raises DataError where the root has no text of the language."""
    if resolve_root(root) == "hub":
        raise DataError("root 'hub' holds no text to pretrain on; allowed: lab, lab-<world seed>, or a folder")
    file = plain_file(root, language)
    return file_digest(file) if file else open_root(root).fingerprint(TEXT, get_language(language))


def text_status(root: str, language: str) -> str:
    """What the root's text of a language is: one of STATUSES."""
    return "complete" if plain_file(root, language) else open_root(root).status(TEXT, get_language(language))


def text_languages(root: str) -> tuple[str, ...]:
    """The languages of a folder's plain files. Raises DataError where there is none."""
    codes = tuple(sorted(file.stem for file in Path(resolve_root(root)).glob("*.txt")))
    if not codes:
        raise DataError(f"{resolve_root(root)}: no text to pretrain on; needed are files <language>.txt")
    return codes


def plain_file(root: str, language: str) -> Path | None:
    """The file of a language's text in a folder root; None where its text is a dataset."""
    file = Path(resolve_root(root)) / f"{language}.txt"
    return file if file.is_absolute() and file.is_file() else None
