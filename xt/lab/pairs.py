"""Two texts and their relation: inference (mnli, snli, anli, xnli) and paraphrase (qqp, pawsx).

The logic of inference: a negated clause denies every event that fits it; a thing is what its head says and all
hypernyms say, with each of its properties; what has a property lacks the antonym; who is said by name to do something
in a place at a moment does not do it elsewhere then. A hypothesis is drawn before its label: then the clause of the
premise that decides it is built, so that a hypothesis alone tells nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from random import Random

from xt.lab.draw import pick, shuffled
from xt.lab.items import Item, Order, in_turns, once, tell
from xt.lab.meaning import TIMES, Clause, Link, Question, Thing
from xt.lab.translation import THINGS
from xt.lab.world import World, combination_split, describe, sample_clause, sample_thing

LABELS = ("entailment", "neutral", "contradiction")
Cases = Mapping[tuple[int, bool], Sequence[tuple[str, bool]]]
PLAIN_CASES: Cases = {
    (0, False): (("special", False),),
    (0, True): (("general", True),),
    (1, False): (("other", False), ("other", False), ("general", False)),
    (1, True): (("other", True), ("other", True), ("special", True)),
    (2, False): (("same", True), ("same", True), ("opposite", False), ("elsewhere", False)),
    (2, True): (("same", False),),
}
"""(label, is the hypothesis negated) -> how the premise may be built: how its content differs, is it negated."""
HARD_CASES: Cases = {
    (0, False): (("special", False),),
    (0, True): (("general", True), ("general", True), ("opposite", False)),
    (1, False): (("general", False), ("special", True), ("other", False), ("other", True)),
    (1, True): (("special", True), ("general", False), ("other", False), ("other", True)),
    (2, False): (("same", True), ("general", True), ("opposite", False), ("elsewhere", False)),
    (2, True): (("same", False), ("special", False)),
}
"""The same where no outer sign, such as one negation, gives the label away."""


@dataclass(frozen=True, eq=False)
class Style:
    """How premises are built."""

    cases: Cases
    repeats: int
    """Further steps that keep the sense of the first."""
    inverted: float
    """Share said with the inverse verb, where there is one."""


PLAIN = Style(PLAIN_CASES, repeats=0, inverted=0.1)
HARD = Style(HARD_CASES, repeats=2, inverted=0.3)

FILLED = (*THINGS, "time")
MOMENTS = ("yesterday", "today", "now", "tomorrow")


def swap_roles(clause: Clause) -> Clause:
    """The subject in the place of the recipient, or of the object where there is none, and the other way round."""
    slot = "recipient" if clause.recipient else "object"
    return replace(clause, subject=getattr(clause, slot), **{slot: clause.subject})


def invert(world: World, clause: Clause) -> Clause:
    """The same said with the inverse verb; the clause itself where its verb has none."""
    inverse = clause.verb != "be" and world.verbs[clause.verb].inverse
    return replace(swap_roles(clause), verb=inverse) if inverse else clause


def in_split(world: World, split: str, *clauses: Clause) -> bool:
    """Are the combinations of words of all clauses the split's? `text` has all."""
    return split == "text" or all(
        split == combination_split(world, c.subject.head, c.verb, c.object.head if c.object else c.complement)
        for c in clauses
    )


def _things(clause: Clause) -> list[tuple[str, Thing]]:
    return [(slot, thing) for slot in THINGS if (thing := getattr(clause, slot))]


def _named(thing: Thing, heads: Iterable[str]) -> list[Thing]:
    return [replace(thing, head=head) for head in heads if head != thing.head]


def _peers(world: World, head: str) -> Sequence[str]:
    """What could stand in a head's place: entities of its sort, or the kinds beside it."""
    entities = {"person": world.people, "place": world.places, "organisation": world.organisations}
    return world.siblings(head) if head in world.kinds else entities[head.partition(":")[0]]


Change = tuple[str, list]
"""A slot, and what may be put there."""


