"""The training step of an encoder of a given shape with random weights, on texts of real lengths."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import transformers
from torch.profiler import ProfilerActivity, profile

from tests.benchmarks import flops, frame
from tests.benchmarks.jobs import NUM_THREADS
from xt.batching import updates
from xt.encode import Features
from xt.encode.features import Ragged
from xt.knobs import Knobs
from xt.model import HEADS, Network, seen_rows_only
from xt.train import Look, Part, train
from xt.transfer import build_accelerator

KINDS: Mapping[str, dict] = {
    "pairs": dict(head="classification", knobs=dict(batch_size=32, max_seq_length=128), mean=45, spread=20, full=0.0),
    "windows": dict(head="span_qa", knobs=dict(batch_size=16, max_seq_length=384), mean=250, spread=70, full=0.25),
}
"""Kind of text -> head, knobs, and its lengths: normal, cut, and a share that fills the input, as measured on MNLI's
pairs and on SQuAD's windows with mini's tokenizer."""
FIRST_ID = 5


def draw_features(kind: str, count: int, vocabulary: int, longest: int, rng: np.random.Generator) -> Features:
    """Random ids of a kind's lengths and random labels; few ids are frequent, as in texts."""
    row = KINDS[kind]
    lengths = np.clip(rng.normal(row["mean"], row["spread"], count), 8, longest).astype(np.int64)
    lengths[rng.random(count) < row["full"]] = longest
    ids = FIRST_ID + (rng.pareto(1.0, lengths.sum()) * 20).astype(np.int64) % (vocabulary - FIRST_ID)
    many = (lambda length: rng.integers(0, 3)) if row["head"] == "classification" else (
        lambda length: rng.integers(1, length, 2))  # fmt: skip
    labels = [np.asarray(many(length), dtype=np.int64) for length in lengths]
    return Features(Ragged(ids.astype(np.int32), lengths), None, np.arange(count), labels)


def build_network(kind: str, shape: Mapping, attention: str) -> Network:
    """A network of one head with random weights and without dropout."""
    head = HEADS[KINDS[kind]["head"]]
    config = transformers.XLMRobertaConfig(
        **shape, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=head.num_outputs or 3
    )
    torch.manual_seed(0)
    builder = getattr(transformers, head.auto_class)
    return Network({"step": builder.from_config(config, attn_implementation=attention)}, {"step": head})


def knobs_of(kind: str, steps: int, **more: object) -> Knobs:
    """Those of a short training."""
    chosen = dict(num_train_steps=steps, selection_steps=10**6, num_threads=NUM_THREADS, attention="eager")
    return Knobs(**chosen | KINDS[kind]["knobs"] | more)


def measure_shape(what: str, shape: Mapping, kind: str, steps: int, tiny: bool, *, aim: bool) -> list[dict]:
    """Rows of `frame.table`: the share of the peak with each attention implementation, the first update left out."""
    rows = []
    for attention in ("eager", "sdpa"):
        knobs = knobs_of(kind, steps, attention=attention)
        if tiny:
            knobs = replace(knobs, batch_size=2, max_seq_length=32, num_threads=1)
        device = build_accelerator(knobs).device
        peak = flops.measure_peak(device, 0.01 if tiny else 1.0)
        network = build_network(kind, shape, attention)
        size = knobs.batch_size * steps
        features = draw_features(kind, size, shape["vocab_size"], knobs.max_seq_length, np.random.default_rng(0))
        rate, shares = time_training(kind, network, features, knobs, steps)
        said = ", ".join(f"{group} {share:.0%}" for group, share in shares.items())
        rows.append(frame.row(
            f"{what}, {attention}", rate / 1e9, "GFLOP/s", "ratio >= 0.6" if aim and attention == "eager" else "",
            baseline=peak / 1e9, ratio=rate / peak, arguments="the best of three bf16 matrix products, torch.matmul",
            note=f"real tokens only; {steps} updates of {knobs.batch_size}; time of operators: {said}", **shares,
        ))  # fmt: skip
    return rows


def time_training(
    kind: str, network: Network, features: Features, knobs: Knobs, steps: int
) -> tuple[float, dict[str, float]]:
    """(operations per second of `xt.train` on real tokens, the median over updates; shares of a profiled update)."""
    config, ids = network.encoder.config, features.input_ids.values
    with seen_rows_only(network, np.unique(np.append(ids, config.pad_token_id))):
        lines = run_updates(network, features, knobs, steps)
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA][: 1 + torch.cuda.is_available()]) as seen:
            run_updates(network, features, replace(knobs, num_train_steps=2), 2)
    rates = []
    for chosen, line in zip(updates(features.lengths, knobs.batch_size, 1, 0, steps), lines, strict=True):
        lengths = features.lengths[chosen]
        work = flops.count_step(config, lengths, **head_operations(kind, config.hidden_size))
        rates.append(work * line["tokens_per_second"] / lengths.sum())
    return float(np.median(rates[1:])), flops.share_time(seen)


def head_operations(kind: str, hidden: int) -> dict[str, float]:
    """What a kind's head takes, forward: a dense layer and three classes per row, or two scores per token."""
    return dict(per_row=2 * hidden * (hidden + 3)) if kind == "pairs" else dict(per_token=4 * hidden)


def run_updates(network: Network, features: Features, knobs: Knobs, steps: int) -> list[dict]:
    """The log of a training of so many updates."""
    lines, accelerator = [], build_accelerator(knobs)
    part = Part("step", features, steps, lambda network: Look(0.0, False))
    with tempfile.TemporaryDirectory() as place:
        train(network, (part,), knobs, 1, accelerator, Path(place), 1, lines.append)
    return lines
