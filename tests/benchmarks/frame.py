"""What every benchmark has in common: how a row is judged, where the tables go, what stands beside them.

A benchmark is a module of this folder with `TAKES`, a text that says what it does and for how many minutes, and
`measure(tiny=False) -> pandas.DataFrame`, made by `table` out of rows of `row`; `tiny` only shows that it starts.
"""

import json
import operator
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from xt.locations import folder
from xt.machine import code_version, installed_version, library_versions, processor_name

COLUMNS = ["what", "this", "baseline", "unit", "ratio", "target", "reached", "baseline_arguments", "note"]
OPTIONAL = ("faiss-cpu", "onnxruntime", "onnxscript", "flash-attn")
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Skipped(Exception):
    """What a benchmark needs is not here."""


def row(
    what: str,
    this: float,
    unit: str,
    target: str = "",
    *,
    baseline: float = np.nan,
    ratio: float = np.nan,
    arguments: str = "",
    note: str = "",
    **own: object,
) -> dict:
    """One line of a benchmark's table: `this` against `baseline`, both in `unit`, `ratio` being the larger the better.

    `target` reads `ratio >= 5` or `this < 2`; empty where nothing is to be reached. `arguments` are the baseline's,
    in full; `own` are further columns.
    """
    values = dict(what=what, this=this, baseline=baseline, unit=unit, ratio=ratio, target=target)
    return values | dict(reached=judge(values), baseline_arguments=arguments, note=note) | own


def judge(values: Mapping) -> bool | None:
    """Whether a row reaches its target; None where it has none."""
    if not values["target"]:
        return None
    column, sign, bound = values["target"].split()
    return bool(COMPARE[sign](values[column], float(bound)))


def table(rows: Sequence[Mapping]) -> pd.DataFrame:
    """The rows under each other, the columns that all benchmarks have first."""
    frame = pd.DataFrame(rows)
    return frame[COLUMNS + [name for name in frame if name not in COLUMNS]]


def alternate(contestants: Mapping[str, Callable[[int], Mapping]], repeats: int | Mapping[str, int]) -> pd.DataFrame:
    """The contestants in turns, every second turn backwards, so that a slow minute is nobody's alone.

    `repeats` is how often each runs. One is called with the turn, 1, 2, ..., and returns what it measured; a row each,
    with `contestant` and `turn`.
    """
    often = repeats if isinstance(repeats, Mapping) else dict.fromkeys(contestants, repeats)
    rows = []
    for turn in range(1, max(often.values()) + 1):
        for name in [name for name in list(contestants)[:: 1 if turn % 2 else -1] if often[name] >= turn]:
            rows.append({"contestant": name, "turn": turn} | dict(contestants[name](turn)))
            shown = ", ".join(f"{key} {value:.3f}" for key, value in rows[-1].items() if isinstance(value, float))
            print(f"  turn {turn}: {name}: {shown}", flush=True)
    return pd.DataFrame(rows)


def compare(measured: pd.DataFrame, this: str, other: str, column: str = "seconds") -> dict:
    """`this` and `baseline` (medians), `ratio` (median of the ratios within a turn), and all `ratios` as text."""
    wide = measured.pivot(index="turn", columns="contestant", values=column)
    ratios = (wide[other] / wide[this]).dropna()
    return dict(
        this=float(wide[this].median()),
        baseline=float(wide[other].median()),
        ratio=float(ratios.median()),
        ratios=" ".join(f"{value:.2f}" for value in ratios),
    )


def bench_folder() -> Path:
    """Where tables are committed."""
    return folder("XT_RESULTS") / "bench"


def describe_machine(libraries: Sequence[str] = OPTIONAL) -> dict:
    """Processor, memory, GPU, libraries, code and date of a measurement, and the load before it."""
    import torch

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": processor_name(),
        "memory_gib": round(memory, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "load_before": round(os.getloadavg()[0], 2),
        "date": date.today().isoformat(),
        "code_version": code_version(),
        "libraries": {**library_versions(), **{name: installed_version(name) for name in libraries}},
    }


def run(name: str, measure: Callable[[bool], pd.DataFrame], tiny: bool = False) -> pd.DataFrame | None:
    """Measures and prints the table; unless tiny, writes it as `<name>.csv` and the machine as `<name>.json` beside.

    None, and nothing written, where the benchmark skips itself.
    """
    machine, started = describe_machine(), time.monotonic()
    print(f"{name}: on {machine['processor']}, load {machine['load_before']}", flush=True)
    try:
        found = measure(tiny)
    except Skipped as why:
        print(f"{name}: skipped: {why}\n")
        return None
    machine["seconds"] = round(time.monotonic() - started, 1)
    show(found)
    if not tiny:
        place = bench_folder()
        place.mkdir(parents=True, exist_ok=True)
        found.to_csv(place / f"{name}.csv", index=False, float_format="%.5g")
        (place / f"{name}.json").write_text(json.dumps(machine, indent=1) + "\n")
    return found


def show(found: pd.DataFrame) -> None:
    """Prints the columns that all benchmarks have, the baselines' arguments below."""
    short = found[COLUMNS[:7]].assign(reached=found["reached"].map({True: "yes", False: "NO"}).fillna(""))
    with pd.option_context("display.width", 200, "display.max_colwidth", 70):
        print(short.to_string(index=False, float_format="{:.4g}".format, na_rep=""))
    for text in dict.fromkeys(found["baseline_arguments"].dropna()):
        if text:
            print(f"  baseline: {text}")
    print(flush=True)


def read_tables() -> pd.DataFrame:
    """All tables that are there, one under the other, with the benchmark's name, its date and its code."""
    tables = []
    for path in sorted(bench_folder().glob("*.csv")):
        machine = path.with_suffix(".json")
        if machine.is_file():
            said = json.loads(machine.read_text())
            tables.append(
                pd.read_csv(path).assign(bench=path.stem, date=said["date"], code_version=said["code_version"])
            )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
