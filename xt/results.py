"""Committed results: tidy score tables, per-example statistics, the index of runs; read, write, average.

    data/results/<study>/
      runs.csv                  one row per finished run
      scores/<run_id>.csv       one row per score of that run, in points
      stats/<run_id>.parquet    one row per example (for retrieval: per layer and direction), from which
                                every score can be computed again
      stats/<run_id>.selection.parquet
                                the same of the best checkpoint on the data it was selected on, where known

A run adds two files of its own and a row of the index, so that no file grows with the study.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from xt.errors import DataError
from xt.locations import folder
from xt.metrics import METRICS
from xt.schema import Column, check_table, refuse_duplicates
from xt.tasks import STATUSES, TASKS

TEXT, OPTIONAL_TEXT = Column("string"), Column("string", required=False)
COUNT, OPTIONAL_COUNT = Column("Int64", low=0), Column("Int64", required=False, low=0)
OPTIONAL_POINTS = Column("Float64", required=False, low=0, high=100)
OUTCOME = Column("string", allowed=("ok", "diverged", "collapsed"))
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
    "phase": Column("string", allowed=("pretrain", "intermediate", "target", "retrieval")),
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
STATS_KEYS = ["eval_language", "id", "cluster", "layer", "direction"]
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
    """Writes a finished run: statistics, scores, then its row of the index, each file in one step.

    `selection` holds per-example statistics of the best checkpoint on the data it was selected on, None where there
    are none.  Writing the same run again replaces it.  A run without scores (an intermediate training) passes empty
    frames; scores without statistics mean that none are known (imported scores).  Other processes may write other
    runs of the study meanwhile.  Raises DataError for tables off schema.
    """
    from filelock import FileLock

    study_folder = Path(study_folder)
    row = pd.DataFrame([{**index_row, "run_id": run_id}])
    row = check_table(row, RUN_SCHEMA, f"index row of {run_id}")
    if len(scores):
        write_scores(study_folder / "scores" / f"{run_id}.csv", run_id, scores)
    for frame, name in ((stats, f"{run_id}.parquet"), (selection, f"{run_id}{SELECTION}")):
        path = study_folder / "stats" / name
        path.unlink(missing_ok=True)
        if frame is not None and len(frame):
            write_stats(path, frame)
    study_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(study_folder.parent / f".{study_folder.name}.lock"):
        runs = read_runs(study_folder)
        runs = pd.concat([runs[runs["run_id"] != run_id], row]).sort_values("run_id")
        write_csv(study_folder / "runs.csv", runs)


def write_scores(path: Path, run_id: str, scores: pd.DataFrame) -> None:
    """One run's score table, sorted.  Raises DataError for rows of another run, or the same score twice."""
    scores = check_table(scores, SCORE_SCHEMA, path)
    if (scores["run_id"] != run_id).any():
        raise DataError(f"{path}: holds rows of runs {sorted(set(scores['run_id']))}; allowed: {run_id}")
    refuse_duplicates(scores, SCORE_KEYS, path)
    if (scores["score"].isna() & (scores["outcome"] == "ok")).any():
        raise DataError(f"{path}: a score is missing though the outcome is ok; allowed: 0 to 100")
    write_csv(path, scores.sort_values(SCORE_KEYS))


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """A table as CSV, numbers with four decimals."""
    write_bytes(path, frame.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode())


