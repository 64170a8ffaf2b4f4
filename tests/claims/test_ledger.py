"""The ledger on invented studies: what is true there is supported, what is false contradicted, and nothing else
decided."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import LANGUAGES, change_scores, write_study

from xt.claims import CLAIMS, CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED, judge_study, load_claims, write_ledger
from xt.claims.panel import Panel
from xt.errors import DataError
from xt.gains import load_cubes
from xt.results import load_runs, load_scores
from xt.studies import STUDIES

ARMS = ("none", "squad", "hellaswag", "mnli", "multi", "mnli_shuffled")
TARGETS = ("udpos", "xquad")
EFFECTS = {"squad": 0.08, "hellaswag": -0.08, "mnli": 0.0, "multi": 0.01}
GAINS = {(arm, target): gain for arm, gain in EFFECTS.items() for target in TARGETS}
KNOWN = {claim.claim_id: claim for claim in load_claims()}


def plant(claim_id, like="squad-gain", **changes):
    """A claim of our own, like one of the ledger."""
    unclaimed = dict(value=None, encoder="", split="", published="", targets="udpos xquad tydiqa")
    return replace(KNOWN[like], claim_id=claim_id, **unclaimed | changes)


PLANTED = [
    plant("true", arms="squad"),
    plant("false", arms="hellaswag"),
    plant("null", arms="mnli", margin="large gain"),
    plant("no-effect", arms="mnli", margin="large gain", direction="equal"),
    plant("imprecise", arms="multi"),
    plant("not-run", arms="qqp"),
]


def judge(results, claims=PLANTED, study="real", **options):
    ledger = judge_study(study, np.random.default_rng(0), claims, results, num_resamples=100, **options)
    return ledger.set_index(["claim_id", "part"])


def verdicts(ledger):
    return {claim_id: verdict for (claim_id, part), verdict in ledger["verdict"].items() if part == "direction"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    languages = {target: LANGUAGES[target] for target in TARGETS}
    write_study(folder, arms=ARMS, languages=languages, num_clusters=300, seed_noise=0.003, gains=GAINS)
    return folder


@pytest.fixture(scope="module")
def ledger(results):
    return judge(results)


def test_planted_claims_get_the_verdict_of_their_truth(ledger):
    assert verdicts(ledger) == {
        "true": SUPPORTED,
        "false": CONTRADICTED,
        "null": CONTRADICTED,
        "no-effect": SUPPORTED,
        "imprecise": UNDECIDED,
        "not-run": NOT_TESTED,
    }
    planted, tested = ledger.xs("direction", level="part"), ["true", "false", "null", "imprecise"]
    for claim_id, gain in zip(tested, (8, -8, 0, 1), strict=True):
        row = planted.loc[claim_id]
        assert row["low"] < gain < row["high"] and row["effect"] == pytest.approx(gain, abs=2)
    assert planted.loc["imprecise", "seeds_needed"] > 3
    assert planted.loc[["true", "false", "null"], "seeds_needed"].isna().all()


def test_every_verdict_rests_on_named_runs_of_its_arms_and_targets(ledger, results):
    row, runs = ledger.loc[("true", "direction")], load_runs("real", results)
    named = runs.set_index("run_id").loc[row["runs"].split()]
    assert len(named) == row["num_runs"] == 2 * 2 * 3
    assert set(named["intermediate"]) == {"none", "squad"} and set(named["target"]) == set(TARGETS)
    assert row["data"] == "mirror (subset)" and row["scope"] == "2 of 3 targets"


def test_intervals_and_p_are_adjusted_for_the_claims_that_could_be_tested(ledger, results):
    alone = judge(results, PLANTED[:1]).loc[("true", "direction")]
    together = ledger.loc[("true", "direction")]
    assert (alone["num_tests"], together["num_tests"]) == (1, 5), "what was not run is no test"
    assert together["low"] < alone["low"] and together["high"] > alone["high"]
    imprecise = ledger.loc[("imprecise", "direction")]
    assert imprecise["p_adjusted"] == pytest.approx(min(1, 5 * imprecise["p"])) and imprecise["p_adjusted"] > 0.05
    assert together["p_adjusted"] < 0.05


def test_other_results_give_other_verdicts(ledger, results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    turn = {"squad": "hellaswag", "hellaswag": "squad"}
    change_scores(
        tmp_path / "results", "real", lambda scores: scores.assign(intermediate=scores["intermediate"].replace(turn))
    )
    turned = verdicts(judge(tmp_path / "results"))
    assert (turned["true"], turned["false"]) == (CONTRADICTED, SUPPORTED)


def test_what_was_not_run_names_the_runs_and_the_command(results):
    row = judge(results, study="lab", encoder="mini").loc[("not-run", "direction")]
    assert row["command"] == "xt run lab" and row["num_missing"] == 2 * 3 * 3
    planned = STUDIES["lab"].score_config("lab-base", "qqp", "tydiqa", 2).run_id
    assert planned in row["missing"].split() and len(row["missing"].split()) == row["num_missing"]
    assert row["why"].startswith("not run: ")


def test_a_study_asks_for_its_own_missing_runs(tmp_path):
    write_study(tmp_path, "lab-confirm-1", arms=("none", "mnli"), languages={"xquad": ("de",)}, num_clusters=5)
    row = judge(tmp_path, [plant("own", arms="multi")], "lab-confirm-1", encoder="mini").iloc[0]
    assert row["command"] == "xt run lab-confirm-1" and row["num_missing"] == 2 * 2 * 3, "tydiqa is not in its plan"


def test_a_group_of_targets_without_any_is_no_test_and_a_target_at_the_floor_is_left_out(results, ledger):
    claim = plant("retrieval-too", targets="udpos xquad tatoeba")
    row = judge(results, [claim]).iloc[0]
    assert row["verdict"] == NOT_TESTED and row["why"] == "not run: tatoeba"


def test_where_all_is_at_the_floor_a_study_of_the_releases_is_asked_for(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), languages={"xquad": ("zh",)}, num_clusters=20)
    row = judge(tmp_path, [plant("floor", targets="xquad")]).iloc[0]
    assert row["verdict"] == NOT_TESTED and row["why"] == "no language is above its floor"
    assert row["command"] == "xt run paper" and row["num_missing"] == 2 * 3


def test_without_results_the_ledger_says_what_to_run(tmp_path):
    (tmp_path / "results").mkdir()
    ledger = judge(tmp_path / "results", study="lab")
    assert set(ledger["verdict"]) == {NOT_TESTED} and set(ledger["command"]) == {"xt run lab"}


def test_below_three_seeds_nothing_is_decided(results):
    def two_seeds(scores):
        return scores[scores["seed"] < 3]

    import xt.claims.ledger as module

    find, original = module.find_scores, module.find_scores
    try:
        module.find_scores = lambda study, folder: (two_seeds(find(study, folder)[0]), "")
        ledger = judge(results, PLANTED[:2])
    finally:
        module.find_scores = original
    assert set(ledger["verdict"]) == {UNDECIDED} and ledger["p"].isna().all() and ledger["low"].notna().all()


def test_the_best_of_nine_is_what_english_selection_data_choose(tmp_path):
    gains = {("squad", "xquad"): 0.15, ("hellaswag", "xquad"): 0.4}
    selected, languages = {("squad", "xquad"): 0.9}, {"xquad": ("de", "es"), "tatoeba": ("de",)}
    write_study(tmp_path, arms=("none", "squad", "hellaswag"), languages=languages, gains=gains, selected=selected)
    row = judge(tmp_path, [plant("chosen", "best-of-nine", targets="xquad tatoeba")]).iloc[0]
    assert row["verdict"] == SUPPORTED and row["low"] < 15 < row["high"]
    assert row["effect"] == pytest.approx(15, abs=5), "hellaswag would have been better, and was not chosen"
    assert row["scope"].startswith("1 of 2 targets; tatoeba: no English selection data")


def test_a_written_ledger_is_the_same_each_time_and_holds_every_run(ledger, results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    table = ledger.reset_index()
    path = write_ledger(table, "real", tmp_path / "results")
    first = path.read_bytes()
    again = judge(results).reset_index()
    assert write_ledger(again, "real", tmp_path / "results").read_bytes() == first
    kept = pd.read_csv(path).set_index("claim_id")
    assert len(kept.loc["true", "runs"].split()) == kept.loc["true", "num_runs"]


@pytest.mark.parametrize(("column", "value", "message"), [
    ("arms", "sqad", "did you mean 'squad'"),
    ("targets", "xquadd", "did you mean 'xquad'"),
    ("contrast", "mean", "contrast, row 0"),
    ("aggregate", "", "no aggregate"),
    ("margin", "half a point", "margin, row 0"),
    ("direction", "better", "direction, row 0"),
    ("arms", "squad mnli hellaswag", "3 arms against 2"),
    ("split", "", "stand together"),
    ("least_pairs", "4", "least_pairs is 4; allowed: 1 to 1"),
])  # fmt: skip
def test_a_wrong_row_is_refused_by_name(column, value, message, tmp_path):
    table = pd.read_csv(CLAIMS, dtype=str, keep_default_na=False)
    table.loc[0, column] = value
    table.loc[0, "against"] = "none mnli" if value.startswith("squad ") else table.loc[0, "against"]
    table.to_csv(tmp_path / "claims.csv", index=False)
    with pytest.raises(DataError, match=message) as refusal:
        load_claims(tmp_path / "claims.csv")
    assert "claims.csv" in str(refusal.value) and ("squad-gain" in str(refusal.value) or "row 0" in str(refusal.value))


def test_the_best_of_several_arms_is_compared_on_the_languages_that_all_arms_are(results):
    cubes = load_cubes(load_scores("real", results), np.random.default_rng(0), results, 100)
    every = {cube.target: np.ones(len(cube.languages), bool) for cube in cubes}
    panel = Panel(cubes, every)
    assert any(cube.at_floor.any() for cube in cubes), "a language that the cubes themselves would leave out"
    best = panel.with_best("best", {target: [1, 2, 1] for target in every})
    for target, mask in every.items():
        assert best.languages(target, ["best", "none"]).tolist() == mask.tolist()
