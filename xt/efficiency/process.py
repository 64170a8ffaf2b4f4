"""What one fresh process measures: memory by high-water mark, latency by batch size and language, the tokenizer's time.

Started by `xt.efficiency.rounds` as `python -m xt.efficiency.process SETTINGS.json RESULT.json`.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import unwrap
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.benchmark import timer
from torch.utils.flop_counter import FlopCounterMode
from transformers.utils import cached_file

from xt.efficiency.backends import BACKENDS, Run
from xt.encode import FORMATS, Features
from xt.encode.ranking import encode_queries
from xt.encode.retrieval import encode_sentences
from xt.measurement import EfficiencyConfig, Measure, efficiency_config
from xt.memory import collector_paused
from xt.model import HEADS, build_model, check_length, collate, load_encoder, load_tokenizer
from xt.store import write_text
from xt.tasks import Task, get_task
from xt.transfer import read_all, start_of

MIB = 2**20
SUSTAINED_SECONDS = 1.0
OPERATIONS_COUNTED = 16
"""Features per language on which operations are counted."""
EXAMPLES_TIMED = 50
"""Examples per language on which the tokenizer is timed in one process, about; other processes take others."""
GOLDEN = (5**0.5 - 1) / 2
POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the counters of energy."""

READ = {
    "retrieval": lambda examples, *how: encode_sentences([example.source for example in examples], *how),
    "mining": lambda examples, *how: encode_sentences([example.text for example in examples], *how),
    "ranking": lambda examples, *how: encode_queries([example.text for example in examples], *how),
}
"""How formats are read in inference where not as in training: sentences and queries alone."""


def measure_process(config: EfficiencyConfig, arm: str, backend: str, number: int) -> dict[str, list[dict]]:
    """The rows of `xt.costs.COST_SCHEMA` of one process, the `number`-th.

    Memory comes first, batch sizes ascending, so that the high-water mark of a size is not that of a larger one.
    """
    knobs, measure, task, row = config.knobs, config.measure, get_task(config.target), BACKENDS[backend]
    torch.set_num_threads(knobs.num_threads)
    device, before, started = this_device(), resident(), time.monotonic()
    source, revision = start_of(config.prepared(arm), config.encoder, config.scoring.encoder_revision)
    model, tokenizer = open_model(task, source, revision, knobs, config.seed), load_tokenizer(source, revision)
    check_length(model.config, knobs.max_seq_length, config.encoder)
    about = {"num_parameters": sum(p.numel() for p in model.parameters()), "base_memory_mib": before}
    about |= {"load_seconds": time.monotonic() - started, "disk_mib": disk_of(source, revision)}
    texts, batches = [], {}
    for code, data in read_all(config.scoring).items():
        features, seconds = encode_timed(task, data.examples, tokenizer, knobs, number)
        batches[code] = Batches(features, tokenizer.pad_token_id, device)
        sizes = {"num_tokens": features.input_ids.lengths.sum(), "features_per_example": len(features)}
        sizes = {name: float(size / len(data.examples)) for name, size in sizes.items()}
        texts.append({"eval_language": code, "tokenize_ms": 1000 * seconds} | sizes)
    depths = measure.num_layers or (model.config.num_hidden_layers,)
    with torch.inference_mode():
        started, first = time.monotonic(), next(iter(batches.values()))
        run = row.build(model.to(device).eval(), first.take(2, 0))
        run(first.take(1, 0))
        about["ready_seconds"] = time.monotonic() - started
        model = model if row.as_loaded else None  # what another backend made of it stands in its place
        gc.collect()
        memory = [grow(run, batches, count, measure.num_warmups) for count in measure.batch_sizes]
        work = count_operations(model, batches, depths) if model and not number else []  # alike in every round
        latencies = time_cells(run, model, batches, depths, measure, config.seed, number)
        pace = [sustain(run, batches, count) for count in measure.batch_sizes]
    processes = [about | grown | kept for grown, kept in zip(memory, pace, strict=True)]
    return {"processes": processes, "texts": texts, "work": work, "latencies": latencies}


