"""Single sentences and texts: udpos, panx, ccg, tatoeba, bucc2018, mewslix, and text to pretrain on."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from xt.lab.choices import list_facts, say_event, tell_fact
from xt.lab.draw import pick, shuffled, weighted
from xt.lab.grammar import Sentence, Token
from xt.lab.items import Item, Order, tell
from xt.lab.languages import BEGINNING, LAB_LANGUAGES, RESOURCES
from xt.lab.meaning import CONNECTIVES, Clause, Link, Meaning, Thing
from xt.lab.pairs import in_split, retell
from xt.lab.world import EVENTS, World, fact_clause, sample_clause

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
NAMES = "O B-PER I-PER B-ORG I-ORG B-LOC I-LOC".split()


def draw_meaning(world: World, rng: Random, split: str) -> Meaning:
    """A clause, a link of two, or a question; the placeholder of a question counts as a word of its combination."""
    kind = rng.random()
    clause = sample_clause(world, rng, split=split)
    if kind < 0.7:
        return clause
    if kind < 0.85:
        return Link(clause, pick(rng, CONNECTIVES), sample_clause(world, rng, split=split))
    question = world.ask(clause, pick(rng, ["whether", "subject"] + ["object"] * bool(clause.object)))
    return question if in_split(world, split, question.clause) else draw_meaning(world, rng, split)


def draw_sentences(order: Order, fits: Callable[[Sentence], bool] = bool) -> Iterator[tuple[Meaning, Sentence]]:
    """Different sentences that fit, as many as are ordered."""
    rng, say, seen = order.rng("sentences"), order.speaker(), set()
    while len(seen) < order.size:
        meaning = draw_meaning(order.world, rng, order.combos)
        sentence = say(meaning)
        if meaning not in seen and fits(sentence):
            seen.add(meaning)
            yield meaning, sentence


def _tagged(
    order: Order, columns: dict[str, Callable[[Token], Any]], fits: Callable[[Sentence], bool] = bool
) -> Iterator[Item]:
    for meaning, sentence in draw_sentences(order, fits):
        row = {name: [read(token) for token in sentence.tokens] for name, read in columns.items()}
        yield Item({"tokens": [token.form for token in sentence.tokens]} | row, meaning)


def make_udpos(order: Order) -> Iterator[Item]:
    """Words with their parts of speech. The meaning: what is said; so in all tasks on one sentence."""
    return _tagged(order, {"pos_tags": lambda token: UPOS.index(token.upos)})


def make_panx(order: Order) -> Iterator[Item]:
    """Words with name tags; at least one name in each sentence."""
    columns = {"ner_tags": lambda token: NAMES.index(token.entity), "langs": lambda token: order.code}
    return _tagged(order, columns, _mentions)


def make_ccg(order: Order) -> Iterator[Item]:
    """Words with parts of speech and the categories of their derivation."""
    return _tagged(order, {"pos_tags": lambda token: token.upos, "categories": lambda token: token.category})


def make_tatoeba(order: Order) -> Iterator[Item]:
    """Sentences and what they are in `qaa`."""
    translate = order.speaker(BEGINNING)
    for meaning, sentence in draw_sentences(order):
        row = {"source_sentence": sentence.text, "target_sentence": translate(meaning).text}
        yield Item(row | {"source_lang": order.code, "target_lang": BEGINNING}, meaning)


def make_bucc2018(order: Order) -> Iterator[Item]:
    """One row: two corpora and which of their lines (counted from 1) say the same; twice as many lines do not.

    The meaning: what the lines of the two corpora say.
    """
    rng, say, translate = order.rng("lines"), order.speaker(), order.speaker(BEGINNING)
    meanings: dict[Meaning, None] = {}
    while len(meanings) < 5 * order.size:
        meanings[draw_meaning(order.world, rng, order.combos)] = None
    drawn, size = list(meanings), order.size
    foreign, home = shuffled(rng, drawn[: 3 * size]), shuffled(rng, drawn[:size] + drawn[3 * size :])
    place = {meaning: number for number, meaning in enumerate(home, 1)}
    gold = [[number, place[meaning]] for number, meaning in enumerate(foreign, 1) if meaning in place]
    lines = {"sentence1": [say(meaning).text for meaning in foreign], "sentence2": [translate(m).text for m in home]}
    yield Item({"lang": f"{order.code}-en", **lines, "gold": gold}, (foreign, home))


def make_mewslix(order: Order) -> Iterator[Item]:
    """Mentions of entities in a context, with the entity's description in `qaa`. The meaning: what is said."""
    describe = order.speaker(BEGINNING)
    for number, (meaning, sentence) in enumerate(draw_sentences(order, _mentions)):
        entity, start, text = _mentions(sentence)[0]
        row = {
            "id": f"{order.name}-{number}",
            "language": order.code,
            "context": sentence.text,
            "mention": text,
            "mention_start": start,
            "entity": entity,
            "entity_description": describe(_describe(order.world, entity)).text,
        }
        yield Item(row, meaning)


