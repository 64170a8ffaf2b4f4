"""Several processes make the training that one makes: two of them, on the processor, over gloo."""

import json
import multiprocessing
import os
import shlex
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_train import KNOBS as PLAIN
from test_train import flatten, prepare
from typer.testing import CliRunner

from xt import processes, store
from xt import train as loop
from xt.batching import micro_batches, share_batches
from xt.cli import app
from xt.config import read_trained
from xt.evaluate import predict
from xt.large_encoders import recompute_activations
from xt.model import seen_rows_only
from xt.parameters import intermediate_config, pretrain_config, target_configs
from xt.train import Look, step_seed, train
from xt.transfer import build_accelerator, ignore, train_model

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "torch", "transformers", "xt.transfer", "xt.large_encoders"])
PATIENCE = 900
KNOBS = replace(
    PLAIN, dropout=0.0, batch_size=7, num_epochs=2, selection_steps=3, patience=2, adam_epsilon=1e-5, mixing="examples"
)  # above the noise of gradients that are zero; of seven features one process reads more than the other
TASKS = ("mnli", "udpos")
STOP = 4
CASES = {  # name -> (tasks, its steps as (processes, parted, update after which it stops))
    "averaged": (TASKS, [(2, False, 0)]),
    "parted": (TASKS, [(2, True, 0)]),
    "whole updates": (("lareqa",), [(2, False, 0)]),
    "two, then one": (TASKS, [(2, False, STOP), (1, False, 0)]),
    "one, then two": (TASKS, [(1, False, STOP), (2, False, 0)]),
    "two parted, then two averaged, then two parted": (
        TASKS, [(2, True, STOP), (2, False, STOP + 3), (2, True, 0)],
    ),
}  # fmt: skip


class Stopped(Exception):
    """The training is cut off, as a kill would."""


def train_case(case, step, rank, place, encoder, fixtures):
    """Takes part in one step of a case; the first process writes what came out into the case's folder."""
    tasks, steps = CASES[case]
    _, parted, stop = steps[step]
    os.environ["XT_SHARD"] = str(int(parted))
    network, parts, pad = prepare(tasks, fixtures, encoder, KNOBS)
    seen = np.unique(np.concatenate([[pad], *(part.features.input_ids.values for part in parts)]))

    def look(network, part):
        """What the first process sees; by what the other sees the training would end at the third look."""
        outputs = predict(network, part.name, part.features, KNOBS.tokens_per_batch, pad, "cpu")
        return Look(float(np.mean([np.abs(output).mean() for output in outputs])) if rank == 0 else -1.0, False)

    def report(line):
        if stop and line["step"] > stop:
            raise Stopped

    parts = [replace(part, look=lambda network, part=part: look(network, part)) for part in parts]
    folder = place / case
    folder.mkdir(parents=True, exist_ok=True)
    seldom = patch.object(loop, "CHECKPOINT_SECONDS", 0.0 if stop else 1e9)
    if parted:
        recompute_activations(network)
    try:
        with seldom, nullcontext() if case == "whole updates" else seen_rows_only(network, seen):
            progress = train(network, parts, KNOBS, 1, build_accelerator(KNOBS), folder, pad, report)
    except Stopped:
        return
    if rank == 0:
        save_file({"weights": flatten(network)}, folder / "weights.safetensors")
        (folder / "progress.json").write_text(json.dumps(asdict(progress)))


