"""Plain text of one language, to pretrain on or to train on beside a task.

It is the lines of `<root>/<code>.txt`, or the documents of the first source of TEXT that the root holds: the
lab's, the mirror's, or Wikipedia's of November 2023 from the hub (all of a language's: 20 GB for English).
"""

from collections.abc import Sequence
from pathlib import Path

from xt.digests import check_digest, file_digest
from xt.errors import DataError
from xt.languages import LANGUAGES, get_language
from xt.locations import resolve_root
from xt.tasks.kinds import check_columns
from xt.tasks.moment import asked_once
from xt.tasks.places import find, is_held
from xt.tasks.roots import open_root
from xt.tasks.sources import Source

PRETRAINED = tuple(code for code, row in LANGUAGES.items() if row.xlmr_pretraining_gib)
"""The languages of the table that XLM-R was pretrained on."""

TEXT = Source(
    "xt/text",
    "{code}",
    "train",
    {"text": "text"},
    hub_languages=(),
    hint="or put text of one's own there as <language>.txt",
    otherwise=Source(
        "local/multilingual-text",
        "{code}",
        "train",
        {"text": "text"},
        hub_languages=(),
        otherwise=Source("wikimedia/wikipedia", "20231101.{code}", "train", {"text": "text"}, hub_languages=PRETRAINED),
    ),
)


def read_text(root: str, language: str) -> list[str]:
    """The documents of a language, in their order; see `open_text`."""
    return [str(document) for document in open_text(root, language)]


def open_text(root: str, language: str) -> Sequence:
    """The documents of a language, in their order, of which only those that are asked for become texts (by `str`).

    Empty lines of a plain file separate nothing and are skipped. Raises DataError where the root has no text of the
    language, or a file without any.
    """
    file = plain_file(root, language)
    if file:
        check_digest(file)
        try:
            documents = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise DataError(f"{file}: no text in UTF-8 ({error}); allowed: a document per line") from error
    else:
        found = find(TEXT, root, get_language(language))
        loaded = found.load()
        check_columns(loaded.table, found.source.needed, loaded.where)
        documents = loaded.table["text"]
        if documents.null_count:
            row = documents.is_null().to_pylist().index(True)
            raise DataError(f"{loaded.where}, row {row}: its text is missing; expected a document")
    if not len(documents):
        raise DataError(f"{file or root}: no text of {language!r}; pretraining needs at least one line")
    return documents


@asked_once
def fingerprint_text(root: str, language: str) -> list | str:
    """JSON-able: what `read_text` would read. Raises DataError where the root has no text of the language."""
    file = plain_file(root, language)
    return file_digest(file) if file else next(find(TEXT, root, get_language(language)).fingerprints())


def text_status(root: str, language: str) -> str:
    """What the root's text of a language is: one of STATUSES."""
    return "complete" if plain_file(root, language) else find(TEXT, root, get_language(language)).status


@asked_once
def text_languages(root: str) -> tuple[str, ...]:
    """The languages that a root has text of: of a folder's plain files where there are some, else in the table's order.

    The hub is taken to have what XLM-R was pretrained on. Raises DataError where there is none.
    """
    place = Path(resolve_root(root))
    plain = tuple(sorted(file.stem for file in place.glob("*.txt") if place.is_absolute()))
    spoken = plain or tuple(code for code in open_root(root).codes if is_held(TEXT, root, get_language(code)))
    if not spoken:
        raise DataError(f"{resolve_root(root)}: no text to pretrain on; needed are files <language>.txt")
    return spoken


def plain_file(root: str, language: str) -> Path | None:
    """The file of a language's text in a folder root; None where its text is a dataset."""
    file = Path(resolve_root(root)) / f"{language}.txt"
    return file if file.is_absolute() and file.is_file() else None
