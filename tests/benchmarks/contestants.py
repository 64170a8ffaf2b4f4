"""A job done by `xt`, and by transformers' `Trainer` as its example scripts configure it and as one tunes it.

Each starts from examples in memory, ends with a decoded prediction per example, and is timed in three parts:
`prepare` (weights, tokens of the training data), `train`, and `score` (the selection data and every language, tokens
included). The tokens are the same, made by the same function.
"""

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import torch
import transformers
from accelerate.state import AcceleratorState
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, default_data_collator

from tests.benchmarks import frame
from tests.benchmarks.jobs import Job
from xt.encode import FORMATS, Features
from xt.evaluate import predict, predict_examples, primary_score
from xt.model import HEADS, Network, build_model
from xt.train import Part, Training, train
from xt.transfer import build_accelerator, look_at, updates_of, weights_to_train

LABELS = {"classification": ("label",), "span_qa": ("start_positions", "end_positions"), "tagging": ()}
"""Format -> what a transformers model calls its labels; tags are only predicted here."""


class Laps:
    """Seconds of each part, and of processors in all."""

    def __init__(self) -> None:
        gc.collect()
        quieten()
        self.started = self.last = time.perf_counter()
        self.processor, self.parts = time.process_time(), {}

    def lap(self, name: str) -> None:
        """Ends a part."""
        now = time.perf_counter()
        self.parts[name], self.last = now - self.last, now

    def total(self) -> dict[str, float]:
        """`seconds`, `processor_seconds`, and each part."""
        return {
            "seconds": self.last - self.started, "processor_seconds": time.process_time() - self.processor, **self.parts
        }  # fmt: skip


def run_xt(job: Job, seed: int) -> dict:
    """The job as a run of `xt` does it; what was measured, and how good it came out (`loss`, `points`)."""
    laps, task, knobs, tokenizer = Laps(), job.task, job.knobs, job.tokenizer
    head, accelerator = HEADS[task.format], build_accelerator(knobs)
    model = build_model(job.encoder, head, len(task.labels), knobs, seed)
    network = Network({task.name: model}, {task.name: head}, knobs.last_layer)
    features, where = job.encode(job.train), (tokenizer.pad_token_id, accelerator.device)
    read = dict(features=job.encode(job.selection), knobs=knobs, pad_token_id=where[0], device=where[1])
    look = partial(look_at, task=task, examples=job.selection, **read)
    part = Part(task.name, features, updates_of(features, knobs), look)
    laps.lap("prepare")
    training = Training(network, (part,), tokenizer, {})
    with tempfile.TemporaryDirectory() as place, weights_to_train(training, knobs, seed):
        train(network, (part,), knobs, seed, accelerator, Path(place), where[0], lambda line: None)
    laps.lap("train")
    examples = [example for rows in job.evaluation.values() for example in rows]
    network = accelerator.prepare(network)
    predictions = predict_examples(network, job.scored, job.encode(examples), examples, knobs, *where)
    laps.lap("score")
    bare = accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    return laps.total() | judge(job, bare.models[task.name], predictions)


