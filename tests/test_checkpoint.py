"""What a save leaves behind, whatever interrupts it."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import transformers

from xt import checkpoint
from xt.checkpoint import Progress, load_progress, save_model, save_progress, write_folder
from xt.encode import FORMATS
from xt.knobs import Knobs
from xt.model import HEADS, build_model, load_encoder, load_tokenizer
from xt.train import build_optimizer

KNOBS = Knobs(precision="fp32")


def step(model, optimizer):
    sum(p.square().sum() for p in model.parameters()).backward()
    optimizer.step()
    optimizer.zero_grad()


def test_weights_moments_progress_and_best_come_back_exactly(tiny_encoder, tmp_path):
    model = build_model(tiny_encoder, HEADS["classification"], 3, KNOBS, seed=1)
    optimizer = build_optimizer(model, KNOBS)
    step(model, optimizer)
    best = {name: value.clone() for name, value in model.state_dict().items()}
    progress = Progress(step=7, best_score=61.5, best_step=5, looks_since_best=2)
    save_progress(tmp_path / "checkpoint", model, optimizer, progress, best)
    step(model, optimizer)
    again = build_model(tiny_encoder, HEADS["classification"], 3, KNOBS, seed=2)
    resumed = build_optimizer(again, KNOBS)
    assert load_progress(tmp_path / "checkpoint", again, resumed)[0] == progress
    _, kept = load_progress(tmp_path / "checkpoint", again, resumed)
    assert all(torch.equal(kept[name], best[name]) for name in best)
    step(again, resumed)
    for ours, theirs in zip(again.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs), "one more update from the checkpoint is the update that was made"


def test_nothing_to_resume_is_the_beginning(tiny_encoder, tmp_path):
    model = build_model(tiny_encoder, HEADS["classification"], 3, KNOBS, seed=1)
    assert load_progress(tmp_path / "none", model, build_optimizer(model, KNOBS)) == (Progress(), None)


FILL_UP = """
import resource, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from xt.checkpoint import write_folder

WRITERS = {
    "bytes": lambda place: (place / "weights").write_bytes(b"n" * 9000),
    "tensors": lambda place: save_file({"weights": torch.zeros(9000)}, place / "weights"),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_folder(Path(sys.argv[1]), WRITERS[sys.argv[2]])
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize("writer", ["bytes", "tensors"])
def test_a_disk_that_fills_leaves_the_last_good_state_and_says_what_to_do(writer, tmp_path):
    target = tmp_path / "checkpoint"
    write_folder(target, lambda place: (place / "weights").write_bytes(b"good"))
    command = [sys.executable, "-c", FILL_UP, str(target), writer]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "was not written and its last good state is kept; free some disk" in done.stdout
    assert (target / "weights").read_bytes() == b"good"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"], "nothing half-written is left"


def test_a_kill_between_the_two_renames_is_mended(tmp_path):
    target = tmp_path / "checkpoint"
    write_folder(target, lambda place: (place / "weights").write_bytes(b"good"))
    target.rename(tmp_path / ".checkpoint.old")
    checkpoint.recover_folder(target)
    assert (target / "weights").read_bytes() == b"good"


def test_a_kill_before_the_old_folder_was_deleted_is_mended(tmp_path):
    target = tmp_path / "checkpoint"
    write_folder(target, lambda place: (place / "weights").write_bytes(b"new"))
    (tmp_path / ".checkpoint.old").mkdir()
    (tmp_path / ".checkpoint.old" / "weights").write_bytes(b"old")
    write_folder(target, lambda place: (place / "weights").write_bytes(b"newer"))
    assert (target / "weights").read_bytes() == b"newer"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


USUAL = [name for name in FORMATS if HEADS[name].auto_class != "AutoModel"]
"""Formats whose head is transformers' own; what a dual encoder saves stands in tests/test_dual_encoder.py."""


@pytest.mark.parametrize("format", USUAL)
def test_a_saved_model_opens_with_the_usual_class(format, tiny_encoder, tmp_path):
    head = HEADS[format]
    model = build_model(tiny_encoder, head, 5, KNOBS, seed=1)
    save_model(tmp_path / "model", model, load_tokenizer(tiny_encoder))
    opened = getattr(transformers, head.auto_class).from_pretrained(tmp_path / "model", dtype=torch.float32)
    assert all(torch.equal(value, opened.state_dict()[name]) for name, value in model.state_dict().items())
    assert transformers.AutoTokenizer.from_pretrained(tmp_path / "model").is_fast
    assert not list((tmp_path / "model").glob("*.bin")), "safetensors only"


@pytest.mark.parametrize("format", USUAL)
def test_the_next_phase_keeps_the_encoder_and_draws_a_new_head(format, tiny_encoder, tmp_path):
    first = build_model(tiny_encoder, HEADS["classification"], 3, KNOBS, seed=1)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.5)
    save_model(tmp_path / "first", first, load_tokenizer(tiny_encoder))
    second = build_model(str(tmp_path / "first"), HEADS[format], 7, KNOBS, seed=2)
    encoder = first.base_model.state_dict()
    assert all(
        torch.equal(value, encoder[name]) for name, value in second.base_model.state_dict().items() if name in encoder
    )
    heads = {
        name: value for name, value in second.state_dict().items() if not name.startswith(second.base_model_prefix)
    }
    assert heads and all(value.abs().max() < 0.4 for value in heads.values()), "no weight of the first head (all above)"
    outputs = {"classification": 7, "tagging": 7, "span_qa": 2, "span_qa_v2": 2, "multiple_choice": 1}[format]
    assert second.config.num_labels == outputs


def test_same_seed_same_head_and_dropout_is_the_knobs(tiny_encoder):
    one, two = (build_model(tiny_encoder, HEADS["tagging"], 5, KNOBS, seed=3) for _ in range(2))
    other = build_model(tiny_encoder, HEADS["tagging"], 5, replace(KNOBS, dropout=0.4), seed=4)
    assert torch.equal(one.classifier.weight, two.classifier.weight)
    assert not torch.equal(one.classifier.weight, other.classifier.weight)
    assert other.dropout.p == 0.4 and one.dropout.p == one.config.hidden_dropout_prob


def test_a_half_precision_checkpoint_is_loaded_in_float32(tiny_encoder, tmp_path):
    load_encoder(tiny_encoder, KNOBS).to(torch.bfloat16).save_pretrained(tmp_path / "half")
    load_tokenizer(tiny_encoder).save_pretrained(tmp_path / "half")
    model = build_model(str(tmp_path / "half"), HEADS["classification"], 3, KNOBS, seed=1)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_an_encoder_that_lacks_weights_is_refused_and_not_drawn_at_random(tiny_encoder, tmp_path):
    encoder = load_encoder(tiny_encoder, KNOBS)
    weights = {name: value for name, value in encoder.state_dict().items() if "layer.1." not in name}
    encoder.save_pretrained(tmp_path / "broken", state_dict=weights)
    with pytest.raises(ValueError, match="lacks 16 of its weights, the first: encoder.layer.1."):
        build_model(str(tmp_path / "broken"), HEADS["classification"], 3, KNOBS, seed=1)
