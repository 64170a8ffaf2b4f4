"""Published scores: well-formed, and beside ours only where nothing speaks against it."""

import pandas as pd
import pytest

from xt.errors import DataError
from xt.prose import answer_published
from xt.published import PUBLISHED, comparable, decompose, load_published, published_gains
from xt.results import find_scores, load_scores
from xt.tasks import TASKS


@pytest.fixture(scope="module")
def published():
    return load_published()


@pytest.fixture(scope="module")
def real():
    return load_scores("real")


@pytest.fixture
def scores(real):
    """Scores that may stand beside XLM-R large's on XQuAD: the same in every language."""
    rows = real.query("target == 'xquad' and intermediate == 'none'")
    limits = dict(max_train_examples=pd.NA, max_eval_examples=pd.NA)
    return rows.assign(encoder="FacebookAI/xlm-roberta-large", data_status="complete", **limits)


def test_every_row_names_its_source_and_a_score_stands_once(published):
    assert len(published) == 201 and published["source"].str.len().min() > 5
    assert set(published["task"]) - {"xtreme"} <= set(TASKS)


def test_a_faulty_row_is_named(tmp_path, published):
    for column, value, words in [("task", "xnly", "column task, row 0: 'xnly'"), ("score", "", "column score, row 0")]:
        table = pd.read_csv(PUBLISHED, dtype=str, keep_default_na=False)
        table.loc[0, column] = value
        table.to_csv(tmp_path / "published.csv", index=False)
        with pytest.raises(DataError, match=words):
            load_published(tmp_path / "published.csv")


def test_what_is_alike_stands_side_by_side(scores, published):
    table = comparable(scores, published).set_index("metric")
    assert (table["reason"] == "").all() and table["published"].to_dict() == {"f1": 76.6, "exact_match": 60.8}
    assert table.loc["f1", "ours"] == pytest.approx(scores[scores["metric"] == "f1"]["score"].mean())
    assert "2 of 2 means may stand beside" in answer_published(comparable(scores, published), decompose(published), "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (dict(encoder="mini"), "no published score of the encoder mini"),
        (dict(intermediate="squad"), "no published f1 of this encoder after squad"),
        (dict(data_status="substitute"), "data are substitute"),
        (dict(split="test"), "split test instead of validation"),
        (dict(max_eval_examples=200), "at most 200 eval examples"),
        (dict(score=pd.NA), "a score is missing"),
    ],
)
def test_what_is_not_alike_is_told_and_ours_is_withheld(scores, published, change, reason):
    table = comparable(scores.assign(**change), published)
    assert table["reason"].str.contains(reason).any() and table["ours"].isna().all()


def test_a_mean_over_other_languages_is_no_comparison(scores, published):
    [reason] = set(comparable(scores[scores["eval_language"] != "th"], published)["reason"])
    assert reason == "1 of 11 languages are lacking"


def test_retrieval_is_compared_at_the_same_layer_only(real, published):
    rows = real.query("target == 'tatoeba' and intermediate == 'none' and direction == 'from_english'")
    limits = dict(max_train_examples=pd.NA, max_eval_examples=pd.NA)
    rows = rows.assign(encoder="FacebookAI/xlm-roberta-large", data_status="complete", **limits)
    there = rows[rows["layer"] == 3]
    assert set(comparable(rows, published)["reason"]) == {"theirs is of layer 14"}
    deep = pd.concat([there.assign(layer=14), there.assign(layer=21, score=0.0)])
    [row] = comparable(deep, published).to_dict("records")
    assert row["reason"] == "" and row["published"] == pytest.approx(31.0, abs=0.05)


def test_the_published_gain_is_mostly_that_of_two_tasks_without_published_scores(published):
    gains = published_gains(published).set_index("target")["gain"]
    assert gains.to_dict() == pytest.approx(
        dict(xnli=0.8, pawsx=1.5, udpos=1.1, panx=-1.4, xquad=2.3, mlqa=0.65, tydiqa=12.7)
    )
    parts = decompose(published)
    assert parts["trained"] == pytest.approx(2.5, abs=0.05) and parts["without_tydiqa"] == pytest.approx(0.8, abs=0.05)
    assert 7 * parts["trained"] + 2 * parts["retrieval"] == pytest.approx(9 * 5.4)


def test_a_study_without_results_is_told_what_to_run(tmp_path, published):
    table, lacking = find_scores("paper", tmp_path)
    assert table.empty and "xt run paper" in lacking
    assert answer_published(comparable(table, published), decompose(published), lacking).startswith("Not known: ")
