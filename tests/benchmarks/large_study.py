"""A study of a hundred encoders, ten intermediate tasks, twelve targets, fifty languages and five seeds: planned,
counted, and its results simulated. No run of it is made."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from tests.benchmarks import frame
from tests.benchmarks.growth import RUN_ID, make_run, write_index

TAKES = "plan, cost, files and disk of a study of 71,000 runs, results of 100,000; three minutes"
ENCODERS = {"FacebookAI/xlm-roberta-base": 50, "FacebookAI/xlm-roberta-large": 40, "facebook/xlm-roberta-xl": 8,
            "facebook/xlm-roberta-xxl": 2}  # fmt: skip
"""Shape -> how many encoders have it."""
ARMS = ("none", "anli_plus", "mnli", "qqp", "squad_v2", "squad", "hellaswag", "cosmosqa", "commonsenseqa", "multi_free",
        "mnli_shuffled")  # fmt: skip
TARGETS = ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba", "xcopa", "americasnli",
           "masakhaner")  # fmt: skip
"""Those that the hub has rows of."""
SUSTAINED = 1e14
"""Operations per second that a GPU is taken to sustain: assumed, a third of an A100's bf16 peak; none was measured."""
OWN_FILES = {"target": 6, "retrieval": 5, "intermediate": 9, "model": 4}
"""Files of a run folder with its notebook (README.md lists them), weights of fine-tuned models gone; and one lock."""
COMMITTED = {"target": 3, "retrieval": 2}
"""Files of a run among the committed results; cells and items, which runs share, are few."""


def measure(tiny: bool = False):
    """Counts as they follow from the plan, and seconds of what a user waits for."""
    from xt.grid import distinct_runs, plan

    shapes = {shape: min(count, 1 if tiny else count) for shape, count in list(ENCODERS.items())[: 1 if tiny else None]}
    study, known = build_study(shapes)
    with tempfile.TemporaryDirectory() as place, patch.dict("xt.workload.SHAPES", known):
        with patch.dict(os.environ, XT_RUNS=place, XT_RESULTS=place):
            blocks, seconds = timed(lambda: plan(study))
            runs = distinct_runs(blocks)
            rows = [frame.row(f"plan of {len(runs)} runs, none made", seconds, "seconds"), *count_files(runs)]
            rows += count_work(runs)
            write_index(Path(place) / study.name, sorted(run.run_id for run in runs))
            _, seconds = timed(lambda: plan(study))
            rows.append(frame.row(f"plan of {len(runs)} runs, all committed", seconds, "seconds"))
    return frame.table(rows + time_results(8 if tiny else 100_000))


def build_study(shapes: dict[str, int]):
    """(the study, name -> shape of its encoders)."""
    from xt.studies import STUDIES
    from xt.workload import SHAPES

    known = {f"{shape}-{number}": SHAPES[shape] for shape, count in shapes.items() for number in range(count)}
    settings = dict(name="large", encoders=tuple(known), intermediates=ARMS, targets=TARGETS, seeds=(1, 2, 3, 4, 5))
    return replace(STUDIES["xtreme-r"], beside=(), costs=(), more_languages=True, **settings), known


def timed(task):
    """(what a task returns, seconds of the processor: other work does not count)."""
    started = time.process_time()
    return task(), time.process_time() - started


def count_files(runs: Sequence) -> list[dict]:
    """Rows: runs by phase, and files with and without predictions in one file per run."""
    phases = Counter(run.phase for run in runs)
    models = {run.config.model.model_id for run in runs if run.phase == "target"}
    scored = [run for run in runs if run.phase in COMMITTED]
    languages = sum(len(run.config.languages) for run in scored)
    folders = sum(OWN_FILES[phase] * count for phase, count in phases.items()) + OWN_FILES["model"] * len(models)
    locks = len(runs) + len(models)
    note = ", ".join(f"{count} {phase}" for phase, count in phases.items()) + f", {len(models)} models of targets"
    return [
        frame.row("runs", len(runs), "runs", note=note),
        frame.row("scores of a language and run", languages, "scores", note="one metric, layer and direction"),
        frame.row("files under data/runs", folders + len(scored) + locks, "files", note="predictions in one file"),
        frame.row("files under data/runs, a file per language", folders + languages + locks, "files"),
        frame.row("files under data/results", sum(COMMITTED[run.phase] for run in scored), "files"),
    ]


def count_work(runs: Sequence) -> list[dict]:
    """Rows: operations of all runs, hours of a GPU at SUSTAINED, weights that are kept."""
    from xt.workload import shape_of, work_of

    works, trained = [], set()
    for run in runs:
        model = run.config.model.model_id if run.phase == "target" else None
        works.append(work_of(run.config, model in trained))
        trained.add(model)
    known = [work.units for work in works if work]
    units = sum(known) / len(known) * len(works)
    kept = sum(shape_of(run.config.encoder).bytes_of_weights for run in runs if run.phase == "intermediate")
    note = (
        f"2 operations per parameter and token; {SUSTAINED:.0e} per second are assumed; {len(works) - len(known)} runs "
    )
    note += "of unknown size count as the mean of the others"
    return [
        frame.row("hours of one GPU", 2 * units / SUSTAINED / 3600, "hours", note=note),
        frame.row("kept weights of intermediate models", kept / 1e12, "TB", note="float32"),
    ]


def time_results(size: int) -> list[dict]:
    """Rows: seconds of the processor for what is asked of results of that many runs, and the size of their index."""
    from xt import journal
    from xt.results import finished_runs, is_committed, load_scores, read_index, write_run

    with tempfile.TemporaryDirectory() as results:
        place = Path(results) / "study"
        write_index(place, [RUN_ID.format(seed=seed) for seed in range(1, size + 1)])
        scores, row, stats = make_run(RUN_ID.format(seed=size + 1), size + 1)
        journal.FOLLOWED.clear()
        tasks = {
            "ids of finished runs, first asked": lambda: finished_runs(place),
            "whether a run is there, asked again": lambda: is_committed(place, row["run_id"]),
            "one more run": lambda: write_run(place, row["run_id"], scores, row, stats),
            "index, all columns": lambda: read_index(place),
            "scores of one run of them": lambda: load_scores("study", results, run_id=row["run_id"]),
            "all scores": lambda: load_scores("study", results),
        }
        rows = [frame.row(f"{size} runs: {what}", timed(task)[1], "seconds") for what, task in tasks.items()]
        megabytes = (place / "runs.csv").stat().st_size / 1e6
    return [*rows, frame.row(f"{size} runs: index", megabytes, "MB")]