def _specials(world: World, rng: Random, clause: Clause) -> Iterator[Change]:
    """One step more special: a kind for its hypernym, a property, a place or a time more."""
    for slot, thing in _things(clause):
        if thing.head in world.kinds:
            yield slot, _named(thing, world.hyponyms(thing.head))
            properties = describe(world, rng, thing.head).properties
            yield slot, [replace(thing, properties=properties)] if properties and not thing.properties else []
    yield "place", [] if clause.place or clause.verb == "be" else [sample_thing(world, rng, "place building")]
    yield "time", [] if clause.time else [pick(rng, TIMES)]


def _generals(world: World, rng: Random, clause: Clause) -> Iterator[Change]:
    """One step more general: a hypernym for a kind, or a property, a place, a time less."""
    for slot, thing in _things(clause):
        if thing.head in world.kinds:
            yield slot, _named(thing, world.hypernyms(thing.head))
            yield slot, [replace(thing, properties=())] if thing.properties else []
    yield from ((slot, [None]) for slot in ("place", "time") if getattr(clause, slot))


def _others(world: World, rng: Random, clause: Clause) -> Iterator[Change]:
    """One participant, or the time, is another."""
    for slot, thing in _things(clause):
        yield slot, [] if slot == "place" and clause.time else _named(thing, _peers(world, thing.head))
    yield "time", [time for time in TIMES if clause.time not in (None, time)]


def _elsewhere(world: World, rng: Random, clause: Clause) -> Iterator[Change]:
    """The same person at the same moment in another place."""
    named = clause.subject.head in world.people and clause.place and clause.place.head in world.places
    if named and clause.time in MOMENTS:
        yield "place", _named(clause.place, world.places)


STEPS = {
    "same": lambda world, rng, clause: [("verb", [clause.verb])],
    "special": _specials,
    "general": _generals,
    "other": _others,
    "opposite": lambda world, rng, clause: (
        [("complement", [world.properties[clause.complement].antonym])] if clause.complement else []
    ),
    "elsewhere": _elsewhere,
}
REPEATED = ("special", "general")
"""Steps that keep their sense when they are repeated."""


def _step(world: World, rng: Random, clause: Clause, name: str, split: str) -> Clause | None:
    """The clause one step away; None where the split has no such clause."""
    for slot, values in shuffled(rng, list(STEPS[name](world, rng, clause))):
        for value in shuffled(rng, values):
            if in_split(world, split, step := replace(clause, **{slot: value})):
                return step
    return None


def retell(world: World, rng: Random, clause: Clause) -> Clause:
    """What follows from a clause, or the clause itself: it once more, less exactly, or with the inverse verb."""
    if clause.complement:
        return replace(clause, complement=world.properties[clause.complement].antonym, negated=not clause.negated)
    step = _step(world, rng, clause, "special" if clause.negated else "general", "text") or clause
    return pick(rng, (clause, step, invert(world, clause)))


def _premise(world: World, rng: Random, hypothesis: Clause, label: int, split: str, style: Style) -> Clause | None:
    """A clause that gives the hypothesis its label; None where the split has none."""
    for name, negated in shuffled(rng, style.cases[label, hypothesis.negated]):
        clause = _step(world, rng, replace(hypothesis, negated=negated), name, split)
        for _ in range(style.repeats if clause and name in REPEATED else 0):
            clause = _step(world, rng, clause, name, split) or clause
        if clause:
            inverse = invert(world, clause)
            return inverse if rng.random() < style.inverted and in_split(world, split, inverse) else clause
    return None


def _hypothesis(world: World, rng: Random, split: str) -> Clause:
    negated = rng.random() < 0.4
    if rng.random() > 0.15:
        return sample_clause(world, rng, split=split, negated=negated)
    while True:
        subject = sample_thing(world, rng, "person animal food tool vehicle garment building")
        fitting = [row.name for row in world.properties.values() if world.domain_of(subject.head) in row.domains]
        clause = Clause("be", subject, complement=pick(rng, fitting), negated=negated)
        if in_split(world, split, clause) and clause.complement not in subject.properties:
            return clause


