"""The ledger on invented studies: what is true there is supported, what is false contradicted, and nothing else
decided."""

import shutil
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from synthetic_study import change_scores, write_study
from typer.testing import CliRunner

import xt.claims.ledger as module
from xt.claims import CLAIMS, CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED, judge_study, load_claims, write_ledger
from xt.claims.panel import Panel
from xt.cli import app
from xt.errors import DataError
from xt.prose import answer_claims, format_verdicts, say_effect, say_needed, say_number, say_stamps
from xt.results import find_study, load_runs
from xt.studies import STUDIES

ARMS = ("none", "squad", "hellaswag", "mnli", "multi", "mnli_shuffled")
TARGETS = {"udpos": ("en", "de", "nl", "fr", "zh"), "xquad": ("en", "de", "es", "ru", "zh")}
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
    """Claim -> verdict on the whole of it."""
    return {claim_id: verdict for (claim_id, part), verdict in ledger["verdict"].items() if part == "direction"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=ARMS, languages=TARGETS, num_clusters=300, seed_noise=0.003, gains=GAINS)
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
    assert row["data"] == "mirror (subset)" and row["scope"] == "2 of 3 targets; tydiqa: not run in full"


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
    row = judge(results, PLANTED[-1:], "lab", with_ids=True).iloc[0]
    assert row["command"] == "xt run lab" and row["num_missing"] == 2 * 3 * 3
    planned = STUDIES["lab"].score_config("lab-base", "qqp", "tydiqa", 2).run_id
    assert planned in row["missing"].split() and len(row["missing"].split()) == row["num_missing"]
    assert row["why"] == "udpos, xquad, tydiqa: not run in full"


def test_a_study_asks_for_its_own_missing_runs(tmp_path):
    own = dict(arms=("none", "mnli"), languages={"xquad": ("qab",)}, home="qaa", encoder="lab-base", seeds=(1,))
    write_study(tmp_path, "lab-confirm-1", num_clusters=5, **own)
    row = judge(tmp_path, [plant("own", arms="multi")], "lab-confirm-1").iloc[0]
    assert row["command"] == "xt run lab-confirm-1", "tydiqa is not in its plan, and one baseline is there"
    assert row["num_missing"] == 2 * 2 * 3 - 1 and row["why"] == "udpos: not run in full"


def test_a_mean_without_any_target_of_a_group_is_another_one_and_the_rest_is_judged_apart(results):
    """The study `real` has no PAWS-X; Tatoeba it has yet to run."""
    claims = [plant("pairs-too", targets="udpos xquad pawsx"), plant("retrieval-too", targets="udpos xquad tatoeba")]
    ledger = judge(results, claims)
    whole, rest = (ledger.loc[("pairs-too", part)] for part in ("direction", "groups"))
    assert whole["verdict"] == NOT_TESTED and whole["why"] == "pawsx: not run in full" and np.isnan(whole["effect"])
    assert whole["command"] == "xt run real-full" and whole["num_missing"] == 3 * 2 * 3
    assert rest["verdict"] == SUPPORTED and rest["effect"] == pytest.approx(8, abs=2)
    assert rest["on"] == "structured, QA" and rest["scope"] == "2 of 3 targets; pawsx: not run in full"
    assert (rest["num_tests"], rest["num_missing"]) == (1, 0)
    waiting = ledger.loc["retrieval-too"]
    assert list(waiting.index) == ["direction"], "what the study has yet to run is waited for"
    waiting = waiting.iloc[0]
    assert waiting["verdict"] == NOT_TESTED and waiting["command"] == "xt run real" and np.isnan(waiting["p"])
    assert waiting["effect"] == pytest.approx(8, abs=2) and waiting["scope"].startswith("2 of 3 targets")
    said = answer_claims(ledger.reset_index(), "real")
    assert "does not test 2 (pairs-too and retrieval-too +" in said
    assert "the rest of a claim is judged apart: on structured and QA it supports 1 (pairs-too +" in said


