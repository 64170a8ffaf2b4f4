"""The contract of notebooks/experiments, read off the files: no cell is run here."""

import ast
import copy
import json

import pytest
from layout import HEAVY, check_light, list_imports, list_loaded

from xt.locations import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks" / "experiments").glob("*.ipynb"))


def code_cells(notebook: dict) -> list[dict]:
    """The code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source_of(cell: dict) -> str:
    """A cell's source as one text."""
    return "".join(cell["source"])


def is_documented_literal(node: ast.stmt, line: str) -> bool:
    """Whether a statement reads `name: type = literal  # unit or meaning`."""
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    comment = line[node.end_col_offset :].strip()
    return node.lineno == node.end_lineno and comment.startswith("# ") and len(comment.split()) > 2


def check_parameters(notebook: dict) -> list[str]:
    """Exactly one cell tagged `parameters`, the first code cell, one documented literal per line."""
    cells = code_cells(notebook)
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if tagged != cells[:1]:
        return ["the first code cell, and no other, carries the tag `parameters`"]
    lines = source_of(tagged[0]).splitlines()
    nodes = ast.parse(source_of(tagged[0])).body
    bad = [node for node in nodes if not is_documented_literal(node, lines[node.lineno - 1])]
    return [f"parameter without type, literal value or comment: {lines[node.lineno - 1]}" for node in bad]


def check_refusal(notebook: dict) -> list[str]:
    """The second code cell checks the parameters by importing xt.parameters, and nothing heavy."""
    source = source_of(code_cells(notebook)[1])
    ours = {name for _, name in list_imports(source) if name.startswith("xt.")}
    if "xt.parameters" not in ours:
        return ["the second code cell must check the parameters through xt.parameters"]
    heavy = list_loaded(*ours) & {*HEAVY, "pandas"}
    faults = [f"the check loads {name} through {', '.join(sorted(ours))}" for name in sorted(heavy)]
    return faults + check_light("the check", source, {*HEAVY, "pandas"})


def check_prose(notebook: dict) -> list[str]:
    """The notebook opens with a title and says how long it takes."""
    first = notebook["cells"][0]
    text = source_of(first)
    titled = first["cell_type"] == "markdown" and text.startswith("# ")
    return [] if titled and "minute" in text else ["the first cell is a title and names the minutes it takes"]


def check_cells(notebook: dict) -> list[str]:
    """No definitions, no outputs, and the kernel that every environment has."""
    faults = []
    for cell in code_cells(notebook):
        nodes = list(ast.walk(ast.parse(source_of(cell))))
        if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in nodes):
            faults.append(f"a definition belongs in xt/: {source_of(cell)[:60]!r}")
        if cell["outputs"] or cell["execution_count"] is not None:
            faults.append(f"outputs are not committed here: {source_of(cell)[:60]!r}")
    if notebook["metadata"]["kernelspec"]["name"] != "python3":
        faults.append("the kernelspec is not python3")
    return faults


def check_contract(notebook: dict) -> list[str]:
    """Every fault against the contract."""
    checks = (check_prose, check_parameters, check_refusal, check_cells)
    return [fault for check in checks for fault in check(notebook)]


def test_there_is_a_notebook_for_each_kind_of_run():
    assert {"intermediate", "retrieval", "target"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_contract(path):
    assert check_contract(json.loads(path.read_text(encoding="utf-8"))) == []


def make_cell(kind: str, source: str, *tags: str) -> dict:
    """A cell as a notebook file holds it."""
    cell = {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source.splitlines(keepends=True)}
    return cell if kind == "markdown" else cell | {"outputs": [], "execution_count": None}


SOUND = {
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        make_cell("markdown", "# A run\n\nTwo minutes."),
        make_cell("code", 'seed: int = 1  # draws the head\ntasks: list = ["xnli"]  # names of tasks', "parameters"),
        make_cell("code", "from xt.parameters import PRESETS\n\nPRESETS"),
        make_cell("code", "import torch\n\ntorch.zeros(1)"),
    ],
}


def test_sound_notebook_passes():
    assert check_contract(SOUND) == []


@pytest.mark.parametrize(
    ("index", "cell"),
    [
        pytest.param(0, make_cell("markdown", "A run of two minutes"), id="no title"),
        pytest.param(0, make_cell("markdown", "# A run"), id="no time"),
        pytest.param(1, make_cell("code", "seed: int = 1  # draws the head"), id="no tag"),
        pytest.param(1, make_cell("code", "seed = 1  # draws the head", "parameters"), id="no type"),
        pytest.param(1, make_cell("code", "seed: int = 1", "parameters"), id="no comment"),
        pytest.param(1, make_cell("code", "seed: int = draw()  # of a run", "parameters"), id="no literal"),
        pytest.param(2, make_cell("code", "print(seed)"), id="no check"),
        pytest.param(2, make_cell("code", "import torch\nfrom xt.parameters import PRESETS"), id="heavy import"),
        pytest.param(2, make_cell("code", "import xt.parameters, xt.train"), id="heavy module"),
        pytest.param(3, make_cell("code", "seed: int = 1  # draws the head", "parameters"), id="second tag"),
        pytest.param(3, make_cell("code", "def run():\n    pass"), id="definition"),
        pytest.param(3, make_cell("code", "1") | {"outputs": [{}]}, id="output"),
    ],
)
def test_planted_fault_is_found(index, cell):
    notebook = copy.deepcopy(SOUND)
    notebook["cells"][index] = cell
    assert len(check_contract(notebook)) >= 1


def test_foreign_kernel_is_found():
    assert check_contract(SOUND | {"metadata": {"kernelspec": {"name": "conda-env-x"}}}) != []
