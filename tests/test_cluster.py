"""Notebooks on real workers of Parsl: pinned, killed, and gone with whoever asked for them."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from typer.testing import CliRunner

from xt import cluster
from xt.cli import app
from xt.cluster import SiteFailed, open_engine, pass_on
from xt.engine import Execution, execute

pytest.importorskip("parsl", reason="Parsl is not installed")
CODE = """
import os
import time
from pathlib import Path

with open(place, "a") as file:
    names = ("PARSL_WORKER_RANK", "CUDA_VISIBLE_DEVICES", "XT_RUNS")
    print(os.getpid(), *map(os.environ.get, names), file=file)
while Path(place).read_text().count("\\n") < tries:
    time.sleep(0.05)
"""
PAIR = "lost_after = 12\nrestarts = {restarts}\n[executors.pair]\naccelerators = 2\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a notebook that waits until it has been started `tries` times; each start leaves a line."""
    cells = [
        nbformat.v4.new_code_cell('place = ""\ntries = 1', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(CODE),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "in.ipynb")
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    return tmp_path


def execution(place, name, tries):
    parameters = {"place": str(place / name), "tries": tries}
    return Execution(place / "in.ipynb", parameters, (name,), (), place / f"{name}.ipynb")


def starts(place, name):
    """Per start of a notebook: its process, its worker's rank, its device, and where its runs go."""
    path = place / name
    return [line.split() for line in path.read_text().splitlines()] if path.is_file() else []


def find_writer(place, name):
    """The process that writes the log of this name."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if link.readlink().is_relative_to(place) and link.readlink().name == name:
                return int(link.parts[2])
    raise LookupError(f"nobody writes {name}")


def find_processes(place):
    """The command lines of the processes that name a folder."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(place) in file.read_bytes():
                yield file.read_bytes()


def has_ended(process: Path, patience: float = 20.0) -> bool:
    """Whether a process (its folder in /proc) has ended, or does so soon; one that nobody waits for is a zombie."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, ProcessLookupError):
            if (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.1)
                continue
        return True
    return False


def run(place, executions, restarts=2, disturb=lambda: None):
    """({name: exit code}, what was said) of executions on two pinned workers; `disturb` is called now and then."""
    (place / "site.toml").write_text(PAIR.format(restarts=restarts))
    codes, said = {}, []
    with open_engine("parsl", place / "site.toml", 1, said.append) as (at_once, begin):
        execute(
            executions,
            at_once,
            begin,
            lambda run_id: True,
            lambda one: True,
            lambda one: None,
            lambda one, code: codes.update({one.title: code}) or [],
            lambda running: disturb(),
        )
    return codes, said


def test_a_killed_worker_costs_its_own_notebook_a_start_and_no_other_one(place):
    ended = []

    def kill_worker():
        if not ended and starts(place, "a") and starts(place, "b"):
            pid, rank, *_ = starts(place, "a")[0]
            ended.append(Path("/proc") / pid)
            os.kill(find_writer(place, f"worker_{rank}.log"), signal.SIGKILL)
            (place / "b").write_text((place / "b").read_text() + "enough\n")

    codes, said = run(place, [execution(place, "a", 2), execution(place, "b", 2)], disturb=kill_worker)
    assert codes == {"a": 0, "b": 0}
    first, second = starts(place, "a")
    assert {first[2], starts(place, "b")[0][2]} == {"0", "1"}, "each worker has a device of its own"
    assert first[3] == second[3] == str(place / "runs")
    assert has_ended(ended[0]), "a notebook ends with its worker"
    assert len(said) == 1 and said[0].startswith("lost   a: ")
    assert not list(find_processes(place)), "whatever ran for the site has ended"


def test_a_site_whose_interchange_is_gone_is_given_up_at_once_and_says_so(place):
    (place / "site.toml").write_text(PAIR.format(restarts=0))
    with (
        pytest.raises(SiteFailed, match=r"the interchange of pair has ended; logs: .*/runs/parsl"),
        open_engine("parsl", place / "site.toml", 1, print) as (at_once, begin),
    ):
        assert at_once == 2
        one = begin(execution(place, "a", 1))
        os.kill(find_writer(place, "interchange.log"), signal.SIGKILL)
        while one.poll() is None:
            time.sleep(0.05)
    assert not list(find_processes(place))


def test_a_site_forgets_notebooks_that_have_ended(monkeypatch):
    monkeypatch.setattr(cluster, "Submitted", lambda engine, execution: SimpleNamespace(returncode=execution))
    engine = cluster.ParslEngine(None, print)
    for code in (0, None, 1, None):
        engine.start(code)
    assert [one.returncode for one in engine.submitted] == [None, None]


def test_tokens_stay_where_they_are():
    variables = {"HF_TOKEN": "secret", "HUGGING_FACE_HUB_TOKEN": "secret", "HF_HOME": "h", "XT_RUNS": "r", "PATH": "p"}
    assert pass_on(variables) == {"HF_HOME": "h", "XT_RUNS": "r"}


@pytest.mark.parametrize(
    "options, said",
    [
        (["--engine", "parsl"], "--engine parsl takes --site FILE"),
        (["--site", "sites/gpus.toml"], "--engine parsl takes --site FILE"),
        (["--engine", "parsel"], "unknown engine 'parsel'; did you mean 'parsl'?"),
        (["--engine", "parsl", "--site", "nowhere.toml"], "site file nowhere.toml"),
    ],
)
def test_an_engine_that_cannot_be_meant_is_refused_before_anything_runs(options, said, tmp_path, monkeypatch):
    for name in ("runs", "results", "cache"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    done = CliRunner().invoke(app, ["run", "smoke", *options])
    assert done.exit_code == 2 and said in done.stderr
    assert not (tmp_path / "runs").exists()
