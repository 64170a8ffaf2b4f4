"""One world: who and what there is, what is true of it, what usually happens, and clauses drawn from it.

The seed draws how frequent each concept is, the facts, the scripts, and which combinations of words are held out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import ClassVar

from xt.lab.concepts import KINDS, LEAVES, PROPERTIES, VERBS, Kind, Property, Verb
from xt.lab.draw import generator, pick, shuffled, weighted, zipf
from xt.lab.meaning import TIMES, Clause, Question, Thing, ask

PEOPLE, PLACES, ORGANISATIONS, SCRIPTS, EVENTS = 60, 30, 20, 16, 5
HELD_OUT = 0.2
"""Share of the combinations of subject, verb and object that only the test split has."""


@dataclass(frozen=True, slots=True)
class EventPattern:
    """What someone does in a script."""

    verb: str
    object: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """Events in their usual order, all with the same person as their subject."""

    name: str
    events: tuple[EventPattern, ...]


@dataclass(frozen=True, eq=False)
class World:
    """A drawn world. The tables of kinds, properties and verbs are the same in all."""

    seed: int
    people: tuple[str, ...]
    """Entities, the most frequent first; so are places and organisations."""
    places: tuple[str, ...]
    organisations: tuple[str, ...]
    ranked: Mapping[str, tuple[str, ...]]
    """Concepts by falling frequency: `kinds`, `properties`, `verbs`, `times`."""
    facts: Mapping[str, Mapping[str, str]]
    """Verb -> subject -> its one object, or its place with `live`, or its complement with `be`. Subjects: `live` people
    (a place) and animals (a building), `serve` people (an organisation), `be` people (a profession) and leaves of all
    goods and animals (a property), `eat` animals, `use` and `wear` professions."""
    scripts: tuple[Script, ...]
    kinds: ClassVar[Mapping[str, Kind]] = KINDS
    properties: ClassVar[Mapping[str, Property]] = PROPERTIES
    verbs: ClassVar[Mapping[str, Verb]] = VERBS

    @property
    def home(self) -> Mapping[str, str]:
        """Where a person lives, or a kind of animal is found."""
        return self.facts["live"]

    def hypernyms(self, noun: str) -> tuple[str, ...]:
        """What a noun is a kind of, the nearest first."""
        parent = self.kinds[noun].parent
        return (parent, *self.hypernyms(parent)) if parent else ()

    def hyponyms(self, noun: str) -> tuple[str, ...]:
        """All kinds of a noun."""
        return tuple(name for name in self.kinds if noun in self.hypernyms(name))

    def siblings(self, noun: str) -> tuple[str, ...]:
        """The other kinds with the same parent (for a root: the other roots)."""
        parent = self.kinds[noun].parent
        return tuple(name for name, kind in self.kinds.items() if kind.parent == parent and name != noun)

    def leaves(self, noun: str) -> tuple[str, ...]:
        """The most special kinds of a noun; a leaf is its own."""
        return tuple(name for name in (noun, *self.hyponyms(noun)) if name in LEAVES)

    def kind_of(self, head: str) -> str:
        """The kind of a noun phrase's head: a noun itself, a person's profession, `place` or `organisation`."""
        return self.facts["be"][head] if head.startswith("person:") else head.partition(":")[0]

    def domain_of(self, head: str) -> str:
        """The domain of a head: the root of its kind, `place` or `organisation`."""
        kind = self.kind_of(head)
        return self.kinds[kind].domain if kind in self.kinds else kind

    def fits(self, head: str, types: str) -> bool:
        """Is a head, or what it is a kind of, among the types of a verb's slot?"""
        kind = self.kind_of(head)
        above = (kind, *self.hypernyms(kind)) if kind in self.kinds else (kind,)
        return any(name in types.split() for name in above)

    def ask(self, clause: Clause, slot: str) -> Question:
        """The question for a slot of a clause: `who` for people, `what` for all else."""
        thing = getattr(clause, slot, None)
        return ask(clause, slot, person=isinstance(thing, Thing) and self.domain_of(thing.head) == "person")


@lru_cache(maxsize=8)
def build_world(seed: int) -> World:
    """The world of a seed."""
    rng = generator(seed, "world")
    people, places, organisations = (
        tuple(f"{name}:{index}" for index in range(count))
        for name, count in (("person", PEOPLE), ("place", PLACES), ("organisation", ORGANISATIONS))
    )
    tables = {"kinds": KINDS, "properties": PROPERTIES, "verbs": VERBS, "times": TIMES}
    ranked = MappingProxyType({name: tuple(shuffled(rng, list(table))) for name, table in tables.items()})
    facts = _draw_facts(rng, people, places, organisations)
    return World(seed, people, places, organisations, ranked, facts, _draw_scripts(rng))


def _leaves(*roots: str) -> list[str]:
    return [name for name in LEAVES if KINDS[name].domain in roots]


def _draw_facts(rng: Random, people, places, organisations) -> Mapping[str, Mapping[str, str]]:
    def draw(subjects, objects):
        return {subject: pick(rng, objects) for subject in subjects}

    professions, animals = _leaves("person"), _leaves("animal")
    dishes = [name for name in _leaves("food") if KINDS[name].parent != "beverage"]
    fitting = {
        name: [row.name for row in PROPERTIES.values() if kind.domain in row.domains] for name, kind in KINDS.items()
    }
    goods = _leaves("animal", "food", "tool", "vehicle", "garment")
    facts = {
        "live": draw(people, places) | draw(animals, _leaves("building")),
        "serve": draw(people, organisations),
        "be": draw(people, professions) | {name: pick(rng, fitting[name]) for name in goods},
        "eat": draw(animals, dishes),
        "use": dict(zip(professions, shuffled(rng, _leaves("tool")), strict=False)),
        "wear": draw(professions, _leaves("garment")),
    }
    return MappingProxyType({verb: MappingProxyType(pairs) for verb, pairs in facts.items()})


