"""Resampling of item clusters: whole clusters of examples, drawn once for all that share them."""

from collections.abc import Callable

import numpy as np

NUM_RESAMPLES = 1000
"""Resamples of a cluster bootstrap; the error of an estimated standard error is then about 2 %."""
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
    example's cluster.  Drawing C of C clusters with replacement gives multinomial counts W (R, C); the
    resampled sums are one matrix product, W @ sums (C, ... * k).  NaN with fewer than two clusters, whose
    spread cannot be known.  Source: the pairs cluster bootstrap of Cameron, Gelbach and Miller 2008.
    """
    sums = sum_clusters(stats, clusters)
    num_clusters = len(sums)
    if num_clusters < 2:
        return np.full((num_resamples, *sums.shape[1:-1]), np.nan)
    weights = draw_counts(num_clusters, num_resamples, rng)
    resampled = weights @ sums.reshape(num_clusters, -1)
    return reduce(resampled.reshape(num_resamples, *sums.shape[1:]))


def sum_clusters(stats: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Per-example statistics (N, ..., k) -> sums per cluster (C, ..., k), clusters in sorted order."""
    stats = np.asarray(stats, dtype=float)
    if len(stats) != len(clusters):
        raise ValueError(f"{len(clusters)} cluster names for {len(stats)} examples")
    names, places = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), *stats.shape[1:]))
    np.add.at(sums, places, stats)
    return sums


def draw_counts(num_clusters: int, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn in each resample, (R, C) floats; every row sums to C."""
    draws = rng.integers(num_clusters, size=(num_resamples, num_clusters))
    cells = draws + num_clusters * np.arange(num_resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=num_resamples * num_clusters)
    return counts.reshape(num_resamples, num_clusters).astype(float)


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
