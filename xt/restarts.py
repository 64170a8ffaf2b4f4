"""Trainings anew from another seed where one diverged or collapsed: only where the knob `restarts` asks for it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from xt import processes
from xt.checkpoint import Progress
from xt.config import ModelConfig, Trained
from xt.disk import write_folder
from xt.train import Training

SEEDS_APART = 1_000_000
"""Between the seed of a run and those that it is restarted from."""


def train_until_sound(
    config: Trained, train_from: Callable[[Trained], tuple[Training, Progress]], folder: Path
) -> tuple[Training, dict]:
    """(the last training, how it ended), the first one from the run's own seed.

    A training that is given up leaves its log and how it ended in `failed-1/`, `failed-2/`, ... A sound one after it
    is an outcome of its own, `restarted`, so that what is counted as failed does not depend on the knob.
    """
    for attempt in range(len(list(folder.glob("failed-*"))), config.knobs.restarts + 1):
        seed = config.seed + attempt * SEEDS_APART
        training, progress = train_from(reseed(config, seed))
        ended = asdict(progress) | ({"seed": seed} if attempt else {})
        if progress.best_step < 0:  # it diverged before the first look
            ended["best_score"] = None
        if progress.outcome == "ok" or attempt == config.knobs.restarts:
            break
        if processes.is_first():
            set_aside(folder, attempt + 1, ended)
    if attempt and progress.outcome == "ok":
        ended["outcome"] = "restarted"
    return training, ended


def reseed(config: Trained, seed: int) -> Trained:
    """The same training from another seed; what it starts from stays."""
    if isinstance(config, ModelConfig):
        return replace(config, seed=seed, beside=tuple(reseed(other, seed) for other in config.beside))
    return replace(config, seed=seed)


def set_aside(folder: Path, number: int, ended: dict) -> None:
    """Moves the log of a training that is given up, and how it ended, out of the way of the next one.

    A kill in between costs that training once more, and nothing else.
    """

    def fill(place: Path) -> None:
        shutil.copyfile(folder / "train.jsonl", place / "train.jsonl")
        (place / "outcome.json").write_text(json.dumps(ended, indent=1), encoding="utf8")

    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    write_folder(folder / f"failed-{number}", fill)
    (folder / "train.jsonl").unlink()
