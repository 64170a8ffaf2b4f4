"""What a generator is asked for, and what it gives: items, each a row of a release and the meanings behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from xt.lab.draw import generator, shuffled
from xt.lab.grammar import Sentence, join
from xt.lab.languages import BEGINNING
from xt.lab.meaning import Meaning
from xt.lab.translation import FAITHFUL, Noise, translate
from xt.lab.world import World, build_world


@dataclass(frozen=True, slots=True)
class Item:
    """One example."""

    row: dict
    """The release's columns, nothing else."""
    meaning: Any
    """What the row says, for whoever checks its gold: each generator's docstring says in which form."""


@dataclass(frozen=True)
class Order:
    """So many items, in a language, of a world."""

    seed: int
    """Of the world."""
    code: str
    """The language."""
    name: str
    """Of the draws: two orders with the same name say the same things, each in its language."""
    combos: str
    """Which combinations of words: train, test or text (all)."""
    size: int
    """How many examples."""
    other: str = BEGINNING
    """The language of the questions, where it may be another."""
    noise: Noise = FAITHFUL
    """What goes wrong in saying it."""

    @property
    def world(self) -> World:
        """What is talked about."""
        return build_world(self.seed)

    def rng(self, *purpose: str | int) -> Random:
        """A generator for one purpose; the same in every language where the order's name is the same."""
        return generator(self.seed, self.name, *purpose)

    def speaker(self, code: str | None = None) -> Callable[[Meaning], Sentence]:
        """A function that says meanings in the order's language, or in another."""
        spoken = code or self.code
        rng = self.rng("said in", spoken)
        return lambda meaning: translate(meaning, self.seed, spoken, rng, self.noise)


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences as one text."""

    text: str
    sentences: tuple[Sentence, ...]
    starts: tuple[int, ...]
    """Offset of each sentence's first character."""

    def answers(self, index: int, slot: str) -> dict:
        """The noun phrase of a slot of a sentence, as the releases write answers."""
        start, text = self.sentences[index].span(slot)
        return {"text": [text], "answer_start": [self.starts[index] + start]}


def tell(sentences: Iterator[Sentence], code: str) -> Passage:
    """The passage that sentences of a language make."""
    said = tuple(sentences)
    text, starts = join(said, code)
    return Passage(text, said, tuple(starts))


def once(draw: Callable[..., Iterator]) -> Callable[..., tuple]:
    """A function of an order that draws what is said, whatever the language: done once for all languages."""
    kept = lru_cache(maxsize=4)(lambda *asked: tuple(draw(*asked)))
    return lambda order, *more: kept(replace(order, code=BEGINNING, other=BEGINNING, noise=FAITHFUL), *more)


def in_turns(rng: Random, count: int) -> Iterator[int]:
    """0 to `count` - 1 in one drawn permutation after the other, for ever: balanced labels."""
    while True:
        yield from shuffled(rng, range(count))
