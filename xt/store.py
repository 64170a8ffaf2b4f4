"""Run folders: one per run, written by one process at a time, complete once `DONE` stands in it.

`DONE` is written last and holds the SHA-256 of every file, so that a half-written run is never taken for a whole one.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from xt.locations import folder

if TYPE_CHECKING:
    import pandas as pd

RUN_ID = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)+-s\d+-[0-9a-f]{12}")
WEIGHTS = "encoder"
"""Subfolder of a trained model."""


class RunBusy(RuntimeError):
    """Another process works on this run."""


def run_folder(run_id: str) -> Path:
    """The folder of a run. ValueError for a text that is no run id (so that no path leaves the store)."""
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(f"{run_id!r} is no run id; allowed: {RUN_ID.pattern}")
    return folder("XT_RUNS") / run_id


def is_complete(run_id: str) -> bool:
    """Whether `DONE` stands in the run's folder and every file it names is there."""
    place = run_folder(run_id)
    done = place / "DONE"
    return done.is_file() and all((place / name).is_file() for name in json.loads(done.read_text()))


def has_weights(model_id: str) -> bool:
    """Whether a model's run is complete and its weights were kept."""
    return is_complete(model_id) and (run_folder(model_id) / WEIGHTS / "model.safetensors").is_file()


@contextmanager
def open_run(run_id: str, config: dict, wait_seconds: float = -1) -> Iterator[Path]:
    """The run's folder under its lock, with `config.json` written unless the run is finished.

    Waits for another process that holds the run, and says so, at most `wait_seconds` (-1 = for ever), then raises
    RunBusy.
    Raises ValueError where the folder's `config.json` has another identity than `config`.
    """
    place = run_folder(run_id)
    locks = place.parent / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{run_id}.lock")
    acquire(lock, run_id, wait_seconds)
    try:
        place.mkdir(exist_ok=True)
        check_config(place, config)
        if not (place / "DONE").is_file():
            write_config(place, config)
        yield place
    finally:
        lock.release()


def acquire(lock: FileLock, run_id: str, wait_seconds: float) -> None:
    """Takes a run's lock; says that it waits where another process holds it, and raises RunBusy when that lasts."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that works on run {run_id}", flush=True)
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise RunBusy(f"another process works on run {run_id}; wait for it, or end it") from None


def write_config(place: Path, config: dict) -> None:
    """Writes what a run is and what makes it; a finished run keeps the record of what made it."""
    write_text(place / "config.json", json.dumps(config, indent=1, ensure_ascii=False))


def check_config(place: Path, config: dict) -> None:
    """ValueError naming what differs, where a run folder was made by another configuration than its id says."""
    path = place / "config.json"
    if not path.is_file():
        return
    try:
        stored = json.loads(path.read_text())["identity"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the configuration of a run ({error}); move the folder away") from error
    if stored != json.loads(json.dumps(config["identity"])):
        differing = sorted(
            key for key in {*stored, *config["identity"]} if stored.get(key) != config["identity"].get(key)
        )
        raise ValueError(
            f"{path} differs from its run id in: {', '.join(differing)}; move the folder away to run it anew"
        )


def write_text(path: Path, text: str) -> None:
    """Writes a file in one step: beside its name, synced, renamed, its folder synced."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.rename(path)
    handle = os.open(path.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def finish(run_id: str) -> None:
    """Syncs every file of a run and writes `DONE` with their hashes (the notebook's excepted, which comes later).

    The checkpoint is no longer needed and goes, with what a kill left half-written.
    """
    place = run_folder(run_id)
    for leftover in (place / "checkpoint", *place.glob(".*.new"), *place.glob(".*.old")):
        shutil.rmtree(leftover, ignore_errors=True)
    files = [
        path for path in sorted(place.rglob("*")) if path.is_file() and path.name not in {"DONE", "notebook.ipynb"}
    ]
    for path in files:
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    hashes = {path.relative_to(place).as_posix(): digest(path) for path in files}
    write_text(place / "DONE", json.dumps(hashes, indent=1))


def release_weights(model_id: str) -> None:
    """Deletes a model's weights after its last reader; what remains of the run stays complete."""
    place = run_folder(model_id)
    (place / "DONE").unlink(missing_ok=True)
    shutil.rmtree(place / WEIGHTS, ignore_errors=True)
    finish(model_id)


def damaged_files(run_id: str) -> list[str]:
    """The files of a complete run whose bytes are no longer those that `DONE` names."""
    place = run_folder(run_id)
    hashes = json.loads((place / "DONE").read_text())
    return [name for name, known in hashes.items() if not (place / name).is_file() or digest(place / name) != known]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_predictions(place: Path, target: str, frame: "pd.DataFrame") -> None:
    """`predictions/<target>.<language>.parquet`: per example its id, cluster, prediction, gold and statistics."""
    (place / "predictions").mkdir(exist_ok=True)
    for language, rows in frame.groupby("eval_language", sort=False):
        rows.to_parquet(place / "predictions" / f"{target}.{language}.parquet", index=False, compression="zstd")


def write_selection(place: Path, frame: "pd.DataFrame") -> None:
    """`selection.parquet`: the same of the model on the examples that its checkpoint was selected on."""
    frame.to_parquet(place / "selection.parquet", index=False, compression="zstd")


def read_selection(place: Path) -> "pd.DataFrame | None":
    """What `write_selection` wrote; None where nothing was trained for the run."""
    import pandas as pd

    path = place / "selection.parquet"
    return pd.read_parquet(path) if path.is_file() else None


def read_predictions(place: Path) -> "pd.DataFrame":
    """All predictions of a run folder, languages in the order of their file names."""
    import pandas as pd

    return pd.concat(
        [pd.read_parquet(path) for path in sorted((place / "predictions").glob("*.parquet"))], ignore_index=True
    )


def read_costs(place: Path) -> "dict[str, pd.DataFrame]":
    """The tables of a complete measurement of cost, by name; see `xt.costs`."""
    import pandas as pd

    from xt.costs import COST_SCHEMA

    return {name: pd.read_parquet(place / f"{name}.parquet") for name in COST_SCHEMA}


def read_scores(place: Path) -> "pd.DataFrame":
    """The score rows of a complete run folder; only an empty cell is missing, so that the arm `none` stays a word."""
    import pandas as pd

    return pd.read_csv(place / "scores.csv", keep_default_na=False, na_values=[""])
