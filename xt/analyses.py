"""The analysis notebooks on a study's results: executed, and what they answer."""

import ast
from collections.abc import Callable, Iterable
from pathlib import Path

from xt.engine import Execution, last_lines, read_cells, start
from xt.locations import PROJECT, folder
from xt.study import Study

ANALYSES = PROJECT / "notebooks" / "analysis"


def analyse(study: Study, say: Callable[[str], None]) -> Path:
    """Runs the analysis notebooks that apply to a study on its results; returns the folder of its figures.

    A notebook that cannot answer yet (too few seeds, say) is told with its last lines and kept as executed.
    """
    figures = folder("XT_RUNS") / "figures" / study.name
    for notebook in analyses_of(study):
        parameters, output = {"study": study.name, "encoder": study.encoders[0]}, executed(study, notebook)
        if stopped := execute_analysis(notebook, parameters, output, figures):
            say(f"analysis {output} stopped: {stopped}")
    return figures


def execute_analysis(notebook: Path, parameters: dict, output: Path, figures: Path) -> str:
    """Runs an analysis notebook with those of the parameters that it has; returns the last lines of its error, or ''.

    `output` is the notebook as executed, `figures` the folder of its figures.
    """
    known = {name: value for name, value in parameters.items() if name in read_parameters(notebook)}
    process = start(Execution(notebook, known, (), (), output), XT_FIGURES=str(figures))
    try:
        exit_code = process.wait()
    finally:
        process.terminate()
    return last_lines(output, exit_code) if exit_code else ""


def read_parameters(notebook: Path) -> set[str]:
    """Names of the parameters of a notebook."""
    tagged = [cell for cell in read_cells(notebook) if "parameters" in cell.metadata.get("tags", ())]
    return {
        line.target.id for cell in tagged for line in ast.parse(cell.source).body if isinstance(line, ast.AnnAssign)
    }


def analyses_of(study: Study) -> list[Path]:
    """The analysis notebooks that a study names."""
    return [ANALYSES / f"{name}.ipynb" for name in study.analyses]


def executed(study: Study, notebook: Path) -> Path:
    """Where an analysis notebook goes as executed on a study."""
    return folder("XT_RUNS") / "notebooks" / study.name / notebook.name


def answers(study: Study) -> list[tuple[Path, str]]:
    """(executed notebook, its answer) of every analysis of a study; the answer is empty where it was not reached."""
    places = [executed(study, notebook) for notebook in analyses_of(study)]
    return [(place, answer_of(read_cells(place)).replace("**", "")) for place in places]


def answer_of(cells: Iterable) -> str:
    """The Markdown that an executed notebook answers with; empty where it was not reached."""
    answered = [cell for cell in cells if "answer" in cell.metadata.get("tags", ())]
    outputs = [output.get("data", {}) for cell in answered for output in cell.get("outputs", ())]
    return " ".join(data["text/markdown"] for data in outputs if "text/markdown" in data)
