"""Tables of robustness from cubes whose truth is known, and from a synthetic study."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_study import write_study

from xt.distances import load_distances
from xt.exposure import encoder_size
from xt.gains import ALL, ScoreCube, load_cubes
from xt.lab.languages import LAB_LANGUAGES
from xt.results import load_scores
from xt.robustness import (
    GAP,
    SEEDS,
    SLOPE,
    SPREAD,
    WORST,
    collapse_table,
    find_model,
    load_whole_cubes,
    part_home,
    robustness_table,
    slope_trends,
)
from xt.stats import adjust_benjamini_hochberg, adjust_holm

LANGUAGES = tuple(LAB_LANGUAGES)
DISTANCE = np.array([row["distance"] for row in load_distances(LANGUAGES)])
SPAN = np.ptp(DISTANCE[1:])
"""From the nearest to the farthest zero-shot language."""
ARMS = ("none", "squad", "mnli", "mnli_shuffled")


def make_cube(encoder="lab-base", target="udpos", slope=-40.0, change=10.0, noise=1.0, seed_sd=0.5, seed=0):
    """All 24 languages: scores fall by `slope` per unit of distance, and after squad by `slope` + `change`."""
    rng = np.random.default_rng(seed)
    points = np.full((3, len(ARMS), len(LANGUAGES)), 80.0) + slope * DISTANCE
    points[:, 1] += change * DISTANCE
    points = points + rng.normal(0, seed_sd, (3, len(ARMS), 1)) + rng.normal(0, noise, points.shape[1:])
    drawn = points + rng.normal(0, noise, (300, 1, len(ARMS), len(LANGUAGES)))
    floors = np.where(np.array(LANGUAGES) == "qax", 99.0, 0.0)
    clusters = np.full(len(LANGUAGES), 80)
    return ScoreCube(
        encoder, target, ARMS, (1, 2, 3), LANGUAGES, points, drawn, floors, np.ones((4, 24), bool), clusters
    )


@pytest.fixture(scope="module")
def table():
    wholes = [part_home(make_cube(), "qaa"), part_home(make_cube(target="tatoeba", seed=1), None)]
    return robustness_table(wholes).set_index(["target", "measure", "intermediate"]).sort_index()


def test_planted_slopes_and_what_an_arm_changes_in_them_are_found(table):
    own, changed = table.loc[("udpos", SLOPE, "none")], table.loc[("udpos", SLOPE, "squad")]
    assert own["low"] < -40 * SPAN < own["high"] and changed["change_low"] < 10 * SPAN < changed["change_high"]
    assert changed["p_holm"] < 0.01 and changed["change"] == pytest.approx(changed["value"] - own["value"])
    assert np.isnan(own["change"]) and table.loc[("udpos", SLOPE, "mnli"), "p"] > 0.01
    assert np.isnan(table.loc[("udpos", SLOPE, "mnli_shuffled"), "p_holm"]), "a placebo is in no family"
    assert table["p_holm"].notna().sum() == 2 * 2, "the slope alone is primary"
    assert own["num_languages"] == 23 and own["num_seeds"] == 3


def test_the_gap_is_that_to_the_training_language_where_it_was_scored(table):
    cube = make_cube()
    zero_shot = cube.points[:, :, 1:].mean(axis=(0, 2))
    gap = cube.points[:, :, 0].mean(axis=0) - zero_shot
    assert table.loc[("udpos", GAP)].loc[list(ARMS), "value"].tolist() == pytest.approx(gap.tolist())
    assert table.loc[("udpos", GAP, "squad"), "change"] == pytest.approx(gap[1] - gap[0])
    assert GAP not in table.loc["tatoeba"].index.get_level_values("measure")


def test_worst_languages_and_spreads_are_corrected_and_have_intervals_and_no_p(table):
    cube = make_cube().points[:, :, 1:].mean(axis=0)
    for measure, seen in ((WORST, cube.min(axis=1)), (SPREAD, cube.std(axis=1, ddof=1))):
        rows = table.loc[("udpos", measure)].loc[list(ARMS)]
        towards = rows["value"] - seen if measure == WORST else seen - rows["value"]
        assert 0 < towards.mean() < 1 and towards.abs().max() < 1.5, "noise makes both look worse"
        assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all() and rows["p"].isna().all()
        assert (rows["change_low"].iloc[1:] < rows["change"].iloc[1:]).all() and np.isnan(rows["change"].iloc[0])
    spread = table.loc[("udpos", SEEDS, "none"), "value"]
    assert spread == pytest.approx(make_cube().points[:, 0, 1:].mean(axis=1).std(ddof=1))


def test_without_items_or_seeds_what_cannot_be_told_is_missing():
    cube = replace(make_cube(), resampled=None, num_clusters=None)
    rows = robustness_table([part_home(cube, "qaa")])
    assert set(rows["measure"]) == {SLOPE, GAP, SEEDS} and rows.loc[rows["measure"] == SLOPE, "low"].notna().all()
    cube = make_cube()
    one = replace(cube, seeds=(1,), points=cube.points[:1], resampled=cube.resampled[:, :1])
    rows = robustness_table([part_home(one, "qaa")])
    assert SEEDS not in set(rows["measure"]) and rows["p"].isna().all()
    assert rows.loc[rows["measure"] == SLOPE, ["low", "high"]].notna().all(axis=None)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    outcomes = {("squad", "udpos", 2): "collapsed", ("squad", "xquad", 1): "diverged"}
    some = {"udpos": ("en", "de", "zh"), "xquad": ("en", "de", "es"), "tatoeba": ("de", "nl")}
    write_study(folder, arms=("none", "squad"), languages=some, num_clusters=20, outcomes=outcomes)
    return folder


def test_whole_cubes_are_the_usual_ones_and_the_training_language_beside(study):
    scores = load_scores("real", study)
    wholes = load_whole_cubes(scores, np.random.default_rng(0), study)
    usual = load_cubes(scores, np.random.default_rng(0), study)
    assert [(whole.cube.target, whole.cube.languages) for whole in wholes] == [(c.target, c.languages) for c in usual]
    for whole, cube in zip(wholes, usual, strict=True):
        assert np.array_equal(whole.cube.points, cube.points) and np.array_equal(whole.cube.zero_shot, cube.zero_shot)
        assert np.array_equal(whole.cube.floors, cube.floors) and whole.cube.resampled.shape == cube.resampled.shape
        assert (whole.home is None) == (cube.target == "tatoeba")
    english = scores.query("target == 'xquad' and eval_language == 'en' and metric == 'f1' and intermediate == 'none'")
    home = next(whole.home for whole in wholes if whole.cube.target == "xquad")
    assert sorted(home.points[:, 0]) == pytest.approx(sorted(english["score"].astype(float)))


def test_collapses_are_counted_per_arm_among_the_runs_that_can_collapse(study):
    table = collapse_table(load_scores("real", study)).set_index("intermediate")
    assert table.loc["squad", ["num_runs", "num_failed"]].tolist() == [6, 2], "retrieval is not trained"
    assert table.loc["squad", "share"] == pytest.approx(1 / 3) and table.loc["none", "share"] == 0


def test_an_arm_that_was_trained_in_a_language_has_no_slope_over_the_languages():
    cube = make_cube()
    trained = np.ones((4, 24), bool)
    trained[2, 3] = False
    rows = robustness_table([part_home(replace(cube, zero_shot=trained), "qaa")])
    assert set(rows["intermediate"]) == {"none", "squad", "mnli_shuffled"}
    only = np.vstack([np.ones((1, 24), bool), np.zeros((3, 24), bool)])
    assert robustness_table([part_home(replace(cube, zero_shot=only), "qaa")]).empty


def test_a_target_at_its_floor_has_no_slope_and_a_spread_of_nothing_no_interval_of_change():
    cube = make_cube(slope=0.0, change=0.0, noise=0.0)
    rng = np.random.default_rng(0)
    points = cube.points + rng.normal(0, 1, cube.points.shape[1:])
    points[:, 1] += 5 * rng.normal(size=24)
    cube = replace(cube, points=points, resampled=points + rng.normal(0, 3, (300, 1, 4, 24)))
    floors = np.where(np.arange(24) < 3, 0.0, 999.0)
    rows = robustness_table([part_home(replace(cube, floors=floors), "qaa")])
    assert SLOPE not in set(rows["measure"]) and {GAP, WORST, SPREAD} <= set(rows["measure"])
    spread = rows[rows["measure"] == SPREAD].set_index("intermediate")
    assert spread.loc["none", "value"] == 0 < spread.loc["squad", "change"] and np.isnan(
        spread.loc["squad", "change_low"]
    )


def test_the_model_is_of_zero_shot_tasks_that_all_targets_have_above_their_floors():
    cubes = [part_home(make_cube(target=name, seed=3), "qaa").cube for name in ("udpos", "xquad")]
    cubes[1] = replace(cubes[1], arms=("none", "squad", "own_squad", "mnli_shuffled"))
    few = replace(cubes[0], target="panx", floors=np.r_[0, 0, np.full(21, 99.0)], arms=("none", "multi", "x", "y"))
    model, why = find_model([*cubes, few], None, np.random.default_rng(0), 5)
    assert not why and set(model.coefficients["term"]) == {"score", "squad"}, "panx has two languages"
    assert (model.coefficients["n"] == 22).all() and model.coefficients["p"].notna().all()
    trained = replace(cubes[0], zero_shot=np.vstack([np.ones((1, 23), bool), np.zeros((3, 23), bool)]))
    assert set(find_model([trained], None, np.random.default_rng(0), 5)[0].coefficients["term"]) == {"score"}
    low = replace(cubes[0], floors=np.r_[np.zeros(5), np.full(18, 99.0)])
    assert "5 languages for 5 predictors" in find_model([low], None, np.random.default_rng(0), 5)[1]
    assert "no target with 3 languages above" in find_model([], None, np.random.default_rng(0))[1]


def cubes_by_size(target="udpos", gain=10.0, seed=0):
    """Three sizes, three encoders each: the slope is flatter by `gain` in the next larger size, after squad by 6."""
    names = [f"lab-{size}{number}" for size in ("small", "base", "large") for number in ("", "-s1", "-s2")]
    return [
        part_home(make_cube(name, target, -60 + gain * (place // 3), 6.0, 0.3, seed=seed + place), "qaa").cube
        for place, name in enumerate(names)
    ]


def test_the_trend_of_slopes_over_sizes_counts_encoders_and_is_primary_in_the_mean_over_targets():
    cubes = {"udpos": cubes_by_size(), "panx": cubes_by_size("panx", 4.0, 20)}
    floored = [replace(cubes["udpos"][0], floors=np.full(23, 99.0)), *cubes["udpos"][1:]]
    trends = slope_trends(cubes | {"xquad": floored})
    assert list(dict.fromkeys(trends["target"])) == [ALL, "udpos", "panx"], "one encoder has no slope in xquad"
    own = trends.query("intermediate == 'none'").set_index("target")
    doublings = np.log2(encoder_size("lab-large") / encoder_size("lab-small"))
    assert own.loc["udpos", "slope"] == pytest.approx(20 * SPAN / doublings, rel=0.15)
    assert own.loc[ALL, "slope"] == pytest.approx(own["slope"].drop(ALL).mean()) and own.loc[ALL, "p"] < 0.01
    assert (own["num_encoders"] == 9).all() and own["num_languages"].tolist() == [46, 23, 23]
    change = trends.query("target == 'udpos' and quantity == 'change' and intermediate == 'squad'").iloc[0]
    assert change["low"] < 0 < change["high"] and change["df"] == 7
    asked = trends.query("(quantity == 'change' or intermediate == 'none') and not placebo")
    for family, adjust in (("target == @ALL", adjust_holm), ("target != @ALL", adjust_benjamini_hochberg)):
        rows = asked.query(family)
        assert len(rows) == 3 * rows["target"].nunique() and np.allclose(
            rows["p_adjusted"].astype(float), adjust(rows["p"])
        )
    assert trends.drop(asked.index)["p_adjusted"].isna().all()
    apart = [replace(cube, arms=("none", "multi", "ccg", "own_mnli")) for cube in cubes["panx"]]
    assert set(slope_trends(cubes | {"panx": apart}).query("target == @ALL")["intermediate"]) == {"none"}
    assert slope_trends({}).empty and slope_trends({"udpos": cubes["udpos"][:3]}).empty, "one size"


def test_three_encoders_give_a_trend_without_p_and_no_distances_give_none():
    cubes = cubes_by_size()[::3]
    trends = slope_trends({"udpos": cubes})
    assert trends[["p", "p_adjusted"]].isna().all(axis=None) and (trends["low"] < trends["high"]).all()
    unknown = replace(cubes[0], languages=("nah", "oto", "ay"), points=cubes[0].points[..., :3], resampled=None,
                      num_clusters=None, floors=np.zeros(3), zero_shot=np.ones((4, 3), bool))  # fmt: skip
    assert slope_trends({"udpos": [unknown]}).empty
    assert SLOPE not in set(robustness_table([part_home(unknown, None)])["measure"])
