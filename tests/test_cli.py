"""The command line: what it prints and with which exit code it ends."""

import pytest
from typer.testing import CliRunner

from xt.cli import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    for name in ("runs", "results", "cache"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))


def test_plan_lists_every_run_and_its_state():
    done = RUN.invoke(app, ["plan", "smoke", "--runs"])
    assert done.exit_code == 0
    assert done.stdout.count("target-") == 0 and done.stdout.count("missing") == 18 + 1
    assert "18 missing" in done.stdout


def test_plan_says_what_is_not_measured_and_takes_a_speed_instead():
    done = RUN.invoke(app, ["plan", "smoke", "--device", "a GPU never seen"])
    assert done.exit_code == 0 and "18 missing" in done.stdout and "hours of a GPU never seen" in done.stdout
    rows = {cells[1].strip(): cells for line in done.stdout.splitlines() if len(cells := line.split("│")) == 9}
    assert set(rows) == {"target", "retrieval", "intermediate"}
    assert all(rows[phase][4].strip() == rows[phase][7].strip() == "not measured" for phase in rows)
    refused = RUN.invoke(app, ["plan", "smoke", "--tokens-per-second", "1000"])
    assert refused.exit_code == 2 and "tokens per second of 'tiny': its size is not known" in refused.stderr


def test_status_counts_by_seed():
    done = RUN.invoke(app, ["status", "smoke"])
    assert done.stdout.splitlines() == ["seed 1: 9 missing", "seed 2: 9 missing"]


@pytest.mark.parametrize("command", ["plan", "status", "run"])
def test_an_unknown_study_is_refused_with_the_known_ones(command):
    done = RUN.invoke(app, [command, "smok"])
    assert done.exit_code == 2
    assert "unknown study 'smok'; did you mean 'smoke'? allowed: lab, " in done.stderr


@pytest.mark.parametrize(("study", "said"), [
    ("bench", "unknown study 'bench'; allowed: intermediate-language, "),
    ("lab-cost", "'lab-cost' measures costs and scores nothing: `xt run lab-cost` answers notebooks 10-intermediate-"),
    ("paper", "no results of study 'paper'"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["report", "claims"])
def test_what_no_run_would_give_scores_is_never_told_to_be_run(command, study, said, tmp_path):
    (tmp_path / "results" / "bench").mkdir(parents=True)
    (tmp_path / "results" / "mine").mkdir()
    (tmp_path / "results" / "mine" / "runs.csv").touch()
    done = RUN.invoke(app, [command, study])
    assert done.exit_code == 2 and said in done.stderr
    assert "xt run bench" not in done.stderr and ("mine, paper" in done.stderr or study != "bench")


def test_a_root_that_is_not_there_is_told_with_the_variable_that_moves_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XT_MIRROR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XT_ENCODERS", str(tmp_path / "nowhere"))
    done = RUN.invoke(app, ["plan", "real"])
    assert done.exit_code == 2 and "nowhere" in done.stderr and "set XT_MIRROR" in done.stderr


def test_doctor_names_versions_device_roots_and_runs_a_notebook():
    done = RUN.invoke(app, ["doctor"])
    assert done.exit_code == 0
    for what in ("python", "torch", "device", "precision", "XT_MIRROR", "root fixtures", "notebook"):
        assert f"  {what} " in done.stdout
    line = next(line for line in done.stdout.splitlines() if "  notebook " in line)
    assert line.startswith("ok") and " s on " in line
