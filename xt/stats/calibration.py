"""Do the tests keep their level? Studies are simulated whose truth is known, and every method is asked.

The generator makes right and wrong answers, item by item: what is shared (an item is hard, or hard in a language), what
a seed does to all arms, what it does to one arm, what an arm does with an item at every seed, and what one seed of one
arm does with it. An answer is right where the sum of normal effects is above 0. The first arm gains, the others do not:
how often a method declares these is its level, how often its interval holds the first one's gain is its coverage.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from xt.stats.primary import gain_test, keep_common
from xt.stats.resampling import draw_counts, percentile_interval

SEEDS = (3, 5, 10)
NUM_RESAMPLES = 200
"""Resamples of the percentile bootstrap; its limits then err by a tenth of their width at most."""
BLOCK = 250
"""Studies simulated at once."""


@dataclass(frozen=True, slots=True)
class World:
    """Standard deviations of what moves an answer, where the rest of one answer has 0.5 (a latent scale, no points)."""

    seed_arm: float
    """What a seed does to one arm."""
    arm_item: float
    """What an arm does with an item at every seed."""
    seed_item: float
    """What one seed of one arm does with an item."""
    seed: float = 0.15
    """What a seed does to all arms."""
    item: float = 0.7
    """How hard an item is, for everyone."""
    language_item: float = 0.3
    """How hard an item is in a language."""
    last_arm: float = 1.0
    """How much more the last arm varies over seeds than the others: the test trusts that it is 1."""
    trained: float = 1.0
    """Share of the items on which the baseline is trained, and varies over seeds at all."""


@dataclass(frozen=True, slots=True)
class Design:
    """How a simulated study is made: arms (the baseline included), languages that share items, clusters of items."""

    num_arms: int = 4
    num_languages: int = 2
    num_clusters: int = 60
    cluster_size: int = 1
    shared: float = 0.6
    """Share of the variance of items that clusters of more than one have in common."""
    gain: float = 0.25
    """Latent gain of the first arm."""


WORLDS: Mapping[str, World] = MappingProxyType({
    "seeds": World(seed_arm=0.2, arm_item=0.1, seed_item=0.1),
    "items": World(seed_arm=0.0, arm_item=0.7, seed_item=0.2),
    "items of one seed": World(seed_arm=0.0, arm_item=0.0, seed_item=0.9),
    "all three": World(seed_arm=0.1, arm_item=0.4, seed_item=0.5),
    "seeds, baseline untrained": World(seed_arm=0.2, arm_item=0.1, seed_item=0.1, seed=0.4, trained=0.0),
    "seeds, half of it untrained": World(seed_arm=0.2, arm_item=0.1, seed_item=0.1, seed=0.4, trained=0.5),
})  # fmt: skip
"""By what dominates the noise of a gain; half untrained: a mean over targets of either kind."""
DESIGNS: Mapping[str, Design] = MappingProxyType({
    "120 single items": Design(num_clusters=120),
    "30 clusters of 4": Design(num_clusters=30, cluster_size=4),
})  # fmt: skip


def simulate_answers(
    world: World, design: Design, num_seeds: int, num_studies: int, rng: np.random.Generator
) -> np.ndarray:
    """Points (T, S, K, C, m) of T studies: 0 to 100 per item, the mean over its languages; C clusters of m items."""
    studies, arms, clusters, size = num_studies, design.num_arms, design.num_clusters, design.cluster_size

    def draw(deviation: float, *shape: int) -> np.ndarray | float:
        return deviation * rng.standard_normal(shape, dtype=np.float32) if deviation else np.float32(0)

    def draw_items(deviation: float, *shape: int) -> np.ndarray | float:
        shared = design.shared if size > 1 else 0.0
        own = draw(deviation * (1 - shared) ** 0.5, *shape, clusters, size)
        return own + draw(deviation * shared**0.5, *shape, clusters, 1)

    of_seeds = draw(world.seed, studies, num_seeds, 1) + draw(world.seed_arm, studies, num_seeds, arms)
    of_seeds = np.broadcast_to(of_seeds, (studies, num_seeds, arms)).copy()
    of_seeds[..., -1] *= world.last_arm
    one_seed = np.zeros((studies, num_seeds, arms, clusters, size), np.float32)
    one_seed += draw_items(world.seed_item, studies, num_seeds, arms)
    rest = draw(0.5, studies, num_seeds, arms, design.num_languages, clusters, size)
    one_seed += of_seeds[..., None, None]
    fixed = slice(round(world.trained * clusters), None)
    one_seed[:, :, 0, fixed] -= of_seeds[:, :, :1, None]
    one_seed[:, :, 0, fixed], rest[:, :, 0, :, fixed] = one_seed[:, :1, 0, fixed], rest[:, :1, 0, :, fixed]
    one_seed += draw_items(world.item, studies, 1, 1) + draw_items(world.arm_item, studies, 1, arms)
    one_seed[:, :, 1] += design.gain
    rest += draw_items(world.language_item, studies, 1, 1, design.num_languages) + one_seed[:, :, :, None]
    return 100 * (rest > 0).mean(axis=3, dtype=np.float32)


def true_gain(world: World, design: Design) -> float:
    """Expected gain of the first arm in points: a sum of normal effects is above 0 as often as Phi says."""
    from scipy.special import ndtr

    effects = (world.seed_arm, world.arm_item, world.seed_item, world.seed, world.item, world.language_item, 0.5)
    return float(100 * (ndtr(design.gain / np.sqrt(np.sum(np.square(effects)))) - 0.5))


def split_by_clusters(gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V, W), each (T, K - 1), of gains per cluster (T, S, K - 1, C): what `split_item_variance` finds in resamples of
    clusters without end, in closed form, as the mean of equal clusters has one."""
    num_seeds, num_clusters = gains.shape[1], gains.shape[-1]
    own = gains - gains.mean(axis=-1, keepdims=True)
    mean = own.mean(axis=1, keepdims=True)
    total, around = (mean[:, 0] ** 2).sum(axis=-1), ((own - mean) ** 2).sum(axis=(1, -1))
    scale = num_clusters * (num_clusters - 1)
    return total / scale, around / scale / max(1, num_seeds - 1)


