"""What every row of METRICS promises."""

import numpy as np
import pytest

from xt.errors import DataError
from xt.metrics import METRICS

SAMPLES = {
    "accuracy": ([1, 0, 2, 2], [1, 1, 2, 0]),
    "token_accuracy": ([["NOUN", "ADJ"], ["X"]], [["NOUN", "VERB"], ["X"]]),
    "chunk_f1": ([["NOUN", "ADJ"], ["X"]], [["NOUN", "VERB"], ["X"]]),
    "span_f1": ([["B-PER", "I-PER"], ["O"]], [["B-PER", "O"], ["B-LOC"]]),
    "exact_match": (["the cat", "dog"], [["Cat!"], ["a bird", "frog"]]),
    "f1": (["the cat", "big dog"], [["Cat!"], ["a bird", "dog"]]),
    "mlqa_exact_match": (["the cat", "der Hund"], [["Cat!"], ["Hund"]], ["en", "hi"]),
    "mlqa_f1": (["the cat", "der Hund"], [["Cat!"], ["Hund"]], ["en", "hi"]),
    "exact_match_no_answer": ([("the cat", -1.0), ("big dog", 1.0)], [["Cat!"], []]),
    "f1_no_answer": ([("the cat", -1.0), ("big dog", -2.0)], [["Cat!"], ["dog"]]),
    "map_at_20": ([["a", "b"], ["a", "b"]], [["a"], ["b"]]),
    "pair_f1": (["a", "b", None], [["a"], [], ["c"]]),
}
POINTS = {
    "accuracy": 50,
    "token_accuracy": 200 / 3,
    "chunk_f1": 200 / 3,
    "span_f1": 0,
    "exact_match": 50,
    "f1": 100 * (1 + 2 / 3) / 2,
    "mlqa_exact_match": 50,
    "mlqa_f1": 100 * (1 + 2 / 3) / 2,
    "exact_match_no_answer": 100,
    "f1_no_answer": 100 * (1 + 2 / 3) / 2,
    "map_at_20": 75,
    "pair_f1": 50,
}

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def test_every_metric_has_a_sample_here():
    assert set(SAMPLES) == set(METRICS) == {metric.name for metric in METRICS.values()}


@every_metric
def test_known_points(metric):
    stats = metric.example_stats(*SAMPLES[metric.name])
    assert stats.shape == (len(SAMPLES[metric.name][0]), len(metric.columns))
    assert metric.reduce(stats.sum(0)) == pytest.approx(POINTS[metric.name])


@every_metric
def test_a_bootstrap_is_one_matrix_product(metric):
    stats = metric.example_stats(*SAMPLES[metric.name])
    weights = np.array([[1] * len(stats), [2] * len(stats), [1] + [0] * (len(stats) - 1)])
    points = metric.reduce(weights @ stats)
    assert points.shape == (3,)
    assert points[0] == pytest.approx(points[1])
    assert points[2] == pytest.approx(metric.reduce(stats[0]))


@every_metric
def test_no_examples_is_not_a_number_and_never_zero(metric):
    stats = metric.example_stats([], [])
    assert stats.shape == (0, len(metric.columns))
    assert np.isnan(metric.reduce(stats.sum(0)))


@every_metric
def test_missing_predictions_are_refused(metric):
    predictions, gold, *languages = SAMPLES[metric.name]
    with pytest.raises(DataError, match=str(len(gold))):
        metric.example_stats(predictions[:-1], gold, *languages)
