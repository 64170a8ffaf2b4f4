"""What committed results and plans cost as runs become many: the curve, and its exponent (1 = linear)."""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks import frame

TAKES = "reading, planning and adding to results of 1,250 to 10,000 runs; three minutes"
SIZES = (1250, 2500, 5000, 10_000)
LINEAR = "this <= 1.15"
RUN_ID = "xnli-none-s{seed}-{seed:012x}"


def measure(tiny: bool = False):
    """Seconds of each operation at each size, and the slope of log seconds over log runs between first and last."""
    sizes, rows = (4, 8) if tiny else SIZES, []
    with tempfile.TemporaryDirectory() as place:
        curves = {size: time_operations(Path(place) / str(size), size) for size in sizes}
    for what in curves[sizes[0]]:
        seconds = [curves[size][what] for size in sizes]
        slope = float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
        curve = " ".join(f"{size}:{value:.3f}" for size, value in zip(sizes, seconds, strict=True))
        rows.append(frame.row(f"{what}: exponent", slope, "", LINEAR, note=f"seconds by runs {curve}", seconds=curve))
        rows.append(frame.row(f"{what}, {sizes[-1]} runs", seconds[-1], "seconds", seconds=curve))
    return frame.table(rows)


def time_operations(place: Path, size: int) -> dict[str, float]:
    """Operation -> seconds, the best of three, on results of `size` runs with scores in 15 languages."""
    from xt.results import finished_runs, load_scores, write_run

    run_ids = [RUN_ID.format(seed=seed) for seed in range(1, size + 1)]
    write_index(place / "study", run_ids)
    scores, row, stats = make_run(RUN_ID.format(seed=size + 1), size + 1)
    return {
        "ids of finished runs": best_of(lambda: finished_runs(place / "study")),
        "all scores": best_of(lambda: load_scores("study", place)),
        "one more run": best_of(lambda: write_run(place / "study", row["run_id"], scores, row, stats)),
    }


def best_of(task, times: int = 3) -> float:
    """Seconds of a task, the fewest of some times."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def write_index(place: Path | str, run_ids: list[str]) -> None:
    """Results of runs with the same scores: written once, then copied under every id."""
    from xt.results import INDEX_SCHEMA, encode_csv, read_index, write_run

    place = Path(place)
    scores, row, stats = make_run(run_ids[0], 1)
    write_run(place, run_ids[0], scores, row, stats)
    index = read_index(place)
    for run_id in run_ids[1:]:
        shutil.copyfile(place / "scores" / f"{run_ids[0]}.csv", place / "scores" / f"{run_id}.csv")
    index = index.loc[index.index.repeat(len(run_ids))].assign(run_id=sorted(run_ids))[list(INDEX_SCHEMA)]
    (place / "runs.csv").write_bytes(encode_csv(index, float_format="%.4f"))


def make_run(run_id: str, seed: int):
    """(score rows, index row, no statistics) of an invented run in 15 languages."""
    import pandas as pd

    from xt.results import RUN_COLUMNS, SCORE_COLUMNS
    from xt.tasks import get_task

    shared = dict(run_id=run_id, encoder="tiny", intermediate="none", target="xnli", seed=seed, outcome="ok")
    shared |= dict(data_status="fixture", code_version="0")
    row = dict.fromkeys(RUN_COLUMNS) | shared | dict(phase="target", status="done", seconds=1.0, device="none")
    row |= dict(precision="bf16", num_threads=1, libraries="none 0", model_id="target", num_train_examples=8)
    codes = get_task("xnli").languages
    scores = pd.DataFrame({"eval_language": codes, "score": np.linspace(33, 66, len(codes))})
    scores = scores.assign(
        **shared, study="study", train_language="en", split="test", metric="accuracy", preset="smoke"
    )
    scores = scores.assign(study="study", floor=33.0, floor_kind="chance", at_floor=False, num_examples=100)
    return scores.reindex(columns=list(SCORE_COLUMNS)), row, pd.DataFrame()
