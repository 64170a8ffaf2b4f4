"""Which examples are used: a selection slice, caps, and the shuffled labels of the placebo.

One order serves all: clusters by the hash of (data seed, cluster). It does not depend on the rows' order, on
the language or on a library's random numbers, so parallel tasks keep the same items in every language, and a
larger cap keeps what a smaller one kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import groupby
from re import finditer
from typing import TYPE_CHECKING, TypeVar

from xt.tasks.examples import Answer, Example, SpanQA

if TYPE_CHECKING:
    from numpy.random import Generator

E = TypeVar("E", bound=Example)


def _hashed_order(examples: Sequence[E], data_seed: int) -> list[int]:
    """Positions, cluster after cluster in hash order; within a cluster in the rows' order."""
    clusters = {example.cluster for example in examples}
    digests = {name: blake2b(f"{data_seed}:{name}".encode(), digest_size=16).digest() for name in clusters}
    return sorted(range(len(examples)), key=lambda i: (digests[examples[i].cluster], i))


def cap_examples(examples: Sequence[E], max_examples: int | None, data_seed: int) -> list[E]:
    """At most `max_examples` examples (None: all) in their original order; a larger cap gives a superset."""
    order = _hashed_order(examples, data_seed)
    return [examples[i] for i in sorted(order[:max_examples])]


def split_off(examples: Sequence[E], num_selection: int, data_seed: int) -> tuple[list[E], list[E]]:
    """(rest, slice): whole clusters, in hash order, until the next would exceed `num_selection` examples.

    Both keep the original order; no cluster is in both.
    """
    chosen: list[int] = []
    for _, cluster in groupby(_hashed_order(examples, data_seed), key=lambda i: examples[i].cluster):
        members = list(cluster)
        if len(chosen) + len(members) > num_selection:
            break
        chosen += members
    held_out = set(chosen)
    rest = [example for i, example in enumerate(examples) if i not in held_out]
    return rest, [examples[i] for i in sorted(chosen)]


def shuffle_labels(examples: Sequence[E], rng: "Generator") -> list[E]:
    """The placebo: the same examples without what there is to learn.

    Labels are permuted over the examples (the counts per label stay); an answer becomes as many words at a random
    place of its passage, and where questions may have none, it is permuted which of them have. Raises ValueError for
    examples with neither (tagging, retrieval).
    """
    shuffle = next((made for field, made in SHUFFLES.items() if all(hasattr(e, field) for e in examples)), None)
    if shuffle is None:
        allowed = "Classification, MultipleChoice, SpanQA"
        raise ValueError(f"{type(examples[0]).__name__} has no label to shuffle; allowed: {allowed}")
    return shuffle(examples, rng)


def permute_labels(examples: Sequence[E], rng: "Generator") -> list[E]:
    """The examples with each other's labels."""
    order = rng.permutation(len(examples))
    return [replace(example, label=examples[j].label) for example, j in zip(examples, order, strict=True)]


def displace_answers(examples: Sequence[SpanQA], rng: "Generator") -> list[SpanQA]:
    """The examples with one answer each, of as many words as before, somewhere in the passage.

    Where some have none, an example has one if another, drawn for it, had one, of as many words as that one's.
    """
    models = examples
    if not all(example.answers for example in examples):
        models = [examples[i] for i in rng.permutation(len(examples))]
    return [replace(e, answers=random_answers(e, model, rng)) for e, model in zip(examples, models, strict=True)]


def random_answers(example: SpanQA, model: SpanQA, rng: "Generator") -> tuple[Answer, ...]:
    """As many words as the model's first answer has, from a word drawn from the passage on; none if it has none."""
    if not model.answers:
        return ()
    words = list(finditer(r"\S+", example.context))
    size = min(len(model.answers[0].text.split()), len(words))
    first = int(rng.integers(len(words) - size + 1))
    start, end = words[first].start(), words[first + size - 1].end()
    return (Answer(example.context[start:end], start),)


SHUFFLES = {"label": permute_labels, "answers": displace_answers}
"""What an example of a format has -> how the placebo takes it away."""
