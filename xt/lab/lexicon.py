"""The words of a language: sounds, cognates under regular change, loans, names, affixes, and the script they stand in.

A word is drawn as sounds, written as Latin letters, and then put in the language's script letter by letter. All forms
of a language, inflected ones included, differ from each other, so that text can be parsed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from random import Random
from types import MappingProxyType

from xt.lab.draw import generator, pick, shuffled
from xt.lab.languages import BEGINNING, LAB_LANGUAGES, LabLanguage
from xt.lab.meaning import NUMERALS
from xt.lab.world import World, build_world

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

_CHANGES = "pf ts kh bv dz gj fh vw sz zs lr rl mn wv nm ao ou ei uo ie ae oa".split()
"""Sound changes: the first becomes the second, everywhere."""


@dataclass(frozen=True, slots=True)
class Script:
    """How sounds are written."""

    letters: str
    """One for each of VOWELS + CONSONANTS."""
    stop: str
    cased: bool = False
    """Do names begin with a capital?"""


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "Latin": Script("aeiouptkbdgmnszlrvfhjw", ".", cased=True),
        "Cyrillic": Script("аеиоупткбдгмнсзлрвфхжш", ".", cased=True),
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
def _parts_of_speech(world: World) -> Mapping[str, str]:
    """Every concept with its part of speech, the most frequent concepts of each class first."""
    open_classes = {"kinds": "NOUN", "verbs": "VERB", "properties": "ADJ", "times": "ADV"}
    ranked = {name: upos for table, upos in open_classes.items() for name in world.ranked[table]}
    return MappingProxyType({**FUNCTION_WORDS, **dict.fromkeys(NUMERALS, "NUM"), **ranked})


def _syllables(world: World, concept: str, rng: Random) -> int:
    """Frequent words are short (Zipf, 1935): one syllable to three by rank within the class."""
    for table in world.ranked.values():
        if concept in table:
            return 1 + int(2 * table.index(concept) / len(table) + rng.random())
    return 1


@lru_cache(maxsize=8)
def _loans(seed: int) -> tuple[str, ...]:
    world = build_world(seed)
    count = round(LOAN_SHARE * len(_parts_of_speech(world)))
    return tuple(shuffled(generator(seed, "loans"), world.ranked["kinds"])[:count])


def _root(seed: int, family: str, concept: str, purpose: str) -> str:
    rng = generator(seed, purpose, family, concept)
    return _phonology(seed, family).word(rng, _syllables(build_world(seed), concept, rng))


def _change(seed: int, word: str, *levels: str) -> str:
    """A word after one sound change for each level of the tree (family, branch, language), named in full."""
    for level in levels:
        source, target = pick(generator(seed, "change", level), _CHANGES)
        word = word.replace(source, target)
    return word


def _cognates(seed: int, language: LabLanguage, concepts: Sequence[str]) -> frozenset[str]:
    loans = _loans(seed)
    others = [name for name in shuffled(generator(seed, "cognates", language.code), concepts) if name not in loans]
    return frozenset([*loans, *others][: round(language.cognate_share * len(concepts))])


def _words(seed: int, language: LabLanguage, cognates: frozenset[str], concepts: Sequence[str]) -> Iterator[str]:
    """The sounds of each concept's word, before forms that collide are set apart."""
    origin = LAB_LANGUAGES[BEGINNING]
    tree = [(one.family, f"{one.family}: {one.branch}", one.code) for one in (language, origin)]
    from_origin = [level for level, other in zip(*tree, strict=True) if level != other]
    loans = _loans(seed)
    for concept in concepts:
        if concept in cognates:
            root = _root(seed, origin.family, concept, "root")
            yield root if concept in loans else _change(seed, root, *from_origin)
        elif generator(seed, "inherits", language.code, concept).random() < FAMILY_SHARE:
            yield _change(seed, _root(seed, language.family, concept, "proto"), *tree[0][1:])
        else:
            yield _root(seed, language.family, concept, f"own {language.code}")


def _affixes(seed: int, language: LabLanguage) -> dict[str, str]:
    """A suffix for each mark: two sounds, shared within a branch."""
    rng = generator(seed, "affixes", language.family, language.branch)
    consonants = shuffled(rng, _phonology(seed, language.family).codas)
    vowels, vowel_first = shuffled(rng, VOWELS), rng.random() < 0.5
    pairs = [v + c if vowel_first else c + v for v, c in zip(vowels, consonants, strict=True)]
    return dict(zip(("plural", "object", "past", "agreement", "negation"), pairs, strict=True))


