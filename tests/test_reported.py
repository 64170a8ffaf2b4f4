"""Means that are reported: over all that they are said to be over, or missing."""

import numpy as np
import pandas as pd
import pytest
from synthetic_study import BASELINE, FLOOR, write_study

from xt.reported import XTREME_TASKS, overall_table, pick_encoder, select_encoder, select_reported
from xt.results import load_scores
from xt.tasks import TASKS


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Scores of all nine tasks, with and without an intermediate task."""
    results = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        for name in XTREME_TASKS:
            patch.setitem(BASELINE, name, BASELINE.get(name, 0.4))
            patch.setitem(FLOOR, name, FLOOR.get(name, 10.0))
        languages = {name: TASKS[name].languages[:2] for name in XTREME_TASKS}
        write_study(results, arms=("none", "squad"), seeds=(1, 2), languages=languages, num_clusters=10)
    return load_scores("real", results)


def test_an_overall_score_is_the_mean_of_nine_task_scores(scores):
    row = overall_table(scores).set_index("intermediate").loc["squad"]
    rows = select_reported(scores[scores["intermediate"] == "squad"])
    rows = rows[rows["metric"] != "token_accuracy"]
    tasks = rows.groupby("target")["score"].mean().astype(float)
    assert row["lacking"] == "" and row["overall"] == pytest.approx(tasks[list(XTREME_TASKS)].mean())
    assert row["QA"] == pytest.approx(tasks[["xquad", "mlqa", "tydiqa"]].mean())
    assert row["retrieval"] == pytest.approx(tasks[["bucc2018", "tatoeba"]].mean())


def test_a_task_that_was_not_scored_is_named_and_not_counted_as_0(scores):
    row = overall_table(scores[~scores["target"].isin(["pawsx", "bucc2018"])]).iloc[0]
    assert (
        row["lacking"] == "pawsx, bucc2018" and np.isnan(row[["overall", "sentence pair", "retrieval"]].tolist()).all()
    )
    assert row["QA"] > 0


def test_a_missing_score_makes_its_means_missing(scores):
    diverged = scores.assign(score=scores["score"].mask(scores["run_id"] == "xnli-none-s2"))
    table = overall_table(diverged).set_index("intermediate")
    assert table.loc["none", "lacking"] == "xnli" and np.isnan(table.loc["none", "overall"])
    assert table.loc["squad", "overall"] > 0


def test_a_study_is_read_for_its_first_encoder_with_scores_and_another_one_by_name():
    runs = {"mini-small": 1, "mini-multi": 2, "other": 9}
    rows = pd.DataFrame([dict(encoder=name, run_id=f"{name}{n}") for name, count in runs.items() for n in range(count)])
    assert pick_encoder(rows, "real-encoders") == "mini-multi", "the first of the study's row, not the one with most"
    assert pick_encoder(rows[rows["encoder"] != "mini-multi"], "real-encoders") == "mini-small"
    assert pick_encoder(rows, "imported by somebody") == "other"
    assert set(select_encoder(rows, "real-encoders", "mini-small")["run_id"]) == {"mini-small0"}
    assert pick_encoder(rows[:0], "real-encoders", "any") == "" and select_encoder(rows[:0], "real-encoders").empty
    with pytest.raises(ValueError, match="mini-small"):
        pick_encoder(rows, "real-encoders", "mini-smal")
