"""Who knows the logical forms, and who only sees the words: what every task of the lab is held against.

The oracles decide from meanings alone, by a logic of their own. The models without one half of an item, and those of
words in a bag, are naive Bayes classifiers over words and pairs of neighbouring words.
"""

from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np

from xt.lab.lexicon import Lexicon
from xt.lab.meaning import Clause, Link, Question, Thing
from xt.lab.world import World

SLOTS = ("subject", "object", "recipient", "place")
MOMENTS = ("yesterday", "today", "now", "tomorrow")


def normal(world: World, clause: Clause) -> Clause:
    """One of the two ways to say the same with inverse verbs."""
    row = world.verbs.get(clause.verb)
    if row is None or row.inverse is None or clause.verb < row.inverse:
        return clause
    slot = "recipient" if row.adposition else "object"
    return replace(clause, verb=row.inverse, subject=getattr(clause, slot), **{slot: clause.subject})


def is_a(world: World, one: Thing | None, other: Thing | None) -> bool:
    """Is what `one` names always what `other` names?"""
    if other is None:
        return True
    if one is None or one.number != other.number or not set(other.properties) <= set(one.properties):
        return False
    return one.head == other.head or (one.head in world.kinds and other.head in world.hypernyms(one.head))


def covers(world: World, event: Clause, claim: Clause) -> bool:
    """Does an event, polarity aside, fit all that a claim says?"""
    same = event.verb == claim.verb and event.complement == claim.complement and claim.time in (None, event.time)
    return same and all(is_a(world, getattr(event, slot), getattr(claim, slot)) for slot in SLOTS)


def prove(world: World, premise: Clause, hypothesis: Clause) -> str:
    """entailment, contradiction or neutral."""
    told, claim = normal(world, premise), normal(world, hypothesis)
    opposite = told.complement and replace(told, complement=world.properties[told.complement].antonym)
    denied = not told.negated and opposite and covers(world, opposite, claim)
    if told.negated == claim.negated and covers(world, *((told, claim) if not told.negated else (claim, told))):
        return "entailment"
    if denied:
        return "entailment" if claim.negated else "contradiction"
    if told.negated != claim.negated and covers(world, *((claim, told) if told.negated else (told, claim))):
        return "contradiction"
    at = [clause.place.head if clause.place else "" for clause in (told, claim)]
    elsewhere = told.time in MOMENTS and told.time == claim.time and at[0] != at[1] and set(at) <= set(world.places)
    moved = replace(told, place=claim.place)
    if elsewhere and not told.negated and not claim.negated and covers(world, moved, claim):
        return "contradiction" if hypothesis.subject.head in world.people else "neutral"
    return "neutral"


def infer(world: World, premises, hypothesis: Clause) -> str:
    """What several clauses together say of a hypothesis."""
    found = {prove(world, premise, hypothesis) for premise in premises} - {"neutral"}
    assert len(found) < 2, (premises, hypothesis)
    return found.pop() if found else "neutral"


def fills(world: World, question: Question, clause: Clause) -> bool:
    """Does a clause, as it stands, tell all that a question mentions and what it asks for?"""
    wanted = question.clause
    if wanted.verb != clause.verb or wanted.negated != clause.negated:
        return False
    if wanted.time not in (None, "when", clause.time) or (wanted.time == "when" and clause.time is None):
        return False
    for slot in SLOTS:
        asked, there = getattr(wanted, slot), getattr(clause, slot)
        if asked is None:
            continue
        if there is None:
            return False
        if asked.number == 0:
            asked, there = replace(asked, number=1, definite=True), replace(there, definite=True)
            if there.number == 1:
                return False
            there = replace(there, number=1)
        if asked.head not in ("who", "what", "where") and not is_a(world, there, asked):
            return False
    return True


def clauses_of(told) -> list[tuple[int, str, Clause]]:
    """(sentence, prefix of its slots, clause) of what a passage tells."""
    found = []
    for index, said in enumerate(told):
        parts = [("", said.first), ("second.", said.second)] if isinstance(said, Link) else [("", said)]
        found += [(index, prefix, clause) for prefix, clause in parts]
    return found


def find(world: World, question: Question, told) -> tuple[int, str]:
    """The sentence and the slot that answer a question; (-1, slot) where none does."""
    hits = [(i, prefix + question.asked) for i, prefix, clause in clauses_of(told) if fills(world, question, clause)]
    assert len(hits) < 2, (question, told)
    return hits[0] if hits else (-1, question.asked)


def same_claim(world: World, one, other) -> bool:
    """Do two sentences, or two questions, say or ask the same?"""
    if isinstance(one, Question):
        return same_claim(world, one.clause, other.clause)
    return {normal(world, clause) for *_, clause in clauses_of([one])} == {
        normal(world, clause) for *_, clause in clauses_of([other])
    }


def usual(world: World, clause: Clause) -> tuple[int, int]:
    """Script and position of what someone does, whoever it is and whenever."""
    return next(
        (number, place)
        for number, script in enumerate(world.scripts)
        for place, event in enumerate(script.events)
        if (event.verb, event.object) == (clause.verb, clause.object.head)
    )


def follow(world: World, told, choices, step: int = 1) -> int:
    """Which of the choices stands right behind (step 1) or before (-1) what is told."""
    script, place = usual(world, told[-1])
    return [usual(world, clause) for clause in choices].index((script, place + step))


