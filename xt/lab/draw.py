"""Seeded draws that come out alike on every machine: `random()` of Python's generator, and nothing else of it."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

from xt.lab import LAB_VERSION

Item = TypeVar("Item")


def generator(seed: int, *purpose: str | int) -> Random:
    """A generator for one purpose within a world; another purpose draws independently."""
    return Random("/".join(str(part) for part in (LAB_VERSION, seed, *purpose)))


def pick(rng: Random, items: Sequence[Item]) -> Item:
    """One of the items, all equally likely."""
    return items[int(rng.random() * len(items))]


def shuffled(rng: Random, items: Sequence[Item]) -> list[Item]:
    """All items in a drawn order."""
    keys = [rng.random() for _ in items]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def zipf(count: int) -> list[float]:
    """Cumulative weights of ranks 1 to `count`, rank r weighing 1 / r (Zipf, 1949), for `weighted`."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def weighted(rng: Random, items: Sequence[Item], cumulative: Sequence[float]) -> Item:
    """One of the items by their cumulative weights."""
    return items[bisect(cumulative, rng.random() * cumulative[-1])]
