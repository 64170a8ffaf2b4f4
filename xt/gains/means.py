"""Scores of arms averaged over languages and targets, with their resamples: what the tests compare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xt.errors import DataError
from xt.gains.cubes import ScoreCube
from xt.stats import GainTest, gain_test, relative_gains, split_item_variance


@dataclass(frozen=True, slots=True)
class Means:
    """Mean scores of S seeds and K arms, the baseline first."""

    arms: tuple[str, ...]
    """The K arms."""
    seeds: tuple[int, ...]
    """The S seeds."""
    points: np.ndarray
    """(S, K) points."""
    resampled: np.ndarray | None
    """(R, S, K) the same under resampling of item clusters; None where items are not known."""
    num_clusters: float
    """Clusters of the language that has fewest; infinite where items are not known."""


def average_languages(cube: ScoreCube, languages: np.ndarray) -> Means:
    """The unweighted means of a cube over these languages, a mask (L,)."""
    points = cube.points[..., languages].mean(axis=-1)
    if cube.resampled is None:
        return Means(cube.arms, cube.seeds, points, None, np.inf)
    fewest = np.inf if cube.num_clusters is None else float(cube.num_clusters[languages].min())
    return Means(cube.arms, cube.seeds, points, cube.resampled[..., languages].mean(axis=-1), fewest)


def average_targets(
    cubes: Sequence[ScoreCube], languages: Sequence[np.ndarray], seeds: Sequence[int] | None = None
) -> Means:
    """The unweighted mean over targets of the means over each one's languages (masks (L,)).

    Seeds are joint: one intermediate training feeds all targets of a seed, so what it did to all of them stays in the
    mean. Items are drawn for each target by itself, targets that share items (`lareqa` is made of those of `xquad`)
    included. Arms are those that all of these cubes have, seeds too, unless they are named. Raises DataError where no
    seed is in all of them.
    """
    parts = [average_languages(cube, chosen) for cube, chosen in zip(cubes, languages, strict=True)]
    arms = tuple(arm for arm in parts[0].arms if all(arm in part.arms for part in parts))
    seeds = tuple(seeds or (seed for seed in parts[0].seeds if all(seed in part.seeds for part in parts)))
    if not seeds:
        raise DataError(f"no seed is in all of {', '.join(cube.target for cube in cubes)}: run the same seeds of each")
    places = [
        np.ix_([part.seeds.index(seed) for seed in seeds], [part.arms.index(arm) for arm in arms]) for part in parts
    ]
    points = np.mean([part.points[place] for part, place in zip(parts, places, strict=True)], axis=0)
    if any(part.resampled is None for part in parts):
        return Means(arms, seeds, points, None, np.inf)
    drawn = np.mean([part.resampled[:, *place] for part, place in zip(parts, places, strict=True)], axis=0)
    return Means(arms, seeds, points, drawn, min(part.num_clusters for part in parts))


def compare_means(means: Means) -> GainTest:
    """The primary test of each arm against the first."""
    if means.resampled is None:
        return gain_test(means.points, None)
    gains = means.resampled[..., 1:] - means.resampled[..., :1]
    total, at_one_seed = split_item_variance(gains, means.num_clusters)
    return gain_test(means.points, total, seed_item_variance=at_one_seed, item_df=means.num_clusters - 1)


def compare_relatively(means: Means, share: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ratio, low, high), each (K - 1,): gains over the first arm as a share of `xt.stats.relative_gains`."""
    return relative_gains(means.points, means.resampled, share, means.num_clusters)
