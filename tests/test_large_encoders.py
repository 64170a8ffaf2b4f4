"""Encoders that do not fit: activations computed twice move no bit, what is added to matrices is of low rank."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from safetensors import safe_open
from test_train import KNOBS, flatten, prepare, run

from xt import train as loop
from xt.large_encoders import adapters_only, recompute_activations
from xt.model import Network, collate
from xt.parameters import intermediate_config
from xt.transfer import train_model

RANK = 2


def test_activations_computed_twice_change_no_bit(fixtures_root, tiny_encoder, tmp_path):
    knobs, weights, calls = replace(KNOBS, dropout=0.1), [], []
    for kept in (True, False):
        prepared = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)
        layer = prepared[0].encoder.encoder.layer[0].intermediate
        layer.register_forward_hook(lambda *_, kept=kept: calls.append(kept))
        if not kept:
            recompute_activations(prepared[0])
        run(prepared, tmp_path / str(kept), knobs)
        weights.append(flatten(prepared[0]))
    assert torch.equal(*weights)
    assert calls.count(False) == 2 * calls.count(True) > 0, "computed again on the way back"


def test_activations_are_not_computed_twice_where_the_last_layer_is_cut(fixtures_root, tiny_encoder):
    network, _, _ = prepare(["mnli"], fixtures_root, tiny_encoder)
    cut = Network(dict(network.models), network.heads, "first")
    with pytest.raises(ValueError, match="activations = 'recomputed' with last_layer = 'first'; allowed: 'all'"):
        recompute_activations(cut)


def weights_of(network):
    return {name: value.detach().clone() for name, value in network.named_parameters()}


@pytest.mark.parametrize("task", ["mnli", "hellaswag"])
def test_of_the_encoder_only_additions_of_low_rank_are_trained(task, fixtures_root, tiny_encoder, tmp_path):
    prepared = prepare([task], fixtures_root, tiny_encoder)
    network, (part,), pad = prepared
    before, inputs = weights_of(network), collate(part.features, np.arange(4), pad, "cpu")
    with adapters_only(network, RANK, 4.0, seed=1):
        run(prepared, tmp_path / "run")
        network.eval()
        apart = network(task, inputs)
    joined, after = network(task, inputs), weights_of(network)
    torch.testing.assert_close(joined, apart, rtol=1e-4, atol=1e-5)
    assert {name: value.shape for name, value in after.items()} == {name: v.shape for name, v in before.items()}
    for name, value in after.items():
        moved = value - before[name]
        if any(part in name for part in ("classifier", "pooler")):
            assert moved.abs().max() > 0, f"{name}: heads and poolers are trained whole"
        elif "encoder.layer" in name and value.ndim == 2:
            assert 0 < torch.linalg.matrix_rank(moved, rtol=1e-3) <= RANK, name
        else:
            assert not moved.any(), f"{name} is not trained"


def test_a_training_of_additions_keeps_them_alone_and_goes_on_from_them(
    fixtures_root, tiny_encoder, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    weights = []
    for _ in ("whole", "resumed from its last checkpoint"):
        prepared = prepare(["mnli"], fixtures_root, tiny_encoder)
        with adapters_only(prepared[0], RANK, 4.0, seed=1):
            progress, lines = run(prepared, tmp_path / "run")
        weights.append(flatten(prepared[0]))
    assert len(lines) == 1 < progress.step, "the second one made the last update only"
    assert torch.equal(*weights)
    with safe_open(tmp_path / "run" / "checkpoint" / "weights.safetensors", "pt") as file:
        assert all(".lora_" in name or "classifier" in name for name in file.keys())


def test_without_peft_it_is_said_what_to_install(fixtures_root, tiny_encoder, monkeypatch):
    network, _, _ = prepare(["mnli"], fixtures_root, tiny_encoder)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ValueError, match=r"lora_rank needs peft, which is not installed: pip install 'xt\[large\]'"):
        with adapters_only(network, RANK, 4.0, seed=1):
            pass


def test_a_run_of_additions_leaves_an_encoder_that_opens_as_any_other(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    shared = dict(encoder="tiny", root="fixtures", preset="smoke", seed=1, precision="fp32", intermediate="mnli")
    folder = train_model(intermediate_config(lora_rank=RANK, activations="recomputed", **shared))
    _, found = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder / "encoder", output_loading_info=True
    )
    assert not found["missing_keys"] and not found["unexpected_keys"]
    assert not list(folder.rglob("adapter_config.json"))
