"""From executed notebooks to one page."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from nbformat.v4 import new_markdown_cell, new_notebook

from xt.analyses import ANALYSES, execute_analysis
from xt.engine import read_cells
from xt.locations import folder
from xt.prose import say_list
from xt.report.contents import Section, describe_data, describe_runs, gather_references, split_notebook
from xt.reported import pick_encoder
from xt.results import load_scores
from xt.studies import STUDIES

TAGS = frozenset(
    "a blockquote br caption code dd div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p pre small span strong sub sup table "
    "tbody td tfoot th thead tr ul".split()
)
"""What a notebook's text and tables may be made of."""
ATTRIBUTES = {"a": ["href", "title"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan"]}
TEMPLATE = Path(__file__).with_name("page.html.j2")
CLAIMS = "9-claims"
OF_THE_LAB = "0-lab"
"""The notebook that asks about generated languages only."""


def write_report(study: str, say: Callable[[str], None], encoder: str = "", output: Path | None = None) -> Path:
    """Runs the analysis notebooks on a study's results and writes the report of them; returns its path.

    `encoder` is the one that notebooks ask about (default: the study's first).  Without `output` the page is written
    beside the runs, as are the executed notebooks.  Raises DataError where the study has no results, ValueError for an
    encoder without scores.
    """
    scores = load_scores(study)
    encoder = pick_encoder(scores, study, encoder)
    place = folder("XT_RUNS") / "reports"
    executed = []
    for notebook in list_analyses(scores):
        executed.append(place / study / notebook.name)
        alone = dict(study=study, encoder=encoder, beside=[], confirm=[], sizes=[study], scores_of=study)
        stopped = execute_analysis(notebook, alone, executed[-1], place / study / "figures")
        say(f"{notebook.stem}: {stopped or 'done'}")
    output = output or place / f"{study}.html"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(render_report(study, encoder, scores, executed), encoding="utf-8")
    return output


def list_analyses(scores: pd.DataFrame) -> list[Path]:
    """The analysis notebooks that apply to these scores, by number."""
    notebooks = sorted(ANALYSES.glob("[0-9]*.ipynb"), key=lambda path: int(path.stem.split("-")[0]))
    generated = (scores["data_status"] == "generated").any()
    return [path for path in notebooks if generated or path.stem != OF_THE_LAB]


def render_report(study: str, encoder: str, scores: pd.DataFrame, notebooks: Sequence[Path]) -> str:
    """The page: abstract, method, results, limits, claims, runs and references, as HTML without anything outside of it.

    `notebooks` are executed ones; one that stopped or is missing is said to be, with the reason.
    """
    from nbconvert import HTMLExporter

    sections = [split_notebook(path, read_cells(path)) for path in notebooks]
    known = STUDIES.get(study)
    facts = {
        "study": study,
        "encoder": encoder,
        "question": known.question if known else "",
        "note": known.note if known else "",
        "counts": {name: scores[name].nunique() for name in ("run_id", "target", "seed", "eval_language")},
        "arms": list(scores["intermediate"].unique()),
        "encoders": list(scores["encoder"].unique()),
        "presets": say_list(sorted(set(scores["preset"]))),
        "statuses": say_list(sorted(set(scores["data_status"]))),
        "versions": say_list(sorted(set(scores["code_version"]))),
        "data": describe_data(scores),
        "runs": describe_runs(scores),
        "sections": sections,
        "references": gather_references(scores),
    }
    hidden = dict.fromkeys(("input", "input_prompt", "output_prompt", "anchor_links"), True)
    exporter = HTMLExporter(
        template_file=str(TEMPLATE),
        filters={"clean_html": clean_html},
        sanitize_html=True,
        **{f"exclude_{name}": value for name, value in hidden.items()},
    )
    page, _ = exporter.from_notebook_node(join_sections(sections), resources={"report": facts})
    return page


def clean_html(html: str) -> str:
    """HTML of text, lists, tables and links only; anything else is escaped, so that it is read and not run."""
    import bleach

    return bleach.clean(html, tags=TAGS, attributes=ATTRIBUTES, protocols={"http", "https", "mailto"})


def join_sections(sections: Sequence[Section]):
    """One notebook of all sections: results, then claims, then limits; each cell says what it begins or belongs to."""
    cells = []
    ordered = [section for section in sections if section.name != CLAIMS]
    claims = [section for section in sections if section.name == CLAIMS]
    for part, chosen in (("results", ordered), ("claims", claims), ("limits", sections)):
        for place, section in enumerate(chosen):
            body = section.limits if part == "limits" else section.results
            head = new_markdown_cell("", metadata={"part": part if not place else "", "section": section.name,
                                                   "title": section.title, "stopped": section.stopped,
                                                   "anchor": f"{part}-{section.name}"})  # fmt: skip
            cells += [head, *body] if body or part != "limits" else []
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return new_notebook(cells=cells)
