"""Best of nine: what is chosen, what it is worth, and that the choice is made anew in every resample."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study, write_synthetic_run

from xt.choosing import NO_TRAINING, NOT_RECORDED, Scores, choice_table, choose, draw_seeds, is_candidate
from xt.errors import DataError
from xt.gains import load_cubes
from xt.results import load_scores, load_selection_stats, load_stats
from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS

ARMS = ("none", "mnli", "squad", "hellaswag", "mnli_shuffled", "squad.de", "multi")
GAINS = {("squad", "xquad"): 0.1, ("hellaswag", "xquad"): 0.25, ("multi", "xquad"): 0.5, ("mnli", "tatoeba"): 0.3}
SELECTED = {("squad", "xquad"): 0.8, ("mnli_shuffled", "xquad"): 0.95, ("squad.de", "xquad"): 0.95}
LANGUAGES = {"xquad": ("en", "de", "es"), "tatoeba": ("de", "nl")}


def choices(results, seeds=(1, 2, 3), num_resamples=200):
    scores = load_scores("real", results)
    scores, rng = scores[scores["seed"].isin(seeds)], np.random.default_rng(0)
    cubes = load_cubes(scores, rng, results, num_resamples, min_seeds=1)
    return choice_table(cubes, scores, rng, results).set_index(["target", "none_allowed"])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=ARMS, languages=LANGUAGES, num_clusters=100, gains=GAINS, selected=SELECTED)
    return folder


def test_the_choice_is_made_in_english_and_paid_for_in_other_languages(results):
    row = choices(results).loc[("xquad", False)]
    assert (row["chosen"], row["oracle"]) == ("squad", "hellaswag"), "no placebo, no mixture, no other language"
    assert row["gain"] == pytest.approx(10, abs=4) and row["gain_low"] < 10 < row["gain_high"]
    assert row["regret"] == pytest.approx(15, abs=4) and row["regret_low"] < 15 < row["regret_high"]
    assert row["chosen_score"] - row["baseline"] == pytest.approx(row["gain"])
    assert row["stability"] > 0.9 and row["num_candidates"] == 3 and row["kind"] == SEEDS_AND_ITEMS
    assert row["selected_on"] == "f1 on 100 examples held out of squad"
    assert row["oracle_score_low"] < row["oracle_score"] < row["oracle_score_high"]


def test_a_target_without_training_has_the_oracle_only(results):
    row = choices(results).loc[("tatoeba", False)]
    assert row["selected_on"] == NO_TRAINING and pd.isna(row["chosen"]) and row["oracle"] == "mnli"
    assert row[["chosen_score", "gain", "regret", "stability"]].isna().all() and row["oracle_score"] > row["baseline"]


def test_whoever_may_choose_nothing_chooses_it_where_it_selects_best(tmp_path):
    selected = {(arm, "xquad"): share for arm, share in (("none", 0.9), ("squad", 0.5), ("mnli", 0.3))}
    write_study(tmp_path, arms=("none", "mnli", "squad"), languages={"xquad": ("de", "es")}, selected=selected)
    table = choices(tmp_path).loc["xquad"]
    assert table["chosen"].to_dict() == {False: "squad", True: "none"}
    assert table.loc[True, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]


def test_one_seed_is_conditional_on_its_checkpoints(results):
    assert set(choices(results, seeds=(1,))["kind"]) == {ITEMS_ONLY}


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


def simulate(worth, num_studies=150, num_seeds=3, num_resamples=200):
    """Studies whose arms are truly worth `worth` (points, the baseline first) and select alike: one row each."""
    rng, worth, rows = np.random.default_rng(0), np.asarray(worth, float), []
    for _ in range(num_studies):
        parts = []
        for mean in (np.zeros(len(worth)), worth):
            points = mean + rng.normal(0, 1, (num_seeds, len(worth))) + rng.normal(0, 0.7, len(worth))
            parts.append(Scores(points, points + rng.normal(0, 0.7, (num_resamples, 1, len(worth)))))
        weights = draw_seeds(num_seeds, num_resamples, rng)
        row = choose(*parts, range(1, len(worth)), weights)
        kept = np.einsum("bs,bs->b", weights, parts[1].resampled[..., row["chosen"]])
        low, high = np.quantile(kept, [0.025, 0.975])
        rows.append(row | dict(truth=worth[row["chosen"]], oracle_truth=worth[row["oracle"]], low=low, high=high))
    return pd.DataFrame(rows)


def test_an_interval_that_keeps_the_choice_fixed_is_too_narrow():
    rows = simulate([0, 0, 5])
    truth = rows["truth"].mean()
    covered = ((rows["chosen_score_low"] <= truth) & (truth <= rows["chosen_score_high"])).mean()
    fixed = ((rows["low"] <= truth) & (truth <= rows["high"])).mean()
    assert covered > 0.85 and fixed < 0.5


def test_the_best_score_seen_is_too_high_and_the_oracle_less_so():
    rows = simulate([0] * 10)
    assert rows["oracle_seen"].mean() > 1 and rows["oracle_score"].mean() < 0.6, "the truth is 0"
    apart = simulate([0, 1, 2, 8])
    assert apart["oracle_score"].mean() == pytest.approx(apart["oracle_truth"].mean(), abs=0.2)


def test_the_draws_of_few_seeds_have_the_variance_of_their_mean():
    values = np.array([0.0, 2.0, 4.0])
    weights = draw_seeds(3, 20000, np.random.default_rng(0))
    assert weights.sum(axis=1) == pytest.approx(1)
    assert (weights @ values).var() == pytest.approx(values.var(ddof=1) / 3, rel=0.05)
    assert (draw_seeds(1, 5, np.random.default_rng(0)) == 1).all()
