"""Passages and questions on them: squad, squad_v2, xquad, mlqa, tydiqa, lareqa.

A passage tells what a few people, animals or things do, several of them the same, so that a question has several
candidates. A question may leave out place and time, and exactly one clause of the passage answers it. Where none
shall, something in that clause is exchanged for what another one says: the question alone does not show it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from random import Random

from xt.lab.draw import pick, shuffled
from xt.lab.items import Item, Order, Passage, once, tell
from xt.lab.meaning import CONNECTIVES, COUNTED, Clause, Link, Meaning, Question, Thing
from xt.lab.pairs import in_split, invert
from xt.lab.translation import THINGS
from xt.lab.world import World, sample_clause, sample_thing

SLOTS = (*THINGS, "time")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on a passage."""

    question: Question
    index: int
    """The sentence that answers it; -1 where none does."""
    slot: str
    """The slot of that sentence which is the answer."""


def draw_clauses(world: World, rng: Random, split: str, length: int) -> list[Clause]:
    """Clauses with three subjects, and verbs that several of them share as far as there are; in a drawn order."""
    subjects = [sample_clause(world, rng, split=split).subject for _ in range(3)]
    pool = []
    for _ in range(3 * length):
        clause = sample_clause(world, rng, split=split, subject=pick(rng, subjects))
        place = sample_thing(world, rng, "place building") if rng.random() < 0.3 else clause.place
        pool.append(replace(clause, place=place))
    tellers = {clause.verb: {other.subject for other in pool if other.verb == clause.verb} for clause in pool}
    chosen = sorted(dict.fromkeys(pool), key=lambda clause: -len(tellers[clause.verb]))[:length]
    return shuffled(rng, chosen)


def _may_be(world: World, one: Thing, other: Thing) -> bool:
    """Could both name the same? Adjectives and numbers are not enough to tell things apart."""
    return one.head == other.head or world.fits(one.head, other.head) or world.fits(other.head, one.head)


def may_answer(world: World, question: Question, clause: Clause) -> bool:
    """Could the clause be taken for one that answers the question? It tells all that the question mentions."""
    wanted, asked = question.clause, question.asked
    if (wanted.verb, wanted.negated) != (clause.verb, clause.negated) or wanted.time not in ("when", None, clause.time):
        return False
    if asked != "number" and getattr(clause, asked) is None:
        return False
    mentioned = [slot for slot in THINGS if slot != asked and getattr(wanted, slot)]
    return all((there := getattr(clause, s)) and _may_be(world, getattr(wanted, s), there) for s in mentioned)


def count_answers(world: World, question: Question, clauses: Sequence[Clause]) -> int:
    """How many clauses might answer the question, said with the verb or its inverse."""
    return sum(may_answer(world, question, c) or may_answer(world, question, invert(world, c)) for c in clauses)


def _slots_to_ask(clause: Clause) -> list[str]:
    if clause.negated:
        return []
    counted = any((thing := getattr(clause, slot)) and thing.number > 1 for slot in COUNTED)
    return [slot for slot in SLOTS if getattr(clause, slot)] + ["number"] * counted


def _ask(world: World, rng: Random, clause: Clause, slot: str) -> Question:
    """The question for a slot; place and time are left out as drawn, unless they are asked for."""
    dropped = {name: None for name in ("place", "time") if name != slot and rng.random() < 0.6}
    bare = replace(clause, **dropped)
    return world.ask(bare if slot in _slots_to_ask(bare) else clause, slot)


def _cross(
    world: World, rng: Random, split: str, clauses: Sequence[Clause], index: int, question: Question
) -> Clause | None:
    """A clause as another one's subject, object, verb, ... makes it, so that the passage answers the question no more.

    What it said before, another clause still says. None where there is no such clause.
    """
    clause, others = clauses[index], [other for other in clauses if other != clauses[index]]
    shared = [s for s in (*SLOTS, "verb") if getattr(clause, s) in {getattr(other, s) for other in others} - {None}]
    for donor, slot in shuffled(rng, [(other, slot) for other in others for slot in shared]):
        crossed = replace(clause, **{slot: getattr(donor, slot)})
        row = world.verbs[crossed.verb]
        typed = world.fits(crossed.subject.head, row.subject) and bool(crossed.recipient) == row.ditransitive
        typed &= world.fits(crossed.object.head, row.object) if crossed.object else not row.object
        if typed and crossed not in clauses and in_split(world, split, crossed):
            if not count_answers(world, question, [*others, crossed]):
                return crossed
    return None


Found = tuple[Question, int, str, Clause | None]
"""A question, the clause that answers it, the slot of the answer, and the clause that would leave it without one."""


def draw_questions(
    world: World, rng: Random, split: str, clauses: Sequence[Clause], style: "Style", number: int
) -> list[Found]:
    """Questions that one clause each answers, for as many different slots as there are; fewer where there are no more.

    Where the style has questions without an answer, each could be one.
    """
    every = [(i, slot) for i, c in enumerate(clauses) for slot in _slots_to_ask(c) if slot in style.slots]
    drawn = shuffled(rng, every)
    ranks = {pair: [other for other in drawn if other[1] == pair[1]].index(pair) for pair in drawn}
    found: list[Found] = []
    for index, slot in sorted(drawn, key=ranks.__getitem__):
        question = _ask(world, rng, clauses[index], slot)
        if len(found) < number and count_answers(world, question, clauses) == 1:
            crossed = _cross(world, rng, split, clauses, index, question) if style.unanswerable else None
            if crossed or not style.unanswerable:
                found.append((question, index, slot, crossed))
    return found