def draw_inference(
    world: World, rng: Random, split: str, labels: Sequence[int], style: Style
) -> tuple[list[Clause], list[Clause]]:
    """The clauses of a premise in a drawn order, and hypotheses with the given labels; no two have one verb.

    A hypothesis is kept where each of the labels could have been made, so that it does not depend on its own. What is
    held out is its combination of words; in training the premise's, too.
    """
    hypotheses, premise, verbs = [], [], set()
    around = "train" if split == "train" else "text"
    while len(hypotheses) < len(labels):
        hypothesis = _hypothesis(world, rng, split)
        family = {hypothesis.verb, invert(world, hypothesis).verb}
        clauses = [_premise(world, rng, hypothesis, label, around, style) for label in range(len(LABELS))]
        if None not in clauses and not family & verbs:
            premise.append(clauses[labels[len(hypotheses)]])
            hypotheses.append(hypothesis)
            verbs |= family
    return shuffled(rng, premise), hypotheses


@once
def draw_premises(order: Order, lengths: Sequence[int], style: Style) -> Iterator[tuple[list, list, list]]:
    """Premises of one of the lengths, each with as many hypotheses, and their labels."""
    rng, left = order.rng("inference"), order.size
    labels = in_turns(rng, len(LABELS))
    while left > 0:
        chosen = list(islice(labels, min(pick(rng, lengths), left)))
        yield *draw_inference(order.world, rng, order.combos, chosen, style), chosen
        left -= len(chosen)


def _infer(
    order: Order, finish: Callable[[dict, int], dict], lengths: Sequence[int], style: Style = PLAIN
) -> Iterator[Item]:
    """Items with the columns that all these releases have; `finish` makes a row of them and a running number."""
    say, number = order.speaker(), count()
    for premise, hypotheses, labels in draw_premises(order, lengths, style):
        text = tell(map(say, premise), order.code).text
        for hypothesis, label in zip(hypotheses, labels, strict=True):
            row = {"premise": text, "hypothesis": say(hypothesis).text, "label": label}
            yield Item(finish(row, next(number)), (premise, hypothesis))


def make_mnli(order: Order) -> Iterator[Item]:
    """Premises of one to three sentences. The meaning: (clauses of the premise, hypothesis)."""
    return _infer(order, lambda row, number: row | {"idx": number}, (1, 2, 3))


def make_snli(order: Order) -> Iterator[Item]:
    """Premises of one sentence; else as `make_mnli`."""
    return _infer(order, lambda row, number: row, (1,))


def make_anli(order: Order) -> Iterator[Item]:
    """Premises of three sentences, each further from its hypothesis; else as `make_mnli`."""
    return _infer(order, lambda row, number: {"uid": f"{order.name}-{number}", **row, "reason": ""}, (3,), HARD)


def make_xnli(order: Order) -> Iterator[Item]:
    """Premises of three sentences with a hypothesis of each label, in a drawn order; the meaning as in `make_mnli`."""

    def finish(row: dict, number: int) -> dict:
        texts = {"sentence1": row["premise"], "sentence2": row["hypothesis"]}
        return {"language": order.code, **texts, "gold_label": LABELS[row["label"]]}

    return _infer(order, finish, (3,))


def make_qqp(order: Order) -> Iterator[Item]:
    """Two questions, the same or not (1 or 0), each with either of two inverse verbs. The meaning: both questions."""
    rng, say, world = order.rng("questions"), order.speaker(), order.world
    for idx, label in zip(range(order.size), in_turns(rng, 2), strict=False):
        meaning = _draw_questions(world, rng, order.combos, label)
        first, second = (say(question).text for question in meaning)
        yield Item({"question1": first, "question2": second, "label": label, "idx": idx}, meaning)