def test_a_group_at_the_floor_is_missing_and_a_target_at_the_floor_is_left_out_of_its_group(tmp_path):
    """Where the floor is in the way, only a study of the releases is asked for."""
    at_floor = {"xquad": ("de", "es", "zh"), "tydiqa": ("fi", "ko", "id"), "xnli": ("zh", "de", "fr")}
    write_study(tmp_path, arms=("none", "squad"), languages=at_floor, num_clusters=40)
    asked = {"same group": "xquad tydiqa", "another group": "xnli tydiqa", "none left": "xnli"}
    ledger = judge(tmp_path, [plant(name, targets=targets) for name, targets in asked.items()])
    same, rest = ledger.loc[("same group", "direction")], ledger.loc[("another group", "groups")]
    for row, target in ((same, "xquad"), (rest, "xnli")):
        assert row["scope"] == f"1 of 2 targets; {target}: fewer than 3 languages above the floor"
        assert row["verdict"] != NOT_TESTED and row["num_tests"] == 2
    assert (same["on"], rest["on"]) == ("", "QA")
    for name, number in {"another group": 2 * 2 * 3, "none left": 2 * 3}.items():
        gone = ledger.loc[(name, "direction")]
        assert gone["verdict"] == NOT_TESTED and gone["why"] == "xnli: fewer than 3 languages above the floor"
        assert gone["command"] == "xt run paper" and gone["num_missing"] == number
    assert ("none left", "groups") not in ledger.index


def test_a_claim_about_each_of_two_targets_is_not_judged_on_their_mean(tmp_path):
    """40 points more on one and 10 fewer on the other are more than 5 in the mean."""
    apart = {"tatoeba": ("de", "nl", "fr", "es"), "xquad": ("de", "es", "ru", "vi")}
    gains = {("squad", "tatoeba"): 0.4, ("squad", "xquad"): -0.1}
    arms = ("none", "squad", "mnli", "hellaswag")
    write_study(tmp_path, arms=arms, languages=apart, gains=gains, num_clusters=150, seed_noise=0.003)
    each = plant("each", "retrieval-large", arms="squad", aggregate="only", targets="tatoeba; xquad")
    ledger = judge(tmp_path, [each, replace(each, claim_id="mean", targets="tatoeba xquad")])
    rows = ledger.loc["each"].set_index("on")
    assert rows["verdict"].to_dict() == {"tatoeba": SUPPORTED, "xquad": CONTRADICTED}
    assert rows["scope"].tolist() == ["1 of 1 targets"] * 2 and rows["num_tests"].tolist() == [3, 3]
    assert ledger.loc[("mean", "direction"), "verdict"] == SUPPORTED
    assert ledger.loc[("mean", "direction"), "effect"] == pytest.approx(rows["effect"].mean(), abs=0.1)
    table = ledger.reset_index()
    assert list(format_verdicts(table).index) == ["each (tatoeba)", "each (xquad)", "mean"]
    said = say_stamps(table, [replace(each, verified="yes")])
    assert said.startswith("Of 1 claims") and "1 contradicted" in said, "one of two is not both"


def test_without_results_the_ledger_says_what_to_run(tmp_path):
    (tmp_path / "results").mkdir()
    ledger = judge(tmp_path / "results", study="lab")
    assert set(ledger["verdict"]) == {NOT_TESTED} and set(ledger["command"]) == {"xt run lab"}
    assert set(ledger["missing"]) == {""}, "ids are named where they are asked for"


def test_every_claim_has_a_row_whatever_decides_it(tmp_path):
    (tmp_path / "results").mkdir()
    ledger = judge(tmp_path / "results", load_claims(), "lab")
    assert set(ledger.index.get_level_values("claim_id")) == set(KNOWN)
    best = ledger.loc[("best-of-nine", "groups")]
    assert best["on"] == "sentence pair, structured, QA" and best["command"] == "xt run lab"
    assert best["num_missing"] == 10 * 7 * 3, "what can be chosen for has runs that would test it"
    row = ledger.loc[("xlmr-sota", "published")]
    assert row["verdict"] == NOT_TESTED and "published scores" in row["why"] and row["command"] == ""
    assert "17 claims that documents call verified" in say_stamps(ledger.reset_index(), KNOWN.values())


