"""The committed study `real`: complete, sane, and recomputable from its statistics."""

import pytest
from synthetic_study import reduce_stats

from xt.reported import is_zero_shot, select_primary
from xt.results import load_runs, load_scores, load_stats
from xt.studies import get_study

STUDY = get_study("real")


@pytest.fixture(scope="module")
def scores():
    return load_scores("real")


def test_every_block_is_there(scores):
    planned = {(s, arm, target) for s in STUDY.seeds for _, arm, targets in STUDY.cells() for target in targets}
    assert set(scores.groupby(["seed", "intermediate", "target"]).size().index) == planned


def test_caps_status_and_floors_stand_beside_every_score(scores):
    assert scores["floor"].notna().all() and scores["at_floor"].notna().all()
    trained = scores[scores["target"] != "tatoeba"]
    assert (trained["max_train_examples"] >= 3000).all() and (scores["max_eval_examples"] >= 200).all()
    assert set(scores.query("target == 'panx'")["split"]) == {"validation"}
    assert "complete" not in set(scores.query("target == 'xnli'")["data_status"]), "trained on a substitute of MNLI"


def test_part_of_speech_tags_are_learnt_and_reach_the_near_languages(scores):
    rows = scores.query("target == 'udpos' and metric == 'token_accuracy' and intermediate == 'none'")
    by_language = rows.groupby("eval_language")[["score", "floor"]].mean()
    assert by_language.loc["en", "score"] > 88
    for near in ("fr", "es", "it", "pt", "nl"):
        assert by_language.loc[near, "score"] > by_language.loc[near, "floor"]
    assert rows.query("eval_language in ['ja', 'th', 'zh']")["at_floor"].any(), "distant languages are flagged"


def test_zero_shot_is_below_english_on_average(scores):
    primary = select_primary(scores)
    primary = primary[primary["target"].isin(["udpos", "panx", "xquad"])]
    means = primary.groupby(["target", is_zero_shot(primary)])["score"].mean().unstack()
    assert (means[True] < means[False]).all()


def test_scores_are_those_of_the_committed_statistics(scores):
    runs = load_runs("real")
    for run_id in runs[runs["phase"] != "intermediate"]["run_id"].iloc[::17]:
        again = reduce_stats(load_stats("real", run_id))
        ours = scores[scores["run_id"] == run_id]
        assert sorted(again["score"].round(3)) == pytest.approx(sorted(ours["score"].astype(float).round(3)), abs=2e-3)
