"""Planted slopes, gaps and noise are found again, and a truth of nothing stays nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from xt.errors import DataError
from xt.gains import ScoreCube, combine_languages
from xt.lab.languages import LAB_LANGUAGES
from xt.response import PREDICTORS as BY_SCALE
from xt.response import (
    baseline_by_language,
    compare_unseen,
    distance_slopes,
    predictors_of,
    rank_correlations,
    tabulate_languages,
    unseen_gap,
)

PREDICTORS = BY_SCALE["lab"]
ZERO_SHOT = tuple(code for code in LAB_LANGUAGES if code != "qaa")
UNSEEN = [code for code in ZERO_SHOT if LAB_LANGUAGES[code].resource == "unseen"]
EFFECTS = pd.Series({"syntactic": -12.0, "lexical": -30.0, "genetic": 0.0, "script": -5.0, "log_resource": 2.5})
"""Points per unit of each predictor."""
NUM_WORLDS = 100


def cube_of(points, item_sd=0.0, floors=0.0, num_resamples=400, seed=0):
    """A cube of scores (S, K, L) on the lab's first L languages, resampled with item noise `item_sd` per arm."""
    num_seeds, num_arms, num_languages = points.shape
    noise = np.random.default_rng(seed).normal(0, 1, (num_resamples, 1, num_arms, 1)) * np.reshape(item_sd, (-1, 1))
    return ScoreCube(
        "lab-base", "udpos", ("none", "squad", "mnli", "none_again")[:num_arms], tuple(range(num_seeds)),
        ZERO_SHOT[:num_languages], points, points + noise, np.full(num_languages, floors),
        np.ones((num_arms, num_languages), bool),
    )  # fmt: skip


@pytest.fixture(scope="module")
def design():
    """The lab's zero-shot languages with their predictors."""
    return baseline_by_language([cube_of(np.full((1, 1, len(ZERO_SHOT)), 50.0))]).drop(columns=["score", "target"])


def worlds(design, noise, num_worlds=NUM_WORLDS, gap=0.0):
    """`num_worlds` targets whose scores follow EFFECTS, with normal noise; unseen languages lack `gap` more."""
    rng, unseen = np.random.default_rng(7), design["resource"] == 0
    least = design.loc[~unseen, "log_resource"].min()
    known = design[list(PREDICTORS)].assign(log_resource=design["log_resource"].where(~unseen, least))
    truth = 70 + known @ EFFECTS[list(PREDICTORS)] - gap * unseen
    return pd.concat([
        design.assign(target=f"t{place}", score=truth + rng.normal(0, noise, len(truth))) for place in range(num_worlds)
    ], ignore_index=True)  # fmt: skip


def true_slopes(design):
    """EFFECTS times what lies between the nearest and the farthest seen language."""
    seen = design.loc[design["resource"] > 0, list(PREDICTORS)]
    return EFFECTS[list(PREDICTORS)] * (seen.max() - seen.min())


def test_a_languages_row_holds_the_baseline_alone_and_its_own_distances():
    points = np.zeros((2, 2, 3))
    points[:, 0], points[:, 1] = [[40, 50, 1], [44, 58, 1]], 99
    cubes = [cube_of(points, floors=2.0), replace(cube_of(points + 1), target="xquad")]
    frame = baseline_by_language(cubes).set_index(["target", "eval_language"])
    assert list(frame.loc["udpos", "score"]) == [42, 54, 1] and list(frame.loc["xquad", "score"]) == [43, 55, 2]
    assert not frame["at_floor"].any(), "told by the mean over all arms: 50 in the last language"
    assert list(frame.loc["udpos", "lexical"]) == pytest.approx([0.05, 0.5, 0.95])
    assert list(frame.loc["udpos", "resource"]) == [100_000, 400_000, 25_000]
    assert list(frame.loc["udpos", "log_resource"]) == pytest.approx(np.log2([101, 401, 26]))
    flat = baseline_by_language([cube_of(np.full((2, 2, 3), 2.0), floors=2.0)])
    assert flat["at_floor"].all() and set(flat["encoder"]) == {"lab-base"}


def test_planted_slopes_are_found_from_the_nearest_to_the_farthest_seen_language(design):
    scores = worlds(design, noise=0.01, num_worlds=1, gap=40.0)
    slopes = distance_slopes(scores).set_index("predictor")
    assert list(slopes.index) == list(PREDICTORS) and set(slopes["num_languages"]) == {len(ZERO_SHOT) - len(UNSEEN)}
    assert np.allclose(slopes["slope"], true_slopes(design), atol=0.1), "unseen languages bend no slope"
    assert slopes.loc["lexical", "high"] < 0 < slopes.loc["log_resource", "low"]


