"""Committed results: what is written is what is read, again and again, and faults are named."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pandas.testing
import pyarrow.parquet as pq
import pytest
from synthetic_study import reduce_stats, simulate_study, write_study, write_synthetic_run

from xt.errors import DataError
from xt.item_stats import encode_table, read_columns, write_bytes
from xt.lab.languages import LAB_LANGUAGES
from xt.results import (
    RUN_COLUMNS,
    SCORE_COLUMNS,
    find_scores,
    find_stats,
    finished_runs,
    load_runs,
    load_scores,
    load_selection_stats,
    load_stats,
    read_index,
    study_runs,
    write_run,
)

SMALL = dict(arms=("none", "mnli"), seeds=(1, 2), languages={"xnli": ("en", "de"), "tatoeba": ("de", "nl")})


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_one_by_one(folder, **SMALL)
    return folder


def write_one_by_one(folder, num_clusters=12, **options):
    """A synthetic study by `write_run`."""
    for run in simulate_study("real", num_clusters=num_clusters, **options):
        write_run(folder / "real", *run)


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
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_columns_are_those_of_the_schema(results):
    assert tuple(load_scores("real", results).columns) == SCORE_COLUMNS
    assert tuple(load_runs("real", results).columns) == RUN_COLUMNS


def test_every_run_and_language_is_there(results):
    scores = load_scores("real", results)
    assert finished_runs(results / "real") == set(scores["run_id"]) == set(load_runs("real", results)["run_id"])
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


@pytest.mark.parametrize("chosen", [{}, dict(layer=3, direction="to_english")])
def test_columns_alone_are_those_of_the_whole_table(results, chosen):
    runs = [f"{'tatoeba' if chosen else 'xnli'}-none-s{seed}" for seed in (1, 2)]
    tables = [load_stats("real", run, results, **chosen) for run in runs]
    names = ["accuracy.count", "accuracy.correct"]
    found = [read_columns(find_stats("real", run, results), names, **chosen) for run in runs]
    for table, (items, stats) in zip(tables, found, strict=True):
        assert (stats == table[names].to_numpy(float)).all() and len(stats)
        assert items[["eval_language", "id"]].equals(table[["eval_language", "id"]])
    assert found[0][0] is found[1][0] and not (found[0][1] == found[1][1]).all()


def test_writing_again_adds_to_the_index_and_changes_no_other_byte_and_order_does_not_matter(tmp_path, results):
    before = files_of(results / "real")
    write_one_by_one(results, **SMALL)
    again = files_of(results / "real")
    assert again.pop("runs.csv").startswith(before.pop("runs.csv")) and again == before
    write_one_by_one(tmp_path, **{**SMALL, "arms": ("mnli", "none"), "seeds": (1, 2)})
    assert list(files_of(tmp_path / "real")) and set(files_of(tmp_path / "real")) == {*before, "runs.csv"}
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


def test_files_of_runs_that_are_not_asked_for_are_not_opened(tmp_path, results):
    place = shutil.copytree(results, tmp_path / "results")
    for path in (place / "real" / "scores").glob("*-none-*"):
        path.write_text("damaged")
    whole = load_scores("real", results).query("intermediate == 'mnli' and target == 'xnli'").reset_index(drop=True)
    pandas.testing.assert_frame_equal(load_scores("real", place, intermediate="mnli", target=["xnli"]), whole)
    assert load_scores("real", place, seed=7).empty and list(load_scores("real", place, seed=7)) == list(SCORE_COLUMNS)
    with pytest.raises(DataError, match="scores/.*-none-"):
        load_scores("real", place)
    with pytest.raises(ValueError, match="unknown column of the index 'sed'; did you mean 'seed'"):
        load_scores("real", place, sed=1)


@pytest.mark.parametrize("name", ["../real", "..", "/etc", ".hidden", "a/b", "a\nb"])
def test_no_name_of_a_study_or_run_leads_out_of_the_results(tmp_path, run, name):
    for ask in (load_runs, load_scores, study_runs, find_scores):
        with pytest.raises(ValueError, match="is no name of a file or folder"):
            ask(name, tmp_path / "results")
    with pytest.raises(ValueError, match="is no name of a file or folder"):
        write_run(tmp_path / "results" / "s", name, run[0].assign(run_id=name), *run[1:])
    assert not list(tmp_path.iterdir())


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


def forget_sums(place: Path) -> str:
    """Makes the index of a study one of before there were sums; its text."""
    lines = (place / "runs.csv").read_text().splitlines()
    (place / "runs.csv").write_text(older := "".join(line.rpartition(",")[0] + "\n" for line in lines))
    return older


def test_a_fault_in_a_file_names_the_file(tmp_path, run):
    scores, row, stats = run
    for number, (name, old, new, message) in enumerate([
        ("scores/xnli-mnli-s1.csv", "\n", "\nodd", r"xnli-mnli-s1\.csv: column score, row 0: 'odd"),
        ("runs.csv", ",ok,", ",odd,", r"runs\.csv: column outcome, row 0: 'odd'"),
        ("runs.csv", ",mini,", ",,", r"runs\.csv: column encoder, row 0: None"),
    ]):  # fmt: skip
        write_run(tmp_path / str(number), "xnli-mnli-s1", scores, row, stats)
        forget_sums(tmp_path / str(number))
        path = tmp_path / str(number) / name
        path.write_text(path.read_text().replace(old, new, 1))
        with pytest.raises(DataError, match=message):
            load_scores(str(number), tmp_path)


def test_a_file_that_does_not_fit_the_others_is_named(tmp_path, results):
    def spoilt(pattern, change):
        """The study with one file changed, and the name of that file."""
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(results / "real", place / "real")
        forget_sums(place / "real")
        path = sorted((place / "real").glob(pattern))[0]
        change(path)
        return place, path.name

    def shorten(path):
        path.write_bytes(path.read_bytes()[:-2])

    def swap(path):
        shutil.copyfile(sorted(path.parent.glob("xnli*"))[0], path)

    for pattern, change, words in [
        ("cells/*", Path.unlink, "no file .*{name}"),
        ("cells/*", shorten, "{name}: its content is not what its name says"),
        ("scores/*", Path.unlink, "no file .*{name}, though runs.csv"),
        ("scores/*", shorten, "{name}: allowed are the columns score, at_floor and 20 rows"),
        ("scores/*", swap, "{name}: allowed are the columns score, at_floor and 20 rows"),
    ]:
        place, name = spoilt(pattern, change)
        with pytest.raises(DataError, match=words.format(name=name)):
            load_scores("real", place)
    for pattern, change, words in [
        ("items/*", Path.unlink, "no file .*{name}"),
        ("items/*", shorten, "{name}: its content is not what its name says"),
        ("stats/*", shorten, "{name}: no parquet file"),
        (
            "stats/*",
            lambda path: pd.DataFrame({"accuracy.correct": [1]}).to_parquet(path),
            "{name}: its metadata name no",
        ),
    ]:
        place, name = spoilt(pattern, change)
        with pytest.raises(DataError, match=words.format(name=name)):
            for run_id in load_runs("real", place)["run_id"]:
                load_stats("real", run_id, place)


def test_any_changed_byte_of_a_runs_own_files_is_named(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats, stats)
    readers = {
        "scores/xnli-mnli-s1.csv": lambda: load_scores("s", tmp_path),
        "stats/xnli-mnli-s1.parquet": lambda: load_stats("s", "xnli-mnli-s1", tmp_path),
        "stats/xnli-mnli-s1.selection.parquet": lambda: load_selection_stats("s", "xnli-mnli-s1", tmp_path),
    }
    for name, read in readers.items():
        path = tmp_path / "s" / name
        content = path.read_bytes()
        for place in range(0, len(content), 11):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(DataError, match=f"{name}: its content is not what runs.csv says"):
                read()
        path.write_bytes(content)
        read()
    (tmp_path / "s" / name).unlink()
    with pytest.raises(DataError, match="no file .*selection.parquet, though runs.csv"):
        read()


def test_an_index_of_before_there_were_sums_is_read_and_grows(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)
    path, older = tmp_path / "s" / "runs.csv", forget_sums(tmp_path / "s")
    expected = load_scores("s", tmp_path)
    assert finished_runs(tmp_path / "s") == {"xnli-mnli-s1"} and len(load_stats("s", "xnli-mnli-s1", tmp_path))
    assert path.read_text() == older, "nothing is written that was only read"
    write_run(tmp_path / "s", "other", scores.assign(run_id="other"), row, stats)
    assert read_index(tmp_path / "s")["sums"].isna().tolist() == [False, True]
    assert finished_runs(tmp_path / "s") == {"xnli-mnli-s1", "other"} and path.read_text().startswith(
        older[:-1].split("\n")[0]
    )
    found = load_scores("s", tmp_path)
    pandas.testing.assert_frame_equal(found[found["run_id"] != "other"].reset_index(drop=True), expected)


def test_statistics_with_another_number_of_rows_than_their_items_are_refused(tmp_path, run):
    scores, row, stats = run
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)
    forget_sums(tmp_path / "s")
    path = tmp_path / "s" / "stats" / "xnli-mnli-s1.parquet"
    path.write_bytes(encode_table(stats[["accuracy.correct"]][1:], pq.read_metadata(path).metadata))
    with pytest.raises(DataError, match=r"xnli-mnli-s1\.parquet: 47 rows; allowed: 48, one per row of"):
        load_stats("s", "xnli-mnli-s1", tmp_path)


def test_what_differs_within_a_run_or_from_its_index_row_comes_back(tmp_path, run):
    scores, row, stats = run
    scores = pd.concat([scores] * 2, ignore_index=True).assign(
        split=["test"] * 2 + ["dev"] * 2, data_status=["subset", "complete"] * 2, outcome="diverged",
        floor=[1.25, None] * 2,
        train_language=["en", None, None, "en"], score=[1.23456, None, 100, 0], at_floor=[True, None, False, None],
    )  # fmt: skip
    write_run(tmp_path / "s", "xnli-mnli-s1", scores[::-1], row, stats)
    write_run(tmp_path / "s", "plain", run[0].assign(run_id="plain"), row, stats)
    loaded = load_scores("s", tmp_path)
    expected = scores.assign(score=scores["score"].round(4)).sort_values(["eval_language", "split"])
    expected = pd.concat([run[0].assign(run_id="plain"), expected], ignore_index=True)
    pandas.testing.assert_frame_equal(loaded, expected.astype(loaded.dtypes))
    assert load_runs("s", tmp_path)["outcome"].tolist() == ["ok", "ok"]


def test_what_runs_share_stands_once_and_a_run_is_small(tmp_path):
    codes = tuple(LAB_LANGUAGES)
    arms, seeds = ("none", "mnli", "squad"), (1, 2)
    languages = {"xnli": codes, "udpos": codes}
    write_study(tmp_path, num_clusters=50, arms=arms, seeds=seeds, languages=languages)
    sizes = {kind: [path.stat().st_size for path in (tmp_path / "real" / kind).iterdir()]
             for kind in ("cells", "items", "scores", "stats")}  # fmt: skip
    assert {kind: len(files) for kind, files in sizes.items()} == dict(cells=2, items=2, scores=12, stats=12)
    assert sum(sizes["scores"] + sizes["stats"]) / 12 < 3000


def test_each_file_opens_with_one_call_of_pandas(results):
    place = results / "real"
    for target in ("xnli", "tatoeba"):
        run_id = f"{target}-mnli-s1"
        path = place / "stats" / f"{run_id}.parquet"
        items = pd.read_parquet(place / "items" / f"{pq.read_metadata(path).metadata[b'items'].decode()}.parquet")
        whole, stats = items.join(pd.read_parquet(path)), load_stats("real", run_id, results)
        pandas.testing.assert_frame_equal(whole[list(stats)], stats)
        runs = pd.read_csv(place / "runs.csv").drop_duplicates("run_id", keep="last").set_index("run_id")
        cells = runs["cells"][run_id]
        whole = pd.read_csv(place / "cells" / f"{cells}.csv").join(pd.read_csv(place / "scores" / f"{run_id}.csv"))
        scores = load_scores("real", results).query("run_id == @run_id")
        assert whole["eval_language"].tolist() == scores["eval_language"].tolist()
        assert whole["score"].tolist() == scores["score"].tolist()


def test_a_run_that_is_stopped_while_it_is_written_is_not_there_until_it_is_written_again(tmp_path, run, monkeypatch):
    scores, row, stats = run
    write_run(tmp_path / "s", "other", scores.assign(run_id="other"), row, stats)
    write_run(tmp_path / "s", "xnli-mnli-s1", scores, row, stats)

    def fail(path, content):
        if path.suffix == ".parquet":
            raise KeyboardInterrupt
        write_bytes(path, content)

    monkeypatch.setattr("xt.results.write_bytes", fail)
    changed = scores.assign(score=1.0, split="dev")
    with pytest.raises(KeyboardInterrupt):
        write_run(tmp_path / "s", "xnli-mnli-s1", changed, row, stats)
    assert finished_runs(tmp_path / "s") == {"other"} == set(load_scores("s", tmp_path)["run_id"])
    monkeypatch.undo()
    write_run(tmp_path / "s", "xnli-mnli-s1", changed, row, stats)
    loaded = load_scores("s", tmp_path).groupby("run_id")
    assert loaded["score"].max()["xnli-mnli-s1"] == 1 and set(loaded["split"].first()) == {"dev", "test"}


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
from synthetic_study import simulate_study
from xt.results import write_run
languages = {{"xnli": ("en", "de")}}
for run in simulate_study("real", num_clusters=4, arms=({arm!r},), seeds=range(4), languages=languages):
    write_run(Path({folder!r}) / "real", *run)
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
    assert len(finished_runs(tmp_path / "real")) == 8 == load_scores("real", tmp_path)["run_id"].nunique()
    assert len(list((tmp_path / "real" / "items").iterdir())) == 1, "neither writer left a part of a shared file"


def test_a_synthetic_study_is_in_the_files_that_its_runs_would_be_in(tmp_path, results):
    write_study(tmp_path, num_clusters=12, **SMALL | dict(arms=("mnli",)))
    write_study(tmp_path, num_clusters=12, **SMALL)
    made, written = ({name: content for name, content in files_of(place).items() if not name.startswith(".")}
                     for place in (tmp_path, results))  # fmt: skip
    assert made.pop("real/runs.csv") and written.pop("real/runs.csv") and made == written
    pandas.testing.assert_frame_equal(read_index(tmp_path / "real"), read_index(results / "real"))


def test_synthetic_runs_share_the_schema(tmp_path, run):
    _, _, stats = run
    write_synthetic_run(tmp_path / "s", "s", "xnli", "squad", 5, stats)
    assert load_runs("s", tmp_path)["seed"].tolist() == [5]
