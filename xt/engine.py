"""Where runs execute: papermill processes on this machine, several side by side, in dependency order.

The processes and their kernels are forked from a warm one where that can be had (`xt.kernels`).
"""

import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
import yaml

from xt.kernels.client import WarmProcess, fork_warm

POLL_SECONDS = 0.2
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Execution:
    """One notebook with its parameters, and the runs it makes."""

    notebook: Path
    parameters: dict = field(hash=False)
    run_ids: tuple[str, ...]
    needs: tuple[str, ...]  # run ids that must be complete before it starts
    output: Path  # where the executed notebook goes

    @property
    def title(self) -> str:
        """A short name for progress lines."""
        return self.output.stem


@dataclass(frozen=True)
class Failure:
    """A run that could not be made."""

    run_id: str
    notebook: Path
    last_lines: str


def ended(code: int) -> SimpleNamespace:
    """What stands for the process of a notebook that was not started."""
    return SimpleNamespace(returncode=code, poll=lambda: code, terminate=lambda: None, wait=lambda: code)


def start(execution: Execution, num_threads: int = 1, **environment: str) -> WarmProcess | subprocess.Popen:
    """Starts papermill on an execution; its own output goes beside the executed notebook.

    Variables of `environment` are added to those of this process. Warns where the process is not a warm one.
    """
    execution.output.parent.mkdir(parents=True, exist_ok=True)
    execution.output.unlink(missing_ok=True)
    command = [sys.executable, "-m", "xt.kernels.execution", str(execution.notebook), str(execution.output)]
    command += [
        "--kernel",
        kernel_name(),
        "--no-progress-bar",
        "--parameters_yaml",
        yaml.safe_dump(execution.parameters),
    ]
    threads = {"OMP_NUM_THREADS": str(num_threads), "TOKENIZERS_PARALLELISM": "false"}
    variables = os.environ | threads | environment
    with execution.output.with_suffix(".log").open("w") as log:
        try:
            return fork_warm(command, variables, stdout=log, stderr=log)
        except OSError as error:
            warnings.warn(f"notebooks start in ordinary processes, not in warm ones: {error}", stacklevel=2)
            return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def kernel_name() -> str:
    """The warm kernel where it is installed in this environment, else the ordinary one."""
    there = (Path(sys.prefix) / "share" / "jupyter" / "kernels" / "xt-warm" / "kernel.json").is_file()
    return "xt-warm" if there else "python3"


def execute(
    executions: Iterable[Execution],
    workers: int,
    begin: Callable[[Execution], WarmProcess | subprocess.Popen],
    is_done: Callable[[str], bool],
    may_start: Callable[[Execution], bool],
    on_start: Callable[[Execution], None],
    on_end: Callable[[Execution, int], Iterable[Execution]],
    on_tick: Callable[[list[Execution]], None],
) -> list[Execution]:
    """Runs executions, at most `workers` at once, each when the runs it needs are done.

    `begin` gets an execution and returns its process: `start`, or what has the same `poll`, `returncode`, `terminate`
    and `wait`. An execution that is ready and for which `may_start` is not true is asked again later.
    `on_end` gets an execution and its exit code and returns further executions to queue (what is left of a block).
    Returns those that could not start because a run they need failed. Processes still running are terminated when
    the caller is interrupted.
    """
    waiting, running = list(executions), {}
    try:
        while waiting or running:
            waits = False
            for execution in ready(list(waiting), is_done) if len(running) < workers else ():
                waits = True
                if may_start(execution):
                    waiting.remove(execution)
                    on_start(execution)
                    running[execution] = begin(execution)
                if len(running) == workers:
                    break
            if not running and not waits:
                return waiting
            time.sleep(POLL_SECONDS)
            on_tick(list(running))
            for execution, process in list(running.items()):
                if process.poll() is not None:
                    del running[execution]
                    waiting[:0] = on_end(execution, process.returncode)
        return []
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def ready(waiting: list[Execution], is_done: Callable[[str], bool]) -> Iterator[Execution]:
    """Those of the waiting executions whose needs are met, in order; each need is asked for once."""
    is_done = cache(is_done)
    return (execution for execution in waiting if all(map(is_done, execution.needs)))


def read_cells(notebook: Path) -> list:
    """The cells of an executed notebook; none where there is no file, or a kill cut it short."""
    try:
        return nbformat.read(notebook, as_version=4).cells if notebook.is_file() else []
    except nbformat.reader.NotJSONError:
        return []


def last_lines(notebook: Path, exit_code: int, count: int = 4) -> str:
    """The last lines of the error in an executed notebook, or of papermill's own log where it holds none."""
    log = notebook.with_suffix(".log")
    errors = [out for cell in read_cells(notebook) for out in cell.get("outputs", []) if out.output_type == "error"]
    text = "\n".join(errors[-1].traceback) if errors else log.read_text() if log.is_file() else ""
    lines = [line for line in ANSI.sub("", text).splitlines() if line.strip()]
    return "\n".join(lines[-count:]) or f"exit code {exit_code}, no output"
