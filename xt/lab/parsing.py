"""What is said in a language of the lab, read back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xt.lab.grammar import Speaker, realise, speaker
from xt.lab.meaning import CONNECTIVES, COUNTED, NUMERALS, Clause, Link, Meaning, Question, Thing

_ADPOSITIONS, _PLACEHOLDERS = ("in", "to", "from"), ("who", "what")
_COUNTS = {name: number for number, name in enumerate(NUMERALS, 2)} | {"how many": 0}

Word = tuple[str, str, tuple[str, ...]]
"""Concept, part of speech, marks."""


def parse(forms: Sequence[str], seed: int, code: str) -> Meaning:
    """The meaning of a sentence, from the forms of its tokens, in the world of a seed.

    Raises ValueError where the forms are no sentence of the language: a form it does not have, or an order or a
    marking that it would not use.
    """
    voice = speaker(seed, code)
    *words, end = [_look_up(voice, form) for form in forms]
    concepts = [concept for concept, *_ in words]
    try:
        meaning = _read_sentence(voice, words, concepts, asking=end[0] == "?")
        said = [token.form for token in realise(meaning, seed, code).tokens]
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(f"no sentence of {code}: {' '.join(forms)}") from error
    free = voice.language.word_order == "free"
    if said != list(forms) and not (free and sorted(said) == sorted(forms)):
        raise ValueError(f"no sentence of {code}: {' '.join(forms)}")
    return meaning


def _look_up(voice: Speaker, form: str) -> Word:
    if form in (voice.stop, "?"):
        return form, "PUNCT", ()
    if form.isdecimal():
        return form, "NUM", ()
    if form not in voice.lexicon.analyses:
        raise ValueError(f"no word of {voice.language.code}: {form!r}")
    concept, marks = voice.lexicon.analyses[form]
    return concept, voice.lexicon.upos[concept], marks


def _read_sentence(voice: Speaker, words: list[Word], concepts: list[str], asking: bool) -> Meaning:
    if asking:
        clause = _read_clause(voice, words)
        return Question(clause, "whether" if "whether" in concepts else _find_asked(clause))
    for connective in CONNECTIVES:
        if connective in concepts:
            at = concepts.index(connective)
            return Link(_read_clause(voice, words[:at]), connective, _read_clause(voice, words[at + 1 :]))
    return _read_clause(voice, words)


def _find_asked(clause: Clause) -> str:
    things = {slot: getattr(clause, slot) for slot in COUNTED if getattr(clause, slot)}
    asked = [slot for slot, thing in things.items() if thing.head in (*_PLACEHOLDERS, "where")]
    asked += ["time"] * (clause.time == "when") + ["number"] * any(thing.number == 0 for thing in things.values())
    return asked[0]


@dataclass
class _Heard:
    """The parts of a clause as they are heard."""

    things: list[tuple[Thing, bool]] = field(default_factory=list)
    """Noun phrases without adposition; is each marked as an object?"""
    slots: dict[str, object] = field(default_factory=dict)


def _read_clause(voice: Speaker, words: list[Word]) -> Clause:
    heard, rest = _Heard(), list(words)
    while rest:
        _hear_phrase(voice, heard, rest)
    subject, object = _assign_roles(heard.things)
    slots = heard.slots
    if slots["verb"] == "be" and not object and not {"place", "complement"} & set(slots):
        *properties, slots["complement"] = subject.properties
        subject = replace(subject, properties=tuple(properties))
    return Clause(subject=subject, object=object, **slots)


def _hear_phrase(voice: Speaker, heard: _Heard, rest: list[Word]) -> None:
    """Takes one phrase from the words that are left. Raises KeyError where no phrase begins."""
    concept, upos, marks = rest[0]
    if concept in _ADPOSITIONS:
        rest.pop(0)
        _hear_adpositional(heard, concept, _hear_thing(voice, rest)[0])
    elif upos in ("DET", "NUM", "PRON", "PROPN"):
        thing, marked = _hear_thing(voice, rest)
        if voice.language.adposition == "after" and rest and rest[0][0] in _ADPOSITIONS:
            _hear_adpositional(heard, rest.pop(0)[0], thing)
        else:
            heard.things.append((thing, marked))
    else:
        rest.pop(0)
        heard.slots |= _SINGLE[upos](concept, marks)


_SINGLE = {
    "VERB": lambda concept, marks: {"verb": concept} | ({"negated": True} if "negation" in marks else {}),
    "AUX": lambda concept, marks: {"verb": concept} | ({"negated": True} if "negation" in marks else {}),
    "ADV": lambda concept, marks: {"place": Thing("where")} if concept == "where" else {"time": concept},
    "ADJ": lambda concept, marks: {"complement": concept},
    "PART": lambda concept, marks: {"negated": True} if concept == "not" else {},
}
"""Part of speech -> what a word of it says on its own."""


def _hear_adpositional(heard: _Heard, adposition: str, thing: Thing) -> None:
    heard.slots["place" if adposition == "in" else "recipient"] = thing


def _hear_thing(voice: Speaker, rest: list[Word]) -> tuple[Thing, bool]:
    """Takes a noun phrase: what it names, and whether it is marked as an object."""
    concept, upos, marks = rest.pop(0)
    if upos == "PRON":
        return Thing(concept), "object" in marks
    if upos == "PROPN":
        for _ in voice.lexicon.names[concept][1:]:
            marks = rest.pop(0)[2]
        return Thing(concept), "object" in marks
    article = concept if concept in ("the", "a") else ""
    if article:
        concept, upos, marks = rest.pop(0)
    number, marked = 1, "object" in marks
    if upos == "NUM" or concept == "how many":
        number = _COUNTS[concept] if concept in _COUNTS else int(concept)
        concept, upos, marks = rest.pop(0)
    properties = []
    while upos == "ADJ":
        properties.append(concept)
        concept, upos, marks = rest.pop(0)
    while voice.language.adjective == "after" and rest and rest[0][1] == "ADJ":
        properties.append(rest.pop(0)[0])
    return Thing(concept, tuple(properties), number, article == "the"), marked or "object" in marks


def _assign_roles(things: list[tuple[Thing, bool]]) -> tuple[Thing, Thing | None]:
    """Subject and object: by the mark where there is one, else the subject stands first, as in all the orders."""
    marked = [thing for thing, is_object in things if is_object]
    plain = [thing for thing, is_object in things if not is_object]
    subject, object = (*plain, *marked, None)[:2]
    return subject, object
