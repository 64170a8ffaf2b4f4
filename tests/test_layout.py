"""The floors and the one-way imports of the package, each checker shown to fail on a planted violation.

The order of imports is read from the map in the docstring of `xt`: a module may import what stands before it.
"""

import re
from itertools import takewhile
from pathlib import Path

import pytest
from layout import (
    HEAVY,
    MAX_FILE_BYTES,
    MAX_FUNCTION_LINES,
    MAX_LAB_LINES,
    MAX_MODULE_LINES,
    MAX_PACKAGE_LINES,
    check_docstrings,
    check_lengths,
    check_light,
    check_name,
    check_order,
    check_siblings,
    check_sizes,
    check_text,
    list_committed,
    list_imports,
    list_loaded,
    module_name,
    read_code,
)

import xt
from xt.locations import PROJECT

MODULES = {path: path.read_text(encoding="utf-8") for path in sorted((PROJECT / "xt").rglob("*.py"))}
DOORS = {PROJECT / "xt" / "__init__.py", PROJECT / "xt" / "__main__.py"}
MAP = re.findall(r"^(?:`(\w+)`|-{5,}) ", xt.__doc__, flags=re.MULTILINE)  # '' is a dividing line
ORDER = [name for name in MAP if name]
WITHOUT_TORCH = list(takewhile(bool, MAP[MAP.index("") + 1 :]))
TEXT = {".py", ".ipynb", ".md", ".yml", ".yaml", ".toml", ".txt", ".cfg", ".csv", ".json", ".mplstyle", ""}


def check_modules(check, **options) -> list[str]:
    """What a checker finds in the package."""
    return [fault for path, text in MODULES.items() for fault in check(module_name(path), text, **options)]


def test_imports_go_one_way():
    faults = [
        fault
        for path, source in MODULES.items()
        if path not in DOORS
        for fault in check_order(module_name(path), source, ORDER)
    ]
    assert faults == []


def test_map_names_what_there_is_and_is_importable_by_name():
    there = {path.relative_to(PROJECT / "xt").parts[0].removesuffix(".py") for path in MODULES.keys() - DOORS}
    assert set(ORDER) == there
    assert set(dir(xt)) >= there


def test_files_of_one_folder_and_different_formats_do_not_import_each_other():
    assert check_modules(check_siblings) == []


def test_analysis_never_imports_torch():
    assert {"results", "store", "studies", "plots"} <= set(WITHOUT_TORCH)
    sources = {name: source for path, source in MODULES.items()
               if (name := module_name(path)).split(".")[1:2] in [[room] for room in WITHOUT_TORCH]}  # fmt: skip
    sources |= {path.name: read_code(path) for path in (PROJECT / "notebooks" / "analysis").glob("*.ipynb")}
    assert [fault for name, source in sources.items() for fault in check_light(name, source)] == []
    imported = {name for source in sources.values() for _, name in list_imports(source) if name.startswith("xt.")}
    assert not set(HEAVY) & list_loaded(*imported, *(f"xt.{name}" for name in WITHOUT_TORCH))


def test_planning_loads_no_heavy_library():
    loaded = list_loaded("xt", "xt.languages", "xt.tasks", "xt.config", "xt.studies")
    assert not loaded & {*HEAVY, "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib"}


def test_modules_and_functions_are_short():
    assert check_modules(check_lengths) == []
    lab = sum(source.count("\n") for path, source in MODULES.items() if path.is_relative_to(PROJECT / "xt" / "lab"))
    assert lab < MAX_LAB_LINES
    assert sum(source.count("\n") for source in MODULES.values()) - lab < MAX_PACKAGE_LINES


def test_no_file_is_a_drawer():
    assert [fault for path in list_committed() if path.suffix == ".py" for fault in check_name(path)] == []


def test_public_names_have_docstrings():
    assert check_modules(check_docstrings) == []


def test_committed_text_holds_on_every_machine():
    texts = [path for path in list_committed() if path.suffix in TEXT]
    assert [fault for path in texts for fault in check_text(path, (PROJECT / path).read_text(encoding="utf-8"))] == []


def test_committed_files_are_small():
    assert check_sizes({path: (PROJECT / path).stat().st_size for path in list_committed()}) == []


LONG = "def run():\n" + "    pass\n" * MAX_FUNCTION_LINES


@pytest.mark.parametrize(
    "faults",
    [
        check_order("xt.metrics.tagging", "from xt.tasks import TASKS", ["metrics", "tasks"]),
        check_order("xt.metrics", "def f():\n    from xt import tasks", ["metrics", "tasks"]),
        check_order("xt.metrics", "import xt.unheard_of", ["metrics", "tasks"]),
        check_order("xt.unheard_of", "", ["metrics", "tasks"]),
        check_siblings("xt.tasks.tagging", "from xt.tasks.span_qa import read_span_qa"),
        check_light("xt.plots", "def f():\n    import torch.nn"),
        check_lengths("xt.train", LONG),
        check_lengths("xt.train", "\n" * (MAX_MODULE_LINES + 1)),
        check_name(Path("xt/utils.py")),
        check_docstrings("xt.train", "def train(): ..."),
        check_docstrings("xt.train", '"""Trains."""\nclass Loop:\n    """A loop."""\n    def step(self): ...'),
        check_text(Path("README.md"), "see /" + "root/data"),
        check_text(Path("README.md"), "see '/" + "tmp/data'"),
        check_text(Path("requirements.txt"), "--index-url https://" + "py" + "pi.org/simple"),
        check_sizes({Path("model.bin"): MAX_FILE_BYTES + 1}),
        check_sizes({Path("data/results") / str(part): MAX_FILE_BYTES for part in range(21)}),
    ],
)
def test_planted_violation_is_found(faults):
    assert len(faults) >= 1


@pytest.mark.parametrize(
    "faults",
    [
        check_order("xt.tasks", "import numpy\nfrom xt.metrics import METRICS", ["metrics", "tasks"]),
        check_siblings("xt.tasks.tagging", "from xt.tasks.examples import Tagging"),
        check_siblings("xt.tasks.table", "from xt.tasks.span_qa import read_span_qa"),
        check_lengths("xt.train", LONG.removesuffix("    pass\n")),
        check_text(Path("README.md"), "https://example.org/work/main and ../shared/mirror"),
    ],
)
def test_what_is_allowed_passes(faults):
    assert faults == []
