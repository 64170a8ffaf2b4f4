"""The processes of a measurement: started one after the other in random order, and what they say in tables."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from xt import store
from xt.costs import COST_SCHEMA
from xt.efficiency.backends import lacking
from xt.efficiency.process import this_device
from xt.locations import PROJECT
from xt.measurement import EfficiencyConfig
from xt.tasks import worst_status
from xt.transfer import describe, ignore, read_all, train_model


def measure_cost(config: EfficiencyConfig, report: Callable[[dict], None] = ignore) -> dict[str, pd.DataFrame]:
    """The tables of one measurement, made or found complete; what its arms train is trained first.

    Each process leaves a file in the run's folder, so that one that was cut off goes on where it stood. `report` gets
    dicts with `step`, `num_steps`. Raises RuntimeError with the last lines of a process that failed.
    """
    with store.open_run(config.run_id, describe(config)) as folder:
        if not store.is_whole(config.run_id):
            started = time.monotonic()
            texts = read_all(config.scoring)  # before a training whose measurement would lack its texts
            for arm in config.intermediates:
                if model := config.prepared(arm):
                    train_model(model, report)
            reasons = {name: lacking(name, this_device().type) for name in config.measure.backends}
            planned = list(list_processes(config, [name for name, why in reasons.items() if not why]))
            for step, (number, arm, backend) in enumerate(planned, start=1):
                run_process(config, folder / "processes", number, arm, backend)
                report({"doing": "measure", "step": step, "num_steps": len(planned)})
            for name, table in gather(folder / "processes", planned, reasons).items():
                table.to_parquet(folder / f"{name}.parquet", index=False)
            outcome = {"outcome": "ok", "seconds": round(time.monotonic() - started, 1)}
            outcome["data_status"] = worst_status(*(data.status for data in texts.values()))
            outcome |= {"num_train_examples": None, "num_truncated": None}
            store.write_text(folder / "outcome.json", json.dumps(outcome, indent=1))
            store.finish(config.run_id)
    return store.read_costs(folder)


def list_processes(config: EfficiencyConfig, backends: list[str]) -> Iterator[tuple[int, str, str]]:
    """(number, arm, backend) of every process, in order: each round has one of each, in an order drawn anew."""
    kinds = list(product(config.intermediates, backends))
    for number in range(config.measure.num_rounds):
        for place in np.random.default_rng([config.seed, 8, number]).permutation(len(kinds)):
            yield number, *kinds[place]


def run_process(config: EfficiencyConfig, place: Path, number: int, arm: str, backend: str) -> None:
    """Starts one fresh process and waits for its result, unless that is there."""
    result = result_of(place, number, arm, backend)
    if result.is_file():
        return
    place.mkdir(exist_ok=True)
    settings = result.with_suffix(".settings")
    asked = {"parameters": dict(config.parameters), "arm": arm, "backend": backend, "number": number}
    store.write_text(settings, json.dumps(asked))
    command = (sys.executable, "-m", "xt.efficiency.process", str(settings), str(result))
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-4:])
        raise RuntimeError(f"measuring {arm} with backend {backend} ended with exit code {done.returncode}: {last}")
    settings.unlink()


def result_of(place: Path, number: int, arm: str, backend: str) -> Path:
    """The file that a process leaves."""
    return place / f"{number}-{re.sub(r'[^a-z0-9_.]', '_', arm)}-{backend}.json"


def gather(place: Path, planned: list[tuple[int, str, str]], reasons: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """The tables of all processes, with the round, its place in it, the arm and the backend of each; and the backends
    that cannot run here, by the reason."""
    rows = {name: [] for name in COST_SCHEMA}
    rows["left_out"] = [{"backend": name, "reason": why} for name, why in reasons.items() if why]
    for order, (number, arm, backend) in enumerate(planned):
        key = {"round": number, "order": order, "intermediate": arm, "backend": backend}
        for name, found in json.loads(result_of(place, number, arm, backend).read_text()).items():
            rows[name] += [key | row for row in found]
    return {name: pd.DataFrame(rows[name], columns=list(columns)) for name, columns in COST_SCHEMA.items()}
