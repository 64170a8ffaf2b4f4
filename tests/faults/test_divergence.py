"""NaN, overflow, collapse: injected into real runs; an outcome that is counted, never a crash, never a silent score."""

import json

import pandas as pd
import pytest
import torch
from faults.soak import count, tries

from xt import model, store, transfer
from xt.parameters import intermediate_config, retrieval_configs, target_configs
from xt.results import OUTCOME
from xt.tasks import TASKS

SHARED = dict(encoder="tiny", root="fixtures", preset="smoke")


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Runs of one's own; what is built once is shared."""
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))


def outcome_of(folder) -> dict:
    """What a run says of how it ended."""
    return json.loads((folder / "outcome.json").read_text())


def spoil_loss(monkeypatch, step: int, value: float) -> None:
    """From this update on the loss of the classes is not finite (NaN, or an overflow)."""
    calls, loss = [0], model.HEADS["classification"].loss

    def spoilt(scores, labels):
        calls[0] += 1
        return loss(scores, labels) * (value if calls[0] > step else 1.0)

    patch_head(monkeypatch, loss=spoilt)


def spoil_gradient(monkeypatch, step: int, value: float) -> None:
    """From this update on the loss is finite, and its gradient is not: it overflows on the way back."""
    calls, loss = [0], model.HEADS["classification"].loss

    def spoilt(scores, labels):
        calls[0] += 1
        if calls[0] > step:
            scores.register_hook(lambda gradient: gradient * value)
        return loss(scores, labels)

    patch_head(monkeypatch, loss=spoilt)


def patch_head(monkeypatch, **fields) -> None:
    """The head of classes with other functions."""
    from dataclasses import replace

    heads = dict(model.HEADS) | {"classification": replace(model.HEADS["classification"], **fields)}
    monkeypatch.setattr(transfer, "HEADS", heads)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("spoil", [spoil_loss, spoil_gradient])
def test_numbers_that_are_not_finite_end_a_training_as_diverged(spoil, value, tmp_path, monkeypatch):
    with count(f"not finite: {value}, in {spoil.__name__.removeprefix('spoil_')}", "divergence") as tally:
        for number in range(tries(1, 20)):
            step = (3 + number) % 9
            with monkeypatch.context() as patch:
                spoil(patch, step, value)
                config = intermediate_config(
                    intermediate="mnli", seed=number, num_train_steps=9, selection_steps=2, **SHARED
                )
                folder = transfer.train_model(config)
            ended, log = outcome_of(folder), (folder / "train.jsonl").read_text().splitlines()
            tally.tries += 1
            weights = model.load_encoder(str(folder / store.WEIGHTS), config.knobs).state_dict().values()
            if not all(tensor.isfinite().all() for tensor in weights):
                tally.lose("weights that are not finite are kept")
            if ended["outcome"] != "diverged" or ended["step"] != len(log):
                tally.lose(f"{ended['outcome']} after {ended['step']} updates, {len(log)} logged")
    assert tally.lost == 0


def test_a_network_whose_answers_are_not_finite_is_counted_and_its_scores_are_marked(tmp_path, monkeypatch):
    """Of each kind of target: what is trained, and what is not."""
    encoder = tmp_path / "spoilt"
    transfer.checkpoint.save_model(encoder, *spoilt_encoder())
    with count("answers not finite", "divergence") as tally:
        for target in TARGETS[:: tries(2, 1)]:
            how = SHARED | dict(encoder=str(encoder), languages=["it" if target == "xcopa" else "de"])
            configure = target_configs if TASKS[target].training_task else retrieval_configs
            [config] = configure(target=target, intermediate="none", seed=1, **how)
            scores = transfer.score_target(config)
            ended = outcome_of(store.run_folder(config.run_id))
            tally.tries += 1
            if set(scores["outcome"]) != {"diverged"} or ended["outcome"] != "diverged" or not ended["num_not_finite"]:
                tally.lose(f"{target}: {ended}")


TARGETS = ("xnli", "udpos", "xquad", "xcopa", "tatoeba", "bucc2018", "lareqa")


def spoilt_encoder() -> tuple:
    """(an encoder of which one weight is not a number, its tokenizer)."""
    from xt.knobs import Knobs
    from xt.pretrain import build_if_ours

    source = build_if_ours("tiny")
    encoder = model.load_encoder(source, Knobs())
    with torch.no_grad():
        encoder.encoder.layer[0].output.dense.bias[0] = float("nan")
    return encoder, model.load_tokenizer(source)


def collapse(monkeypatch, runs: int) -> None:
    """The first trainings (all, if -1) answer every example alike, and those after them one by one."""
    made, scores = [0], model.HEADS["classification"].scores
    prepare = transfer.prepare_training

    def counted(config, device):
        made[0] += 1
        return prepare(config, device)

    def alike(network, inputs, labels=None):
        found = scores(network, inputs, labels)
        if torch.is_grad_enabled():
            return found
        alike = torch.arange(len(found)) if 0 <= runs < made[0] else torch.zeros(len(found), dtype=int)
        return found + 100 * torch.nn.functional.one_hot(alike % found.shape[-1], found.shape[-1])

    patch_head(monkeypatch, scores=alike)
    monkeypatch.setitem(transfer.PREPARE, "intermediate", counted)


def test_a_collapse_is_an_outcome_and_nothing_is_trained_again_unasked(monkeypatch):
    collapse(monkeypatch, 1)
    folder = transfer.train_model(intermediate_config(intermediate="mnli", seed=1, num_train_steps=4, **SHARED))
    assert outcome_of(folder)["outcome"] == "collapsed" and not list(folder.glob("failed-*"))


def test_a_restart_that_is_asked_for_is_another_seed_and_says_so(monkeypatch):
    asked = dict(intermediate="mnli", num_train_steps=4, restarts=2, **SHARED)
    with monkeypatch.context() as patch:
        collapse(patch, 1)
        folder = transfer.train_model(intermediate_config(seed=1, **asked))
    ended, first = outcome_of(folder), outcome_of(folder / "failed-1")
    assert (ended["outcome"], ended["seed"], first["outcome"]) == ("restarted", 1_000_001, "collapsed")
    assert "restarted" in OUTCOME.allowed and not list(folder.glob("failed-2"))
    losses = [
        pd.read_json(place / "train.jsonl", lines=True)["loss"].tolist() for place in (folder, folder / "failed-1")
    ]
    plain = transfer.train_model(intermediate_config(seed=1_000_001, **asked | {"restarts": 0}))
    assert losses[0] == pd.read_json(plain / "train.jsonl", lines=True)["loss"].tolist() != losses[1]
    with monkeypatch.context() as patch:
        collapse(patch, -1)
        folder = transfer.train_model(intermediate_config(seed=2, **asked))
    assert outcome_of(folder)["outcome"] == "collapsed" and len(list(folder.glob("failed-*"))) == 2


def test_a_restart_that_is_not_asked_for_moves_no_id():
    plain, asked = (intermediate_config(intermediate="mnli", seed=1, **SHARED, **more).model_id
                    for more in ({"restarts": 0, "kernels": "any"}, {"restarts": 1}))  # fmt: skip
    assert plain == intermediate_config(intermediate="mnli", seed=1, **SHARED).model_id != asked
