"""Do scores go with what is known of the languages: distances, what pretraining read, subwords?"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from xt.distances import COMPONENTS, LAB_COMPONENTS, load_distances
from xt.errors import DataError
from xt.exposure import load_exposure
from xt.gains import MIN_LANGUAGES, Means, ScoreCube, combine_languages, compare_means, is_placebo, keep_arms
from xt.languages import get_language
from xt.stats.robustness import interval_of_means

PREDICTORS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "lab": (*LAB_COMPONENTS, "log_resource"), "real": ("syntactic", "genetic", "geographic", "script", "log_resource"),
})  # fmt: skip
"""Scale of the distances -> what enters a model of scores together; for `log_resource` see `xt.exposure`."""
WORD_TARGET = "udpos"
"""The target whose fertility stands for a language: its words are a treebank's in every script."""


def tabulate_languages(encoder: str, codes: Sequence[str], subwords: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per language, as far as it is known: `eval_language`, the columns of `xt.distances.load_distances`,
    `family` (without branch), `resource`, `unit`, `log_resource` and `seen` of this encoder's pretraining, and (from
    `xt.subwords.load_subwords`) `fertility` and `overlap`: of WORD_TARGET where that was counted, else the mean over
    targets. Raises DataError where languages of the lab and real ones are mixed: their distances do not compare.
    """
    table = pd.DataFrame(load_distances(codes)).drop(columns="resource").merge(
        pd.DataFrame(load_exposure(encoder, codes)), on="language"
    )  # fmt: skip
    if table["scale"].nunique() > 1:
        raise DataError(f"{encoder}: scored in languages of the lab and in real ones; allowed: either")
    table = table.rename(columns={"language": "eval_language"})
    table["family"] = [get_language(code).top_family for code in codes]
    for name in ("fertility", "overlap"):
        known = {} if subwords is None else spoken(subwords[subwords["encoder"] == encoder], name)
        table[name] = table["eval_language"].map(known).astype(float)
    return table


def spoken(subwords: pd.DataFrame, name: str) -> dict[str, float]:
    """Language -> a count of `xt.subwords`: that of WORD_TARGET, else the mean over targets."""
    means = subwords.groupby("eval_language")[name].mean().astype(float)
    words = subwords[subwords["target"] == WORD_TARGET].set_index("eval_language")[name].astype(float)
    return (means.to_dict() | words.dropna().to_dict()) if len(subwords) else {}


def baseline_by_language(cubes: Sequence[ScoreCube], subwords: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per encoder, target and zero-shot language: the baseline's `score` (points, mean over seeds), `at_floor`,
    and what is known of the language (`tabulate_languages`)."""
    frames = []
    for cube in cubes:
        table = tabulate_languages(cube.encoder, cube.languages, subwords)
        score = cube.points[:, 0].mean(axis=0)
        frames.append(table.assign(encoder=cube.encoder, target=cube.target, score=score, at_floor=cube.at_floor))
    empty = pd.DataFrame(columns=["eval_language", "scale", "resource", "encoder", "target", "score", "at_floor"])
    return pd.concat(frames or [empty], ignore_index=True)


