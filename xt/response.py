"""Does an instrument respond to what is known about its languages, and stay quiet where nothing is?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.distances import load_distances
from xt.errors import DataError
from xt.gains import ScoreCube, compare_arms
from xt.stats import adjust_holm, gain_test

COMPONENTS = ("syntactic", "lexical", "genetic", "script")
"""The distances of `xt.distances`."""
PREDICTORS = (*COMPONENTS, "log_resource")
"""What enters a model of scores together; `log_resource` is log2(1 + thousands of words of pretraining text)."""


def baseline_by_language(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """One row per encoder, target and zero-shot language: the baseline's `score` (points, mean over seeds) beside the
    language's distances from the training language, `resource` and `log_resource`."""
    frames = []
    for cube in cubes:
        table = pd.DataFrame(load_distances(cube.languages)).rename(columns={"language": "eval_language"})
        score = cube.points[:, 0].mean(axis=0)
        frames.append(table.assign(encoder=cube.encoder, target=cube.target, score=score, at_floor=cube.at_floor))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(log_resource=np.log2(1 + frame["resource"].astype(float) / 1000))


def distance_slopes(scores: pd.DataFrame) -> pd.DataFrame:
    """How a target's scores go with each predictor, all entered together, over the languages seen in pretraining.

    One row per target and predictor: `slope` (points from the nearest to the farthest of the table's languages) with
    its 95 % interval (`low`, `high`), `vif` (variance inflation), `num_languages`. Ordinary least squares with HC3
    errors (MacKinnon and White 1985); the unit is a language, so the intervals say nothing about other worlds.
    """
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    rows = []
    for target, cell in scores[scores["resource"] > 0].groupby("target", sort=False):
        if len(cell) < len(PREDICTORS) + 3:
            raise DataError(
                f"{target}: {len(cell)} languages for {len(PREDICTORS)} predictors; needed: 3 more than those"
            )
        known = cell[list(PREDICTORS)].astype(float)
        design = sm.add_constant((known - known.min()) / (known.max() - known.min()))
        fit = sm.OLS(cell["score"].to_numpy(float), design).fit(cov_type="HC3", use_t=True)
        for place, (name, (low, high)) in enumerate(fit.conf_int().drop("const").iterrows(), start=1):
            inflation = variance_inflation_factor(design.to_numpy(), place)
            row = dict(target=target, predictor=name, slope=fit.params[name], low=low, high=high, vif=inflation)
            rows.append(row | dict(num_languages=len(cell)))
    return pd.DataFrame(rows)


def unseen_gap(scores: pd.DataFrame) -> pd.DataFrame:
    """What languages without pretraining text lack, beside what their distances alone would predict.

    One row per target and unseen language: `score`, `predicted` from the seen languages at the least resource there
    is, the 95 % prediction interval (`low`, `high`) and `gap` = score - predicted, in points.
    """
    import statsmodels.api as sm

    rows = []
    for target, cell in scores.groupby("target", sort=False):
        seen, unseen = cell[cell["resource"] > 0], cell[cell["resource"] == 0]
        least = unseen.assign(log_resource=seen["log_resource"].min())
        fit = sm.OLS(seen["score"].to_numpy(float), sm.add_constant(seen[list(PREDICTORS)].astype(float))).fit()
        design = sm.add_constant(least[list(PREDICTORS)].astype(float), has_constant="add")
        predicted = fit.get_prediction(design).summary_frame()
        rows += [
            dict(target=target, eval_language=code, score=score, predicted=mean, low=low, high=high, gap=score - mean)
            for code, score, mean, low, high in zip(
                unseen["eval_language"], unseen["score"], predicted["mean"], predicted["obs_ci_lower"],
                predicted["obs_ci_upper"], strict=True,
            )
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["target", "eval_language", "score", "predicted", "low", "high", "gap"])


def measured_noise(cube: ScoreCube) -> tuple[float, np.ndarray]:
    """(seed, items): the pooled residual standard deviation of one score over seeds, and that of each arm's gain by the
    choice of items, as far as they move every seed alike; points, of the mean over languages above their floor."""
    test = compare_arms(cube, ~cube.at_floor)
    return test.seed_sd, test.item_error


def simulate_tests(
    seed_sd: float,
    item_sd: np.ndarray,
    num_seeds: int,
    effect: float,
    num_studies: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """What the primary test says in studies whose truth is known: one row per simulated comparison.

    Each study has a baseline and len(item_sd) arms that differ from it by `effect` points, seed noise `seed_sd` in
    every score, and item noise `item_sd` in every gain. Columns `p`, `p_holm`, `covered` (by the interval).
    """
    frames, num_arms = [], len(item_sd) + 1
    for _ in range(num_studies):
        scores = rng.normal(0, seed_sd, (num_seeds, num_arms))
        scores[:, 1:] += effect + rng.normal(0, item_sd)
        test = gain_test(scores, item_sd**2)
        covered = (test.low <= effect) & (effect <= test.high)
        frames.append(pd.DataFrame({"p": test.p, "p_holm": adjust_holm(test.p), "covered": covered}))
    return pd.concat(frames, ignore_index=True)
