"""Predict -> decode -> per-example statistics: every language of a target in one length-sorted queue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from xt.encode import FORMATS
from xt.encode.features import Features
from xt.errors import DataError
from xt.incidents import compute_parts, note_not_finite
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
    `report` gets (features done, all features). What memory does not hold is halved, and numbers that are not
    finite are counted; see `xt.incidents`.
    """
    network.eval()
    head = network.heads[name]
    lengths = features.lengths
    outputs: list[np.ndarray] = [None] * len(features)
    done = 0

    def compute(part: np.ndarray) -> np.ndarray:
        inputs = collate(features, part, pad_token_id, device)
        scores = network(name, inputs)
        note_not_finite(scores, inputs["attention_mask"] if head.padded else None)
        return (scores.argmax(dim=-1) if head.argmax else scores).cpu().numpy()

    for part, values in compute_parts(features, tokens_per_batch, compute):
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
    """One decoded prediction per example of a task; `features` are what its format makes of the examples.

    The head is the task's own where the network has one (MasakhaNER's, trained on its own rows), else that of the task
    whose data it is trained on.
    """
    name = next(name for name in (task.name, task.training_task) if name in network.heads)
    outputs = predict(network, name, features, knobs.tokens_per_batch, pad_token_id, device, report)
    return FORMATS[task.format].decode(outputs, features, examples, knobs)


def example_statistics(task, predictions: Sequence, examples: Sequence) -> dict[str, np.ndarray]:
    """Columns `<metric>.<statistic>` (N,) for every metric of the task; a metric reduces sums of its columns."""
    predicted, gold = named(task, predictions), gold_of(task, examples)
    columns = {}
    for name in task.metrics:
        metric = METRICS[name]
        stats = metric.example_stats(predicted, gold, [example.language for example in examples])
        columns |= {f"{name}.{column}": stats[:, place] for place, column in enumerate(metric.columns)}
    return columns


def gold_of(task, examples: Sequence) -> list:
    """What the task's metrics compare a prediction with."""
    return [GOLD[task.format](task, example) for example in examples]


def named(task, predictions: Sequence) -> list:
    """Predictions as the metrics read them: tag names for tagging, the rest as decoded."""
    return [PREDICTED.get(task.format, as_is)(task, prediction) for prediction in predictions]


def tag_names(task, tags) -> list[str]:
    """The names of tag ids."""
    return [task.labels[tag] for tag in tags]


def as_is(task, value):
    """A prediction that the metrics read as it was decoded."""
    return value


def label_of(task, example) -> int:
    """The class, or which choice is right."""
    return example.label


def answer_texts(task, example) -> list[str]:
    """The accepted answers."""
    return [answer.text for answer in example.answers]


def relevant_ids(task, example) -> tuple[str, ...]:
    """What should be found."""
    return example.relevant


GOLD = {
    "classification": label_of,
    "multiple_choice": label_of,
    "tagging": lambda task, example: tag_names(task, example.tags),
    "span_qa": answer_texts,
    "span_qa_v2": answer_texts,
    "ranking": relevant_ids,
    "mining": relevant_ids,
}
PREDICTED = {"tagging": tag_names}
"""How the metrics read a prediction where it is not as it was decoded."""


def answers_of(task, predictions: Sequence) -> list:
    """Of each prediction what is the same for every example once a model has collapsed: class, tags, text, best id."""
    return [value[0] if task.format in ANSWERED_FIRST else value for value in named(task, predictions)]


ANSWERED_FIRST = ("span_qa_v2", "ranking")
"""Formats whose predictions have the answer first: a text and how doubtful it is, ids from the best on."""


def frame_of(task, predictions: Sequence, examples: Sequence) -> pd.DataFrame:
    """One row per example: `eval_language, id, cluster, prediction, gold` and the statistics of each metric."""
    columns = {
        "eval_language": [example.language for example in examples],
        "id": [example.id for example in examples],
        "cluster": [example.cluster for example in examples],
    }
    stored = STORED.get(task.format, plain_columns)(named(task, predictions), gold_of(task, examples))
    return pd.DataFrame(columns | stored | example_statistics(task, predictions, examples))


def plain_columns(predictions: Sequence, gold: Sequence) -> dict[str, Sequence]:
    """Predictions and gold as the metrics read them."""
    return {"prediction": predictions, "gold": gold}


def columns_with_doubt(predictions: Sequence[tuple[str, float]], gold: Sequence) -> dict[str, Sequence]:
    """An answer and, in a column of its own, its no-answer score."""
    return {
        "prediction": [text for text, _ in predictions],
        "no_answer_score": [doubt for _, doubt in predictions],
        "gold": gold,
    }


def columns_of_ids(predictions: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> dict[str, Sequence]:
    """Ids joined by blanks, the best first. Raises DataError for an id with a blank."""
    spoilt = next((name for ids in (*predictions, *gold) for name in ids if len(name.split()) != 1), None)
    if spoilt is not None:
        raise DataError(f"id {spoilt!r} cannot be stored in a list of ids; allowed: ids without white space")
    return {"prediction": [" ".join(ids) for ids in predictions], "gold": [" ".join(ids) for ids in gold]}


def columns_of_pairs(predictions: Sequence[str | None], gold: Sequence[Sequence[str]]) -> dict[str, Sequence]:
    """The id a sentence is paired with, empty for none."""
    return columns_of_ids([(found,) if found else () for found in predictions], gold)


STORED = {"span_qa_v2": columns_with_doubt, "ranking": columns_of_ids, "mining": columns_of_pairs}
"""How predictions become columns where they do not as they are."""


def join_pools(task, evaluation: Mapping) -> dict:
    """The same data of each language, where a query searches the candidates of all of them.

    In a parallel task the candidates that are right for a question are so in every language. Raises DataError where
    two languages have different candidates of one id.
    """
    pool: dict = {}
    relevant: dict = {}
    for data in evaluation.values():
        for candidate in data.pool:
            known = pool.setdefault(candidate.id, candidate)
            if (known.text, known.context) != (candidate.text, candidate.context):
                raise DataError(f"{task.name}: two candidates have the id {candidate.id!r}; ids must tell them apart")
        for query in data.examples:
            relevant.setdefault(same_query(task, query), {}).update(dict.fromkeys(query.relevant))
    joined = list(pool.values())
    return {
        code: replace(
            data,
            pool=joined,
            examples=[replace(query, relevant=tuple(relevant[same_query(task, query)])) for query in data.examples],
        )
        for code, data in evaluation.items()
    }


def same_query(task, query) -> tuple:
    """What two queries have in common that ask the same."""
    return (query.id,) if task.parallel else (query.id, query.language)


def primary_score(task, predictions: Sequence, examples: Sequence) -> float:
    """Points of the task's first metric over these examples."""
    metric = METRICS[task.metrics[0]]
    languages = [example.language for example in examples]
    stats = metric.example_stats(named(task, predictions), gold_of(task, examples), languages)
    return float(metric.reduce(stats.sum(axis=0)))