def _draw_scripts(rng: Random) -> tuple[Script, ...]:
    """What a person does to a thing, dealt out so that no event stands in two scripts."""
    patterns = [
        EventPattern(verb.name, name)
        for verb in VERBS.values()
        if verb.subject == "person" and verb.object and not verb.ditransitive and not verb.inverse
        for name in LEAVES
        if {name, KINDS[name].parent, KINDS[name].domain} & set(verb.object.split()) - {"person"}
    ]
    events = shuffled(rng, patterns)
    return tuple(
        Script(f"script:{at // EVENTS}", tuple(events[at : at + EVENTS])) for at in range(0, SCRIPTS * EVENTS, EVENTS)
    )


def script_event(world: World, script: Script, position: int, person: str, **more) -> Clause:
    """The event at a position of a script, with a person as its subject; `more` are further slots of the clause."""
    event = script.events[position]
    thing = Thing(event.object, definite=False) if event.object else None
    return Clause(event.verb, Thing(person), thing, **more)


def fact_clause(world: World, verb: str, subject: str) -> Clause:
    """A fact as it is said: "person:3 lives in place:4", "an owl eats a plum", "a carp is wet".

    Raises KeyError where there is no such fact.
    """
    value = world.facts[verb][subject]
    topic = _mention(subject)
    if verb == "live":
        return Clause(verb, topic, place=_mention(value))
    if value in PROPERTIES:
        return Clause(verb, topic, complement=value)
    return Clause(verb, topic, _mention(value))


def _mention(head: str) -> Thing:
    return Thing(head, definite=":" in head)


@lru_cache(maxsize=1 << 16)
def combination_split(world: World, subject: str, verb: str, object: str | None) -> str:
    """`test` where the combination of heads is held out (persons count as their professions), else `train`."""
    names = (str(world.seed), world.kind_of(subject), verb, world.kind_of(object) if object else "")
    digest = hashlib.sha256("|".join(names).encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") < HELD_OUT * 2**32 else "train"


@lru_cache(maxsize=1024)
def _heads(world: World, types: str) -> tuple[tuple[str, ...], list[float]]:
    """Heads that fit, kinds and entities in turns by frequency, with their cumulative weights."""
    kinds = [name for name in world.ranked["kinds"] if world.fits(name, types)]
    entities = [name for name in (*world.people, *world.places, *world.organisations) if world.fits(name, types)]
    heads = [name for _, name in sorted([*enumerate(entities), *enumerate(kinds)], key=lambda item: item[0])]
    return tuple(heads), zipf(len(heads))


@lru_cache(maxsize=1024)
def _adjectives(world: World, head: str) -> tuple[tuple[str, ...], list[float]]:
    fitting = [name for name in world.ranked["properties"] if world.domain_of(head) in PROPERTIES[name].domains]
    return tuple(fitting), zipf(len(fitting))


@lru_cache(maxsize=1024)
def _verbs_for(world: World, head: str | None) -> tuple[tuple[str, ...], list[float]]:
    fitting = [name for name in world.ranked["verbs"] if head is None or world.fits(head, VERBS[name].subject)]
    return tuple(fitting), zipf(len(fitting))


def sample_thing(world: World, rng: Random, types: str) -> Thing:
    """A noun phrase whose head is of the types, frequent heads more often."""
    return describe(world, rng, weighted(rng, *_heads(world, types)))


def describe(world: World, rng: Random, head: str) -> Thing:
    """A noun phrase with a given head: a common noun perhaps with an adjective or a number."""
    if ":" in head:
        return Thing(head)
    properties = (weighted(rng, *_adjectives(world, head)),) if rng.random() < 0.35 else ()
    number = 2 + int(rng.random() * 8) if rng.random() < 0.2 else 1
    return Thing(head, properties, number, rng.random() < 0.5)


def sample_clause(
    world: World, rng: Random, *, split: str, verb: str | None = None, subject: Thing | None = None, **fixed
) -> Clause:
    """A clause drawn from the world, with what is given in it: verb, subject, other slots by name (None empties one).

    `split` is `train` or `test`, which share no combination of subject kind, verb and object kind, or `text`, which
    draws from all. Raises ValueError where no combination of the split fits what is given.
    """
    for _ in range(1000):
        clause = _draw_clause(world, rng, verb, subject, fixed)
        heads = [thing.head if thing else None for thing in (clause.subject, clause.object, clause.recipient)]
        if split in ("text", combination_split(world, heads[0], clause.verb, heads[1])) and heads[0] not in heads[1:]:
            return clause
    raise ValueError(f"no combination of the split {split!r} has verb {verb}, subject {subject}, {fixed}")


def _draw_clause(world: World, rng: Random, verb: str | None, subject: Thing | None, fixed: dict) -> Clause:
    verb = VERBS[verb or weighted(rng, *_verbs_for(world, subject.head if subject else None))]
    drawn = {
        "object": sample_thing(world, rng, verb.object) if verb.object else None,
        "recipient": sample_thing(world, rng, "person") if verb.ditransitive else None,
        "place": sample_thing(world, rng, "place building") if rng.random() < 0.3 else None,
        "time": weighted(rng, world.ranked["times"], _TIMES) if rng.random() < 0.3 else None,
        "negated": rng.random() < 0.1,
    }
    return Clause(verb.name, subject or sample_thing(world, rng, verb.subject), **{**drawn, **fixed})


_TIMES = zipf(len(TIMES))
