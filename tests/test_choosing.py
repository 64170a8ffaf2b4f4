"""Best of nine: what is chosen on English data, what that is worth elsewhere, and that no seed judges itself."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study, write_synthetic_run

from xt.choosing import NO_TRAINING, NOT_RECORDED, average_others, is_candidate, name_picks, pick, replace_by_picks
from xt.contrasts import choice_table
from xt.errors import DataError
from xt.gains import ScoreCube, load_cubes
from xt.results import load_scores, load_selection_stats, load_stats
from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS

ARMS = ("none", "mnli", "squad", "hellaswag", "mnli_shuffled", "squad.de", "multi")
GAINS = {("squad", "xquad"): 0.1, ("hellaswag", "xquad"): 0.25, ("multi", "xquad"): 0.5, ("mnli", "tatoeba"): 0.3}
SELECTED = {("squad", "xquad"): 0.8, ("mnli_shuffled", "xquad"): 0.95, ("squad.de", "xquad"): 0.95}
LANGUAGES = {"xquad": ("en", "de", "es"), "tatoeba": ("de", "nl")}


def choices(results, seeds=(1, 2, 3)):
    scores = load_scores("real", results)
    scores = scores[scores["seed"].isin(seeds)]
    cubes = load_cubes(scores, np.random.default_rng(0), results, 100, min_seeds=1)
    return choice_table(cubes, scores, results).set_index("target")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=ARMS, languages=LANGUAGES, num_clusters=100, gains=GAINS, selected=SELECTED)
    return folder


def test_the_choice_is_made_in_english_and_paid_for_in_other_languages(results):
    row = choices(results).loc["xquad"]
    assert (row["chosen"], row["oracle"]) == ("squad", "hellaswag"), "no placebo, no mixture, no other language"
    assert row["gain"] == pytest.approx(10, abs=4) and row["low"] < 10 < row["high"] and row["p_holm"] < 0.05
    assert row["regret"] == pytest.approx(15, abs=4) and row["regret_low"] < 15 < row["regret_high"]
    assert row["oracle_gain"] == pytest.approx(row["gain"] + row["regret"])
    assert row["num_candidates"] == 3 and row["kind"] == SEEDS_AND_ITEMS and row["shares_data"]
    assert row["selected_on"] == "f1 on 100 examples held out of squad"


def test_a_target_without_training_has_the_oracle_only(results):
    row = choices(results).loc["tatoeba"]
    assert row["selected_on"] == NO_TRAINING and pd.isna(row["chosen"]) and row["oracle"] == "mnli"
    assert row[["gain", "low", "p_holm", "regret"]].isna().all() and row["oracle_low"] > 0


def test_one_seed_chooses_on_its_own_english_data_and_has_no_oracle(results):
    row = choices(results, seeds=(1,)).loc["xquad"]
    assert row["chosen"] == "squad" and row["kind"] == ITEMS_ONLY and row["low"] < row["gain"] < row["high"]
    assert row[["p", "oracle", "oracle_gain", "regret"]].isna().all()


def test_where_both_choose_alike_nothing_is_missed(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), languages={"xquad": ("de", "es")}, selected=SELECTED)
    row = choices(tmp_path).loc["xquad"]
    assert (
        row["chosen"] == row["oracle"] == "squad" and row[["regret", "regret_low", "regret_high"]].tolist() == [0] * 3
    )


def test_runs_without_selection_statistics_say_so_and_other_examples_are_refused(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), languages={"xquad": ("de",)})
    assert set(choices(tmp_path)["selected_on"]) == {NOT_RECORDED}
    write_study(tmp_path, arms=("none", "squad"), languages={"xquad": ("de",)}, selected=SELECTED)
    run = "xquad-squad-s2"
    fewer = load_selection_stats("real", run, tmp_path).iloc[1:]
    stats = load_stats("real", run, tmp_path)
    write_synthetic_run(tmp_path / "real", "real", "xquad", "squad", 2, stats, selection=fewer)
    with pytest.raises(DataError, match=f"{run}: selected on other examples"):
        choices(tmp_path)


def test_candidates_are_single_tasks_in_the_training_language():
    arms = ("none", "mnli", "mnli_shuffled", "mnli.de", "multi", "mnli_mlm", "panx", "none_again", "my_own", "squad")
    assert [arm for arm in arms if is_candidate(arm)] == ["mnli", "my_own", "squad"]


def cube_of(points, arms=("none", "mnli", "squad", "qqp")) -> ScoreCube:
    """A cube of one language from scores (S, K)."""
    points = np.asarray(points, float)[..., None]
    seeds, zero_shot = tuple(range(1, len(points) + 1)), np.ones((len(arms), 1), bool)
    return ScoreCube("mini", "xquad", arms, seeds, ("de",), points, points[None] + 1, np.zeros(1), zero_shot, None)


def test_each_seed_takes_what_the_other_seeds_recommend():
    seen = np.array([[0.0, 9.0, 1.0], [4.0, 1.0, np.nan], [4.0, 1.0, 1.0]])  # arm 1 is lucky at the first seed
    assert pick(average_others(seen), [0, 1, 2]) == [0, 1, 1]
    assert pick(average_others(seen), [0, 2]) == [0, 0, 0], "an undefined score is never the best"


def test_picks_stand_in_place_of_the_arms_they_are_of():
    points = 10 * np.arange(1, 4)[:, None] + np.arange(4)
    cube = cube_of(points)
    cube.zero_shot[2] = False
    picked = replace_by_picks(cube, {"first": [1, 1, 2], "second": [2, 1, 2]})
    assert picked.arms == ("none", "qqp", "first", "second")
    assert picked.points[..., 0].tolist() == [[10, 13, 11, 12], [20, 23, 21, 21], [30, 33, 32, 32]]
    assert np.array_equal(picked.resampled[0], picked.points + 1)
    assert picked.zero_shot[:, 0].tolist() == [True, True, False, False], "one of those picked was trained in it"
    assert name_picks(cube, [1, 1, 2]) == "mnli (2 of 3 seeds), squad (1)" and name_picks(cube, [3, 3, 3]) == "qqp"


def test_the_best_of_many_is_not_judged_by_the_scores_that_chose_it():
    rng, gains = np.random.default_rng(0), {"seen": [], "judged": []}
    for _ in range(300):
        cube = cube_of(rng.normal(0, 1, (3, 10)), ("none", *(f"arm{place}" for place in range(9))))
        points, arms = cube.points[..., 0], list(range(1, 10))
        gains["seen"].append(points.mean(axis=0)[1:].max() - points[:, 0].mean())
        picked = replace_by_picks(cube, {"best": pick(average_others(points), arms)}).points[..., 0]
        gains["judged"].append((picked[:, -1] - points[:, 0]).mean())
    assert np.mean(gains["seen"]) > 0.7 and abs(np.mean(gains["judged"])) < 0.15, "the truth is 0"
