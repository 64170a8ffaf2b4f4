"""How far languages are from the language that is trained on, the lab's and the real ones in one table."""

import math
from collections.abc import Iterable

from xt.lab.languages import LAB_LANGUAGES, UNSPACED
from xt.lab.languages import distances as lab_distances
from xt.languages import LANGUAGES, Language, get_language

ENGLISH = LANGUAGES["en"]


def load_distances(codes: Iterable[str]) -> list[dict]:
    """A row per language: `language`, four distances from 0 to 1, and `resource`.

    For the lab the distances are from `qaa` and follow from the design (`xt.lab.languages.distances`); `resource`
    is words of pretraining text. For real languages they are from English and coarse: `syntactic` compares the
    dominant word order only (half where either has none), `lexical` is missing (NaN), `genetic` knows family and
    branch, `script` is half for other letters and half for words not written apart; `resource` is GiB of
    XLM-R's pretraining text. The units of `resource` differ, so it compares languages of one kind.
    Raises ValueError for an unknown code.
    """
    lab = {row["language"]: row for row in lab_distances()}
    rows = [get_language(code) for code in codes]
    return [lab[row.code] if row.code in LAB_LANGUAGES else _from_english(row) for row in rows]


def _from_english(language: Language) -> dict:
    orders = {language.word_order, ENGLISH.word_order}
    letters, spaces = language.script != ENGLISH.script, language.script in UNSPACED
    return {
        "language": language.code,
        "syntactic": 0.5 if "mixed" in orders else float(len(orders) - 1),
        "lexical": 0.0 if language == ENGLISH else math.nan,
        "genetic": _genetic(language, ENGLISH),
        "script": (letters + spaces) / 2,
        "resource": language.xlmr_pretraining_gib,
    }


def _genetic(one: Language, other: Language) -> float:
    """0 for a language itself, then 1/3 where the branch, 2/3 where the family is shared, else 1."""
    family, branch = one.family.split(":")[0] == other.family.split(":")[0], one.family == other.family
    return 1 - ((one == other) + branch + family) / 3
