"""A complete run folder as rows of a study's results."""

import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from xt import store
from xt.config import ScoreConfig, Trained
from xt.item_stats import STATS_KEYS
from xt.measurement import EfficiencyConfig
from xt.results import read_runs


def is_sound(run_id: str, say: Callable[[str], None]) -> bool:
    """Whether a run is complete and as it was written, weights aside; says what is damaged, which is made again."""
    with store.hold(run_id), warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        is_whole = store.is_whole(run_id, with_weights=False)
    for warning in found:
        say(f"DAMAGED  {warning.message}")
    return is_whole


def kind_of(config: Trained | ScoreConfig | EfficiencyConfig) -> tuple[str, str]:
    """What runs of about the same duration share: phase and task."""
    return config.phase, getattr(config, "target", None) or getattr(config, "task", "")


def expected_seconds(study: Path, configs: Iterable) -> dict[tuple[str, str], float]:
    """Kind of run -> seconds that a run took whose result stands in a study's folder."""
    index = read_runs(study).set_index("run_id")["seconds"]
    return {kind_of(config): float(index[config.run_id]) for config in configs if config.run_id in index}


def result_of(
    config: Trained | ScoreConfig | EfficiencyConfig, study: str
) -> tuple[pd.DataFrame, dict, pd.DataFrame, pd.DataFrame | None]:
    """(score rows, index row, per-example statistics, those on the selection data) of a run; frames are empty where
    nothing is scored.  Raises DataError naming the files of the run that are damaged."""
    store.check_whole(config.run_id)
    place = store.run_folder(config.run_id)
    recorded = json.loads((place / "config.json").read_text())
    outcome = json.loads((place / "outcome.json").read_text())
    model = config if isinstance(config, Trained) else config.model
    row = {
        "phase": config.phase,
        "encoder": config.encoder,
        "intermediate": config.intermediate,
        "target": getattr(config, "target", None),
        "seed": config.seed,
        "model_id": model and model.model_id,
        "parent_id": model and model.parent and model.parent.model_id,
        "status": "done",
        "seconds": outcome["seconds"],
        "num_train_examples": outcome["num_train_examples"],
        "num_truncated": outcome["num_truncated"],
        "outcome": outcome["outcome"],
        "selection_score": outcome.get("selection_score"),
        "data_status": outcome["data_status"],
        "code_version": recorded["code_version"],
        "device": recorded["device"],
        "precision": config.knobs.precision,
        "num_threads": config.knobs.num_threads,
        "libraries": "; ".join(f"{name} {version}" for name, version in recorded["libraries"].items() if version),
    }
    if not isinstance(config, ScoreConfig):
        return pd.DataFrame(), row, pd.DataFrame(), None
    frame, selection = store.read_predictions(place), store.read_selection(place)
    kept = None if selection is None else statistics_of(selection)
    return store.read_scores(place).assign(study=study), row, statistics_of(frame), kept


def statistics_of(frame: pd.DataFrame) -> pd.DataFrame:
    """What a study keeps of a frame of predictions: which example, and the statistics of each metric."""
    return frame[[name for name in frame if name in STATS_KEYS or "." in name]]
