"""What scores go with: distance, resource, script and fertility together, in a mixed model of arm scores.

The model is of scores, not of gains: gains of one seed share a baseline, and their errors are not independent.

    score[t,a,l] = cell[t,a] + sum_k x[l,k] (b_k + c_ka)
                   + family + language + target x language + arm x language + error       (all but cell, b, c random)

averaged over seeds, of one encoder. A cell has its own mean, so that whatever all languages of a run share (seed, arm,
target) is in it and in no other coefficient; how large those random effects are is estimated apart
(`seed_components`). b_k is what a predictor does to the baseline's score, c_ka what it does to the gain of arm a:
points from the nearest to the farthest of the table's languages.

An arm at one seed is one checkpoint, and what that checkpoint happens to do to near and far languages looks like the
arm's c_ka in every target. So seeds have random slopes on each predictor, per arm (`seed_slopes`). With S seeds and
K arms a coefficient's error is that of the fit, known to languages - predictors - 1 degrees of freedom, plus that of
the slopes of S seeds, known to (S-1)(K-1); p and interval are those of Behrens and Fisher (`xt.stats.behrens_fisher`).
Below MIN_SEEDS seeds an effect on a gain has no p value and its interval holds for these checkpoints; below MIN_DF
degrees of freedom nothing has one. The fit takes its variances as known, so with few languages an interval is a little
too narrow.

Beside each p stands that of a permutation: the predictor's values are permuted over the languages of a family, and its
t in the ordinary regression of the cells on all predictors and a mean per target is compared with those of the
permutations. It asks whether a pattern over languages is one, given these checkpoints; of other seeds it says nothing.
A predictor that is the same throughout every family cannot be permuted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.stats.behrens_fisher import quantile, tail
from xt.stats.primary import mean_squares, pool_seeds
from xt.stats.reml import MixedFit, fit_reml

BASELINE = "none"
MIN_DF, MIN_SEEDS = 5, 3
"""Fewer degrees of freedom give no p value; fewer seeds give none of an effect on a gain."""
SCORE = "score"
"""Term of coefficients that describe the baseline's score."""
ROW = ["target", "eval_language"]


@dataclass(frozen=True)
class ScoreModel:
    """A fitted model of scores."""

    coefficients: pd.DataFrame
    """`term` (SCORE, or the arm whose gain is described), `predictor`, `estimate` (points), `low, high` (95 %), `se`,
    `n` (languages), `df`, `p`, `p_permuted`, `vif` (variance inflation over languages)."""
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
    """Fits `rows`: one per target, arm, seed and language with `score`, `family` and the predictors.

    Raises DataError where the baseline is absent, or fewer than two languages more than parameters are left.
    """
    predictors = list(predictors)
    known = rows[predictors].notna().all(axis=1)
    left_out = tuple(dict.fromkeys(rows.loc[~known, "eval_language"]))
    kept = rows[~rows["eval_language"].isin(left_out)]
    languages = kept.groupby("eval_language", sort=False).agg({"family": "first"} | dict.fromkeys(predictors, "mean"))
    arms = [BASELINE, *(arm for arm in dict.fromkeys(kept["intermediate"]) if arm != BASELINE)]
    if BASELINE not in set(kept["intermediate"]) or len(languages) < len(predictors) + 3:
        raise DataError(
            f"{len(languages)} languages for {len(predictors)} predictors, arms {', '.join(arms[1:])}; allowed: the "
            f"baseline {BASELINE!r} among the arms, and {len(predictors) + 3} languages or more"
        )
    x = scale(languages[predictors])
    cells = kept.groupby([*ROW, "intermediate"], sort=False, as_index=False)["score"].mean()
    fit, names = fit_cells(cells, x, languages["family"], arms)
    slopes, num_seeds = seed_slopes(kept, x, arms)
    table = tabulate(fit, names, len(languages) - len(predictors) - 1, slopes, num_seeds)
    permuted = permute_predictors(cells, x, languages["family"], arms, rng, num_permutations)
    table = table.merge(permuted, how="left", on=["term", "predictor"]).assign(n=len(languages))
    table["vif"] = table["predictor"].map(inflate(x))
    table["p_permuted"] = table["p_permuted"].where((table["term"] == SCORE) | (num_seeds >= MIN_SEEDS))
    components = pd.concat([tabulate_components(fit), slope_components(slopes), seed_components(kept)])
    components = components.reset_index(drop=True)
    return ScoreModel(table, components, left_out, fit.converged, say_notes(fit, components, left_out, num_seeds))