@lru_cache(maxsize=8)
def _draw_names(seed: int) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """Entity -> parts of its name, and part -> sounds; families, places and organisations show by their endings."""
    world, rng = build_world(seed), generator(seed, "names")
    phonology = _phonology(seed, "names")
    endings = [phonology.syllable(rng) + phonology.syllable(rng)[:2] for _ in range(9)]
    sounds: dict[str, str] = {}

    def name(part: str, syllables: int, ending: str) -> None:
        words = (phonology.word(rng, syllables) + ending for _ in range(1000))
        sounds[part] = next(word for word in words if word not in sounds.values())

    for index in range(15):
        name(f"family:{index}", 1, endings[index % 3])
    for person in world.people:
        name(person, 2, "")
    for index, place in enumerate(world.places):
        name(place, 1, endings[3 + index % 3])
    for organisation in world.organisations:
        name(organisation, 2, "")
    sounds |= {f"company:{index}": endings[6 + index] for index in range(3)}
    names = {person: (person, f"family:{i // 2 % 15}")[: 1 + i % 2] for i, person in enumerate(world.people)}
    names |= {place: (place,) for place in world.places}
    names |= {entity: (entity, f"company:{i % 3}") for i, entity in enumerate(world.organisations)}
    return MappingProxyType(names), MappingProxyType(sounds)


@lru_cache(maxsize=64)
def build_lexicon(seed: int, code: str) -> Lexicon:
    """The words of a language of the lab in the world of a seed."""
    language, script = LAB_LANGUAGES[code], SCRIPTS[LAB_LANGUAGES[code].script]
    names, name_sounds = _draw_names(seed)
    upos = {**dict.fromkeys(name_sounds, "PROPN"), **_parts_of_speech(build_world(seed))}
    concepts = [concept for concept in upos if upos[concept] != "PROPN"]
    cognates = _cognates(seed, language, concepts)
    sounds = {**name_sounds, **dict(zip(concepts, _words(seed, language, cognates, concepts), strict=True))}
    inflected = _inflect(seed, language, sounds, upos)
    alphabet = str.maketrans(VOWELS + CONSONANTS, script.letters)
    for key, form in inflected.items():
        written = form.translate(alphabet)
        inflected[key] = written.capitalize() if script.cased and upos[key[0]] == "PROPN" else written
    return Lexicon(
        forms=MappingProxyType({concept: inflected[concept, ()] for concept in upos}),
        inflected=MappingProxyType(inflected),
        analyses=MappingProxyType({form: key for key, form in inflected.items()}),
        upos=MappingProxyType(upos),
        names=names,
        cognates=cognates,
        loans=frozenset(_loans(seed)),
    )


def _marks(language: LabLanguage, concept: str, upos: str) -> list[tuple[str, ...]]:
    """What the forms of a concept are marked for. Question words have an object form even where nouns have none."""
    if upos == "PRON" or concept == "how many":
        return [(), ("object",)]
    absent = {
        "object": language.case == "none",
        "agreement": not language.agreement,
        "negation": language.negation != "suffix",
    }
    marks = [mark for mark in _SUFFIXES.get(upos, ()) if not absent.get(mark)]
    return [subset for size in range(len(marks) + 1) for subset in combinations(marks, size)]


def _inflect(seed: int, language: LabLanguage, sounds: Mapping[str, str], upos: Mapping[str, str]) -> dict:
    """All forms as sounds; a word that would collide with an earlier one grows by a sound until it does not."""
    affixes, rng = _affixes(seed, language), generator(seed, "apart", language.code)
    phonology, taken, inflected = _phonology(seed, language.family), set(), {}
    for concept, word in sounds.items():
        marks = _marks(language, concept, upos[concept])
        while True:
            forms = [word + "".join(affixes[mark] for mark in subset) for subset in marks]
            if taken.isdisjoint(forms):
                break
            word += pick(rng, VOWELS if word[-1] in CONSONANTS else phonology.consonants)
        taken.update(forms)
        inflected.update(zip(((concept, subset) for subset in marks), forms, strict=True))
    return inflected
