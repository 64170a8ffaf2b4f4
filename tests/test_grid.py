"""A study on real kernels: what runs, what a failure costs, and what a second start finds done."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from xt import store
from xt.grid import StudyRunner, executions_of, plan, study_folder
from xt.results import load_runs, load_scores
from xt.studies import STUDIES, get_study

SMALL = replace(
    get_study("smoke"),
    name="small",
    intermediates=("none", "mnli"),
    targets=("udpos", "xnli", "tatoeba"),
    seeds=(1,),
    languages=dict.fromkeys(("udpos", "xnli"), ("en", "de")) | {"tatoeba": ("de",)},
)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Runs, results and cache of this test alone."""
    for name in ("runs", "results", "cache"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))
    return tmp_path


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_a_full_grid_with_its_baseline_first(name):
    study = get_study(name)
    assert study.intermediates[0] == "none" and study.question.endswith(("?", "."))
    assert len(set(study.seeds)) == len(study.seeds)


def test_a_study_runs_in_order_of_need_and_is_done_once(places):
    said = []
    failures = StudyRunner(SMALL, said.append).run(workers=2)
    assert failures == []
    states = [run.state for block in plan(SMALL) for run in block.runs]
    assert set(states) == {"committed", "not needed"} and len(states) == 7
    scores = load_scores("small")
    assert set(zip(scores["intermediate"], scores["target"], strict=True)) == {
        (arm, target) for arm in SMALL.intermediates for target in SMALL.targets
    }
    runs = load_runs("small").set_index("run_id")
    assert set(runs["phase"]) == {"intermediate", "target", "retrieval"} and (runs["seconds"] > 0).all()
    for run_id in runs.index:
        notebook = json.loads((store.run_folder(run_id) / "notebook.ipynb").read_text())
        assert notebook["cells"] and store.damaged_files(run_id) == []
    assert any("about" in line and "min" in line for line in said), "an estimate of the time left"

    shutil.rmtree(places / "runs")
    said.clear()
    assert StudyRunner(SMALL, said.append).run(workers=2) == [] and said == [], "committed results are enough"


def test_a_failed_run_is_told_keeps_its_notebook_and_stops_only_what_needs_it(places, fixtures_root):
    broken = places / "broken"
    shutil.copytree(fixtures_root, broken)
    shutil.rmtree(broken / "google" / "xtreme" / "udpos.English")
    study = replace(SMALL, root=str(broken), intermediates=("none",), targets=("udpos", "xnli", "tatoeba"))
    with pytest.raises(ValueError, match="udpos.English"):
        plan(study)
    shutil.copytree(f"{fixtures_root}/google/xtreme/udpos.English", broken / "google" / "xtreme" / "udpos.English")
    spoil(broken / "google" / "xtreme" / "udpos.German")
    said = []
    (failure,) = StudyRunner(study, said.append).run(workers=1)
    assert failure.run_id.startswith("udpos-none-s1-")
    assert "udpos.German" in failure.last_lines and "row 0 (de): 5 tokens but 4 tags" in failure.last_lines
    assert failure.notebook.is_file() and (store.run_folder(failure.run_id) / "notebook.ipynb").is_file()
    assert set(load_scores("small")["target"]) == {"xnli", "tatoeba"}
    assert sum(line.startswith("FAILED") for line in said) == 1


def spoil(folder):
    """Drops a tag of the first sentence."""
    (path,) = folder.glob("test-*.parquet")
    frame = pd.read_parquet(path)
    frame.at[0, "pos_tags"] = frame.at[0, "pos_tags"][:-1]
    frame.to_parquet(path)


def test_targets_that_share_settings_share_a_notebook_and_wait_for_their_intermediate_run(places):
    (first, second) = plan(SMALL)
    assert [len(made.run_ids) for made in executions_of(SMALL, first)] == [2, 1]
    intermediate, *readers = executions_of(SMALL, second)
    assert all(reader.needs == intermediate.run_ids for reader in readers)
    assert str(study_folder(SMALL)).endswith("small")