def write_stats(path: Path, stats: pd.DataFrame) -> None:
    """Per-example statistics in small types: dictionaries for text, the shortest integers, float32."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [key for key in STATS_KEYS if key in stats] + stat_columns(stats)
    refuse_duplicates(stats, [key for key in names if key in STATS_KEYS], path)
    columns = {name: shrink(stats[name]) for name in names}
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=15)
    write_bytes(path, sink.getvalue().to_pybytes())


def shrink(values: pd.Series) -> pd.Series:
    """The same values in the smallest type that holds them (32 bits for fractions)."""
    if values.dtype.kind == "f" and not (values % 1 == 0).all():
        return values.astype("float32")
    if values.dtype.kind in "fiub":
        return pd.to_numeric(values.astype("int64"), downcast="unsigned")
    return values.astype("string").astype("category")


def stat_columns(stats: pd.DataFrame) -> list[str]:
    """Names of the statistic columns, in the order of METRICS.  Raises DataError for an unknown column."""
    known = [f"{metric.name}.{column}" for metric in METRICS.values() for column in metric.columns]
    unknown = set(stats.columns) - set(known) - set(STATS_KEYS)
    if unknown:
        raise DataError(f"statistics hold unknown columns {sorted(unknown)}; allowed: {', '.join(STATS_KEYS + known)}")
    return [name for name in known if name in stats]


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file in one step: under another name, synced, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)


def find_study(study: str, results: Path | str | None = None) -> Path:
    """The folder of a study's committed results, under `results` (default: the project's, or XT_RESULTS).

    Raises DataError naming the folder looked for, the studies there are, and the command that makes it.
    """
    results = Path(results) if results else folder("XT_RESULTS")
    place = results / study
    if not (place / "runs.csv").is_file():
        there = sorted(path.parent.name for path in results.glob("*/runs.csv"))
        raise DataError(
            f"no results of study {study!r} in {results}: run `xt run {study}`; "
            f"allowed: {', '.join(there) or 'none yet'}"
        )
    return place


def read_csv(path: Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    """A checked table; only '' is missing, so that the arm 'none' and the word 'null' stay words."""
    return check_table(pd.read_csv(path, dtype=str, keep_default_na=False), columns, path)


def read_runs(place: Path) -> pd.DataFrame:
    """The run index in a study's folder; empty where there is none yet."""
    path = place / "runs.csv"
    return (
        read_csv(path, RUN_SCHEMA)
        if path.is_file()
        else check_table(pd.DataFrame(columns=RUN_COLUMNS), RUN_SCHEMA, path)
    )


def finished_runs(place: Path | str) -> set[str]:
    """Ids of the runs that a study's folder holds as done; empty where the folder is not there yet."""
    runs = read_runs(Path(place))
    return set(runs.loc[runs["status"] == "done", "run_id"])


def load_runs(study: str, results: Path | str | None = None) -> pd.DataFrame:
    """The run index of a study, one row per run (RUN_COLUMNS)."""
    return read_runs(find_study(study, results))


def load_scores(study: str, results: Path | str | None = None) -> pd.DataFrame:
    """All scores of a study, one row each (SCORE_COLUMNS), in points.

    Raises DataError for a file off schema, and where there are no scores yet.
    """
    files = sorted((find_study(study, results) / "scores").glob("*.csv"))
    if not files:
        raise DataError(f"study {study!r} has no scores yet: run `xt run {study}`")
    return pd.concat([read_csv(path, SCORE_SCHEMA) for path in files], ignore_index=True)


def load_stats(
    study: str,
    run_id: str,
    results: Path | str | None = None,
    *,
    layer: int | None = None,
    direction: str | None = None,
) -> pd.DataFrame:
    """Per-example statistics of one run; `layer` and `direction` choose among those of retrieval.

    Raises DataError naming the file looked for where there is none.
    """
    path = find_study(study, results) / "stats" / f"{run_id}.parquet"
    if not path.is_file():
        raise DataError(f"no statistics of run {run_id}: no file {path}")
    chosen = {"layer": layer, "direction": direction}
    filters = [(name, "==", value) for name, value in chosen.items() if value is not None]
    return pd.read_parquet(path, filters=filters or None)


def has_stats(study: str, run_id: str, results: Path | str | None = None) -> bool:
    """Whether per-example statistics of a run are there; imported scores have none."""
    return (find_study(study, results) / "stats" / f"{run_id}.parquet").is_file()


def load_selection_stats(study: str, run_id: str, results: Path | str | None = None) -> pd.DataFrame | None:
    """Per-example statistics of a run's best checkpoint on the data of the training language that it was selected on;
    None where there are none: nothing was trained, or the run is older than these files."""
    path = find_study(study, results) / "stats" / f"{run_id}{SELECTION}"
    return pd.read_parquet(path) if path.is_file() else None


def reduce_stats(stats: pd.DataFrame) -> pd.DataFrame:
    """Scores computed again from per-example statistics.

    One row per evaluation language, metric and (retrieval) layer and direction: these keys, `score` in
    points, `num_examples`.
    """
    names = stat_columns(stats)
    keys = [key for key in ("eval_language", "layer", "direction") if key in stats]
    groups = stats.groupby(keys, observed=True)
    sums, counts = groups[names].sum(), groups.size().rename("num_examples")
    tables = []
    for name in dict.fromkeys(name.split(".")[0] for name in names):
        columns = [f"{name}.{column}" for column in METRICS[name].columns]
        points = METRICS[name].reduce(sums[columns].to_numpy())
        tables.append(counts.reset_index().assign(metric=name, score=points))
    return pd.concat(tables, ignore_index=True)[[*keys, "metric", "score", "num_examples"]]
