"""Distances of real languages from English, computed from the feature files of URIEL (Littell et al. 2017).

    python data/languages/compute.py       writes distances.csv from the folder `uriel` of the mirror (XT_MIRROR)

Littell et al. 2017, "URIEL and lang2vec", describe features of 7,970 languages: syntax, phonology and phoneme inventory
from several databases, ancestors and places from Glottolog. The definitions here are those that give the numbers which
lang2vec ships, as far as such numbers are public:

    syntactic,      2 / pi * arccos(cosine) of two vectors of features. A feature is the largest value over the sources,
    phonological,   and where no source has it, URIEL's prediction from the nearest neighbours. lang2vec takes 0 there,
    inventory       which makes all languages without data alike (its issue 17; Toossi et al. 2024): here we differ
    genetic         1 - (ancestors shared with English) / (ancestors of English + 1)
    geographic      great circle between the two places, as a share of half the Earth's girth

What is predicted and not observed is counted: `<kind>_imputed` is the share of the language's features that no source
has.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xt.distances import TABLE
from xt.errors import DataError
from xt.languages import LANGUAGES, Language
from xt.locations import folder

ORIGIN = "en"
PREFIXES: Mapping[str, str] = {"syntactic": "S_", "phonological": "P_", "inventory": "INV_"}
"""Kind of distance -> how URIEL's names of its features begin."""
PLACES: Mapping[str, str] = {"ar": "arb", "az": "azj", "et": "ekk", "gn": "gug", "ms": "zsm", "qu": "quy"}
"""Codes of groups of languages, which have no place -> the member whose place stands for them."""
UNKNOWN = "NA"
"""What URIEL's tables write where they know nothing."""
COLUMNS = (
    "language uriel syntactic syntactic_imputed phonological phonological_imputed inventory inventory_imputed genetic "
    "geographic latitude longitude"
).split()
"""Columns of the table: our code, URIEL's; distances 0 to 1; degrees. Empty where URIEL does not have the language."""


@dataclass(frozen=True)
class Uriel:
    """URIEL's files, as arrays by language."""

    features: Mapping[str, np.ndarray]
    """Kind of distance -> (languages, features), 0 to 1; -1 where no source has it."""
    predicted: Mapping[str, np.ndarray]
    """The same, predicted for every language."""
    rows: Mapping[str, int]
    """URIEL's code -> row of the two above."""
    ancestors: Mapping[str, frozenset[str]]
    """URIEL's code -> the language's families and branches."""
    places: Mapping[str, tuple[float, float]]
    """URIEL's code -> latitude and longitude in degrees."""


def read_uriel(place: Path) -> Uriel:
    """URIEL's files in a folder. Raises DataError naming the file that is not there."""
    for name in ("features.npz", "feature_predictions.npz", "family_features.npz", "lang_fam_geo.csv.gz"):
        if not (place / name).is_file():
            raise DataError(f"no {place / name}; set XT_MIRROR to a folder whose `uriel` holds URIEL's feature files")
    observed, predicted = np.load(place / "features.npz"), np.load(place / "feature_predictions.npz")
    if list(observed["langs"]) != list(predicted["langs"]) or list(observed["feats"]) != list(predicted["feats"]):
        raise DataError(f"{place}: features.npz and feature_predictions.npz differ in languages or features")
    chosen = {kind: np.char.startswith(observed["feats"], prefix) for kind, prefix in PREFIXES.items()}
    union, filled = observed["data"].max(axis=2), predicted["data"][..., 0]
    return Uriel(
        {kind: union[:, columns].astype(float) for kind, columns in chosen.items()},
        {kind: filled[:, columns].astype(float) for kind, columns in chosen.items()},
        {str(code): row for row, code in enumerate(observed["langs"])},
        read_ancestors(place / "family_features.npz"),
        read_places(place),
    )


def read_ancestors(path: Path) -> dict[str, frozenset[str]]:
    """URIEL's code -> names of the families and branches that the language belongs to."""
    table = np.load(path)
    names, member = table["feats"], table["data"][..., 0] == 1
    return {str(code): frozenset(names[row].tolist()) for code, row in zip(table["langs"], member, strict=True)}


def read_places(place: Path) -> dict[str, tuple[float, float]]:
    """URIEL's code -> (latitude, longitude from -180 to 180), by way of Glottolog's codes."""
    import gzip

    with gzip.open(place / "lang_fam_geo.csv.gz", "rt", encoding="utf-8", newline="") as handle:
        rows = {row["code"]: (row["lat"], row["lon"]) for row in csv.DictReader(handle)}
    with gzip.open(place / "uriel_glottocode_map.csv.gz", "rt", encoding="utf-8", newline="") as handle:
        known = {row["code"]: rows.get(row["glottocode"], (UNKNOWN, UNKNOWN)) for row in csv.DictReader(handle)}
    there = {code: place for code, place in known.items() if UNKNOWN not in place}
    return {code: (float(lat), (float(lon) + 180) % 360 - 180) for code, (lat, lon) in there.items()}


def angular_distance(one: np.ndarray, other: np.ndarray) -> float:
    """2 / pi * arccos of the cosine of two vectors that are nowhere negative: 0 alike, 1 nothing in common."""
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return float(2 / np.pi * np.arccos(min(1.0, cosine)))


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance of two places (degrees) on a sphere, as a share of the farthest that two places can be apart."""
    (north, east), (north2, east2) = np.radians(one), np.radians(other)
    cosine = np.sin(north) * np.sin(north2) + np.cos(north) * np.cos(north2) * np.cos(east - east2)
    return float(np.arccos(np.clip(cosine, -1, 1)) / np.pi)


def fill_features(uriel: Uriel, kind: str, code: str) -> tuple[np.ndarray, float]:
    """(features of a language, predicted where no source has them; the share that is predicted)."""
    row = uriel.rows[code]
    observed = uriel.features[kind][row]
    known = observed >= 0
    return np.where(known, observed, uriel.predicted[kind][row]), float(1 - known.mean())


def distances_of(uriel: Uriel, language: Language) -> dict[str, float | str]:
    """One row of the table; empty texts where URIEL does not have the language, or no place for it."""
    row: dict[str, float | str] = dict.fromkeys(COLUMNS, "") | {"language": language.code}
    own, origin = language.iso3, LANGUAGES[ORIGIN].iso3
    if own in uriel.rows:
        row["uriel"] = own
        for kind in PREFIXES:
            features, imputed = fill_features(uriel, kind, own)
            row[kind] = angular_distance(features, fill_features(uriel, kind, origin)[0])
            row[f"{kind}_imputed"] = imputed
        shared = len(uriel.ancestors[own] & uriel.ancestors[origin]) + (own == origin)
        row["genetic"] = 1 - shared / (len(uriel.ancestors[origin]) + 1)
    place = uriel.places.get(PLACES.get(language.code, own))
    if place:
        row["latitude"], row["longitude"] = place
        row["geographic"] = great_circle(place, uriel.places[origin])
    return row


def compute_distances(place: Path) -> list[dict[str, str]]:
    """The rows of the table from URIEL's files in a folder, numbers as text with four decimals."""
    uriel, real = read_uriel(place), [row for row in LANGUAGES.values() if row.xlmr_pretraining_gib is not None]
    return [
        {name: value if isinstance(value, str) else f"{value:.4f}" for name, value in distances_of(uriel, row).items()}
        for row in real
    ]


def write_distances(place: Path, path: Path = TABLE) -> None:
    """Computes the table from URIEL's files in `place` and writes it."""
    rows = compute_distances(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write_distances(folder("XT_MIRROR") / "uriel")
