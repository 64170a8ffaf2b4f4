"""Committed results: tidy score tables, per-example statistics, the index of runs; read, write, average.

    data/results/<study>/
      runs.csv                  one row per finished run, with what is the same in all of its scores
      cells/<hash>.csv          what was scored: one row per language, metric, layer and direction, with its floor and
                                number of examples; the same for all runs of a target, so it stands once
      scores/<run_id>.csv       `score` (points) and `at_floor` (1 or 0) of that run, row by row of its cells
      stats/<run_id>.parquet    statistics of each example, from which every score can be computed again, row by row of
                                the items that its metadata name
      stats/<run_id>.selection.parquet
                                the same of the best checkpoint on the data it was selected on, where known
      items/<hash>.parquet      which examples these are (see `xt.item_stats`)

The column `cells` of runs.csv joins a run to its cells; `sums` has the hashes of its own files, against which they are
held when they are read (older rows have none). A score's other columns are the run's in runs.csv, except those that the
cells have, too, because they differ within the run or from its index row (imported scores). Files named after their
content never change. A run adds two or three files of its own and a row at the end of the index (see `xt.journal`),
whatever the size of the study; the row is written last and taken out first.
"""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xt.errors import DataError, require_known
from xt.item_stats import (
    encode_stats,
    hash_of,
    read_shared,
    read_stats,
    read_summed,
    sums_of,
    write_bytes,
    write_shared,
)
from xt.journal import add_row, encode_checked, follow, read_rows
from xt.locations import folder, inside
from xt.metrics import METRICS
from xt.schema import Column, check_table, refuse_duplicates
from xt.tasks import STATUSES, TASKS

TEXT, OPTIONAL_TEXT = Column("string"), Column("string", required=False)
COUNT, OPTIONAL_COUNT = Column("Int64", low=0), Column("Int64", required=False, low=0)
OPTIONAL_POINTS = Column("Float64", required=False, low=0, high=100)
OUTCOME = Column("string", allowed=("ok", "diverged", "collapsed", "restarted"))
IMPORTED = "imported"
"""Preset of a run that `xt import` wrote, and its data status where nobody said what its model was trained on."""
DATA_STATUS = Column("string", allowed=(*STATUSES, IMPORTED))

SCORE_SCHEMA: Mapping[str, Column] = {
    "run_id": TEXT,
    "study": TEXT,
    "encoder": TEXT,
    "intermediate": TEXT,
    "intermediate_language": OPTIONAL_TEXT,
    "target": Column("string", allowed=tuple(TASKS)),
    "train_language": OPTIONAL_TEXT,
    "eval_language": TEXT,
    "split": TEXT,
    "seed": COUNT,
    "metric": Column("string", allowed=tuple(METRICS)),
    "layer": OPTIONAL_COUNT,
    "direction": Column("string", required=False, allowed=("from_english", "to_english")),
    "score": OPTIONAL_POINTS,
    "floor": OPTIONAL_POINTS,
    "floor_kind": OPTIONAL_TEXT,
    "at_floor": Column("boolean", required=False),
    "num_examples": OPTIONAL_COUNT,
    "max_train_examples": OPTIONAL_COUNT,
    "max_eval_examples": OPTIONAL_COUNT,
    "preset": TEXT,
    "outcome": OUTCOME,
    "data_status": DATA_STATUS,
    "code_version": TEXT,
}
"""Columns of a score table, in order.  A score that could not be computed is missing, never 0.
`intermediate_language` is a code, or several such as `de+fr`; missing where nothing is trained before the target."""
SCORE_COLUMNS = tuple(SCORE_SCHEMA)