def quieten() -> None:
    """No bars and no warnings of the libraries between the figures."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()


@dataclass(frozen=True)
class Setting:
    """How a `Trainer` is configured."""

    name: str
    arguments: Callable[[Job], dict]
    padded: bool  # every feature to the maximum length, when it is made
    attention: Callable[[Job], str]
    by_length: bool  # what is predicted is sorted by length beforehand

    def length(self, job: Job) -> int:
        """Tokens that features are padded to when they are made; 0 = none."""
        return job.knobs.max_seq_length if self.padded else 0

    def describe(self, job: Job) -> str:
        """All that is set, as a row of a table says it."""
        arguments = ", ".join(
            f"{name}={value!r}" for name, value in (shared_arguments(job) | self.arguments(job)).items()
        )
        collator = "default_data_collator" if self.padded else "DataCollatorWithPadding(tokenizer)"
        form = f"padded to {job.knobs.max_seq_length}" if self.padded else "not padded beforehand"
        order = ", each language sorted by length before its predict" if self.by_length else ""
        return (
            f"Trainer(TrainingArguments({arguments}), data_collator={collator}, attention {self.attention(job)}), "
            f"features {form}{order}, {job.knobs.num_threads} threads"
        )


def shared_arguments(job: Job) -> dict:
    """What the job says, to every `Trainer`; the rest of its arguments is as it is by default."""
    knobs = job.knobs
    return dict(
        use_cpu=not torch.cuda.is_available(),
        learning_rate=knobs.learning_rate,
        num_train_epochs=knobs.num_epochs,
        max_steps=knobs.num_train_steps or -1,
        per_device_train_batch_size=knobs.batch_size,
        warmup_steps=knobs.warmup_ratio,
        weight_decay=knobs.weight_decay,
        max_grad_norm=knobs.max_grad_norm,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
    )


def scored_together(job: Job) -> int:
    """Examples that are predicted at a time, so that a batch has as many tokens as one of `xt`, on the average."""
    some = [example for rows in job.evaluation.values() for example in rows[:20]]
    return max(1, int(job.knobs.tokens_per_batch / job.encode(some).lengths.mean()))


SCRIPTS = Setting("scripts", lambda job: {}, padded=True, attention=lambda job: "sdpa", by_length=False)
"""As run_glue.py, run_xnli.py and run_qa.py are: float32, everything padded to the maximum length, eight at a time
when predicting."""
TUNED = Setting(
    "tuned",
    lambda job: dict(
        bf16=True,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        per_device_eval_batch_size=scored_together(job),
        logging_steps=10**6,
    ),
    padded=False,
    attention=lambda job: job.knobs.attention,
    by_length=True,
)
"""As one sets it who knows it: bf16, like lengths together, padding in the batch, as many tokens a batch as `xt`."""


def run_trainer(setting: Setting, job: Job, seed: int) -> dict:
    """The same job by `Trainer`; what is returned is as for `run_xt`."""
    laps = Laps()
    AcceleratorState._reset_state(reset_partial_state=True)  # it keeps the precision of whoever came before
    torch.set_num_threads(job.knobs.num_threads)
    features = job.encode(job.train)
    with tempfile.TemporaryDirectory() as place:
        labelled = to_dataset(features, LABELS[job.task.format], setting.length(job), job.tokenizer.pad_token_id)
        trainer = open_trainer(setting, job, seed, place, labelled)
        laps.lap("prepare")
        trainer.train()
        laps.lap("train")
        predict_all(trainer, setting, job, job.selection)
        predictions = [found for rows in job.evaluation.values() for found in predict_all(trainer, setting, job, rows)]
        laps.lap("score")
    bare = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    return laps.total() | judge(job, bare, predictions)


def open_trainer(setting: Setting, job: Job, seed: int, place: str, data=None) -> Trainer:
    """A `Trainer` on the job's encoder with a new head, configured as the setting says."""
    transformers.set_seed(seed)
    head = HEADS[job.task.format]
    model = getattr(transformers, head.auto_class).from_pretrained(
        job.encoder,
        num_labels=head.num_outputs or len(job.task.labels),
        dtype=torch.float32,
        attn_implementation=setting.attention(job),
    )
    return Trainer(
        model=model,
        args=TrainingArguments(output_dir=place, seed=seed, **shared_arguments(job) | setting.arguments(job)),
        train_dataset=data,
        data_collator=default_data_collator if setting.padded else DataCollatorWithPadding(job.tokenizer),
        processing_class=job.tokenizer,
    )


def to_dataset(features: Features, labels: Sequence[str], length: int, pad_token_id: int) -> datasets.Dataset:
    """Features as `Trainer` reads them, padded to a length, or not at all where that is 0; `labels` are the names of
    their columns, none where they are only predicted."""
    rows = [features.input_ids[place] for place in range(len(features))]
    masks = [np.ones(len(row), dtype=np.int64) for row in rows]
    if length:
        rows = [np.pad(row, (0, length - len(row)), constant_values=pad_token_id) for row in rows]
        masks = [np.pad(mask, (0, length - len(mask))) for mask in masks]
    columns = {"input_ids": rows, "attention_mask": masks, "length": features.lengths.tolist()}
    for place, name in enumerate(labels):
        columns[name] = [int(np.atleast_1d(label)[place]) for label in features.labels]
    return datasets.Dataset.from_dict(columns)


def predict_all(trainer: Trainer, setting: Setting, job: Job, examples: Sequence) -> list:
    """One decoded prediction per example."""
    features = job.encode(examples)
    order = np.argsort(-features.lengths, kind="stable") if setting.by_length else np.arange(len(features))
    trainer.args.train_sampling_strategy = "random"  # else it predicts in another order, too
    rows = to_dataset(features.select(order), (), setting.length(job), job.tokenizer.pad_token_id)
    found = trainer.predict(rows).predictions
    head, outputs = HEADS[job.task.format], [None] * len(features)
    values = np.stack(found[:2], axis=-1) if isinstance(found, tuple) else found
    values = values.argmax(axis=-1) if head.argmax else values
    for place, row in zip(order, values, strict=True):
        outputs[place] = row[: features.lengths[place]] if head.padded else row
    return FORMATS[job.task.format].decode(outputs, features, examples, job.knobs)


