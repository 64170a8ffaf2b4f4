"""Which of a task's sources a root holds, and its rows: a source may name another to look for otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass

from xt.errors import DataError
from xt.languages import Language
from xt.tasks.ccgbank import CcgbankFolder
from xt.tasks.roots import FolderRoot, HubRoot, LabRoot, Loaded, open_root
from xt.tasks.rows import Rows, build_rows, release_rows
from xt.tasks.sources import Source, worst_status

Place = HubRoot | FolderRoot | LabRoot | CcgbankFolder


@dataclass(frozen=True)
class Found:
    """A source in its language, and where its rows are."""

    place: Place
    source: Source
    root: str
    language: Language

    @property
    def beside(self) -> "Found | None":
        """The rows beside them."""
        return self.source.beside and find(self.source.beside, self.root, self.language)

    @property
    def held(self) -> bool:
        """Whether there are rows."""
        return self.place.holds(self.source, self.language)

    @property
    def status(self) -> str:
        """What the rows are: one of STATUSES."""
        return self.place.status(self.source, self.language)

    def fingerprints(self) -> Iterator[list]:
        """What would be read. Raises DataError where it is absent."""
        yield self.place.fingerprint(self.source, self.language)
        if self.beside:
            yield from self.beside.fingerprints()

    def load(self) -> Loaded:
        """The table as released. Raises DataError where it is absent."""
        return self.place.read(self.source, self.language)

    def rows(self, labels: tuple[str, ...]) -> tuple[Rows, str, tuple[str, ...]]:
        """The rows in our fields; the worst status of what was read; and what was read."""
        loaded, beside = [self.load()], self.beside
        if beside:
            loaded.append(beside.load())
        aside = release_rows(loaded[1], beside.source, self.language) if beside else ()
        rows = build_rows(loaded[0], self.source, labels, self.language, aside, open_root(self.root).home)
        files = tuple(dict.fromkeys(file for part in loaded for file in part.files))
        return rows, worst_status(*(part.status for part in loaded)), files


def find(source: Source, root: str, language: Language) -> Found:
    """Where a root's rows of a source are: the first held of the source and those it names to look for otherwise.

    Where none is: the source itself, if it alone was to be looked for or its files are there, whose reading then says
    what is missing. Otherwise raises DataError with what is missing at each.
    """
    chain = [Found(_place(one, root), one.spoken(language), root, language) for one in _chain(source, root)]
    if len(chain) == 1:
        return chain[0]
    return next((one for one in chain if one.held), None) or _least_missing(chain)


def is_held(source: Source, root: str, language: Language) -> bool:
    """Whether a root has rows of a source, or of one to look for otherwise."""
    return any(_place(one, root).holds(one.spoken(language), language) for one in _chain(source, root))


def _chain(source: Source, root: str) -> list[Source]:
    """The source and those to look for otherwise; on the hub not those that it never has, if others are left."""
    chain = [source]
    while chain[-1].otherwise:
        chain.append(chain[-1].otherwise)
    hub = root == "hub"
    return [one for one in chain if one.place or not (hub and one.hub_languages == ())] or chain[:1]


def _place(source: Source, root: str) -> Place:
    return CcgbankFolder(source.place) if source.place else open_root(root)


def _least_missing(chain: list[Found]) -> Found:
    messages = []
    for found in chain:
        try:
            list(found.fingerprints())
            return found
        except DataError as error:
            messages.append(str(error))
    raise DataError("; or: ".join(messages))
