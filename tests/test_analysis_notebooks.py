"""The contract of the analysis notebooks: computed answers, no torch, nothing defined."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from synthetic_costs import write_cost_study
from synthetic_study import change_scores, write_study

from xt.lab.languages import LAB_LANGUAGES
from xt.locations import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks" / "analysis").glob("*.ipynb"))
NO_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "datasets", "accelerate"}:
            raise ModuleNotFoundError(f"{name} is not installed here")

sys.meta_path.insert(0, Absent())
"""

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook, tag):
    return [cell for cell in code_cells(notebook) if tag in cell.metadata.get("tags", [])]


def cells_on(path: Path, results: Path, parameters: dict, whole: bool = True) -> list:
    """The cells of a notebook, all or up to its answer, on these results, with some parameters other than its own;
    before them one that forgets what the kernel did until then."""
    notebook = nbformat.read(path, as_version=4)
    (own,), (answer,) = tagged(notebook, "parameters"), tagged(notebook, "answer")
    own.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    fresh = new_code_cell(f"%reset -f\nimport os\nos.environ['XT_RESULTS'] = {str(results)!r}")
    return [fresh, *(notebook.cells if whole else notebook.cells[: notebook.cells.index(answer) + 1])]


def execute(parts: list[list], scratch: Path) -> None:
    """Executes lists of cells one after the other in one kernel, where torch cannot be imported; figures go to
    `scratch`."""
    (scratch / "sitecustomize.py").write_text(NO_TORCH)
    environment = {**os.environ, "XT_FIGURES": str(scratch / "figures"),
                   "PYTHONPATH": f"{scratch}{os.pathsep}{PROJECT}"}  # fmt: skip
    cells = [cell for part in parts for cell in part]
    for number, cell in enumerate(cells):
        cell.id = f"c{number}"
    client = NotebookClient(
        new_notebook(cells=cells), timeout=300, kernel_name="python3", resources={"metadata": {"path": str(scratch)}}
    )
    client.execute(env=environment)


def bold_answer(cells: list) -> str:
    """The first bold text that cells display."""
    shown = [output.get("data", {}).get("text/markdown", "") for cell in cells for output in cell.get("outputs", [])]
    return next(text.split("**")[1] for text in shown if text.startswith("**"))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, num_clusters=80, outcomes={("squad", "udpos", 2): "collapsed"})
    write_lab(folder)
    write_cost_study(folder, encoders=COSTS, ratios={"none": 1.0, "squad": 1.0, "squad.qac": 1.0})
    write_cost_study(folder, "cost-layers", encoders=COSTS, target="tatoeba", layers=(1, 2, 3, 4))
    shutil.copytree(PROJECT / "data" / "results" / "pilot", folder / "pilot")
    return folder


def write_lab(folder: Path) -> None:
    """Studies of encoders pretrained here: one multilingual and one English-only, and three sizes three times each."""
    gains = {("squad", "xquad"): 0.15, ("mnli", "udpos"): 0.1, ("multi", "xquad"): 0.05}
    lab = dict(home="qaa", num_clusters=30, cluster_size=1, languages=dict.fromkeys(("udpos", "xquad"), CODES))
    several = ("none", "squad", "mnli", "multi")
    write_study(folder, "lab", encoder="lab-base", arms=several, gains=gains, **lab)
    write_study(folder, "lab", encoder="lab-english", arms=("none", "squad", "mnli"), gains={}, **lab)
    for size, gain in {"small": 0.25, "base": 0.1, "large": 0.02}.items():
        for seed in SEEDS:
            encoder, arms = f"lab-{size}{seed}", ("none", "squad")
            gains = {("squad", "xquad"): gain}
            one = lab | dict(languages={"xquad": CODES}, arms=arms, gains=gains, seeds=(1,))
            write_study(folder, "lab-scaling", encoder=encoder, **one)


def rotate_arms(folder: Path) -> None:
    """Gives the scores of every intermediate task to the next one."""
    turn = {"mnli": "squad", "squad": "hellaswag", "hellaswag": "mnli"}
    change_scores(folder, "real", lambda scores: scores.assign(intermediate=scores["intermediate"].replace(turn)))


def test_there_are_notebooks():
    assert NOTEBOOKS