def complete(world: World, told, question: Question, objects) -> int:
    """Which object belongs to what the question's person does, in the script that this person's story follows."""
    person = question.clause.subject
    (script,) = {usual(world, clause)[0] for clause in told if clause.subject == person}
    (right,) = [
        event.object
        for event in world.scripts[script].events
        if event.verb == question.clause.verb and event.object in objects
    ]
    return objects.index(right)


def recall(world: World, question: Question, values) -> int:
    """Which of the values is the fact that the question asks for."""
    clause, subject = question.clause, question.clause.subject.head
    above = [world.kinds[subject].parent] if subject in world.kinds and clause.verb == "be" else []
    known = [world.facts[clause.verb][subject]] if subject in world.facts.get(clause.verb, {}) else []
    (right,) = set(values) & {*above, *known}
    return values.index(right)


def split_words(text: str) -> list[str]:
    """The tokens of a text in a script with spaces."""
    return text.replace(".", " .").replace("?", " ?").split()


def grams(text: str) -> list[str]:
    """Words and pairs of neighbouring words."""
    words = split_words(text)
    return words + [" ".join(pair) for pair in zip(words, words[1:], strict=False)]


class Bayes:
    """Naive Bayes over bags of features, each counted once."""

    def __init__(self, bags, labels):
        self.labels = sorted(set(labels))
        self.place = {name: row for row, name in enumerate(dict.fromkeys(chain.from_iterable(bags)))}
        sizes = np.array([labels.count(label) for label in self.labels])
        counts = np.ones((len(self.place), len(self.labels)))
        for bag, label in zip(bags, labels, strict=True):
            counts[[self.place[name] for name in set(bag)], self.labels.index(label)] += 1
        self.weights, self.prior = np.log(counts / (sizes + 2)), np.log(sizes / sizes.sum())

    def scores(self, bag) -> np.ndarray:
        """Log probability of each label, up to a constant."""
        return self.prior + self.weights[[self.place[name] for name in set(bag) if name in self.place]].sum(axis=0)

    def predict(self, bag):
        """The likeliest label."""
        return self.labels[int(self.scores(bag).argmax())]

    def choose(self, bags) -> int:
        """The option that looks most like a right one (of labels 0 and 1)."""
        return int(np.argmax([np.subtract(*self.scores(bag)[::-1]) for bag in bags]))


def overlap(one: str, other: str) -> list[str]:
    """What share of the other's words one has, and how many it lacks, as features."""
    first, second = Counter(split_words(one)), Counter(split_words(other))
    shared, missing = sum((first & second).values()), sum((second - first).values())
    return [f"shared {round(10 * shared / max(1, second.total()))}", f"missing {missing}"]


def tag(lexicon: Lexicon, forms) -> list[str]:
    """The part of speech of each form, from the dictionary."""
    known = [lexicon.upos[lexicon.analyses[form][0]] if form in lexicon.analyses else "" for form in forms]
    return [name or ("NUM" if form.isdigit() else "PUNCT") for name, form in zip(known, forms, strict=True)]


def find_names(lexicon: Lexicon, forms) -> list[str]:
    """Name tags, from the list of names: the longest at each place."""
    kinds = {"person": "PER", "place": "LOC", "organisation": "ORG"}
    concepts = [lexicon.analyses[form][0] if form in lexicon.analyses else "" for form in forms]
    tags, place = [], 0
    while place < len(forms):
        here = [
            (len(parts), name)
            for name, parts in lexicon.names.items()
            if tuple(concepts[place:][: len(parts)]) == parts
        ]
        length, name = max(here, default=(1, ""))
        kind = kinds.get(name.partition(":")[0])
        tags += [f"B-{kind}"] + [f"I-{kind}"] * (length - 1) if kind else ["O"]
        place += length
    return tags


def split_category(category: str) -> tuple[str, str, str] | None:
    """(result, slash, argument) of a category, without the brackets around them; None for an atom."""
    depth = 0
    for place in range(len(category) - 1, -1, -1):
        depth += (category[place] == ")") - (category[place] == "(")
        if depth == 0 and category[place] in "/\\":
            parts = category[:place], category[place], category[place + 1 :]
            return tuple(part[1:-1] if part.startswith("(") and not split_brackets(part) else part for part in parts)
    return None


def split_brackets(part: str) -> bool:
    """Does the first bracket close before the end?"""
    depth = 0
    for place, sign in enumerate(part):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place < len(part) - 1
    return False


def derive(categories) -> set[str]:
    """What a row of categories can be put together to, by forward and backward application (a chart)."""
    chart = {(i, i + 1): {category} for i, category in enumerate(categories)}
    for width in range(2, len(categories) + 1):
        for start in range(len(categories) - width + 1):
            cell = chart[start, start + width] = set()
            for middle in range(start + 1, start + width):
                for left in chart[start, middle]:
                    for right in chart[middle, start + width]:
                        forward, backward = split_category(left), split_category(right)
                        cell |= {forward[0]} if forward and forward[1:] == ("/", right) else set()
                        cell |= {backward[0]} if backward and backward[1:] == ("\\", left) else set()
    return chart[0, len(categories)]
