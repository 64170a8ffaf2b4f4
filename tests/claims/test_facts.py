"""Claims about tables, rows and point values, and published numbers against each other."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import xt.claims.facts as facts
import xt.claims.ledger as ledger
from xt.claims import CONTRADICTED, NOT_TESTED, SUPPORTED, check_published, load_claims
from xt.claims.needs import runs_for_value
from xt.claims.values import CHOSEN_ON, find_value, value_faults
from xt.locations import folder
from xt.published import load_published
from xt.reported import XTREME_TASKS
from xt.studies import STUDIES
from xt.tasks import TASKS

KNOWN = {claim.claim_id: claim for claim in load_claims()}


def verdicts_of_tables():
    return {
        claim.claim_id: ledger.judge_tables(claim).verdict
        for claim in KNOWN.values()
        if claim.contrast in facts.TABLE_FACTS
    }


def test_the_tables_contradict_what_only_a_text_can_support():
    found = verdicts_of_tables()
    assert [name for name, verdict in found.items() if verdict == CONTRADICTED] == ["formats", "word-sense"]
    assert set(found.values()) == {SUPPORTED, CONTRADICTED} and len(found) == 10


def test_another_table_gives_other_verdicts(monkeypatch):
    before = verdicts_of_tables()
    few = ("none", "mnli", "qqp")
    changed = dict(intermediates=few, encoders=("FacebookAI/xlm-roberta-base",), targets=("xnli",))
    monkeypatch.setattr(facts, "PAPER", replace(facts.PAPER, **changed))
    after = verdicts_of_tables()
    moved = {name for name in after if after[name] != before[name]}
    assert moved == {"xlmr-start", "nine-tasks", "task-kinds", "single-and-multi", "xtreme-targets"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder root with the fixtures' MNLI rows and its manifest; the study `real` reads it."""
    place = tmp_path / "root"
    shutil.copytree(folder("XT_FIXTURES") / "nyu-mll", place / "nyu-mll")
    monkeypatch.setattr(ledger, "STUDIES", STUDIES | {"real": replace(STUDIES["real"], root=str(place))})
    return place


def trained(status, task="mnli"):
    """An index of runs that trained on a task with data of this status."""
    return pd.DataFrame([dict(run_id="r1", phase="intermediate", intermediate=task, data_status=status)])


def declare(root, status):
    (root / "MIRROR.json").write_text(json.dumps({"nyu-mll/glue/mnli": {"status": status}}))


def test_rows_are_counted_on_complete_data(root):
    declare(root, "complete")
    claim = replace(KNOWN["mnli-size"], expected="48")
    row = ledger.judge_rows("real", claim, trained("complete"))
    assert (row.verdict, row.finding, row.runs) == (SUPPORTED, "48", "r1")
    wrong = ledger.judge_rows("real", KNOWN["mnli-size"], trained("complete"))
    assert (wrong.verdict, wrong.finding) == (CONTRADICTED, "48")


@pytest.mark.parametrize("status", ["substitute", "subset", "generated", "imported"])
def test_a_substitute_contradicts_no_row_count(status, root):
    declare(root, "complete")
    row = ledger.judge_rows("real", KNOWN["mnli-size"], trained(status))
    assert row.verdict == NOT_TESTED and row.finding == "" and "not the release" in row.why
    assert row.wanted.command == "xt run paper" and row.wanted.number == 3
    ids = row.wanted.find_ids()
    assert len(ids) == 3 and all(run_id.startswith("intermediate-mnli-") for run_id in ids)


def test_rows_that_are_not_here_are_not_counted(root):
    row = ledger.judge_rows("real", KNOWN["hellaswag-kind"], trained("complete", "hellaswag"))
    assert row.verdict == NOT_TESTED and "are not here" in row.why


def split_of(target):
    return "test" if target == "bucc2018" else "validation"


def own_scores(gains, encoder="FacebookAI/xlm-roberta-large", **changes):
    """Scores of XTREME's nine as the paper has them: `gains` (arm -> points over the baseline), three seeds, validation
    data in two languages; the second metric of a task is 10 points lower."""
    rng, rows = np.random.default_rng(0), []
    for target in XTREME_TASKS:
        for arm, gain in {"none": 0.0, **gains}.items():
            for seed in (1, 2, 3):
                score = 50 + gain + rng.normal(0, 0.2)
                row = dict(target=target, intermediate=arm, seed=seed, split=split_of(target))
                rows += [
                    row | dict(eval_language=code, metric=metric, score=score - 10 * place)
                    for code in ("en", "de")
                    for place, metric in enumerate(TASKS[target].metrics)
                ]
    shared = dict(encoder=encoder, data_status="complete", layer=pd.NA, direction=pd.NA,
                  max_train_examples=pd.NA, max_eval_examples=pd.NA)  # fmt: skip
    return pd.DataFrame(rows).assign(**shared | changes)


