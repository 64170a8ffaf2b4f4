"""One training, top to bottom: updates, clipping, schedule, selection, resume, and how it ended."""

import copy
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from xt import processes
from xt.batching import Window, features_read, mixed_updates, share_batches
from xt.checkpoint import Progress, clone_weights, load_progress, restore_weights, save_progress
from xt.disk import write_bytes
from xt.encode.features import Features
from xt.incidents import ask_memory, halve
from xt.large_encoders import layers_of
from xt.model import Network, collate, collate_labels, count_labels

CHECKPOINT_SECONDS = 60.0
"""Wall-clock seconds between two checkpoints; where they fall changes nothing in the result."""
QUICK_SECONDS = 3.0
"""That a checkpoint may take; where one takes n times as long, n times as long passes until the next."""


@dataclass(frozen=True)
class Look:
    """One look at the selection data."""

    score: float  # points of the training task's primary metric
    collapsed: bool  # every prediction is the same while the gold labels are not
    finite: bool = True  # whether all numbers that the network gave are


def as_they_are(features: Features, chosen: np.ndarray, rng: np.random.Generator) -> Features:
    """What an update reads where nothing is drawn: the chosen features."""
    return features.select(chosen)


@dataclass(frozen=True)
class Part:
    """What a training reads of one task."""

    name: str  # which of the network's heads it trains
    features: Features
    num_updates: int
    look: Callable[[Network], Look] | None  # None = no part of the selection, as text beside a task
    draw: Callable[[Features, np.ndarray, np.random.Generator], Features] = as_they_are


@dataclass(frozen=True)
class Training:
    """All that is read before the first update."""

    network: Network
    parts: tuple[Part, ...]
    tokenizer: object
    record: dict  # what `outcome.json` keeps of it


def train(
    network: Network,
    parts: Sequence[Part],
    knobs,
    seed: int,
    accelerator,
    folder: Path,
    pad_token_id: int,
    report: Callable[[dict], None],
) -> Progress:
    """Trains a network in place to its best look at the selection data; resumes from `folder` where it was cut off.

    Each update reads one of the parts, or some of several (knob `mixing`); a look is the mean over the parts. Several
    processes share an update's micro-batches; what the first one sees and decides holds for all. Writes
    `folder/train.jsonl` (one line per update) and `folder/checkpoint/`; `report` gets each line as a dict. A loss or
    gradient that is not finite ends the training before that update, a look at such numbers after it: outcome
    `diverged`. A best network that predicts one class only, in every part: outcome `collapsed`. Neither raises.
    """
    lengths, counts = [part.features.lengths for part in parts], [part.num_updates for part in parts]
    total, given = sum(counts), network
    network, bare, optimizer = spread(given, knobs, accelerator)
    with accelerator.main_process_first():
        progress, best = load_progress(folder / "checkpoint", bare, optimizer.optimizer)
    log, saved_at, taken = TrainLog(folder / "train.jsonl", progress.step), time.monotonic(), 0.0
    check_sampler(progress, counts, knobs, seed)
    for window in mixed_updates(lengths, counts, knobs.batch_size, seed, progress.step, knobs.mixing):
        if progress.finished:
            break
        started = time.monotonic()
        network.train()
        set_learning_rate(optimizer, knobs, progress.step, total)
        drawn = draw_window(parts, window, np.random.default_rng([seed, 4, progress.step]))
        loss = accumulate_in_memory(network, drawn, knobs, seed, progress, accelerator, pad_token_id)
        norm = float(accelerator.clip_grad_norm_(network.parameters(), knobs.max_grad_norm))
        if not math.isfinite(loss) or not math.isfinite(norm):
            progress.outcome, progress.finished = "diverged", True
            break
        optimizer.step()
        optimizer.zero_grad()
        progress.step += 1
        line = {"step": progress.step, "num_steps": total, "task": "+".join(drawn), "loss": loss}
        line |= {"grad_norm": norm, "learning_rate": learning_rate(knobs, progress.step - 1, total)}
        line |= {"tokens_per_batch": progress.tokens_per_batch} if progress.tokens_per_batch else {}
        line["tokens_per_second"] = count_tokens(drawn) / (time.monotonic() - started)
        if progress.step % knobs.selection_steps == 0 or progress.step == total:
            seen = look_at_all(bare, parts, accelerator.device)
            line |= {"selection_score": seen.score} if seen.finite else {}
            best = keep_best(progress, seen, bare, best)
            progress.finished |= progress.looks_since_best >= knobs.patience or progress.step == total
        log.write(line)
        report(line)
        began, pause = time.monotonic(), CHECKPOINT_SECONDS * max(1.0, taken / QUICK_SECONDS)
        if processes.agree(began - saved_at > pause, device=accelerator.device)[0] and not progress.finished:
            log.sync()
            progress.read = features_read(counts, knobs.batch_size, seed, knobs.mixing, progress.step)
            save_progress(folder / "checkpoint", bare, optimizer.optimizer, progress, best)
            saved_at, taken = time.monotonic(), time.monotonic() - began
    log.close()
    bring_home(given, bare, best)
    return progress


