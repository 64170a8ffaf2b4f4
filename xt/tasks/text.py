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
    if file.is_file():
        documents = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        place = open_root(root)
        documents = place.read(TEXT, get_language(language)).table["text"].to_pylist()
    if not documents:
        raise DataError(f"{file}: no text of {language!r}; pretraining needs at least one line")
    return documents


def fingerprint_text(root: str, language: str) -> list | str:
    """JSON-able: what `read_text` would read. Raises DataError where the root has no text of the language."""
    file = plain_file(root, language)
    if file.is_file():
        return file_digest(file)
    place = open_root(root)
    return place.fingerprint(TEXT, get_language(language))


def plain_file(root: str, language: str) -> Path:
    """Where a folder root would hold a language's text as a plain file."""
    return Path(resolve_root(root)) / f"{language}.txt"
