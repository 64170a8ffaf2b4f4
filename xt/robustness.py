"""How robust each arm's scores are over languages, and what an arm changes in that: tables from score cubes.

The measures are defined in `xt.stats.robustness`. Distance is the mean distance of `xt.distances` from the training
language, 0 to 1. Languages at their floor count here: a score at the floor is what far languages get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.choosing import draw_seeds
from xt.distances import load_distances
from xt.errors import DataError
from xt.gains import BASELINE, Means, ScoreCube, compare_means, is_placebo, load_cubes
from xt.response import combine_languages, predictors_of, tabulate_languages
from xt.scaling import load_alike, size_table
from xt.stats import SEEDS_AND_ITEMS, adjust_holm, percentile_interval
from xt.stats.mixed import ScoreModel, fit_scores
from xt.stats.robustness import correct_spread, correct_worst, interval_of_means, share_interval, slope_weights
from xt.stats.trend import fit_trend

SLOPE, GAP, WORST, SPREAD, SEEDS = "slope", "gap to the training language", "worst language", "spread", "seeds' spread"
MEASURES = (SLOPE, GAP, WORST, SPREAD, SEEDS)
"""Measures, the primary one first."""
COLUMNS = (
    "encoder target intermediate measure value low high change change_low change_high p p_holm placebo num_languages "
    "num_seeds kind"
).split()
"""Columns of `robustness_table`."""
TREND_COLUMNS = "target intermediate quantity slope low high p df num_encoders num_sizes num_languages".split()
"""Columns of `slope_trends`."""


@dataclass(frozen=True, slots=True)
class WholeCube:
    """The zero-shot scores of one encoder and target, and those in the training language beside them."""

    cube: ScoreCube
    """Languages other than the training language."""
    home: Means | None
    """Scores in the training language; None where it was not scored."""


def load_whole_cubes(
    scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None, min_seeds: int = 1
) -> list[WholeCube]:
    """One per encoder and target with a baseline and an arm at `min_seeds` seeds, items drawn jointly with those of the
    training language."""
    homes = scores.dropna(subset="train_language").groupby(["encoder", "target"])["train_language"].first()
    everywhere = load_cubes(scores.assign(train_language=pd.NA), rng, results, min_seeds=min_seeds)
    return [part_home(cube, homes.get((cube.encoder, cube.target))) for cube in everywhere]


def part_home(cube: ScoreCube, home: str | None) -> WholeCube:
    """A cube of all languages, parted into the training language and the others."""
    own = np.array([code == home for code in cube.languages])
    clusters = None if cube.num_clusters is None else cube.num_clusters[~own]
    rest = replace(
        cube,
        languages=tuple(code for code in cube.languages if code != home),
        points=cube.points[..., ~own],
        resampled=None if cube.resampled is None else cube.resampled[..., ~own],
        floors=cube.floors[~own],
        zero_shot=cube.zero_shot[:, ~own],
        num_clusters=clusters,
    )
    return WholeCube(rest, combine_languages(cube, own.astype(float)) if own.any() else None)


def robustness_table(wholes: Sequence[WholeCube], rng: np.random.Generator) -> pd.DataFrame:
    """One row per encoder, target, arm and measure (COLUMNS), in points; the slope in points per unit of distance.

    `value, low, high`: the arm's own; `change` with its interval: the arm's less the baseline's. Slope and gap are
    linear in scores: their intervals and `p` are those of the primary test, and `p_holm` of the slope, the primary
    measure, is Holm's over the arms of an encoder and target without placebos. Worst language and spread are corrected
    for noise, with percentile intervals over seeds and items and no p. The spread over seeds has no interval. Without
    items, or with one seed, what cannot be told is missing.
    """
    rows = [row for whole in wholes for row in measure_whole(whole, rng)]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    tested = table["p"].astype(float).where((table["measure"] == SLOPE) & ~table["placebo"].astype(bool))
    for _, places in table.groupby(["encoder", "target"]).groups.items():
        table.loc[places, "p_holm"] = adjust_holm(tested[places].to_numpy())
    return table


def measure_whole(whole: WholeCube, rng: np.random.Generator) -> list[dict]:
    """The rows of `robustness_table` of one cube."""
    cube = whole.cube
    even = np.full(len(cube.languages), 1 / len(cube.languages))
    distance = np.array([row["distance"] for row in load_distances(cube.languages)])
    mean, rows = combine_languages(cube, even), []
    slope = combine_languages(cube, slope_weights(distance))
    if np.isfinite(slope.points).all():
        rows += measure_linear(SLOPE, slope, int(np.isfinite(distance).sum()))
    if whole.home is not None:
        rows += measure_linear(GAP, subtract(whole.home, mean), len(even))
    if cube.resampled is not None:
        rows += measure_noisy(cube, rng)
    if len(cube.seeds) > 1:
        sds = mean.points.std(axis=0, ddof=1)
        rows += [dict(measure=SEEDS, place=place, value=sd, num_languages=len(even)) for place, sd in enumerate(sds)]
    where = dict(encoder=cube.encoder, target=cube.target, num_seeds=len(cube.seeds))
    return [where | name_arm(cube.arms[row.pop("place")]) | row for row in rows]


def name_arm(arm: str) -> dict:
    """The columns that say which arm a row is of."""
    return dict(intermediate=arm, placebo=is_placebo(arm))


def subtract(one: Means, other: Means) -> Means:
    """The difference of two linear measures of the same runs and resamples."""
    drawn = None if one.resampled is None or other.resampled is None else one.resampled - other.resampled
    fewest = min(one.num_clusters, other.num_clusters)
    return replace(one, points=one.points - other.points, resampled=drawn, num_clusters=fewest)


def measure_linear(measure: str, means: Means, num_languages: int) -> list[dict]:
    """Rows of a measure that is linear in scores, one per arm, its changes tested by the primary test."""
    value, low, high = interval_of_means(means.points, means.resampled, means.num_clusters)
    test = compare_means(means)
    changes = zip(test.gain, test.low, test.high, test.p, strict=True)
    rows = [dict(place=place, value=value[place], low=low[place], high=high[place]) for place in range(len(value))]
    for row, (change, change_low, change_high, p) in zip(rows[1:], changes, strict=True):
        row |= dict(change=change, change_low=change_low, change_high=change_high, p=p)
    return [row | dict(measure=measure, num_languages=num_languages, kind=test.kind) for row in rows]


def measure_noisy(cube: ScoreCube, rng: np.random.Generator) -> list[dict]:
    """Rows of the worst language and the spread over languages, one per arm."""
    weights = draw_seeds(len(cube.seeds), len(cube.resampled), rng)
    scores, drawn = cube.points.mean(axis=0), np.einsum("bs,bskl->bkl", weights, cube.resampled)
    rows = []
    for measure, (value, low, high), moved in (
        (WORST, correct_worst(scores, drawn), drawn.min(axis=-1)),
        (SPREAD, correct_spread(scores, drawn), drawn.std(axis=-1, ddof=1)),
    ):
        away = moved - moved[:, :1]
        change_low, change_high = percentile_interval(away - away.mean(axis=0))
        for place in range(len(cube.arms)):
            row = dict(measure=measure, place=place, value=value[place], low=low[place], high=high[place])
            if place:
                change = value[place] - value[0]
                row |= dict(
                    change=change, change_low=change + change_low[place], change_high=change + change_high[place]
                )
            rows.append(row | dict(num_languages=len(cube.languages), kind=SEEDS_AND_ITEMS))
    return rows


def collapse_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder and arm: `num_runs`, `num_failed` (diverged or collapsed), their `share` with its exact 95 %
    interval (`low, high`)."""
    runs = scores.drop_duplicates("run_id")
    rows = []
    for (encoder, arm), cell in runs.groupby(["encoder", "intermediate"], sort=False):
        failed = int((cell["outcome"] != "ok").sum())
        share, low, high = share_interval(failed, len(cell))
        rows.append(dict(encoder=encoder, intermediate=arm, num_runs=len(cell), num_failed=failed, share=share,
                         low=low, high=high))  # fmt: skip
    return pd.DataFrame(rows, columns="encoder intermediate num_runs num_failed share low high".split())