def judge(job: Job, model: torch.nn.Module, predictions: Sequence) -> dict[str, float]:
    """`loss` of a trained model on the selection data, in float32, per label, and `points`, the mean over languages."""
    starts = np.cumsum([0, *(len(rows) for rows in job.evaluation.values())])
    points = [
        primary_score(job.scored, predictions[start : start + len(rows)], rows)
        for start, rows in zip(starts, job.evaluation.values(), strict=False)
    ]
    return {"loss": selection_loss(job, model), "points": float(np.mean(points))}


def selection_loss(job: Job, model: torch.nn.Module) -> float:
    """Mean cross-entropy over the labels of the selection data, over real tokens only."""
    task, features = job.task, job.encode(job.selection)
    network = Network({task.name: model}, {task.name: HEADS[task.format]})
    where = (job.knobs.tokens_per_batch, job.tokenizer.pad_token_id, next(model.parameters()).device)
    losses = []
    for scores, label in zip(predict(network, task.name, features, *where), features.labels, strict=True):
        scores = scores.reshape(len(scores), -1).T.astype(np.float64)  # (outputs, classes or tokens)
        best = np.atleast_1d(label)
        losses += list(np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(best)), best])
    return float(np.mean(losses))


def race(what: str, job: Job, turns: int, *, scripts: float, tuned: float) -> list[dict]:
    """Rows of `frame.table`: how many times as fast as both baselines, and whether the losses agree.

    `scripts` and `tuned` are the ratios to reach. The slow baseline runs once, the other two in every turn.
    """
    settings = {"scripts": (SCRIPTS, scripts), "tuned": (TUNED, tuned)}
    running = {"xt": partial(run_xt, job)} | {n: partial(run_trainer, s, job) for n, (s, _) in settings.items()}
    measured = frame.alternate(running, {"xt": turns, "tuned": turns, "scripts": 1})
    rows = []
    for name, (setting, target) in settings.items():
        for part in ("seconds", "train", "score"):
            found = frame.compare(measured, "xt", name, part)
            aim = f"ratio >= {target}" if part == "seconds" else ""
            told = dict(arguments=setting.describe(job) if aim else "", note=f"ratios by turn: {found.pop('ratios')}")
            rows.append(
                frame.row(f"{what}, over {name}" + ("" if aim else f": {part}"), unit="s", target=aim, **found, **told)
            )
    return [*rows, *(compare_losses(what, measured, name) for name in settings)]


def compare_losses(what: str, measured: pd.DataFrame, other: str) -> dict:
    """A row: how far apart the mean losses are, in standard deviations of one training (over seeds, of both pooled).

    With few seeds that is a plain bound, no test; the losses of every seed stand in the note.
    """
    losses = {name: measured.loc[measured["contestant"] == name, "loss"].to_numpy() for name in ("xt", other)}
    spread = pooled_spread(measured.groupby("contestant")["loss"])
    apart = abs(losses["xt"].mean() - losses[other].mean())
    shown = "; ".join(f"{name}: {' '.join(f'{value:.4f}' for value in values)}" for name, values in losses.items())
    points = measured.groupby("contestant")["points"].mean()
    note = f"loss on the selection data, {shown}; mean points {points['xt']:.1f} and {points[other]:.1f}"
    return frame.row(
        f"{what}: losses apart from {other}",
        apart / spread,
        "spreads over seeds",
        "this < 3" if spread > 0 else "",
        note=note,
    )


def pooled_spread(groups) -> float:
    """Standard deviation within groups, pooled over those of two or more; NaN where there are none."""
    sizes = groups.size() - 1
    return float(np.sqrt((groups.var() * sizes)[sizes > 0].sum() / sizes.sum())) if sizes.sum() else np.nan


def score_xt(job: Job, seed: int) -> dict:
    """Every language of the job scored by `xt`, in one queue; the head is not trained."""
    laps, task, knobs = Laps(), job.task, job.knobs
    head, accelerator = HEADS[task.format], build_accelerator(knobs)
    model = build_model(job.encoder, head, len(task.labels), knobs, seed)
    network = accelerator.prepare(Network({task.name: model}, {task.name: head}, knobs.last_layer))
    laps.lap("prepare")
    examples = [example for rows in job.evaluation.values() for example in rows]
    where = (job.tokenizer.pad_token_id, accelerator.device)
    predict_examples(network, job.scored, job.encode(examples), examples, knobs, *where)
    laps.lap("score")
    return laps.total()


def score_trainer(setting: Setting, job: Job, seed: int) -> dict:
    """The same by a loop of `Trainer.predict`, language by language."""
    laps = Laps()
    AcceleratorState._reset_state(reset_partial_state=True)
    torch.set_num_threads(job.knobs.num_threads)
    with tempfile.TemporaryDirectory() as place:
        trainer = open_trainer(setting, job, seed, place)
        laps.lap("prepare")
        for rows in job.evaluation.values():
            predict_all(trainer, setting, job, rows)
        laps.lap("score")
    return laps.total()
