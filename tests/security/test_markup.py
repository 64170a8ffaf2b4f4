"""What comes from data is read on a page, never run: the report, and the gallery."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from synthetic_study import change_scores, write_study

from xt.gallery import render_gallery
from xt.report import render_report
from xt.results import load_scores

EVIL = (
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a href='javascript:alert(1)'>a</a></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext></style><img src onerror=alert(1)></mtext></math>",
    "<a href='java\nscript:alert(1)'>a</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>a</a>",
    "<style>body { background: url(https://example.org/x) }</style>",
    "<link rel=stylesheet href=https://example.org/x>",
    "<meta http-equiv=refresh content='0; url=https://example.org'>",
    "<base href=https://example.org>",
    "<form action=https://example.org><input name=a><button>b</button></form>",
    "<object data=https://example.org></object>",
    "<td style='background: url(https://example.org/x)' onclick=alert(1)>",
    "\"'><script>alert(1)</script>",
    "</title></style></textarea></script><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "[a](javascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "![a](https://example.org/x.png)",
    "![a](x.png \"' onerror=alert(1) '\")",
    "<https://example.org/><!-- a --><![CDATA[<script>alert(1)</script>]]>",
    "$$\\href{javascript:alert(1)}{a}$$",
    "```{=html}\n<script>alert(1)</script>\n```",
)
PIXEL = base64.b64encode(base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")).decode()
TYPES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript",
         "application/json", "application/vnd.jupyter.widget-view+json", "image/png", "image/jpeg")  # fmt: skip
ALLOWED = frozenset(
    "a blockquote body br caption code dd div dl dt em h1 h2 h3 h4 h5 h6 head header html hr i img li link main meta "
    "nav ol p pre section small span strong style sub sup table tbody td tfoot th thead title tr ul".split()
)


class Page(HTMLParser):
    """Whatever of a page could run, load or send something."""

    def __init__(self):
        super().__init__()
        self.found, self.seen = [], []

    def handle_endtag(self, tag):
        self.seen.append(f"/{tag}")

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ALLOWED:
            self.found.append(tag)
        for name, value in attributes:
            there = re.sub(r"[\s\x00-\x1f]", "", value or "").lower()
            safe = {
                "src": ("data:image/png;", "data:image/jpeg;"),
                "href": ("#", "https:", "http:", "mailto:", "data:,"),
            }
            if tag == "link" and name == "href":
                safe["href"] = ("data:,",)
            if name.startswith("on") or name in safe and not there.startswith(safe[name]):
                self.found.append((tag, name, value))
            if name == "style" and "url" in there or tag == "meta" and name == "http-equiv" and "refresh" in there:
                self.found.append((tag, name, value))

    def handle_data(self, data):
        if self.seen and self.seen[-1] == "style" and ("url(" in data or "@import" in data):
            self.found.append(data)


def read_page(html):
    page = Page()
    page.feed(html)
    return page


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=("none", "squad"), seeds=(1,), num_clusters=4, languages={"xnli": ("en", "de", "zh")})
    return folder


def write_notebook(path, text):
    """An executed notebook that says a text wherever data may be said: in each type of output, title, error."""
    outputs = [
        new_output("display_data", {kind: text}, metadata={kind: {"alt": text, "width": text}}) for kind in TYPES
    ]
    outputs += [new_output("stream", text=text), new_output("error", ename=text, evalue=text, traceback=[text])]
    answer = new_output("display_data", {"text/markdown": f"**{text}**", "text/plain": text})
    cells = [
        new_markdown_cell(
            f"# 1. {text}\n\n{text}", metadata={"title": text, "anchor": text, "tags": [text.replace(",", " ")]}
        ),
        new_code_cell(text, outputs=[answer], metadata={"tags": ["answer"]}),
        *[new_code_cell(text, outputs=[output], metadata={"tags": [text.replace(",", " ")]}) for output in outputs],
        new_markdown_cell(f"## What could be wrong\n\n{text}"),
    ]
    path.write_text(json.dumps(new_notebook(cells=cells)), encoding="utf-8")
    return path


def test_nothing_that_data_say_runs_loads_or_sends_in_a_report(results, tmp_path):
    text = "".join(EVIL)
    scores = load_scores("real", results).assign(encoder=text, code_version=text, preset=text, split=text)
    notebooks = [write_notebook(tmp_path / f"{number}-notebook.ipynb", text) for number, text in enumerate(EVIL)]
    html = render_report(text, text, scores, notebooks)
    page = read_page(html)
    assert page.found == [] and page.seen.count("title") == page.seen.count("main") == 1
    assert html.count("Content-Security-Policy") == 1 and "default-src 'none'" in html.split("<title>")[0]
    assert html.count("What could be wrong") == 0 and html.count("alert(1)") > 100, "shown, as text"


def test_the_check_sees_what_runs_loads_or_sends():
    harmless = {18, 19, 20, 21, 22, 24, 25}
    for number, text in enumerate(EVIL, 1):
        assert read_page(text).found or number in harmless, text
    assert read_page(f"<img src='data:image/png;base64,{PIXEL}'><a href='https://example.org'>a</a>").found == []


def test_the_gallery_shows_markup_as_text(tmp_path):
    for number, text in enumerate(EVIL):
        write_notebook(tmp_path / f"{number}-notebook.ipynb", text)
    rows = render_gallery(tmp_path).splitlines()[2:]
    assert len(rows) == len(EVIL)
    for row in rows:
        assert read_page(row).found == [] and not re.search(r"(?<!\\)\]\((?!analysis/)", row.replace("\\\\", ""))


def test_results_keep_such_names_as_they_are(results, tmp_path):
    place = shutil.copytree(results, tmp_path / "results")
    name = "".join(text for text in EVIL if "\n" not in text)
    change_scores(place, "real", lambda scores: scores.assign(encoder=name))
    assert set(load_scores("real", place)["encoder"]) == {name}