def scale(values: pd.DataFrame) -> pd.DataFrame:
    """Each column from 0 (its smallest) to 1 (its largest), then less its mean over the rows."""
    width = values.max() - values.min()
    if (width == 0).any():
        raise DataError(f"{', '.join(width.index[width == 0])}: one value in all languages; allowed: several")
    scaled = ((values - values.min()) / width).astype(float)
    return scaled - scaled.mean()


def fit_cells(
    cells: pd.DataFrame, x: pd.DataFrame, families: pd.Series, arms: Sequence[str]
) -> tuple[MixedFit, list[tuple[str, str]]]:
    """(the model of scores averaged over seeds, the (term, predictor) of its coefficients)."""
    values = x.loc[cells["eval_language"]].to_numpy()
    is_arm = [np.ones(len(cells)), *((cells["intermediate"] == arm).to_numpy(float) for arm in arms[1:])]
    columns = np.column_stack([values * given[:, None] for given in is_arm])
    names = [(term, name) for term in (SCORE, *arms[1:]) for name in x.columns]
    groupings = {"language": cells["eval_language"]}
    if 1 < families.nunique() < len(families):
        groupings = {"family": cells["eval_language"].map(families)} | groupings
    for name, label in {"target": "target", "intermediate": "arm"}.items():
        if cells[name].nunique() > 1:
            groupings[f"{label} x language"] = join(cells, [name, "eval_language"])
    levels = {name: level.to_numpy(str) for name, level in groupings.items()}
    means = join(cells, ["target", "intermediate"]).to_numpy(str)
    return fit_reml(cells["score"].to_numpy(float), columns, levels, means), names


