"""What a score must beat to mean anything: trivial answers, scored by the task's own metrics."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xt.evaluate import gold_of, named
from xt.metrics import METRICS

RANDOM_SPANS = 20
"""Random spans drawn per question."""


@dataclass(frozen=True)
class Floor:
    """A trivial predictor of one format."""

    kind: str  # value of the `floor_kind` column
    predict: Callable  # (examples, training, rng) -> rounds of one prediction per example; `training()` reads examples


def majority_class(examples: Sequence, training: Callable, rng) -> list[list[int]]:
    """The most frequent gold class of the evaluated examples themselves (the most generous constant answer)."""
    label = Counter(example.label for example in examples).most_common(1)[0][0]
    return [[label] * len(examples)]


def majority_tag(examples: Sequence, training: Callable, rng) -> list[list[list[int]]]:
    """For each word its most frequent tag in the training data; for unseen words the most frequent tag of all."""
    by_word: Mapping[str, Counter] = defaultdict(Counter)
    for example in training():
        for word, tag in zip(example.tokens, example.tags, strict=True):
            by_word[word][tag] += 1
    default = sum(by_word.values(), Counter()).most_common(1)[0][0]
    best = {word: tags.most_common(1)[0][0] for word, tags in by_word.items()}
    return [[[best.get(word, default) for word in example.tokens] for example in examples]]


def random_span(examples: Sequence, training: Callable, rng: np.random.Generator) -> list[list[str]]:
    """Spans at a random place of the context, as long (in characters) as the answers of the same language."""
    sizes = np.array([len(example.answers[0].text) for example in examples])
    return [
        [cut(example.context, size, rng) for example, size in zip(examples, rng.permutation(sizes), strict=True)]
        for _ in range(RANDOM_SPANS)
    ]


def cut(context: str, size: int, rng: np.random.Generator) -> str:
    """A slice of `size` characters at a uniformly drawn place."""
    start = int(rng.integers(0, max(1, len(context) - size + 1)))
    return context[start : start + size]


FLOORS: Mapping[str, Floor] = {
    "classification": Floor("majority class", majority_class),
    "multiple_choice": Floor("majority class", majority_class),
    "tagging": Floor("majority tag of the word", majority_tag),
    "span_qa": Floor("random span", random_span),
}


def floor_scores(task, examples: Sequence, training: Callable, rng: np.random.Generator) -> dict[str, float]:
    """Metric -> points of the format's trivial predictor on these examples, averaged over its rounds."""
    gold = gold_of(task, examples)
    rounds = [named(task, predictions) for predictions in FLOORS[task.format].predict(examples, training, rng)]
    return {
        name: float(
            np.mean([METRICS[name].reduce(METRICS[name].example_stats(row, gold).sum(axis=0)) for row in rounds])
        )
        for name in task.metrics
    }
