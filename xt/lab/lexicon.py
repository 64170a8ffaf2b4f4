"""The words of a language: sounds, cognates under regular change, loans, names, affixes, and the script they stand in.

A word is drawn as sounds, written as Latin letters, and then put in the language's script letter by letter; names stay
in Latin letters everywhere. All forms of a language, inflected ones included, differ, so that text can be parsed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import combinations
from random import Random
from types import MappingProxyType

from xt.lab.draw import generator, pick, shuffled
from xt.lab.languages import BEGINNING, LAB_LANGUAGES, LabLanguage
from xt.lab.meaning import NUMERALS
from xt.lab.world import build_world

CONSONANTS, VOWELS = "ptkbdgmnszlrvfhjw", "aeiou"
LOAN_SHARE = 0.05
"""Share of the concepts whose word all languages have from qaa, unchanged: international words."""
FAMILY_SHARE = 0.6
"""Share of the other concepts whose word a language has from its family."""
LONGEST = 7
"""Sounds of a root, at most."""

FUNCTION_WORDS: Mapping[str, str] = MappingProxyType(
    {"the": "DET", "a": "DET", "in": "ADP", "be": "AUX", "not": "PART", "to": "ADP", "from": "ADP", "whether": "PART"}
    | {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "before": "SCONJ"}
    | {"who": "PRON", "what": "PRON", "where": "ADV", "when": "ADV", "how many": "DET"}
)
"""Concept -> universal part of speech (Nivre et al., 2020)."""

_SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"NOUN": ("plural", "object"), "PROPN": ("object",), "VERB": ("past", "agreement", "negation")}
    | {"AUX": ("past", "agreement", "negation"), "PRON": ("object",)}
)
"""What a form may be marked for, in this order. How many is marked as pronouns are."""

_CHANGES = tuple(tuple(row.split(">")) for row in "pt>bd bd>vz kg>hk sz>zh lr>wl mn>nw a>o o>u e>i u>o i>e a>e".split())
"""Sound changes: each of the first becomes the one of the second in its place, everywhere."""


@dataclass(frozen=True, slots=True)
class Script:
    """How sounds are written."""

    letters: str
    """One for each of VOWELS + CONSONANTS."""
    stop: str


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "Latin": Script("aeiouptkbdgmnszlrvfhjw", "."),
        "Cyrillic": Script("аеиоупткбдгмнсзлрвфхжш", "."),
        "Georgian": Script("აეიოუპტკბდგმნსზლრვფჰჯწ", "."),
        "Bopomofo": Script("ㄚㄜㄧㄛㄨㄆㄊㄎㄅㄉㄍㄇㄋㄙㄗㄌㄖㄪㄈㄏㄐㄩ", "。"),
    }
)


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of one language of one world."""

    forms: Mapping[str, str]
    """Concept -> uninflected form."""
    inflected: Mapping[tuple[str, tuple[str, ...]], str]
    """(concept, what it is marked for) -> form."""
    analyses: Mapping[str, tuple[str, tuple[str, ...]]]
    """Form -> (concept, what it is marked for)."""
    upos: Mapping[str, str]
    """Concept -> universal part of speech."""
    names: Mapping[str, tuple[str, ...]]
    """Entity -> the parts of its name, themselves concepts."""
    cognates: frozenset[str]
    """Concepts whose word is cognate with qaa's."""
    loans: frozenset[str]
    """Cognates that are the same in every language."""


@dataclass(frozen=True, slots=True)
class _Phonology:
    """Which sounds a family has and how syllables are built."""

    consonants: Sequence[str]
    codas: Sequence[str]
    coda_share: float

    def syllable(self, rng: Random) -> str:
        coda = pick(rng, self.codas) if rng.random() < self.coda_share else ""
        return pick(rng, self.consonants) + pick(rng, VOWELS) + coda

    def word(self, rng: Random, syllables: int) -> str:
        start = pick(rng, VOWELS) if rng.random() < 0.1 * (syllables - 1) else ""
        return (start + "".join(self.syllable(rng) for _ in range(syllables)))[:LONGEST]


