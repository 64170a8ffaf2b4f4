"""The mixed model of scores: statsmodels' own where both can fit, planted effects, level under a null, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from xt.distances import LAB_COMPONENTS, load_distances
from xt.errors import DataError
from xt.lab.languages import LAB_LANGUAGES
from xt.languages import LANGUAGES
from xt.stats.mixed import SCORE, fit_scores, inflate, permute_within, seed_components, seed_slopes
from xt.stats.reml import Problem, fit_reml

PREDICTORS = (*LAB_COMPONENTS, "log_resource")
SPREADS = dict(
    family=2.0, language=4.0, target_language=5.0, arm_language=1.5, seed=1.0, run=1.0, checkpoint=0.0, error=1.0
)
"""Standard deviations in points of the random effects that are simulated."""


@pytest.fixture(scope="module")
def known():
    """The lab's languages other than qaa, with what is known of them."""
    rows = pd.DataFrame(load_distances([code for code in LAB_LANGUAGES if code != "qaa"]))
    rows["log_resource"] = np.log2(1 + rows["resource"].astype(float) / 1000)
    rows["family"] = [LANGUAGES[code].top_family for code in rows["language"]]
    return rows.rename(columns={"language": "eval_language"})[["eval_language", "family", *PREDICTORS]]


def simulate(known, rng, effects=(0,) * 5, gains=None, arms=("none", "squad"), targets=("a", "b"), num_seeds=1,
             **spreads):  # fmt: skip
    """Scores of which everything is known: `effects` on the baseline's score and `gains` of squad, points over a
    predictor's range; `checkpoint` is the spread of the slope on the first predictor over seeds of an arm."""
    sd = SPREADS | spreads
    x = known[list(PREDICTORS)]
    x = ((x - x.min()) / (x.max() - x.min())).to_numpy(float)
    families = pd.factorize(known["family"])[0]
    shape = (len(targets), len(arms), num_seeds, len(known))  # target, arm, seed, language

    def draw(name, *axes):
        return sd[name] * rng.normal(size=[size if axis in axes else 1 for axis, size in enumerate(shape)])

    y = 60 + x @ np.array(effects) + (sd["family"] * rng.normal(size=families.max() + 1))[families]
    y = y + draw("language", 3) + draw("target_language", 0, 3) + draw("arm_language", 1, 3) + draw("seed", 0, 2)
    y = y + draw("run", 0, 1, 2) + draw("error", 0, 1, 2, 3) + draw("checkpoint", 1, 2) * x[:, 0]
    if "squad" in arms:
        y[:, arms.index("squad")] += x @ np.array(gains or (0,) * 5)
    names = ["target", "intermediate", "seed", "eval_language"]
    axes = pd.MultiIndex.from_product([targets, arms, range(num_seeds), known["eval_language"]], names=names)
    return pd.DataFrame({"score": y.ravel()}, index=axes).reset_index().merge(known, on="eval_language")


def coefficients(model):
    return model.coefficients.set_index(["term", "predictor"])


def test_the_fit_is_that_of_statsmodels_where_that_can_fit_it():
    rng = np.random.default_rng(3)
    levels = {"one": rng.integers(8, size=160), "other": rng.integers(6, size=160)}
    x = np.column_stack([np.ones(160), rng.normal(size=160)])
    y = x @ [1.0, 2.0] + 2 * rng.normal(size=8)[levels["one"]] + rng.normal(size=6)[levels["other"]]
    data = pd.DataFrame(levels | {"y": y + rng.normal(size=160), "x": x[:, 1], "all": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = smf.mixedlm(
            "y ~ x", data, groups="all", re_formula="0", vc_formula={name: f"0 + C({name})" for name in levels}
        ).fit(method="lbfgs")
    ours = fit_reml(data["y"].to_numpy(), x, levels)
    assert ours.converged and ours.at_boundary == ()
    assert ours.estimates == pytest.approx(theirs.fe_params.to_numpy(), rel=1e-3)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse_fe.to_numpy(), rel=1e-2)
    variances = [ours.ratios[name] * ours.residual_variance for name in theirs.model.exog_vc.names]
    assert variances == pytest.approx(theirs.vcomp, rel=2e-2)
    assert ours.residual_variance == pytest.approx(theirs.scale, rel=1e-2)


def test_without_groupings_that_vary_it_is_ordinary_least_squares_and_says_that_a_variance_is_0():
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(60), rng.normal(size=60)])
    groups = np.arange(60) % 5
    errors = rng.normal(size=60)
    y = x @ [1.0, 2.0] + errors - np.array([errors[groups == group].mean() for group in range(5)])[groups]
    ours, theirs = fit_reml(y, x, {"group": groups}), sm.OLS(y, x).fit()
    assert ours.at_boundary == ("group",) and ours.residual_variance == pytest.approx(theirs.scale)
    assert ours.estimates == pytest.approx(theirs.params) and np.allclose(ours.covariance, theirs.cov_params())