RUN_SCHEMA: Mapping[str, Column] = {
    "run_id": TEXT,
    "phase": Column("string", allowed=("pretrain", "intermediate", "target", "retrieval", "efficiency")),
    "encoder": TEXT,
    "intermediate": TEXT,
    "target": OPTIONAL_TEXT,
    "seed": COUNT,
    "model_id": OPTIONAL_TEXT,
    "parent_id": OPTIONAL_TEXT,
    "status": Column("string", allowed=("done", "failed")),
    "seconds": Column("Float64", required=False, low=0),
    "num_train_examples": OPTIONAL_COUNT,
    "num_truncated": OPTIONAL_COUNT,
    "outcome": OUTCOME,
    "selection_score": OPTIONAL_POINTS,
    "data_status": DATA_STATUS,
    "code_version": TEXT,
    "device": TEXT,
    "precision": TEXT,
    "num_threads": COUNT,
    "libraries": TEXT,
}
"""Columns of the run index, in order; `libraries` is one text such as `torch 2.13.0; transformers 5.23.0`."""
RUN_COLUMNS = tuple(RUN_SCHEMA)

SCORE_KEYS = ["eval_language", "split", "metric", "layer", "direction"]
CELL_COLUMNS = (*SCORE_KEYS, "floor", "floor_kind", "num_examples")
"""Columns of a score that its evaluation data tell, whichever model is scored."""
OWN_COLUMNS = ("score", "at_floor")
"""Columns of a score that differ from run to run."""
OF_A_RUN = tuple(name for name in SCORE_SCHEMA if name not in CELL_COLUMNS + OWN_COLUMNS)
"""Columns of a score that are, as a rule, the same in all scores of a run."""
INDEX_SCHEMA: Mapping[str, Column] = (
    RUN_SCHEMA
    | {name: Column(SCORE_SCHEMA[name].dtype, required=False) for name in OF_A_RUN if name not in RUN_SCHEMA}
    | {"cells": OPTIONAL_TEXT, "sums": OPTIONAL_TEXT}
)
"""Columns of runs.csv: what is known of a run, what its scores share, their cells, and the hashes of its own files,
such as `scores 1f6a31d80a2b; stats 0b7e43a1f7c9`."""
BOOLEANS = {"True": "1", "False": "0"}
"""How `at_floor` stands in a file."""
SELECTION = ".selection.parquet"
"""What follows a run's id in the name of the file with its statistics on the data it was selected on."""


def write_run(
    study_folder: Path | str,
    run_id: str,
    scores: pd.DataFrame,
    index_row: Mapping,
    stats: pd.DataFrame,
    selection: pd.DataFrame | None = None,
) -> None:
    """Writes a finished run: statistics and scores, then its row of the index, each file in one step.

    `selection` holds per-example statistics of the best checkpoint on the data it was selected on, None where there
    are none.  Writing the same run again replaces it.  A run without scores (an intermediate training) passes empty
    frames; without statistics none are known (imported scores).  Other processes may write other runs meanwhile; one
    that is stopped half way leaves no row.  Raises DataError for tables off schema, before anything is written.
    """
    place = Path(study_folder)
    row = pd.DataFrame([{**index_row, "run_id": run_id}])
    row, files = check_table(row, RUN_SCHEMA, f"index row of {run_id}").iloc[0].to_dict(), {}
    own = files_of(place, run_id)
    if len(scores):
        shared, contents = encode_scores(scores, row, own[0])
        row, files = row | shared, files | contents
    for frame, path in ((stats, own[1]), (selection, own[2])):
        if frame is not None and len(frame):
            files |= encode_stats(frame, path)
    row |= {"sums": sums_of(own, files)}
    encode_checked(place / "runs.csv", row, INDEX_SCHEMA)  # before anything is written
    if any(path.exists() for path in own):
        add_row(place / "runs.csv", run_id, None, INDEX_SCHEMA)
    for path, content in files.items():
        (write_bytes if path in own else write_shared)(path, content)
    for path in set(own) - set(files):
        path.unlink(missing_ok=True)
    add_row(place / "runs.csv", run_id, row, INDEX_SCHEMA)


