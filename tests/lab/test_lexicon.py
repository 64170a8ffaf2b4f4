"""The words of the lab's languages: distinct, cognate as designed, stable in every script."""

import unicodedata
from collections import Counter
from difflib import SequenceMatcher

import numpy as np
import pytest

from xt.lab.languages import LAB_LANGUAGES, distances
from xt.lab.lexicon import CONSONANTS, SCRIPTS, VOWELS, build_lexicon
from xt.lab.world import build_world

CODES = tuple(LAB_LANGUAGES)
LEXICA = {code: build_lexicon(100, code) for code in CODES}
NOUNS = tuple(build_world(100).kinds)


def to_latin(form: str, code: str) -> str:
    """A form in Latin letters."""
    letters = SCRIPTS[LAB_LANGUAGES[code].script].letters
    return form.lower().translate(str.maketrans(letters, VOWELS + CONSONANTS))


def affix(code: str, verb: str = "see") -> str:
    """The suffix of the past."""
    lexicon = LEXICA[code]
    return to_latin(lexicon.inflected[verb, ("past",)].removeprefix(lexicon.forms[verb]), code)


def is_name(lexicon, concept: str) -> bool:
    """Is a concept a part of a name?"""
    return lexicon.upos[concept] == "PROPN"


@pytest.mark.parametrize("seed", [100, 101])
def test_all_forms_of_a_language_differ(seed):
    for code in CODES:
        inflected = build_lexicon(seed, code).inflected
        folded = {form.lower() for form in inflected.values()}
        assert len(folded) == len(inflected) > 400


def test_cognates_are_as_many_as_designed_and_hold_the_loans():
    for code, lexicon in LEXICA.items():
        words = [concept for concept in lexicon.upos if not is_name(lexicon, concept)]
        assert len(lexicon.cognates) / len(words) == pytest.approx(LAB_LANGUAGES[code].cognate_share, abs=0.005)
        assert lexicon.loans <= lexicon.cognates


def test_loans_are_alike_everywhere_but_for_the_script():
    for code, lexicon in LEXICA.items():
        same = [to_latin(lexicon.forms[name], code) == LEXICA["qaa"].forms[name] for name in lexicon.loans]
        assert np.mean(same) > 0.9, "one may be set apart from a name"


def test_cognates_resemble_the_words_of_qaa_the_less_the_farther_the_language():
    genetic = {row["language"]: round(3 * row["genetic"]) for row in distances()}
    likeness = {steps: [] for steps in range(4)}
    for code, lexicon in LEXICA.items():
        for name in NOUNS:
            words = to_latin(lexicon.forms[name], code), LEXICA["qaa"].forms[name]
            steps = genetic[code] if name in lexicon.cognates - lexicon.loans else None
            likeness.setdefault(steps, []).append(SequenceMatcher(None, *words).ratio())
    means = {steps: np.mean(values) for steps, values in likeness.items()}
    assert means[0] == 1 > means[1] > means[2] > means[3] > means[None] + 0.2


def test_sound_change_is_regular():
    """One language of the branch of qaa: one sound became another, in every cognate."""
    regular = LEXICA["qab"].cognates - LEXICA["qab"].loans
    pairs = [(LEXICA["qaa"].forms[name], LEXICA["qab"].forms[name]) for name in sorted(regular)]
    changes = Counter(change for pair in pairs for change in set(zip(*pair, strict=False)))
    for old in VOWELS + CONSONANTS:
        became = [count for (source, _), count in changes.items() if source == old]
        assert not became or max(became) > 0.95 * sum(became), "but for words that were set apart"
    assert 1 <= sum(old != new and count > 3 for (old, new), count in changes.items()) <= 2


def test_names_are_spelled_alike_in_every_script():
    for lexicon in LEXICA.values():
        assert lexicon.names == LEXICA["qaa"].names
        for part in (concept for concept in lexicon.upos if is_name(lexicon, concept)):
            assert lexicon.forms[part] == LEXICA["qaa"].forms[part] and lexicon.forms[part].istitle()


def test_letters_are_stable_under_compatibility_normalisation():
    for script in SCRIPTS.values():
        assert len(set(script.letters)) == len(VOWELS + CONSONANTS) and script.letters.isalpha()
        for form in ("NFKC", "NFKD"):
            assert unicodedata.normalize(form, script.letters + script.stop) == script.letters + script.stop


def test_words_are_as_long_as_words_are_and_frequent_ones_shorter():
    ranked = build_world(100).ranked
    for lexicon in LEXICA.values():
        lengths = [len(lexicon.forms[name]) for name in (*NOUNS, *ranked["verbs"], *ranked["properties"])]
        assert min(lengths) >= 2 and np.mean(np.array(lengths) <= 8) > 0.97 and 3.5 < np.mean(lengths) < 6
        frequent, rare = (
            np.mean([len(lexicon.forms[name]) for name in ranked["kinds"][part]])
            for part in (slice(20), slice(-20, None))
        )
        assert frequent < rare - 1


def test_affixes_are_shared_within_a_branch():
    branches: dict[tuple, set] = {}
    for code, language in LAB_LANGUAGES.items():
        branches.setdefault((language.family, language.branch), set()).add(affix(code))
    assert all(len(found) == 1 for found in branches.values())
    assert len(set().union(*branches.values())) > len(branches) / 2


def test_another_seed_has_other_words_for_the_same_concepts():
    for code in CODES:
        one, other = LEXICA[code], build_lexicon(101, code)
        assert set(one.forms) == set(other.forms) and len(one.cognates) == len(other.cognates)
        assert np.mean([one.forms[name] == other.forms[name] for name in NOUNS]) < 0.05
        assert code == "qaa" or one.cognates != other.cognates
