"""A context and several continuations: hellaswag, cosmosqa, siqa, commonsenseqa, xcopa with copa.

The continuations of an item are drawn first, all from one distribution; then which of them is right, each as likely;
then the context that makes it so. What is held out: who does what in a script (persons count as their professions),
and a share of the facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from random import Random

from xt.lab.draw import generator, pick, shuffled
from xt.lab.items import Item, Order, in_turns, tell
from xt.lab.meaning import TIMES, Clause, Thing
from xt.lab.pairs import in_split
from xt.lab.world import EVENTS, HELD_OUT, World, fact_clause, script_event

Event = tuple[int, int]
"""Script and position in it."""


def say_event(world: World, event: Event, person: str, **more) -> Clause:
    """What a person does at a position of a script."""
    return script_event(world, world.scripts[event[0]], event[1], person, **more)


@lru_cache(maxsize=1024)
def list_events(world: World, split: str, person: str) -> tuple[Event, ...]:
    """The events of all scripts that the split has with this person."""
    events = [(number, position) for number in range(len(world.scripts)) for position in range(EVENTS)]
    return tuple(event for event in events if in_split(world, split, say_event(world, event, person)))


def draw_events(world: World, rng: Random, split: str, count: int, places: Sequence[int]) -> tuple[str, list[Event]]:
    """A person, and events at some places of different scripts; half the time two of one script, not side by side."""
    while True:
        person = pick(rng, world.people)
        events = shuffled(rng, [event for event in list_events(world, split, person) if event[1] in places])
        chosen = list({event[0]: event for event in events}.values())
        script, position = chosen[0]
        apart = [event for event in events if event[0] == script and abs(event[1] - position) > 1]
        chosen[1:1] = apart[:1] if rng.random() < 0.5 else []
        if len(chosen) >= count:
            return person, shuffled(rng, chosen[:count])


def _name(world: World, event: Event) -> tuple:
    pattern = world.scripts[event[0]].events[event[1]]
    return pattern.verb, pattern.object


def make_hellaswag(order: Order) -> Iterator[Item]:
    """What a person does next, out of four. The meaning: (clauses of the context, endings, label)."""
    rng, say, world = order.rng("stories"), order.speaker(), order.world
    for ind, label in enumerate(islice(in_turns(rng, 4), order.size)):
        person, endings = draw_events(world, rng, order.combos, 4, range(1, EVENTS))
        script, position = endings[label]
        told_already = [place + 1 for number, place in endings if number == script and place < position]
        first = pick(rng, range(max(told_already, default=0), position))
        time = pick(rng, (None, *TIMES))
        told = [say_event(world, (script, place), person, time=time) for place in range(first, position)]
        clauses = [say_event(world, event, person) for event in endings]
        story = tell(map(say, told), order.code)
        begins = story.starts[-1]
        row = {
            "ind": ind,
            "activity_label": world.scripts[script].name,
            "ctx_a": story.text[:begins].rstrip(),
            "ctx_b": story.text[begins:],
            "ctx": story.text,
            "endings": [say(clause).text for clause in clauses],
            "source_id": f"{order.name}-{ind}",
            "split": order.combos,
            "split_type": "indomain",
            "label": str(label),
        }
        yield Item(row, (told, clauses, label))


def make_xcopa(order: Order) -> Iterator[Item]:
    """What comes before an event (cause) or after it, out of two. The meaning: (premise, choices, question, label)."""
    rng, say, world = order.rng("causes"), order.speaker(), order.world
    for idx, label in enumerate(islice(in_turns(rng, 2), order.size)):
        question = pick(rng, ("cause", "effect"))
        step = 1 if question == "cause" else -1
        person, events = draw_events(world, rng, order.combos, 2, [p for p in range(EVENTS) if 0 <= p + step < EVENTS])
        premise = say_event(world, (events[label][0], events[label][1] + step), person)
        choices = [say_event(world, event, person) for event in events]
        row = {"premise": say(premise).text, "choice1": say(choices[0]).text, "choice2": say(choices[1]).text}
        yield Item(row | {"question": question, "idx": idx, "label": label}, (premise, choices, question, label))


@lru_cache(maxsize=64)
def list_alike(world: World, split: str, count: int, places: range) -> tuple[Mapping[Event, list[str]], ...]:
    """Events at some places of scripts, each with the people who are in it; together those with one verb.

    Only verbs that `count` scripts have.
    """
    doers: dict[str, dict[Event, list[str]]] = {}
    for person in world.people:
        for number, place in list_events(world, split, person):
            if place in places:
                verb = world.scripts[number].events[place].verb
                doers.setdefault(verb, {}).setdefault((number, place), []).append(person)
    return tuple(events for events in doers.values() if len({number for number, _ in events}) >= count)


def draw_alike(world: World, rng: Random, asked: tuple[str, int, range], label: int) -> tuple[str, list[Event]]:
    """Events of different scripts with one verb, and a person who does the one at the label; see `list_alike`."""
    doers = pick(rng, list_alike(world, *asked))
    events = list({event[0]: event for event in shuffled(rng, list(doers))}.values())[: asked[1]]
    return pick(rng, doers[events[label]]), events


def _phrases(world: World, say, events: Sequence[Event], person: str, **more) -> list[str]:
    return [say(say_event(world, event, person, **more)).span("object")[1] for event in events]


def make_siqa(order: Order) -> Iterator[Item]:
    """What a person does something with next, out of three. The meaning: (clauses, question, objects, label)."""
    rng, say, world = order.rng("next"), order.speaker(), order.world
    for label in islice(in_turns(rng, 3), order.size):
        person, events = draw_alike(world, rng, (order.combos, 3, range(1, EVENTS)), label)
        script, position = events[label]
        told = [say_event(world, (script, place), person) for place in range(position)]
        question = world.ask(say_event(world, events[label], person, time="soon"), "object")
        answers = _phrases(world, say, events, person)
        row = {"context": tell(map(say, told), order.code).text, "question": say(question).text}
        row |= dict(zip(("answerA", "answerB", "answerC"), answers, strict=True)) | {"label": str(label + 1)}
        yield Item(row, (told, question, [_name(world, event)[1] for event in events], label))


def make_cosmosqa(order: Order) -> Iterator[Item]:
    """Two stories, each without one event: what was it done with, out of four? The meaning as in `make_siqa`."""
    rng, say, world = order.rng("gaps"), order.speaker(), order.world
    for number, label in enumerate(islice(in_turns(rng, 4), order.size)):
        person, events = draw_alike(world, rng, (order.combos, 4, range(EVENTS)), label)
        beside = pick(rng, [place for place in range(4) if place != label])
        other = pick(rng, [one for one in world.people if one != person])
        stories = [
            [say_event(world, (script, place), name) for place in range(EVENTS) if place != gap]
            for name, (script, gap) in ((person, events[label]), (other, events[beside]))
        ]
        told = _interleave(rng, *stories)
        question = world.ask(say_event(world, events[label], person), "object")
        row = {
            "id": f"{order.name}-{number}",
            "context": tell(map(say, told), order.code).text,
            "question": say(question).text,
        }
        row |= {f"answer{place}": text for place, text in enumerate(_phrases(world, say, events, person))}
        yield Item(row | {"label": label}, (told, question, [_name(world, event)[1] for event in events], label))


def _interleave(rng: Random, one: Sequence[Clause], other: Sequence[Clause]) -> list[Clause]:
    """Both, each in its order."""
    turns = shuffled(rng, [0] * len(one) + [1] * len(other))
    rest = [iter(one), iter(other)]
    return [next(rest[turn]) for turn in turns]


@lru_cache(maxsize=8)
def list_facts(world: World) -> tuple[tuple[str, str, str, str], ...]:
    """(verb, sort of subject, subject, value) of each fact that can be asked for; `be` with the kind above, too."""
    facts = [
        (verb, world.domain_of(subject), subject, value)
        for verb, pairs in world.facts.items()
        for subject, value in pairs.items()
        if value not in world.properties
    ]
    kinds = [("be", "kind", name, row.parent) for name, row in world.kinds.items() if row.parent in world.kinds]
    return tuple(facts + [fact for fact in kinds if world.kinds[fact[3]].parent])


@lru_cache(maxsize=8)
def held_out_facts(world: World) -> frozenset[tuple[str, str, str, str]]:
    """The facts that no training question asks for."""
    drawn = shuffled(generator(world.seed, "facts held out"), list_facts(world))
    return frozenset(drawn[: round(HELD_OUT * len(drawn))])


def tell_fact(world: World, fact: tuple[str, str, str, str]) -> Clause:
    """A fact as it is said: "person:3 lives in place:4", "an owl is a bird"."""
    verb, sort, subject, value = fact
    if sort == "kind":
        return Clause(verb, Thing(subject, definite=False), Thing(value, definite=False))
    return fact_clause(world, verb, subject)


def make_commonsenseqa(order: Order) -> Iterator[Item]:
    """A fact, out of five of its sort. The meaning: (question, values, label)."""
    rng, say, world = order.rng("facts"), order.speaker(), order.world
    held = held_out_facts(world)
    known = [fact for fact in list_facts(world) if (fact in held) == (order.combos == "test")]
    sorts = {fact[:2]: [other for other in known if other[:2] == fact[:2]] for fact in known}
    large = [facts for facts in sorts.values() if len({value for *_, value in facts}) >= 5]
    for number, label in enumerate(islice(in_turns(rng, 5), order.size)):
        facts = list({fact[3]: fact for fact in shuffled(rng, pick(rng, large))}.values())[:5]
        slot = "place" if facts[label][0] == "live" else "object"
        told = [tell_fact(world, fact) for fact in facts]
        question = world.ask(told[label], slot)
        row = {
            "id": f"{order.name}-{number}",
            "question": say(question).text,
            "question_concept": say(told[label]).span("subject")[1],
            "choices": {"label": list("ABCDE"), "text": [say(clause).span(slot)[1] for clause in told]},
            "answerKey": "ABCDE"[label],
        }
        yield Item(row, (question, [fact[3] for fact in facts], label))
