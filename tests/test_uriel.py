"""Distances of real languages: the definitions, published numbers, and the committed table made again."""

import csv

import numpy as np
import pytest
from scipy.stats import spearmanr

from data.languages.compute import (
    COLUMNS,
    angular_distance,
    distances_of,
    fill_features,
    great_circle,
    read_uriel,
    write_distances,
)
from xt.distances import (
    COMPONENTS,
    LAB_COMPONENTS,
    MAX_IMPUTED,
    REAL_COMPONENTS,
    TABLE,
    load_distances,
    read_distances,
)
from xt.errors import DataError
from xt.languages import LANGUAGES

INVENTORY = {"de": 0.4364, "fr": 0.4753, "it": 0.5064, "pt": 0.4235, "tr": 0.5183, "ta": 0.5014, "rw": 0.5182}
"""lang2vec's shipped inventory distances from English, as published in github.com/maureendss/multilingual_lfe."""
GENETIC = {"nl": 0.6, "fr": 0.9, "es": 0.9, "ru": 0.9, "tr": 1.0, "eu": 1.0, "zh": 1.0}
SYNTACTIC = {
    "de": 0.42, "fr": 0.46, "es": 0.40, "pt": 0.47, "nl": 0.49, "ru": 0.49, "it": 0.51, "uk": 0.51, "pl": 0.59,
    "eu": 0.61, "tr": 0.70, "ta": 0.71, "rw": 0.77,
}  # fmt: skip
"""The same source; all three kinds."""
REAL = [row for row in LANGUAGES.values() if row.xlmr_pretraining_gib is not None]


@pytest.fixture(scope="module")
def table():
    return read_distances()


@pytest.fixture(scope="module")
def uriel(mirror_root):
    from pathlib import Path

    return read_uriel(Path(mirror_root) / "uriel")


def test_every_real_language_has_a_row_and_what_is_not_known_is_empty(table):
    assert list(table) == [row.code for row in REAL]
    assert all(list(row) == COLUMNS for row in table.values())
    assert [code for code, row in table.items() if not row["uriel"]] == ["nah", "oto"]
    assert all(table[code][name] == "" for code in ("nah", "oto") for name in COLUMNS[1:])
    for row in table.values():
        assert all(0 <= float(row[name]) <= 1 for name in COLUMNS[2:10] if row[name])
    assert all(float(table["en"][name]) == 0 for name in ("syntactic", "phonological", "inventory", "genetic"))


def test_published_distances_are_met(table):
    assert {code: float(table[code]["inventory"]) for code in INVENTORY} == INVENTORY
    assert {code: float(table[code]["genetic"]) for code in GENETIC} == GENETIC
    ours = [float(table[code]["syntactic"]) for code in SYNTACTIC]
    assert spearmanr(ours, list(SYNTACTIC.values())).statistic > 0.85


def test_the_definitions_on_small_vectors_and_known_places():
    assert angular_distance(np.array([1.0, 0]), np.array([0, 2.0])) == pytest.approx(1)
    assert angular_distance(np.array([1.0, 1]), np.array([1.0, 0])) == pytest.approx(0.5)
    assert angular_distance(np.array([0.3, 0.4]), np.array([0.6, 0.8])) == pytest.approx(0, abs=1e-6)
    assert great_circle((90, 0), (-90, 0)) == pytest.approx(1) and great_circle((0, 10), (0, 100)) == pytest.approx(0.5)
    assert great_circle((0, -170), (0, 170)) == pytest.approx(20 / 180)


def test_predicted_features_are_filled_in_counted_and_not_trusted_when_they_are_most(uriel):
    features, imputed = fill_features(uriel, "syntactic", "pcm")
    assert imputed == 1 and set(np.unique(features)) <= {0, 1}, "nothing is observed, all is predicted"
    features, imputed = fill_features(uriel, "syntactic", "eng")
    assert imputed == 0 and (features == uriel.features["syntactic"][uriel.rows["eng"]]).all()
    known = {row["language"]: row for row in load_distances(["it", "kk", "nah", "sw"])}
    assert np.isnan(known["kk"]["syntactic"]) and known["kk"]["imputed"] > MAX_IMPUTED
    assert np.isnan(known["it"]["phonological"]) and known["it"]["inventory"] == 0.5064
    assert np.isnan(known["nah"]["genetic"]) and known["sw"]["syntactic"] == float(read_distances()["sw"]["syntactic"])


