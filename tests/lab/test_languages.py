"""The languages of the lab as a designed experiment."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from xt.distances import load_distances
from xt.lab.languages import LAB_LANGUAGES, PARAMETERS, QUICK_LANGUAGES, RESOURCES, distances
from xt.languages import LANGUAGES

COMPONENTS = ("syntactic", "lexical", "genetic", "script")
LEVELS = ("unseen", "low", "middle", "high")
OTHERS = [language for language in LAB_LANGUAGES.values() if language.code != "qaa"]


def column(name: str) -> list[float]:
    """A distance of the 23 languages other than qaa."""
    return [row[name] for row in distances() if row["language"] != "qaa"]


def test_distances_and_resources_are_not_confounded():
    resources = {
        "level": [LEVELS.index(language.resource) for language in OTHERS],
        "log words": [math.log(1 + RESOURCES[language.resource]) for language in OTHERS],
    }
    columns = {name: column(name) for name in COMPONENTS} | resources
    for one, other in set(combinations(columns, 2)) - {("level", "log words")}:
        assert abs(np.corrcoef(columns[one], columns[other])[0, 1]) < 0.3, (one, other)


def test_every_distance_spreads():
    assert all(np.std(column(name)) > 0.18 and max(column(name)) > 0.7 for name in COMPONENTS)
    assert set(distances()[0].values()) == {"qaa", 0.0, RESOURCES["high"]}
    for name in PARAMETERS:
        counts = Counter(getattr(language, name) for language in OTHERS)
        assert len(counts) >= 2 and min(counts.values()) >= 3


def test_the_tree_has_families_with_branches():
    families = {language.family for language in LAB_LANGUAGES.values()}
    branches = {(language.family, language.branch) for language in LAB_LANGUAGES.values()}
    assert len(LAB_LANGUAGES) == 24 and len(families) >= 5 and len(branches) > len(families)
    assert Counter(round(3 * value) for value in column("genetic")).keys() == {1, 2, 3}


def test_resources_have_four_levels_and_the_unseen_are_no_outliers():
    assert {language.resource for language in OTHERS} == set(LEVELS)
    unseen = [row for row in distances() if row["resource"] == 0]
    assert len(unseen) == 2
    for row in unseen:
        assert sum(row[name] == max(column(name)) for name in COMPONENTS) < 3


def test_free_order_goes_with_case_and_scripts_are_at_least_three():
    assert all(row.case == "suffix" for row in LAB_LANGUAGES.values() if row.word_order == "free")
    assert len({row.script for row in OTHERS if row.spaced}) >= 3 and any(not row.spaced for row in OTHERS)


def test_the_quick_languages_differ_from_qaa_each_in_its_way():
    rows = {row["language"]: row for row in distances() if row["language"] in QUICK_LANGUAGES}
    assert len(rows) == 8 and "qaa" in rows
    near, *_ = sorted(rows.values(), key=lambda row: sum(row[name] for name in COMPONENTS))[1:]
    assert near["syntactic"] == 0 and near["lexical"] < 0.1
    quick = [LAB_LANGUAGES[code] for code in QUICK_LANGUAGES]
    assert {"SVO", "SOV", "VSO"} <= {language.word_order for language in quick}
    assert any(language.cognate_share < 0.1 for language in quick) and any(not language.spaced for language in quick)
    assert [language.resource for language in quick].count("unseen") == 1


def test_lab_and_real_languages_share_one_table():
    rows = {row["language"]: row for row in load_distances([*LAB_LANGUAGES, *LANGUAGES])}
    assert set(rows) == set(LANGUAGES) and len({tuple(row) for row in rows.values()}) == 1
    designed = next(row for row in distances() if row["language"] == "qac")
    assert rows["qac"] == rows["qac"] | designed and math.isnan(rows["qac"]["geographic"])
    assert [rows[code]["script"] for code in ("en", "nl", "ru", "ja")] == [0, 0, 0.5, 1]
    assert math.isnan(rows["ru"]["lexical"]) and rows["ru"]["resource"] == LANGUAGES["ru"].xlmr_pretraining_gib
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        load_distances(["xx"])