def files_of(place: Path, run_id: str) -> tuple[Path, Path, Path]:
    """Where a run's scores, statistics and statistics of selection stand, if it has them."""
    stats = place / "stats"
    return inside(place / "scores", f"{run_id}.csv"), stats / f"{run_id}.parquet", stats / f"{run_id}{SELECTION}"


def encode_scores(scores: pd.DataFrame, row: Mapping, path: Path) -> tuple[dict, dict[Path, bytes]]:
    """(what the index row says of all of a run's scores, the files of its cells and scores).

    Raises DataError for a table off schema, rows of another run, or the same score twice.
    """
    scores = check_table(scores, SCORE_SCHEMA, path)
    if (scores["run_id"] != row["run_id"]).any():
        raise DataError(f"{path}: holds rows of runs {sorted(set(scores['run_id']))}; allowed: {row['run_id']}")
    refuse_duplicates(scores, SCORE_KEYS, path)
    if (scores["score"].isna() & (scores["outcome"] == "ok")).any():
        raise DataError(f"{path}: a score is missing though the outcome is ok; allowed: 0 to 100")
    scores = scores.sort_values(SCORE_KEYS)
    first, shared = scores.iloc[0], [name for name in OF_A_RUN if scores[name].nunique(dropna=False) == 1]
    shared = [name for name in shared if name not in row or same(first[name], row[name])]
    cells = scores[[*CELL_COLUMNS, *(name for name in OF_A_RUN if name not in shared)]]
    content = encode_csv(cells.assign(floor=shorten(cells["floor"])))
    own = scores.assign(score=shorten(scores["score"]), at_floor=scores["at_floor"].astype("string").replace(BOOLEANS))
    files = {cells_path(path.parent.parent, hash_of(content)): content, path: encode_csv(own[list(OWN_COLUMNS)])}
    return {name: first[name] for name in shared if name not in row} | {"cells": hash_of(content)}, files


def same(one, other) -> bool:
    """Whether two values are equal, or both missing."""
    return bool(pd.isna(one) and pd.isna(other)) or bool(pd.notna(one) and pd.notna(other) and one == other)


def shorten(numbers: pd.Series) -> pd.Series:
    """Numbers with up to four decimals, as text."""
    return numbers.map(lambda value: f"{value:.4f}".rstrip("0").rstrip("."), na_action="ignore").astype("string")


def cells_path(place: Path, digest: str) -> Path:
    """Where cells of a study stand."""
    return place / "cells" / f"{digest}.csv"


def encode_csv(frame: pd.DataFrame, **options) -> bytes:
    """A table as CSV."""
    return frame.to_csv(index=False, lineterminator="\n", **options).encode()


def find_study(study: str, results: Path | str | None = None) -> Path:
    """The folder of a study's committed results, under `results` (default: the project's, or XT_RESULTS).

    Raises DataError naming the folder looked for, the studies there are, and the command that makes it.
    """
    place = place_of(study, results)
    if not (place / "runs.csv").is_file():
        there = sorted(path.parent.name for path in place.parent.glob("*/runs.csv"))
        raise DataError(
            f"no results of study {study!r} in {place.parent}: run `xt run {study}`; "
            f"allowed: {', '.join(there) or 'none yet'}"
        )
    return place


def place_of(study: str, results: Path | str | None = None) -> Path:
    """Where a study's results stand, there or not.  ValueError for a name that would lead out of the results."""
    return inside(Path(results) if results else folder("XT_RESULTS"), study)


def read_index(place: Path) -> pd.DataFrame:
    """runs.csv of a study's folder, all columns; empty where there is none yet."""
    return read_rows(place / "runs.csv", INDEX_SCHEMA)


def read_runs(place: Path) -> pd.DataFrame:
    """The run index in a study's folder (RUN_COLUMNS); empty where there is none yet."""
    return read_index(place)[list(RUN_COLUMNS)]


