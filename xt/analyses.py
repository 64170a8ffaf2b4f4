"""The analysis notebooks on a study's results: executed, and what they answer."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat

from xt.engine import Execution, start
from xt.locations import PROJECT, folder
from xt.studies import Study

ANALYSES = PROJECT / "notebooks" / "analysis"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def analyse(study: Study, say: Callable[[str], None]) -> Path:
    """Runs the analysis notebooks that apply to a study on its results; returns the folder of its figures.

    A notebook that cannot answer yet (too few seeds, say) is told with its last lines and kept as executed.
    """
    figures = folder("XT_RUNS") / "figures" / study.name
    for notebook in analyses_of(study):
        parameters = {"study": study.name, "encoder": study.encoders[0]}
        execution = Execution(notebook, parameters, (), (), executed(study, notebook))
        process = start(execution, XT_FIGURES=str(figures))
        try:
            exit_code = process.wait()
        finally:
            process.terminate()
        if exit_code:
            say(f"analysis {execution.output} stopped: {last_lines(execution.output, exit_code)}")
    return figures


def analyses_of(study: Study) -> list[Path]:
    """The analysis notebooks that a study names."""
    return [ANALYSES / f"{name}.ipynb" for name in study.analyses]


def executed(study: Study, notebook: Path) -> Path:
    """Where an analysis notebook goes as executed on a study."""
    return folder("XT_RUNS") / "notebooks" / study.name / notebook.name


def answers(study: Study) -> list[tuple[Path, str]]:
    """(executed notebook, its answer) of every analysis that was made; the answer is empty where it stopped before."""
    found = []
    for place in (executed(study, notebook) for notebook in analyses_of(study)):
        if place.is_file():
            cells = nbformat.read(place, as_version=4).cells
            outputs = [cell.get("outputs") for cell in cells if "answer" in cell.metadata.get("tags", ())]
            said = [output[0]["data"]["text/markdown"] for output in outputs if output]
            found.append((place, " ".join(said).replace("**", "")))
    return found


def last_lines(notebook: Path, exit_code: int, count: int = 4) -> str:
    """The last lines of the error in an executed notebook, or of papermill's own log where it holds none."""
    log = notebook.with_suffix(".log")
    try:
        cells = nbformat.read(notebook, as_version=4).cells if notebook.is_file() else []
    except nbformat.reader.NotJSONError:
        cells = []
    errors = [output for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"]
    text = "\n".join(errors[-1].traceback) if errors else log.read_text() if log.is_file() else ""
    lines = [line for line in ANSI.sub("", text).splitlines() if line.strip()]
    return "\n".join(lines[-count:]) or f"exit code {exit_code}, no output"
