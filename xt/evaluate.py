"""Predict -> decode -> per-example statistics: every language of a target in one length-sorted queue."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from xt.batching import micro_batches
from xt.encode import FORMATS
from xt.encode.features import Features
from xt.metrics import METRICS
from xt.model import Network, collate


@torch.inference_mode()
def predict(
    network: Network,
    name: str,
    features: Features,
    tokens_per_batch: int,
    pad_token_id: int,
    device,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[np.ndarray]:
    """Head scores per feature, float32 on the host: (L,), (C,), (T, 2), or (T,) best class ids for tagging.

    `name` says which of the network's heads. Features are read longest first, whatever language they are in;
    `report` gets (features done, all features).
    """
    network.eval()
    head = network.heads[name]
    lengths = features.lengths
    order = np.argsort(-lengths, kind="stable")
    outputs: list[np.ndarray] = [None] * len(features)
    done = 0
    for part in micro_batches(order, lengths, tokens_per_batch, features.rows_per_feature):
        scores = network(name, collate(features, part, pad_token_id, device))
        values = (scores.argmax(dim=-1) if head.argmax else scores).cpu().numpy()
        for index, row in zip(part, values, strict=True):
            outputs[index] = row[: lengths[index]] if head.padded else row
        done += len(part)
        report(done, len(features))
    return outputs


def predict_examples(
    network: Network,
    task,
    features: Features,
    examples: Sequence,
    knobs,
    pad_token_id: int,
    device,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list:
    """One decoded prediction per example of a task; `features` are what its format makes of the examples."""
    name = task.training_task
    outputs = predict(network, name, features, knobs.tokens_per_batch, pad_token_id, device, report)
    return FORMATS[task.format].decode(outputs, features, examples, knobs)


def example_statistics(task, predictions: Sequence, examples: Sequence) -> dict[str, np.ndarray]:
    """Columns `<metric>.<statistic>` (N,) for every metric of the task; a metric reduces sums of its columns."""
    predicted, gold = named(task, predictions), gold_of(task, examples)
    columns = {}
    for name in task.metrics:
        metric = METRICS[name]
        stats = metric.example_stats(predicted, gold)
        columns |= {f"{name}.{column}": stats[:, place] for place, column in enumerate(metric.columns)}
    return columns


def gold_of(task, examples: Sequence) -> list:
    """What the task's metrics compare a prediction with."""
    return [GOLD[task.format](task, example) for example in examples]


def named(task, predictions: Sequence) -> list:
    """Predictions as the metrics read them: tag names for tagging, the rest as decoded."""
    return [PREDICTED[task.format](task, prediction) for prediction in predictions]


def tag_names(task, tags) -> list[str]:
    """The names of tag ids."""
    return [task.labels[tag] for tag in tags]


GOLD = {
    "classification": lambda task, example: example.label,
    "multiple_choice": lambda task, example: example.label,
    "tagging": lambda task, example: tag_names(task, example.tags),
    "span_qa": lambda task, example: [answer.text for answer in example.answers],
}
PREDICTED = {
    "classification": lambda task, prediction: prediction,
    "multiple_choice": lambda task, prediction: prediction,
    "tagging": tag_names,
    "span_qa": lambda task, prediction: prediction,
}


def primary_score(task, predictions: Sequence, examples: Sequence) -> float:
    """Points of the task's first metric over these examples."""
    metric = METRICS[task.metrics[0]]
    stats = metric.example_stats(named(task, predictions), gold_of(task, examples))
    return float(metric.reduce(stats.sum(axis=0)))
