"""Run folders: one per run, written by one process at a time, complete once `DONE` stands in it.

`DONE` is written last and holds the SHA-256 of every file, so that a half-written run is never taken for a whole one,
and a damaged one is found before it is read: it is named, and made again.
"""

import hashlib
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import BaseFileLock, Timeout

from xt.disk import room_for, sync, sync_tree, write_bytes, write_text
from xt.errors import DataError
from xt.locations import folder
from xt.locks import open_lock

if TYPE_CHECKING:
    import pandas as pd

RUN_ID = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)+-s\d+-[0-9a-f]{12}")
WEIGHTS = "encoder"
"""Subfolder of a trained model."""


LATER = {"DONE", "notebook.ipynb"}
"""Files that come after the run is complete."""
LEFTOVER = re.compile(r"checkpoint|\..+\.(new|old)")
"""Files and folders that are no part of a complete run."""


class RunBusy(RuntimeError):
    """Another process works on this run."""


def run_folder(run_id: str) -> Path:
    """The folder of a run. ValueError for a text that is no run id (so that no path leaves the store)."""
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(f"{run_id!r} is no run id; allowed: {RUN_ID.pattern}")
    return folder("XT_RUNS") / run_id


def read_sums(run_id: str) -> dict[str, str]:
    """File -> SHA-256, as `DONE` names them; empty where the run is not done, or `DONE` cannot be read."""
    try:
        sums = json.loads((run_folder(run_id) / "DONE").read_bytes())
    except (OSError, ValueError):
        return {}
    return sums if isinstance(sums, dict) else {}


def is_complete(run_id: str) -> bool:
    """Whether `DONE` stands in the run's folder and every file it names is there."""
    sums, place = read_sums(run_id), run_folder(run_id)
    return bool(sums) and all((place / name).is_file() for name in sums)


def has_weights(model_id: str) -> bool:
    """Whether a model's run is complete and its weights were kept."""
    return is_complete(model_id) and f"{WEIGHTS}/model.safetensors" in read_sums(model_id)


def is_whole(run_id: str, with_weights: bool = True) -> bool:
    """Whether a run is complete and every byte as it was written; a damaged one no longer, and a warning names it.

    Reads all files (weights as asked): it is asked under the run's lock, before they are used, never for planning.
    """
    done = run_folder(run_id) / "DONE"
    damaged = damaged_files(run_id, with_weights) if done.is_file() else []
    if damaged:
        undo(done.parent, damaged)
    return done.is_file()


def undo(place: Path, damaged: Sequence[str]) -> None:
    """Makes a run incomplete whose files are damaged, and says so; a damaged `config.json` would refuse the run."""
    warnings.warn(f"{place} is damaged in {', '.join(damaged)}: the run is made again", stacklevel=3)
    for name in ("config.json", "DONE"):
        if name in (*damaged, "DONE"):
            (place / name).unlink(missing_ok=True)


def stands_whole(run_id: str, config: dict) -> bool:
    """Whether a run is complete and every byte as it was written, asked without its lock: many readers ask at once.

    Changes nothing; where the answer is no, `open_run` is next.  Raises ValueError as it does.
    """
    place = run_folder(run_id)
    try:
        found = is_complete(run_id) and not list_leftovers(place) and not damaged_files(run_id)
    except FileNotFoundError:  # another process makes the run again
        return False
    if found:
        check_config(place, config)
    return found


def check_whole(run_id: str) -> None:
    """Raises DataError naming the damaged files of a run, weights aside."""
    if damaged := damaged_files(run_id, with_weights=False):
        found = f"{run_folder(run_id)} is damaged in {', '.join(damaged)}"
        raise DataError(f"{found}; start the study again to make the run anew")


@contextmanager
def open_run(run_id: str, config: dict, wait_seconds: float = -1) -> Iterator[Path]:
    """The run's folder under its lock, with `config.json` written unless the run is finished.

    Waits for another process that holds the run, and says so, at most `wait_seconds` (-1 = for ever), then raises
    RunBusy.
    Raises ValueError where the folder's `config.json` has another identity than `config`, DiskFull where no room is
    left for what is written meanwhile.
    """
    place = run_folder(run_id)
    with room_for(f"run {run_id}", f"what stands in {place} is kept"), hold(run_id, wait_seconds):
        if place.is_symlink():
            raise ValueError(f"{place} is a link; allowed: a folder of its own in {place.parent}")
        place.mkdir(exist_ok=True)
        os.listdir(place)  # a client of a network file system asks the server what the last owner left
        known = read_sums(run_id).get("config.json")
        if known and damaged_in(place, {"config.json": known}):
            undo(place, ["config.json"])
        check_config(place, config)
        if (place / "DONE").is_file():
            clear_leftovers(place)
        else:
            write_config(place, config)
        yield place


@contextmanager
def hold(run_id: str, wait_seconds: float = -1) -> Iterator[None]:
    """The lock of a run; says that it waits where another process holds it, and raises RunBusy when that lasts."""
    lock = lock_of(run_id)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that works on run {run_id}", flush=True)
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise RunBusy(f"another process works on run {run_id}; wait for it, or end it") from None
    try:
        yield
    finally:
        lock.release()