def finished_runs(place: Path | str) -> set[str]:
    """Ids of the runs that a study's folder holds as done; empty where the folder is not there yet."""
    return {run_id for run_id, status in column_of(place, "status").items() if status == "done"}


def is_committed(place: Path | str, run_id: str) -> bool:
    """Whether a study's folder holds a run as done; costs the same however many there are."""
    return column_of(place, "status").get(run_id) == "done"


def column_of(place: Path | str, name: str) -> Mapping[str, str]:
    """Run id -> what a column of the index says; '' for one that was taken out."""
    return follow(Path(place) / "runs.csv", INDEX_SCHEMA, name)


def study_runs(study: str, results: Path | str | None = None) -> pd.DataFrame:
    """The run index of a study (RUN_COLUMNS), empty where there is none."""
    return read_runs(place_of(study, results))


def load_runs(study: str, results: Path | str | None = None) -> pd.DataFrame:
    """The run index of a study, one row per run (RUN_COLUMNS)."""
    return read_runs(find_study(study, results))


def load_scores(study: str, results: Path | str | None = None, **only: str | Collection) -> pd.DataFrame:
    """All scores of a study, one row each (SCORE_COLUMNS), in points, sorted by run and SCORE_KEYS.

    `only` chooses runs by columns of the index (`encoder="mini"`, `target=["xnli", "panx"]`): files of others are not
    opened.  Raises DataError for a file that is off schema, missing or does not fit its cells, and where there is none
    yet; ValueError for another column.
    """
    place = find_study(study, results)
    runs = read_index(place)
    runs = runs[runs["cells"].notna()]
    if runs.empty:
        raise DataError(f"study {study!r} has no scores yet: run `xt run {study}`")
    for name, wanted in only.items():
        chosen = [wanted] if isinstance(wanted, str) or not isinstance(wanted, Collection) else list(wanted)
        runs = runs[runs[require_known("column of the index", name, INDEX_SCHEMA)].isin(chosen)]
    return stack_scores(place, runs)


def stack_scores(place: Path, runs: pd.DataFrame) -> pd.DataFrame:
    """The scores of some runs of an index; what their cells do not tell stands in their rows."""
    if runs.empty:
        return check_table(pd.DataFrame(columns=SCORE_COLUMNS), SCORE_SCHEMA, place)
    names = list(dict.fromkeys(runs["cells"]))
    cells = [read_cells(cells_path(place, name)) for name in names]
    which = runs["cells"].map({name: number for number, name in enumerate(names)}).to_numpy(int)
    sizes = np.array([len(table) for table in cells])
    own = read_own([files_of(place, run_id)[0] for run_id in runs["run_id"]], sizes[which], runs["sums"].fillna(""))
    starts = np.cumsum(sizes) - sizes
    places = np.concatenate([starts[number] + np.arange(sizes[number]) for number in which])
    stacked = pd.concat(cells, ignore_index=True).iloc[places].reset_index(drop=True)
    of_run = runs.loc[runs.index.repeat(sizes[which])].reset_index(drop=True)
    columns = {}
    for name, rule in SCORE_SCHEMA.items():
        there = np.array([name in table for table in cells])[np.repeat(which, sizes[which])]
        column = own[name] if name in own else stacked[name] if there.all() else of_run[name]
        columns[name] = stacked[name].where(there, column).astype(rule.dtype) if there.any() else column
        if rule.required and columns[name].isna().any():
            raise DataError(f"{place / 'runs.csv'}: column {name} is missing of a run that has scores")
    return pd.DataFrame(columns)


def find_scores(study: str, results: Path | str | None = None, **only) -> tuple[pd.DataFrame, str]:
    """(scores of a study, ''); where there are none, an empty table and what to run, worded alike on every machine.

    `only` as of `load_scores`, which raises DataError for results that are there and off schema.
    """
    place = place_of(study, results)
    if read_index(place)["cells"].notna().any():
        return load_scores(study, results, **only), ""
    return stack_scores(place, read_index(place)), f"no results of study {study!r} yet: run `xt run {study}`"


