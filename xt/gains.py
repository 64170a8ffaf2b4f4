"""Gains of intermediate tasks over the baseline of the same seed, tested, on languages above their floor.

A cell is an (encoder, target, evaluation language).  Whether it is at its floor is decided once for all arms,
from the score averaged over arms (baseline included) and seeds, so that the choice cannot favour an arm.  Floor
cells are shown and stay out of every average.  Means are unweighted, over languages other than that of training; a
language that an arm was trained in before the target is not zero-shot for that arm, and its average leaves it out.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import ARMS, find_arm
from xt.errors import DataError
from xt.languages import LANGUAGE_ORDER
from xt.metrics import METRICS
from xt.reported import CELL, is_zero_shot, select_complete, select_primary
from xt.results import IMPORTED, has_stats, load_stats
from xt.stats import (
    NUM_RESAMPLES,
    GainTest,
    adjust_benjamini_hochberg,
    adjust_holm,
    cluster_bootstrap,
    gain_test,
    percentile_interval,
)
from xt.tasks import TASKS, Source

BASELINE = "none"
ROUNDING = 5e-5
"""Points by which a number in a score table may differ from the exact one."""
GAIN_COLUMNS = (
    "encoder target intermediate gain low high p p_holm baseline relative error_reduction num_languages "
    "num_at_floor num_trained_in num_seeds seed_sd kind placebo same_data"
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
    """L evaluation languages other than the target's training language, in LANGUAGE_ORDER."""
    points: np.ndarray
    """(S, K, L) scores."""
    resampled: np.ndarray | None
    """(R, S, K, L) the same under resampling of item clusters, jointly over all else that shares items; None where the
    scores were imported without their examples."""
    floors: np.ndarray
    """(L,) the score that a trivial answer gets; NaN where unknown, the highest where runs differ."""
    zero_shot: np.ndarray
    """(K, L) whether the arm was not trained in the language."""

    @property
    def mean_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each (L,): 95 % item-cluster interval of the mean over all arms and seeds; NaN where the items
        are not known, so that no language can be told to be at its floor."""
        if self.resampled is None:
            return (np.full(len(self.languages), np.nan),) * 2
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
    rows = rows[rows["eval_language"] != rows["train_language"].fillna("")]
    target, encoder = rows["target"].iloc[0], rows["encoder"].iloc[0]
    arms = order_by(ARMS, rows["intermediate"])
    languages = order_by(LANGUAGE_ORDER, rows["eval_language"])
    seeds = tuple(sorted(int(seed) for seed in rows["seed"].unique()))
    axes = pd.MultiIndex.from_product([seeds, arms, languages])
    points = rows.set_index(["seed", "intermediate", "eval_language"])["score"].reindex(axes)
    sums, resampled = load_cluster_sums(rows, seeds, arms, results), None
    if sums is not None:
        resampled = resample(sums, languages, TASKS[target], (len(seeds), len(arms)), rng, num_resamples)
    floors = rows.groupby("eval_language")["floor"].max().reindex(languages)
    shape = (len(seeds), len(arms), len(languages))
    zero_shot = rows.assign(new=is_zero_shot(rows)).groupby(["intermediate", "eval_language"])["new"].all()
    return ScoreCube(
        encoder,
        target,
        arms,
        seeds,
        languages,
        points.to_numpy(float).reshape(shape),
        resampled,
        floors.to_numpy(float, na_value=np.nan),
        zero_shot.unstack().loc[list(arms), list(languages)].to_numpy(bool),
    )


def order_by(known: Iterable[str], values: pd.Series) -> tuple[str, ...]:
    """The distinct values, those of `known` first and in its order, the rest sorted."""
    there = set(values)
    return tuple([name for name in known if name in there] + sorted(there.difference(known)))


def load_cluster_sums(rows: pd.DataFrame, seeds: Sequence[int], arms: Sequence[str], results) -> pd.DataFrame | None:
    """Statistics summed per (language, cluster), one block of columns per run, runs seed by seed; None where all of
    these runs were imported without statistics. Raises DataError where some were, or examples differ."""
    made = rows.drop_duplicates("run_id")
    there = [has_stats(run.study, run.run_id, results) for run in made.itertuples()]
    if not any(there) and (made["preset"] == IMPORTED).all():
        return None
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
    points = cube.points[..., languages].mean(axis=-1)
    if cube.resampled is None:
        return gain_test(points, None)
    gains = cube.resampled[:, :, 1:, languages] - cube.resampled[:, :, :1, languages]
    return gain_test(points, gains.mean(axis=(1, 3)).var(axis=0))


def load_cubes(
    scores: pd.DataFrame,
    rng: np.random.Generator,
    results: Path | str | None = None,
    num_resamples: int = NUM_RESAMPLES,
    min_seeds: int = 2,
) -> list[ScoreCube]:
    """One cube per encoder and target that has a baseline and an arm at `min_seeds` seeds or more."""
    rows = select_complete(select_primary(scores))
    rows = rows.assign(target=pd.Categorical(rows["target"], order_by(TASKS, rows["target"])))
    cells = [cell for _, cell in rows.groupby(CELL, observed=True) if is_testable(cell, min_seeds)]
    return [load_cube(cell.astype({"target": str}), rng, results, num_resamples) for cell in cells]


def is_testable(cell: pd.DataFrame, min_seeds: int) -> bool:
    """Whether the rows of an encoder and target hold a baseline and another arm, at enough seeds."""
    arms = set(cell["intermediate"])
    return BASELINE in arms and len(arms) > 1 and cell["seed"].nunique() >= min_seeds


def gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """The primary results, over languages above their floor: one row per encoder, target and arm.

    `gain, low, high` (points), `p`, `p_holm` (within encoder and target; missing for placebo arms),
    `baseline` (points), `relative` (gain as a share of the baseline), `error_reduction` (as a share of the
    remaining error), `num_languages`, `num_at_floor`, `num_trained_in` (languages left out because the arm was
    trained in them), `num_seeds`, `seed_sd`, `kind` of interval, `placebo`, `same_data` (the target trains on the
    intermediate task's data again).  Where no language is left, the gain is missing.
    """
    empty = pd.DataFrame(columns=GAIN_COLUMNS)
    return pd.concat([tabulate_gains(cube) for cube in cubes] or [empty], ignore_index=True)[GAIN_COLUMNS]


def tabulate_gains(cube: ScoreCube) -> pd.DataFrame:
    """The rows of `gain_table` of one cube."""
    frame = pd.concat([tabulate_arm(cube, place) for place in range(1, len(cube.arms))], ignore_index=True)
    tested = frame["p"].astype(float).mask(frame["placebo"].astype(bool))
    return frame.assign(p_holm=adjust_holm(tested))


def tabulate_arm(cube: ScoreCube, place: int) -> pd.DataFrame:
    """The row of one arm, over the languages above their floor that it was not trained in; without a gain where there
    is none. The seed variance is that of all arms on the same languages."""
    arm, chosen = cube.arms[place], ~cube.at_floor & cube.zero_shot[place]
    row = {
        "encoder": cube.encoder, "target": cube.target, "intermediate": arm, "placebo": is_placebo(arm),
        "same_data": trains_on_same_data(arm, cube.target), "num_languages": int(chosen.sum()),
        "num_at_floor": int(cube.at_floor.sum()), "num_trained_in": int((~cube.zero_shot[place]).sum()),
        "num_seeds": len(cube.seeds),
    }  # fmt: skip
    if chosen.any():
        test, baseline = compare_arms(cube, chosen), cube.points[:, 0, chosen].mean()
        gain = test.gain[place - 1]
        row |= dict(
            gain=gain, low=test.low[place - 1], high=test.high[place - 1], p=test.p[place - 1], baseline=baseline,
            relative=gain / baseline, error_reduction=gain / (100 - baseline), seed_sd=test.seed_sd, kind=test.kind,
        )  # fmt: skip
    return pd.DataFrame([row]).reindex(columns=GAIN_COLUMNS)


def is_placebo(arm: str) -> bool:
    """Whether an arm is a check of the procedure and no hypothesis; an arm without a row is none."""
    row = find_arm(arm)
    return bool(row and row.placebo)


def trains_on_same_data(arm: str, target: str) -> bool:
    """Whether the target trains once more on data of this arm, in whatever language: on the same training task, or on
    rows of a dataset that both draw from (MNLI is part of anli_plus, SQuAD of its version 2)."""
    row, own = find_arm(arm), TASKS[target].training_task
    if row is None or own is None:
        return False
    return row.of_target or any(
        shares_rows(before, after) for before in training_sources(row.tasks) for after in training_sources([own])
    )


def training_sources(tasks: Iterable[str]) -> list[Source]:
    """The rows that these tasks train on, as named in the task table."""
    rows = [TASKS[name] for name in tasks]
    return [source for task in rows for source in (task.training, *task.more_training) if source]


def shares_rows(one: Source, other: Source) -> bool:
    """Whether two sources name one config of a dataset, or two versions of one dataset (`squad`, `squad_v2`)."""
    if one.dataset == other.dataset:
        return one.config == other.config
    first, second = (re.sub(r"_v\d+$", "", source.dataset) for source in (one, other))
    return first == second


def language_gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """Exploratory: one row per encoder, target, arm and language other than the target's training language, floor
    cells and those that an arm was trained in (`zero_shot` False) included.

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
        gains["zero_shot"] = cube.zero_shot[1:, place]
        frames.append(pd.DataFrame({**cell, **gains}))
    frame = pd.concat(frames, ignore_index=True)
    frame["placebo"] = frame["intermediate"].map(is_placebo)
    tested = ~(frame["placebo"] | frame["at_floor"])
    frame["p_bh"] = adjust_benjamini_hochberg(frame["p"].where(tested))
    return frame