@every_notebook
def test_contract(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code, text = code_cells(notebook), [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert notebook.metadata.kernelspec.name == "python3"
    assert len(text) >= len(code) / 2
    assert text[0].startswith(f"# {path.stem.split('-')[0]}. ") and "?" in text[0].splitlines()[0]
    assert any("what could be wrong" in source.lower() for source in text)
    (parameters,) = tagged(notebook, "parameters")
    assert all(isinstance(line, ast.AnnAssign) for line in ast.parse(parameters.source).body)
    defined = [node for cell in code for node in ast.walk(ast.parse(cell.source))
               if isinstance(node, (ast.FunctionDef, ast.ClassDef))]  # fmt: skip
    assert not defined


@every_notebook
def test_figures_and_only_figures_are_ignored_by_nbval(path):
    notebook = nbformat.read(path, as_version=4)
    assert tagged(notebook, "nbval-ignore-output") == [
        cell for cell in code_cells(notebook) if "save_figure(" in cell.source
    ]
    number = path.stem.split("-")[0]
    for cell in tagged(notebook, "nbval-ignore-output"):
        assert re.search(rf"save_figure\(\s*fig,\s+{number},\s", cell.source)


def rotate_languages(folder: Path) -> None:
    """Gives the scores of every language of the lab to the next one; `qaa` keeps its own."""
    turn = dict(zip(LAB[1:], (*LAB[2:], LAB[1]), strict=True))
    change_scores(folder, "pilot", lambda scores: scores.assign(eval_language=scores["eval_language"].replace(turn)))


def claim_fair(folder: Path) -> None:
    """Gives the scores the name of a published encoder and vouches for their data: other reasons are left."""
    fair = dict(encoder="FacebookAI/xlm-roberta-large", data_status="complete")
    change_scores(folder, "real", lambda scores: scores.assign(**fair))


def make_dearer(folder: Path) -> None:
    """Measures the arms anew, one of which now costs a third more."""
    shutil.rmtree(folder / "lab-cost")
    write_cost_study(folder, encoders=COSTS, ratios={"none": 1.0, "squad": 1.3, "squad.qac": 1.0})


def swap(study: str, column: str, *pairs: tuple[str, str]) -> Callable[[Path], None]:
    """What gives the scores of one arm, or encoder, to another one, and the other way round."""
    turn = dict(pairs) | {other: one for one, other in pairs}
    return lambda folder: change_scores(
        folder, study, lambda table: table.assign(**{column: table[column].replace(turn)})
    )


LAB = tuple(LAB_LANGUAGES)
CODES = ("qaa", "qab", "qac", "qak", "qax")
"""The training language, languages with much and with little text, and one that no encoder read."""
SEEDS = ("", "-s1", "-s2")
COSTS = {f"lab-{size}{seed}": cost for size, cost in (("small", 2.0), ("base", 4.0), ("large", 8.0)) for seed in SEEDS}
"""Encoder -> milliseconds of a feature."""
PERMUTE = {
    "0-lab": rotate_languages,
    "3-multi-task": swap("lab", "intermediate", ("multi", "squad")),
    "4-scaling": swap("lab-scaling", "encoder", *((f"lab-small{seed}", f"lab-large{seed}") for seed in SEEDS)),
    "5-pretraining": swap("lab", "encoder", ("lab-base", "lab-english")),
    "7-errors": swap("real", "intermediate", ("none", "squad")),
    "8-published": claim_fair,
    "10-intermediate-language": make_dearer,
    "11-footprint": swap("lab-scaling", "encoder", *((f"lab-small{seed}", f"lab-large{seed}") for seed in SEEDS)),
}
"""Notebook -> what changes the results that it answers from, where that is not `rotate_arms`."""
ASKED = {"0-lab": {}} | dict.fromkeys(("3-multi-task", "4-scaling", "5-pretraining"), {"beside": []}) | {
    "10-intermediate-language": {"beside": []}, "11-footprint": {"beside": [], "scores_of": "lab-scaling"},
}  # fmt: skip
"""Notebook -> its parameters here, where they are not SYNTHETIC."""
SYNTHETIC = {"study": "real", "encoder": "mini", "beside": []}
NO_STUDY = {"beside": []}
FEWER = {"2-significance": {"num_studies": 20}}
"""Notebook -> parameters that take less time here, whatever it is executed on."""
PUBLISHED = {"8-published"}
"""Notebooks that answer from published numbers before anything was run."""


@pytest.fixture(scope="module")
def executed(request, results, tmp_path_factory):
    """(path of a notebook, its cells as executed on results, those up to the answer on permuted ones, all of them where
    there are none, the folder of its figures), by one kernel."""
    scratch, fewer = tmp_path_factory.mktemp("executed"), FEWER.get(request.param.stem, {})
    parameters = ASKED.get(request.param.stem, SYNTHETIC) | fewer
    permuted, none = scratch / "permuted", scratch / "none"
    none.mkdir()
    shutil.copytree(results, permuted)
    PERMUTE.get(request.param.stem, rotate_arms)(permuted)
    parts = [cells_on(request.param, results, parameters),
             cells_on(request.param, permuted, parameters, whole=False),
             cells_on(request.param, none, NO_STUDY | fewer)]  # fmt: skip
    execute(parts, scratch)
    return request.param, *parts, scratch / "figures"


every_execution = pytest.mark.parametrize("executed", NOTEBOOKS, ids=lambda path: path.stem, indirect=True)


@every_execution
def test_the_answer_is_computed_and_changes_with_the_results(executed):
    path, first, second, _, figures = executed
    assert bold_answer(first) != bold_answer(second)
    names = {file.stem for file in figures.iterdir()}
    assert names and all(name.startswith(path.stem.split("-")[0] + "-") for name in names)


@every_execution
def test_a_notebook_without_its_study_runs_through_and_says_how_to_make_it(executed):
    path, *_, cells, _ = executed
    assert re.search(r"`xt run [\w-]+`", bold_answer(cells)), bold_answer(cells)
    assert path.stem not in PUBLISHED or "+5.4 points" in bold_answer(cells)


@every_notebook
def test_every_figure_has_a_text_for_who_does_not_see_it(path):
    for cell in tagged(nbformat.read(path, as_version=4), "nbval-ignore-output"):
        images = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert images and all(len(output.metadata["image/png"]["alt"]) > 40 for output in images), cell.source


def test_torch_is_really_out_of_reach(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_TORCH)
    code = "import xt.gains, xt.plots, xt.prose; import torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT,
                          env={**os.environ, "PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: torch is not installed here"
