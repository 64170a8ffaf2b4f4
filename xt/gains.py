"""Gains of intermediate tasks over the baseline of the same seed, tested, on languages above their floor.

A cell is an (encoder, target, evaluation language).  Whether it is at its floor is decided once for all arms,
from the score averaged over arms (baseline included) and seeds, so that the choice cannot favour an arm.  Floor
cells are shown and stay out of every average.  Means are unweighted, over languages other than that of training.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import ARMS
from xt.errors import DataError
from xt.languages import LANGUAGE_ORDER
from xt.metrics import METRICS
from xt.reported import CELL, is_zero_shot, select_complete, select_primary
from xt.results import load_stats
from xt.stats import (
    NUM_RESAMPLES,
    GainTest,
    adjust_benjamini_hochberg,
    adjust_holm,
    cluster_bootstrap,
    gain_test,
    percentile_interval,
)
from xt.tasks import TASKS

BASELINE = "none"
ROUNDING = 5e-5
"""Points by which a number in a score table may differ from the exact one."""
GAIN_COLUMNS = (
    "encoder target intermediate gain low high p p_holm baseline relative error_reduction num_languages "
    "num_at_floor num_seeds seed_sd kind placebo same_data"
).split()
"""Columns of `gain_table`."""


@dataclass(frozen=True, slots=True)
class ScoreCube:
    """All zero-shot scores of one encoder and target, as tested."""

    encoder: str
    """Encoder of all arms."""
    target: str
    """Target task of all arms."""
    arms: tuple[str, ...]
    """K arms, the baseline first."""
    seeds: tuple[int, ...]
    """S seeds, each with every arm."""
    languages: tuple[str, ...]
    """L evaluation languages other than the training language, in LANGUAGE_ORDER."""
    points: np.ndarray
    """(S, K, L) scores."""
    resampled: np.ndarray
    """(R, S, K, L) the same under resampling of item clusters, jointly over all else that shares items."""
    floors: np.ndarray
    """(L,) the score that a trivial answer gets; NaN where unknown, the highest where runs differ."""

    @property
    def mean_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each (L,): 95 % item-cluster interval of the mean over all arms and seeds."""
        return percentile_interval(self.resampled.mean(axis=(1, 2)))

    @property
    def at_floor(self) -> np.ndarray:
        """(L,) whether that interval reaches down to the floor."""
        return self.mean_interval[0] <= self.floors + ROUNDING


def load_cube(
    rows: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None, num_resamples: int = NUM_RESAMPLES
) -> ScoreCube:
    """The cube of one encoder and target from its primary, complete rows and the statistics of their runs.

    Raises DataError when a run was scored on other examples than the rest.
    """
    rows = rows[is_zero_shot(rows)]
    target, encoder = rows["target"].iloc[0], rows["encoder"].iloc[0]
    arms = order_by(ARMS, rows["intermediate"])
    languages = order_by(LANGUAGE_ORDER, rows["eval_language"])
    seeds = tuple(sorted(int(seed) for seed in rows["seed"].unique()))
    axes = pd.MultiIndex.from_product([seeds, arms, languages])
    points = rows.set_index(["seed", "intermediate", "eval_language"])["score"].reindex(axes)
    sums = load_cluster_sums(rows, seeds, arms, results)
    resampled = resample(sums, languages, TASKS[target], (len(seeds), len(arms)), rng, num_resamples)
    floors = rows.groupby("eval_language")["floor"].max().reindex(languages)
    shape = (len(seeds), len(arms), len(languages))
    return ScoreCube(
        encoder,
        target,
        arms,
        seeds,
        languages,
        points.to_numpy(float).reshape(shape),
        resampled,
        floors.to_numpy(float, na_value=np.nan),
    )


def order_by(known: Iterable[str], values: pd.Series) -> tuple[str, ...]:
    """The distinct values, those of `known` first and in its order, the rest sorted."""
    there = set(values)
    return tuple([name for name in known if name in there] + sorted(there.difference(known)))


def load_cluster_sums(rows: pd.DataFrame, seeds: Sequence[int], arms: Sequence[str], results) -> pd.DataFrame:
    """Statistics summed per (language, cluster), one block of columns per run, runs seed by seed."""
    runs = rows.drop_duplicates("run_id").set_index(["seed", "intermediate"])
    metric = METRICS[rows["metric"].iloc[0]]
    columns = [f"{metric.name}.{column}" for column in metric.columns]
    blocks = {}
    for seed in seeds:
        for arm in arms:
            run = runs.loc[(seed, arm)]
            where = {key: None if pd.isna(run[key]) else run[key] for key in ("layer", "direction")}
            stats = load_stats(run["study"], run["run_id"], results, **where)
            blocks[seed, arm] = stats.groupby(["eval_language", "cluster"], observed=True)[columns].sum()
    sums = pd.concat(blocks, axis=1)
    if sums.isna().to_numpy().any():
        language, cluster = sums.index[sums.isna().any(axis=1)][0]
        raise DataError(
            f"runs {', '.join(runs['run_id'])}: cluster {cluster!r} of {language} is not in all of "
            "them; allowed: runs scored on the same examples"
        )
    return sums


def resample(
    sums: pd.DataFrame,
    languages: Sequence[str],
    task,
    shape: tuple[int, int],
    rng: np.random.Generator,
    num_resamples: int,
) -> np.ndarray:
    """(R, S, K, L) points: clusters drawn once for all languages of a parallel task, else per language."""
    reduce = METRICS[task.metrics[0]].reduce
    together = [tuple(languages)] if task.parallel else [(code,) for code in languages]
    blocks = []
    for codes in together:
        block = sums.loc[list(codes)].unstack("eval_language", fill_value=0)  # (C, S * K * k * languages)
        stats = block.to_numpy(float).reshape(len(block), *shape, -1, len(codes))
        stats = stats[..., [block.columns.get_level_values(-1)[: len(codes)].get_loc(code) for code in codes]]
        blocks.append(cluster_bootstrap(stats.swapaxes(-1, -2), block.index, reduce, rng, num_resamples))
    return np.concatenate(blocks, axis=-1)


