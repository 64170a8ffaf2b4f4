"""Scores of arms averaged over languages and targets, with their resamples: what the tests compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xt.errors import DataError
from xt.gains.cubes import BASELINE, ScoreCube
from xt.stats import GainTest, gain_test, item_part
from xt.tasks import TASKS


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
    untrained: bool = False
    """Whether the baseline of one of the targets is not trained (retrieval), and so is the same at every seed."""


def keep_arms(scores: ScoreCube | Means, kept: np.ndarray) -> ScoreCube | Means:
    """A cube, or means, of some of the arms, a mask (K,)."""
    arms = tuple(arm for arm, there in zip(scores.arms, kept, strict=True) if there)
    drawn = None if scores.resampled is None else scores.resampled[:, :, kept]
    more = dict(zero_shot=scores.zero_shot[kept]) if isinstance(scores, ScoreCube) else {}
    return replace(scores, arms=arms, points=scores.points[:, kept], resampled=drawn, **more)


def average_languages(cube: ScoreCube, languages: np.ndarray) -> Means:
    """The unweighted means of a cube over these languages, a mask (L,)."""
    return combine_languages(cube, languages / languages.sum())


def combine_languages(cube: ScoreCube, weights: np.ndarray) -> Means:
    """Sums of a cube's scores over languages with these weights (L,), as means that the primary test takes."""
    drawn, used = None if cube.resampled is None else cube.resampled @ weights, weights != 0
    fewest = np.inf if drawn is None or cube.num_clusters is None else float(cube.num_clusters[used].min())
    untrained = TASKS[cube.target].training_task is None
    return Means(cube.arms, cube.seeds, cube.points @ weights, drawn, fewest, untrained)


def average_targets(
    cubes: Sequence[ScoreCube], languages: Sequence[np.ndarray], seeds: Sequence[int] | None = None
) -> Means:
    """The unweighted mean over targets of the means over each one's languages: masks (L,), or weights (L,) for sums.

    Seeds are joint: one intermediate training feeds all targets of a seed, so what it did to all of them stays in the
    mean. Items are drawn for each target by itself, targets that share items (`lareqa` is made of those of `xquad`)
    included. Arms are those that all of these cubes have, seeds too, unless they are named. Raises DataError where no
    seed is in all of them.
    """
    scales = [chosen.sum() if chosen.dtype == bool else 1 for chosen in languages]
    parts = [combine_languages(*part) for part in zip(cubes, map(np.divide, languages, scales), strict=True)]
    arms = tuple(arm for arm in parts[0].arms if all(arm in part.arms for part in parts))
    seeds = tuple(seeds or (seed for seed in parts[0].seeds if all(seed in part.seeds for part in parts)))
    if not seeds:
        raise DataError(f"no seed is in all of {', '.join(cube.target for cube in cubes)}: run the same seeds of each")
    places = [
        np.ix_([part.seeds.index(seed) for seed in seeds], [part.arms.index(arm) for arm in arms]) for part in parts
    ]
    points = np.mean([part.points[place] for part, place in zip(parts, places, strict=True)], axis=0)
    fewest, untrained = min(part.num_clusters for part in parts), any(part.untrained for part in parts)
    if any(part.resampled is None for part in parts):
        return Means(arms, seeds, points, None, np.inf, untrained)
    drawn = np.mean([part.resampled[:, *place] for part, place in zip(parts, places, strict=True)], axis=0)
    return Means(arms, seeds, points, drawn, fewest, untrained)


def turn(means: Means, arm: str, against: str) -> Means:
    """The means with `against` in the baseline's place and `arm` next to it; what pools the seed variance follows,
    without a baseline that is not trained."""
    first = [means.arms.index(against), means.arms.index(arm)]
    idle = [means.arms.index(BASELINE)] if means.untrained and BASELINE in means.arms else []
    order = first + [place for place in range(len(means.arms)) if place not in first + idle]
    drawn = None if means.resampled is None else means.resampled[..., order]
    arms = tuple(means.arms[place] for place in order)
    untrained = means.untrained and BASELINE in (arm, against)
    return replace(means, arms=arms, points=means.points[:, order], resampled=drawn, untrained=untrained)


def compare_means(means: Means) -> GainTest:
    """The primary test of each arm against the first."""
    if means.resampled is None:
        return gain_test(means.points, None, untrained=means.untrained)
    items, item_df = item_part(means.resampled[..., 1:] - means.resampled[..., :1], means.num_clusters)
    return gain_test(means.points, items, item_df=item_df, untrained=means.untrained)
