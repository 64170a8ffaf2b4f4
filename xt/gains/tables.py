"""Gains per target, and per language: tables with tests."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.gains.cubes import ScoreCube
from xt.gains.means import Means, average_languages, compare_means
from xt.gains.shared_data import is_placebo, trains_on_same_data
from xt.stats import GainTest, adjust_benjamini_hochberg, adjust_family

GAIN_COLUMNS = (
    "encoder target intermediate gain low high p p_holm standard_error df baseline relative error_reduction "
    "num_languages num_at_floor num_trained_in num_seeds seed_sd item_error kind placebo same_data lacking"
).split()
"""Columns of `gain_table`."""
LANGUAGE_GAIN_COLUMNS = (
    "encoder target eval_language score score_low score_high floor at_floor intermediate gain low high p zero_shot "
    "placebo p_bh"
).split()
"""Columns of `language_gain_table`."""


def compare_arms(cube: ScoreCube, languages: np.ndarray) -> GainTest:
    """The primary test of a cube's arms on the mean over these languages, a mask (L,)."""
    return compare_means(average_languages(cube, languages))


def gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """The primary results, over languages above their floor: one row per encoder, target and arm.

    `gain, low, high` (points), `p`, `p_holm` (within encoder and target; missing for placebo arms),
    `baseline` (points), `relative` (gain as a share of the baseline), `error_reduction` (as a share of the
    remaining error), `num_languages`, `num_at_floor`, `num_trained_in` (languages left out because the arm was
    trained in them), `num_seeds`, `seed_sd`, `kind` of interval, `placebo`, `same_data` (the target trains on the
    intermediate task's data again).  Where no language is left, the gain is missing, and `lacking` says why.
    """
    empty = pd.DataFrame(columns=GAIN_COLUMNS)
    return pd.concat([tabulate_gains(cube) for cube in cubes] or [empty], ignore_index=True)[GAIN_COLUMNS]


def tabulate_gains(cube: ScoreCube) -> pd.DataFrame:
    """The rows of `gain_table` of one cube."""
    above, tests = ~cube.at_floor, {}
    rows = []
    for place in range(1, len(cube.arms)):
        chosen = above & cube.zero_shot[place]
        if chosen.any() and chosen.tobytes() not in tests:
            tests[chosen.tobytes()] = measure_gains(average_languages(cube, chosen))
        rows.append(describe_arm(cube, place, above) | tabulate_arm(tests.get(chosen.tobytes()), place - 1))
    frame = pd.DataFrame(rows).reindex(columns=GAIN_COLUMNS)
    return frame.assign(p_holm=adjust_family(frame, ["encoder", "target"]))


def describe_arm(cube: ScoreCube, place: int, above: np.ndarray) -> dict:
    """What is compared with the baseline, and over how much: the columns of a row of `gain_table` without numbers."""
    arm = cube.arms[place]
    return {
        "encoder": cube.encoder, "target": cube.target, "intermediate": arm, "placebo": is_placebo(arm),
        "same_data": trains_on_same_data(arm, cube.target), "num_languages": int((above & cube.zero_shot[place]).sum()),
        "num_at_floor": int((~above).sum()), "num_trained_in": int((~cube.zero_shot[place]).sum()),
        "num_seeds": len(cube.seeds), "lacking": cube.find_lacking(arm, above),
    }  # fmt: skip


def measure_gains(means: Means) -> dict:
    """Gains of all arms on the same languages: the test, relative gains and the baseline, one value or array each.

    The seed variance is that of all arms. A share of nothing (a baseline of 0, or no error left) is missing.
    """
    test, baseline = compare_means(means), means.points[:, 0].mean()
    return dict(
        gain=test.gain, low=test.low, high=test.high, p=test.p, standard_error=test.standard_error, df=test.df,
        baseline=baseline, relative=test.gain / (baseline or np.nan), seed_sd=test.seed_sd,
        error_reduction=test.gain / (100 - baseline or np.nan), item_error=test.item_error, kind=test.kind,
    )  # fmt: skip


def tabulate_arm(measured: dict | None, place: int) -> dict:
    """The numbers of one arm out of `measure_gains`; none where no language is left."""
    if measured is None:
        return {}
    return {name: value[place] if np.ndim(value) else value for name, value in measured.items()}


def language_gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """Exploratory: one row per encoder, target, arm and language other than the target's training language, floor
    cells and those that an arm was trained in (`zero_shot` False) included.

    `gain, low, high` (points), `p`, `p_bh` (Benjamini-Hochberg over the arms and languages of an encoder and
    target; missing for placebo arms and floor cells), `score` (mean over seeds and the arms that were not trained in
    the language) with its 95 % item-cluster interval `score_low, score_high`, `floor`, `at_floor`, `placebo`; empty
    where there is no cube.
    """
    empty = pd.DataFrame(columns=LANGUAGE_GAIN_COLUMNS).astype({"at_floor": bool, "placebo": bool})
    return pd.concat([tabulate_language_gains(cube) for cube in cubes] or [empty], ignore_index=True)


def tabulate_language_gains(cube: ScoreCube) -> pd.DataFrame:
    """The rows of `language_gain_table` of one cube."""
    from scipy.special import stdtrit

    mean, error, df = cube.level
    half = stdtrit(df, 0.975) * error
    cells = pd.DataFrame({
        "encoder": cube.encoder, "target": cube.target, "eval_language": cube.languages, "score": mean,
        "score_low": mean - half, "score_high": mean + half, "floor": cube.floors, "at_floor": cube.at_floor,
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
