"""How robust each arm's scores are over languages, and what an arm changes in that: tables from score cubes.

The measures are defined in `xt.stats.robustness`. Distance is the mean distance of `xt.distances` from the training
language, 0 to 1. Languages at their floor count in them: a score at the floor is what far languages get. A slope is
only of a target with MIN_LANGUAGES languages above their floor. Arms that were trained in one of the languages are left
out: their scores there are not zero-shot, and over other languages they would not compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.distances import load_distances
from xt.errors import DataError
from xt.gains import (
    ALL,
    BASELINE,
    MIN_LANGUAGES,
    Means,
    ScoreCube,
    combine_languages,
    compare_means,
    is_placebo,
    keep_arms,
    load_cubes,
)
from xt.response import baseline_by_language, predictors_of
from xt.scaling import SizeScores, average_sizes, describe_trends
from xt.stats import ITEMS_ONLY, adjust_benjamini_hochberg, adjust_family, adjust_holm, percentile_interval
from xt.stats.mixed import ScoreModel, fit_scores
from xt.stats.robustness import correct_spread, correct_worst, interval_of_means, slope_weights
from xt.tasks import TASKS

SLOPE, GAP, WORST, SPREAD, SEEDS = "slope", "gap to the training language", "worst language", "spread", "seeds' spread"
MEASURES = (SLOPE, GAP, WORST, SPREAD, SEEDS)
"""Measures, the primary one first."""
COLUMNS = (
    "encoder target intermediate measure value low high change change_low change_high p p_holm placebo num_languages "
    "num_seeds kind"
).split()
"""Columns of `robustness_table`."""
TREND_COLUMNS = (
    "target intermediate placebo quantity slope low high p p_adjusted df num_encoders num_sizes smallest largest "
    "num_languages"
).split()
"""Columns of `slope_trends`."""


@dataclass(frozen=True, slots=True)
class WholeCube:
    """The zero-shot scores of one encoder and target, and those in the training language beside them."""

    cube: ScoreCube
    """Languages other than the training language."""
    home: Means | None
    """Scores in the training language; None where it was not scored."""


def load_whole_cubes(
    scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None
) -> list[WholeCube]:
    """One per encoder and target with a baseline and another arm, items drawn jointly with those of the training
    language."""
    homes = scores.dropna(subset="train_language").groupby(["encoder", "target"])["train_language"].first()
    everywhere = load_cubes(scores.assign(train_language=pd.NA), rng, results, min_seeds=1)
    return [part_home(cube, homes.get((cube.encoder, cube.target))) for cube in everywhere]


def part_home(cube: ScoreCube, home: str | None) -> WholeCube:
    """A cube of all languages, parted into the training language and the others."""
    own = np.array([code == home for code in cube.languages])
    rest = replace(
        cube,
        languages=tuple(code for code in cube.languages if code != home),
        points=cube.points[..., ~own],
        resampled=None if cube.resampled is None else cube.resampled[..., ~own],
        floors=cube.floors[~own],
        zero_shot=cube.zero_shot[:, ~own],
        num_clusters=None if cube.num_clusters is None else cube.num_clusters[~own],
    )
    return WholeCube(rest, combine_languages(cube, own.astype(float)) if own.any() else None)


def weigh_distance(cube: ScoreCube) -> np.ndarray:
    """(L,) weights of the slope on distance; NaN where the target has none."""
    distance = np.array([row["distance"] for row in load_distances(cube.languages)])
    few = (~cube.at_floor).sum() < MIN_LANGUAGES
    return np.full(len(distance), np.nan) if few else slope_weights(distance)


def robustness_table(wholes: Sequence[WholeCube]) -> pd.DataFrame:
    """One row per encoder, target, arm and measure (COLUMNS), in points; the slope from the nearest to the farthest
    language.

    `value, low, high`: the arm's own; `change` with its interval: the arm's less the baseline's. Slope and gap are
    linear in scores: their intervals and `p` are those of the primary test, and `p_holm` of the slope, the primary
    measure, is Holm's over the arms of an encoder and target without placebos. Worst language and spread are corrected
    for noise, those of the seeds that were run, with percentile intervals over items and no p; a change from or to 0
    has no interval, as nothing below 0 is seen. The spread over seeds has none. Without items, or with one seed, what
    cannot be told is missing.
    """
    rows = [row for whole in wholes for row in measure_whole(whole)]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return table.assign(p_holm=adjust_family(table[table["measure"] == SLOPE], ["encoder", "target"]))


def measure_whole(whole: WholeCube) -> list[dict]:
    """The rows of `robustness_table` of one cube; none where no arm beside the baseline is zero-shot everywhere."""
    kept, weights = whole.cube.zero_shot.all(axis=1), weigh_distance(whole.cube)
    if kept.sum() < 2:
        return []
    cube = keep_arms(whole.cube, kept)
    count = len(cube.languages)
    mean, rows = combine_languages(cube, np.full(count, 1 / count)), []
    if np.isfinite(weights).all():
        rows += measure_linear(SLOPE, combine_languages(cube, weights), int((weights != 0).sum()))
    if whole.home is not None:
        rows += measure_linear(GAP, subtract(keep_arms(whole.home, kept), mean), count)
    if cube.resampled is not None and count > 1:
        rows += measure_noisy(cube)
    if len(cube.seeds) > 1:
        sds = mean.points.std(axis=0, ddof=1)
        rows += [dict(measure=SEEDS, place=place, value=sd, num_languages=count) for place, sd in enumerate(sds)]
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


def measure_noisy(cube: ScoreCube) -> list[dict]:
    """Rows of the worst language and the spread over languages, one per arm."""
    scores, drawn = cube.points.mean(axis=0), cube.resampled.mean(axis=1)
    rows = []
    for measure, (value, moved) in {WORST: correct_worst(scores, drawn), SPREAD: correct_spread(scores, drawn)}.items():
        own, changes = percentile_interval(moved), percentile_interval(moved - moved[:, :1])
        for place in range(len(cube.arms)):
            row = dict(measure=measure, place=place, value=value[place], low=own[0][place], high=own[1][place])
            if place:
                row["change"] = value[place] - value[0]
            if place and min(value[place], value[0]) > 0:
                row |= dict(change_low=changes[0][place], change_high=changes[1][place])
            rows.append(row | dict(num_languages=len(cube.languages), kind=ITEMS_ONLY))
    return rows


def collapse_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder and arm: `num_runs` that were trained on a target, `num_failed` (diverged or collapsed), and
    their `share`. It has no interval: runs of one arm and seed share a checkpoint and do not fail independently."""
    trained = scores["target"].map(lambda name: TASKS[name].training_task is not None).astype(bool)
    runs = scores[trained].drop_duplicates("run_id")
    failed = (runs["outcome"] != "ok").groupby([runs["encoder"], runs["intermediate"]], sort=False)
    table = failed.agg(num_runs="size", num_failed="sum", share="mean")
    return table.reset_index()


