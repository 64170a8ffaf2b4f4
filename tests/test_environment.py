"""One list of dependencies behind every door: pyproject.toml, requirements.txt, environment.yml, the Makefile."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import nbformat
import pytest
import yaml
from layout import list_imports, read_code
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from xt.locations import PROJECT

PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
MAKEFILE = (PROJECT / "Makefile").read_text()
RUNTIME = [Requirement(line) for line in PROJECT_TABLE["dependencies"]]
EXTRAS = {name: list(map(Requirement, lines)) for name, lines in PROJECT_TABLE["optional-dependencies"].items()}
TEST, BENCH = EXTRAS.pop("test"), EXTRAS["bench"]
OPTIONAL_PARTS = [requirement for lines in EXTRAS.values() for requirement in lines]
PIN = re.compile(r"([a-z0-9][a-z0-9.-]*)==([0-9][0-9a-z.]*)")


def read_pins(text: str) -> dict[str, str]:
    """Name -> version of a requirements file. Raises ValueError for a line that pins no plain version."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    matches = {line: PIN.fullmatch(line) for line in lines}
    bad = [line for line, match in matches.items() if match is None]
    if bad:
        raise ValueError(f"not `name==version`: {bad}")
    return {canonicalize_name(match[1]): match[2] for match in matches.values()}


OPTIONAL = {"faiss": ["faiss-cpu"], "onnxruntime": ["onnxruntime"]}
"""Package -> its distribution, of those that need not be installed."""


def list_undeclared(sources: list[str], declared: list[Requirement], own: set[str]) -> set[str]:
    """Packages that sources import and that no declared requirement provides; `own` names our modules."""
    provided = OPTIONAL | packages_distributions()
    names = {canonicalize_name(requirement.name) for requirement in declared}
    imported = {name.split(".")[0] for source in sources for _, name in list_imports(source)}
    foreign = imported - set(sys.stdlib_module_names) - own
    return {
        name
        for name in foreign
        if not names & {canonicalize_name(distribution) for distribution in provided.get(name, ())}
    }


PINS = read_pins((PROJECT / "requirements.txt").read_text())
BENCH_PINS = read_pins((PROJECT / "requirements-bench.txt").read_text())


@pytest.mark.parametrize("requirement", [*RUNTIME, *TEST, *OPTIONAL_PARTS], ids=str)
def test_every_dependency_is_pinned_within_its_bounds(requirement):
    pins = BENCH_PINS if requirement in BENCH else PINS
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_pins_fit_a_processor_and_a_card_alike():
    assert PINS["torch"] == "2.13.0" and not PINS.keys() & BENCH_PINS.keys()
    assert not [name for name in PINS | BENCH_PINS if name.startswith(("nvidia", "cuda", "triton"))]


@pytest.mark.parametrize("line", ["torch==2.13.0+cpu", "--index-url x", "torch>=2", "torch @ file:x", "-e ."])
def test_line_that_ties_the_pins_to_a_machine_is_refused(line):
    with pytest.raises(ValueError, match="not `name==version`"):
        read_pins(f"numpy==2.4.6\n{line}\n")


def test_conda_door_opens_on_the_same_pins_and_python():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text())
    *packages, pip = environment["dependencies"]
    floor = PROJECT_TABLE["requires-python"].removeprefix(">=")
    assert packages == [f"python={floor}", "pip"]
    assert pip == {"pip": ["-r requirements.txt", "-e ."]}
    assert environment["name"] == PROJECT_TABLE["name"] == "xt"


def test_makefile_asks_for_the_python_the_project_needs():
    asked = re.search(r"version_info < \((\d+), (\d+)\)", MAKEFILE)
    assert PROJECT_TABLE["requires-python"] == f">={asked[1]}.{asked[2]}"
    assert SpecifierSet(PROJECT_TABLE["requires-python"]).contains(".".join(map(str, sys.version_info[:2])))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_python_that_is_too_old_is_refused_with_what_to_do(tmp_path):
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = ["make", f"PYTHON={old}", f"VENV={tmp_path}/venv", "doctor"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr and str(old) in done.stderr
    assert not (tmp_path / "venv").exists()


def test_every_import_is_declared():
    package = [path.read_text() for path in (PROJECT / "xt").rglob("*.py")]
    notebooks = [read_code(path) for path in (PROJECT / "notebooks").rglob("*.ipynb")]
    assert list_undeclared(package + notebooks, RUNTIME + OPTIONAL_PARTS, own={"xt"}) == set()
    tests = list((PROJECT / "tests").rglob("*.py"))
    own = {"xt", "data"} | {path.stem for path in tests} | {path.parent.name for path in tests}
    assert list_undeclared([path.read_text() for path in tests], RUNTIME + TEST + OPTIONAL_PARTS, own) == set()


def test_undeclared_import_is_found():
    planted = "def f():\n    import scipy.stats, json\n    from xt.errors import DataError"
    assert list_undeclared([planted], [Requirement("numpy")], own={"xt"}) == {"scipy"}


def test_command_line_entry_point_exists():
    module, _, name = PROJECT_TABLE["scripts"]["xt"].partition(":")
    source = (PROJECT / (module.replace(".", "/") + ".py")).read_text()
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    assert name in {target.id for node in assigned for target in node.targets}


def test_ci_does_what_a_person_does():
    commands = [line for line in (PROJECT / ".ci" / "run").read_text().splitlines() if "make" in line]
    assert commands[-1] == "exec make test"
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)


def test_kernel_is_this_environments_own_even_where_the_user_has_another(tmp_path):
    kernels = tmp_path / "home" / ".local" / "share" / "jupyter" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    foreign = {"argv": ["false", "{connection_file}"], "display_name": "foreign", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(foreign))
    cell = nbformat.v4.new_code_cell("import sys; sys.prefix")
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), tmp_path / "in.ipynb")
    exported = dict(re.findall(r"^export (JUPYTER\w+) := (.*)$", MAKEFILE, flags=re.MULTILINE))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "XDG"))}
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "in.ipynb", "out.ipynb"],
        cwd=tmp_path,
        env=inherited | exported | {"HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0]["data"]["text/plain"] == repr(sys.prefix)
