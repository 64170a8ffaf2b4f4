"""What common ways of testing would declare, beside the primary test; and how large the noise of a study is."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.gains.cubes import ScoreCube
from xt.gains.means import Means, average_languages
from xt.gains.tables import gain_table
from xt.stats import Noise, equivalence_test, percentile_interval, seeds_needed, smallest_gain, split_item_variance
from xt.stats.comparisons import MIN_SEEDS, multi_bootstrap, resample_seeds, sign_flip_test
from xt.stats.primary import keep_common, split_seeds

ONE_SEED, PERCENTILE, PRIMARY, HOLM = "one seed", "percentile bootstrap", "primary test", "primary test, Holm"
MODEL_FREE = MULTI, FLIPS = "multi-bootstrap", "sign flips"
WAYS = (ONE_SEED, PERCENTILE, PRIMARY, HOLM, *MODEL_FREE)
"""The interval of the first seed over items; percentiles over seeds and items together, however few seeds; the primary
test; and after Holm's correction over the arms of a target. From MIN_SEEDS on: these percentiles as a test of their
own, and sign flips of the seeds, on these items."""
LEVEL = 0.05


def declared_table(cubes: Sequence[ScoreCube], rng: np.random.Generator, margin: float) -> pd.DataFrame:
    """The rows of `xt.gains.gain_table` with a gain, and a column per way of WAYS: whether it declares the gain.

    Missing where it cannot be asked (no p below three seeds, no items of imported scores); those of MODEL_FREE are
    there where one of the cubes has MIN_SEEDS. `negligible`: whether the gain is shown to lie within `margin` points of
    0, by two one-sided tests.
    """
    table, told = gain_table(cubes), {}
    few = all(len(cube.seeds) < MIN_SEEDS for cube in cubes)
    at_once = [ONE_SEED, PERCENTILE, *(() if few else MODEL_FREE)]
    for cube in cubes:
        above, seen = ~cube.at_floor, {}
        for place, arm in enumerate(cube.arms[1:], start=1):
            chosen = above & cube.zero_shot[place]
            if chosen.any() and chosen.tobytes() not in seen:
                seen[chosen.tobytes()] = declare_at_once(average_languages(cube, chosen), rng)
            told[cube.encoder, cube.target, arm] = {
                way: excluded[place - 1] for way, excluded in seen.get(chosen.tobytes(), {}).items()
            }
    keys = table[["encoder", "target", "intermediate"]].itertuples(index=False, name=None)
    table = pd.concat([table, pd.DataFrame([told[key] for key in keys], columns=at_once)], axis=1)
    for way, name in ((PRIMARY, "p"), (HOLM, "p_holm")):
        table[way] = (table[name] < LEVEL).astype("boolean").mask(table[name].isna())
    table = table.astype(dict.fromkeys([*at_once, PRIMARY, HOLM], "boolean"))
    numbers = [table[name].to_numpy(float) for name in ("gain", "standard_error", "df")]
    table["negligible"] = (equivalence_test(*numbers, margin) < LEVEL) & table["p"].notna()
    return table[table["gain"].notna()].reset_index(drop=True)


def declare_at_once(means: Means, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Whether ways of testing declare each gain, (K - 1,): the interval of the first seed, percentiles over all, and
    MODEL_FREE from MIN_SEEDS on; sign flips alone without items, and no percentiles over one seed."""
    enough, limits, declared = len(means.seeds) >= MIN_SEEDS, {}, {}
    if means.resampled is not None:
        gains = means.resampled[..., 1:] - means.resampled[..., :1]
        limits[ONE_SEED] = percentile_interval(gains[:, 0])
        if enough:
            limits[PERCENTILE] = limits[MULTI] = multi_bootstrap(gains, rng)
        elif len(means.seeds) > 1:
            limits[PERCENTILE] = percentile_interval(resample_seeds(gains, rng))
    if enough:
        by_arm = (means.points[:, 1:] - means.points[:, :1]).T
        declared[FLIPS] = np.array([sign_flip_test(own, rng, LEVEL) < LEVEL for own in by_arm])
    return declared | {way: (low > 0) | (high < 0) for way, (low, high) in limits.items()}


def noise_of(means: Means) -> Noise:
    """What moves a gain, measured: the medians over arms, each part of variance at least 0. Raises ValueError where
    items are not known, or there are fewer than two seeds."""
    if means.resampled is None or len(means.seeds) < 2:
        raise ValueError("noise is measured on items, and on two seeds or more")
    num_varying, num_gains = 1 if means.untrained else 2, len(means.arms) - 1
    total, at_one_seed = split_item_variance(means.resampled[..., 1:] - means.resampled[..., :1], means.num_clusters)
    shared, own, _ = split_seeds(means.points, means.untrained)
    if means.untrained:  # the mean squares hold 1 / K' of the own part between seeds, and the rest within them
        own = own * num_gains / (num_gains - 1) if num_gains > 1 else shared
        shared = max(0.0, float(shared - own / num_gains))
    of_items = float(np.median(at_one_seed))
    common = float(np.median(keep_common(total, at_one_seed, len(means.seeds))))
    variances = (max(0.0, float(own) - of_items) / num_varying, of_items, common, float(shared))
    return Noise(*np.sqrt(variances), num_varying)


def noise_table(cubes: Sequence[ScoreCube], gains: Sequence[float]) -> pd.DataFrame:
    """One row per encoder and target with items, two seeds and a language above its floor.

    The parts of `Noise` in points, `noise` (that object), `num_arms`, `num_seeds`, `smallest_gain` (found four times in
    five with these seeds; missing below three), and for each of `gains` (points) the number of seeds that would find it
    so, missing where none would.
    """
    rows = []
    for cube in cubes:
        if cube.at_floor.all() or cube.resampled is None or len(cube.seeds) < 2:
            continue
        means = average_languages(cube, ~cube.at_floor)
        noise, num_arms, num_seeds = noise_of(means), len(means.arms), len(means.seeds)
        spread = noise.spread(num_arms)
        row = dict(
            encoder=cube.encoder, target=cube.target, training_sd=noise.training_sd, seed_item_sd=noise.seed_item_sd,
            item_sd=noise.item_sd, common_sd=noise.common_sd, noise=noise, num_arms=num_arms, num_seeds=num_seeds,
            smallest_gain=smallest_gain(spread, noise.item_sd, num_seeds),
        )  # fmt: skip
        needed = {gain: seeds_needed(gain, spread, noise.item_sd) for gain in gains}
        rows.append(row | {f"seeds for {gain:g}": seeds for gain, seeds in needed.items()})
    columns = "encoder target training_sd seed_item_sd item_sd common_sd noise num_arms num_seeds smallest_gain".split()
    return pd.DataFrame(rows, columns=[*columns, *(f"seeds for {gain:g}" for gain in gains)])