def test_intervals_of_slopes_hold_the_truth_as_often_as_they_say(design):
    slopes = distance_slopes(worlds(design, noise=4.0))
    truth = slopes["predictor"].map(true_slopes(design))
    held = ((slopes["low"] <= truth) & (truth <= slopes["high"])).groupby(slopes["predictor"]).mean()
    assert ((held >= 0.87) & (held <= 1)).all(), held
    assert 0.92 <= held.mean() <= 0.985, held
    errors = (slopes["slope"] - truth).groupby(slopes["predictor"]).mean()
    assert (errors.abs() < 1.5).all(), "unbiased"


def test_intervals_of_slopes_are_those_of_the_robust_errors_with_students_t(design):
    scores = worlds(design, noise=4.0, num_worlds=1).query("resource > 0")
    known = scores[list(PREDICTORS)]
    columns = np.column_stack([np.ones(len(known)), (known - known.min()) / (known.max() - known.min())])
    inverse = np.linalg.inv(columns.T @ columns)
    left = scores["score"] - columns @ inverse @ columns.T @ scores["score"]
    leverage = np.einsum("ij,jk,ik->i", columns, inverse, columns)
    weighted = columns * (left / (1 - leverage)).to_numpy()[:, None]
    error = np.sqrt(np.diag(inverse @ weighted.T @ weighted @ inverse))[1:]
    slopes = distance_slopes(scores)
    half = student.ppf(0.975, len(known) - columns.shape[1]) * error
    assert np.allclose(slopes["high"] - slopes["slope"], half) and np.allclose(slopes["slope"] - slopes["low"], half)


def test_the_variance_inflation_is_that_of_the_regression_on_the_other_predictors(design):
    slopes = distance_slopes(worlds(design, noise=1.0, num_worlds=1)).set_index("predictor")
    known = design.loc[design["resource"] > 0, list(PREDICTORS)]
    for name in PREDICTORS:
        others = np.column_stack([np.ones(len(known)), known.drop(columns=name)])
        left = known[name] - others @ np.linalg.lstsq(others, known[name], rcond=None)[0]
        explained = 1 - (left**2).sum() / ((known[name] - known[name].mean()) ** 2).sum()
        assert slopes.loc[name, "vif"] == pytest.approx(1 / (1 - explained))
    assert slopes["vif"].max() < 2, "the design's predictors can be told apart"


def test_what_unseen_languages_lack_is_told_apart_from_their_distance(design):
    gaps = unseen_gap(worlds(design, noise=0.01, num_worlds=1, gap=20.0))
    assert list(gaps["eval_language"]) == UNSEEN
    assert gaps["gap"].to_numpy() == pytest.approx([-20, -20], abs=0.2)
    assert (gaps["score"] < gaps["low"]).all()
    assert np.allclose(gaps["score"] - gaps["predicted"], gaps["gap"])


def test_an_unseen_language_that_lacks_nothing_lies_inside_what_was_predicted(design):
    gaps = unseen_gap(worlds(design, noise=4.0))
    assert len(gaps) == NUM_WORLDS * len(UNSEEN)
    inside = (gaps["low"] <= gaps["score"]) & (gaps["score"] <= gaps["high"])
    assert 0.92 <= inside.mean() <= 0.98 and abs(gaps["gap"].mean()) < 1


def test_too_few_languages_give_no_slope_and_no_unseen_ones_an_empty_table(design):
    scores = worlds(design, noise=1.0, num_worlds=1)
    seen = scores[scores["resource"] > 0]
    with pytest.raises(DataError, match="t0: 7 languages for 5 predictors"):
        distance_slopes(seen.head(7))
    assert unseen_gap(seen).empty and "gap" in unseen_gap(seen)


SUBWORDS = pd.DataFrame(
    [("lab-base", "xquad", "qab", 1.5, 0.5), ("lab-base", "udpos", "qab", 1.25, 0.75),
     ("lab-base", "xquad", "qac", 1.5, None), ("lab-base", "tydiqa", "qac", 2.5, None),
     ("lab-base", "xquad", "qad", None, 0.1), ("lab-small", "udpos", "qad", 9.0, 0.1)],
    columns="encoder target eval_language fertility overlap".split(),
)  # fmt: skip


def test_fertility_is_the_treebanks_or_the_mean_over_targets_of_the_same_encoder():
    table = tabulate_languages("lab-base", ["qab", "qac", "qad"], SUBWORDS).set_index("eval_language")
    assert table["fertility"].tolist()[:2] == [1.25, 2.0] and np.isnan(table["fertility"]["qad"])
    assert table["overlap"]["qab"] == 0.75 and np.isnan(table["overlap"]["qac"]) and table["family"]["qab"] == "Lab A"
    assert tabulate_languages("lab-base", ["qab"])["fertility"].isna().all()
    assert predictors_of(table.reset_index())[-1] == "fertility" and "fertility" not in PREDICTORS