def compare_arms(cube: ScoreCube, languages: np.ndarray) -> GainTest:
    """The primary test of a cube's arms on the mean over these languages, a mask (L,)."""
    gains = cube.resampled[:, :, 1:, languages] - cube.resampled[:, :, :1, languages]
    return gain_test(cube.points[..., languages].mean(axis=-1), gains.mean(axis=(1, 3)).var(axis=0))


def load_cubes(
    scores: pd.DataFrame,
    rng: np.random.Generator,
    results: Path | str | None = None,
    num_resamples: int = NUM_RESAMPLES,
) -> list[ScoreCube]:
    """One cube per encoder and target that has a baseline and an arm at two seeds or more."""
    rows = select_complete(select_primary(scores))
    rows = rows.assign(target=pd.Categorical(rows["target"], order_by(TASKS, rows["target"])))
    cells = [cell for _, cell in rows.groupby(CELL, observed=True) if is_testable(cell)]
    return [load_cube(cell.astype({"target": str}), rng, results, num_resamples) for cell in cells]


def is_testable(cell: pd.DataFrame) -> bool:
    """Whether the rows of an encoder and target hold a baseline and another arm, at two seeds or more."""
    arms = set(cell["intermediate"])
    return BASELINE in arms and len(arms) > 1 and cell["seed"].nunique() > 1


def gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """The primary results, over languages above their floor: one row per encoder, target and arm.

    `gain, low, high` (points), `p`, `p_holm` (within encoder and target; missing for placebo arms),
    `baseline` (points), `relative` (gain as a share of the baseline), `error_reduction` (as a share of the
    remaining error), `num_languages`, `num_at_floor`, `num_seeds`, `seed_sd`, `kind` of interval, `placebo`,
    `same_data` (the target trains on the intermediate task's data again).  Where all languages are at their
    floor, the gain is missing.
    """
    empty = pd.DataFrame(columns=GAIN_COLUMNS)
    return pd.concat([tabulate_gains(cube) for cube in cubes] or [empty], ignore_index=True)[GAIN_COLUMNS]


def tabulate_gains(cube: ScoreCube) -> pd.DataFrame:
    """The rows of `gain_table` of one cube."""
    above = ~cube.at_floor
    arms = cube.arms[1:]
    placebo = np.array([is_placebo(arm) for arm in arms])
    frame = pd.DataFrame({
        "encoder": cube.encoder, "target": cube.target, "intermediate": arms, "placebo": placebo,
        "same_data": [trains_on_same_data(arm, cube.target) for arm in arms],
        "num_languages": int(above.sum()), "num_at_floor": int((~above).sum()), "num_seeds": len(cube.seeds),
    })  # fmt: skip
    if not above.any():
        return frame.reindex(columns=GAIN_COLUMNS)
    test, baseline = compare_arms(cube, above), cube.points[:, 0, above].mean()
    return frame.assign(
        gain=test.gain, low=test.low, high=test.high, p=test.p, p_holm=adjust_holm(np.where(placebo, np.nan, test.p)),
        baseline=baseline, relative=test.gain / baseline, error_reduction=test.gain / (100 - baseline),
        seed_sd=test.seed_sd, kind=test.kind,
    )  # fmt: skip


def is_placebo(arm: str) -> bool:
    """Whether an arm is a check of the procedure and no hypothesis; an arm not in the table is none."""
    return arm in ARMS and ARMS[arm].placebo


def trains_on_same_data(arm: str, target: str) -> bool:
    """Whether the target trains once more on the task of this arm."""
    return arm in ARMS and (bool(ARMS[arm].steps_as) or TASKS[target].training_task in ARMS[arm].tasks)


def language_gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """Exploratory: one row per encoder, target, arm and zero-shot language, floor cells included.

    `gain, low, high` (points), `p`, `p_bh` (Benjamini-Hochberg over the arms and languages of an encoder and
    target; missing for placebo arms and floor cells), `score` (mean over arms and seeds) with its item-cluster
    interval `score_low, score_high`, `floor`, `at_floor`, `placebo`.  Raises DataError where there is no cube.
    """
    if not cubes:
        raise DataError("no gain can be tested: no encoder and target has a baseline and an arm at two seeds")
    return pd.concat([tabulate_language_gains(cube) for cube in cubes], ignore_index=True)


def tabulate_language_gains(cube: ScoreCube) -> pd.DataFrame:
    """The rows of `language_gain_table` of one cube."""
    cells = pd.DataFrame({
        "encoder": cube.encoder, "target": cube.target, "eval_language": cube.languages,
        "score": cube.points.mean(axis=(0, 1)), "score_low": cube.mean_interval[0],
        "score_high": cube.mean_interval[1], "floor": cube.floors, "at_floor": cube.at_floor,
    })  # fmt: skip
    frames = []
    for place, cell in cells.iterrows():
        test = compare_arms(cube, cells.index == place)
        gains = dict(intermediate=cube.arms[1:], gain=test.gain, low=test.low, high=test.high, p=test.p)
        frames.append(pd.DataFrame({**cell, **gains}))
    frame = pd.concat(frames, ignore_index=True)
    frame["placebo"] = frame["intermediate"].map(is_placebo)
    tested = ~(frame["placebo"] | frame["at_floor"])
    frame["p_bh"] = adjust_benjamini_hochberg(frame["p"].where(tested))
    return frame