def test_a_closed_list_is_judged_on_all_of_it_and_examples_on_those_that_were_run(results):
    """squad gains and hellaswag loses; of the claimed arms qqp was not run."""
    lists = {"best": "squad qqp", "worst": "hellaswag qqp", "best-run": "squad qqp"}
    claims = [plant(name, arms=arms, aggregate="smallest", judged_on="all pairs") for name, arms in lists.items()]
    claims[-1] = replace(claims[-1], judged_on="pairs run")
    ledger = judge(results, claims).droplevel("part")
    assert ledger["verdict"].to_dict() == {"best": UNDECIDED, "worst": CONTRADICTED, "best-run": SUPPORTED}
    best = ledger.loc["best"]
    assert np.isneginf(best["low"]) and best["effect"] == pytest.approx(8, abs=2) and np.isnan(best["seeds_needed"])
    assert best["scope"].startswith("2 of 3 targets, 1 of 2 comparisons") and best["num_missing"] > 0
    assert say_effect(best).endswith(f"(below {say_number(best['high'])})")
    assert say_needed(best) == "the comparisons not run" and ledger.loc["worst", "num_missing"] == 0


def test_a_relevant_change_says_its_sign_and_a_small_one_that_it_counts_as_none(results):
    claims = [plant("changes", arms="hellaswag", direction="equal", aggregate="largest size"),
              plant("small", arms="mnli", margin="large gain")]  # fmt: skip
    ledger = judge(results, claims).droplevel("part")
    assert ledger["verdict"].to_list() == [CONTRADICTED, CONTRADICTED]
    assert ledger["finding"].to_list() == ["hellaswag against none (a loss)", "mnli against none: counts as none"]


def test_below_three_seeds_nothing_is_tested_and_the_missing_seeds_are_named(tmp_path):
    some = dict(arms=("none", "squad"), languages={"xquad": TARGETS["xquad"]}, gains=GAINS, seeds=(1, 2))
    write_study(tmp_path, num_clusters=40, **some)
    row = judge(tmp_path, [plant("few", targets="xquad")]).iloc[0]
    assert row["verdict"] == NOT_TESTED and row["why"] == "2 of at least 3 seeds" and np.isnan(row["p"])
    assert np.isfinite([row["effect"], row["low"], row["high"]]).all() and row["interval"].startswith("conditional")
    assert row["command"] == "xt run real" and row["num_missing"] == 2


def test_the_best_of_nine_is_what_english_selection_data_choose(tmp_path, monkeypatch):
    gains = {("squad", "xquad"): 0.15, ("hellaswag", "xquad"): 0.4}
    languages = {"xquad": ("de", "es", "ru", "zh"), "tatoeba": ("de", "nl", "fr")}
    chosen = dict(arms=("none", "squad", "hellaswag"), gains=gains, selected={("squad", "xquad"): 0.9})
    write_study(tmp_path, languages=languages, **chosen)
    two = dict(arms="squad hellaswag", against="none")
    three = two | dict(arms="squad hellaswag mnli")
    claims = [plant("trained", "best-of-nine", targets="xquad", **two),
              plant("retrieval", "best-of-nine", targets="xquad tatoeba", **two),
              plant("of-three", "best-of-nine", targets="xquad", **three)]  # fmt: skip
    ledger = judge(tmp_path, claims)
    rest = ledger.loc[("retrieval", "groups")]
    assert rest["verdict"] == SUPPORTED and rest["on"] == "QA" and rest["scope"].startswith("1 of 2 targets; tatoeba")
    ledger = ledger.xs("direction", level="part")
    row = ledger.loc["trained"]
    assert row["verdict"] == SUPPORTED and row["low"] < 15 < row["high"]
    assert row["effect"] == pytest.approx(15, abs=5), "hellaswag would have been better, and was not chosen"
    assert ledger.loc["retrieval", "why"].startswith("tatoeba: no English selection data")
    assert ledger.loc["retrieval", "verdict"] == NOT_TESTED and np.isnan(ledger.loc["retrieval", "effect"])
    assert ledger.loc["retrieval", "command"] == "", "no run would give it any"
    assert ledger.loc["of-three", "why"] == "mnli: not run in full", "one chosen from fewer is another one"
    monkeypatch.setattr(module, "Panel", lambda cubes: Panel(cubes, {cube.target: cube.floors > 0 for cube in cubes}))
    everywhere = judge(tmp_path, claims[:1]).iloc[0]
    assert everywhere["effect"] == pytest.approx(row["effect"] * 3 / 4, abs=1), "floors are decided before the choice"