def test_what_an_encoder_read_is_its_own_and_scales_do_not_mix():
    assert not tabulate_languages("lab-english", ["qab"])["seen"].any()
    assert "log_resource" not in predictors_of(tabulate_languages("lab-english", ["qab", "qac"]))
    real = tabulate_languages("mini", ["de", "th"])
    assert real["seen"].tolist() == [True, False] and set(predictors_of(real)) <= set(BY_SCALE["real"])
    with pytest.raises(DataError, match="languages of the lab and in real ones"):
        tabulate_languages("mini", ["de", "qab"])


def test_rank_correlations_are_spearmans_with_an_interval(design):
    from scipy.stats import spearmanr

    scores = worlds(design, noise=3.0, num_worlds=1)
    table = rank_correlations(scores).set_index("component")
    for name in PREDICTORS:
        assert table.loc[name, "rho"] == pytest.approx(spearmanr(scores["score"], scores[name]).statistic)
    row = table.loc["lexical"]
    width = np.sqrt((1 + row["rho"] ** 2 / 2) / 20)
    assert np.arctanh(row["high"]) - np.arctanh(row["rho"]) == pytest.approx(1.96 * width, rel=1e-3)
    floored = scores.assign(at_floor=np.arange(len(scores)) > 1)
    assert rank_correlations(floored).empty, "two languages above the floor"
    assert "geographic" not in table.index and (table["num_languages"] == 23).all()
    assert rank_correlations(scores.assign(score=5.0))["rho"].isna().all()


def test_intervals_of_rank_correlations_hold_where_there_is_none(design):
    rng = np.random.default_rng(3)
    empty = [design.assign(target=f"t{place}", score=rng.normal(size=len(design))) for place in range(60)]
    table = rank_correlations(pd.concat(empty)).query("component == 'lexical'")
    assert 0.87 <= ((table["low"] <= 0) & (0 <= table["high"])).mean() <= 1


def test_unseen_languages_are_compared_with_seen_ones_in_score_and_in_gain():
    points = np.full((3, 3, len(ZERO_SHOT)), 60.0)
    unseen = np.array([code in UNSEEN for code in ZERO_SHOT])
    points[:, :, unseen] = 40
    points[:, 1] += np.where(unseen, 5, 1)
    points += np.random.default_rng(0).normal(0, 0.2, points.shape)
    table = compare_unseen([cube_of(points, 0.2)]).set_index("intermediate")
    assert table.loc["none", "difference"] == pytest.approx(-20, abs=0.4) and np.isnan(table.loc["none", "p"])
    assert table.loc["squad", "difference"] == pytest.approx(4, abs=0.5) and table.loc["squad", "p"] < 0.01
    assert table.loc["mnli", "low"] < 0 < table.loc["mnli", "high"]
    assert set(table["num_unseen"]) == {2} and set(table["num_seen"]) == {21}
    floors = np.where(unseen, 1000.0, 0.0)
    below = compare_unseen([replace(cube_of(points, 0.2), floors=floors)])
    assert list(below["intermediate"]) == ["none"], "no gain can be seen at the floor"
    trained = np.ones((3, len(ZERO_SHOT)), bool)
    trained[2] = False
    beside = compare_unseen([replace(cube_of(points, 0.2), zero_shot=trained)]).set_index("intermediate")
    assert list(beside.index) == ["none", "squad"], "an arm that was trained in every language costs no other its row"
    pd.testing.assert_series_equal(beside.loc["none"], table.loc["none"])
    assert beside.loc["squad", "difference"] == table.loc["squad", "difference"] and beside.loc["squad", "p"] < 0.01
    assert beside.loc["squad", ["num_unseen", "num_seen"]].tolist() == [2, 21]
    trained[1, :] = False
    assert list(compare_unseen([replace(cube_of(points, 0.2), zero_shot=trained)])["intermediate"]) == ["none"]
    assert compare_unseen([replace(cube_of(points), encoder="somebody/unknown")]).empty


def test_weights_over_languages_are_applied_to_scores_and_resamples_alike():
    cube = cube_of(np.random.default_rng(0).normal(50, 9, (2, 3, 4)), 0.5)
    weights = np.array([1.0, -1, 0.5, 0])
    means = combine_languages(replace(cube, num_clusters=np.array([9, 5, 7, 2])), weights)
    assert means.points == pytest.approx((cube.points * weights).sum(-1)) and means.num_clusters == 5
    assert means.resampled == pytest.approx((cube.resampled * weights).sum(-1))
