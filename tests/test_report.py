"""A report says what the notebooks say, names every run, runs nothing and asks nothing of a network."""

import ast
import base64
import re
import shutil
from html.parser import HTMLParser

import nbformat
import pytest
from browser import look_at
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from synthetic_study import change_scores, write_study
from typer.testing import CliRunner

from xt.analyses import ANALYSES, read_parameters
from xt.cli import app
from xt.engine import read_cells
from xt.report import page, render_report, split_notebook
from xt.results import load_scores
from xt.studies import STUDIES

PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
STUDY_PARAMETERS = {"study", "beside", "confirm", "sizes", "scores_of"}
EVIL = "<script>document.title = 'taken'</script><img src='https://example.org/x.png' onerror='alert(1)'>"


def shown(**data):
    return new_output("display_data", data, metadata={"image/png": {"alt": "A small figure.", "width": 90}})


def write_notebook(place, name, title="1. Does it help?", answer="**It helps.**", error=None, more=(), tags=()):
    cells = [
        new_markdown_cell(f"# {title}\n\nWhat this notebook does."),
        new_code_cell('study = "x"', metadata={"tags": ["parameters"]}),
        new_code_cell("hidden_name = 1", outputs=[new_output("stream", name="stderr", text="a warning nobody needs")]),
        new_markdown_cell("## The answer"),
        new_code_cell("say()", metadata={"tags": ["answer"]}, outputs=[shown(**{"text/markdown": answer})]),
        new_markdown_cell("## Section of results"),
        new_code_cell("draw()", outputs=[shown(**{"image/png": PIXEL, "text/plain": "A small figure."})]),
        new_code_cell("table()", outputs=[shown(**{"text/html": "<style scoped>.a{b:c}</style><table border='1'><tr>"
                                                   "<td colspan='2'>4.2</td></tr></table>", "text/plain": "4.2"})]),
        *[new_code_cell("more()", metadata={"tags": list(tags)}, outputs=[output]) for output in more],
        new_markdown_cell("A caption.\n\n## What could be wrong\n\n* A caveat."),
        new_code_cell("width()", outputs=[shown(**{"text/markdown": "A computed caveat."})]),
    ]  # fmt: skip
    if error:
        cells[4:] = [
            new_code_cell("fail()", outputs=[new_output("error", ename="DataError", evalue=error, traceback=[error])])
        ]
    path = place / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=("none", "squad"), seeds=(1, 2), num_clusters=5)
    return folder


@pytest.fixture
def scores(results):
    return load_scores("real", results)


@pytest.fixture
def html(scores, tmp_path):
    claims = write_notebook(tmp_path, "9-claims", "9. Which claims hold?", "**Two do.**")
    stopped = write_notebook(tmp_path, "3-stopped", "3. What stopped?", error=f"no results {EVIL}")
    notebooks = [write_notebook(tmp_path, "1-first"), stopped, tmp_path / "4-missing.ipynb", claims]
    return render_report("real", "mini", scores, notebooks)


def test_a_notebook_is_cut_into_answer_results_and_limits(tmp_path):
    path = write_notebook(tmp_path, "1-first")
    section = split_notebook(path, nbformat.read(path, as_version=4).cells)
    assert (section.title, section.answer, section.stopped) == ("1. Does it help?", "**It helps.**", "")
    results, limits = ("\n".join(str(cell) for cell in part) for part in (section.results, section.limits))
    assert "What this notebook does." in results and "A caption." in results and "4.2" in results
    assert "A caveat." in limits and "A computed caveat." in limits and "caveat" not in results
    assert "hidden_name" not in results and "nobody needs" not in results
    assert section.results[1].source == "#### The answer"


def parts_of(html):
    """Text between the headings of second rank."""
    pieces = re.split(r"<h2[^>]*>(.*?)</h2>", html)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_the_parts_of_the_page_hold_what_belongs_there(html):
    parts = parts_of(html)
    assert list(parts) == ["Abstract", "Method", "Results", "Claims", "Limits", "Runs", "References"]
    assert "It helps." in parts["Abstract"] and "Two do." in parts["Abstract"]
    assert "Section of results" in parts["Results"] and "9. Which claims hold?" not in parts["Results"]
    assert "9. Which claims hold?" in parts["Claims"]
    assert parts["Limits"].count("A caveat.") == 2 and "A caveat." not in parts["Results"] + parts["Claims"]
    assert "4.2" in parts["Results"] and 'border="1"' not in html and "scoped" not in html
    assert "draw()" not in html and "a warning" not in html


def test_what_stopped_or_was_never_run_is_said(html):
    parts = parts_of(html)
    assert "No answer: DataError: no results" in parts["Abstract"] and "it was not executed" in parts["Abstract"]
    assert "This notebook stopped: DataError: no results" in parts["Results"]


def test_every_run_and_the_status_of_every_table_are_named(html, scores):
    parts = parts_of(html)
    assert all(run in parts["Runs"] for run in scores["run_id"].unique())
    assert parts["Results"].count("<table") == parts["Results"].count("Data status: subset; run ids:") == 1
    assert parts["Method"].count("<tr>") == 1 + scores["target"].nunique() and "2 seeds" in parts["Method"]
    assert "Holm (1979)" in parts["References"] and "SQuAD" in parts["References"]
    assert "PAN-X" not in parts["References"] or "panx" in set(scores["target"])


