"""How long resampling takes, printed by `.venv/bin/python tests/benchmarks/resampling.py`; pytest does not collect it.

10,000 resamples over 5 seeds x 9 tasks x 40 languages x 5,000 examples: items parallel over languages; languages with
as many items each that share none; and languages of different sizes, which cannot share a table of counts (one task of
nine is run, and its time is multiplied).
"""

import os
import resource
import time

import numpy as np

from xt.metrics import METRICS
from xt.stats import bootstrap_apart, bootstrap_sums

SEEDS, LANGUAGES, EXAMPLES, RESAMPLES = 5, 40, 5000, 10_000
TASKS = ("accuracy",) * 4 + ("token_accuracy", "span_f1") + ("f1",) * 3
"""The primary metrics of XTREME's nine tasks, in kind."""


def make_sums(metric: str, rng: np.random.Generator) -> np.ndarray:
    """(examples, languages, seeds, k) statistics: whole numbers, fractions for F1."""
    size, width = (EXAMPLES, LANGUAGES, SEEDS), len(METRICS[metric].columns)
    first = rng.random(size) if metric == "f1" else np.rint(rng.random(size) * (1 if metric == "accuracy" else 9))
    rest = np.broadcast_to(np.rint(1 + 9 * rng.random((EXAMPLES, LANGUAGES, 1))), size)
    return np.stack([first, *[rest if metric in ("token_accuracy", "span_f1") else np.ones(size)] * (width - 1)], -1)


def measure(name: str, task: object, tasks: tuple[str, ...], times: int = 1) -> None:
    """Runs `task` on each metric and prints what it took."""
    rng, wall, processor = np.random.default_rng(0), 0.0, 0.0
    for metric in tasks:
        sums = make_sums(metric, rng)
        started = time.perf_counter(), time.process_time()
        task(sums, METRICS[metric].reduce, rng)
        wall, processor = wall + time.perf_counter() - started[0], processor + time.process_time() - started[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {wall * times:.1f} s ({processor * times:.1f} s of processors), peak {peak:.0f} MiB", flush=True)


def resample_each(sums: np.ndarray, reduce: object, rng: np.random.Generator) -> None:
    """Each language by itself, as where they differ in size."""
    for language in range(LANGUAGES):
        bootstrap_sums(sums[:, language], reduce, rng, RESAMPLES)


if __name__ == "__main__":
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    measure("parallel over languages", lambda *given: bootstrap_sums(*given, RESAMPLES), TASKS)
    measure("not parallel, equal sizes", lambda *given: bootstrap_apart(*given, RESAMPLES), TASKS)
    measure("not parallel, different sizes (F1)", resample_each, ("f1",), times=9)
    print(f"load after: {os.getloadavg()[0]:.1f}")
