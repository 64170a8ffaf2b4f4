"""What stands in a report: executed notebooks cut into answer, results and limits; runs; data; references."""

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xt.analyses import answer_of
from xt.arms import find_arm
from xt.reported import select_primary
from xt.tasks import TASKS

WORKS = (
    "Phang, Calixto, Htut, Pruksachatkun, Liu, Vania, Kann and Bowman (2020), English Intermediate-Task Training "
    "Improves Zero-Shot Cross-Lingual Transfer Too, AACL; arXiv 2005.13013",
    "Hu, Ruder, Siddhant, Neubig, Firat and Johnson (2020), XTREME, ICML",
    "Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics",
    "Benjamini and Hochberg (1995), Controlling the False Discovery Rate, JRSS B",
    "Cameron, Gelbach and Miller (2008), Bootstrap-Based Improvements for Inference with Clustered Errors, REStat",
)
"""What is cited in every report, beside the tasks' own papers."""
LIMITS = re.compile(r"^#+ What could be wrong[^\n]*$", re.MULTILINE)
SHOWN = ("text/html", "text/markdown", "image/png", "text/plain")
"""Kinds of output that a report takes; others could run something."""
HEADING = re.compile(r"^(#{1,4}) ", re.MULTILINE)
STYLE_BLOCK = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
TABLE_LOOK = re.compile(r'\sborder="\d+"')


@dataclass(frozen=True, slots=True)
class Section:
    """One executed notebook, as it stands in the report."""

    name: str
    """Stem of the notebook's file; the section's anchor."""
    title: str
    """Its question, with its number."""
    answer: str
    """Its answer as Markdown; empty where it was not reached."""
    results: list
    """Cells of the results, headings two levels lower."""
    limits: list
    """Cells under `What could be wrong`, without that heading."""
    stopped: str
    """Why it stopped before its end; empty where it did not."""


def split_notebook(path: Path, cells: Sequence) -> Section:
    """An executed notebook's cells as a section; a notebook that was never executed has stopped."""
    cells = [prepare_cell(cell) for cell in deepcopy(list(cells))]
    if not cells:
        return Section(path.stem, path.stem, "", [], [], "it was not executed")
    first, *rest = cells
    title, _, introduction = first.source.partition("\n")
    answer = answer_of(rest)
    for cell in cells:
        cell.metadata = type(cell)(simulated="simulated" in cell.metadata.get("tags", ()))
    kept = [cell for cell in rest if cell.cell_type == "markdown" or cell.get("outputs")]
    results, limits = split_at_limits(kept)
    first.source = introduction.strip()
    return Section(path.stem, title.lstrip("# "), answer, [first, *results], limits, "; ".join(errors_of(rest)))


def split_at_limits(cells: Sequence) -> tuple[list, list]:
    """(cells before the heading `What could be wrong`, those after it); a cell that holds it is cut in two."""
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and (found := LIMITS.search(cell.source)):
            before, after = deepcopy(cell), deepcopy(cell)
            before.source, after.source = cell.source[: found.start()].strip(), cell.source[found.end() :].strip()
            return [*cells[:place], before], [after, *cells[place + 1 :]]
    return list(cells), []


def prepare_cell(cell):
    """A cell as the report shows it: headings two levels lower, tables without a style of their own, no warnings, of
    each output what is SHOWN."""
    if cell.cell_type == "markdown":
        cell.source = lower_headings(cell.source)
        return cell
    cell.outputs = [output for output in cell.get("outputs", ()) if output.output_type != "stream"]
    for output in cell.outputs:
        data = output.get("data", {})
        for kind in data.keys() - set(SHOWN):
            del data[kind]
        about = output.get("metadata", {}).get("image/png", {})
        for name in [name for name, value in about.items() if name != "alt" and type(value) is not int]:
            del about[name]
        if "text/markdown" in data:
            data["text/markdown"] = lower_headings(data["text/markdown"])
        if "text/html" in data:
            data["text/html"] = TABLE_LOOK.sub("", STYLE_BLOCK.sub("", data["text/html"]))
    return cell


def lower_headings(text: str) -> str:
    """Markdown with every heading two levels lower: a page's title and its parts stand above a notebook's."""
    return HEADING.sub(r"##\1 ", text)


def errors_of(cells: Iterable) -> list[str]:
    """Name and text of the errors in which cells ended."""
    outputs = [output for cell in cells for output in cell.get("outputs", ()) if output.output_type == "error"]
    return [f"{output.ename}: {output.evalue}" for output in outputs]


def describe_data(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per target: what it was scored on, and on how many rows it was trained at most; counts are the largest of
    its runs."""
    primary = select_primary(scores)
    rows = []
    for target, part in primary.groupby("target", sort=False):
        rows.append({
            "target": target,
            "data status": ", ".join(sorted(set(part["data_status"]))),
            "split": ", ".join(sorted(set(part["split"]))),
            "languages": part["eval_language"].nunique(),
            "examples": part.groupby("eval_language")["num_examples"].max().max(),
            "at most trained on": part["max_train_examples"].max(),
            "metric": ", ".join(sorted(set(part["metric"]))),
            "runs": part["run_id"].nunique(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def describe_runs(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder, target and arm: `status` of its data, how its runs ended, and their ids by seed."""
    runs = select_primary(scores).drop_duplicates("run_id").sort_values("seed", kind="stable")
    rows = []
    for (encoder, target, arm), part in runs.groupby(["encoder", "target", "intermediate"], sort=False):
        rows.append({
            "encoder": encoder,
            "target": target,
            "arm": arm,
            "data status": ", ".join(sorted(set(part["data_status"]))),
            "outcome": ", ".join(sorted(set(part["outcome"]))),
            "run ids by seed": "; ".join(f"{row.seed}: {row.run_id}" for row in part.itertuples()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def gather_references(scores: pd.DataFrame) -> list[str]:
    """The works cited in a report on these scores: the method's, and those of every task trained or scored on."""
    arms = [find_arm(name) for name in scores["intermediate"].unique()]
    trained = {task for arm in arms if arm for task in arm.tasks}
    scored = set(scores["target"])
    trained |= {TASKS[name].training_task for name in scored} - {None}
    return [*WORKS, *sorted({TASKS[name].citation for name in trained | scored})]
