"""Advice: what is worth training first, for whom, and when nothing is."""

import shutil

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.prose import answer_recommendation
from xt.recommend import GROUPS, WHOLE, describe_languages, is_candidate, read_advice
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


def advise(results, **options):
    return read_advice("real", np.random.default_rng(0), results=results, num_resamples=100, **options)


@pytest.fixture(scope="module")
def table(results):
    return advise(results).table.set_index(["target", "group"])


def test_a_real_gain_is_advised_and_no_placebo(table):
    row = table.loc[("xquad", WHOLE)]
    assert row["advice"] == row["best"] and row["advice"] in ("squad", "mnli")
    assert {row["advice"], *row["as_good"].split(", ")} == {"squad", "mnli"}, "one is not reliably worse than the other"
    assert row["avoid"] == "hellaswag" and row["low"] > 0 and row["num_candidates"] == 4
    assert row["same_data"] == (row["advice"] == "squad")


def test_without_a_reliable_gain_the_advice_is_none(table):
    row = table.loc[("udpos", WHOLE)]
    assert row["advice"] == "none" and row["seconds"] == 0 and row["as_good"] == ""
    assert row["low"] < 0 < row["high"] and row["best"] != "none"


def test_the_largest_of_many_estimates_is_taken_down(table):
    rows = table.loc["udpos"]
    assert (rows["gain_corrected"] < rows["gain"]).mean() > 0.5
    assert rows.loc[WHOLE, "gain_corrected"] < rows.loc[WHOLE, "gain"]
    assert (rows["regret_low"] <= rows["regret"]).all() and (rows["regret"] <= rows["regret_high"]).all()


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
    found = advise(tmp_path / "results")
    assert found.table.set_index(["target", "group"]).loc[("xquad", WHOLE), "seconds"] == 20
    assert found.devices == ["cpu"]


def test_two_seeds_advise_nothing_and_no_results_say_so(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), seeds=(1, 2), languages={"xquad": ("de",)}, gains=GAINS)
    table = advise(tmp_path).table
    assert set(table["advice"]) == {"none"} and answer_recommendation(table, "real").startswith(
        "Not known: fewer than three"
    )
    nothing = read_advice("lab", np.random.default_rng(0), results=tmp_path).table
    assert nothing.empty and answer_recommendation(nothing, "lab").startswith("Not known: no target")


def test_the_answer_names_the_arm_its_interval_and_the_targets_without(table):
    said = answer_recommendation(table.reset_index(), "real")
    assert "before xquad (+" in said and "For udpos no intermediate task makes a reliable gain" in said
