"""The language table and its one order."""

import pytest

from xt.languages import LANGUAGE_ORDER, LANGUAGES, get_language, sort_languages
from xt.tasks import TASKS


def test_every_language_of_the_tasks_is_here():
    assert {c for task in TASKS.values() for c in (*task.languages, *task.more_languages)} <= set(LANGUAGES)
    xtreme_r, american, african = 50, 9, 17  # Quechua, Swahili, Wolof and Yoruba are XTREME-R's already
    assert len(LANGUAGES) == xtreme_r + american + african + 24


def test_codes_and_names_are_unique_and_words_are_from_short_lists():
    rows = LANGUAGES.values()
    for field in ("code", "iso3", "name"):
        assert len({getattr(row, field) for row in rows}) == len(LANGUAGES)
    assert all(code == row.code and len(row.iso3) == 3 for code, row in LANGUAGES.items())
    assert {row.word_order for row in rows} == {"SVO", "SOV", "VSO", "VOS", "mixed"}
    assert all(row.xlmr_pretraining_gib is None or row.xlmr_pretraining_gib >= 0 for row in rows)
    assert {row.resource_class for row in rows} == {None, 0, 1, 2, 3, 4, 5}


def test_resource_classes_are_those_of_the_list_that_names_them():
    """Read off two public copies of the list of Joshi et al. 2020, which agree."""
    examples = {5: "en es de ja fr", 4: "ru hu vi nl ko", 3: "id uk he af", 2: "zu ha wo", 1: "gn tw ay", 0: "bzd shp"}
    for number, codes in examples.items():
        assert {LANGUAGES[code].resource_class for code in codes.split()} == {number}
    unlisted = [row.code for row in LANGUAGES.values() if row.resource_class is None and row.top_family[:3] != "Lab"]
    assert unlisted == ["bbj", "cni", "luo"]
    assert LANGUAGES["de"].top_family == "IE" and LANGUAGES["qab"].top_family == "Lab A"


def test_the_order_begins_with_english_and_keeps_families_together():
    assert LANGUAGE_ORDER[0] == "en" and sorted(LANGUAGE_ORDER) == sorted(LANGUAGES)
    families = [LANGUAGES[code].family for code in LANGUAGE_ORDER[1:]]
    blocks = [family for index, family in enumerate(families) if family not in families[:index]]
    assert families == sorted(families) and len(blocks) == len(set(families))
    assert sort_languages(["zh", "fr", "en", "es"]) == ["en", "fr", "es", "zh"]
    assert sort_languages(["qax", "qab", "qaa"]) == ["qaa", "qab", "qax"]


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown language 'xx'.*allowed: af, ar"):
        get_language("xx")
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        sort_languages(["en", "xx"])
