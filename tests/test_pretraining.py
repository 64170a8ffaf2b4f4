"""Two encoders: pairs of one size, groups of languages, and a difference that is one of gains."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xt.gains import ALL, ScoreCube
from xt.lab.languages import LAB_LANGUAGES, RESOURCES
from xt.pretraining import (
    PRIMARY_GROUPS,
    count_languages,
    difference_table,
    find_pairs,
    group_languages,
    scores_by_language,
)
from xt.prose import answer_pretraining

CODES = tuple(code for code in LAB_LANGUAGES if code != "qaa")
UNSEEN = [code for code in CODES if LAB_LANGUAGES[code].resource == "unseen"]


def make_cube(encoder, baseline, gain, target="udpos", num_seeds=3) -> ScoreCube:
    """Three arms; squad gains `gain`; the last language is at its floor in the English-only encoder."""
    rng = np.random.default_rng(len(encoder + target))
    points = baseline + np.array([0, gain, 0.0])[None, :, None] + rng.normal(0, 0.2, (num_seeds, 3, 1))
    points = points + np.zeros(len(CODES))
    drawn = points + rng.normal(0, 0.2, (200, 1, 3, 1))
    floors = np.zeros(len(CODES))
    floors[-1] = 99.0 if encoder == "lab-english" else 0.0
    return ScoreCube(encoder, target, ("none", "squad", "mnli_shuffled"), tuple(range(num_seeds)), CODES, points, drawn,
                     floors, np.full((3, len(CODES)), True), np.full(len(CODES), 50))  # fmt: skip


def make_pair(many=5.0, one=2.0, target="udpos", num_seeds=3):
    return [
        make_cube("lab-base", 60.0, many, target, num_seeds),
        make_cube("lab-english", 45.0, one, target, num_seeds),
    ]


CUBES = {"udpos": make_pair(), "panx": make_pair(target="panx")}


def test_an_english_only_encoder_is_paired_with_the_multilingual_one_of_its_size():
    names = ["lab-base", "lab-base-s1", "lab-large", "lab-english", "somebody/unknown"]
    scores = pd.DataFrame(
        [dict(encoder=name, eval_language=code, train_language="qaa") for name in names for code in CODES]
    )
    assert find_pairs(scores) == [("lab-base", "lab-english"), ("lab-base-s1", "lab-english")]
    assert find_pairs(scores[scores["encoder"] != "lab-english"]) == []


def test_groups_are_by_what_the_multilingual_encoder_read_and_leave_out_floors_of_either():
    masks = group_languages(CUBES["udpos"], "qaa")
    assert not masks["all"][-1] and masks["all"][:-1].all()
    unseen = {code for code, there in zip(CODES, masks["unseen"], strict=True) if there}
    assert unseen == set(UNSEEN) - {CODES[-1]} and RESOURCES["unseen"] == 0
    counted = count_languages(CUBES, "qaa").set_index(["target", "group"]).loc[("udpos", "all")]
    assert counted.tolist() == [len(CODES), len(CODES), len(CODES) - 1, len(CODES) - 1]


def test_the_difference_is_that_of_the_gains_and_not_of_the_scores():
    table = difference_table(CUBES, "qaa")
    squad = table[(table["intermediate"] == "squad") & (table["target"] == ALL)].set_index("group")
    assert squad["difference"].tolist() == pytest.approx([3.0] * len(squad), abs=0.5)
    row = squad.loc["unseen"]
    assert row["low"] < 3 < row["high"] and row["p_adjusted"] < 0.05 and row["num_targets"] == 2
    assert row["gain_multilingual"] - row["gain_english"] == pytest.approx(row["difference"])
    assert row["baseline_multilingual"] - row["baseline_english"] > 10
    assert table.loc[table["placebo"].astype(bool), "p_adjusted"].isna().all()
    assert table["target"].tolist()[: len(table) // 3] == [ALL] * (len(table) // 3), (
        "the mean over targets stands first"
    )


def test_the_primary_family_is_few_groups_of_the_mean_over_targets():
    table = difference_table(CUBES, "qaa")
    primary = (table["target"] == ALL) & table["group"].isin(PRIMARY_GROUPS) & ~table["placebo"].astype(bool)
    assert primary.sum() == 2
    p = table.loc[primary, "p"].to_numpy(float)
    assert table.loc[primary, "p_adjusted"].min() == pytest.approx(2 * p.min())


def test_two_seeds_have_no_p_and_floors_leave_no_row():
    few = difference_table({"udpos": make_pair(num_seeds=2)}, "qaa")
    assert few["p"].isna().all() and few["low"].notna().all()
    one = difference_table({"udpos": make_pair()}, "qaa")
    primary = one[(one["target"] == ALL) & one["group"].isin(PRIMARY_GROUPS)]
    assert len(primary) == 4 and (primary["num_targets"] == 1).all(), "one target answers, too"
    assert "languages in 1 target" in answer_pretraining(one)
    above = np.where(np.isin(CODES, UNSEEN), 0.0, 99.0)
    two = [replace(cube, floors=above) for cube in make_pair()]
    assert difference_table({"udpos": two}, "qaa").empty, "two languages above the floor are too few"
    other = [replace(cube, arms=("none", "mnli", "own_squad")) for cube in make_pair(target="panx")]
    apart = difference_table({"udpos": make_pair(), "panx": other}, "qaa")
    assert set(apart["target"]) == {"udpos", "panx"}, "no arm is in both"
    assert "in all targets no arm" in answer_pretraining(apart)
    floored = [replace(cube, floors=np.full(len(CODES), 99.0)) for cube in make_pair()]
    assert difference_table({"udpos": floored}, "qaa").empty


def test_scores_of_both_encoders_stand_side_by_side():
    scores = scores_by_language(CUBES)
    rows = scores[(scores["target"] == "udpos") & (scores["eval_language"] == CODES[-1])].set_index("encoder")
    assert rows["at_floor"].to_dict() == {"lab-base": False, "lab-english": True}
    assert (scores["low"] < scores["score"] + 0.2).all() and (scores["low"] < scores["high"]).all()