def make_candidates(order: Order) -> Iterator[Item]:
    """Every entity with its name and description in a language. The meaning: the description's."""
    say, world = order.speaker(), order.world
    for entity in (*world.people, *world.places, *world.organisations):
        title = say(Clause("rest", Thing(entity))).span("subject")[1]
        about = _describe(world, entity)
        yield Item({"entity": entity, "language": order.code, "title": title, "description": say(about).text}, about)


def _mentions(sentence: Sentence) -> list[tuple[str, int, str]]:
    """(entity, first character, name as it stands) of each name."""
    return [(token.concept, *sentence.span(token.slot)) for token in sentence.tokens if token.entity.startswith("B-")]


def _describe(world: World, entity: str) -> Clause:
    """A person's home; of a place or an organisation who lives or serves there, or that a person does not."""
    if entity in world.people:
        return fact_clause(world, "live", entity)
    verb, slot = ("live", "place") if entity in world.places else ("serve", "object")
    there = [subject for subject, value in world.facts[verb].items() if value == entity]
    return Clause(verb, Thing((*there, world.people[0])[0]), negated=not there, **{slot: Thing(entity)})


def make_text(order: Order) -> Iterator[Item]:
    """Short documents: tales, scripts, facts, questions with answers; words by the language's level of resources.

    The meaning: what the sentences say, one after the other.
    """
    rng, say = order.rng("documents"), order.speaker()
    left = order.size * RESOURCES[LAB_LANGUAGES[order.code].resource] // max(RESOURCES.values())
    while left > 0:
        draw = weighted(rng, *zip(*DOCUMENTS, strict=True))
        told = draw(order.world, rng, 4 + int(rng.random() * 5))
        passage = tell(map(say, told), order.code)
        left -= sum(len(sentence.tokens) for sentence in passage.sentences)
        yield Item({"text": passage.text}, told)


def _tale(world: World, rng: Random, length: int) -> list[Meaning]:
    """Clauses and links on few subjects."""
    subjects = [sample_clause(world, rng, split="text").subject for _ in range(3)]
    clauses = [sample_clause(world, rng, split="text", subject=pick(rng, subjects)) for _ in range(length)]
    return [
        Link(clause, pick(rng, CONNECTIVES), sample_clause(world, rng, split="text")) if rng.random() < 0.2 else clause
        for clause in clauses
    ]


def _story(world: World, rng: Random, length: int) -> list[Meaning]:
    """One or two scripts, one after the other, each of one person."""
    told: list[Meaning] = []
    while len(told) < length:
        script, person = int(rng.random() * len(world.scripts)), pick(rng, world.people)
        told += [say_event(world, (script, place), person) for place in range(EVENTS)]
    return told[: max(length, EVENTS)]


def _facts(world: World, rng: Random, length: int) -> list[Meaning]:
    """Facts and kinds."""
    properties = [(verb, "", subject, "") for verb, pairs in world.facts.items() for subject in pairs]
    facts = (*list_facts(world), *properties)
    return [tell_fact(world, pick(rng, facts)) for _ in range(length)]


def _answers(world: World, rng: Random, length: int) -> list[Meaning]:
    """Questions, each followed by its answer in full."""
    told: list[Meaning] = []
    while len(told) < length:
        clause = sample_clause(world, rng, split="text")
        slots = [slot for slot in ("subject", "object", "recipient", "place", "time") if getattr(clause, slot)]
        told += [world.ask(clause, pick(rng, slots)), clause]
    return told


def _retelling(world: World, rng: Random, length: int) -> list[Meaning]:
    """Clauses, then what follows from them, in another order."""
    clauses = [sample_clause(world, rng, split="text") for _ in range(length // 2)]
    return [*clauses, *shuffled(rng, [retell(world, rng, clause) for clause in clauses])]


DOCUMENTS = ((_tale, 0.2), (_story, 0.4), (_facts, 0.55), (_answers, 0.7), (_retelling, 1.0))
"""What draws a document, and which share of them it and those before it draw."""
