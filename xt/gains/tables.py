"""Gains per target, and per language: tables with tests."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.gains.cubes import ScoreCube
from xt.gains.shared_data import is_placebo, trains_on_same_data
from xt.stats import GainTest, adjust_benjamini_hochberg, adjust_holm, gain_test

GAIN_COLUMNS = (
    "encoder target intermediate gain low high p p_holm baseline relative error_reduction num_languages "
    "num_at_floor num_trained_in num_seeds seed_sd kind placebo same_data"
).split()
"""Columns of `gain_table`."""


def compare_arms(cube: ScoreCube, languages: np.ndarray) -> GainTest:
    """The primary test of a cube's arms on the mean over these languages, a mask (L,)."""
    points = cube.points[..., languages].mean(axis=-1)
    if cube.resampled is None:
        return gain_test(points, None)
    gains = cube.resampled[:, :, 1:, languages] - cube.resampled[:, :, :1, languages]
    return gain_test(points, gains.mean(axis=(1, 3)).var(axis=0))


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
