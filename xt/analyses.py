"""The analysis notebooks on a study's results: executed, and what they answer."""

from collections.abc import Callable
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
    """(executed notebook, its answer) of every analysis of a study; the answer is empty where it was not reached."""
    found = []
    for place in (executed(study, notebook) for notebook in analyses_of(study)):
        answered = [cell for cell in read_cells(place) if "answer" in cell.metadata.get("tags", ())]
        outputs = [output.get("data", {}) for cell in answered for output in cell.get("outputs", ())]
        said = [data["text/markdown"] for data in outputs if "text/markdown" in data]
        found.append((place, " ".join(said).replace("**", "")))
    return found