def spread(network: Network, knobs, accelerator) -> tuple:
    """(the network as updates call it, the network itself, its optimizer), the same in all processes of a training.

    Where each keeps a part of the weights, the network itself is a copy; the one that is given stays on the host.
    """
    if processes.is_sharded():
        network = copy.deepcopy(network)
        processes.shard(network, layers_of(network), knobs.precision)
        optimizer = accelerator.prepare(build_optimizer(network, knobs))
        return accelerator.prepare_model(network, evaluation_mode=True), network, optimizer
    called, optimizer = accelerator.prepare(network, build_optimizer(network, knobs))
    return called, accelerator.unwrap_model(called, keep_torch_compile=False), optimizer


def bring_home(given: Network, trained: Network, best: Mapping | None) -> None:
    """Writes the best weights into the network that was given; where it was parted, those of the first process."""
    if best is not None:
        restore_weights(trained, best)
    if trained is not given and (weights := processes.gather(clone_weights(trained))):
        restore_weights(given, weights)


def draw_window(parts: Sequence[Part], window: Window, rng: np.random.Generator) -> dict[str, list[Features]]:
    """Head -> what an update reads for it, of each part that trains it."""
    drawn = {parts[place].name: [] for place, _ in window}
    for place, chosen in window:
        drawn[parts[place].name].append(parts[place].draw(parts[place].features, chosen, rng))
    return drawn


def count_tokens(drawn: Mapping[str, Sequence[Features]]) -> int:
    """Real tokens that an update reads."""
    return sum(int(features.input_ids.lengths.sum()) for read in drawn.values() for features in read)


def check_sampler(progress: Progress, counts: Sequence[int], knobs, seed: int) -> None:
    """ValueError where a checkpoint has read other features than the sampler gives until its step."""
    expected = features_read(counts, knobs.batch_size, seed, knobs.mixing, progress.step)
    if progress.step and progress.read != expected:
        raise ValueError(
            f"the checkpoint of update {progress.step} has read {progress.read} features of its parts, the sampler "
            f"gives {expected}; move the run's folder away to train anew"
        )


def accumulate_in_memory(
    network: Network, drawn: Mapping, knobs, seed: int, progress: Progress, accelerator, pad_token_id: int
) -> float:
    """`accumulate` with the random state of this update, over again with half the tokens per forward pass while memory
    does not hold them; `progress` keeps what was held.

    The same features stand in the update; its gradients are equal but for rounding, and for what dropout draws. Raises
    MemoryError where an update cannot be cut further.
    """
    heads = accelerator.unwrap_model(network, keep_torch_compile=False).heads
    while True:
        torch.manual_seed(step_seed(seed, progress.step, processes.part()[0]))
        tokens = progress.tokens_per_batch or knobs.tokens_per_batch
        cut = replace(knobs, tokens_per_batch=tokens)
        loss, refusal = ask_memory(accumulate, network, drawn, cut, accelerator, pad_token_id)
        if not refusal:
            return loss
        network.zero_grad()
        progress.tokens_per_batch = halve(tokens, whole_tokens(heads, drawn), refusal)


def whole_tokens(heads: Mapping, drawn: Mapping[str, Sequence[Features]]) -> int:
    """Padded tokens of the largest part of an update that cannot be cut: a feature, or all of a head's."""
    return max(
        int(features.lengths.max()) * features.rows_per_feature * (len(features) if heads[name].whole_updates else 1)
        for name, read in drawn.items()
        for features in read
    )


def accumulate(network: Network, drawn: Mapping[str, Sequence[Features]], knobs, accelerator, pad_token_id) -> float:
    """Gradients of one update on all that was drawn for it, by all processes; its loss.

    A task's loss is summed over micro-batches per labelled position; tasks count by their share of the features.
    """
    total = torch.zeros((), device=accelerator.device)
    size = sum(len(features) for read in drawn.values() for features in read)
    left = sum(len(read) for read in drawn.values())
    for name, read in drawn.items():
        for features in read:
            left -= 1
            share = (len(features) / size, left == 0)
            total += accumulate_part(network, name, features, *share, knobs, accelerator, pad_token_id)
    return float(processes.add_up(total)) / processes.part()[1]