def find_model(
    cubes: Sequence[ScoreCube], subwords: pd.DataFrame | None, rng: np.random.Generator, num_permutations: int = 2000
) -> tuple[ScoreModel | None, str]:
    """(the mixed model (`xt.stats.mixed`) of one encoder's scores, ''); None and why where there is too little for one.

    Of targets with MIN_LANGUAGES languages above their floor, and of those languages: at the floor a score shows
    nothing, and a loss that only near languages can show would look like one of distance. That they are chosen by their
    scores makes slopes of scores too flat, not those of gains. Arms are those that all targets have, zero-shot in all
    of the languages, without placebos.
    """
    cubes = [cube for cube in cubes if (~cube.at_floor).sum() >= MIN_LANGUAGES]
    if not cubes:
        return None, f"there is no target with {MIN_LANGUAGES} languages above their floor, a baseline and another arm"
    arms = [
        arm
        for arm in cubes[0].arms
        if not is_placebo(arm)
        and all(arm in cube.arms and cube.zero_shot[cube.arms.index(arm)].all() for cube in cubes)
    ]
    rows = score_rows(cubes, subwords, arms)
    rows = rows[~rows["at_floor"].astype(bool)]
    try:
        return fit_scores(rows, predictors_of(rows), rng, num_permutations), ""
    except DataError as error:
        return None, str(error)