def model_scores(
    cubes: Sequence[ScoreCube],
    subwords: pd.DataFrame | None,
    rng: np.random.Generator,
    *,
    above_floor: bool = False,
    sizes: Mapping[str, float] | None = None,
    arms: Sequence[str] | None = None,
    num_permutations: int = 2000,
) -> ScoreModel:
    """The mixed model (`xt.stats.mixed`) of the scores of some cubes, of the arms that all of them have (and `arms`).

    With `above_floor` the cells at their floor are left out, where scores cannot show what a predictor does; which they
    are is decided by scores, so that slopes of scores are too flat then, and slopes of gains are not. `sizes` (encoder
    -> parameters) asks what size does to the slope. Raises DataError where too little is left.
    """
    shared = [arm for arm in cubes[0].arms if all(arm in cube.arms for cube in cubes) and (not arms or arm in arms)]
    rows = score_rows(cubes, subwords, [BASELINE, *(arm for arm in shared if arm != BASELINE)])
    if above_floor:
        rows = rows[~rows["at_floor"]]
    if sizes:
        rows = rows.assign(size=np.log2(rows["encoder"].map(sizes).astype(float)))
    return fit_scores(rows, predictors_of(rows), rng, num_permutations)


def score_rows(cubes: Sequence[ScoreCube], subwords: pd.DataFrame | None, arms: Sequence[str]) -> pd.DataFrame:
    """One row per encoder, target, arm, seed and zero-shot language: `score`, `at_floor`, and what is known of the
    language (`xt.response.tabulate_languages`)."""
    frames = []
    for cube in cubes:
        places = [cube.arms.index(arm) for arm in arms]
        axes = pd.MultiIndex.from_product(
            [cube.seeds, arms, cube.languages], names=["seed", "intermediate", "eval_language"]
        )
        frame = pd.DataFrame({"score": cube.points[:, places].ravel()}, index=axes).reset_index()
        known = tabulate_languages(cube.encoder, cube.languages, subwords).assign(at_floor=cube.at_floor)
        frames.append(frame.merge(known, on="eval_language").assign(encoder=cube.encoder, target=cube.target))
    return pd.concat(frames, ignore_index=True)


