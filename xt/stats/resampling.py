"""Resampling of item clusters: whole clusters of examples, drawn once for all that share them.

Fast by construction: clusters are summed first, a resample is a row of counts, and resampled sums are one matrix
product. Counts are drawn in blocks of a size that depends on the number of clusters alone, each block from a generator
of its own, so that the result depends on data and `rng` and neither on threads nor on memory.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

NUM_RESAMPLES = 1000
"""Resamples of a cluster bootstrap; the error of an estimated standard error is then about 2 %."""
BLOCK_CELLS, PASS_CELLS = 2**20, 2**15
"""Counts of one block, held in memory together, and of one pass inside it, which fits a processor's cache."""
THREADS, FEW_BLOCKS = 2, 4
"""Threads that draw and multiply blocks, and the number of blocks below which none is started."""
EXACT_IN_FLOAT32 = 2**24
"""Whole numbers up to this are exact in 32 bits."""

Reduce = Callable[[np.ndarray], np.ndarray]


def cluster_bootstrap(
    stats: np.ndarray,
    clusters: np.ndarray,
    reduce: Reduce,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
) -> np.ndarray:
    """Points of `num_resamples` resamples of whole clusters, (R, ...).

    `stats` (N, ..., k) holds per-example statistics; whatever stands in the middle (seeds, arms, languages
    of a parallel task) is resampled jointly, with one weight per cluster.  `clusters` (N,) names each
    example's cluster.  NaN with fewer than two clusters, whose spread cannot be known.  Source: the pairs cluster
    bootstrap of Cameron, Gelbach and Miller 2008.
    """
    return bootstrap_sums(sum_clusters(stats, clusters), reduce, rng, num_resamples)


def bootstrap_sums(sums: np.ndarray, reduce: Reduce, rng: np.random.Generator, num_resamples: int) -> np.ndarray:
    """`cluster_bootstrap` of statistics that are summed per cluster already, (C, ..., k) -> (R, ...)."""
    if len(sums) < 2:
        return np.full((num_resamples, *sums.shape[1:-1]), np.nan)
    resampled = resample_sums(sums.reshape(len(sums), -1), rng, num_resamples)
    return reduce(resampled.reshape(num_resamples, *sums.shape[1:]))


def bootstrap_apart(sums: np.ndarray, reduce: Reduce, rng: np.random.Generator, num_resamples: int) -> np.ndarray:
    """The same of n sets of C clusters each that share no item, (C, n, ..., k) -> (R, n, ...).

    One table of counts serves all sets: set j reads its rows from row j R / n on. In each resample every set has a row
    of its own, and rows are independent, so the sets are, as if each had drawn for itself, at a part of the cost.
    Raises ValueError for more sets than resamples.
    """
    num_sets = sums.shape[1]
    if num_sets > num_resamples:
        raise ValueError(
            f"{num_sets} sets of items in {num_resamples} resamples; allowed: one resample per set or more"
        )
    resampled = bootstrap_sums(sums, reduce, rng, num_resamples)
    shifts = (np.arange(num_resamples)[:, None] + np.arange(num_sets) * num_resamples // num_sets) % num_resamples
    return resampled[shifts, np.arange(num_sets)]


def sum_clusters(stats: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Per-example statistics (N, ..., k) -> sums per cluster (C, ..., k), clusters in sorted order."""
    stats, clusters = np.asarray(stats, dtype=float), np.asarray(clusters, dtype=str)
    if len(stats) != len(clusters):
        raise ValueError(f"{len(clusters)} cluster names for {len(stats)} examples")
    order = np.argsort(clusters, kind="stable")
    _, starts = np.unique(clusters[order], return_index=True)
    return np.add.reduceat(stats[order], starts, axis=0)


def resample_sums(sums: np.ndarray, rng: np.random.Generator, num_resamples: int) -> np.ndarray:
    """Sums (C, F) of clusters -> their sums in each resample, (R, F).

    Drawing C of C clusters with replacement gives multinomial counts W (R, C); the result is W @ sums. Equal columns
    (the number of examples, say) are multiplied once. Whole numbers are multiplied in 32 bits while they stay exact.
    """
    columns, places = drop_repeated(np.asarray(sums, dtype=float))
    largest = len(columns) * np.abs(columns).max(initial=0)
    exact = largest < EXACT_IN_FLOAT32 and (columns == np.rint(columns)).all()
    columns = np.ascontiguousarray(columns, dtype=np.float32 if exact else np.float64)
    resampled = np.empty((num_resamples, columns.shape[1]))

    def fill(first: int, seed: int, num_rows: int) -> None:
        resampled[first : first + num_rows] = draw_block(seed, len(columns), num_rows, columns.dtype) @ columns

    jobs = plan_blocks(len(columns), num_resamples, rng)
    if len(jobs) < FEW_BLOCKS:
        for job in jobs:
            fill(*job)
    else:
        fill_in_threads(fill, jobs)
    return resampled[:, places]


def fill_in_threads(fill: Callable, jobs: list[tuple]) -> None:
    """Calls `fill` on the arguments of each job, in `THREADS` threads.

    A product gets one thread meanwhile: the linear algebra library's own threads wait in a loop, in the way of ours.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        deque(pool.map(fill, *zip(*jobs, strict=True)), maxlen=0)


def drop_repeated(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the different columns of sums (C, F), where among them each column stands, (F,))."""
    rows = np.ascontiguousarray(sums.T)
    contents = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, places = np.unique(contents, return_index=True, return_inverse=True)
    return sums[:, first], places


def draw_counts(num_clusters: int, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn in each resample, (R, C) floats; every row sums to C."""
    jobs = plan_blocks(num_clusters, num_resamples, rng)
    return np.concatenate([draw_block(seed, num_clusters, rows, np.dtype(float)) for _, seed, rows in jobs])


def plan_blocks(num_clusters: int, num_resamples: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """(first resample, seed, number of resamples) of each block."""
    rows = max(1, BLOCK_CELLS // num_clusters)
    starts = range(0, num_resamples, rows)
    seeds = rng.integers(2**63, size=len(starts))
    return [(start, int(seed), min(rows, num_resamples - start)) for start, seed in zip(starts, seeds, strict=True)]


def draw_block(seed: int, num_clusters: int, num_rows: int, dtype: np.dtype) -> np.ndarray:
    """Counts (num_rows, C) from a seed.

    A cluster is the upper half of C times 32 random bits (Lemire 2019, without its rejection): a cluster's chance
    differs from 1 / C by less than 1 / 2^32.
    """
    bits, step = np.random.SFC64(seed), max(1, PASS_CELLS // num_clusters)
    counts = np.empty((num_rows, num_clusters), dtype)
    for start in range(0, num_rows, step):
        part = counts[start : start + step]
        raw = bits.random_raw((part.size + 1) // 2).view(np.uint32)[: part.size]
        drawn = np.multiply(raw, num_clusters, dtype=np.uint64)
        drawn >>= np.uint64(32)
        cells = drawn.view(np.int64).reshape(part.shape)
        cells += num_clusters * np.arange(len(part))[:, None]
        part[:] = np.bincount(cells.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def cluster_interval(
    stats: np.ndarray,
    clusters: np.ndarray,
    reduce: Reduce,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    level: float = 0.95,
) -> tuple:
    """(low, high), arrays (...): percentiles of `cluster_bootstrap`, conditional on the checkpoint."""
    return percentile_interval(cluster_bootstrap(stats, clusters, reduce, rng, num_resamples), level)


def percentile_interval(resampled: np.ndarray, level: float = 0.95) -> tuple:
    """(low, high), arrays (...): percentiles of resampled points (R, ...)."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
