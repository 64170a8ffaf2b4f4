"""`python -m tests.benchmarks [NAME ...] [--tiny]`: the benchmarks, each in a process of its own.

`--list` says what there is and what it takes; `--tiny` shows in seconds that each starts, and writes nothing;
`--summary` prints the committed tables. Without names all run that need no GPU.
"""

import argparse
import importlib
import os
import subprocess
import sys

import pandas as pd

from tests.benchmarks import frame

BENCHMARKS = (
    *("pairs", "windows", "scoring", "step", "curves"),
    *("planning", "growth", "large_study", "resampling", "neighbours", "second_start", "overhead", "workers"),
)
"""Modules of this folder, in the order in which `make bench` runs them."""
IN_PROCESSES = ("second_start", "overhead", "workers")
"""Those that start processes of their own, which takes too long for a test, however tiny."""
ON_A_GPU = ("gpu",)
"""What `make bench-gpu` runs; each skips itself without a GPU."""

ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
"""Of every benchmark: nobody waits for a network, and tokenizers use all processors."""


def main() -> int:
    """Runs what is asked for; the exit code is that of the first benchmark that failed, or 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS, *ON_A_GPU], metavar="NAME")
    for option in ("--tiny", "--list", "--summary", "--here"):
        parser.add_argument(option, action="store_true", help=argparse.SUPPRESS if option == "--here" else None)
    given = parser.parse_args()
    names = given.names or BENCHMARKS
    if given.list:
        print("\n".join(f"{name}: {find(name).TAKES}" for name in (*BENCHMARKS, *ON_A_GPU)))
        return 0
    if given.here:
        frame.run(names[0], find(names[0]).measure, given.tiny)
        return 0
    codes = [] if given.summary else [start(name, given.tiny) for name in names]
    if not given.tiny:
        summarize()
    return next((code for code in codes if code), 0)


def find(name: str):
    """A benchmark's module."""
    return importlib.import_module(f"tests.benchmarks.{name}")


def start(name: str, tiny: bool) -> int:
    """One benchmark in a fresh process; its exit code."""
    print(f"{name}: {find(name).TAKES}", flush=True)
    command = [sys.executable, "-m", "tests.benchmarks", name, "--here", *(["--tiny"] if tiny else [])]
    return subprocess.run(command, check=False, env=os.environ | ENVIRONMENT).returncode


def summarize() -> None:
    """Prints one table of all that was measured, and writes it as `summary.csv`."""
    found = frame.read_tables()
    if found.empty:
        print("nothing is measured yet")
        return
    print("all that is measured\n")
    frame.show(found)
    columns = ["bench", *frame.COLUMNS, "date", "code_version"]
    pd.DataFrame(found[columns]).to_csv(frame.bench_folder() / "summary.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    sys.exit(main())