def test_the_gradient_is_that_of_the_criterion():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
    cells, groups = rng.integers(3, size=50), {"a": rng.integers(5, size=50), "b": rng.integers(4, size=50)}
    problem = Problem(rng.normal(size=50), x[:, 1:], groups, cells)
    at, step = np.array([0.4, 1.5]), 1e-5
    numeric = [
        (problem.evaluate(at + step * unit)[0] - problem.evaluate(at - step * unit)[0]) / (2 * step)
        for unit in np.eye(2)
    ]
    assert problem.evaluate(at)[1] == pytest.approx(numeric, rel=1e-4)


def test_means_of_cells_are_projected_out_as_if_they_were_columns():
    rng = np.random.default_rng(4)
    x, y, cells = rng.normal(size=(80, 2)), rng.normal(size=80), rng.integers(6, size=80)
    groups = {"group": rng.integers(9, size=80)}
    y = y + rng.normal(size=9)[groups["group"]]
    ours, dummies = fit_reml(y, x, groups, cells), np.eye(6)[cells]
    theirs = fit_reml(y, np.column_stack([dummies, x]), groups)
    assert ours.estimates == pytest.approx(theirs.estimates[6:], rel=1e-4)
    assert np.allclose(ours.covariance, theirs.covariance[6:, 6:], rtol=1e-3)
    assert ours.residual_variance == pytest.approx(theirs.residual_variance, rel=1e-4)


def test_columns_that_depend_on_each_other_are_refused():
    with pytest.raises(DataError, match="3 fixed effects of rank 2 on 10 rows"):
        fit_reml(np.arange(10.0), np.ones((10, 3)) * [1, 0, 2] + np.eye(10, 3)[:, [1, 1, 1]], {})


def test_planted_effects_are_found_on_scores_and_on_gains(known):
    rng = np.random.default_rng(0)
    effects, gains = (-12, -20, 0, -8, 6), (5, 0, 0, 0, 0)
    quiet = dict(family=0.1, language=0.3, target_language=0.3, arm_language=0.1, error=0.1)
    model = fit_scores(simulate(known, rng, effects, gains, num_seeds=3, **quiet), PREDICTORS, rng, 200)
    found = coefficients(model)
    for term, truth in ((SCORE, effects), ("squad", gains)):
        table = found.loc[term].loc[list(PREDICTORS)]
        away = (table["estimate"] - np.array(truth)).abs()
        assert (away < 3.5 * table["se"]).all() and (table["se"] < 0.6).all()
    assert found.loc[("squad", "syntactic"), "p"] < 0.001 > found.loc[(SCORE, "lexical"), "p"]
    assert 0.02 > found.loc[(SCORE, "lexical"), "p_permuted"] >= 1 / 201, "what was seen is one of the orders"
    assert (found["n"] == 23).all() and (found["df"] == 17).all()
    assert (found["low"] < found["estimate"]).all() and (found["vif"] < 1.2).all() and model.converged


def test_the_level_holds_where_checkpoints_have_slopes_and_without_counting_them_it_does_not(known):
    """10 studies of three seeds: p values of coefficients, of permutations, and of a regression over rows."""
    rng, ours, blind, naive, permuted = np.random.default_rng(5), [], [], [], []
    arms = ("none", "squad", "mnli", "qqp")
    for _ in range(10):
        rows = simulate(known, rng, arms=arms, num_seeds=3, checkpoint=4.0)
        table = fit_scores(rows, PREDICTORS, rng, 19).coefficients
        ours.append(table.loc[table["term"] != SCORE, "p"])
        permuted.append(table.loc[table["term"] == SCORE, "p_permuted"].dropna())
        one = rows.groupby(["target", "intermediate", "eval_language"], as_index=False).first().assign(seed=1)
        blind.append(fit_scores(one, PREDICTORS, rng, 1).coefficients)
        cells = pd.get_dummies(rows["target"] + rows["intermediate"]).to_numpy(float)
        columns = np.column_stack([cells, rows[list(PREDICTORS)] - rows[list(PREDICTORS)].mean()])
        naive.append(sm.OLS(rows["score"].to_numpy(), columns).fit().pvalues[-5:])
    assert (np.array(ours) < 0.05).mean() <= 0.1, "150 coefficients at 5 %"
    assert (np.concatenate(permuted) <= 0.05).mean() <= 0.16
    single = pd.concat(blind).query("term != @SCORE and predictor == 'syntactic'")
    assert ((single["low"] > 0) | (single["high"] < 0)).mean() > 0.15, "one seed: a checkpoint is taken for its task"
    assert single[["p", "p_permuted"]].isna().all(axis=None)
    assert (np.array(naive) < 0.05).mean() > 0.2, "rows of one language are not independent"


