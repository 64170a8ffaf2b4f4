"""A study on real kernels: what runs, what a failure costs, and what a second start finds done."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
import yaml
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from xt import store
from xt.arms import check_arm
from xt.config import ScoreConfig
from xt.costs import load_costs
from xt.grid import StudyRunner, distinct_runs, executions_of, plan, study_folder, without_failed
from xt.parameters import score_configs
from xt.results import load_runs, load_scores, write_run
from xt.studies import STUDIES, get_study
from xt.study import Cost

SMALL = replace(
    get_study("smoke"),
    name="small",
    intermediates=("none", "mnli"),
    targets=("udpos", "xnli", "tatoeba"),
    seeds=(1,),
    languages=dict.fromkeys(("udpos", "xnli"), ("en", "de")) | {"tatoeba": ("de",)},
)

MADE_HERE = replace(
    get_study("smoke"),
    name="made-here",
    root="lab-100",
    encoders=("lab-tiny",),
    intermediates=("none", "mnli", "own_squad", "multi_three", "none_again"),
    targets=("xnli", "udpos", "xquad", "tydiqa", "tatoeba"),
    languages={"udpos": ("qaa", "qab"), "tatoeba": ("qab",)},
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


@pytest.mark.parametrize("name", ["paper", "xtreme-r", "intermediate-language"])
def test_studies_of_the_hub_can_be_planned_and_say_what_the_hub_lacks(name, places, monkeypatch):
    monkeypatch.setenv("XT_CCGBANK", str(places / "nowhere"))
    study = replace(get_study(name), seeds=(1,))
    blocks = plan(study)
    planned = {run.config.target for block in blocks for run in block.runs if isinstance(run.config, ScoreConfig)}
    lacking = {what: why for block in blocks for what, why in block.lacking.items()}
    assert planned == set(study.targets) - {what.split()[0] for what in lacking if " after none" in what}
    if name == "xtreme-r":
        assert {"lareqa", "mewslix"}.isdisjoint(planned) and any(what.startswith("udpos in lt, pl") for what in lacking)
        assert any("lareqa after none" in what and "sentences" in why for what, why in lacking.items())
    if name == "paper":
        assert any("after ccg" in what and "LDC2005T13" in why for what, why in lacking.items())


@pytest.mark.parametrize(
    "name", [name for name, row in STUDIES.items() if row.targets and name not in ("smoke", "pilot", "lab-scaling")]
)
def test_a_study_that_may_claim_a_gain_has_placebos_and_equal_steps(name):
    arms = [check_arm(arm) for arm in get_study(name).intermediates]
    assert any(arm.shuffle_labels for arm in arms) and any(arm.of_target for arm in arms)


SPELLED = replace(
    get_study("lab-parts"), encoders=("lab-tiny",), preset="smoke", intermediates=("none", "squad.qab", "own_squad")
)


def test_an_arm_in_another_language_has_its_notebooks_and_its_parameters_are_taken(places):
    for block in plan(SPELLED):
        for made in executions_of(SPELLED, block):
            if made.notebook.stem in ("target", "retrieval"):
                configs = score_configs(**{"targets" if k == "target" else k: v for k, v in made.parameters.items()})
                assert {config.run_id for config in configs} == set(made.run_ids)


def test_what_is_left_after_a_failure_asks_nothing_of_the_failed_target(places):
    block = plan(SMALL)[0]
    made = next(made for made in executions_of(SMALL, block) if len(made.run_ids) == 2)
    runs = {run.run_id: run for run in block.runs}
    rest = without_failed(made, runs, [made.run_ids[1]])
    assert rest.parameters["target"] == ["xnli"] and rest.parameters["languages"] == ["xnli/en", "xnli/de"]
    assert made.parameters["languages"][:2] == ["udpos/en", "udpos/de"]


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


def test_what_lacks_data_or_fails_is_told_and_stops_only_what_needs_it(places, fixtures_root):
    broken = places / "broken"
    shutil.copytree(fixtures_root, broken)
    shutil.rmtree(broken / "google" / "xtreme" / "udpos.English")
    study = replace(SMALL, root=str(broken), intermediates=("none",), targets=("udpos", "xnli", "tatoeba"))
    shutil.rmtree(broken / "google" / "xtreme" / "tatoeba.deu")
    said = []
    runner = StudyRunner(study, said.append)
    assert [run.config.target for block in runner.blocks for run in block.runs] == ["xnli"], "the rest of the study"
    assert runner.run(workers=1, seeds=[]) == []
    lacking = [line for line in said if line.startswith("NOT RUN")]
    assert len(lacking) == 2 and "udpos after none" in lacking[0] and "udpos.English" in lacking[0]
    assert (
        "tatoeba after none" in lacking[1]
        and "tatoeba.deu" in lacking[1]
        and set(load_scores("small")["target"]) == {"xnli"}
    )
    shutil.copytree(f"{fixtures_root}/google/xtreme/tatoeba.deu", broken / "google" / "xtreme" / "tatoeba.deu")
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


def test_the_targets_of_an_arm_share_a_notebook_and_wait_for_their_intermediate_run(places):
    (first, second) = plan(SMALL)
    assert [len(made.run_ids) for made in executions_of(SMALL, first)] == [2, 1]
    intermediate, *readers = executions_of(SMALL, second)
    assert all(reader.needs == intermediate.run_ids for reader in readers)
    assert str(study_folder(SMALL)).endswith("small")


def executions_by_arm(study, seed=1):
    """Arm -> the executions of its block; each block as if alone."""
    return {block.intermediate: executions_of(study, block) for block in plan(study) if block.seed == seed}


def phases(executions):
    return [made.notebook.stem for made in executions]


def test_a_pretraining_stands_once_first_and_before_all_that_starts_from_it(places):
    runner = StudyRunner(MADE_HERE, print)
    for seed in MADE_HERE.seeds:
        executions = runner.list_executions(seed)
        assert phases(executions).count("pretrain") == 1 and phases(executions)[0] == "pretrain"
        first = executions[0]
        assert first.needs == () and first.parameters == {"encoder": "lab-tiny", "root": "lab-100"}
        made = set()
        for execution in executions:
            assert set(execution.needs) <= made, "in this order each finds what it needs"
            made.update(execution.run_ids)
        assert all(execution.needs for execution in executions[1:]), "nothing starts from no encoder"
        outputs = [execution.output for execution in executions]
        assert len(set(outputs)) == len(outputs), "no executed notebook overwrites another"
    waiting = [made.needs for made in executions_by_arm(MADE_HERE)["none"] if made.notebook.stem != "pretrain"]
    assert set(waiting) == {first.run_ids}


def test_each_seed_shares_the_pretraining_and_nothing_else(places):
    one, two = (
        {run.run_id for block in plan(MADE_HERE) if block.seed == seed for run in block.runs} for seed in (1, 2)
    )
    (shared,) = one & two
    assert shared.startswith("pretrain-lab_tiny-s0-")


def test_no_training_is_needed_once_every_scoring_is_committed(places):
    index_row = dict(
        phase="target", encoder="lab-tiny", intermediate="none", target="xnli", seed=1, model_id="m", parent_id="",
        status="done", seconds=1.0, num_train_examples=1, num_truncated=0, outcome="ok", data_status="generated",
        code_version="test", device="cpu", precision="fp32", num_threads=1, libraries="numpy 2", selection_score=None,
    )  # fmt: skip
    scorings = [run for block in plan(MADE_HERE) for run in block.runs if run.phase in {"target", "retrieval"}]
    last = scorings.pop()
    for run in scorings:
        write_run(study_folder(MADE_HERE), run.run_id, pd.DataFrame(), index_row, pd.DataFrame())
    states = {run.run_id: run.state for block in plan(MADE_HERE)[:-1] for run in block.runs}
    assert set(states.values()) == {"committed", "not needed"}
    assert phases(StudyRunner(MADE_HERE, print).list_executions(2)) == ["pretrain", "target"], "for the last one"
    assert StudyRunner(MADE_HERE, print).list_executions(1) == []
    write_run(study_folder(MADE_HERE), last.run_id, pd.DataFrame(), index_row, pd.DataFrame())
    runner = StudyRunner(MADE_HERE, print)
    assert not runner.has_work() and [made for seed in (1, 2) for made in runner.list_executions(seed)] == []


def test_what_stands_complete_is_not_made_again(places, monkeypatch):
    (pretraining, *_) = StudyRunner(MADE_HERE, print).list_executions(1)
    monkeypatch.setattr("xt.store.has_weights", lambda run_id: run_id in pretraining.run_ids)
    runner = StudyRunner(MADE_HERE, print)
    assert "pretrain" not in phases(runner.list_executions(1))
    assert [run.state for run in runner.runs.values() if run.phase == "pretrain"] == ["complete"]


def test_each_target_is_prepared_on_its_own_data_unless_that_is_what_the_arm_copies(places):
    trained = [made for made in executions_by_arm(MADE_HERE)["own_squad"] if made.notebook.stem == "intermediate"]
    assert sorted(made.parameters["target"] for made in trained) == ["mnli", "tydiqa", "udpos"]
    assert all(len(made.run_ids) == 1 for made in trained)
    runs = [run for block in plan(MADE_HERE) if block.intermediate == "own_squad" for run in block.runs]
    scored = [run for run in runs if run.phase == "target"]
    assert {run.config.target for run in scored} == {"xnli", "udpos", "tydiqa"}
    assert all(run.config.model.parent.task == run.config.model.task for run in scored)
    assert "retrieval" not in {run.phase for run in runs}
    assert {run.config.steps_as.task for run in runs if run.phase == "intermediate"} == {"squad"}


def test_several_tasks_are_trained_on_one_encoder_in_one_run(places):
    arms = executions_by_arm(MADE_HERE)
    assert phases(arms["multi_three"]) == phases(arms["mnli"])
    (trained,) = [made for made in arms["multi_three"] if made.notebook.stem == "intermediate"]
    assert len(trained.run_ids) == 1 and trained.run_ids not in [made.run_ids for made in arms["mnli"]]
    config = next(run.config for block in plan(MADE_HERE) for run in block.runs if run.run_id in trained.run_ids)
    assert [config.task, *(other.task for other in config.beside)] == ["mnli", "squad", "hellaswag"]
    assert {need for made in arms["multi_three"][2:] for need in made.needs} == set(trained.run_ids)


def test_the_baseline_once_more_differs_in_its_runs_alone(places):
    arms = executions_by_arm(MADE_HERE)
    assert set(phases(arms["none_again"])) == {"pretrain", "target"}
    first, again = ({run_id for made in arms[arm][1:] for run_id in made.run_ids} for arm in ("none", "none_again"))
    assert len(again) == 4 and not first & again
    seeds = {
        block.intermediate: {run.config.model.seed for run in block.runs if run.phase == "target"}
        for block in plan(MADE_HERE)
    }
    assert not seeds["none"] & seeds["none_again"]


def planned_by_notebook(execution):
    """The run ids that a notebook's own first cells name when it is given an execution's parameters."""
    parameters = yaml.safe_load(yaml.safe_dump(execution.parameters))
    notebook = parameterize_notebook(load_notebook_node(str(execution.notebook)), parameters)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"][:3]
    namespace = {"In": ["", *sources]}
    for source in sources:
        exec(source, namespace)
    configs = namespace.get("configs") or [namespace["config"]]
    return tuple(config.run_id for config in configs)


@pytest.mark.parametrize("study", [MADE_HERE, get_study("quick"), SMALL], ids=lambda study: study.name)
def test_a_notebook_makes_the_runs_that_were_planned_for_it(study, places):
    executions = StudyRunner(study, print).list_executions(1)
    assert {"intermediate", "target", "retrieval"} <= set(phases(executions))
    for execution in executions:
        assert planned_by_notebook(execution) == execution.run_ids, execution.title


def test_a_measurement_of_cost_is_a_run_like_others(tmp_path, monkeypatch):
    """Planned, made in fresh processes by its notebook, committed, and not made again."""
    for name in ("XT_RUNS", "XT_RESULTS", "XT_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    measured = Cost(("tiny",), ("none",), "xquad", ("en", "de"), dict(num_rounds=1, num_repeats=2, batch_sizes=(1, 2)))
    study = replace(get_study("smoke"), name="smoke-cost", targets=(), costs=(measured,))
    (run,) = distinct_runs(plan(study))
    assert (run.phase, run.state) == ("efficiency", "missing")
    assert StudyRunner(study, print).run(workers=2) == []
    costs = load_costs("smoke-cost")
    assert set(costs["latencies"]["eval_language"]) == {"en", "de"} and costs["processes"]["batch_size"].tolist() == [
        1,
        2,
    ]
    assert set(costs["processes"]["encoder"]) == {"tiny"} and load_runs("smoke-cost")["data_status"].tolist() == [
        "fixture"
    ]
    (run,) = distinct_runs(plan(study))
    assert run.state == "committed" and not StudyRunner(study, print).has_work()
