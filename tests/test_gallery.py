"""The gallery shows the notebooks as they are, and says when it is stale."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from xt.gallery import BEGIN, END, HEAD, PAGE, fill, render_gallery


def write_notebook(folder, name, answer="**It helps (+1.5 points). The rest does not.** (Study.)", outputs=True):
    times = [{"shell.execute_reply": f"2026-01-01T00:00:{second}Z"} for second in ("10.5", "17")]
    said = new_output("execute_result", {"text/markdown": answer, "text/plain": ""})
    drawn = new_output("display_data", {"image/png": ""}, metadata={"image/png": {"alt": 'A "matrix". Much more.'}})
    cells = [
        new_markdown_cell(f"# {name.split('-')[0]}. Does it | help?\n\nText."),
        new_code_cell("say()", metadata={"tags": ["answer"], "execution": times[0]}, outputs=[said] * outputs),
        new_code_cell('save_figure(fig, 3, "gain-matrix", alt="")', metadata={"execution": times[1]},
                      outputs=[drawn] * outputs),
        new_code_cell('save_figure(fig, 3, "second", alt="")', outputs=[drawn]),
    ]  # fmt: skip
    nbformat.write(new_notebook(cells=cells[: 4 if outputs else 3]), folder / f"{name}.ipynb")


def test_a_row_has_question_first_sentence_first_figure_and_seconds(tmp_path):
    write_notebook(tmp_path, "12-last")
    write_notebook(tmp_path, "3-first")
    first, last = render_gallery(tmp_path).removeprefix(HEAD).strip().splitlines()
    assert first == (
        "| [3](analysis/3-first.ipynb) | Does it \\| help? | It helps (+1.5 points). | "
        '[<img src="../figures/3-gain-matrix.png" alt="A \'matrix\'" width="160">](../figures/3-gain-matrix.svg) | 6 |'
    )
    assert last.startswith("| [12](analysis/12-last.ipynb)")


def test_what_a_notebook_does_not_have_yet_is_a_dash(tmp_path):
    write_notebook(tmp_path, "3-first", outputs=False)
    assert render_gallery(tmp_path).splitlines()[-1].split(" | ")[2:4] == ["–", "–"]


def test_the_page_keeps_what_stands_around_the_table():
    assert fill(f"before\n{BEGIN}\nold\n{END}\nafter", "new") == f"before\n{BEGIN}\nnew\n{END}\nafter"
    with pytest.raises(ValueError, match="no place for the gallery"):
        fill("before", "new")


def without_seconds(text):
    return re.sub(r"\| [\d–]+ \|$", "|", text, flags=re.MULTILINE)


def test_the_committed_gallery_is_that_of_the_committed_notebooks():
    text = PAGE.read_text(encoding="utf-8")
    assert without_seconds(fill(text, render_gallery())) == without_seconds(text), "stale: run `xt gallery`"


def test_every_link_of_the_page_leads_somewhere():
    text = PAGE.read_text(encoding="utf-8")
    links = [*re.findall(r"\]\(([^)]+)\)", text), *re.findall(r'src="([^"]+)"', text)]
    assert links and not [link for link in links if not (PAGE.parent / link).exists()]
