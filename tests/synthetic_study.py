"""A small invented study, in the files of `xt.results`: known gains, seed noise, a floor language."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from xt.item_stats import encode_stats, stat_columns, sums_of
from xt.metrics import METRICS
from xt.results import (
    INDEX_SCHEMA,
    RUN_COLUMNS,
    RUN_SCHEMA,
    encode_csv,
    encode_scores,
    files_of,
    load_scores,
    read_index,
    write_run,
)
from xt.schema import check_table
from xt.tasks import TASKS

ARMS = ("none", "mnli", "squad", "hellaswag", "mnli_shuffled")
LANGUAGES = {
    "xnli": ("en", "de", "es", "fr", "ru", "zh"),
    "udpos": ("en", "de", "fr", "nl", "ru", "zh"),
    "panx": ("en", "de", "fr", "nl", "ru", "zh"),
    "xquad": ("en", "de", "es", "ru", "vi", "zh"),
    "tydiqa": ("en", "fi", "id", "ko", "ru"),
    "tatoeba": ("de", "es", "fr", "nl", "zh"),
}
BASELINE = {"xnli": 0.5, "udpos": 0.6, "panx": 0.5, "xquad": 0.4, "tydiqa": 0.35, "mlqa": 0.4, "tatoeba": 0.3}
FLOOR = {"xnli": 35.0, "udpos": 30.0, "panx": 10.0, "xquad": 8.0, "tydiqa": 8.0, "mlqa": 8.0, "tatoeba": 0.5}
GAINS = {
    ("squad", "xquad"): 0.15,
    ("squad", "tydiqa"): 0.1,
    ("mnli", "xnli"): 0.05,
    ("hellaswag", "tatoeba"): -0.1,
}
LAYERS, DIRECTIONS, REPORTED_LAYER = range(5), ("from_english", "to_english"), 3
AT_FLOOR = "zh"


def write_study(results: Path, study: str = "real", **options) -> None:
    """Writes what `simulate_study` makes of a study into its folder, as `write_run` would, but all runs at once: the
    index is written once, and no file is waited for."""
    place, runs = results / study, list(simulate_study(study, **options))
    rows = check_table(pd.DataFrame([row for _, _, row, *_ in runs]), RUN_SCHEMA, place).to_dict("records")
    files, index = {}, []
    for row, (run_id, scores, _, stats, selection) in zip(rows, runs, strict=True):
        own = files_of(place, run_id)
        shared, contents = encode_scores(scores, row, own[0])
        contents |= encode_stats(stats, own[1]) | ({} if selection is None else encode_stats(selection, own[2]))
        files |= contents
        index.append(row | shared | {"sums": sums_of(own, contents)})
    there = read_index(place)
    index = pd.concat([there[~there["run_id"].isin([row["run_id"] for row in rows])], pd.DataFrame(index)])
    index = check_table(index[list(INDEX_SCHEMA)], INDEX_SCHEMA, place).sort_values("run_id")
    for path, content in (files | {place / "runs.csv": encode_csv(index, float_format="%.4f")}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def simulate_study(
    study: str,
    *,
    seeds=(1, 2, 3),
    arms=ARMS,
    languages=LANGUAGES,
    num_clusters: int = 60,
    cluster_size: int = 2,
    seed_noise: float = 0.01,
    gains=GAINS,
    outcomes=None,
    selected=None,
    encoder: str = "mini",
    home: str = "en",
    baseline=BASELINE,
) -> Iterator[tuple]:
    """What `write_run` takes, of every arm x target x seed. `outcomes` maps (arm, target, seed) to an outcome other
    than ok; `selected` (arm, target) to the share that is right on English selection data, which all trained targets
    have if any has. Items are as hard for one encoder as for another; `home` is the training language."""
    outcomes = outcomes or {}
    for target in languages:
        rng = np.random.default_rng(list(target.encode()))
        difficulty = {code: rng.normal(0, 0.15, num_clusters) for code in languages[target]}
        rng = rng if encoder == "mini" else np.random.default_rng(list(f"{target} {encoder}".encode()))
        for arm in arms:
            for seed in seeds:
                rate = baseline[target] + gains.get((arm, target), 0) + rng.normal(0, seed_noise)
                stats = simulate_stats(target, rate, difficulty, cluster_size, rng, home)
                outcome = outcomes.get((arm, target, seed), "ok")
                chance = (selected or {}).get((arm, target), 0.5)
                seen = None
                if selected and target != "tatoeba":
                    seen = simulate_selection(target, chance, num_clusters, home)
                yield describe_run(study, target, arm, seed, stats, outcome, seen, encoder, home)


def simulate_stats(target, rate, difficulty, cluster_size, rng, home="en") -> pd.DataFrame:
    """Per-example statistics of all metrics, of every language (and layer and direction of retrieval)."""
    layers = [(layer, way) for layer in LAYERS for way in DIRECTIONS] if target == "tatoeba" else [(None, None)]
    frames = []
    for code, hard in difficulty.items():
        level = FLOOR[target] / 100 if code == AT_FLOOR else rate * (1.3 if code == home else 1)
        for layer, way in layers:
            depth = 1 if layer in (None, REPORTED_LAYER) else 0.5
            chance = np.clip(np.repeat(level * depth + hard * level, cluster_size), 0, 1)
            correct = (rng.random(len(chance)) < chance).astype(int)
            frames.append(
                pd.DataFrame(
                    {
                        "eval_language": code,
                        "id": [f"i{n}" for n in range(len(chance))],
                        "cluster": [f"c{n // cluster_size}" for n in range(len(chance))],
                        **({} if layer is None else {"layer": layer, "direction": way}),
                        **metric_columns(target, correct),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def simulate_selection(target, share, num_examples, home="en") -> pd.DataFrame:
    """English selection statistics of which this share is right, the first ones."""
    correct = (np.arange(num_examples) < share * num_examples).astype(int)
    names = [f"s{n}" for n in range(num_examples)]
    training = TASKS[target].training_task
    return pd.DataFrame(dict(eval_language=home, id=names, cluster=names) | metric_columns(training, correct))


def metric_columns(target, correct) -> dict:
    """Statistics of the target's metrics that all agree with `correct` (N,)."""
    columns = {}
    for name in TASKS[target].metrics:
        first, *rest = METRICS[name].columns
        columns[f"{name}.{first}"] = correct
        columns |= {f"{name}.{other}": np.ones_like(correct) for other in rest}
    return columns


