"""Committed results: what is written is what is read, again and again, and faults are named."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pandas.testing
import pytest
from synthetic_study import write_study, write_synthetic_run

from xt.errors import DataError
from xt.results import (
    RUN_COLUMNS,
    SCORE_COLUMNS,
    finished_runs,
    load_runs,
    load_scores,
    load_selection_stats,
    load_stats,
    reduce_stats,
    write_run,
)

SMALL = dict(arms=("none", "mnli"), seeds=(1, 2), languages={"xnli": ("en", "de"), "tatoeba": ("de", "nl")})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, num_clusters=12, **SMALL)
    return folder


@pytest.fixture
def run(results):
    """The parts of one run, as they were passed to `write_run`."""
    scores = load_scores("real", results)
    runs = load_runs("real", results)
    return (
        scores[scores["run_id"] == "xnli-mnli-s1"],
        runs[runs["run_id"] == "xnli-mnli-s1"].iloc[0].to_dict(),
        load_stats("real", "xnli-mnli-s1", results),
    )


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_columns_are_those_of_the_schema(results):
    assert tuple(load_scores("real", results).columns) == SCORE_COLUMNS
    assert tuple(load_runs("real", results).columns) == RUN_COLUMNS


def test_every_run_and_language_is_there(results):
    scores = load_scores("real", results)
    assert (
        finished_runs(results / "real") == set(scores["run_id"]) == set(load_runs("real", results)["run_id"])
    )
    assert scores.groupby("target", observed=True).size().to_dict() == {
        "xnli": 2 * 2 * 2,
        "tatoeba": 4 * 2 * 5 * 2,
    }


def test_the_baseline_is_a_word_and_not_a_missing_value(results):
    assert set(load_scores("real", results)["intermediate"]) == {"none", "mnli"}


def test_scores_are_recomputed_from_statistics(results):
    for run_id, rows in load_scores("real", results).groupby("run_id"):
        again = reduce_stats(load_stats("real", run_id, results))
        keys = [key for key in ("eval_language", "layer", "direction", "metric") if key in again]
        rows = rows.astype({key: again[key].dtype for key in keys})
        both = rows.merge(again, on=keys, suffixes=("", "_again"), validate="1:1")
        assert len(both) == len(rows) == len(again)
        np.testing.assert_allclose(both["score"].astype(float), both["score_again"], atol=5e-5)
        assert (both["num_examples"] == both["num_examples_again"]).all()


def test_one_layer_and_direction_of_retrieval(results):
    stats = load_stats("real", "tatoeba-none-s1", results, layer=3, direction="to_english")
    assert len(stats) == 2 * 24
    assert set(stats["layer"]) == {3} and set(stats["direction"]) == {"to_english"}


def test_writing_again_changes_no_byte_and_order_does_not_matter(tmp_path, results):
    before = files_of(results / "real")
    write_study(results, num_clusters=12, **SMALL)
    assert files_of(results / "real") == before
    write_study(tmp_path, num_clusters=12, **{**SMALL, "arms": ("mnli", "none"), "seeds": (1, 2)})
    assert list(files_of(tmp_path / "real")) and set(files_of(tmp_path / "real")) == set(before)
    assert load_runs("real", tmp_path)["run_id"].is_monotonic_increasing


def test_a_run_replaces_itself_and_nothing_else(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)
    write_run(tmp_path / "s", "other", scores.assign(run_id="other"), row, stats)
    write_run(tmp_path / "s", "xnli-mnli-s1", scores.assign(score=12.34567), row, stats)
    loaded = load_scores("s", tmp_path).groupby("run_id")["score"].agg(list)
    assert loaded["xnli-mnli-s1"] == [12.3457] * len(scores)
    assert loaded["other"] == list(scores["score"])
    assert finished_runs(tmp_path / "s") == {"xnli-mnli-s1", "other"}


def test_a_missing_score_stays_missing(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores.assign(score=None, outcome="diverged"), row, stats)
    assert load_scores("s", tmp_path)["score"].isna().all()
    with pytest.raises(DataError, match="missing though the outcome is ok"):
        write_run(tmp_path / "s", "xnli-mnli-s1", scores.assign(score=None), row, stats)


def test_a_training_without_scores_is_only_in_the_index(tmp_path, run):
    _, row, _ = run
    row = {**row, "phase": "intermediate", "target": None}
    write_run(tmp_path / "s", "mnli-s1", pd.DataFrame(), row, pd.DataFrame())
    assert finished_runs(tmp_path / "s") == {"mnli-s1"}
    assert not (tmp_path / "s" / "scores").exists()


def test_statistics_of_selection_stand_beside_those_of_the_run(tmp_path, run):
    scores, row, stats = run
    english = stats[stats["eval_language"] == "en"]
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row | {"selection_score": 61.5}, stats, english)
    assert reduce_stats(load_selection_stats("s", "xnli-mnli-s1", tmp_path))["eval_language"].tolist() == ["en"]
    assert load_runs("s", tmp_path)["selection_score"].tolist() == [61.5]
    assert len(load_stats("s", "xnli-mnli-s1", tmp_path)) == len(stats)
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)
    assert load_selection_stats("s", "xnli-mnli-s1", tmp_path) is None, "written again without: nothing stale is left"


def test_a_failed_run_is_not_finished(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, {**row, "status": "failed"}, stats)
    assert finished_runs(tmp_path / "s") == set() == finished_runs(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("outcome", "fine", "column outcome, row 1: 'fine'; allowed: ok, diverged, collapsed"),
        ("target", "xnlo", "column target, row 1: 'xnlo'; allowed: .*xnli"),
        ("score", 100.5, "column score, row 1: 100.5; allowed: Float64 from 0 to 100"),
        ("score", "high", "column score, row 1: 'high'"),
        ("seed", 1.5, "column seed, row 1: 1.5; allowed: Int64 from 0"),
        ("eval_language", "", "column eval_language, row 1: None"),
        ("at_floor", "maybe", "column at_floor, row 1: 'maybe'"),
        ("run_id", "stranger", "rows of runs .*stranger.*; allowed: xnli-mnli-s1"),
    ],
)
def test_a_fault_is_named_by_column_row_and_value(tmp_path, run, column, value, message):
    scores, row, stats = run
    values = list(scores[column])
    values[1] = value
    with pytest.raises(DataError, match=message):
        write_run(tmp_path / "s", "xnli-mnli-s1", scores.assign(**{column: values}), row, stats)
    assert not (tmp_path / "s" / "runs.csv").exists()


def test_a_fault_in_a_file_names_the_file(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)
    path = tmp_path / "s" / "scores" / "xnli-mnli-s1.csv"
    path.write_text(path.read_text().replace(",ok,", ",odd,", 1))
    with pytest.raises(DataError, match=r"xnli-mnli-s1\.csv: column outcome, row 0: 'odd'"):
        load_scores("s", tmp_path)


def test_unknown_columns_and_doubled_rows_are_refused(tmp_path, run):
    scores, row, stats = run
    for bad, message in [
        ((scores.assign(extra=1), row, stats), "unknown: .'extra'."),
        ((scores.drop(columns="floor"), row, stats), "missing: .'floor'."),
        ((pd.concat([scores, scores]), row, stats), "rows repeat"),
        ((scores, row, stats.assign(prediction=1)), "unknown columns .'prediction'."),
        ((scores, row, pd.concat([stats, stats])), "rows repeat"),
    ]:
        with pytest.raises(DataError, match=message):
            write_run(tmp_path / "s", "xnli-mnli-s1", *bad)


def test_an_absent_study_names_what_there_is_and_the_command(results):
    with pytest.raises(DataError, match="xt run nowhere.*allowed: real"):
        load_scores("nowhere", results)
    with pytest.raises(DataError, match="no statistics of run stranger"):
        load_stats("real", "stranger", results)


def test_the_folder_of_results_can_be_moved(monkeypatch, results):
    monkeypatch.setenv("XT_RESULTS", str(results))
    pandas.testing.assert_frame_equal(load_runs("real"), load_runs("real", results))


WRITER = """
import sys; sys.path.insert(0, {tests!r})
from pathlib import Path
from synthetic_study import write_study
languages = {{"xnli": ("en", "de")}}
write_study(Path({folder!r}), num_clusters=4, arms=({arm!r},), seeds=range(4), languages=languages)
"""


def test_two_processes_lose_no_row(tmp_path, request):
    tests = str(request.path.parent)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER.format(tests=tests, folder=str(tmp_path), arm=arm)],
            cwd=request.path.parent.parent,
        )
        for arm in ("none", "mnli")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert len(finished_runs(tmp_path / "real")) == 8


def test_synthetic_runs_share_the_schema(tmp_path, run):
    _, _, stats = run
    write_synthetic_run(tmp_path / "s", "s", "xnli", "squad", 5, stats)
    assert load_runs("s", tmp_path)["seed"].tolist() == [5]