def score_rows(cubes: Sequence[ScoreCube], subwords: pd.DataFrame | None, arms: Sequence[str]) -> pd.DataFrame:
    """One row per target, arm, seed and zero-shot language: `score`, and the other columns of
    `xt.response.baseline_by_language`."""
    frames = []
    for cube in cubes:
        places = [cube.arms.index(arm) for arm in arms]
        names = ["seed", "intermediate", "eval_language"]
        axes = pd.MultiIndex.from_product([cube.seeds, arms, cube.languages], names=names)
        frame = pd.DataFrame({"score": cube.points[:, places].ravel()}, index=axes).reset_index()
        frames.append(frame.merge(baseline_by_language([cube], subwords).drop(columns="score"), on="eval_language"))
    return pd.concat(frames, ignore_index=True)


def slope_trends(cubes: Mapping[str, Sequence[ScoreCube]]) -> pd.DataFrame:
    """What a doubling of size does to the slope on distance, one row per target and arm (TREND_COLUMNS): of the mean
    over targets, ALL, which is primary, and of each target in which every encoder has a slope.

    `cubes` are those of `xt.scaling.load_sizes`. `quantity` is "slope" of the arm's scores, or "change": less the
    baseline's. The unit is a pretrained encoder of a family that differs in size, and there is no p below five degrees
    of freedom; `p_adjusted`, of the baseline's slope and the changes together, is Holm's for the mean over targets,
    Benjamini and Hochberg's over targets and arms else, without placebos; `smallest`, `largest`: the mean of the
    encoders of that size; `num_languages` is summed over targets. Empty where there is one size.
    """
    kept, weights = {}, {}
    for target, found in cubes.items():
        own = [weigh_distance(cube) for cube in found]
        if np.isfinite(own).all():
            zero_shot = np.all([cube.zero_shot.all(axis=1) for cube in found], axis=0)
            kept[target], weights[target] = [keep_arms(cube, zero_shot) for cube in found], own[0]
    rows = [row for part in average_sizes(kept, weights) for row in trends_of(part)]
    counts = {target: int((own != 0).sum()) for target, own in weights.items()}
    table = pd.DataFrame(rows).reindex(columns=TREND_COLUMNS)
    table["num_languages"] = table["target"].map(counts | {ALL: sum(counts.values())})
    asked = ~table["placebo"].astype(bool) & ((table["quantity"] == "change") | (table["intermediate"] == BASELINE))
    for whole, adjust in ((True, adjust_holm), (False, adjust_benjamini_hochberg)):
        family = asked & ((table["target"] == ALL) == whole)
        table.loc[family, "p_adjusted"] = adjust(table.loc[family, "p"])
    return table


def trends_of(part: SizeScores) -> list[dict]:
    """The rows of `slope_trends` of one target, or of the mean over them."""
    rows = []
    for quantity, first in (("slope", 0), ("change", 1)):
        values, drawn = (
            None if scores is None else scores[..., first:] - first * scores[..., :1]
            for scores in (part.points, part.resampled)
        )
        rows += describe_trends(part, part.arms[first:], values, drawn, dict(target=part.target, quantity=quantity))
    return rows


def gains_by_distance(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """One row per target, arm and language above its floor: `gain` (points, mean over seeds), `distance`, `placebo`;
    languages without a distance left out, and targets with fewer than MIN_LANGUAGES above their floor."""
    tables = [pd.DataFrame(columns="encoder target intermediate placebo eval_language gain distance".split())]
    for cube in cubes:
        if (~cube.at_floor).sum() < MIN_LANGUAGES:
            continue
        distance = np.array([row["distance"] for row in load_distances(cube.languages)])
        for place, arm in enumerate(cube.arms[1:], start=1):
            chosen = np.isfinite(distance) & ~cube.at_floor & cube.zero_shot[place]
            gain = (cube.points[:, place] - cube.points[:, 0]).mean(axis=0)[chosen]
            where = dict(encoder=cube.encoder, target=cube.target) | name_arm(arm)
            codes = [code for code, used in zip(cube.languages, chosen, strict=True) if used]
            tables.append(pd.DataFrame(where | dict(eval_language=codes, gain=gain, distance=distance[chosen])))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