def this_device() -> torch.device:
    """The GPU that this process sees, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def resident(entry: str = "VmRSS") -> float:
    """MiB of this process in memory: now, or `VmHWM`, at most so far (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{entry}:")) / 1024


def open_model(task: Task, source: str, revision: str | None, knobs, seed: int) -> torch.nn.Module:
    """An encoder under the head of a task, drawn from `seed`; without one where nothing is trained."""
    if not task.training_task:
        return load_encoder(source, knobs, revision)
    return build_model(source, HEADS[task.format], len(task.labels), knobs, seed, revision)


def disk_of(source: str, revision: str | None) -> float:
    """MiB of the files of a checkpoint, its tokenizer included, in a folder or as fetched from the hub."""
    place = Path(cached_file(source, "config.json", revision=revision)).parent
    return sum(path.stat().st_size for path in place.iterdir() if path.is_file()) / MIB


def encode_timed(task: Task, examples, tokenizer, knobs, number: int) -> tuple[Features, float]:
    """(features of the examples, seconds per example that the tokenizer takes), one example at a time as the encoder
    gets them, after a reading that is not timed; none of them taken from the cache."""
    encode = READ[task.format] if task.format in READ else unwrap(FORMATS[task.format].encode)
    features, step = encode(examples, tokenizer, knobs), max(1, len(examples) // EXAMPLES_TIMED)
    chosen = examples[number % step :: step]
    started = time.perf_counter()
    for example in chosen:
        encode([example], tokenizer, knobs)
    return features, (time.perf_counter() - started) / len(chosen)


class Batches:
    """Batches of any size from one language's features, the first again behind the last.

    Any number of them from the first on are spread evenly over the texts: golden sections of their row.
    """

    def __init__(self, features: Features, pad_token_id: int, device):
        self.features, self.pad_token_id, self.device = features, pad_token_id, device
        self.order = np.argsort(np.arange(len(features)) * GOLDEN % 1)

    def places(self, count: int, number: int) -> np.ndarray:
        """(count,) the features of batch `number`."""
        return self.order[np.arange(number * count, (number + 1) * count) % len(self.order)]

    def take(self, count: int, number: int) -> dict[str, torch.Tensor]:
        """The inputs of batch `number`, on the device."""
        return collate(self.features, self.places(count, number), self.pad_token_id, self.device)


def grow(run: Run, batches: Mapping[str, Batches], count: int, times: int) -> dict[str, float]:
    """Memory after some batches of a size in every language, MiB: of the process now, its highest, the device's."""
    for each, number in product(batches.values(), range(times)):
        run(each.take(count, number))
    device = torch.cuda.max_memory_allocated() / MIB if torch.cuda.is_available() else None
    high = {"memory_mib": resident(), "peak_memory_mib": resident("VmHWM"), "device_memory_mib": device}
    return {"batch_size": count} | high


@contextmanager
def keep_layers(model: torch.nn.Module | None, count: int) -> Iterator[None]:
    """While it lasts, only the first `count` layers of the encoder are run; without a model, nothing is changed.

    Raises ValueError where the encoder has fewer.
    """
    stack = getattr(getattr(model, "base_model", None), "encoder", None)
    layers = getattr(stack, "layer", None)
    if model is None or count == model.config.num_hidden_layers:
        yield
        return
    if layers is None or not 1 <= count < len(layers):
        raise ValueError(f"num_layers = {count}; allowed: 1 to {model.config.num_hidden_layers}, of an encoder.layer")
    stack.layer = layers[:count]
    try:
        yield
    finally:
        stack.layer = layers


def count_operations(model: torch.nn.Module, batches: Mapping[str, Batches], depths: Sequence[int]) -> list[dict]:
    """Floating-point operations per feature, by language and number of layers: the mean over one unpadded batch each.

    Counted by torch's own counter, attention written out: products of matrices only, a multiplication and an addition
    being two operations.
    """
    rows = []
    for (code, each), depth in product(batches.items(), depths):
        count = min(OPERATIONS_COUNTED, len(each.features))
        with keep_layers(model, depth), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            for number in range(count):
                model(**each.take(1, number))
        rows.append({"eval_language": code, "num_layers": depth, "flops": counter.get_total_flops() / count})
    return rows


def time_cells(run: Run, model, batches, depths, measure: Measure, seed: int, process: int) -> list[dict]:
    """Milliseconds of single batches, all languages, batch sizes and numbers of layers in one random order.

    Each is run once, behind whatever came before it, by a clock that waits for the device; the processes of a round
    time the same batches, those of the next round other ones.
    """
    numbers = range(process * measure.num_repeats, (process + 1) * measure.num_repeats)
    cells, rows = list(product(batches, measure.batch_sizes, depths, numbers)), []
    for place in np.random.default_rng([seed, process]).permutation(len(cells)):
        code, count, depth, number = cells[place]
        inputs = batches[code].take(count, number)
        with keep_layers(model, depth), collector_paused():
            started = timer()
            run(inputs)
            seconds = timer() - started
        of = {"eval_language": code, "batch_size": count, "num_layers": depth, "number": number}
        rows.append(of | {"milliseconds": 1000 * seconds, "padded_tokens": inputs["input_ids"].numel()})
    return rows


def sustain(run: Run, batches: Mapping[str, Batches], count: int) -> dict[str, float | None]:
    """Features per second, and joules per feature where the machine counts them, over batches without a pause."""
    ready = [each.take(count, 0) for each in batches.values()]
    done, energy, started = 0, read_energy(), time.perf_counter()
    while time.perf_counter() - started < SUSTAINED_SECONDS:
        for inputs in ready:
            run(inputs)
        done += count * len(ready)
    wait_for_device()
    seconds, joules = time.perf_counter() - started, joules_since(energy)
    return {"features_per_second": done / seconds, "joules": None if joules is None else joules / done}


def wait_for_device() -> None:
    """Returns when the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def read_energy() -> dict[Path, int]:
    """Microjoules that each of the processor's packages has counted; empty where none may be read."""
    counters = (path.with_name("energy_uj") for path in POWERCAP.glob("*/name") if path.read_text()[:7] == "package")
    return {path: int(path.read_text()) for path in counters if os.access(path, os.R_OK)}


def joules_since(energy: dict[Path, int]) -> float | None:
    """Joules since `read_energy`, of counters that start again at their largest value; None where there are none."""
    spent = [
        (now - energy[path]) % (int(path.with_name("max_energy_range_uj").read_text()) + 1)
        for path, now in read_energy().items()
    ]
    return sum(spent) / 1e6 if spent else None


def main(settings: Path, result: Path) -> None:
    """Measures what `settings` asks for; `result` gets the tables as JSON."""
    asked = json.loads(settings.read_text())
    config = efficiency_config(**asked["parameters"])
    write_text(result, json.dumps(measure_process(config, asked["arm"], asked["backend"], asked["number"])))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