def test_a_written_ledger_is_the_same_each_time_and_holds_every_run(results, tmp_path, monkeypatch):
    shutil.copytree(results, tmp_path / "results")
    monkeypatch.setenv("XT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(module, "load_claims", lambda: [PLANTED[0], PLANTED[-1]])
    done = CliRunner().invoke(app, ["claims", "real"])
    assert done.exit_code == 0 and "`real` supports 1 (true +" in done.stdout, done.output
    path = tmp_path / "results" / "real" / "claims.csv"
    first, kept = path.read_bytes(), pd.read_csv(path).set_index("claim_id")
    assert write_ledger("real")[0].read_bytes() == first
    assert len(kept.loc["true", "runs"].split()) == kept.loc["true", "num_runs"]
    assert len(kept.loc["not-run", "missing"].split()) == kept.loc["not-run", "num_missing"] > 0
    assert "unknown study 'nowhere'" in CliRunner().invoke(app, ["claims", "nowhere"]).output


def test_the_committed_ledger_is_what_is_judged_today():
    """Without the ids of missing runs, which hash data that need not be here."""
    kept = pd.read_csv(find_study("real") / "claims.csv", keep_default_na=False, dtype=str)
    today = judge_study("real", np.random.default_rng(1))
    today = pd.read_csv(StringIO(today.to_csv(index=False)), keep_default_na=False, dtype=str)
    assert list(kept.columns) == list(today.columns)
    numbers = ["effect", "low", "high", "p", "p_adjusted", "claimed_low", "claimed_high", "margin", "seeds_needed"]
    words = kept.columns.difference([*numbers, "missing"])
    pd.testing.assert_frame_equal(kept[words], today[words])
    kept, today = (table[numbers].apply(pd.to_numeric) for table in (kept, today))
    np.testing.assert_allclose(kept, today, atol=1e-3)


@pytest.mark.parametrize(("column", "value", "message"), [
    ("arms", "sqad", "did you mean 'squad'"),
    ("targets", "xquadd", "did you mean 'xquad'"),
    ("contrast", "mean", "contrast, row 0"),
    ("aggregate", "", "no aggregate"),
    ("margin", "half a point", "margin, row 0"),
    ("direction", "better", "direction, row 0"),
    ("arms", "squad mnli hellaswag", "3 arms against 2"),
    ("split", "", "stand together"),
    ("judged_on", "most", "judged_on, row 0"),
])  # fmt: skip
def test_a_wrong_row_is_refused_by_name(column, value, message, tmp_path):
    table = pd.read_csv(CLAIMS, dtype=str, keep_default_na=False)
    table.loc[0, column] = value
    table.loc[0, "against"] = "none mnli" if value.startswith("squad ") else table.loc[0, "against"]
    table.to_csv(tmp_path / "claims.csv", index=False)
    with pytest.raises(DataError, match=message) as refusal:
        load_claims(tmp_path / "claims.csv")
    assert "claims.csv" in str(refusal.value) and ("squad-gain" in str(refusal.value) or "row 0" in str(refusal.value))