@lru_cache(maxsize=64)
def _phonology(seed: int, family: str) -> _Phonology:
    rng = generator(seed, "phonology", family)
    consonants = shuffled(rng, CONSONANTS)[:12]
    return _Phonology(consonants, [sound for sound in consonants if sound not in "hjw"][:5], 0.2 + 0.4 * rng.random())


@lru_cache(maxsize=8)
def _parts_of_speech(seed: int) -> Mapping[str, str]:
    """Every concept with its part of speech: parts of names, function words, then each class by falling frequency."""
    world, classes = build_world(seed), {"kinds": "NOUN", "verbs": "VERB", "properties": "ADJ", "times": "ADV"}
    ranked = {name: upos for table, upos in classes.items() for name in world.ranked[table]}
    names = dict.fromkeys(_draw_names(seed)[1], "PROPN")
    return MappingProxyType({**names, **FUNCTION_WORDS, **dict.fromkeys(NUMERALS, "NUM"), **ranked})


@lru_cache(maxsize=8)
def _loans(seed: int) -> tuple[str, ...]:
    count = round(LOAN_SHARE * len(_list_words(seed)))
    return tuple(shuffled(generator(seed, "loans"), build_world(seed).ranked["kinds"])[:count])


def _list_words(seed: int) -> list[str]:
    return [concept for concept, upos in _parts_of_speech(seed).items() if upos != "PROPN"]


def _root(seed: int, family: str, concept: str, purpose: str) -> str:
    """A word as the family builds them, of one syllable to three: frequent words are short (Zipf, 1935)."""
    rng, tables = generator(seed, purpose, family, concept), build_world(seed).ranked.values()
    rank = next((table.index(concept) / len(table) for table in tables if concept in table), None)
    return _phonology(seed, family).word(rng, 1 if rank is None else 1 + int(2 * rank + rng.random()))


def _draw_changes(seed: int, tree: Sequence[str], sounds: Iterable[str]) -> Callable[[str], str]:
    """What becomes of words: one sound change, of sounds there are, for each level of the tree, all different."""
    possible = [change for change in _CHANGES if set(change[0]) <= {*sounds, *VOWELS}]
    chosen: list[tuple[str, ...]] = []
    for level in tree:
        chosen.append(pick(generator(seed, "change", level), [change for change in possible if change not in chosen]))
    return lambda word: reduce(str.translate, (str.maketrans(*change) for change in chosen), word)


@lru_cache(maxsize=64)
def _cognates(seed: int, code: str) -> frozenset[str]:
    loans, words = _loans(seed), shuffled(generator(seed, "cognates", code), _list_words(seed))
    nearest = sorted(words, key=lambda name: name not in loans)
    return frozenset(nearest[: round(LAB_LANGUAGES[code].cognate_share * len(words))])


def _find_tree(language: LabLanguage) -> tuple[str, str, str]:
    return language.family, f"{language.family}: {language.branch}", language.code


def _draw_words(seed: int, language: LabLanguage, concepts: Sequence[str]) -> dict[str, str]:
    """The sounds of each concept's word, before words whose forms collide are set apart."""
    origin, tree, loans = LAB_LANGUAGES[BEGINNING], _find_tree(language), _loans(seed)
    if language is origin:
        return {concept: _root(seed, language.family, concept, "root") for concept in concepts}
    known = _draw_sounds(seed, BEGINNING)
    apart = [level for level, other in zip(tree, _find_tree(origin), strict=True) if level != other]
    from_origin = _draw_changes(seed, apart, _phonology(seed, origin.family).consonants)
    from_family = _draw_changes(seed, tree[1:], _phonology(seed, language.family).consonants)
    words, cognates = {}, _cognates(seed, language.code)
    for concept in concepts:
        if concept in cognates:
            words[concept] = known[concept] if concept in loans else from_origin(known[concept])
        elif generator(seed, "inherits", language.code, concept).random() < FAMILY_SHARE:
            words[concept] = from_family(_root(seed, language.family, concept, "proto"))
        else:
            words[concept] = _root(seed, language.family, concept, f"own {language.code}")
    return words


def _affixes(seed: int, language: LabLanguage) -> dict[str, str]:
    """A suffix for each mark: two sounds, shared within a branch."""
    rng = generator(seed, "affixes", language.family, language.branch)
    consonants = shuffled(rng, _phonology(seed, language.family).codas)
    vowels, vowel_first = shuffled(rng, VOWELS), rng.random() < 0.5
    pairs = [v + c if vowel_first else c + v for v, c in zip(vowels, consonants, strict=True)]
    return dict(zip(("plural", "object", "past", "agreement", "negation"), pairs, strict=True))