def _link(rng: Random, clauses: Sequence[Clause]) -> list[Meaning]:
    """Neighbours joined by connectives."""
    pairs = zip(clauses[::2], clauses[1::2], strict=False)
    linked: list[Meaning] = [Link(one, pick(rng, CONNECTIVES), other) for one, other in pairs]
    return linked + list(clauses[len(linked) * 2 :])


@dataclass(frozen=True, slots=True)
class Style:
    """What passages and their questions are like."""

    lengths: tuple[int, ...] = (4, 5, 6, 7)
    """Clauses in a passage."""
    questions: int = 5
    """Questions on a passage."""
    unanswerable: int = 0
    """Of three questions, how many have no answer."""
    linked: bool = False
    """Are clauses joined in pairs?"""

    @property
    def slots(self) -> tuple[str, ...]:
        """What can be asked for: in joined clauses no number."""
        return SLOTS if self.linked else (*SLOTS, "number")


@once
def draw_passages(order: Order, style: Style) -> Iterator[tuple[tuple[Meaning, ...], list[Asked]]]:
    """What passages tell, and the questions on each."""
    rng, world = order.rng("passages"), order.world
    answerable = [number % 3 >= style.unanswerable for number in range(order.size)]
    while answerable:
        wanted, rest = shuffled(rng, answerable[: style.questions]), answerable[style.questions :]
        clauses = draw_clauses(world, rng, order.combos, pick(rng, style.lengths))
        found = draw_questions(world, rng, order.combos, clauses, style, len(wanted))
        for (_, index, _, crossed), answered in zip(found, wanted, strict=False):
            clauses[index] = clauses[index] if answered else crossed
        if [count_answers(world, question, clauses) for question, *_ in found] == wanted:
            told = tuple(_link(rng, clauses) if style.linked else clauses)
            yield (
                told,
                [
                    Asked(question, *(_locate(told, clauses[index], slot) if answered else (-1, slot)))
                    for (question, index, slot, _), answered in zip(found, wanted, strict=True)
                ],
            )
            answerable = rest


def _locate(told: Sequence[Meaning], clause: Clause, slot: str) -> tuple[int, str]:
    """The sentence that says a clause, and the clause's slot in it."""
    for index, said in enumerate(told):
        match said:
            case Link(first, _, second) if clause in (first, second):
                return index, slot if clause == first else f"second.{slot}"
            case Clause() if said == clause:
                return index, slot
    raise ValueError(f"not told: {clause}")


def _make(order: Order, style: Style, finish: Callable[[dict, Passage], dict]) -> Iterator[Item]:
    """Items with the columns that all these releases have; `finish` makes a release's row of them."""
    say, ask, number = order.speaker(), order.speaker(order.other), count()
    for told, questions in draw_passages(order, style):
        passage = tell(map(say, told), order.code)
        for asked in questions:
            found = passage.answers(asked.index, asked.slot) if asked.index >= 0 else {"text": [], "answer_start": []}
            row = {"id": f"{order.name.replace('/', '-')}-{next(number)}", "context": passage.text}
            yield Item(finish(row | {"question": ask(asked.question).text, "answers": found}, passage), (told, asked))


def _entitle(row: dict, passage: Passage) -> dict:
    return {"id": row["id"], "title": row["id"].split("-")[0], **row}


def _break(row: dict, passage: Passage) -> dict:
    texts = [sentence.text for sentence in passage.sentences]
    ends = [start + len(text) for start, text in zip(passage.starts, texts, strict=True)]
    breaks = [list(pair) for pair in zip(passage.starts, ends, strict=True)]
    return row | {"sentences": texts, "sentence_breaks": breaks}


def _prefix(row: dict, passage: Passage, code: str) -> dict:
    return row | {"id": f"{code}-{row['id']}"}


def make_squad(order: Order) -> Iterator[Item]:
    """Five questions on a passage. The meaning of each of these tasks: (what the sentences say, Asked)."""
    return _make(order, Style(), _entitle)


def make_squad_v2(order: Order) -> Iterator[Item]:
    """Three questions on a passage, of which one has no answer; else as `make_squad`."""
    return _make(order, Style(questions=3, unanswerable=1), _entitle)


def make_xquad(order: Order) -> Iterator[Item]:
    """Five questions on a passage, the same in every language."""
    return _make(order, Style(), lambda row, passage: row)


def make_mlqa(order: Order) -> Iterator[Item]:
    """Three questions on a passage, in the passage's or another language."""
    return _make(order, Style(questions=3), _entitle)


def make_tydiqa(order: Order) -> Iterator[Item]:
    """Two questions on a passage of joined clauses."""
    return _make(order, Style(questions=2, linked=True), partial(_prefix, code=order.code))


def make_lareqa(order: Order) -> Iterator[Item]:
    """XQuAD's questions and passages, with the offsets of the sentences."""
    return _make(order, Style(), _break)
