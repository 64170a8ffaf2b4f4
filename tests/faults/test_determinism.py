"""The same run twice, each in a process and a store of its own: the same bytes in every file that holds a number."""

import json
import os
import subprocess
import sys

import torch
from faults.soak import count, tries

from xt.knobs import Knobs
from xt.transfer import build_accelerator

RUN = """
import json, sys
from xt import store, transfer
from xt.parameters import target_configs

[config] = target_configs(target=sys.argv[1], encoder="tiny", root="fixtures", preset="smoke", seed=1, dropout=0.1,
                          intermediate="hellaswag", languages=["de"], num_train_steps=6, keep_weights=True)
transfer.score_target(config)
names = [model.run_id for model in (config.model, config.model and config.model.parent, config) if model]
done = {name: json.loads((store.run_folder(name) / "DONE").read_text()) for name in names}
print(json.dumps({f"{name}/{file}": digest for name, files in done.items() for file, digest in files.items()
                  if file.rpartition("/")[2] not in ("config.json", "outcome.json", "train.jsonl")}))
"""
TARGETS = ("xquad", "xnli", "udpos", "xcopa", "lareqa", "tatoeba", "bucc2018")


def digests_of(place, target: str) -> dict:
    """File -> SHA-256, of all runs that a target takes."""
    command = [sys.executable, "-c", RUN, target]
    places = {"XT_RUNS": str(place), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=os.environ | places, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_run_made_again_is_the_same_to_the_last_bit(tmp_path):
    with count("the same run twice on the processor", "determinism") as tally:
        for target in TARGETS[: tries(1, len(TARGETS))]:
            first, again = (digests_of(tmp_path / target / place, target) for place in "ab")
            tally.tries += 1
            if first != again or not any(name.endswith("scores.csv") for name in first):
                tally.lose(f"{target}: {sorted(name for name in first if first[name] != again.get(name))}")
            if target != "tatoeba" and target != "bucc2018":
                assert any(name.endswith("model.safetensors") for name in first)


def test_deterministic_kernels_are_those_of_the_runs_that_ask_for_them(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        build_accelerator(Knobs(kernels="deterministic"))
        assert torch.are_deterministic_algorithms_enabled() and os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        build_accelerator(Knobs())
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