@pytest.mark.parametrize(("gain", "verdict"), [(8.2, SUPPORTED), (5.0, CONTRADICTED)])
def test_a_point_value_is_judged_on_its_own_encoder_and_split(gain, verdict):
    claim, scores = KNOWN["squad-gain"], own_scores({"squad": gain, "mnli": 3.0})
    assert value_faults(claim, scores) == []
    found = find_value(claim, scores)
    assert found.differences.effect == pytest.approx([gain], abs=0.3)
    evidence = ledger.Evidence("paper", "", ledger.Panel([]), scores.assign(run_id="r"))
    row = ledger.judge_value(claim, [], evidence, 3)
    assert row.verdict == verdict and row.data == "complete"
    assert (row.claimed_low, row.claimed_high) == (pytest.approx(7.2), pytest.approx(9.2))


@pytest.mark.parametrize(("changes", "reason"), [
    (dict(encoder="FacebookAI/xlm-roberta-base"), "the encoder is not xlm-roberta-large"),
    (dict(split="test"), "not on validation data: mlqa, panx, pawsx, tatoeba, tydiqa, udpos, xnli, xquad"),
    (dict(data_status="substitute"), "data are substitute"),
    (dict(max_train_examples=3000), "examples are capped"),
])  # fmt: skip
def test_elsewhere_a_point_value_is_not_tested(changes, reason):
    assert value_faults(KNOWN["squad-gain"], own_scores({"squad": 1.0}, **changes)) == [reason]


def test_a_point_value_needs_every_target_and_a_choice_needs_data_to_choose_on():
    scores = own_scores({"squad": 1.0})
    scores = scores[scores["target"] != "panx"]
    assert value_faults(KNOWN["squad-gain"], scores) == ["1 of 9 targets lack these arms"]
    assert CHOSEN_ON in value_faults(KNOWN["best-of-nine"], scores)
    scores = own_scores({"squad": 1.0})
    apart = scores[(scores["seed"] == 1) == (scores["target"] == "panx")]
    assert value_faults(KNOWN["squad-gain"], apart) == ["no seed has them all"]


def test_the_runs_of_a_point_value_are_of_its_own_encoder_and_split():
    dev, test = runs_for_value(KNOWN["squad-gain"]), runs_for_value(replace(KNOWN["squad-gain"], split="test"))
    assert (dev.command, dev.number) == ("xt run paper-dev", 2 * 9 * 3)
    assert (test.command, test.number) == ("xt run paper", 2 * 9 * 3)
    shared = {run_id.split("-")[0] for run_id in set(dev.find_ids()) & set(test.find_ids())}
    assert shared == {"xquad", "tydiqa", "tatoeba", "bucc2018"}, "what a target has in one split is scored once"
    assert runs_for_value(KNOWN["best-of-nine"]).number == 0, "no run gives retrieval English data to choose on"


@pytest.fixture
def published():
    return load_published()


def test_published_numbers_agree_with_what_is_claimed_of_them(published):
    found = check_published(KNOWN.values(), published).set_index("claim_id")
    assert found.loc[["squad-gain", "mnli-gain", "hellaswag-gain"], "word"].eq("agrees").all()
    best = found.loc["best-of-nine"]
    assert best["word"] == "cannot be told" and best["number"] == pytest.approx(2.5, abs=0.05)
    assert "+0.8 without TyDi QA" in best["finding"] and "+15.5" in best["finding"]
    assert found.loc["multi-task-best", "word"] == "cannot be told", "six of nine rivals have no published number"


def test_a_number_copied_wrong_and_a_smaller_rival_are_seen(published):
    wrong = published.copy()
    gain = wrong["intermediate"].isin(["squad minus none"])
    wrong.loc[gain, "score"] = 8.9
    found = check_published(KNOWN.values(), wrong).set_index("claim_id")["word"]
    assert found["squad-gain"] == "disagrees" and found["multi-task-best"] == "disagrees"
    flat = published.copy()
    flat.loc[flat["intermediate"].eq("best_of_nine") & flat["task"].eq("xnli"), "score"] = 90.0
    assert check_published(KNOWN.values(), flat).set_index("claim_id")["word"]["xnli-none"] == "disagrees"