def accumulate_part(
    network: Network, name: str, features: Features, share: float, is_last: bool, knobs, accelerator, pad_token_id
) -> torch.Tensor:
    """Gradients of one task's part of an update, of which this process reads its part of the features.

    Returns what it adds to the loss, times the number of processes, on the device: gradients are averaged over them as
    the last part of an update is read. Where features cannot be parted, each process reads all of them.
    """
    head = accelerator.unwrap_model(network, keep_torch_compile=False).heads[name]
    order, (which, processors) = np.arange(len(features)), processes.part()
    rows = (features.lengths, knobs.tokens_per_batch, features.rows_per_feature)
    parts = [order] if head.whole_updates else share_batches(order, *rows, which, processors)
    count, share = count_labels(features), share if head.whole_updates else share * processors
    total = torch.zeros((), device=accelerator.device)
    for place, part in enumerate(parts, start=1):
        weight, part = (share, part) if len(part) else (0.0, order[-1:])  # all processes call the network equally often
        gold = collate_labels(features, part).to(accelerator.device)
        with nullcontext() if is_last and place == len(parts) else accelerator.no_sync(network):
            scores = network(name, collate(features, part, pad_token_id, accelerator.device), gold)
            loss = head.loss(scores, gold) / max(1, count) * weight
            accelerator.backward(loss)
        total += loss.detach()
    return total


def look_at_all(network: Network, parts: Sequence[Part], device) -> Look:
    """The mean score over the parts that are looked at; collapsed and finite where every one of them is."""
    looks = [part.look(network) for part in parts if part.look]
    score = float(np.mean([look.score for look in looks]))
    found = (score, all(look.collapsed for look in looks), all(look.finite for look in looks))
    score, collapsed, finite = processes.agree(*found, device=device)
    return Look(score, bool(collapsed), bool(finite))


def keep_best(progress: Progress, seen: Look, model, best):
    """Notes a look in `progress`; the weights to keep: the model's own where it is the best so far, else `best`.

    A look at numbers that are not finite is no score, and the last one.
    """
    if not seen.finite:
        progress.outcome, progress.finished = "diverged", True
        return best
    if best is not None and not seen.score > progress.best_score:
        progress.looks_since_best += 1
        return best
    progress.best_score, progress.best_step, progress.looks_since_best = seen.score, progress.step, 0
    progress.outcome = "collapsed" if seen.collapsed else "ok"
    return clone_weights(model)


def build_optimizer(model, knobs) -> torch.optim.AdamW:
    """Fused AdamW; no weight decay on biases, norms and embeddings (a row that no gradient reaches never moves)."""
    embeddings = {id(p) for m in model.modules() if isinstance(m, torch.nn.Embedding) for p in m.parameters()}
    parameters = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in parameters if p.ndim > 1 and id(p) not in embeddings]
    chosen = {id(p) for p in decayed}
    groups = [
        {"params": decayed, "weight_decay": knobs.weight_decay},
        {"params": [p for p in parameters if id(p) not in chosen], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=knobs.learning_rate, eps=knobs.adam_epsilon, fused=True)


def learning_rate(knobs, step: int, total: int) -> float:
    """Linear warm-up over `warmup_steps` or `warmup_ratio` of all updates, then linear decay to zero; `step` from 0."""
    warmup = knobs.warmup_steps or math.ceil(total * knobs.warmup_ratio)
    if step < warmup:
        return knobs.learning_rate * (step + 1) / warmup
    return knobs.learning_rate * (total - step) / max(1, total - warmup)


def set_learning_rate(optimizer, knobs, step: int, total: int) -> None:
    """Writes the schedule's rate into every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(knobs, step, total)


def step_seed(seed: int, step: int, process: int = 0) -> int:
    """The random state of one update, from (seed, step) and which process it is alone."""
    return (seed * 1_000_003 + step + (process << 52)) % 2**63


class TrainLog:
    """`train.jsonl`, written by the first process: one line per update.

    What a killed run wrote beyond its checkpoint is cut off on resume.
    """

    def __init__(self, path: Path, step: int):
        if not processes.is_first():
            self.handle = tempfile.TemporaryFile("w")
            return
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        write_bytes(path, b"".join(lines[:step]))  # one line per update
        self.handle = path.open("a", encoding="utf8")

    def write(self, line: dict) -> None:
        """Adds one update."""
        self.handle.write(json.dumps(line) + "\n")
        self.handle.flush()

    def sync(self) -> None:
        """Forces what was written to the disk."""
        os.fsync(self.handle.fileno())

    def close(self) -> None:
        """Forces what was written to the disk and closes the file."""
        self.sync()
        self.handle.close()