def ask_primary(points: np.ndarray, rng: np.random.Generator, untrained: bool = False) -> tuple:
    """(low, high), each (T, K - 1), of `gain_test` on points per cluster (T, S, K, C)."""
    items = keep_common(*split_by_clusters(points[:, :, 1:] - points[:, :, :1]), points.shape[1])
    test = gain_test(points.mean(axis=-1), items, item_df=points.shape[-1] - 1, untrained=untrained)
    return test.low, test.high


def ask_seeds(points: np.ndarray, rng: np.random.Generator) -> tuple:
    """The same from the spread over seeds alone."""
    test = gain_test(points.mean(axis=-1), np.zeros((len(points), points.shape[2] - 1)))
    return test.low, test.high


def ask_items(points: np.ndarray, rng: np.random.Generator) -> tuple:
    """The same from the spread over clusters alone, seeds averaged."""
    gains = points[:, :, 1:] - points[:, :, :1]
    mean, half = gains.mean(axis=(1, -1)), 1.959964 * np.sqrt(split_by_clusters(gains)[0])
    return mean - half, mean + half


def ask_one_seed(points: np.ndarray, rng: np.random.Generator) -> tuple:
    """The same from the first seed alone."""
    return ask_items(points[:, :1], rng)


def ask_percentiles(points: np.ndarray, rng: np.random.Generator) -> tuple:
    """The same from percentiles over seeds and clusters drawn together; the draws are shared by the studies."""
    num_seeds, num_clusters = points.shape[1], points.shape[-1]
    gains = (points[:, :, 1:] - points[:, :, :1]).astype(np.float32)
    clusters = draw_counts(num_clusters, NUM_RESAMPLES, rng).astype(np.float32) / num_clusters
    seeds = draw_counts(num_seeds, NUM_RESAMPLES, rng).astype(np.float32) / num_seeds
    resampled = np.einsum("tskr,rs->rtk", gains @ clusters.T, seeds)
    return percentile_interval(resampled)


Method = Callable[[np.ndarray, np.random.Generator], tuple]
PRIMARY, UNCLUSTERED = "primary test", "primary test, clusters ignored"
METHODS: Mapping[str, Method] = MappingProxyType({
    PRIMARY: ask_primary,
    "percentile bootstrap over seeds and clusters": ask_percentiles,
    "items ignored (t over seeds)": ask_seeds,
    "seeds ignored (clusters only)": ask_items,
    "one seed (clusters only)": ask_one_seed,
    UNCLUSTERED: ask_primary,
})  # fmt: skip


def calibrate(
    world: World,
    design: Design,
    num_seeds: int,
    num_studies: int,
    rng: np.random.Generator,
    methods: Mapping[str, Method] = METHODS,
) -> list[dict]:
    """One row per method: `level`, the share of arms that gain nothing and are declared at 5 %, that of the last arm
    (`last_level`), and `coverage` of the gain of the first arm by the 95 % interval; `num_studies` they are of."""
    truth, limits = true_gain(world, design), {name: [] for name in methods}
    for start in range(0, num_studies, BLOCK):
        points = simulate_answers(world, design, num_seeds, min(BLOCK, num_studies - start), rng)
        for name, method in methods.items():
            seen = points.reshape(*points.shape[:3], -1) if name == UNCLUSTERED else points.mean(axis=-1)
            limits[name].append(method(seen.astype(float), rng))
    rows = []
    for name in methods:
        low, high = (np.concatenate(side) for side in zip(*limits[name], strict=True))
        declared, covered = (low[:, 1:] > 0) | (high[:, 1:] < 0), (low[:, 0] <= truth) & (truth <= high[:, 0])
        levels = dict(level=declared.mean(), last_level=declared[:, -1].mean(), coverage=covered.mean())
        rows.append(dict(method=name, num_seeds=num_seeds, num_studies=num_studies) | levels)
    return rows


def calibration_table(num_studies: int, rng: np.random.Generator) -> list[dict]:
    """Rows of `calibrate` for every number of seeds, world (`noise`) and design (`items`) of this module."""
    return [
        dict(noise=noise, items=items) | row
        for noise, world in WORLDS.items()
        for items, design in DESIGNS.items()
        for num_seeds in SEEDS
        for row in calibrate(world, design, num_seeds, num_studies, rng, methods_for(world, design))
    ]


def methods_for(world: World, design: Design) -> Mapping[str, Method]:
    """All methods, told whether the baseline is trained; that which ignores clusters only where there are some."""
    primary = partial(ask_primary, untrained=world.trained < 1)
    return {
        name: primary if method is ask_primary else method
        for name, method in METHODS.items()
        if name != UNCLUSTERED or design.cluster_size > 1
    }
