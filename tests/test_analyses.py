"""What an executed analysis notebook answers is found, and nothing is where it did not come so far."""

from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from xt.analyses import ANALYSES, analyses_of, answers, executed
from xt.studies import get_study

SMOKE = get_study("smoke")
STUDY = replace(SMOKE, name="asked", analyses=("1-first", "2-second", "3-never-made"))


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path))


def said(text):
    """The output of a cell that ends in Markdown."""
    return new_output("execute_result", {"text/plain": "<Markdown object>", "text/markdown": text})


def write_executed(name, *outputs, study=STUDY):
    """An executed notebook whose answer has these outputs, between cells that have others."""
    notebook = new_notebook(cells=[
        new_markdown_cell("# Question", metadata={"tags": ["answer"]}),
        new_code_cell("first", outputs=[said("not this")]),
        new_code_cell("answer", outputs=list(outputs), metadata={"tags": ["answer"]}),
        new_code_cell("last", outputs=[said("nor this")], metadata={"tags": ["nbval-ignore-output"]}),
    ])  # fmt: skip
    place = executed(study, ANALYSES / f"{name}.ipynb")
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return place


def spoken(study=STUDY):
    return [answer for _, answer in answers(study)]


def test_answers_are_those_of_the_cell_so_tagged_in_the_studys_order_and_without_bold():
    second = write_executed("2-second", said("No."))
    first = write_executed("1-first", said("**Helps: squad.** (Study `asked`.)"))
    found = [(place, answer) for place, answer in answers(STUDY) if answer]
    assert found == [(first, "Helps: squad. (Study `asked`.)"), (second, "No.")]
    assert not any(spoken(replace(STUDY, name="another")))


def test_a_notebook_that_stopped_in_its_answer_or_before_or_was_never_made_answers_nothing():
    assert not any(spoken())
    write_executed("1-first")
    write_executed("2-second", new_output("error", ename="ValueError", evalue="no", traceback=["no"]))
    assert not any(spoken())


def test_a_notebook_that_a_kill_cut_short_answers_nothing_and_hides_no_other():
    place = write_executed("1-first", said("Yes."))
    place.write_text(place.read_text()[:200])
    write_executed("2-second", said("No."))
    assert [answer for answer in spoken() if answer] == ["No."]


def test_a_warning_before_the_answer_does_not_hide_it():
    write_executed("1-first", new_output("stream", name="stderr", text="a warning"), said("**Yes.**"))
    assert spoken()[0] == "Yes."


def test_a_study_names_its_analyses_in_order():
    assert analyses_of(STUDY) == [ANALYSES / f"{name}.ipynb" for name in ("1-first", "2-second", "3-never-made")]
    assert all(notebook.is_file() for notebook in analyses_of(get_study("quick")))


@pytest.mark.parametrize("notebook", sorted(ANALYSES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_analysis_of_the_project_has_one_cell_for_its_answer(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    assert sum("answer" in cell.metadata.get("tags", ()) for cell in cells) == 1


def test_the_committed_answer_is_found():
    study = replace(SMOKE, analyses=("1-transfer-gain",))
    (notebook,) = analyses_of(study)
    place = executed(study, notebook)
    place.parent.mkdir(parents=True)
    place.write_bytes(notebook.read_bytes())
    (answer,) = spoken(study)
    assert "reliable" in answer and "**" not in answer
