"""What is said in a language of the lab, read back."""

from collections.abc import Sequence
from dataclasses import replace

from xt.lab.grammar import NUMBERS, Speaker, realise, speaker
from xt.lab.meaning import CONNECTIVES, COUNTED, Clause, Link, Meaning, Question, Thing

_COUNTS = {name: number for number, name in NUMBERS.items()}

_ALONE = {
    "VERB": lambda concept, marks: {"verb": concept} | ({"negated": True} if "negation" in marks else {}),
    "AUX": lambda concept, marks: {"verb": concept} | ({"negated": True} if "negation" in marks else {}),
    "ADV": lambda concept, marks: {"place": Thing("where")} if concept == "where" else {"time": concept},
    "ADJ": lambda concept, marks: {"complement": concept},
    "PART": lambda concept, marks: {"negated": True} if concept == "not" else {},
}
"""Part of speech -> the slots that a word of it fills on its own."""

Word = tuple[str, str, tuple[str, ...]]
"""Concept, part of speech, what it is marked for."""


def parse(forms: Sequence[str], seed: int, code: str) -> Meaning:
    """The meaning of a sentence, from the forms of its tokens, in the world of a seed.

    Raises ValueError where the forms are no sentence of the language: a form it does not have, or an order (unless
    that is free) or a marking that it would not use.
    """
    voice, refusal = speaker(seed, code), f"no sentence of {code}: {' '.join(forms)}"
    try:
        *words, (end, _, _) = [_look_up(voice, form) for form in forms]
        meaning = _read_question(voice, words) if end == "?" else _read_statement(voice, words)
        said = [token.form for token in realise(meaning, seed, code).tokens]
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(refusal) from error
    if said != list(forms) and (voice.language.word_order != "free" or sorted(said) != sorted(forms)):
        raise ValueError(refusal)
    return meaning


def _look_up(voice: Speaker, form: str) -> Word:
    if form in (voice.stop, "?"):
        return form, "PUNCT", ()
    if form.isdecimal():
        return form, "NUM", ()
    concept, marks = voice.lexicon.analyses[form]
    return concept, voice.lexicon.upos[concept], marks


def _read_statement(voice: Speaker, words: list[Word]) -> Clause | Link:
    for at, (concept, *_) in enumerate(words):
        if concept in CONNECTIVES:
            return Link(_read_clause(voice, words[:at]), concept, _read_clause(voice, words[at + 1 :]))
    return _read_clause(voice, words)


def _read_question(voice: Speaker, words: list[Word]) -> Question:
    clause = _read_clause(voice, words)
    things = {slot: getattr(clause, slot) for slot in COUNTED if getattr(clause, slot)}
    asked = ["whether"] * any(concept == "whether" for concept, *_ in words) + ["time"] * (clause.time == "when")
    asked += [slot for slot, thing in things.items() if thing.head in ("who", "what", "where")]
    return Question(clause, [*asked, *["number" for thing in things.values() if thing.number == 0]][0])


def _read_clause(voice: Speaker, words: list[Word]) -> Clause:
    """Phrase by phrase; the object is what is marked as one, else what stands behind the subject, as in all orders."""
    rest, slots, things = list(words), {}, {False: [], True: []}
    while rest:
        concept, upos, marks = rest[0]
        if upos == "ADP":
            del rest[0]
            slots[_find_slot(concept)] = _read_thing(voice, rest)[0]
        elif upos in _ALONE:
            del rest[0]
            slots |= _ALONE[upos](concept, marks)
        else:
            thing, marked = _read_thing(voice, rest)
            if voice.language.adposition == "after" and rest and rest[0][1] == "ADP":
                slots[_find_slot(rest.pop(0)[0])] = thing
            else:
                things[marked].append(thing)
    subject, *objects = things[False] + things[True]
    if slots["verb"] == "be" and not objects and not {"place", "complement"} & set(slots):
        *properties, slots["complement"] = subject.properties
        subject = replace(subject, properties=tuple(properties))
    return Clause(subject=subject, object=objects[0] if objects else None, **slots)


def _find_slot(adposition: str) -> str:
    return "place" if adposition == "in" else "recipient"


def _read_thing(voice: Speaker, rest: list[Word]) -> tuple[Thing, bool]:
    """Takes a noun phrase: what it names, and is it marked as an object? Raises IndexError where it breaks off."""
    concept, upos, marks = rest.pop(0)
    if upos == "PROPN":
        *_, marks = [marks, *(rest.pop(0)[2] for _ in voice.lexicon.names[concept][1:])]
    if upos in ("PRON", "PROPN"):
        return Thing(concept), "object" in marks
    article, number, marked, properties = None, 1, "object" in marks, []
    if concept in ("the", "a"):
        article, (concept, upos, marks) = concept, rest.pop(0)
    if upos == "NUM" or concept == "how many":
        number, marked = _COUNTS[concept] if concept in _COUNTS else int(concept), "object" in marks
        concept, upos, marks = rest.pop(0)
    while upos == "ADJ":
        properties.append(concept)
        concept, upos, marks = rest.pop(0)
    while voice.language.adjective == "after" and rest and rest[0][1] == "ADJ":
        properties.append(rest.pop(0)[0])
    return Thing(concept, tuple(properties), number, article == "the"), marked or "object" in marks
