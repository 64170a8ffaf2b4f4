"""What scores go with: distance, resource, script and fertility together, in a mixed model of arm scores.

The model is of scores, not of gains: gains of one seed share a baseline, and their errors are not independent.

    score[e,t,a,l] = cell[e,t,a] + sum_k x[l,k] (b_k + c_ka) + size[e] distance[l] (f + g_a)
                   + family + language + target x language + arm x language + encoder x language
                   + distance[l] (encoder + encoder x arm) + error          (all but cell, b, c, f, g random)

averaged over seeds. A cell has its own mean, so that whatever all languages of a run share (seed, arm, target, encoder)
is in it and in no other coefficient; how large those random effects are is estimated apart (`seed_components`), and
what size does to means is `xt.stats.trend`'s. b_k is what a predictor does to the baseline's score, c_ka what it does
to the gain of arm a: points from the nearest to the farthest of the table's languages. f and g_a are the same per
doubling of the encoder's size, times the mean distance.

A coefficient of languages has as many independent observations as there are languages, one of sizes as many as there
are encoders: degrees of freedom are that number less the parameters of its level, and below MIN_DF there is no p value.
The standard errors take the variances as known, so with few languages an interval is a little too narrow.

Beside each p stands that of a permutation: the predictor's values are permuted over the languages of a family, and its
t in the ordinary regression of the languages' means on all predictors is compared with those of the permutations. In a
balanced table that regression and the mixed model give the same coefficients. A predictor that is the same throughout
every family cannot be permuted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.stats.reml import Grouping, MixedFit, fit_reml

BASELINE = "none"
MIN_DF = 5
"""Fewer degrees of freedom give no p value."""
SCORE, DISTANCE, SIZE = "score", "distance", "size"
"""Term of coefficients that describe the baseline's score; columns of the mean distance, and of log2 of a size."""
CELL = ["encoder", "target", "intermediate"]


@dataclass(frozen=True)
class ScoreModel:
    """A fitted model of scores."""

    coefficients: pd.DataFrame
    """`term` (SCORE, or the arm whose gain is described), `predictor`, `estimate` (points), `low, high` (95 %), `se`,
    `unit` (languages or encoders), `n`, `df`, `p`, `p_permuted`, `vif` (variance inflation over languages)."""
    components: pd.DataFrame
    """Standard deviation (points) and number of levels of every random effect; `at_boundary` where it ended at 0."""
    left_out: tuple[str, ...]
    """Languages without a value of some predictor."""
    converged: bool
    """Whether the search for the variances ended at a minimum."""
    notes: tuple[str, ...]
    """What a reader must know: how the search ended, which variances are 0, who was left out."""


def fit_scores(
    rows: pd.DataFrame, predictors: Sequence[str], rng: np.random.Generator, num_permutations: int = 2000
) -> ScoreModel:
    """Fits `rows`: one per encoder, target, arm, seed and language with `score`, `family`, the predictors, DISTANCE and
    (for several encoders) SIZE.

    Raises DataError where the baseline is absent, or fewer than two languages more than parameters are left.
    """
    kept, left_out = drop_unknown(rows, predictors)
    arms = [arm for arm in dict.fromkeys(kept["intermediate"]) if arm != BASELINE]
    cells = kept.groupby([*CELL, "eval_language"], sort=False, as_index=False).agg(
        {"score": "mean", "family": "first", SIZE: "first"} | dict.fromkeys([*predictors, DISTANCE], "mean")
    )
    languages = cells.groupby("eval_language", sort=False).agg(dict.fromkeys([*predictors, DISTANCE], "mean"))
    num_languages, num_encoders = len(languages), cells["encoder"].nunique()
    if BASELINE not in set(kept["intermediate"]) or num_languages < len(predictors) + 3:
        raise DataError(
            f"{num_languages} languages for {len(predictors)} predictors, arms {', '.join([*arms])}; allowed: the "
            f"baseline {BASELINE!r} among the arms, and {len(predictors) + 3} languages or more"
        )
    columns = design_columns(cells, languages, predictors, arms)
    dummies = pd.get_dummies(cells[CELL].agg(" ".join, axis=1)).to_numpy(float)
    fit = fit_reml(
        cells["score"].to_numpy(float), np.column_stack([dummies, *columns.values()]), find_groupings(cells, languages)
    )
    table = tabulate(fit, list(columns), dummies.shape[1], num_languages - len(predictors) - 1, num_encoders - 2)
    table["n"] = np.where(table["unit"] == "languages", num_languages, num_encoders)
    permuted = permute_predictors(kept, list(predictors), [SCORE, *arms], rng, num_permutations)
    inflation = inflate(scale(languages[list(predictors)]))
    table = table.merge(permuted, how="left", on=["term", "predictor"]).assign(vif=table["predictor"].map(inflation))
    components = pd.concat([tabulate_components(fit), seed_components(kept)], ignore_index=True)
    return ScoreModel(table, components, left_out, fit.converged, say_notes(fit, components, left_out))


