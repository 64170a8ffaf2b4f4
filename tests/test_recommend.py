"""Advice: what is worth training first, for whom, and when nothing is."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.gains import ScoreCube, average_languages, compare_means
from xt.prose import answer_recommendation
from xt.recommend import GROUPS, UNTESTED, WHOLE, advise, describe_languages, is_candidate, read_advice
from xt.results import load_runs, write_run

ARMS = ("none", "squad", "mnli", "hellaswag", "qqp", "squad_shuffled")
GAINS = {
    ("squad", "xquad"): 0.2,
    ("mnli", "xquad"): 0.19,
    ("squad_shuffled", "xquad"): 0.4,
    ("hellaswag", "xquad"): -0.2,
}
LANGUAGES = {"xquad": ("en", "de", "es", "tr", "hi"), "udpos": ("en", "de", "nl", "fi")}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=ARMS, languages=LANGUAGES, num_clusters=80, gains=GAINS)
    return folder


def study_advice(results, **options):
    return read_advice("real", np.random.default_rng(0), results=results, num_resamples=100, **options)


@pytest.fixture(scope="module")
def table(results):
    return study_advice(results).table.set_index(["target", "group"])


def test_a_real_gain_is_advised_and_no_placebo(table):
    row = table.loc[("xquad", WHOLE)]
    assert row["advice"] == row["best"] and row["advice"] in ("squad", "mnli") and 0 < row["regret_high"] < 10
    assert row["avoid"] == "hellaswag" and row["low"] > 0 and row["num_candidates"] == 4
    assert row["same_data"] == (row["advice"] == "squad")


def test_without_a_reliable_gain_the_advice_is_none(table):
    row = table.loc[("udpos", WHOLE)]
    assert row["advice"] == "none" and row["seconds"] == 0 and row["as_good"] == ""
    assert row["low"] < 0 < row["high"] and row["best"] != "none"


def cube_of(gains, noise, num_seeds=3) -> ScoreCube:
    """Arms that gain so many points at every seed but for `noise` of seeds, in one language."""
    rng, arms = np.random.default_rng(0), ("none", "mnli", "squad", "qqp")
    points = 50 + np.array([0.0, *gains]) + rng.normal(0, noise, (num_seeds, 4))
    drawn = points + rng.normal(0, noise / 5, (100, 1, 4))
    return ScoreCube("mini", "panx", arms, tuple(range(num_seeds)), ("de",), points[..., None], drawn[..., None],
                     np.zeros(1), np.ones((4, 1), bool), np.full(1, 50))  # fmt: skip


def advise_on(cube):
    return advise(cube, np.ones(1, bool), cube.arms[1:], 3)


def test_as_good_is_what_is_shown_to_be_within_the_margin_of_the_best():
    row = advise_on(cube_of((10.0, 9.5, 6.0), noise=0.1))
    assert (row["advice"], row["as_good"]) == ("mnli", "squad"), "qqp gains, and is four points below"
    assert 0 <= row["regret_high"] < 1
    vague = advise_on(cube_of((14.0, 13.5, 13.0), noise=1.5))
    assert vague["advice"] != "none" and vague["as_good"] == "", "not told apart is not as good"


def test_what_is_missed_by_training_nothing_is_the_largest_gain_that_is_not_excluded():
    cube = cube_of((0.5, 0.0, -0.5), noise=1.0)
    row, test = advise_on(cube), compare_means(average_languages(cube, np.ones(1, bool)))
    assert row["advice"] == "none" and row["regret_high"] == pytest.approx(test.limits(1 - 0.05 / 3)[1].max())


def test_what_an_advice_misses_covers_the_truth_whichever_is_best():
    rng, missed = np.random.default_rng(1), []
    gains = np.array([5.0, 5.0, 4.0])
    for _ in range(60):
        cube = cube_of(gains, noise=1e-9)
        points = cube.points + rng.normal(0, 1.0, cube.points.shape)
        row = advise_on(replace(cube, points=points, resampled=points + rng.normal(0, 1e-3, (50, 3, 4, 1))))
        truth = dict(zip(cube.arms, (0.0, *gains), strict=True))
        missed.append(row["regret_high"] >= 5.0 - truth[row["advice"]])
    assert np.mean(missed) > 0.9


def test_groups_are_a_larger_family_than_all_languages(table):
    groups = table.loc["xquad"]
    assert groups.loc[WHOLE, "num_tests"] == 4
    assert set(groups.drop(WHOLE)["num_tests"]) == {4 * (len(groups) - 1)}


def test_a_language_is_in_the_groups_of_what_is_known_of_it():
    table = describe_languages("lab-base", ["qab", "qaj", "qaq"], "qaa")
    groups = {name: list(table.index[group(table)]) for name, group in GROUPS.items()}
    assert groups["near"] == ["qab", "qaq"] and groups["far"] == ["qaj"]
    assert groups["other script"] == ["qaj"] and groups["unseen"] == ["qaq"]
    unknown = describe_languages("somebody/encoder", ["de"], "en")
    assert unknown["share"].isna().all() and not any(GROUPS[name](unknown).any() for name in ("much text", "unseen"))


def test_arms_in_other_languages_and_placebos_are_no_candidates():
    arms = (
        "none",
        "squad",
        "multi",
        "multi_mlm",
        "squad.de",
        "mnli_translated",
        "mnli_shuffled",
        "own_squad",
        "my_own",
    )
    assert [arm for arm in arms if is_candidate(arm)] == ["squad", "multi", "multi_mlm", "my_own"]


def test_the_price_is_the_time_of_the_intermediate_training(results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    row = load_runs("real", results).iloc[0].to_dict() | dict(phase="intermediate", target=None)
    for seed, seconds in ((1, 10.0), (2, 30.0)):
        for arm in ("squad", "mnli"):
            made = row | dict(run_id=f"intermediate-{arm}-s{seed}", intermediate=arm, seed=seed, seconds=seconds)
            write_run(tmp_path / "results" / "real", made["run_id"], pd.DataFrame(), made, pd.DataFrame())
    found = study_advice(tmp_path / "results")
    assert found.table.set_index(["target", "group"]).loc[("xquad", WHOLE), "seconds"] == 20
    assert found.devices == ["cpu"]


def test_two_seeds_advise_nothing_and_no_results_say_so(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), seeds=(1, 2), languages={"xquad": ("de",)}, gains=GAINS)
    table = study_advice(tmp_path).table
    assert (
        set(table["advice"]) == {UNTESTED}
        and table[["seconds", "regret_high"]].isna().all(axis=None)
        and answer_recommendation(table, "real").startswith("Not known: fewer than three")
    )
    nothing = read_advice("lab", np.random.default_rng(0), results=tmp_path).table
    assert nothing.empty and answer_recommendation(nothing, "lab").startswith("Not known: no target")


def test_the_answer_names_the_arm_its_interval_and_the_targets_without(table):
    said = answer_recommendation(table.reset_index(), "real")
    assert "before xquad (+" in said and "train none, and miss at most so many points, before udpos (" in said


def test_a_target_with_too_few_seeds_is_not_told_to_train_none(table):
    rows = table.reset_index()
    rows.loc[rows["target"] == "udpos", "advice"] = UNTESTED
    said = answer_recommendation(rows, "real")
    assert "Train" in said and "Not known before udpos: fewer than three seeds" in said and "train none" not in said
    assert f"of {(rows['target'] == 'xquad').sum() - 1} groups" in said