def language_of(arm: str, home: str = "en") -> str | None:
    """`de` of `mnli.de`; the training language without a code; None where nothing is trained."""
    return None if arm == "none" else arm.partition(".")[2] or home


def write_synthetic_run(folder, *run, **options) -> None:
    """One run, as `describe_run` makes it, through `write_run`."""
    write_run(folder, *describe_run(*run, **options))


def describe_run(study, target, arm, seed, stats, outcome="ok", selection=None, encoder="mini", home="en") -> tuple:
    """(id, scores, index row, statistics, statistics of selection) of a run, its scores reduced from its statistics."""
    run_id = f"{target}-{arm}{'' if encoder == 'mini' else f'-{encoder}'}-s{seed}"
    scores = reduce_stats(stats).assign(
        run_id=run_id,
        study=study,
        encoder=encoder,
        intermediate=arm,
        intermediate_language=language_of(arm, home),
        target=target,
        train_language=home,
        split="test",
        seed=seed,
        floor=FLOOR[target],
        floor_kind="majority",
        at_floor=False,
        max_train_examples=None,
        max_eval_examples=None,
        preset="mini",
        outcome=outcome,
        data_status="subset",
        code_version="test",
    )
    for key in ("layer", "direction"):
        scores[key] = scores.get(key)
    phase = "retrieval" if target == "tatoeba" else "target"
    index_row = dict(
        run_id=run_id,
        phase=phase,
        encoder=encoder,
        intermediate=arm,
        target=target,
        seed=seed,
        model_id=f"m-{run_id}",
        parent_id="",
        status="done",
        seconds=1.5,
        num_train_examples=100,
        num_truncated=0,
        outcome=outcome,
        selection_score=None,
        data_status="subset",
        code_version="test",
        device="cpu",
        precision="fp32",
        num_threads=1,
        libraries="numpy 2",
    )
    return run_id, scores, index_row, stats, selection


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


def change_scores(results: Path, study: str, change) -> None:
    """Writes the scores of a study again as `change` makes them of the whole table; statistics stay."""
    scores, place = change(load_scores(study, results)), results / study
    index = read_index(place).set_index("run_id", drop=False).astype(object)
    for run_id, part in scores.groupby("run_id"):
        shared, files = encode_scores(part, index.loc[run_id, list(RUN_COLUMNS)].to_dict(), files_of(place, run_id)[0])
        index.loc[run_id, list(INDEX_SCHEMA)[len(RUN_COLUMNS) :]] = pd.Series(shared)
        for path, content in files.items():
            path.write_bytes(content)
    index.to_csv(place / "runs.csv", index=False)
