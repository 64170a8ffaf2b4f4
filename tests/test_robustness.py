"""Tables of robustness from cubes whose truth is known, and from a synthetic study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.distances import load_distances
from xt.errors import DataError
from xt.gains import ScoreCube, load_cubes
from xt.lab.languages import LAB_LANGUAGES
from xt.results import load_scores
from xt.robustness import (
    GAP,
    MEASURES,
    SEEDS,
    SLOPE,
    SPREAD,
    WORST,
    collapse_table,
    load_whole_cubes,
    model_scores,
    part_home,
    robustness_table,
    slope_trends,
    slopes_of,
    tabulate_trends,
)

LANGUAGES = tuple(LAB_LANGUAGES)
DISTANCE = np.array([row["distance"] for row in load_distances(LANGUAGES)])
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
    return (
        robustness_table(wholes, np.random.default_rng(1)).set_index(["target", "measure", "intermediate"]).sort_index()
    )


def test_planted_slopes_and_what_an_arm_changes_in_them_are_found(table):
    own, changed = table.loc[("udpos", SLOPE, "none")], table.loc[("udpos", SLOPE, "squad")]
    assert own["low"] < -40 < own["high"] and changed["change_low"] < 10 < changed["change_high"]
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
    rows = robustness_table([part_home(cube, "qaa")], np.random.default_rng(0))
    assert set(rows["measure"]) == {SLOPE, GAP, SEEDS} and rows.loc[rows["measure"] == SLOPE, "low"].notna().all()
    cube = make_cube()
    one = replace(cube, seeds=(1,), points=cube.points[:1], resampled=cube.resampled[:, :1])
    rows = robustness_table([part_home(one, "qaa")], np.random.default_rng(0))
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


def test_collapses_are_counted_per_arm_with_an_exact_interval(study):
    table = collapse_table(load_scores("real", study)).set_index("intermediate")
    assert table.loc["squad", ["num_runs", "num_failed"]].tolist() == [9, 2]
    assert table.loc["squad", "low"] < 2 / 9 < table.loc["squad", "high"] and table.loc["none", "share"] == 0


def test_the_model_takes_the_arms_that_all_targets_have_and_leaves_floors_out_when_told():
    cubes = [part_home(make_cube(), "qaa").cube, part_home(make_cube(target="xquad", seed=3), "qaa").cube]
    cubes[1] = replace(cubes[1], arms=("none", "squad", "mnli", "own_squad"))
    model = model_scores(cubes, None, np.random.default_rng(0), num_permutations=20)
    assert set(model.coefficients["term"]) == {"score", "squad", "mnli"} and (model.coefficients["n"] == 23).all()
    above = model_scores(cubes, None, np.random.default_rng(0), above_floor=True, num_permutations=20)
    assert (above.coefficients["n"] == 22).all()
    only = model_scores(cubes, None, np.random.default_rng(0), arms=["squad"], num_permutations=20)
    assert set(only.coefficients["term"]) == {"score", "squad"}
    with pytest.raises(DataError, match="languages for 5 predictors"):
        few = [replace(cube, floors=np.full(23, 99.0)) for cube in cubes]
        few[0].floors[:5] = 0
        model_scores(few, None, np.random.default_rng(0), above_floor=True)


def test_the_trend_of_slopes_over_sizes_counts_encoders(monkeypatch):
    names = [f"lab-{size}{seed}" for size in ("small", "base", "large") for seed in ("", "-s1", "-s2")]
    cubes = [
        part_home(make_cube(name, slope=-60 + 10 * (place // 3), change=6.0, noise=0.3, seed=place), "qaa").cube
        for place, name in enumerate(names)
    ]
    monkeypatch.setattr("xt.robustness.load_alike", lambda *_: {"udpos": cubes})
    slopes, trends = slope_trends(pd.DataFrame({"encoder": names}), np.random.default_rng(0))
    assert len(slopes) == 9 * len(ARMS) and set(slopes["size"].rank(method="dense")) == {1, 2, 3}
    own = trends.query("quantity == 'slope' and intermediate == 'none'").iloc[0]
    per_doubling = 20 / np.log2(slopes["size"].max() / slopes["size"].min())
    assert own["slope"] == pytest.approx(per_doubling, rel=0.15) and own["p"] < 0.01 and own["num_encoders"] == 9
    change = trends.query("quantity == 'change' and intermediate == 'squad'").iloc[0]
    assert change["low"] < 0 < change["high"] and change["df"] == 7
    alone = slope_trends(pd.DataFrame({"encoder": ["lab-base", "mini"]}), np.random.default_rng(0))
    assert alone[0].empty and alone[1].empty, "one size of each family"


def test_three_encoders_give_a_trend_without_p_and_no_distances_give_none():
    cubes = [part_home(make_cube(name, seed=place), "qaa").cube
             for place, name in enumerate(("lab-small", "lab-base", "lab-large"))]  # fmt: skip
    sizes = pd.DataFrame({"encoder": ["lab-small", "lab-base", "lab-large"], "size": [1e5, 1e6, 4e6]})
    rows = tabulate_trends("udpos", cubes, sizes, *slopes_of(cubes))
    assert all(np.isnan(row["p"]) and row["low"] < row["high"] for row in rows)
    unknown = replace(cubes[0], languages=("nah", "oto"), points=cubes[0].points[..., :2], resampled=None,
                      num_clusters=None, floors=np.zeros(2), zero_shot=np.ones((4, 2), bool))  # fmt: skip
    assert slopes_of([unknown]) is None
    assert SLOPE not in set(robustness_table([part_home(unknown, None)], np.random.default_rng(0))["measure"])


def test_measures_are_those_of_the_table(table):
    assert set(table.index.get_level_values("measure")) == set(MEASURES)
