"""Run folders: one writer, one identity, complete or not."""

import json
import subprocess
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest

from xt import store

RUN = "udpos-none-s1-0123456789ab"
CONFIG = {"run_id": RUN, "identity": {"seed": 1, "knobs": {"learning_rate": 0.1}}}


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def make_run():
    with store.open_run(RUN, CONFIG) as place:
        (place / "encoder").mkdir(exist_ok=True)
        (place / "encoder" / "model.safetensors").write_bytes(b"weights")
        (place / "scores.csv").write_text("score\n1.0\n")
        (place / "checkpoint").mkdir()
        store.finish(RUN)
    return place


def test_a_finished_run_leaves_these_files_and_is_complete():
    place = make_run()
    names = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    assert names == ["DONE", "config.json", "encoder/model.safetensors", "scores.csv"]
    assert set(json.loads((place / "DONE").read_text())) == set(names) - {"DONE"}
    assert store.is_complete(RUN) and store.has_weights(RUN) and store.damaged_files(RUN) == []


def test_without_done_or_with_a_file_gone_it_is_not_complete():
    place = make_run()
    (place / "scores.csv").unlink()
    assert not store.is_complete(RUN)
    place = make_run() if not (place / "checkpoint").exists() else place
    (place / "DONE").unlink()
    assert not store.is_complete(RUN)


def test_opening_a_finished_run_again_changes_nothing_in_it():
    make_run()
    with store.open_run(RUN, CONFIG | {"code_version": "another"}):
        pass
    assert store.damaged_files(RUN) == []


def test_what_a_kill_left_half_written_is_no_part_of_a_finished_run():
    with store.open_run(RUN, CONFIG) as place:
        (place / ".checkpoint.new").mkdir()
        (place / ".checkpoint.new" / "weights").write_bytes(b"half")
        store.finish(RUN)
    assert "half" not in (place / "DONE").read_text() and not (place / ".checkpoint.new").exists()
    assert list(json.loads((place / "DONE").read_text())) == ["config.json"]


def test_changed_bytes_are_named():
    place = make_run()
    (place / "scores.csv").write_text("score\n2.0\n")
    assert store.damaged_files(RUN) == ["scores.csv"]


def test_released_weights_leave_a_complete_run_without_weights():
    make_run()
    store.release_weights(RUN)
    assert store.is_complete(RUN) and not store.has_weights(RUN)


def test_another_configuration_in_the_folder_is_refused_and_named():
    make_run()
    changed = {"run_id": RUN, "identity": {"seed": 1, "knobs": {"learning_rate": 0.2}}}
    with pytest.raises(ValueError, match="config.json differs from its run id in: knobs; move the folder away"):
        with store.open_run(RUN, changed):
            pass


def test_a_config_that_is_none_is_refused_with_its_path():
    place = make_run()
    (place / "DONE").unlink()
    (place / "config.json").write_text('{"run_id": ')
    with pytest.raises(ValueError, match="config.json is not the configuration of a run"):
        with store.open_run(RUN, CONFIG):
            pass


@pytest.mark.parametrize("text", ["../other-s1-0123456789ab", "udpos", "/etc/passwd", "a-b-s1-0123456789ab/../c", ""])
def test_no_text_leads_out_of_the_store(text):
    with pytest.raises(ValueError, match="is no run id; allowed"):
        store.run_folder(text)


HOLD = """
import sys, time
from xt import store

with store.open_run(sys.argv[1], {"run_id": sys.argv[1], "identity": {"seed": 1, "knobs": {"learning_rate": 0.1}}}):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(seconds):
    process = subprocess.Popen([sys.executable, "-c", HOLD, RUN, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_waits_or_takes_over_from_a_dead_one():
    holder = hold(60)
    with pytest.raises(store.RunBusy, match=f"another process works on run {RUN}"):
        with store.open_run(RUN, CONFIG, wait_seconds=0.1):
            pass
    holder.kill()
    holder.wait()
    with store.open_run(RUN, CONFIG, wait_seconds=5) as place:
        assert place.is_dir(), "the lock of a dead process is free"
    waiting = hold(1.0)
    started = time.monotonic()
    with store.open_run(RUN, CONFIG):
        assert waiting.wait(5) == 0 and time.monotonic() - started > 0.1


def test_predictions_are_one_file_and_those_of_older_folders_are_read_alike(tmp_path):
    frame = pd.DataFrame({"eval_language": ["zh", "zh-tw", "en", "zh"], "id": ["a", "b", "c", "d"],
                          "prediction": [["x"], ["y", "z"], [], ["w"]], "accuracy.correct": [1, 0, 1, 1]})  # fmt: skip
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "predictions").mkdir(parents=True)
    new.mkdir()
    for code, rows in frame.groupby("eval_language", sort=False):
        rows.to_parquet(old / "predictions" / f"panx.{code}.parquet", index=False)
    store.write_predictions(new, "panx", frame)
    assert [path.name for path in new.iterdir()] == ["predictions.parquet"]
    read = store.read_predictions(new)
    pd.testing.assert_frame_equal(read, store.read_predictions(old))
    assert read["eval_language"].tolist() == ["en", "zh-tw", "zh", "zh"] and list(read["prediction"][3]) == ["w"]
    whole = pq.ParquetFile(new / "predictions.parquet")
    assert [whole.read_row_group(group).num_rows for group in range(whole.num_row_groups)] == [1, 1, 2]
