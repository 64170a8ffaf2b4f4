"""From a model and evaluation data to per-example frames and tidy score rows, every language in one queue."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from xt.config import ModelConfig, ScoreConfig
from xt.encode import FORMATS
from xt.evaluate import example_statistics, gold_of, named, predict_examples
from xt.floors import FLOORS, floor_scores
from xt.metrics import METRICS
from xt.model import HEADS, Network, check_length, load_encoder, load_model, load_tokenizer
from xt.retrieval import retrieve
from xt.stats import cluster_interval
from xt.tasks import get_task, read_training
from xt.tasks.reading import TrainingData

FLOOR_RESAMPLES = 1000
"""Cluster resamples behind the interval that decides whether a score is at its floor."""


def score_predictions(
    config: ScoreConfig, source: str, revision, evaluation: Mapping, accelerator, report: Callable
) -> tuple[pd.DataFrame, int]:
    """Predictions of a fine-tuned model in every language of a target.

    Returns a frame with one row per example: `eval_language, id, cluster, prediction, gold` and the statistics of
    each metric, and the number of truncated examples.
    """
    task = get_task(config.target)
    examples = [example for data in evaluation.values() for example in data.examples]
    tokenizer = load_tokenizer(source, revision)
    head = HEADS[task.format]
    model = load_model(source, head, config.knobs)
    network = accelerator.prepare(Network({task.training_task: model}, {task.training_task: head}))
    watch = watch_scoring(task.name, report)
    features = FORMATS[task.format].encode(examples, tokenizer, config.knobs)
    pad, device = tokenizer.pad_token_id, accelerator.device
    predictions = predict_examples(network, task, features, examples, config.knobs, pad, device, watch)
    frame = pd.DataFrame(
        {
            "eval_language": [example.language for example in examples],
            "id": [example.id for example in examples],
            "cluster": [example.cluster for example in examples],
            "prediction": named(task, predictions),
            "gold": gold_of(task, examples),
        }
        | example_statistics(task, predictions, examples)
    )
    return frame, features.num_truncated


def score_neighbours(
    config: ScoreConfig, source: str, revision, evaluation: Mapping, accelerator, report: Callable
) -> tuple[pd.DataFrame, int]:
    """Nearest neighbours of an encoder in every language of a retrieval target, at every layer, both ways.

    Returns a frame with one row per query, layer and direction, and the number of truncated sentences.
    """
    tokenizer = load_tokenizer(source, revision)
    model = accelerator.prepare(load_encoder(source, config.knobs, revision))
    check_length(model.config, config.knobs.max_seq_length, config.encoder)
    watch = watch_scoring(config.target, report)
    frames, num_truncated = [], 0
    for place, (language, data) in enumerate(evaluation.items()):
        columns, cut = retrieve(model, data.examples, tokenizer, config.knobs, accelerator.device)
        rows = columns.pop("row")
        ids = np.array([example.id for example in data.examples], dtype=object)
        clusters = np.array([example.cluster for example in data.examples], dtype=object)
        frame = pd.DataFrame({"eval_language": language, "id": ids[rows], "cluster": clusters[rows]} | columns)
        frame["prediction"], frame["gold"] = ids[columns["prediction"]], ids[rows]
        frames.append(frame.assign(**{"accuracy.correct": columns["prediction"] == rows, "accuracy.count": 1}))
        num_truncated += cut
        watch(place + 1, len(evaluation))
    return pd.concat(frames, ignore_index=True), num_truncated


def watch_scoring(target: str, report: Callable[[dict], None]) -> Callable[[int, int], None]:
    """A run's report as a function of (done, all)."""
    return lambda done, total: report({"step": done, "num_steps": total, "scoring": target})


SCORERS = {
    "classification": score_predictions,
    "multiple_choice": score_predictions,
    "tagging": score_predictions,
    "span_qa": score_predictions,
    "retrieval": score_neighbours,
}


def score_rows(config: ScoreConfig, frame: pd.DataFrame, floors: Mapping[str, tuple[dict, str]]) -> pd.DataFrame:
    """One row per language, metric (and layer and direction): score in points, its floor, and whether it is there.

    A score is at its floor when the 95 % interval over item clusters reaches down to the floor's value.
    """
    task, rng, rows = get_task(config.target), np.random.default_rng([config.seed, 2]), []
    keys = [key for key in ("eval_language", "layer", "direction") if key in frame]
    for values, cell in frame.groupby(keys, sort=False):
        where = dict(zip(keys, values, strict=True))
        for name in task.metrics:
            metric = METRICS[name]
            stats = cell[[f"{name}.{column}" for column in metric.columns]].to_numpy(dtype=float)
            low, _ = cluster_interval(
                stats, cell["cluster"].to_numpy(), metric.reduce, rng, num_resamples=FLOOR_RESAMPLES
            )
            value, kind = floors[where["eval_language"]][0][name], floors[where["eval_language"]][1]
            rows.append(
                where
                | {
                    "metric": name,
                    "score": float(metric.reduce(stats.sum(axis=0))),
                    "floor": value,
                    "floor_kind": kind,
                    "at_floor": bool(low <= value),
                    "num_examples": len(cell),
                }
            )
    return pd.DataFrame(rows)


def read_training_data(model: ModelConfig) -> TrainingData:
    """What a model is trained and selected on, capped as its knobs say."""
    return read_training(
        model.task,
        model.root,
        language=model.train_language,
        max_examples=model.knobs.max_train_examples or None,
        num_selection=model.knobs.num_selection_examples,
        data_seed=model.knobs.data_seed,
    )


def find_floors(config: ScoreConfig, evaluation: Mapping) -> dict[str, tuple[dict[str, float], str]]:
    """Language -> (metric -> points, kind) of the trivial predictor of the target's format."""
    task = get_task(config.target)
    if task.format not in FLOORS:
        return {
            code: ({name: 100 / len(data.examples) for name in task.metrics}, "chance")
            for code, data in evaluation.items()
        }
    rng = np.random.default_rng([config.knobs.data_seed, 3])
    training = cache(lambda: read_training_data(config.model).train)
    kind = FLOORS[task.format].kind
    return {code: (floor_scores(task, data.examples, training, rng), kind) for code, data in evaluation.items()}
