"""A translator of the lab: meanings said in another language, faithfully or with the errors of a given rate.

A lexical error puts another word of the same class for a common noun, an adjective or a verb. An error of order says a
whole sentence with the target language's words in the word order of `qaa`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from xt.lab.concepts import KINDS, PROPERTIES, VERBS
from xt.lab.draw import pick
from xt.lab.grammar import Sentence, realise
from xt.lab.languages import BEGINNING
from xt.lab.meaning import Clause, Link, Meaning, Question

THINGS = ("subject", "object", "recipient", "place")
"""The slots of a clause that hold things."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What a translation gets wrong."""

    lexical: int = 0
    """Percent of the nouns, adjectives and verbs for which another word stands."""
    order: int = 0
    """Percent of the sentences that keep the word order of `qaa`."""


FAITHFUL = Noise()


def translate(meaning: Meaning, seed: int, code: str, rng: Random, noise: Noise = FAITHFUL) -> Sentence:
    """The meaning said in a language, with errors at the given rates."""
    if noise.lexical:
        meaning = _mistake(meaning, lambda word, table: _other(rng, word, table, noise.lexical / 100))
    if noise.order and rng.random() < noise.order / 100:
        return realise(meaning, seed, code, rng, order_of=BEGINNING)
    return realise(meaning, seed, code, rng)


def _other(rng: Random, word: str, table, rate: float) -> str:
    """Another word of the table that goes with the same phrases, at a rate; words that the table lacks stay."""
    if word not in table or rng.random() >= rate:
        return word
    row = table[word]
    kept = ("adposition", "domain", "domains")
    alike = [name for name, other in table.items() if all(getattr(row, k, 0) == getattr(other, k, 0) for k in kept)]
    return pick(rng, [name for name in alike if name != word] or [word])


def _mistake(meaning: Meaning, change: Callable) -> Meaning:
    match meaning:
        case Question(clause):
            return replace(meaning, clause=_mistake(clause, change))
        case Link(first, _, second):
            return replace(meaning, first=_mistake(first, change), second=_mistake(second, change))
        case Clause():
            things = {
                slot: replace(
                    thing,
                    head=change(thing.head, KINDS),
                    properties=tuple(change(name, PROPERTIES) for name in thing.properties),
                )
                for slot in THINGS
                if (thing := getattr(meaning, slot))
            }
            complement = change(meaning.complement, PROPERTIES)
            return replace(meaning, verb=change(meaning.verb, VERBS), complement=complement, **things)
