"""Parameters reach a notebook as literals: what looks like code arrives as the text that it is."""

import json
import os

import nbformat
import pytest
import yaml
from papermill.translators import translate_parameters

from xt.engine import Execution, last_lines, start

CODE = "__import__('os').system('touch {ran}')"
TEXTS = (
    "{code}",
    "'; {code} #",
    '"; {code} #',
    '"""; {code}; """',
    "'''\n{code}\n'''",
    "x\n{code}",
    "x\r{code}",
    "x\r\n{code}\r\n",
    "\\",
    '\\"; {code} #',
    '\\\\"; {code} #',
    "\\N{{LINE FEED}}{code}",
    "\\x22; {code}",
    "x\u2028{code}",
    "x\u0085{code}",
    "x\x0c{code}",
    "!touch {ran}",
    "%run {ran}",
    "%%bash\ntouch {ran}",
    "?",
    "${{HOME}} $(touch {ran}) `touch {ran}`",
    "{{encoder.__class__}} {{0}} %s",
    "!!python/object/apply:os.system ['touch {ran}']",
    "null",
    "\U0001f600 \x00 \x1b[31m",
)


@pytest.fixture
def ran(tmp_path):
    """A file whose presence says that planted code ran."""
    return tmp_path / "ran"


def texts_for(ran):
    return [text.format(code=CODE.format(ran=ran), ran=ran) for text in TEXTS]


def write_notebook(path, *sources):
    tags = [{"tags": ["parameters"]}] + [{}] * (len(sources) - 1)
    cells = [nbformat.v4.new_code_cell(source, metadata=tag) for source, tag in zip(sources, tags, strict=True)]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    return path


def test_what_a_study_asks_for_arrives_as_it_is_and_runs_nothing(tmp_path, ran):
    asked = {"encoder": texts_for(ran)[1], "languages": texts_for(ran)}
    asked["overrides"] = dict.fromkeys(texts_for(ran), 1.5) | {"nan": float("nan"), "none": None}
    said = tmp_path / "said.json"
    says = "encoder, languages, sorted(overrides), overrides['nan'] != overrides['nan']"
    writes = f"import json, pathlib\npathlib.Path({str(said)!r}).write_text(json.dumps([{says}]))"
    notebook = write_notebook(tmp_path / "asks.ipynb", "encoder = None\nlanguages = None\noverrides = None", writes)
    execution = Execution(notebook, asked, (), (), tmp_path / "executed" / "asks.ipynb")
    assert start(execution).wait() == 0, last_lines(execution.output, 1, 20)
    assert json.loads(said.read_text()) == [asked["encoder"], asked["languages"], sorted(asked["overrides"]), True]
    assert not ran.exists()


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_each_parameter_is_one_literal(number, ran):
    text = texts_for(ran)[number]
    read = yaml.safe_load(yaml.safe_dump({"encoder": text, "languages": [text]}))
    found = {}
    exec(translate_parameters("python3", "python", read, "Parameters"), {"__builtins__": {}}, found)  # calls nothing
    assert found == {"encoder": text, "languages": [text]} and not ran.exists()


def test_a_log_or_notebook_of_such_names_stays_in_its_folder(tmp_path, monkeypatch, ran):
    from xt.grid import build_execution
    from xt.studies import STUDIES

    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    for encoder in [*texts_for(ran), "../../up", "/etc/passwd", "..", "a" * 300]:
        asked = dict(encoder=encoder, intermediate="none", seed=1, target=["xnli"])
        output = build_execution(STUDIES["smoke"], "target", asked, ()).output
        assert output.parent == tmp_path / "runs" / "notebooks" / "smoke" and "{" not in output.name
        output.parent.mkdir(parents=True, exist_ok=True)
        output.with_suffix(".log").touch()
        assert os.path.realpath(output).startswith(os.path.realpath(tmp_path / "runs"))