def test_what_seeds_do_to_slopes_is_measured_apart_from_the_errors_of_single_scores(known):
    rng, arms = np.random.default_rng(3), ("none", "squad", "mnli")
    x = known.set_index("eval_language")[list(PREDICTORS)]
    x = (x - x.min()) / (x.max() - x.min())
    slopes, num_seeds = seed_slopes(simulate(known, rng, arms=arms, num_seeds=80, checkpoint=3.0, error=3.0), x, arms)
    assert num_seeds == 80 and np.sqrt(slopes.of_gains[0] / 2) == pytest.approx(3.0, rel=0.15)
    assert (slopes.of_gains[1:] < 1.0).all(), "errors of single scores are taken off"
    assert slopes.of_scores[0] == pytest.approx(9.0, rel=0.3)
    rows = simulate(known, rng, arms=arms, num_seeds=3)
    gap = rows[~((rows["seed"] == 2) & (rows["intermediate"] == "mnli") & (rows["target"] == "b"))]
    assert seed_slopes(gap, x, arms)[1] == 2 and seed_slopes(rows[rows["seed"] == 0], x, arms) == (None, 1)


def test_the_error_of_an_effect_on_gains_is_that_of_the_mean_of_as_many_checkpoints(known):
    quiet = dict(family=0.1, language=0.3, target_language=0.3, arm_language=0.1, error=0.1)
    rng = np.random.default_rng(6)
    rows = simulate(known, rng, num_seeds=40, checkpoint=4.0, **quiet)
    error = coefficients(fit_scores(rows, PREDICTORS, rng, 1)).loc[("squad", "syntactic"), "se"]
    assert error == pytest.approx(4 * np.sqrt(2 / 40), rel=0.3)


def test_few_languages_give_an_interval_and_no_p(known):
    rng = np.random.default_rng(1)
    rows = simulate(known, rng)
    some = rows[rows["eval_language"].isin(known["eval_language"][:8])]
    table = fit_scores(some, PREDICTORS[:3], rng, 20).coefficients
    assert (table["df"] == 4).all() and table["p"].isna().all() and table["low"].notna().all()
    with pytest.raises(DataError, match="8 languages for 6 predictors"):
        fit_scores(some.assign(more=0.0), (*PREDICTORS, "more"), rng, 20)
    with pytest.raises(DataError, match="the baseline 'none' among the arms"):
        fit_scores(rows[rows["intermediate"] == "squad"], PREDICTORS, rng, 20)


def test_languages_without_a_predictor_are_left_out_and_named(known):
    rng = np.random.default_rng(1)
    rows = simulate(known, rng)
    rows.loc[rows["eval_language"] == "qab", "lexical"] = np.nan
    model = fit_scores(rows, PREDICTORS, rng, 20)
    assert model.left_out == ("qab",) and (model.coefficients["n"] == 22).all()
    assert any("qab" in note for note in model.notes)


def test_variances_at_0_and_a_search_that_fails_are_said(known, monkeypatch):
    rng = np.random.default_rng(5)
    model = fit_scores(simulate(known, rng, family=0.0, arm_language=0.0), PREDICTORS, rng, 20)
    zero = model.components.loc[model.components["at_boundary"].astype(bool), "component"]
    assert set(zero) == {"family", "arm x language"} and model.notes[0] == "Estimated as 0: family, arm x language."
    assert "1 seeds, 3 are needed" in model.notes[1]
    monkeypatch.setattr("xt.stats.mixed.fit_reml", lambda *given: fail(fit_reml(*given)))
    assert "did not converge (too far)" in fit_scores(simulate(known, rng), PREDICTORS, rng, 20).notes[0]


def fail(fit):
    """The same fit, as if its search had not ended at a minimum."""
    from dataclasses import replace

    return replace(fit, converged=False, message="too far")


def test_components_that_seeds_bring_are_those_planted(known):
    rng = np.random.default_rng(2)
    rows = simulate(known, rng, num_seeds=60, arms=("none", "squad", "mnli"), seed=2.0, run=1.0, error=0.5)
    found = seed_components(rows).set_index("component")["sd"]
    assert found["target x seed"] == pytest.approx(2.0, rel=0.15)
    assert found["run (target x seed x arm)"] == pytest.approx(1.0, rel=0.15)
    assert found["seed's error"] == pytest.approx(0.5, rel=0.05) and found["target x seed x language"] < 0.1
    assert seed_components(simulate(known, rng)).empty, "one seed"


def test_permutations_stay_within_families_and_a_predictor_of_families_cannot_be_permuted(known):
    families = known["family"].to_numpy()
    order = permute_within(families, np.random.default_rng(0))
    assert sorted(order) == list(range(23)) and (families[order] == families).all() and (order != range(23)).any()
    rng = np.random.default_rng(0)
    of_family = known.assign(lexical=pd.factorize(families)[0].astype(float))
    found = coefficients(fit_scores(simulate(of_family, rng, num_seeds=3), ("lexical", "script"), rng, 50))
    assert found["p_permuted"].xs("lexical", level="predictor").isna().all()
    assert found["p_permuted"].xs("script", level="predictor").notna().all()


def test_inflation_is_that_of_the_regression_on_the_others():
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))
    values["c"] += values["a"]
    share = sm.OLS(values["c"], sm.add_constant(values[["a", "b"]])).fit().rsquared
    assert inflate(values)["c"] == pytest.approx(1 / (1 - share))