def join(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    """One label per row out of several columns."""
    return rows[names].astype(str).agg("\t".join, axis=1)


def centre(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Values (N, P) less their means over the rows of each target (N,)."""
    frame = pd.DataFrame(values)
    return (frame - frame.groupby(targets).transform("mean")).to_numpy()


@dataclass(frozen=True)
class SeedSlopes:
    """What one seed of one arm adds to the effect of each of P predictors."""

    of_gains: np.ndarray
    """(P,) variance over seeds of an effect on the gain of one seed, squared points."""
    of_scores: np.ndarray
    """(P,) the same of an effect on the baseline's score."""
    dfs: tuple[int, int]
    """Degrees of freedom of effects on scores (at least; what a seed does to all arms is in them), and on gains."""
    num_levels: int
    """Seeds times arms."""


def seed_slopes(rows: pd.DataFrame, x: pd.DataFrame, arms: Sequence[str]) -> tuple[SeedSlopes | None, int]:
    """(the variances of seeds' slopes, S): S counts the seeds at which every target has every arm; None below 2.

    The scores of one seed and arm are regressed on the predictors and a mean per target. Over seeds and arms a
    coefficient varies by its own slope and by what errors of single scores bring, mean square of the residuals times
    the coefficient's element of (X'X)^-1; the latter, which the fit of the cells counts, is taken off (the analysis of
    variance's estimator; Searle, Casella and McCulloch 1992, chapter 4). Layouts are those of `xt.stats.gain_test`.
    """
    table = rows.pivot_table(index=ROW, columns=["seed", "intermediate"], values="score").dropna(axis=1)
    counts = table.columns.get_level_values("seed").value_counts()
    seeds = sorted(counts.index[counts == len(arms)])
    if len(seeds) < 2 or len(arms) < 2:
        return None, len(seeds)
    targets = table.index.get_level_values("target").to_numpy(str)
    design = centre(x.loc[table.index.get_level_values("eval_language")].to_numpy(), targets)
    scores = centre(table[pd.MultiIndex.from_product([seeds, arms])].to_numpy(float), targets)
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ scores
    left = (scores - design @ slopes).reshape(-1, len(seeds), len(arms))
    left = left - left.mean(axis=1, keepdims=True)
    left = left - left.mean(axis=2, keepdims=True)
    layout = (len(seeds) - 1) * (len(arms) - 1)
    noise = (left**2).sum() / layout / (len(design) - len(set(targets)) - x.shape[1]) * np.diag(inverse)
    by_seed = slopes.reshape(-1, len(seeds), len(arms))
    of_scores = [sum(mean_squares(own - own.mean(axis=0))) for own in by_seed]
    found = SeedSlopes(
        np.array([2 * max(0.0, float(pool_seeds(own)[0]) - off) for own, off in zip(by_seed, noise, strict=True)]),
        np.array([max(0.0, float(own) - off) for own, off in zip(of_scores, noise, strict=True)]),
        (len(seeds) - 1, layout),
        len(seeds) * len(arms),
    )
    return found, len(seeds)


def tabulate(
    fit: MixedFit, names: list[tuple[str, str]], df: int, slopes: SeedSlopes | None, num_seeds: int
) -> pd.DataFrame:
    """The coefficients with their intervals, and p where there are MIN_DF degrees of freedom and MIN_SEEDS seeds."""
    table = pd.DataFrame(names, columns=["term", "predictor"]).assign(estimate=fit.estimates, df=df)
    over_languages, few = np.diag(fit.covariance), slopes is None or num_seeds < MIN_SEEDS
    for place, own in enumerate((table["term"] == SCORE, table["term"] != SCORE)):
        count = int(own.sum())
        if not count:
            continue
        given = np.zeros(count)
        if not few:
            given = np.resize((slopes.of_scores, slopes.of_gains)[place], count) / num_seeds
        parts, dfs = (over_languages[own], given), (df, 1 if few else slopes.dfs[place])
        table.loc[own, "se"] = np.sqrt(sum(parts))
        table.loc[own, "half"] = quantile(0.95, parts, dfs)
        table.loc[own, "p"] = tail(fit.estimates[own], parts, dfs)
    unknown = (table["df"] < MIN_DF) | (few & (table["term"] != SCORE))
    low, high = table["estimate"] - table["half"], table["estimate"] + table["half"]
    return table.assign(low=low, high=high, p=table["p"].mask(unknown)).drop(columns="half")


def inflate(values: pd.DataFrame) -> dict[str, float]:
    """Variance inflation of each column: 1 / (1 - R2) of its regression on the others (Marquardt 1970)."""
    correlations = np.atleast_2d(np.corrcoef(values.to_numpy(float), rowvar=False))
    return dict(zip(values.columns, np.diag(np.linalg.inv(correlations)), strict=True))


def permute_predictors(cells, x, families, arms, rng, num_permutations: int) -> pd.DataFrame:
    """`term, predictor, p_permuted`: see the head of this module. NaN where nothing can be permuted."""
    table = cells.pivot_table(index=ROW, columns="intermediate", values="score")[list(arms)]
    gains = table.sub(table[BASELINE], axis=0).assign(**{BASELINE: table[BASELINE]})
    targets = table.index.get_level_values("target").to_numpy(str)
    y, places = centre(gains.to_numpy(), targets), x.index.get_indexer(table.index.get_level_values("eval_language"))
    orders = np.stack([permute_within(families.to_numpy(), rng) for _ in range(num_permutations)])
    found = []
    for name in x.columns:
        column, others = x[name].to_numpy(), centre(x.drop(columns=name).to_numpy()[places], targets)
        drawn = column[np.vstack([np.arange(len(x)), orders])][:, places]
        seen, *made = partial_t(y, centre(drawn.T, targets).T, others)
        p = (1 + (np.abs(made) >= np.abs(seen) - 1e-9).sum(axis=0)) / (1 + num_permutations)
        p = p if (drawn[1:] != drawn[0]).any() else np.full(len(arms), np.nan)
        found.append(pd.DataFrame({"term": [SCORE, *arms[1:]], "predictor": name, "p_permuted": p}))
    return pd.concat(found)


def permute_within(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of all places in which each keeps its group."""
    order = np.empty(len(groups), dtype=int)
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        order[places] = rng.permutation(places)
    return order


def partial_t(y: np.ndarray, columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(B, T): a multiple of the t, the same for all, of each of some columns (B, N) in the ordinary regression of each
    of y (N, T) on it and on others (N, P); all centred."""
    basis, _ = np.linalg.qr(others)
    left, rest = y - basis @ (basis.T @ y), columns - (columns @ basis) @ basis.T
    square = (rest**2).sum(axis=1)[:, None]
    slope = rest @ left / np.where(square > 1e-12, square, np.nan)
    error = np.sqrt(np.maximum((left**2).sum(axis=0) - slope**2 * square, 0) / square)
    return np.nan_to_num(slope / error)


def slope_components(slopes: SeedSlopes | None) -> pd.DataFrame:
    """The row of the seeds' slopes: their standard deviation, root mean square over the predictors."""
    if slopes is None:
        return pd.DataFrame(columns=["component", "sd", "levels", "at_boundary"])
    size = float(np.sqrt(slopes.of_gains.mean() / 2))
    return pd.DataFrame(
        [dict(component="seed x arm's slope", sd=size, levels=slopes.num_levels, at_boundary=size == 0)]
    )


def tabulate_components(fit: MixedFit) -> pd.DataFrame:
    """`component, sd, levels, at_boundary` of a fit, the error last."""
    rows = [
        dict(component=name, sd=(ratio * fit.residual_variance) ** 0.5, levels=fit.num_levels[name],
             at_boundary=name in fit.at_boundary)
        for name, ratio in fit.ratios.items()
    ]  # fmt: skip
    return pd.DataFrame([*rows, dict(component="error", sd=fit.residual_variance**0.5, levels=0, at_boundary=False)])


def seed_components(rows: pd.DataFrame) -> pd.DataFrame:
    """The random effects that seeds bring, from the mean squares of seeds x arms x languages, pooled over
    targets; no rows where there is one seed.

    With S seeds, K arms, L languages: run (seed x arm) = (MS_sa - MS) / L, seed x language = (MS_sl - MS) / K,
    seed = (MS_s - MS_sa - MS_sl + MS) / (K L), a negative one is 0 (Scheffe 1959, chapter 7). They are in the means of
    cells (target x seed, run) or in the error (the others, divided by the number of seeds).
    """
    found = []
    for _, cell in rows.groupby("target", sort=False):
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


def say_notes(fit: MixedFit, components: pd.DataFrame, left_out: Sequence[str], num_seeds: int) -> tuple[str, ...]:
    """What is said beside a fit, one sentence each; empty where there is nothing to say."""
    zero = components.loc[components["at_boundary"].astype(bool), "component"]
    return tuple(
        said
        for said, there in {
            f"The search for the variances did not converge ({fit.message}).": not fit.converged,
            f"Estimated as 0: {', '.join(zero)}.": len(zero),
            f"Left out, a predictor is not known: {', '.join(left_out)}.": left_out,
            f"Effects on gains are of these checkpoints, without p: {num_seeds} seeds, {MIN_SEEDS} are needed.": (
                num_seeds < MIN_SEEDS
            ),
        }.items()
        if there
    )