def select_above(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of `baseline_by_language` of targets with MIN_LANGUAGES languages above their floor."""
    above = (~scores["at_floor"].astype(bool)).groupby([scores["encoder"], scores["target"]]).transform("sum")
    return scores[above >= MIN_LANGUAGES]


def list_predictors(scores: pd.DataFrame) -> list[str]:
    """PREDICTORS of a table's scale; of an empty table none."""
    return list(PREDICTORS[scores["scale"].iloc[0]]) if len(scores) else []


def predictors_of(scores: pd.DataFrame) -> tuple[str, ...]:
    """PREDICTORS of a table's scale, and fertility where it was counted; without those that are known of no language,
    or are the same in all."""
    names = [*list_predictors(scores), *(["fertility"] if "fertility" in scores else [])]
    return tuple(name for name in names if scores[name].nunique() > 1)


def distance_slopes(scores: pd.DataFrame) -> pd.DataFrame:
    """How a target's scores go with each of PREDICTORS, all entered together, over the languages seen in pretraining
    of which all are known, of targets that `select_above` keeps.

    One row per target and predictor: `slope` (points from the nearest to the farthest of the table's languages) with
    its 95 % interval (`low`, `high`), `vif` (variance inflation), `num_languages`. Ordinary least squares with HC3
    errors (MacKinnon and White 1985); the unit is a language, so the intervals say nothing about other worlds.
    """
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    rows, names, above = [], list_predictors(scores), select_above(scores)
    for target, cell in above[above["resource"] > 0].dropna(subset=names).groupby("target", sort=False):
        if len(cell) < len(names) + 3:
            raise DataError(f"{target}: {len(cell)} languages for {len(names)} predictors; needed: 3 more than those")
        known = cell[names].astype(float)
        design = sm.add_constant((known - known.min()) / (known.max() - known.min()))
        fit = sm.OLS(cell["score"].to_numpy(float), design).fit(cov_type="HC3", use_t=True)
        for place, (name, (low, high)) in enumerate(fit.conf_int().drop("const").iterrows(), start=1):
            inflation = variance_inflation_factor(design.to_numpy(), place)
            row = dict(target=target, predictor=name, slope=fit.params[name], low=low, high=high, vif=inflation)
            rows.append(row | dict(num_languages=len(cell)))
    return pd.DataFrame(rows, columns="target predictor slope low high vif num_languages".split())


def unseen_gap(scores: pd.DataFrame) -> pd.DataFrame:
    """What languages without pretraining text lack, beside what their distances alone would predict.

    One row per target and unseen language: `score`, `predicted` from the seen languages at the least resource there
    is, the 95 % prediction interval (`low`, `high`) and `gap` = score - predicted, in points. A target without unseen
    languages, or with too few seen ones, has no row.
    """
    import statsmodels.api as sm

    rows, names = [], list_predictors(scores)
    for target, cell in scores.dropna(subset=names).groupby("target", sort=False):
        seen, unseen = cell[cell["resource"] > 0], cell[cell["resource"] == 0]
        if unseen.empty or len(seen) < len(names) + 3:
            continue
        least = unseen.assign(log_resource=seen["log_resource"].min())
        fit = sm.OLS(seen["score"].to_numpy(float), sm.add_constant(seen[names].astype(float))).fit()
        design = sm.add_constant(least[names].astype(float), has_constant="add")
        predicted = fit.get_prediction(design).summary_frame()
        rows += [
            dict(target=target, eval_language=code, score=score, predicted=mean, low=low, high=high, gap=score - mean)
            for code, score, mean, low, high in zip(
                unseen["eval_language"], unseen["score"], predicted["mean"], predicted["obs_ci_lower"],
                predicted["obs_ci_upper"], strict=True,
            )
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["target", "eval_language", "score", "predicted", "low", "high", "gap"])


def rank_correlations(scores: pd.DataFrame) -> pd.DataFrame:
    """How zero-shot scores of the baseline rank with each distance and with `log_resource`, one at a time.

    `scores` is `baseline_by_language`; targets are those that `select_above` keeps. One row per encoder, target and
    component known of four languages or more: Spearman's `rho` with the 95 % interval `low, high` of Bonett and Wright
    (2000), atanh(rho) with standard error sqrt((1 + rho^2 / 2) / (n - 3)), and `num_languages` n. The unit is a
    language. NaN where all scores are the same.
    """
    from scipy.stats import norm, rankdata

    rows = []
    for (encoder, target), cell in select_above(scores).groupby(["encoder", "target"], sort=False):
        for name in ("distance", *COMPONENTS, "log_resource"):
            known = cell[["score", name]].astype(float).dropna()
            if len(known) < 4 or known[name].nunique() < 2:
                continue
            ranks = [rankdata(known[column]) for column in ("score", name)]
            rho = float(np.corrcoef(ranks)[0, 1]) if np.ptp(ranks[0]) else np.nan
            half = norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (len(known) - 3))
            centre = np.arctanh(np.clip(rho, -0.9999, 0.9999))
            row = dict(encoder=encoder, target=target, component=name, rho=rho, low=np.tanh(centre - half))
            rows.append(row | dict(high=np.tanh(centre + half), num_languages=len(known)))
    return pd.DataFrame(rows, columns="encoder target component rho low high num_languages".split())


def compare_unseen(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """Languages that pretraining never saw against those that it saw: mean of the former less mean of the latter.

    One row per encoder, target and arm: of the baseline the difference in score, over all zero-shot languages
    (`difference, low, high`, over seeds and items), of every arm that was trained in none of them the difference in
    gain, over those above their floor, with `p` of the primary test and `placebo`; `num_unseen, num_seen`. No rows of a
    cube without both kinds, or of an encoder whose pretraining is not known; none of gains where fewer than
    MIN_LANGUAGES languages are above the floor.
    """
    rows = []
    for cube in cubes:
        seen = [row["seen"] for row in load_exposure(cube.encoder, cube.languages)]
        if None in seen:
            continue
        above = ~cube.at_floor & ((~cube.at_floor).sum() >= MIN_LANGUAGES)
        elsewhere = keep_arms(cube, cube.zero_shot.all(axis=1))
        for part, chosen, describe in (
            (cube, np.ones(len(seen), bool), describe_level),
            (elsewhere, above & (len(elsewhere.arms) > 1), describe_changes),
        ):
            groups = [chosen & (np.array(seen) == kind) for kind in (False, True)]
            if not all(group.any() for group in groups):
                continue
            means = combine_languages(part, groups[0] / groups[0].sum() - groups[1] / groups[1].sum())
            counts = dict(num_unseen=int(groups[0].sum()), num_seen=int(groups[1].sum()))
            rows += [dict(encoder=cube.encoder, target=cube.target) | row | counts for row in describe(means)]
    columns = "encoder target intermediate placebo difference low high p num_unseen num_seen".split()
    return pd.DataFrame(rows, columns=columns)


def describe_level(means: Means) -> list[dict]:
    """One row: the baseline's own value with its interval."""
    value, low, high = (array[0] for array in interval_of_means(means.points, means.resampled, means.num_clusters))
    return [dict(intermediate=means.arms[0], placebo=False, difference=value, low=low, high=high, p=np.nan)]


def describe_changes(means: Means) -> list[dict]:
    """A row per arm: what it changes in the baseline's value, by the primary test."""
    test = compare_means(means)
    return [
        dict(intermediate=arm, placebo=is_placebo(arm), difference=gain, low=low, high=high, p=p)
        for arm, gain, low, high, p in zip(means.arms[1:], test.gain, test.low, test.high, test.p, strict=True)
    ]