def slope_trends(
    scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(slopes on distance per encoder, their trends over encoders of one family that differ in size).

    The first has one row per target, encoder and arm: `slope` of its scores, and `change`: less the baseline's. The
    second (TREND_COLUMNS) has per target and arm what a doubling of size does to the slope (`quantity` "slope", of the
    baseline's row too) and to the change of it ("change"): the unit is a pretrained encoder, and there is no p below
    five degrees of freedom. Both are empty where there is one size.
    """
    sizes = size_table(scores)
    slopes, trends = [], []
    if sizes["size"].nunique() > 1:
        for target, cubes in load_alike(scores, list(sizes["encoder"]), rng, results).items():
            found = slopes_of(cubes)
            if found is not None:
                slopes += tabulate_slopes(target, cubes, sizes, found[0])
                trends += tabulate_trends(target, cubes, sizes, *found)
    columns = "target intermediate encoder size slope change".split()
    return pd.DataFrame(slopes, columns=columns), pd.DataFrame(trends, columns=TREND_COLUMNS)


def tabulate_slopes(target: str, cubes: Sequence[ScoreCube], sizes: pd.DataFrame, values: np.ndarray) -> list[dict]:
    """The slopes (n, K) of n encoders and K arms, a row each."""
    return [
        dict(target=target, intermediate=arm, encoder=encoder.encoder, size=encoder.size, slope=own[place],
             change=own[place] - own[0])
        for place, arm in enumerate(cubes[0].arms)
        for encoder, own in zip(sizes.itertuples(), values, strict=True)
    ]  # fmt: skip


def tabulate_trends(
    target: str, cubes: Sequence[ScoreCube], sizes: pd.DataFrame, values, drawn, clusters
) -> list[dict]:
    """The trends of slopes (n, K), and of their changes, over log2 of the n encoders' sizes."""
    counts = dict(num_encoders=len(sizes), num_sizes=int(sizes["size"].nunique()))
    where, rows = dict(target=target, num_languages=len(cubes[0].languages)) | counts, []
    for quantity, first in (("slope", 0), ("change", 1)):
        for place in range(first, len(cubes[0].arms)):
            y, moved = values[:, place], None if drawn is None else drawn[..., place]
            if quantity == "change":
                y, moved = y - values[:, 0], None if moved is None else moved - drawn[..., 0]
            trend = fit_trend(np.log2(sizes["size"].to_numpy()), y, moved, clusters)
            found = dict(slope=trend.slope, low=trend.low, high=trend.high, p=trend.p, df=trend.df)
            rows.append(where | found | dict(intermediate=cubes[0].arms[place], quantity=quantity))
    return rows


def slopes_of(cubes: Sequence[ScoreCube]) -> tuple[np.ndarray, np.ndarray | None, float] | None:
    """(slopes of n cubes (n, K), the same resampled (R, n, K) or None, fewest clusters); None without distances."""
    distance = np.array([row["distance"] for row in load_distances(cubes[0].languages)])
    parts = [combine_languages(cube, slope_weights(distance)) for cube in cubes]
    if not all(np.isfinite(part.points).all() for part in parts):
        return None
    values = np.array([part.points.mean(axis=0) for part in parts])
    if any(part.resampled is None for part in parts):
        return values, None, np.inf
    drawn = np.stack([part.resampled.mean(axis=1) for part in parts], axis=1)
    return values, drawn, min(part.num_clusters for part in parts)


def find_model(
    cubes: Sequence[ScoreCube], subwords: pd.DataFrame | None, rng: np.random.Generator, **options
) -> tuple[ScoreModel | None, str]:
    """(the model of `model_scores`, ''); None and why where there is too little for one."""
    if not cubes:
        return None, "there are no scores of a baseline and another arm"
    try:
        return model_scores(cubes, subwords, rng, **options), ""
    except DataError as error:
        return None, str(error)


def gains_by_distance(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """One row per target, arm and language above its floor: `gain` (points, mean over seeds), `distance`, `placebo`;
    languages without a distance left out."""
    tables = [pd.DataFrame(columns="encoder target intermediate placebo eval_language gain distance".split())]
    for cube in cubes:
        distance = np.array([row["distance"] for row in load_distances(cube.languages)])
        for place, arm in enumerate(cube.arms[1:], start=1):
            chosen = np.isfinite(distance) & ~cube.at_floor & cube.zero_shot[place]
            gain = (cube.points[:, place] - cube.points[:, 0]).mean(axis=0)[chosen]
            where = dict(encoder=cube.encoder, target=cube.target) | name_arm(arm)
            codes = [code for code, used in zip(cube.languages, chosen, strict=True) if used]
            tables.append(pd.DataFrame(where | dict(eval_language=codes, gain=gain, distance=distance[chosen])))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