def take_part(rank, place, encoder, fixtures, wanted):
    """One of two processes: its part in steps of cases."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"XT_MEETING": str(place / "meeting"), "OMP_NUM_THREADS": "1"}
    processes.join()
    for case, step in wanted:
        train_case(case, step, rank, place, encoder, fixtures)


def run_two(place, encoder, fixtures, wanted):
    """Has two processes make steps of cases."""
    (place / "meeting").unlink(missing_ok=True)
    started = [PROCESSES.Process(target=take_part, args=(rank, place, encoder, fixtures, wanted)) for rank in (0, 1)]
    for process in started:
        process.start()
    for process in started:
        process.join(PATIENCE)
    codes = [process.exitcode for process in started]
    for process in started:
        process.kill()
    assert codes == [0, 0], "a traceback stands above, or they waited for each other"


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny_encoder, fixtures_root):
    """The folder of all cases: what two processes make, interrupted by what one makes; and `one`, made by one alone."""
    place, longest = tmp_path_factory.mktemp("processes"), max(len(steps) for _, steps in CASES.values())
    for step in range(longest):
        there = [(case, steps[step][0]) for case, (_, steps) in CASES.items() if step < len(steps)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XT_SHARD", "0")
            for case in [case for case, count in there if count == 1]:
                train_case(case, step, 0, place, tiny_encoder, fixtures_root)
        run_two(place, tiny_encoder, fixtures_root, [(case, step) for case, count in there if count == 2])
    return place


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny_encoder, fixtures_root):
    """Case -> what one process makes of it: (weights, progress, lines of the log)."""
    place, found = tmp_path_factory.mktemp("alone"), {}

    def find(case):
        tasks, _ = CASES[case]
        if tasks not in found:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XT_SHARD", "0")
                patch.setitem(CASES, case, (tasks, [(1, False, 0)]))
                train_case(case, 0, 0, place, tiny_encoder, fixtures_root)
            found[tasks] = read(place / case)
        return found[tasks]

    return find


def read(folder):
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    weights = load_file(folder / "weights.safetensors")["weights"]
    return weights, json.loads((folder / "progress.json").read_text()), lines


@pytest.mark.parametrize("case", CASES)
def test_two_processes_make_what_one_makes(case, made, alone, tiny_encoder, fixtures_root):
    (weights, progress, lines), (expected, expected_progress, expected_lines) = read(made / case), alone(case)
    assert [line["step"] for line in lines] == list(range(1, len(expected_lines) + 1)), "every update logged once"
    for name in ("loss", "grad_norm", "selection_score"):
        found = [line.get(name, 0.0) for line in lines]
        assert found == pytest.approx([line.get(name, 0.0) for line in expected_lines], rel=1e-4), name
    assert (progress["step"], progress["best_step"]) == (expected_progress["step"], expected_progress["best_step"])
    before = flatten(prepare(CASES[case][0], fixtures_root, tiny_encoder, KNOBS)[0])
    moved, difference = (expected - before).norm(), (weights - expected).norm()
    assert moved > 0.01 and difference < 1e-3 * moved


def test_each_process_draws_its_own_dropout_and_the_first_that_of_one():
    drawn = [step_seed(seed, step, process) for seed in (0, 2**31 - 1) for step in (0, 10**6) for process in range(64)]
    assert len(set(drawn)) == len(drawn) and step_seed(3, 5, 0) == 3 * 1_000_003 + 5


@pytest.mark.parametrize("num_features", [1, 2, 7, 32])
def test_shares_are_a_part_of_every_feature_once_in_equally_many_micro_batches(num_features):
    lengths = np.sort(np.random.default_rng(num_features).integers(3, 90, num_features))[::-1]
    order = np.arange(num_features)
    for count in (1, 2, 3, 8):
        shares = [share_batches(order, lengths, 128, 2, which, count) for which in range(count)]
        assert len({len(share) for share in shares}) == 1
        parts = [part for share in shares for part in share]
        assert sorted(np.concatenate(parts)) == order.tolist()
        assert all(len(part) <= 1 or lengths[part].max() * 2 * len(part) <= 128 for part in parts)
    alone, whole = share_batches(order, lengths, 128, 2, 0, 1), micro_batches(order, lengths, 128, 2)
    assert [part.tolist() for part in alone] == [part.tolist() for part in whole]


@pytest.mark.parametrize("asked", ["0", "two", "-1", "1.5"])
def test_a_number_of_processes_that_is_none_is_refused(asked, monkeypatch):
    monkeypatch.setenv("XT_PROCESSES", asked)
    with pytest.raises(ValueError, match=f"XT_PROCESSES = '{asked}' is not allowed"):
        processes.are_asked_for()
    monkeypatch.setenv("XT_SHARD", "yes")
    with pytest.raises(ValueError, match="XT_SHARD = 'yes' is not allowed; allowed: 0 or 1"):
        processes.is_sharded()


def test_what_cannot_be_parted_is_refused(fixtures_root, tiny_encoder):
    network, _, _ = prepare(["lareqa"], fixtures_root, tiny_encoder, KNOBS)
    with pytest.raises(ValueError, match="XT_SHARD = 1 with a dual encoder"):
        processes.shard(network, [], "fp32")
    assert all(type(parameter) is torch.nn.Parameter for parameter in network.parameters())


SETTINGS = dict(
    intermediate="mnli", encoder="tiny", root="fixtures", preset="smoke", seed=1, precision="fp32", dropout=0.0
)  # fmt: skip


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Sets the variables of a folder of runs; `place(name)` is empty at first."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def place(name, **variables):
        for variable, value in {"XT_RUNS": str(tmp_path / name), **variables}.items():
            monkeypatch.setenv(variable, value)

    return place


def test_a_run_of_two_processes_leaves_what_a_run_of_one_leaves(places):
    folders, reported = [], []
    for count in (1, 2):
        places(str(count), XT_PROCESSES=str(count))
        folders.append(train_model(intermediate_config(**SETTINGS), reported.append if count == 2 else ignore))
    one, two = folders
    names = [sorted(path.relative_to(place).as_posix() for path in place.rglob("*")) for place in folders]
    assert names[0] == names[1] and one.name == two.name and store.is_complete(two.name)
    losses = [[json.loads(line)["loss"] for line in (place / "train.jsonl").open()] for place in folders]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    weights = [load_file(place / "encoder" / "model.safetensors") for place in folders]
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=1e-4) for name in weights[0])
    devices = [json.loads((place / "config.json").read_text())["device"] for place in folders]
    assert devices[1] == f"2 x {devices[0]}"
    assert reported and reported[-1]["num_steps"] == len(losses[1])


def test_what_a_process_says_when_it_fails_is_passed_on_and_nothing_counts_as_trained(places):
    program = "import sys; print('no node for', sys.argv[1:3]); sys.exit(3)"
    places("none", XT_LAUNCH=shlex.join([sys.executable, "-c", program]))
    config = intermediate_config(**SETTINGS)
    with pytest.raises(RuntimeError, match=r"exit code 3:\nno node for \['-m', 'xt.member'\]"):
        train_model(config)
    assert not store.is_complete(config.model_id)


@pytest.mark.parametrize(
    "make",
    [
        lambda: intermediate_config(**SETTINGS),
        lambda: target_configs(target="xnli", **SETTINGS)[0].model,
        lambda: intermediate_config(**SETTINGS | {"intermediate": "multi_three_mlm", "root": "lab-100"}),
        lambda: target_configs(target="xnli", **SETTINGS | {"intermediate": "own_squad"})[0].model.parent,
        lambda: pretrain_config(encoder="lab-tiny", root="lab-100"),
    ],
)
def test_a_process_reads_the_same_configuration_from_the_folder(make):
    config = make()
    assert read_trained(json.loads(json.dumps(asdict(config)))) == config


def test_the_command_line_says_how_many_processes_a_training_has(monkeypatch):
    monkeypatch.setenv("XT_PROCESSES", "1")
    monkeypatch.setenv("XT_SHARD", "0")
    CliRunner().invoke(app, ["run", "no such study", "--processes", "3", "--shard"])
    assert processes.num_processes() == 3 and os.environ["XT_SHARD"] == "1"
