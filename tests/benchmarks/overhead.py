"""What a run costs outside training and evaluation: papermill, kernel, imports, and the notebook itself."""

import os
import tempfile
import time
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import numpy as np

from tests.benchmarks import frame

TAKES = "the target notebook on a complete run, in warm and in ordinary processes, 20 times each; four minutes"
PARAMETERS = dict(encoder="tiny", target="xnli", languages=["en"], root="fixtures", preset="smoke", seed=1)
COLD = "python -m papermill target.ipynb out.ipynb --kernel python3, in a process that imports all anew"


def measure(tiny: bool = False):
    """Median seconds of a warm and of a cold execution in which nothing is trained or scored, and where they go."""
    from xt import engine
    from xt.grid import NOTEBOOKS

    with tempfile.TemporaryDirectory() as place:
        places = dict(XT_RUNS=f"{place}/runs", XT_CACHE=f"{place}/cache", XDG_RUNTIME_DIR=place)
        with patch.dict(os.environ, places):
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # Python keeps what it has compiled, unless told not to
            output = Path(place) / "out.ipynb"
            execution = engine.Execution(NOTEBOOKS / "target.ipynb", PARAMETERS, (), (), output)
            wait(engine.start(execution), output)  # trains and scores, once, and starts the server
            contestants = dict(warm=lambda _: run(engine.start, execution), cold=lambda _: run(start_cold, execution))
            measured = frame.alternate(contestants, 2 if tiny else 20)
    judged = frame.compare(measured, "warm", "cold")
    parts = measured[measured["contestant"] == "warm"].filter(like="cells").median().to_dict()
    parts |= {
        f"p90_{name}": float(np.quantile(group["seconds"], 0.9)) for name, group in measured.groupby("contestant")
    }
    what = "overhead of a run with warm kernels, median of 20"
    return frame.table(
        [frame.row(what, judged.pop("this"), "seconds", "this < 0.8", arguments=COLD, **judged, **parts)]
    )


def run(start, execution) -> dict:
    """Wall seconds of an execution, and of those: before its first cell, in its cells, and after the last."""
    import nbformat

    began, clock = time.time(), time.perf_counter()
    process = start(execution)
    wait(process, execution.output)
    seconds = time.perf_counter() - clock
    cells = [cell for cell in nbformat.read(execution.output, 4).cells if cell.cell_type == "code"]
    said = [cell.metadata.papermill for cell in cells]
    first, last = (
        datetime.fromisoformat(said[n][name]).timestamp() for n, name in ((0, "start_time"), (-1, "end_time"))
    )
    before, inside = first - began, last - first
    return dict(seconds=seconds, before_cells=before, cells=inside, after_cells=seconds - before - inside)


def start_cold(execution):
    """The same execution in ordinary processes."""
    from unittest.mock import patch

    from xt import engine

    def refuse(*given, **named):
        raise OSError("cold")

    with patch.object(engine, "fork_warm", refuse), patch.object(engine, "kernel_name", lambda: "python3"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return engine.start(execution)


def wait(process, output: Path) -> None:
    """Waits for an execution; RuntimeError with its log where it failed."""
    if process.wait():
        raise RuntimeError(output.with_suffix(".log").read_text()[-2000:])
