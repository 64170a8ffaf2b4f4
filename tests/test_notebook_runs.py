"""The experiment notebooks on real kernels: Run All with their defaults, papermill's command line, wrong parameters."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from xt.locations import PROJECT
from xt.tasks import read_training

EXPERIMENTS = PROJECT / "notebooks" / "experiments"
NAMES = ("intermediate", "target", "retrieval")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    place = tmp_path_factory.mktemp("notebooks")
    return os.environ | {"XT_RUNS": str(place / "runs"), "XT_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}


def papermill(name, places, tmp_path, *parameters):
    """(exit code, executed notebook) of papermill's own command line."""
    output = tmp_path / f"{name}.ipynb"
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(EXPERIMENTS / f"{name}.ipynb"),
        str(output),
        "--kernel",
        "python3",
    ]
    done = subprocess.run([*command, *parameters], env=places, capture_output=True, text=True)
    return done.returncode, nbformat.read(output, as_version=4)


def outputs(notebook):
    return "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.mark.parametrize("name", NAMES)
def test_run_all_works_with_the_defaults(name, places, tmp_path):
    code, notebook = papermill(name, places, tmp_path)
    assert code == 0, outputs(notebook)[-2000:]
    assert not [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "error"
    ]
    run = re.search(r"[a-z0-9_-]+-s1-[0-9a-f]{12}", outputs(notebook)).group()
    assert os.path.isfile(os.path.join(places["XT_RUNS"], run, "DONE"))


def test_a_translation_is_a_root_to_train_from(places, tmp_path):
    parameters = ("-p", "language", "fr", "-p", "into", str(tmp_path / "root"))
    code, notebook = papermill("translate", places, tmp_path, *parameters)
    assert code == 0, outputs(notebook)[-2000:]
    data = read_training("mnli", str(tmp_path / "root"), language="fr", num_selection=4)
    assert data.translated and data.train and "rows were lost" in outputs(notebook)


def test_parameters_of_the_command_line_reach_the_run(places, tmp_path):
    code, notebook = papermill(
        "target", places, tmp_path, "-p", "target", "udpos", "-p", "intermediate", "squad", "-p", "languages", "en,th"
    )
    assert code == 0, outputs(notebook)[-2000:]
    runs = os.listdir(places["XT_RUNS"])
    assert any(run.startswith("udpos-squad-s1-") for run in runs)
    assert any(run.startswith("intermediate-squad-squad-s1-") for run in runs), "its intermediate model was made first"


@pytest.mark.parametrize(
    "name, parameters, words",
    [
        ("target", ("-p", "target", "udpoz"), "unknown target 'udpoz'; did you mean 'udpos'"),
        ("target", ("-p", "intermedate", "squad"), "unknown parameter 'intermedate'; did you mean 'intermediate'"),
        (
            "intermediate",
            ("-p", "learning_rate", "7"),
            "learning_rate = 7.0 is not allowed; allowed: float > 0 and < 1",
        ),
        ("retrieval", ("-p", "target", "udpos"), "unknown target 'udpos'; allowed: bucc2018, tatoeba"),
    ],
)
def test_wrong_parameters_are_refused_in_the_check_before_anything_heavy(name, parameters, words, places, tmp_path):
    code, notebook = papermill(name, places, tmp_path, *parameters)
    assert code != 0 and words in outputs(notebook)
    (failed,) = [
        place
        for place, cell in enumerate(notebook.cells)
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    ]
    later = [cell for cell in notebook.cells[failed + 1 :] if cell.cell_type == "code"]
    assert "read_parameters" in notebook.cells[failed].source and all(cell.execution_count is None for cell in later)