def read_cells(path: Path) -> pd.DataFrame:
    """What was scored: CELL_COLUMNS, and those of OF_A_RUN that differ within a run.  Raises DataError off schema."""
    content = read_shared(path)
    names = content.split(b"\n", 1)[0].decode().split(",")
    further = [name for name in OF_A_RUN if name in names]
    table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)  # only '' is missing; 'none' is an arm
    return check_table(table, {name: SCORE_SCHEMA[name] for name in (*CELL_COLUMNS, *further)}, path)


def read_own(paths: Sequence[Path], sizes: np.ndarray, sums: Iterable[str]) -> pd.DataFrame:
    """OWN_COLUMNS of some runs, one after the other; `sizes` says how many rows each has, `sums` what the index says.

    Raises DataError naming the file that is missing, off schema, of another length or another one than was written.
    """
    header, bodies = ",".join(OWN_COLUMNS).encode() + b"\n", []
    for path, size, known in zip(paths, sizes, sums, strict=True):
        content = read_summed(path, "scores", known)
        bodies.append(content.removeprefix(header))
        if not content.startswith(header) or bodies[-1].count(b"\n") != size:
            raise DataError(
                f"{path}: allowed are the columns {', '.join(OWN_COLUMNS)} and {size} rows, as many as cells"
            )
    try:
        return read_values(b"".join(bodies), "scores")
    except DataError:
        for path, body in zip(paths, bodies, strict=True):
            read_values(body, path)
        raise


def read_values(body: bytes, path: Path | str) -> pd.DataFrame:
    """OWN_COLUMNS from lines without a header; DataError naming the file."""
    table = pd.read_csv(io.BytesIO(body), dtype=str, keep_default_na=False, names=list(OWN_COLUMNS))
    spelled = {short: word for word, short in BOOLEANS.items()}
    table["at_floor"] = table["at_floor"].map(lambda text: spelled.get(text, text))
    return check_table(table, {name: SCORE_SCHEMA[name] for name in OWN_COLUMNS}, path)


def load_stats(
    study: str,
    run_id: str,
    results: Path | str | None = None,
    *,
    layer: int | None = None,
    direction: str | None = None,
) -> pd.DataFrame:
    """Per-example statistics of one run; `layer` and `direction` choose among those of retrieval.

    Raises DataError naming the file looked for where there is none, and one that does not fit its items.
    """
    stats = read_stats(find_stats(study, run_id, results))
    for name, value in (("layer", layer), ("direction", direction)):
        if value is not None:
            stats = stats[stats[name] == value]
    return stats.reset_index(drop=True)


def find_stats(study: str, run_id: str, results: Path | str | None = None) -> Path:
    """The file of a run's per-example statistics; DataError naming it where there is none, or not what was written."""
    place = find_study(study, results)
    path = files_of(place, run_id)[1]
    if not path.is_file():
        raise DataError(f"no statistics of run {run_id}: no file {path}")
    read_summed(path, "stats", column_of(place, "sums").get(run_id, ""))
    return path


def has_stats(study: str, run_id: str, results: Path | str | None = None) -> bool:
    """Whether per-example statistics of a run are there; imported scores have none."""
    return files_of(find_study(study, results), run_id)[1].is_file()


def load_selection_stats(study: str, run_id: str, results: Path | str | None = None) -> pd.DataFrame | None:
    """Per-example statistics of a run's best checkpoint on the data of the training language that it was selected on;
    None where there are none: nothing was trained, or the run is older than these files."""
    place = find_study(study, results)
    path, sums = files_of(place, run_id)[2], column_of(place, "sums").get(run_id, "")
    if "selection " in sums:
        read_summed(path, "selection", sums)
    return read_stats(path) if path.is_file() else None