def drop_unknown(rows: pd.DataFrame, predictors: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """(the rows of languages with a value of every predictor, the other languages)."""
    known = rows[[*predictors, DISTANCE]].notna().all(axis=1)
    left_out = tuple(dict.fromkeys(rows.loc[~known, "eval_language"]))
    kept = rows[~rows["eval_language"].isin(left_out)]
    return (kept if SIZE in kept else kept.assign(**{SIZE: 0.0})), left_out


def scale(values: pd.DataFrame) -> pd.DataFrame:
    """Each column from 0 (its smallest) to 1 (its largest), then less its mean over the rows."""
    width = values.max() - values.min()
    if (width == 0).any():
        raise DataError(f"{', '.join(width.index[width == 0])}: one value in all languages; allowed: several")
    scaled = (values - values.min()) / width
    return scaled - scaled.mean()


def design_columns(cells, languages, predictors, arms) -> dict[tuple[str, str], np.ndarray]:
    """(term, predictor) -> the column of its coefficient; those of size only where encoders differ in it."""
    scaled = scale(languages[list(predictors)])
    values = {name: cells["eval_language"].map(scaled[name]).to_numpy(float) for name in predictors}
    if cells[SIZE].nunique() > 1:
        away = cells[SIZE] - cells.drop_duplicates("encoder")[SIZE].mean()
        centred = languages[DISTANCE] - languages[DISTANCE].mean()
        values[f"{SIZE} x {DISTANCE}"] = (away * cells["eval_language"].map(centred)).to_numpy(float)
    given = {arm: (cells["intermediate"] == arm).to_numpy(float) for arm in arms}
    columns = {(SCORE, name): value for name, value in values.items()}
    return columns | {(arm, name): value * is_arm for arm, is_arm in given.items() for name, value in values.items()}


def find_groupings(cells: pd.DataFrame, languages: pd.DataFrame) -> dict[str, Grouping]:
    """The random effects that this table can tell apart."""
    several = {name: cells[name].nunique() > 1 for name in ("encoder", "target", "intermediate")}
    tops = cells.drop_duplicates("eval_language")["family"]
    groupings = {"family": Grouping(cells["family"].to_numpy())} if 1 < tops.nunique() < len(tops) else {}
    groupings["language"] = Grouping(cells["eval_language"].to_numpy())
    for name, label in {"target": "target", "intermediate": "arm", "encoder": "encoder"}.items():
        if several[name]:
            groupings[f"{label} x language"] = Grouping(join(cells, [name, "eval_language"]))
    if several["encoder"]:
        distance = (cells["eval_language"].map(languages[DISTANCE]) - languages[DISTANCE].mean()).to_numpy(float)
        groupings["encoder's slope"] = Grouping(cells["encoder"].to_numpy(), distance)
        if several["intermediate"]:
            groupings["encoder x arm's slope"] = Grouping(join(cells, ["encoder", "intermediate"]), distance)
    return groupings


def join(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """One label per row out of several columns."""
    return rows[names].astype(str).agg("\t".join, axis=1).to_numpy()


def tabulate(fit: MixedFit, names: list, first: int, df_languages: int, df_encoders: int) -> pd.DataFrame:
    """The coefficients after the first ones, with intervals and p by Student's t where there are MIN_DF degrees."""
    from scipy.stats import t as student

    table = pd.DataFrame(names, columns=["term", "predictor"])
    table["estimate"], table["se"] = fit.estimates[first:], np.sqrt(np.diag(fit.covariance))[first:]
    sized = table["predictor"].str.startswith(SIZE)
    table["unit"] = np.where(sized, "encoders", "languages")
    table["df"] = np.where(sized, df_encoders, df_languages)
    half = student.ppf(0.975, np.maximum(table["df"], 1)) * table["se"]
    half = half.where(table["df"] > 0)
    p = 2 * student.sf((table["estimate"] / table["se"]).abs(), np.maximum(table["df"], 1))
    return table.assign(low=table["estimate"] - half, high=table["estimate"] + half, p=p).assign(
        p=lambda frame: frame["p"].where(frame["df"] >= MIN_DF)
    )


def inflate(values: pd.DataFrame) -> dict[str, float]:
    """Variance inflation of each column: 1 / (1 - R2) of its regression on the others (Marquardt 1970)."""
    correlations = np.atleast_2d(np.corrcoef(values.to_numpy(float), rowvar=False))
    return dict(zip(values.columns, np.diag(np.linalg.inv(correlations)), strict=True))


def permute_predictors(rows, predictors: list[str], terms: list[str], rng, num_permutations: int) -> pd.DataFrame:
    """`term, predictor, p_permuted`: see the head of this module. NaN where nothing can be permuted."""
    table = rows.pivot_table(
        index=["encoder", "target", "seed", "eval_language"], columns="intermediate", values="score"
    )
    means = table.sub(table[BASELINE], axis=0).assign(**{BASELINE: table[BASELINE]}).reset_index()
    means[terms[1:] + [BASELINE]] -= means.groupby(["encoder", "target"])[terms[1:] + [BASELINE]].transform("mean")
    means = means.groupby("eval_language")[terms[1:] + [BASELINE]].mean().rename(columns={BASELINE: SCORE})
    known = rows.groupby("eval_language")[predictors].mean().loc[means.index]
    families = rows.groupby("eval_language")["family"].first().loc[means.index].to_numpy()
    orders = np.stack([permute_within(families, rng) for _ in range(num_permutations)])
    found = []
    for name in predictors:
        column, others = known[name].to_numpy(float), known.drop(columns=name).to_numpy(float)
        drawn = column[orders]
        for term in terms:
            seen, *made = partial_t(means[term].to_numpy(float), np.vstack([column, drawn]), others)
            movable = (drawn != column).any()
            p = (1 + (np.abs(made) >= abs(seen) - 1e-9).sum()) / (1 + num_permutations) if movable else np.nan
            found.append({"term": term, "predictor": name, "p_permuted": p})
    return pd.DataFrame(found)


def permute_within(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of all places in which each keeps its group."""
    order = np.empty(len(groups), dtype=int)
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        order[places] = rng.permutation(places)
    return order


def partial_t(y: np.ndarray, columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """t of each of some columns (B, N) in the ordinary regression of y (N,) on it, a constant, and others (N, P)."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(len(y)), others]))
    left, rest = y - basis @ (basis.T @ y), columns - (columns @ basis) @ basis.T
    square = (rest**2).sum(axis=1)
    slope = rest @ left / np.where(square > 1e-12, square, np.nan)
    df = len(y) - others.shape[1] - 2
    error = np.sqrt(np.maximum(left @ left - slope**2 * square, 0) / df / square)
    return np.nan_to_num(slope / error)


def tabulate_components(fit: MixedFit) -> pd.DataFrame:
    """`component, sd, levels, at_boundary` of a fit, the error last."""
    rows = [
        dict(component=name, sd=(ratio * fit.residual_variance) ** 0.5, levels=fit.num_levels[name],
             at_boundary=name in fit.at_boundary)
        for name, ratio in fit.ratios.items()
    ]  # fmt: skip
    return pd.DataFrame([*rows, dict(component="error", sd=fit.residual_variance**0.5, levels=0, at_boundary=False)])


def seed_components(rows: pd.DataFrame) -> pd.DataFrame:
    """The random effects that seeds bring, from the mean squares of seeds x arms x languages, pooled over encoders and
    targets; no rows where there is one seed.

    With S seeds, K arms, L languages: run (seed x arm) = (MS_sa - MS) / L, seed x language = (MS_sl - MS) / K,
    seed = (MS_s - MS_sa - MS_sl + MS) / (K L), a negative one is 0 (Scheffe 1959, chapter 7). They are in the means of
    cells (target x seed, run) or in the error (the others, divided by the number of seeds).
    """
    found = []
    for _, cell in rows.groupby(["encoder", "target"], sort=False):
        cube = cell.pivot_table(index="seed", columns=["intermediate", "eval_language"], values="score").dropna(axis=1)
        arms = cube.columns.get_level_values(0).unique()
        sizes = (len(cube), len(arms), cube.shape[1] // len(arms))
        if min(sizes) > 1 and cube.shape[1] == sizes[1] * sizes[2]:
            found.append(seed_variances(cube.to_numpy(float).reshape(sizes)))
    if not found:
        return pd.DataFrame(columns=["component", "sd", "levels", "at_boundary"])
    means = np.mean(found, axis=0)
    names = ("target x seed", "run (target x seed x arm)", "target x seed x language", "seed's error")
    num_seeds = rows["seed"].nunique()
    return pd.DataFrame([
        dict(component=name, sd=max(0.0, value) ** 0.5, levels=len(found) * num_seeds, at_boundary=bool(value <= 0))
        for name, value in zip(names, means, strict=True)
    ])  # fmt: skip


def seed_variances(cube: np.ndarray) -> np.ndarray:
    """(seed, seed x arm, seed x language, rest) variances of scores (S, K, L): see `seed_components`."""
    num_seeds, num_arms, num_languages = cube.shape
    away = cube - cube.mean(axis=0)
    seed, arm, language = away.mean(axis=(1, 2)), away.mean(axis=2), away.mean(axis=1)
    df = num_seeds - 1
    ms_seed = num_arms * num_languages * (seed**2).sum() / df
    ms_arm = num_languages * ((arm - seed[:, None]) ** 2).sum() / (df * (num_arms - 1))
    ms_language = num_arms * ((language - seed[:, None]) ** 2).sum() / (df * (num_languages - 1))
    rest = away - arm[:, :, None] - language[:, None, :] + seed[:, None, None]
    ms = (rest**2).sum() / (df * (num_arms - 1) * (num_languages - 1))
    return np.array([
        (ms_seed - ms_arm - ms_language + ms) / (num_arms * num_languages),
        (ms_arm - ms) / num_languages, (ms_language - ms) / num_arms, ms,
    ])  # fmt: skip


def say_notes(fit: MixedFit, components: pd.DataFrame, left_out: Sequence[str]) -> tuple[str, ...]:
    """What is said beside a fit, one sentence each; empty where there is nothing to say."""
    zero = components.loc[components["at_boundary"].astype(bool), "component"]
    return tuple(
        said
        for said, there in {
            f"The search for the variances did not converge ({fit.message}).": not fit.converged,
            f"Estimated as 0: {', '.join(zero)}.": len(zero),
            f"Left out, a predictor is not known: {', '.join(left_out)}.": left_out,
        }.items()
        if there
    )
