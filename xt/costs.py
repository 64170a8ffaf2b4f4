"""Measured costs of inference, and what tells them apart: committed tables, ratios between arms, costs of languages.

    data/results/<study>/costs/<run_id>/
      processes.parquet   one row per fresh process and batch size: memory, pace, time to load
      texts.parquet       per process and language: tokens and features of an example, time of the tokenizer
      work.parquet        per arm, language and number of layers: operations of a feature
      latencies.parquet   every timed batch
      left_out.parquet    the backends that could not run, and why

The unit of a comparison is a round: one fresh process per arm, in random order. Batches timed in one process share its
luck with memory and neighbours on the machine, so that they are averaged first.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.margins import margin_of
from xt.results import find_study, study_runs
from xt.schema import Column, check_table
from xt.stats import adjust_holm, equivalence_test

TEXT, NUMBER, COUNT = Column("string"), Column("Float64", low=0), Column("Int64", low=0)
OPTIONAL = Column("Float64", required=False, low=0)
PROCESS = {"round": COUNT, "order": COUNT, "intermediate": TEXT, "backend": TEXT}
"""Columns of every table: which round, the process's place in the whole order, what it measured."""
COST_SCHEMA: Mapping[str, Mapping[str, Column]] = {
    "processes": PROCESS
    | {
        "batch_size": COUNT,
        "num_parameters": COUNT,
        "disk_mib": NUMBER,
        "load_seconds": NUMBER,
        "ready_seconds": NUMBER,
        "base_memory_mib": NUMBER,
        "memory_mib": NUMBER,
        "peak_memory_mib": NUMBER,
        "device_memory_mib": OPTIONAL,
        "features_per_second": NUMBER,
        "joules": OPTIONAL,
    },
    "texts": PROCESS
    | {"eval_language": TEXT, "tokenize_ms": NUMBER, "num_tokens": NUMBER, "features_per_example": NUMBER},
    "work": PROCESS | {"eval_language": TEXT, "num_layers": COUNT, "flops": NUMBER},
    "latencies": PROCESS
    | {
        "eval_language": TEXT,
        "batch_size": COUNT,
        "num_layers": COUNT,
        "number": COUNT,
        "milliseconds": NUMBER,
        "padded_tokens": COUNT,
    },
    "left_out": {"backend": TEXT, "reason": TEXT},
}
"""Table -> its columns. `load_seconds`: tokenizer and weights; `ready_seconds`: from there to the first result.
Memory in MiB: `base` before the model, `memory` after batches of this size, `peak` the high-water mark until then.
`features_per_second`, `joules` (per feature, of the processor's packages): batches without a pause. `disk_mib`: the
files of the checkpoint. `tokenize_ms`, `num_tokens`: per example, all its features together (a feature is what the
encoder reads at a time, of a long text one window)."""
OF_RUN = ("run_id", "encoder", "target", "seed", "device", "num_threads")
"""Columns that `load_costs` adds, from the index of runs."""
CELL = ["encoder", "target", "backend"]
"""What arms are compared within."""


def costs_folder(place: Path, run_id: str) -> Path:
    """Where the tables of a measurement stand in a study's folder."""
    return place / "costs" / run_id


