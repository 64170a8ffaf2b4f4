"""Memory that runs out, on the device or the host: forward passes halve, the update stays, and the record says so."""

import hashlib
import json

import numpy as np
import pytest
import torch
from faults.soak import count, tries

from xt import store, transfer
from xt.incidents import halve
from xt.model import Network
from xt.parameters import target_configs

SHARED = dict(encoder="tiny", root="fixtures", preset="smoke", intermediate="none", languages=["de"])
KNOBS = dict(num_train_steps=4, selection_steps=2, batch_size=16, dropout=0.1, precision="fp32")


def ask_too_much_of_torch() -> None:
    """The error of torch's allocator on the host."""
    torch.empty(2**58)


def ask_too_much_of_numpy() -> None:
    """The error of a host that has no such memory."""
    np.empty(2**58)


def refuse_as_a_gpu_does() -> None:
    """The error of torch's allocator on a GPU; injected, as there is none here."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1 GiB")


REFUSALS = (ask_too_much_of_torch, ask_too_much_of_numpy, refuse_as_a_gpu_does)


def limit(monkeypatch, tokens: int, refuse, backward: bool = False) -> None:
    """Forward passes (or the ways back) of more padded tokens than this are refused."""
    forward = Network.forward

    def limited(self, task, inputs, labels=None):
        scores = forward(self, task, inputs, labels) if backward else None
        if inputs["input_ids"].numel() > tokens:
            if not backward:
                refuse()
            elif scores.requires_grad:
                scores.register_hook(lambda gradient: refuse())
        return forward(self, task, inputs, labels) if scores is None else scores

    monkeypatch.setattr(Network, "forward", limited)


def run(place, monkeypatch, target: str, **knobs) -> tuple[str, dict, dict, list]:
    """(digest of the trained weights, outcome of the training, of the scoring, scores) of a run in its own store."""
    digests = []
    save = transfer.checkpoint.save_model

    def digest_and_save(folder, model, tokenizer):
        content = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
        digests.append(hashlib.sha256(content).hexdigest())
        save(folder, model, tokenizer)

    with monkeypatch.context() as patch:
        patch.setenv("XT_RUNS", str(place))
        patch.setattr(transfer.checkpoint, "save_model", digest_and_save)
        [config] = target_configs(target=target, seed=1, **SHARED | KNOBS | knobs)
        scores = transfer.score_target(config)["score"].tolist()
        folders = [store.run_folder(name) for name in (config.model.model_id, config.run_id)]
    return digests[0], *(json.loads((folder / "outcome.json").read_text()) for folder in folders), scores


@pytest.mark.parametrize("backward", [False, True])
def test_what_memory_refuses_is_halved_and_the_update_stays(backward, tmp_path, monkeypatch):
    """Bit for bit the training that was asked for half the tokens from the start, dropout included."""
    name = "out of memory on the way back" if backward else "out of memory on the way there, and when scoring"
    with count(name, "memory") as tally:
        for number, refuse in enumerate((REFUSALS * 4)[: tries(1 + (not backward), 12)]):
            target = ("xnli", "udpos")[number % 2]
            plain = run(tmp_path / f"{number}a", monkeypatch, target, tokens_per_batch=64)
            with monkeypatch.context() as patch:
                limit(patch, 64, refuse, backward)
                cut = run(tmp_path / f"{number}b", monkeypatch, target, tokens_per_batch=256)
            tally.tries += 1
            if (plain[0], plain[3]) != (cut[0], cut[3]) or cut[1]["tokens_per_batch"] != 64:
                tally.lose(f"{target}, {refuse.__name__}: {plain[0] == cut[0]}, {plain[3]}, {cut[3]}, {cut[1]}")
            if not backward and cut[2].get("scoring_tokens_per_batch") != 64:
                tally.lose(f"the record of the scoring does not say so: {cut[2]}")
            assert plain[1]["tokens_per_batch"] == 0 and "scoring_tokens_per_batch" not in plain[2]


def test_what_cannot_be_halved_is_told_with_what_to_do(tmp_path, monkeypatch):
    limit(monkeypatch, 16, ask_too_much_of_torch)
    with pytest.raises(MemoryError, match="can't allocate memory.*cannot be cut.*allowed: a smaller max_seq_length"):
        run(tmp_path, monkeypatch, "xnli")
    assert halve(4096, 3000, "") == 3000 and halve(4096, 100, "") == 2048


def test_another_error_is_not_taken_for_a_want_of_memory(tmp_path, monkeypatch):
    def fail():
        raise RuntimeError("shapes do not fit")

    limit(monkeypatch, 16, fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run(tmp_path, monkeypatch, "xnli")