def lock_of(run_id: str) -> BaseFileLock:
    """The lock of a run, not yet held."""
    return open_lock(run_folder(run_id).parent / ".locks" / f"{run_id}.lock")


ASKED: dict[Path, BaseFileLock] = {}
"""Locks that `is_busy` asked: each finds out itself how long another machine has not touched its lease."""


def is_busy(run_id: str) -> bool:
    """Whether another process works on a run at this moment."""
    place = run_folder(run_id)
    if place not in ASKED:
        ASKED[place] = lock_of(run_id)
    try:
        ASKED[place].acquire(timeout=0)
    except Timeout:
        return True
    ASKED[place].release()
    return False


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


def finish(run_id: str) -> None:
    """Syncs every file and folder of a run and writes `DONE` with their sums; the notebook's comes later.

    The checkpoint is no longer needed and goes, with what a kill left half-written.
    """
    place, sums = run_folder(run_id), {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place)
        if path.is_file() and name.parts[0] not in LATER and not LEFTOVER.fullmatch(name.parts[0]):
            sums[name.as_posix()] = digest(path)
    sync_tree(place)
    sync(place.parent)
    write_done(place, sums)
    clear_leftovers(place)


def clear_leftovers(place: Path) -> None:
    """Deletes what a finished run needs no longer: its checkpoint, and what a kill left half-written."""
    for path in list_leftovers(place):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def list_leftovers(place: Path) -> list[Path]:
    """What a finished run needs no longer."""
    return [path for path in place.iterdir() if LEFTOVER.fullmatch(path.name)]


def write_done(place: Path, sums: dict[str, str]) -> None:
    """Makes a run complete with these files."""
    write_text(place / "DONE", json.dumps(sums, indent=1))


def release_weights(model_id: str) -> None:
    """Deletes a complete model's weights after its last reader; what remains of the run stays complete."""
    place, sums = run_folder(model_id), read_sums(model_id)
    if sums:
        write_done(place, {name: known for name, known in sums.items() if not name.startswith(f"{WEIGHTS}/")})
        shutil.rmtree(place / WEIGHTS, ignore_errors=True)


def keep_notebook(run_id: str, notebook: Path) -> None:
    """Puts an executed notebook, if there is one, into a run's folder; `DONE` names the first one of a complete run."""
    place = run_folder(run_id)
    if not notebook.is_file() or not place.is_dir():
        return
    content = notebook.read_bytes()
    if not is_complete(run_id):
        return write_bytes(place / "notebook.ipynb", content)
    with lock_of(run_id):
        sums = read_sums(run_id)
        if sums and "notebook.ipynb" not in sums:
            write_bytes(place / "notebook.ipynb", content)
            write_done(place, sums | {"notebook.ipynb": hashlib.sha256(content).hexdigest()})


def damaged_files(run_id: str, with_weights: bool = True) -> list[str]:
    """The files of a run whose bytes are no longer those that `DONE` names; `DONE` itself where it cannot be read."""
    place, sums = run_folder(run_id), read_sums(run_id)
    asked = {name: known for name, known in sums.items() if with_weights or not name.startswith(f"{WEIGHTS}/")}
    return damaged_in(place, asked) if sums else ["DONE"]


def damaged_in(place: Path, sums: Mapping[str, str]) -> list[str]:
    """Those of some files of a folder that are missing, or have another SHA-256."""
    return [name for name, known in sums.items() if not (place / name).is_file() or digest(place / name) != known]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_predictions(place: Path, target: str, frame: "pd.DataFrame") -> None:
    """`predictions.parquet`: per example its id, cluster, prediction, gold and statistics.

    One file of a group of rows per language: in a study of many runs files run out before bytes do.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    codes = sorted(frame["eval_language"].unique(), key=lambda code: f"{target}.{code}.parquet")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pq.ParquetWriter(place / "predictions.parquet", table.schema, compression="zstd") as writer:
        for code in codes:
            writer.write_table(table.filter(pc.equal(table["eval_language"], code)))


def write_selection(place: Path, frame: "pd.DataFrame") -> None:
    """`selection.parquet`: the same of the model on the examples that its checkpoint was selected on."""
    frame.to_parquet(place / "selection.parquet", index=False, compression="zstd")


def read_selection(place: Path) -> "pd.DataFrame | None":
    """What `write_selection` wrote; None where nothing was trained for the run."""
    import pandas as pd

    path = place / "selection.parquet"
    return pd.read_parquet(path) if path.is_file() else None


def read_predictions(place: Path) -> "pd.DataFrame":
    """All predictions of a run folder, language by language; older folders have a file for each."""
    import pandas as pd

    whole = place / "predictions.parquet"
    paths = [whole] if whole.is_file() else sorted((place / "predictions").glob("*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def read_costs(place: Path) -> "dict[str, pd.DataFrame]":
    """The tables of a complete measurement of cost, by name; see `xt.costs`."""
    import pandas as pd

    from xt.costs import COST_SCHEMA

    return {name: pd.read_parquet(place / f"{name}.parquet") for name in COST_SCHEMA}


def read_scores(place: Path) -> "pd.DataFrame":
    """The score rows of a complete run folder; only an empty cell is missing, so that the arm `none` stays a word."""
    import pandas as pd

    return pd.read_csv(place / "scores.csv", keep_default_na=False, na_values=[""])
