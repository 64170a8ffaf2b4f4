"""How far languages are from the language that is trained on, the lab's and the real ones in one table.

The two kinds are told apart by `scale` and never compared: the lab's distances are from `qaa` and follow from its
design, those of real languages are from English and come from databases.
"""

import csv
import math
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from xt.lab.languages import LAB_LANGUAGES, UNSPACED
from xt.lab.languages import distances as lab_distances
from xt.languages import LANGUAGES, Language, get_language
from xt.locations import PROJECT

TABLE = PROJECT / "data" / "languages" / "distances.csv"
"""The committed distances of real languages from English, one row each; its README says what the columns are."""
LAB_COMPONENTS = ("syntactic", "lexical", "genetic", "script")
"""The distances that are known of the lab's languages."""
REAL_COMPONENTS = ("syntactic", "genetic", "geographic", "phonological", "inventory", "script")
"""The distances that are known of real languages."""
COMPONENTS: tuple[str, ...] = tuple(dict.fromkeys((*LAB_COMPONENTS, *REAL_COMPONENTS)))
"""All distances of the table."""
MAX_IMPUTED = 0.5
"""A distance that rests on features of which a larger share is predicted, not observed, counts as unknown."""
MEAN_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"lab": LAB_COMPONENTS, "real": ("syntactic", "genetic", "geographic", "script")}
)
"""Scale -> the components of the mean distance."""
ENGLISH = LANGUAGES["en"]


def load_distances(codes: Iterable[str]) -> list[dict]:
    """A row per language: `language`, `scale` (lab or real), a distance per name of COMPONENTS, 0 to 1, NaN where it is
    not known, their mean `distance`, `imputed` (share of the syntactic features that are predicted), and `resource`.

    For the lab see `xt.lab.languages.distances`; `resource` is words of pretraining text. For real languages
    syntactic, phonological, inventory, genetic and geographic distance are TABLE's (features predicted for the most
    part make them NaN: MAX_IMPUTED); `lexical` is not known; `script` is half for other letters and half for words
    not written apart; `resource` is GiB of XLM-R's pretraining text. What another encoder read: `xt.exposure`.
    `distance` is the mean over MEAN_OF of each component as a share of its largest value on the scale: 0 is the
    training language, 1 would be farthest in everything; NaN where a component is not known.
    Raises ValueError for an unknown code.
    """
    return [dict(_measured()[get_language(code).code]) for code in codes]


def read_distances() -> dict[str, dict[str, str]]:
    """Language -> its row of TABLE, as text."""
    with TABLE.open(encoding="utf-8", newline="") as handle:
        return {row["language"]: row for row in csv.DictReader(handle)}


@cache
def _measured() -> Mapping[str, dict]:
    """Language -> its row of `load_distances`."""
    lab, known = {row["language"]: row for row in lab_distances()}, read_distances()
    rows = {code: _of_the_lab(lab[code]) if code in LAB_LANGUAGES else _from_english(language, known[code])
            for code, language in LANGUAGES.items()}  # fmt: skip
    for scale, names in MEAN_OF.items():
        own = [row for row in rows.values() if row["scale"] == scale]
        largest = {name: max(row[name] for row in own if not math.isnan(row[name])) for name in names}
        for row in own:
            row["distance"] = sum(row[name] / largest[name] for name in names) / len(names)
    return rows


def _of_the_lab(row: dict) -> dict:
    distances = {name: row.get(name, math.nan) for name in COMPONENTS}
    return {
        "language": row["language"],
        "scale": "lab",
        **distances,
        "distance": math.nan,
        "imputed": 0.0,
        "resource": row["resource"],
    }


def _from_english(language: Language, known: dict[str, str]) -> dict:
    letters, spaces = language.script != ENGLISH.script, language.script in UNSPACED
    distances = {name: _unless_imputed(known, name) for name in COMPONENTS if name in known}
    distances |= {"lexical": 0.0 if language == ENGLISH else math.nan, "script": (letters + spaces) / 2}
    return {
        "language": language.code,
        "scale": "real",
        **{name: distances[name] for name in COMPONENTS},
        "distance": math.nan,
        "imputed": float(known["syntactic_imputed"] or "nan"),
        "resource": language.xlmr_pretraining_gib,
    }


def _unless_imputed(known: dict[str, str], name: str) -> float:
    """A distance of the committed table; NaN where it is empty or mostly predicted."""
    if not known[name] or float(known.get(f"{name}_imputed", 0)) > MAX_IMPUTED:
        return math.nan
    return float(known[name])