def _draw_questions(world: World, rng: Random, split: str, label: int) -> tuple[Question, ...]:
    """A question and its paraphrase; or one with exchanged roles, or with a slot of another draw of its verb.

    Both are drawn, whatever the label.
    """
    while True:
        clause, drawn = _draw_invertible(world, rng, split)
        asked = pick(rng, ["whether", *(slot for slot in FILLED if getattr(clause, slot))])
        changed = pick(rng, [slot for slot in FILLED if slot != asked])
        wrong = [replace(clause, **{changed: getattr(drawn, changed)})]
        wrong += [swap_roles(clause)] if asked == "whether" and _alike(world, clause) else []
        other, twice = pick(rng, wrong), rng.random() < 0.2
        both = [shuffled(rng, [said, invert(world, said)]) for said in (clause, other)]
        same, new = ([_ask(world, said, asked, said.verb != clause.verb) for said in pair] for pair in both)
        fits = in_split(world, split, *both[0], *both[1], *(question.clause for question in (*same, *new)))
        if fits and other != clause and other.subject not in (other.object, other.recipient):
            return tuple(shuffled(rng, [same[0], same[not twice] if label else new[0]]))


def _draw_invertible(world: World, rng: Random, split: str) -> list[Clause]:
    """Two clauses with one verb that has an inverse."""
    drawn = (sample_clause(world, rng, split=split, negated=False) for _ in count())
    clause = next(clause for clause in drawn if world.verbs[clause.verb].inverse)
    return [clause, sample_clause(world, rng, split=split, verb=clause.verb, negated=False)]


def _alike(world: World, clause: Clause) -> bool:
    """Can the roles that the inverse verb exchanges be exchanged without it?"""
    one, other = clause.subject, swap_roles(clause).subject
    return one != other and world.domain_of(one.head) == world.domain_of(other.head)


def _ask(world: World, clause: Clause, slot: str, inverted: bool) -> Question:
    """Asks for a slot of the clause or, where it is inverted, for what stands in that slot of its inverse."""
    exchanged = "recipient" if clause.recipient else "object"
    return world.ask(clause, {"subject": exchanged, exchanged: "subject"}.get(slot, slot) if inverted else slot)


def make_pawsx(order: Order) -> Iterator[Item]:
    """Sentences of nearly the same words, paraphrases (1) or not (0). The meaning: both."""
    rng, say, world = order.rng("paraphrase"), order.speaker(), order.world
    for label in islice(in_turns(rng, 2), order.size):
        first, second = pick(rng, (_exchange_roles, _exchange_clauses))(world, rng, order.combos, label)
        row = {"sentence1": say(first).text, "sentence2": say(second).text, "label": str(label)}
        yield Item(row, (first, second))


def _exchange_roles(world: World, rng: Random, split: str, label: int) -> tuple[Clause, Clause]:
    """Roles and verb are exchanged (the same is said), or only one of them: the verb, mostly."""
    while True:
        clause, _ = _draw_invertible(world, rng, split)
        inverse = invert(world, clause)
        wrong = swap_roles(clause), swap_roles(inverse)
        if _alike(world, clause) and in_split(world, split, inverse, *wrong):
            return clause, inverse if label else wrong[rng.random() < 0.75]


def _exchange_clauses(world: World, rng: Random, split: str, label: int) -> tuple[Link, Link]:
    """Two clauses in the other order (the same is said), or with each other's subjects."""
    while True:
        one, other = (sample_clause(world, rng, split=split, negated=False) for _ in range(2))
        crossed = [replace(one, subject=other.subject), replace(other, subject=one.subject)]
        typed = all(world.fits(clause.subject.head, world.verbs[clause.verb].subject) for clause in crossed)
        if typed and one.verb != other.verb and one.subject != other.subject and in_split(world, split, *crossed):
            second = [other, one] if label else shuffled(rng, crossed)
            return Link(one, "and", other), Link(second[0], "and", second[1])