def write_costs(place: Path, run_id: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Writes the tables of a measurement, checked. Raises DataError for one off schema, before anything is written."""
    folder = costs_folder(place, run_id)
    checked = {name: check_table(tables[name], columns, folder / name) for name, columns in COST_SCHEMA.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in checked.items():
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")


def load_costs(study: str, results: Path | str | None = None) -> dict[str, pd.DataFrame]:
    """Table -> its rows in all measurements of a study, with OF_RUN; empty tables where there is none."""
    runs, tables = study_runs(study, results), empty_tables()
    measured = runs[runs["phase"] == "efficiency"]
    for name, columns in COST_SCHEMA.items():
        parts = []
        for row in measured[list(OF_RUN)].to_dict("records"):
            path = costs_folder(find_study(study, results), row["run_id"]) / f"{name}.parquet"
            if not path.is_file():
                raise DataError(f"no file {path}, though runs.csv says that the run is done")
            parts.append(check_table(pd.read_parquet(path), columns, path).assign(**row))
        tables[name] = pd.concat(parts or [tables[name]], ignore_index=True)
    return tables


def find_costs(study: str, results: Path | str | None = None) -> tuple[dict[str, pd.DataFrame], str]:
    """(the tables of `load_costs`, ''); where nothing was measured, empty ones and what to run."""
    tables = load_costs(study, results)
    return tables, "" if len(tables["processes"]) else f"no measured costs of study {study!r} yet: run `xt run {study}`"


def empty_tables() -> dict[str, pd.DataFrame]:
    """Table -> no rows."""
    return {
        name: check_table(pd.DataFrame(columns=list(columns)), columns, name).reindex(columns=[*columns, *OF_RUN])
        for name, columns in COST_SCHEMA.items()
    }


QUANTITIES: Mapping[str, tuple[str, str]] = {
    "latency": ("ms per batch", "latency"),
    "throughput": ("features per second", "latency"),
    "memory": ("MiB", "memory footprint"),
}
"""Quantity -> (unit, row of data/margins.csv). `memory` is the high-water mark less what the process held before the
model was there: the libraries alone would make any two models alike."""


def measure_rounds(costs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per process and quantity: CELL, `intermediate`, `round`, `quantity`, `batch_size`, `log`, the natural
    logarithm of its value. Of a latency it is the median over the batches of a language, averaged over languages (and
    numbers of layers) in logarithms."""
    own = [*CELL, "intermediate", "round", "batch_size"]
    timed = costs["latencies"].groupby([*own, "eval_language", "num_layers"])["milliseconds"].median()
    latency = np.log(timed.astype(float)).groupby(own).mean().rename("log").reset_index().assign(quantity="latency")
    process = costs["processes"]
    values = {
        "throughput": process["features_per_second"],
        "memory": process["peak_memory_mib"] - process["base_memory_mib"],
    }
    others = [
        process[own].assign(quantity=quantity, log=np.log(value.astype(float))) for quantity, value in values.items()
    ]
    return pd.concat([latency, *others], ignore_index=True)


def compare_arms(costs: Mapping[str, pd.DataFrame], level: float = 0.05) -> pd.DataFrame:
    """Every arm against the first one measured, and an arm in another language against itself in English: the ratio of
    costs over rounds, and whether it is equivalent to one.

    One row per CELL, quantity, batch size and pair of `intermediate` and `against`, `direct` where these differ in the
    language alone: `pairs` (rounds), `percent` with `low`, `high` (t interval on the logarithm of the ratio, of 1 -
    `level`), `margin` (percent), `p`: two one-sided t tests (Schuirmann 1987) of a ratio outside of the margin,
    `p_holm` over the rows of an encoder and quantity, `equivalent`; `p_beyond` of a ratio within the margin
    (one-sided), `beyond`: whether that is below half the level after Holm's correction. No p below three pairs.
    """
    rounds, rows = measure_rounds(costs), []
    for key, part in rounds.groupby([*CELL, "quantity", "batch_size"], sort=False):
        wide = part.pivot(index="round", columns="intermediate", values="log")
        named = dict(zip([*CELL, "quantity", "batch_size"], key, strict=True))
        margin, first = margin_of(QUANTITIES[key[3]][1]), first_arm(costs, key[0])
        pairs = [(arm, first) for arm in wide] + [(arm, arm.partition(".")[0]) for arm in wide]
        for arm, other in dict.fromkeys(pair for pair in pairs if pair[0] != pair[1] in wide):
            ratio = (wide[arm] - wide[other]).dropna().to_numpy(float)
            pair = {"intermediate": arm, "against": other, "direct": arm.partition(".")[0] == other}
            rows.append(named | pair | test_ratio(ratio, margin, level))
    table = pd.DataFrame(rows, columns=RATIO_COLUMNS)
    family = table.groupby(["encoder", "quantity"], sort=False)
    table["p_holm"], outside = (
        family[p].transform(lambda values: adjust_holm(values.to_numpy(float))) for p in ("p", "p_beyond")
    )
    return table.assign(equivalent=table["p_holm"] < level, beyond=outside < level / 2)


RATIO_COLUMNS = [
    *CELL, "quantity", "batch_size", "intermediate", "against", "direct", "pairs", "percent", "low", "high", "margin",
    "p", "p_beyond",
]  # fmt: skip
"""Columns of `compare_arms` before its corrections."""


def first_arm(costs: Mapping[str, pd.DataFrame], encoder: str) -> str:
    """The arm that the others of an encoder are compared with: `none` where it was measured, else the first by name."""
    arms = sorted(costs["processes"].loc[costs["processes"]["encoder"] == encoder, "intermediate"].unique())
    return "none" if "none" in arms else arms[0]


def test_ratio(logs: np.ndarray, margin: float, level: float) -> dict[str, float]:
    """The mean ratio whose logarithms in independent pairs are `logs` (P,): percent, interval, p of equivalence within
    `margin` percent, and of a ratio beyond it."""
    from scipy.special import stdtr, stdtrit

    count, mean = len(logs), float(logs.mean()) if len(logs) else np.nan
    error = float(logs.std(ddof=1) / np.sqrt(count)) if count > 2 else np.nan
    half = stdtrit(count - 1, 1 - level / 2) * error if count > 2 else np.nan
    p = float(equivalence_test(mean, error, count - 1, np.log1p(margin / 100))) if count > 2 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = float(stdtr(count - 1, (np.log1p(margin / 100) - abs(mean)) / error)) if count > 2 else np.nan
    percent, low, high = (100 * np.expm1(value) for value in (mean, mean - half, mean + half))
    return {"pairs": count, "percent": percent, "low": low, "high": high, "margin": margin, "p": p, "p_beyond": beyond}


def describe_latencies(costs: Mapping[str, pd.DataFrame], by: Sequence[str]) -> pd.DataFrame:
    """Median and upper percentiles of the timed batches, ms, pooled over processes: `p50`, `p95`, `p99`, `batches`."""
    grouped = costs["latencies"].groupby(list(by), sort=False)["milliseconds"]
    columns = {f"p{share}": grouped.quantile(share / 100) for share in (50, 95, 99)}
    return pd.DataFrame(columns | {"batches": grouped.size()}).reset_index()


def describe_languages(costs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What an example costs by language, all its features one at a time, whole encoder, in float32 as loaded.

    One row per encoder, target and language: `num_tokens`, `features_per_example`, `tokenize_ms`, `latency_ms` (the
    mean feature of a process times the features of an example; medians over processes), and `tokenizer_share`, the
    tokenizer's part of both times together, percent.
    """
    table = costs["texts"].groupby(LANGUAGE, sort=False)[["num_tokens", "features_per_example", "tokenize_ms"]].median()
    timed = select_whole(costs["latencies"])
    timed = timed[(timed["batch_size"] == timed["batch_size"].min()) & (timed["backend"] == "eager")]
    features = (timed["milliseconds"] / timed["batch_size"]).groupby([timed[name] for name in [*LANGUAGE, *UNIT]])
    table["latency_ms"] = features.mean().groupby(LANGUAGE).median() * table["features_per_example"]
    table["tokenizer_share"] = 100 * table["tokenize_ms"] / (table["tokenize_ms"] + table["latency_ms"])
    return table.reset_index()


LANGUAGE, UNIT = ["encoder", "target", "eval_language"], ["round", "intermediate"]
"""What texts are of; what a process is, of one backend."""


def select_whole(timed: pd.DataFrame) -> pd.DataFrame:
    """The latencies of whole encoders."""
    return timed[timed.groupby("encoder")["num_layers"].transform("max") == timed["num_layers"]]


def describe_best_batches(costs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The batch size with the highest throughput, per CELL and language, whole encoder: `batch_size`,
    `features_per_second` (of its median batch) and `examples_per_second`."""
    key = [*CELL, "eval_language"]
    pace = select_whole(costs["latencies"]).groupby([*key, "batch_size"], sort=False)["milliseconds"].median()
    table = pace.rename("features_per_second").reset_index()
    table["features_per_second"] = 1000 * table["batch_size"] / table["features_per_second"]
    table = table.sort_values("features_per_second").drop_duplicates(key, keep="last").sort_index()
    sizes = costs["texts"].groupby(key)["features_per_example"].median().rename("examples_per_second")
    table = table.merge(sizes, on=key)
    return table.assign(examples_per_second=table["features_per_second"] / table["examples_per_second"])


def describe_backends(costs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Medians over processes per encoder, target, backend and batch size: `features_per_second`, `memory_mib`,
    `peak_memory_mib`, `device_memory_mib`, `ready_seconds`, `joules`."""
    memory = ["memory_mib", "peak_memory_mib", "device_memory_mib"]
    columns = ["features_per_second", *memory, "ready_seconds", "joules"]
    grouped = costs["processes"].groupby([*CELL, "batch_size"], sort=False)
    return grouped[columns].median().reset_index()
