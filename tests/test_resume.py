"""A training killed at any moment and started again is the training that was never killed."""

import hashlib
import multiprocessing
import os
import random
import shutil
import time

import pytest

from xt import train
from xt.locations import folder
from xt.parameters import intermediate_config, pretrain_config
from xt.transfer import train_model

SHARED = dict(encoder="tiny", root="fixtures", preset="smoke", seed=3, dropout=0.1, selection_steps=10)
CONFIGS = {
    "one task": lambda: intermediate_config(intermediate="mnli", num_epochs=20, **SHARED),
    "several tasks, seen rows": lambda: intermediate_config(
        intermediate="multi_three", num_epochs=5, trained_embeddings="seen", **SHARED
    ),
    "tasks mixed inside updates, text beside": lambda: intermediate_config(
        intermediate="multi_three_mlm", mixing="examples", sampling="uniform", num_epochs=4, **SHARED
    ),
    "pretraining": lambda: pretrain_config(encoder="lab-tiny", root="lab-100"),
}
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "torch", "transformers", "xt.transfer"])  # read once, not by every training


def train_model_there(kind, environment, checkpoint_seconds, result):
    """In a process of its own: trains and sends the run's folder."""
    os.environ |= environment
    train.CHECKPOINT_SECONDS = checkpoint_seconds
    result.send(str(train_model(CONFIGS[kind]())))


def start(kind, runs, cache, checkpoint_seconds=0.0):
    """(process that trains, what its run's folder comes out of)."""
    fixtures = cache.with_name("fixtures")
    if not fixtures.exists():
        shutil.copytree(folder("XT_FIXTURES"), fixtures)
        for code in ("en", "de"):
            text = [f"{code} {number}: words to hide, and {number % 7} more" for number in range(200)]
            (fixtures / f"{code}.txt").write_text("\n".join(text), encoding="utf-8")
    places = {"XT_RUNS": str(runs), "XT_CACHE": str(cache), "XT_FIXTURES": str(fixtures)}
    result, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=train_model_there, args=(kind, places, checkpoint_seconds, sender))
    process.start()
    return process, result


def finish(process, result):
    process.join(300)
    assert process.exitcode == 0, "its traceback stands above"
    return result.recv()


def weights_digest(folder):
    with open(os.path.join(folder, "encoder", "model.safetensors"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def logged_steps(folder):
    return len((folder / "train.jsonl").read_text().splitlines()) if (folder / "train.jsonl").is_file() else 0


def wait_for_steps(process, runs, steps):
    """Until the run has logged so many updates, or has ended."""
    while process.is_alive():
        for place in runs.glob("*-s[0-9]*"):
            if logged_steps(place) >= steps:
                return
        time.sleep(0.005)


@pytest.mark.parametrize("kind", CONFIGS)
def test_killed_training_ends_with_the_same_weights(kind, tmp_path):
    whole = finish(*start(kind, tmp_path / "whole", tmp_path / "cache", checkpoint_seconds=1e9))
    total = logged_steps(tmp_path / "whole" / os.path.basename(whole))
    draw, killed = random.Random(7), 0
    for steps in sorted(draw.sample(range(1, total), 3)):
        process, _ = start(kind, tmp_path / "cut", tmp_path / "cache")
        wait_for_steps(process, tmp_path / "cut", steps)
        time.sleep(draw.random() * 0.05)
        if process.is_alive():
            process.kill()
            killed += 1
        process.join()
    resumed = finish(*start(kind, tmp_path / "cut", tmp_path / "cache"))
    assert killed >= 2, "the training must have been cut off while it ran"
    assert os.path.basename(resumed) == os.path.basename(whole)
    assert weights_digest(resumed) == weights_digest(whole)
    assert logged_steps(tmp_path / "cut" / os.path.basename(resumed)) == total
