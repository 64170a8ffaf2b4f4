"""One kind of text and one batch size on a GPU: `xt.train` and both Trainers on the same features and weights."""

import tempfile
from collections.abc import Mapping

import numpy as np
import torch
import transformers
from accelerate.state import AcceleratorState
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments, default_data_collator

from tests.benchmarks import flops, frame
from tests.benchmarks.contestants import LABELS, quieten, to_dataset
from tests.benchmarks.steps import KINDS, build_network, draw_features, head_operations, knobs_of, run_updates
from xt.batching import updates
from xt.encode import Features
from xt.model import load_tokenizer, seen_rows_only
from xt.pretrain import build_if_ours
from xt.transfer import build_accelerator

WARM_UP, UPDATES = 5, 20
TOKENS = 65_536
"""Padded tokens per forward pass: what fits beside XLM-R large in some 100 GB; a batch above it is cut."""


def measure_batch(shape: Mapping, kind: str, size: int, target: str, tiny: bool) -> list[dict]:
    """Rows of `frame.table`: the share of the peak, and the ratio over each baseline in tokens per second."""
    steps, warm = (2, 1) if tiny else (UPDATES, WARM_UP)
    limits = dict(num_threads=1, max_seq_length=32) if tiny else dict(tokens_per_batch=TOKENS)
    knobs = knobs_of(kind, steps + warm, batch_size=size, attention="sdpa", **limits)
    device = build_accelerator(knobs).device
    peak = flops.measure_peak(device, 0.01 if tiny else 1.0)
    count = size * (steps + warm)
    features = draw_features(kind, count, shape["vocab_size"], knobs.max_seq_length, np.random.default_rng(0))
    speeds = {"xt": speed_of_xt(kind, shape, features, knobs, warm)}
    speeds |= {name: speed_of_trainer(name, kind, shape, features, knobs, warm) for name in BASELINES}
    chosen = np.concatenate(list(updates(features.lengths, size, 1, warm, steps + warm)))
    lengths, config = features.lengths[chosen], transformers.XLMRobertaConfig(**shape)
    work = flops.count_step(config, lengths, **head_operations(kind, config.hidden_size)) / lengths.sum()
    what = f"{kind}, {knobs.max_seq_length} tokens, batch {size}"
    rows = [frame.row(
        f"{what}: share of the peak", speeds["xt"] * work / 1e12, "TFLOP/s", target, baseline=peak / 1e12,
        ratio=speeds["xt"] * work / peak, arguments="the best of several bf16 matrix products",
    )]  # fmt: skip
    for name, arguments in BASELINES.items():
        rows.append(frame.row(
            f"{what}: over {name}", speeds["xt"], "real tokens/s", "ratio >= 2" if name == "tuned" else "",
            baseline=speeds[name], ratio=speeds["xt"] / speeds[name], peak_share=speeds[name] * work / peak,
            arguments=f"Trainer(TrainingArguments({arguments | dict(per_device_train_batch_size=size)}))",
        ))  # fmt: skip
    return rows


BASELINES = {
    "scripts": {},
    "tuned": dict(
        bf16=True, train_sampling_strategy="group_by_length", length_column_name="length", logging_steps=10**6,
        dataloader_num_workers=4 if torch.cuda.is_available() else 0,
    ),
}  # fmt: skip
"""float32 with all padded to the maximum length, as the example scripts; and as one sets it who knows it."""


def speed_of_xt(kind: str, shape: Mapping, features: Features, knobs, warm: int) -> float:
    """Real tokens per second of the updates after the first ones."""
    network = build_network(kind, shape, knobs.attention)
    with seen_rows_only(network, np.unique(np.append(features.input_ids.values, shape["pad_token_id"]))):
        lines = run_updates(network, features, knobs, knobs.num_train_steps)
    order = updates(features.lengths, knobs.batch_size, 1, 0, knobs.num_train_steps)
    tokens = np.array([features.lengths[chosen].sum() for chosen in order])
    seconds = tokens / np.array([line["tokens_per_second"] for line in lines])
    return float(tokens[warm:].sum() / seconds[warm:].sum())


class Stopwatch(transformers.TrainerCallback):
    """Notes when the first updates are done and when all are."""

    def __init__(self, warm: int):
        self.warm, self.times = warm, []

    def on_step_end(self, args, state, control, **more: object) -> None:
        """After an update, once the device has done it."""
        if state.global_step in (self.warm, state.max_steps):
            self.times.append(flops.read_clock(torch.device("cuda" if torch.cuda.is_available() else "cpu")))


def speed_of_trainer(name: str, kind: str, shape: Mapping, features: Features, knobs, warm: int) -> float:
    """Real tokens per second of a `Trainer` after its first updates, by the mean length; NaN where memory is short."""
    AcceleratorState._reset_state(reset_partial_state=True)
    quieten()
    padded, watch = name == "scripts", Stopwatch(warm)
    length = knobs.max_seq_length if padded else 0
    with tempfile.TemporaryDirectory() as place:
        arguments = TrainingArguments(
            output_dir=place, max_steps=knobs.num_train_steps, per_device_train_batch_size=knobs.batch_size,
            learning_rate=knobs.learning_rate, report_to="none", disable_tqdm=True, save_strategy="no",
            use_cpu=not torch.cuda.is_available(), **BASELINES[name],
        )  # fmt: skip
        collate = default_data_collator if padded else DataCollatorWithPadding(load_tokenizer(build_if_ours("tiny")))
        trainer = Trainer(
            model=build_network(kind, shape, "sdpa").models["step"],
            args=arguments,
            train_dataset=to_dataset(features, LABELS[KINDS[kind]["head"]], length, shape["pad_token_id"]),
            data_collator=collate,
            callbacks=[watch],
        )
        try:
            trainer.train()
        except torch.cuda.OutOfMemoryError:
            return float("nan")
    tokens = features.lengths.mean() * knobs.batch_size * (knobs.num_train_steps - warm)
    return float(tokens / (watch.times[-1] - watch.times[0]))
