"""What 10,000 resamples of items take, of scores in many languages, and the memory they need.

Items parallel over languages; languages with as many items each that share none; and languages of different sizes,
which cannot share a table of counts.
"""

import resource
import time
from collections.abc import Callable

import numpy as np

from tests.benchmarks import frame

TAKES = "10,000 resamples over 5 seeds x 9 tasks x 40 languages x 5,000 examples, in three ways; two minutes"
FULL = dict(seeds=5, languages=40, examples=5000, resamples=10_000)
TINY = dict(seeds=2, languages=3, examples=50, resamples=100)
TASKS = ("accuracy",) * 4 + ("token_accuracy", "span_f1") + ("f1",) * 3
"""The primary metrics of XTREME's nine tasks, in kind."""


def measure(tiny: bool = False):
    """Seconds of each way, and the largest memory that this process has held."""
    from xt.stats import bootstrap_apart, bootstrap_sums

    size = TINY if tiny else FULL
    ways = {
        "items parallel over languages": (bootstrap_sums, "this < 10"),
        "as many items in each language, none shared": (bootstrap_apart, "this < 60"),
        "another number of items in each language": (resample_each, "this < 60"),
    }
    told = "{resamples} resamples, {seeds} seeds x 9 tasks x {languages} languages x {examples} examples".format(**size)
    rows = []
    for name, (way, target) in ways.items():
        seconds, processor = time_tasks(way, size)
        what = f"resampling, {name}"
        rows.append(frame.row(what, seconds, "seconds", target, note=told, processor_seconds=processor))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = "of the whole process, libraries and data included"
    return frame.table([*rows, frame.row("resampling, peak memory", peak, "MiB", "this < 2048", note=note)])


def time_tasks(way: Callable, size: dict) -> tuple[float, float]:
    """(seconds, processor seconds) of all tasks, one after the other; making the data is not counted."""
    from xt.metrics import METRICS

    rng, wall, processor = np.random.default_rng(0), 0.0, 0.0
    for metric in TASKS:
        sums = make_sums(metric, size, rng)
        started = time.perf_counter(), time.process_time()
        way(sums, METRICS[metric].reduce, rng, size["resamples"])
        wall, processor = wall + time.perf_counter() - started[0], processor + time.process_time() - started[1]
    return wall, processor


def make_sums(metric: str, size: dict, rng: np.random.Generator) -> np.ndarray:
    """(examples, languages, seeds, k) statistics: whole numbers, fractions for F1."""
    from xt.metrics import METRICS

    shape, width = (size["examples"], size["languages"], size["seeds"]), len(METRICS[metric].columns)
    first = rng.random(shape) if metric == "f1" else np.rint(rng.random(shape) * (1 if metric == "accuracy" else 9))
    rest = np.broadcast_to(np.rint(1 + 9 * rng.random((*shape[:2], 1))), shape)
    return np.stack([first, *[rest if metric in ("token_accuracy", "span_f1") else np.ones(shape)] * (width - 1)], -1)


def resample_each(sums: np.ndarray, reduce: Callable, rng: np.random.Generator, num_resamples: int) -> None:
    """Each language by itself."""
    from xt.stats import bootstrap_sums

    for language in range(sums.shape[1]):
        bootstrap_sums(sums[:, language], reduce, rng, num_resamples)