@lru_cache(maxsize=8)
def _draw_names(seed: int) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """Entity -> parts of its name, and part -> sounds; families and places show by their endings."""
    world, rng = build_world(seed), generator(seed, "names")
    phonology = _phonology(seed, "names")
    endings = [phonology.syllable(rng) + phonology.syllable(rng)[:2] for _ in range(6)]
    sounds: dict[str, str] = {}

    plan = [(f"family:{index}", 1, endings[index % 3]) for index in range(15)]
    plan += [(person, 2, "") for person in world.people]
    plan += [(place, 1, endings[3 + index % 3]) for index, place in enumerate(world.places)]
    plan += [(organisation, 2, "") for organisation in world.organisations]
    plan += [(f"company:{index}", 2, "") for index in range(3)]
    for part, syllables, ending in plan:
        words = (phonology.word(rng, syllables) + ending for _ in range(1000))
        sounds[part] = next(word for word in words if word not in sounds.values())
    names = {person: (person, f"family:{i // 2 % 15}")[: 1 + i % 2] for i, person in enumerate(world.people)}
    names |= {place: (place,) for place in world.places}
    names |= {entity: (entity, f"company:{i % 3}") for i, entity in enumerate(world.organisations)}
    return MappingProxyType(names), MappingProxyType(sounds)


@lru_cache(maxsize=64)
def _draw_sounds(seed: int, code: str) -> Mapping[str, str]:
    """Concept -> the sounds of its word. A word with a form that an earlier word has grows until it has none."""
    language, upos = LAB_LANGUAGES[code], _parts_of_speech(seed)
    loans_first = sorted(_list_words(seed), key=lambda name: name not in _loans(seed))
    words = _draw_words(seed, language, loans_first)
    affixes, rng, taken = _affixes(seed, language), generator(seed, "apart", code), set()
    sounds = {**_draw_names(seed)[1], **words}
    for concept, word in sounds.items():
        marks = _marks(language, concept, upos[concept])
        while not taken.isdisjoint(forms := [word + "".join(map(affixes.get, subset)) for subset in marks]):
            word += pick(rng, VOWELS if word[-1] in CONSONANTS else _phonology(seed, language.family).consonants)
        taken.update(forms)
        sounds[concept] = word
    return MappingProxyType(sounds)


def _marks(language: LabLanguage, concept: str, upos: str) -> list[tuple[str, ...]]:
    """What the forms of a concept are marked for. Question words have an object form even where nouns have none."""
    if upos == "PRON" or concept == "how many":
        return [(), ("object",)]
    absent = {"object": language.case == "none", "agreement": not language.agreement}
    absent["negation"] = language.negation != "suffix"
    marks = [mark for mark in _SUFFIXES.get(upos, ()) if not absent.get(mark)]
    return [subset for size in range(len(marks) + 1) for subset in combinations(marks, size)]


@lru_cache(maxsize=64)
def build_lexicon(seed: int, code: str) -> Lexicon:
    """The words of a language of the lab in the world of a seed."""
    language, upos = LAB_LANGUAGES[code], _parts_of_speech(seed)
    script, affixes = SCRIPTS[language.script], _affixes(seed, language)
    alphabet = str.maketrans(VOWELS + CONSONANTS, script.letters)
    inflected = {}
    for concept, word in _draw_sounds(seed, code).items():
        for marks in _marks(language, concept, upos[concept]):
            ending = "".join(map(affixes.get, marks)).translate(alphabet)
            stem = word.capitalize() if upos[concept] == "PROPN" else word.translate(alphabet)
            inflected[concept, marks] = stem + ending
    return Lexicon(
        forms=MappingProxyType({concept: inflected[concept, ()] for concept in upos}),
        inflected=MappingProxyType(inflected),
        analyses=MappingProxyType({form: key for key, form in inflected.items()}),
        upos=upos,
        names=_draw_names(seed)[0],
        cognates=_cognates(seed, code),
        loans=frozenset(_loans(seed)),
    )