def test_lang2vecs_syntactic_distances_are_near_ours_where_missing_features_are_zero_as_there(uriel):
    features = {
        code: np.maximum(uriel.features["syntactic"][uriel.rows[LANGUAGES[code].iso3]], 0) for code in SYNTACTIC
    }
    english = np.maximum(uriel.features["syntactic"][uriel.rows["eng"]], 0)
    ours = {code: angular_distance(english, vector) for code, vector in features.items()}
    assert ours == pytest.approx(SYNTACTIC, abs=0.025), "the databases have changed a little since"


def test_geographic_distances_are_those_of_lang2vecs_manual(uriel):
    known = {("frr", "dan"): 0.0028, ("frr", "deu"): 0.0359, ("dan", "deu"): 0.0361}
    for (one, other), value in known.items():
        assert great_circle(uriel.places[one], uriel.places[other]) == pytest.approx(value, abs=5e-5)


def test_the_committed_table_is_that_of_the_feature_files(mirror_root, tmp_path):
    from pathlib import Path

    write_distances(Path(mirror_root) / "uriel", tmp_path / "languages" / "distances.csv")
    ours, again = (list(csv.DictReader(path.open())) for path in (TABLE, tmp_path / "languages" / "distances.csv"))
    assert [row["language"] for row in ours] == [row["language"] for row in again]
    for one, other in zip(ours, again, strict=True):
        for name in COLUMNS[2:]:
            assert one[name] == other[name] == "" or float(one[name]) == pytest.approx(float(other[name]), abs=2e-4)


def test_a_group_of_languages_has_the_place_of_one_member(uriel):
    assert distances_of(uriel, LANGUAGES["ms"])["latitude"] == uriel.places["zsm"][0]
    assert "msa" not in uriel.places and uriel.places["hat"][1] < 0


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="no .*features.npz; set XT_MIRROR"):
        read_uriel(tmp_path)


def test_the_mean_distance_is_that_of_known_components_as_shares_of_the_farthest():
    rows = {row["language"]: row for row in load_distances(LANGUAGES)}
    assert rows["en"]["distance"] == rows["qaa"]["distance"] == 0 and np.isnan(rows["kk"]["distance"])
    known = [row for row in rows.values() if row["scale"] == "real"]
    largest = {
        name: np.nanmax([row[name] for row in known]) for name in ("syntactic", "genetic", "geographic", "script")
    }
    expected = np.mean([rows["ja"][name] / value for name, value in largest.items()])
    assert rows["ja"]["distance"] == pytest.approx(expected)
    assert all(row["distance"] <= 1 for row in rows.values() if not np.isnan(row["distance"]))
    assert rows["qac"]["distance"] == pytest.approx(np.mean([rows["qac"][name] / max(
        row[name] for row in rows.values() if row["scale"] == "lab") for name in LAB_COMPONENTS]))  # fmt: skip
    rows["ja"]["syntactic"] = 5
    assert load_distances(["ja"])[0]["syntactic"] < 1, "a row is the caller's own"


def test_lab_and_real_scales_are_told_apart_and_have_their_own_distances():
    rows = {row["language"]: row for row in load_distances(["qac", "de"])}
    assert (rows["qac"]["scale"], rows["de"]["scale"]) == ("lab", "real")
    assert {name for name in COMPONENTS if not np.isnan(rows["qac"][name])} == set(LAB_COMPONENTS)
    assert {name for name in COMPONENTS if not np.isnan(rows["de"][name])} == set(REAL_COMPONENTS)
