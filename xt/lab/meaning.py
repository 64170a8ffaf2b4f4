"""What is said, whatever the language: logical forms, comparable and hashable.

A copular clause has the verb `be` and one of three: an `object` ("the owl is a bird"), a `complement` ("the owl
is small") or only a `place` ("the owl is in the hut"). In a question the asked slot holds a placeholder: a thing
headed `who`, `what` or `where`, the time `when`, or the number 0 ("how many").
"""

from dataclasses import dataclass, replace

TIMES = ("yesterday", "recently", "today", "now", "often", "daily", "tomorrow", "soon")
PAST = frozenset({"yesterday", "recently"})
CONNECTIVES = ("and", "but", "because", "before")
NUMERALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
SLOTS = ("subject", "object", "recipient", "place", "time", "number", "whether")
COUNTED = ("object", "subject", "recipient", "place")
"""The slots whose number can be asked for: the first of these that has one."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a noun phrase names."""

    head: str
    """A noun concept (`sparrow`), an entity (`person:12`), or a placeholder (`who`, `what`, `where`)."""
    properties: tuple[str, ...] = ()
    """Adjectives, in the order of the world's table. None for entities and placeholders."""
    number: int = 1
    """1 is singular; 2 to 9 are said with a numeral, more in digits; 0 asks for the number."""
    definite: bool = True
    """True for entities and placeholders, False where the number is asked for."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Who does what, to whom, where and when."""

    verb: str
    subject: Thing
    object: Thing | None = None
    recipient: Thing | None = None
    """Said with the verb's adposition: give *to*, borrow *from*."""
    place: Thing | None = None
    time: str | None = None
    negated: bool = False
    complement: str | None = None
    """The adjective of a copular clause."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asks for one slot of a clause, or `whether` it holds; made by `ask`."""

    clause: Clause
    asked: str


@dataclass(frozen=True, slots=True)
class Link:
    """Two clauses and a connective."""

    first: Clause
    connective: str
    second: Clause


Meaning = Clause | Question | Link


def ask(clause: Clause, slot: str, *, person: bool = False) -> Question:
    """The question for a slot of a clause; `person` says whether the answer is one (`who`, not `what`).

    A number is asked of the first thing that has one, in the order of COUNTED. Raises ValueError where the clause
    does not fill the slot.
    """
    if slot == "whether":
        return Question(clause, slot)
    if slot == "number":
        counted = [name for name in COUNTED if _number(clause, name) > 1]
        if not counted:
            raise ValueError(f"nothing is counted in {clause}")
        thing = replace(getattr(clause, counted[0]), number=0, definite=False)
        return Question(replace(clause, **{counted[0]: thing}), slot)
    if getattr(clause, slot) is None:
        raise ValueError(f"no {slot} in {clause}")
    word = {"place": "where", "time": "when"}.get(slot, "who" if person else "what")
    return Question(replace(clause, **{slot: word if slot == "time" else Thing(word)}), slot)


def _number(clause: Clause, slot: str) -> int:
    thing = getattr(clause, slot)
    return thing.number if thing else 1
