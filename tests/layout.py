"""Checkers of source, text and file sizes: each returns its faults as lines that name the place."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from xt.locations import PROJECT
from xt.tasks.task import FORMATS

HEAVY = ("torch", "transformers", "datasets", "accelerate")
DRAWERS = {"utils", "util", "common", "helpers", "core", "base", "misc"}
MAX_MODULE_LINES, MAX_FUNCTION_LINES, MAX_PACKAGE_LINES, MAX_LAB_LINES = 400, 60, 25000, 3000
MAX_FILE_BYTES, MAX_RESULTS_BYTES = 1_000_000, 20_000_000
OF_ONE_MACHINE = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root|home|farm|Users)/[\w.]"),
    "a temporary path": re.compile(r"(?<![\w.])/tmp/[a-z]"),
    "a registry's host": re.compile(r"p[y]thonhosted|p[y]pi\.org|registry\.n[p]mjs|deb\.d[e]bian\.org"),
}


def list_imports(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted module) of each import, wherever it stands; `from xt import tasks` gives `xt.tasks`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"xt.{alias.name}" for alias in node.names] if node.module == "xt" else [node.module or "."]
            yield from ((node.lineno, name) for name in names)


def module_name(path: Path) -> str:
    """`xt/tasks/table.py` -> `xt.tasks.table`; a package's `__init__` is the package."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def check_order(module: str, source: str, order: list[str]) -> list[str]:
    """Imports of what stands later in the order, or of what the order does not name."""
    own = module.split(".")[1]
    if own not in order:
        return [f"{module}: not in the map of xt/__init__.py, which is the order of imports"]
    faults = []
    for line, name in list_imports(source):
        other = name.split(".")[1] if name.startswith("xt.") else own
        if other not in order[: order.index(own) + 1]:
            faults.append(f"{module}:{line} imports {name}, which does not stand before {own}")
    return faults


def check_siblings(module: str, source: str) -> list[str]:
    """Imports from one format's file to another format's file of the same folder."""
    folder, _, own = module.rpartition(".")
    others = {f"{folder}.{name}" for name in FORMATS if name != own}
    return [
        f"{module}:{line} imports its sibling {name}"
        for line, name in list_imports(source)
        if own in FORMATS and name in others
    ]


def check_light(module: str, source: str, forbidden: Iterable[str] = HEAVY) -> list[str]:
    """Imports of the forbidden libraries, wherever they stand."""
    found = [(line, name) for line, name in list_imports(source) if name.split(".")[0] in forbidden]
    return [f"{module}:{line} imports {name}" for line, name in found]


def check_lengths(module: str, source: str) -> list[str]:
    """Modules and functions that are too long."""
    lines = source.count("\n")
    faults = [f"{module}: {lines} lines"] if lines > MAX_MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES:
            faults.append(f"{module}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines")
    return faults


def check_name(path: Path) -> list[str]:
    """A drawer, where a room is wanted: files named for nothing in particular."""
    return [f"{path}: name what it holds"] if path.stem in DRAWERS else []


def check_docstrings(module: str, source: str) -> list[str]:
    """Public functions, classes and methods without a docstring, and a module without one."""
    tree = ast.parse(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    nodes = [node for scope in (tree, *classes) for node in scope.body]
    public = [
        node
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    faults = [f"{module}:{node.lineno} {node.name}" for node in public if not ast.get_docstring(node)]
    return faults if ast.get_docstring(tree) else [module, *faults]


def check_text(path: Path, text: str) -> list[str]:
    """What holds on one machine only."""
    return [
        f"{path}:{text[: hit.start()].count(chr(10)) + 1} {what}: {hit.group()}"
        for what, pattern in OF_ONE_MACHINE.items()
        for hit in pattern.finditer(text)
    ]


def check_sizes(sizes: dict[Path, int]) -> list[str]:
    """Committed files, and committed results together, that are too large."""
    faults = [f"{path}: {size} bytes" for path, size in sizes.items() if size > MAX_FILE_BYTES]
    results = sum(size for path, size in sizes.items() if path.parts[:2] == ("data", "results"))
    return faults + ([f"data/results: {results} bytes"] if results > MAX_RESULTS_BYTES else [])


def read_cells(path: Path, kind: str = "code") -> list[dict]:
    """A notebook's cells of one kind, each with its source as one text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == kind]


def read_code(path: Path) -> str:
    """The code of a notebook's cells, magics left out."""
    lines = "\n".join(cell["source"] for cell in read_cells(path)).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


def list_committed() -> list[Path]:
    """The files under version control, relative to the project."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: nothing says what is committed")
    return [Path(name) for name in done.stdout.split("\0") if name and (PROJECT / name).is_file()]


def list_loaded(*modules: str) -> set[str]:
    """Top-level packages in memory after importing some modules in a fresh interpreter."""
    program = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())
