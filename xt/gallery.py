"""The table of the analysis notebooks in notebooks/README.md: question, answer, figure and runtime, out of the
notebooks as they were executed last."""

import re
from datetime import datetime
from html import escape
from pathlib import Path

from xt.analyses import ANALYSES, answer_of
from xt.engine import read_cells

PAGE = ANALYSES.parent / "README.md"
BEGIN, END = "<!-- written by `xt gallery` -->", "<!-- end -->"
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
FIGURE = re.compile(r'save_figure\(fig, (\d+), "([\w-]+)"')
HEAD = "| | question | answer, by the committed results | figure | seconds |\n|---|---|---|---|---|"


def write_gallery(page: Path = PAGE) -> None:
    """Puts the table of the notebooks as they are now between the marks of a page."""
    page.write_text(fill(page.read_text(encoding="utf-8"), render_gallery()), encoding="utf-8")


def fill(text: str, table: str) -> str:
    """A page with this table between its marks. Raises ValueError where they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE}: no place for the gallery; needed are the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def render_gallery(folder: Path = ANALYSES) -> str:
    """One row per notebook of a folder, by number; a dash where it has no answer, figure or times yet."""
    notebooks = sorted(folder.glob("[0-9]*.ipynb"), key=lambda path: int(path.stem.split("-")[0]))
    return "\n".join([HEAD, *map(describe_notebook, notebooks)])


def describe_notebook(path: Path) -> str:
    """A notebook's row of the gallery."""
    cells = read_cells(path)
    title = cells[0].source.splitlines()[0].lstrip("# ")
    number, _, question = title.partition(". ")
    found = re.search(r"\*\*(.+?)\*\*", answer_of(cells), re.DOTALL)
    answer = SENTENCE_END.split(found[1].strip())[0] if found else "–"
    entries = [f"[{as_text(number)}]({ANALYSES.name}/{path.name})", as_text(question), as_text(answer)]
    entries += [find_thumbnail(cells), measure(cells)]
    return "| " + " | ".join(entry.replace("|", "\\|").replace("\n", " ") for entry in entries) + " |"


def as_text(said: str) -> str:
    """Markdown of a notebook in which neither markup nor a link is one; its emphasis stays."""
    return escape(said, quote=False).replace("](", "]\\(")


def find_thumbnail(cells) -> str:
    """The notebook's first figure as a small image that leads to the large one, with its text."""
    for cell in cells:
        images = [output for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})]
        if images and (found := FIGURE.search(cell.source)):
            place = f"../figures/{found[1]}-{found[2]}"
            alt = images[0].metadata.get("image/png", {}).get("alt", "").split(". ")[0].replace('"', "'")
            alt = as_text(alt)
            return f'[<img src="{place}.png" alt="{alt}" width="160">]({place}.svg)'
    return "–"


def measure(cells) -> str:
    """Seconds from the first to the last cell, when the notebook was executed last."""
    times = [
        datetime.fromisoformat(time) for cell in cells for time in cell.metadata.get("execution", {}).values() if time
    ]
    return f"{(max(times) - min(times)).total_seconds():.0f}" if times else "–"
