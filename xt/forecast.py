"""What a study costs before it runs, and what it could show: runs, hours, disk, the smallest gain of its seeds.

Every number comes from runs that were measured: hours from committed runs of the same kind on the same device, or
scaled from other runs there; noise from committed results. Where nothing was measured, that is said, and no number
stands.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from xt.config import ScoreConfig, Trained
from xt.digests import file_digest
from xt.gains import average_languages, load_cubes, noise_of
from xt.grid import Block, PlannedRun, distinct_runs
from xt.item_stats import write_bytes
from xt.locations import folder
from xt.presets import resolve_knobs
from xt.results import RUN_COLUMNS, files_of, load_runs, load_scores
from xt.stats import Noise, smallest_gain
from xt.store import WEIGHTS
from xt.studies import STUDIES
from xt.study import Study
from xt.tasks import TASKS
from xt.tasks.sources import read_json
from xt.workload import Work, scored_examples, shape_of, tokens_per_example, work_of

MEASURED, SCALED, GIVEN, UNKNOWN = "measured", "scaled", "given speed", "not measured"
NUM_RESAMPLES = 200
"""Resamples behind the item noise: its standard error is then 5 %."""


@dataclass(frozen=True)
class Committed:
    """What the committed results say about time, size and noise."""

    runs: pd.DataFrame
    """One row per committed run of any study: those of the index, with `study`, `preset`, `task` (its target, else its
    arm), `num_scored` (examples), `committed_bytes` and `folder_bytes` (NaN where the run's folder is not here)."""
    noise: pd.DataFrame
    """One row per encoder and target of a study: `study`, and the fields of `xt.stats.Noise`."""


@dataclass(frozen=True)
class Forecast:
    """What is known of a study before it runs."""

    device: str
    """What the hours are hours of."""
    phases: pd.DataFrame
    """See `count_phases`."""
    disk: dict[str, float]
    """See `measure_disk`."""
    gains: pd.DataFrame
    """See `tabulate_gains`."""
    lacking: dict[str, str]
    """What of the study cannot run -> what it lacks."""


def forecast(study: Study, blocks: Sequence[Block], device: str, tokens_per_second: float = 0) -> Forecast:
    """What the runs of a study (`xt.grid.plan`) take on a device, spelled as in the index of runs, and can show.

    `tokens_per_second` is the training speed of the study's first encoder there; 0: from committed runs. Raises
    ValueError where a speed is given for an encoder of unknown size.
    """
    runs, committed = distinct_runs(blocks), load_committed()
    clock = Clock(study, committed, device, tokens_per_second)
    lacking = {what: why for block in blocks for what, why in block.lacking.items()}
    gains = tabulate_gains(study, blocks, committed)
    return Forecast(device, count_phases(runs, clock), measure_disk(runs, committed), gains, lacking)


def load_committed(results: Path | None = None) -> Committed:
    """All studies under `results` (default: the project's), those without scores left out."""
    results = results or folder("XT_RESULTS")
    tables, noises = [], []
    for study in sorted(path.parent.name for path in results.glob("*/scores")):
        scores = load_scores(study, results)
        scored = scores.drop_duplicates(["run_id", "eval_language"]).groupby("run_id")["num_examples"].sum()
        runs = load_runs(study, results)
        tables.append(runs.assign(
            study=study, preset=scores["preset"].mode()[0], task=runs["target"].fillna(runs["intermediate"]),
            num_scored=runs["run_id"].map(scored).astype("Float64"),
            committed_bytes=[size_of(files_of(results / study, run_id)) for run_id in runs["run_id"]],
            folder_bytes=[size_of((folder("XT_RUNS") / run_id).glob("**/*")) for run_id in runs["run_id"]],
        ))  # fmt: skip
        noises += remember_noise(study, scores, results)
    columns = ["study", "encoder", "target", *(field.name for field in fields(Noise))]
    empty = pd.DataFrame(
        columns=[*RUN_COLUMNS, "study", "preset", "task", "num_scored", "committed_bytes", "folder_bytes"]
    )
    return Committed(pd.concat(tables, ignore_index=True) if tables else empty, pd.DataFrame(noises, columns=columns))


def remember_noise(study: str, scores: pd.DataFrame, results: Path) -> list[dict]:
    """`noise_rows` of a study, kept in the cache until its index of runs changes."""
    store, digest = folder("XT_CACHE") / "gain-noise.json", file_digest(results / study / "runs.csv")
    known = read_json(store)
    if known.get(study, [""])[0] != digest:
        known[study] = [digest, noise_rows(study, scores, results)]
        write_bytes(store, json.dumps(known).encode())
    return known[study][1]


def noise_rows(study: str, scores: pd.DataFrame, results: Path) -> list[dict]:
    """Rows of `Committed.noise`: of each encoder and target with a baseline, an arm, two seeds and statistics."""
    with_items = scores[[(results / study / "stats" / f"{run}.parquet").is_file() for run in scores["run_id"]]]
    return [
        dict(study=study, encoder=cube.encoder, target=cube.target)
        | asdict(noise_of(average_languages(cube, ~cube.at_floor)))
        for cube in load_cubes(with_items, np.random.default_rng(0), results, NUM_RESAMPLES)
        if not cube.at_floor.all()
    ]


def size_of(paths: Iterable[Path]) -> float:
    """Bytes of the files that are there, weights left out; NaN where there are none."""
    sizes = [path.stat().st_size for path in paths if path.is_file() and path.parent.name != WEIGHTS]
    return float(sum(sizes)) if sizes else np.nan


class Clock:
    """How long runs take on one device: as measured there, else by their work and the speed of the device."""

    def __init__(self, study: Study, committed: Committed, device: str, tokens_per_second: float = 0):
        here = committed.runs[committed.runs["device"] == device]
        kinds = here.groupby(["phase", "task", "preset", "encoder"], dropna=False)["seconds"].median()
        self.study, self.measured = study, kinds.dropna().to_dict()
        shape = shape_of(study.encoders[0])
        if tokens_per_second and shape is None:
            raise ValueError(f"tokens per second of {study.encoders[0]!r}: its size is not known; see xt/workload.py")
        self.source = GIVEN if tokens_per_second else SCALED
        self.speed = 3 * shape.parameters * tokens_per_second if tokens_per_second else speed_of(here)
        self.known: dict[tuple, tuple[float, str]] = {}

    def hours(self, run: PlannedRun, trained: bool) -> tuple[float, str]:
        """(hours, how they are known) of a run; NaN where nothing was measured that tells. `trained`: another run has
        made the model that this one scores."""
        kind = (run.phase, subject_of(run), self.study.preset, run.config.encoder)
        if (*kind, trained) not in self.known:
            self.known[*kind, trained] = self.ask(kind, run, trained)
        return self.known[*kind, trained]

    def ask(self, kind: tuple, run: PlannedRun, trained: bool) -> tuple[float, str]:
        """As `hours`, computed."""
        if kind in self.measured:
            return self.measured[kind] / 3600, MEASURED
        work = work_of(run.config, trained)
        if work is None or not np.isfinite(self.speed):
            return np.nan, UNKNOWN
        return work.units / self.speed / 3600, self.source


def subject_of(run: PlannedRun) -> str:
    """What runs of about the same duration share beside phase, preset and encoder: the target, or the arm."""
    return getattr(run.config, "target", None) or run.config.intermediate


def speed_of(runs: pd.DataFrame) -> float:
    """Work units per second: the median over committed target runs of a device; NaN where there are none."""
    speeds = []
    for run in runs[(runs["phase"] == "target") & runs["seconds"].gt(0).fillna(False)].itertuples():
        shape = shape_of(run.encoder) if run.study in STUDIES else None
        if shape:
            training, knobs = (
                resolve_knobs(run.preset, task) for task in (TASKS[run.target].training_task, run.target)
            )
            form = TASKS[run.target].format
            trained = run.num_train_examples * training.num_epochs * tokens_per_example(form, training, training=True)
            work = Work(shape.parameters, trained, run.num_scored * tokens_per_example(form, knobs))
            speeds.append(work.units / run.seconds)
    return float(np.median(speeds)) if speeds else np.nan


def count_phases(runs: Sequence[PlannedRun], clock: Clock) -> pd.DataFrame:
    """One row per phase: `runs`, how many are `missing`, `hours` of all runs whose time is known and `hours_left` of
    the missing ones, `not_measured` (runs whose time is not known), `source` of the hours."""
    rows, trained = [], set()
    for run in runs:
        model = run.config.model.model_id if run.phase == "target" else None
        hours, source = clock.hours(run, model in trained)
        trained.add(model)
        left = run.state == "missing"
        rows.append(dict(phase=run.phase, missing=left, hours=hours, hours_left=hours * left, source=source))
    table = pd.DataFrame(rows, columns=["phase", "missing", "hours", "hours_left", "source"])
    groups = table.groupby("phase", sort=False)
    return groups.agg(runs=("phase", "size"), missing=("missing", "sum")).assign(
        hours=groups["hours"].sum(min_count=1),
        hours_left=groups["hours_left"].sum(min_count=1),
        not_measured=groups["source"].agg(lambda sources: int((sources == UNKNOWN).sum())),
        source=groups["source"].agg(lambda sources: ", ".join(dict.fromkeys(sources))),
    ).reset_index()  # fmt: skip


def measure_disk(runs: Sequence[PlannedRun], committed: Committed) -> dict[str, float]:
    """Bytes of `kept weights` (of what other runs start from), `run folders` without them and `committed results`; NaN
    where an encoder's size or an example count is not known, or nothing is here to measure.

    The files of a scoring are counted per scored example: the median over runs of its target, else over all. A scoring
    of unknown size counts as many examples as those of its target did.
    """
    shapes = [shape_of(run.config.encoder) for run in runs if isinstance(run.config, Trained)]
    disk = {"kept weights": float(sum(shape.bytes_of_weights for shape in shapes)) if None not in shapes else np.nan}
    planned = pd.DataFrame(
        [(run.config.target, scored_examples(run.config)) for run in runs if isinstance(run.config, ScoreConfig)],
        columns=["target", "num_scored"],
    ).astype({"num_scored": float})  # fmt: skip
    known = committed.runs["num_scored"].astype(float).groupby(committed.runs["target"]).median()
    planned["num_scored"] = planned["num_scored"].fillna(planned["target"].map(known))
    num_scored = planned.groupby("target")["num_scored"].agg(lambda counts: counts.sum(skipna=False))
    for what, column in (("run folders", "folder_bytes"), ("committed results", "committed_bytes")):
        rates = committed.runs[column].astype(float) / committed.runs["num_scored"].astype(float)
        by_target = rates.groupby(committed.runs["target"]).median().reindex(num_scored.index).fillna(rates.median())
        disk[what] = float((by_target * num_scored).sum(skipna=False))
    return disk


def tabulate_gains(study: Study, blocks: Sequence[Block], committed: Committed) -> pd.DataFrame:
    """One row per encoder and target: `num_seeds`, `num_arms` (the baseline counts), `smallest_gain` (points; NaN where
    it cannot be told) and `noise_of`: whose noise it rests on, or why there is no number."""
    planned = {(run.config.encoder, run.config.target, run.config.intermediate)
               for run in distinct_runs(blocks) if isinstance(run.config, ScoreConfig)}  # fmt: skip
    rows = []
    for part in study.parts:
        for encoder, target in product(part.encoders, part.targets):
            arms, num_seeds = sum((encoder, target, arm) in planned for arm in part.intermediates), len(study.seeds)
            noise, source = find_noise(committed.noise, encoder, target)
            known = noise is not None and arms > 1
            gain = smallest_gain(noise.spread(arms), noise.item_sd, num_seeds) if known else np.nan
            why = "fewer than three seeds give no p value" if num_seeds < 3 else source
            row = dict(encoder=encoder, target=target, num_seeds=num_seeds, num_arms=arms)
            rows.append(row | dict(smallest_gain=gain, noise_of=why))
    return pd.DataFrame(rows, columns="encoder target num_seeds num_arms smallest_gain noise_of".split())


def find_noise(noise: pd.DataFrame, encoder: str, target: str) -> tuple[Noise | None, str]:
    """(noise, whose it is): of the same encoder and target, else the median of all targets whose baselines are trained,
    or are not, as that of this one; None where none was measured."""
    num_varying = 2 if TASKS[target].training_task else 1
    same = noise[(noise["encoder"] == encoder) & (noise["target"] == target)]
    chosen = noise[noise["num_varying"] == num_varying] if same.empty else same
    if chosen.empty:
        return None, "nothing is committed to measure noise on"
    studies = ", ".join(sorted(set(chosen["study"])))
    source = "the same encoder and target" if len(same) else f"median of {len(chosen)}, other encoders or targets"
    sds = chosen.drop(columns=["study", "encoder", "target", "num_varying"]).median().to_dict()
    return Noise(**sds, num_varying=num_varying), f"{studies}: {source}"
