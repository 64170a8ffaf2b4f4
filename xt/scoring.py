"""From a model and evaluation data to per-example frames and tidy score rows, every language in one queue."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch

from xt.bitext import Pairs, calibrate, cross_fit, mine
from xt.config import ModelConfig, ScoreConfig
from xt.encode import FORMATS, encode_candidates, encode_queries
from xt.evaluate import frame_of, join_pools, predict, predict_examples
from xt.floors import floors_of
from xt.metrics import METRICS
from xt.metrics.depth import reported_layer
from xt.metrics.ranking import CUTOFF
from xt.model import HEADS, Network, check_length, load_encoder, load_model, load_tokenizer
from xt.neighbours import ranked
from xt.retrieval import retrieve
from xt.stats import cluster_interval
from xt.tasks import get_task, read_training
from xt.tasks.reading import TrainingData, read_calibration

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
    network, tokenizer = open_network(task, source, revision, config.knobs, accelerator)
    return score_examples(task, examples, network, tokenizer, config.knobs, accelerator, report)


def score_selection(config: ModelConfig, source: str, accelerator, report: Callable) -> pd.DataFrame:
    """Predictions of a trained model on the selection data of its training task: a frame as `score_predictions` gives.

    `source` is the folder of a model with its head.
    """
    task = get_task(config.task)
    network, tokenizer = open_network(task, source, None, config.knobs, accelerator)
    examples = read_training_data(config).selection
    return score_examples(task, examples, network, tokenizer, config.knobs, accelerator, report)[0]


def open_network(task, source: str, revision, knobs, accelerator) -> tuple:
    """(a fine-tuned model as a network of one head, on its device; its tokenizer)."""
    head = HEADS[task.format]
    model = load_model(source, head, knobs)
    network = Network({task.training_task: model}, {task.training_task: head}, knobs.last_layer)
    return accelerator.prepare(network), load_tokenizer(source, revision)


def score_examples(task, examples, network, tokenizer, knobs, accelerator, report) -> tuple[pd.DataFrame, int]:
    """(one row per example, the number of truncated examples)."""
    features = FORMATS[task.format].encode(examples, tokenizer, knobs)
    watch = watch_scoring(task.name, report)
    where = (tokenizer.pad_token_id, accelerator.device, watch)
    predictions = predict_examples(network, task, features, examples, knobs, *where)
    return frame_of(task, predictions, examples), features.num_truncated


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


def score_pairs(
    config: ScoreConfig, source: str, revision, evaluation: Mapping, accelerator, report: Callable
) -> tuple[pd.DataFrame, int]:
    """Pairs that an encoder mines in every language of a mining target, at the layer that is reported.

    Returns a frame with one row per foreign sentence and the number of truncated sentences. Beside what every frame
    has: `score`, the margin of the sentence's pair; `threshold`, from which on a pair is kept; `threshold_from`, the
    split on which it was chosen, or "other half"; `embedding_layer`.
    """
    task, knobs = get_task(config.target), config.knobs
    tokenizer = load_tokenizer(source, revision)
    model = accelerator.prepare(load_encoder(source, knobs, revision))
    check_length(model.config, knobs.max_seq_length, config.encoder)
    usual = int(reported_layer(model.config.num_hidden_layers))
    if knobs.embedding_layer > model.config.num_hidden_layers:
        allowed = f"-1, or 0 to {model.config.num_hidden_layers}"
        raise ValueError(f"embedding_layer = {knobs.embedding_layer} of {config.encoder!r}; allowed: {allowed}")
    layer, watch = usual if knobs.embedding_layer < 0 else knobs.embedding_layer, watch_scoring(config.target, report)
    frames, num_truncated = [], 0
    for place, (language, data) in enumerate(evaluation.items()):
        pairs, cut = mine(model, data.examples, data.pool, tokenizer, knobs, accelerator.device, layer)
        calibration = read_calibration(config.target, config.root, language, config.split_of(language))
        if calibration:
            chosen_on = (calibration.examples, calibration.pool)
            known, cut_there = mine(model, *chosen_on, tokenizer, knobs, accelerator.device, layer)
            thresholds, origin = np.full(len(pairs.margins), calibrate(known, *chosen_on)), calibration.split
            num_truncated += cut_there
        else:
            thresholds, origin = cross_fit(pairs, data.examples, data.pool, knobs.data_seed), "other half"
        frames.append(
            frame_of_pairs(task, data, pairs, thresholds).assign(threshold_from=origin, embedding_layer=layer)
        )
        num_truncated += cut
        watch(place + 1, len(evaluation))
    return pd.concat(frames, ignore_index=True), num_truncated


def frame_of_pairs(task, data, pairs: Pairs, thresholds: np.ndarray) -> pd.DataFrame:
    """One row per query: what it is paired with where the margin reaches the threshold, and both numbers."""
    predictions: list[str | None] = [None] * len(data.examples)
    margins, limits = np.full((2, len(data.examples)), np.nan)
    margins[pairs.sources], limits[pairs.sources] = pairs.margins, thresholds
    for source, target in zip(pairs.sources, pairs.targets, strict=True):
        if margins[source] >= limits[source]:
            predictions[source] = data.pool[target].id
    return frame_of(task, predictions, data.examples).assign(score=margins, threshold=limits)


def score_ranking(
    config: ScoreConfig, source: str, revision, evaluation: Mapping, accelerator, report: Callable
) -> tuple[pd.DataFrame, int]:
    """For every query of every language the 20 best of the candidates of all languages, by a dual encoder.

    Returns a frame with one row per query, `prediction` and `gold` being ids joined by blanks, and the number of
    truncated queries and candidates.
    """
    task, knobs = get_task(config.target), config.knobs
    joined = join_pools(task, evaluation)
    queries = [query for data in joined.values() for query in data.examples]
    pool = next(iter(joined.values())).pool
    network, tokenizer = open_network(task, source, revision, knobs, accelerator)
    sides = (
        encode_queries([query.text for query in queries], tokenizer, knobs),
        encode_candidates([(candidate.text, candidate.context) for candidate in pool], tokenizer, knobs),
    )
    where = (knobs.tokens_per_batch, tokenizer.pad_token_id, accelerator.device, watch_scoring(task.name, report))
    vectors = [torch.from_numpy(np.stack(predict(network, task.training_task, side, *where))) for side in sides]
    found = ranked(*vectors, CUTOFF, accelerator.device)
    predictions = [[pool[place].id for place in places] for places in found.places.tolist()]
    return frame_of(task, predictions, queries), sum(side.num_truncated for side in sides)


def watch_scoring(target: str, report: Callable[[dict], None]) -> Callable[[int, int], None]:
    """A run's report as a function of (done, all)."""
    return lambda done, total: report({"step": done, "num_steps": total, "scoring": target})


SCORERS = {
    "classification": score_predictions,
    "multiple_choice": score_predictions,
    "tagging": score_predictions,
    "span_qa": score_predictions,
    "span_qa_v2": score_predictions,
    "retrieval": score_neighbours,
    "mining": score_pairs,
    "ranking": score_ranking,
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
    rng = np.random.default_rng([config.knobs.data_seed, 3])
    return floors_of(get_task(config.target), evaluation, lambda: read_training_data(config.model).train, rng)
