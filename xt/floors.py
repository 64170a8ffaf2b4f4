"""What a score must beat to mean anything: trivial answers, scored by the task's own metrics."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from xt.evaluate import gold_of, join_pools, named
from xt.metrics import METRICS
from xt.metrics.ranking import CUTOFF

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


def say_nothing(examples: Sequence, training: Callable, rng) -> list[list[tuple[str, float]]]:
    """No answer to any question."""
    return [[("", 0.0)] * len(examples)]


FLOORS: Mapping[str, Floor] = {
    "classification": Floor("majority class", majority_class),
    "multiple_choice": Floor("majority class", majority_class),
    "tagging": Floor("majority tag of the word", majority_tag),
    "span_qa": Floor("random span", random_span),
    "span_qa_v2": Floor("no answer", say_nothing),
}


def draw_one(task, evaluation: Mapping) -> dict[str, float]:
    """Language -> expected accuracy of naming any sentence of the language's as the translation."""
    return {code: 100 / len(data.examples) for code, data in evaluation.items()}


def pair_at_random(task, evaluation: Mapping) -> dict[str, float]:
    """Language -> F1 of pairing each sentence with any English one, with the expected number of hits: all but 0."""
    points = {}
    for code, data in evaluation.items():
        num_gold = sum(len(query.relevant) for query in data.examples)
        points[code] = 200 * num_gold / len(data.pool) / (len(data.examples) + num_gold)
    return points


def rank_at_random(task, evaluation: Mapping) -> dict[str, float]:
    """Language -> expected mAP@20 of a random order of all candidates."""
    return {
        code: 100 * float(np.mean([expected_precision(len(q.relevant), len(data.pool)) for q in data.examples]))
        for code, data in join_pools(task, evaluation).items()
    }


def expected_precision(num_relevant: int, num_candidates: int) -> float:
    """Expected average precision at 20 of a random order: the r-th place is relevant with probability R / M, and then
    (r - 1)(R - 1) / (M - 1) of those before it are expected to be.
    """
    places = np.arange(1, min(CUTOFF, num_candidates) + 1)
    before = (places - 1) * (num_relevant - 1) / max(1, num_candidates - 1)
    total = (num_relevant / num_candidates * (1 + before) / places).sum()
    return float(total / min(num_relevant, CUTOFF))


CHANCE: Mapping[str, Callable] = {"retrieval": draw_one, "mining": pair_at_random, "ranking": rank_at_random}
"""Formats whose floor is what blind choice is expected to score, in every metric."""


def floors_of(task, evaluation: Mapping, read: Callable, rng: np.random.Generator) -> dict[str, tuple[dict, str]]:
    """Language -> (metric -> points, kind) of the format's trivial predictor; `read` gives the training examples."""
    if task.format in CHANCE:
        points = CHANCE[task.format](task, evaluation)
        return {code: (dict.fromkeys(task.metrics, points[code]), "chance") for code in evaluation}
    kind, training = FLOORS[task.format].kind, cache(read)
    return {code: (floor_scores(task, data.examples, training, rng), kind) for code, data in evaluation.items()}


def floor_scores(task, examples: Sequence, training: Callable, rng: np.random.Generator) -> dict[str, float]:
    """Metric -> points of the format's trivial predictor on these examples, averaged over its rounds."""
    gold, languages = gold_of(task, examples), [example.language for example in examples]
    rounds = [named(task, predictions) for predictions in FLOORS[task.format].predict(examples, training, rng)]
    return {
        name: float(
            np.mean(
                [METRICS[name].reduce(METRICS[name].example_stats(row, gold, languages).sum(axis=0)) for row in rounds]
            )
        )
        for name in task.metrics
    }