def test_a_table_of_simulated_studies_is_not_said_to_be_of_these_data(scores, tmp_path):
    table = shown(**{"text/html": "<table><tr><td>0.05</td></tr></table>", "text/plain": "0.05"})
    notebook = write_notebook(tmp_path, "2-level", more=[table], tags=["simulated"])
    results = parts_of(render_report("real", "mini", scores, [notebook]))["Results"]
    assert results.count("Data status: subset") == 1
    assert "0.05" in results.partition("Simulated studies, no runs.")[0][-200:]


def test_what_comes_from_data_is_escaped_or_cleaned(results, tmp_path):
    evil_results = shutil.copytree(results, tmp_path / "results")
    change_scores(evil_results, "real", lambda scores: scores.assign(encoder=EVIL, code_version=EVIL))
    scores = load_scores("real", evil_results)
    evil = [shown(**{"text/html": f"<table><tr><td>{EVIL}</td></tr></table>", "text/plain": ""}),
            shown(**{"text/markdown": f"A list: {EVIL} [a link](javascript:alert(2))"}),
            shown(**{"text/plain": EVIL})]  # fmt: skip
    notebooks = [write_notebook(tmp_path, "1-first", f"1. {EVIL}?", f"**{EVIL}**", more=evil),
                 write_notebook(tmp_path, "3-stopped", "3. What?", error=EVIL)]  # fmt: skip
    html = render_report("real", EVIL, scores, notebooks)
    assert "<script" not in html and "<img src='https" not in html and 'href="javascript' not in html
    assert not re.search(r"<[^>&]*onerror", html) and html.count("&lt;script&gt;") > 8


class Loads(HTMLParser):
    """What a page's tags would load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        loading = {"src", "srcset", "poster", "data", "background"} | ({"href"} if tag == "link" else set())
        self.found += [value for name, value in attributes if name in loading]


def test_the_page_asks_nothing_of_a_network(html):
    loads = Loads()
    loads.feed(html)
    assert len(loads.found) == 3 and all(value.startswith("data:") for value in loads.found)
    assert "@import" not in html and "url(" not in html


def test_a_browser_finds_nothing_to_complain_of(html, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    seen = look_at(path, tmp_path / "profile")
    assert seen["title"] == "Study real: intermediate-task training and zero-shot transfer"
    assert seen["headings"][1:] == ["Abstract", "Method", "Results", "Claims", "Limits", "Runs", "References"]
    assert (seen["images"], seen["broken"], seen["unnamed"], seen["scripts"]) == (2, [], 0, 0)
    assert seen["requests"] == [] and seen["complaints"] == [] and seen["overflow"] <= 0


def test_the_browser_would_see_a_request_a_broken_image_and_an_error(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<title>x</title><img alt=broken src='missing.png'><script>console.error('no'); missing()</script>")
    seen = look_at(path, tmp_path / "profile")
    assert seen["broken"] == ["broken"] and len(seen["requests"]) == 1 and len(seen["complaints"]) >= 2


def test_the_command_runs_every_notebook_that_applies_and_writes_where_it_is_told(results, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setenv("XT_RESULTS", str(results))
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(
        page, "execute_analysis", lambda notebook, parameters, *_: asked.append((notebook.stem, parameters))
    )
    done = CliRunner().invoke(app, ["report", "real", "--encoder", "mini", "--output", str(tmp_path / "my.html")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "my.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    names = [name for name, _ in asked]
    assert (
        names[0] == "1-transfer-gain"
        and "0-lab" not in names
        and names == sorted(names, key=lambda name: int(name.split("-")[0]))
    )
    for name, parameters in asked:
        for parameter in read_parameters(ANALYSES / f"{name}.ipynb") & STUDY_PARAMETERS:
            assert parameters[parameter] in ("real", ["real"], []), (name, parameter)
    assert asked[0][1]["encoder"] == "mini"


def test_every_parameter_of_a_notebook_that_names_a_study_is_known_to_the_report():
    for notebook in ANALYSES.glob("[0-9]*.ipynb"):
        [cell] = [cell for cell in read_cells(notebook) if "parameters" in cell.metadata.get("tags", ())]
        for line in ast.parse(cell.source).body:
            default = ast.literal_eval(line.value)
            named = set(default if isinstance(default, list) else [default]) & set(STUDIES)
            assert not named or line.target.id in STUDY_PARAMETERS, (notebook.stem, line.target.id)


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nowhere"], "unknown study 'nowhere'"), (["real", "--encoder", "no"], "unknown encoder")]
)
def test_without_results_or_encoder_the_command_says_what_there_is(arguments, said, results, monkeypatch):
    monkeypatch.setenv("XT_RESULTS", str(results))
    done = CliRunner().invoke(app, ["report", *arguments])
    assert done.exit_code == 2 and said in done.output
