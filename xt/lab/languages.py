"""The languages of the lab: a designed experiment, in one literal table.

Family, branch, script and word order stand in `xt.languages`; this table has the rest. The levels were searched so
that, over the 23 languages other than `qaa`, no two of the four distances from `qaa`, and none of them with the
resource level, correlate above 0.3 in size. They do not depend on the world's seed, which draws sounds, words,
affixes, and which words are cognate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xt.languages import LANGUAGES

BEGINNING = "qaa"
"""The language that plays English: trained on, and the one that distances are from."""

QUICK_LANGUAGES = ("qaa", "qab", "qac", "qaf", "qaj", "qal", "qao", "qaq")
"""One each, besides qaa: near (qab), SOV (qac), adjectives after (qaf), no cognates and other script (qaj), VSO (qal),
no spaces (qao), unseen in pretraining (qaq)."""

RESOURCES: Mapping[str, int] = MappingProxyType({"high": 400_000, "middle": 100_000, "low": 25_000, "unseen": 0})
"""Words of pretraining text by resource level."""

UNSPACED = frozenset({"Bopomofo", "Burmese", "Han", "Japanese", "Thai"})
"""Scripts that put no spaces between words."""


PARAMETERS = ("word_order", "adjective", "adposition", "case", "agreement", "negation", "question")
"""The parameters of a grammar."""


@dataclass(frozen=True, slots=True)
class LabLanguage:
    """One language of the lab."""

    code: str
    family: str
    branch: str
    script: str
    word_order: str
    """SVO, SOV, VSO, or free."""
    adjective: str
    """before or after its noun."""
    adposition: str
    """before or after its noun phrase."""
    case: str
    """none, or a suffix on objects."""
    agreement: bool
    """Does the verb show that its subject is plural?"""
    negation: str
    """before verb, suffix (of the verb), or end of clause."""
    question: str
    """front: what is asked, or a particle, begins the clause; in place: it stays, a particle ends the clause."""
    cognate_share: float
    """Share of the concepts whose word is cognate with qaa's."""
    resource: str
    """Level of pretraining text: high, middle, low, unseen."""

    @property
    def spaced(self) -> bool:
        """Are words written apart?"""
        return self.script not in UNSPACED


def _row(code, adjective, adposition, case, agreement, negation, question, cognate_share, resource) -> LabLanguage:
    family, branch = LANGUAGES[code].family.split(": ")
    order = LANGUAGES[code].word_order.replace("mixed", "free")
    syntax = (order, adjective, adposition, case, agreement == "agrees", negation, question)
    return LabLanguage(code, family, branch, LANGUAGES[code].script, *syntax, cognate_share, resource)


_ROWS = (
    _row("qaa", "before", "before", "none", "agrees", "before verb", "front", 1.0, "high"),
    _row("qab", "before", "before", "none", "agrees", "before verb", "front", 0.95, "middle"),
    _row("qac", "before", "after", "suffix", "agrees", "before verb", "in place", 0.5, "high"),
    _row("qad", "before", "before", "none", "", "suffix", "in place", 0.05, "low"),
    _row("qae", "after", "before", "none", "agrees", "end of clause", "in place", 0.75, "middle"),
    _row("qaf", "after", "before", "none", "agrees", "before verb", "front", 0.75, "middle"),
    _row("qag", "after", "before", "suffix", "", "end of clause", "front", 0.25, "middle"),
    _row("qah", "before", "before", "suffix", "", "end of clause", "front", 0.75, "low"),
    _row("qai", "before", "after", "none", "", "end of clause", "in place", 0.95, "high"),
    _row("qaj", "before", "before", "none", "agrees", "before verb", "front", 0.05, "middle"),
    _row("qak", "before", "after", "suffix", "agrees", "suffix", "front", 0.5, "low"),
    _row("qal", "after", "before", "none", "", "before verb", "front", 0.5, "middle"),
    _row("qam", "before", "after", "none", "agrees", "end of clause", "front", 0.95, "high"),
    _row("qan", "after", "before", "suffix", "agrees", "suffix", "in place", 0.25, "high"),
    _row("qao", "before", "before", "none", "agrees", "end of clause", "in place", 0.25, "high"),
    _row("qap", "after", "after", "none", "", "before verb", "in place", 0.5, "low"),
    _row("qaq", "after", "before", "none", "agrees", "suffix", "front", 0.5, "unseen"),
    _row("qar", "after", "before", "suffix", "", "suffix", "front", 0.5, "middle"),
    _row("qas", "before", "after", "none", "", "before verb", "in place", 0.95, "middle"),
    _row("qat", "after", "after", "suffix", "", "before verb", "front", 0.05, "low"),
    _row("qau", "after", "before", "none", "agrees", "before verb", "in place", 0.75, "low"),
    _row("qav", "before", "after", "suffix", "", "before verb", "in place", 0.25, "high"),
    _row("qaw", "before", "before", "none", "", "suffix", "in place", 0.05, "high"),
    _row("qax", "before", "before", "suffix", "", "suffix", "front", 0.75, "unseen"),
)

LAB_LANGUAGES: Mapping[str, LabLanguage] = MappingProxyType({row.code: row for row in _ROWS})


def genetic_distance(one: LabLanguage, other: LabLanguage) -> float:
    """Distance in the tree of families: 0 for a language itself, then 1/3 a branch, 2/3 a family shared, 1 neither."""
    shared = (one.code == other.code) + (one.branch == other.branch) * (one.family == other.family)
    return 1 - (shared + (one.family == other.family)) / 3


def distances() -> list[dict]:
    """A row per language: `language`; `syntactic` (share of the grammar's parameters that differ from qaa's),
    `lexical` (share of words not cognate), `genetic`, `script` (half for other letters, half for a way with spaces
    that differs), each 0 to 1; `resource` (words of pretraining text)."""
    return [_distance_row(language, LAB_LANGUAGES[BEGINNING]) for language in _ROWS]


def _distance_row(language: LabLanguage, origin: LabLanguage) -> dict:
    differing = sum(getattr(language, name) != getattr(origin, name) for name in PARAMETERS)
    return {
        "language": language.code,
        "syntactic": differing / len(PARAMETERS),
        "lexical": 1 - language.cognate_share,
        "genetic": genetic_distance(language, origin),
        "script": ((language.script != origin.script) + (language.spaced != origin.spaced)) / 2,
        "resource": RESOURCES[language.resource],
    }
