"""The training loop against a plain one, and the ways in which a training can end."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from xt import train as loop
from xt.batching import num_updates, updates
from xt.encode import FORMATS
from xt.knobs import Knobs
from xt.model import HEADS, Network, build_model, collate, collate_labels, load_tokenizer, seen_rows_only
from xt.tasks import get_task, read_training
from xt.train import Look, Part, train
from xt.transfer import build_accelerator

KNOBS = Knobs(
    learning_rate=1e-3, num_epochs=1.5, batch_size=8, max_seq_length=64, precision="fp32", tokens_per_batch=130,
    selection_steps=1000, max_grad_norm=1e-3, weight_decay=0.1, doc_stride=16, max_query_length=24,
)  # fmt: skip
TASKS = ("mnli", "udpos", "squad", "hellaswag")


@pytest.fixture(params=TASKS)
def prepared(request, fixtures_root, tiny_encoder):
    """(network, parts, pad token) of one format on the fixtures."""
    return prepare([request.param], fixtures_root, tiny_encoder)


def prepare(names, fixtures_root, tiny_encoder, knobs=KNOBS, look=lambda network: Look(50.0, False)):
    tokenizer, tasks = load_tokenizer(tiny_encoder), {name: get_task(name) for name in names}
    heads = {name: HEADS[task.format] for name, task in tasks.items()}
    models = {
        name: build_model(tiny_encoder, heads[name], len(task.labels), knobs, seed=1) for name, task in tasks.items()
    }
    parts = []
    for name, task in tasks.items():
        examples = read_training(name, fixtures_root, num_selection=8).train[:24]
        features = FORMATS[task.format].encode(examples, tokenizer, knobs)
        parts.append(Part(name, features, num_updates(len(features), knobs.num_epochs, knobs.batch_size), look))
    return Network(models, heads), parts, tokenizer.pad_token_id


def run(prepared, folder, knobs=KNOBS, look=lambda network: Look(50.0, False), seed=1):
    network, parts, pad = prepared
    parts, lines = [replace(part, look=look) for part in parts], []
    folder.mkdir(exist_ok=True)
    progress = train(network, parts, knobs, seed, build_accelerator(knobs), folder, pad, lines.append)
    return progress, lines


def plain_losses(model, head, features, pad, knobs, seed):
    """The same training, written as plainly as it can be: whole updates, no micro-batches, torch's own parts."""
    total = num_updates(len(features), knobs.num_epochs, knobs.batch_size)
    embeddings = [p for m in model.modules() if isinstance(m, torch.nn.Embedding) for p in m.parameters()]
    plain = [p for p in model.parameters() if p.ndim == 1 or any(p is e for e in embeddings)]
    decayed = [p for p in model.parameters() if not any(p is q for q in plain)]
    groups = [{"params": decayed, "weight_decay": knobs.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=knobs.learning_rate, eps=knobs.adam_epsilon)
    warmup = int(np.ceil(total * knobs.warmup_ratio))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warmup if s < warmup else (total - s) / max(1, total - warmup)
    )
    losses = []
    model.train()
    for chosen in updates(features.lengths, knobs.batch_size, seed, 0, total):
        labels = collate_labels(features, chosen)
        scores = head.scores(model, collate(features, chosen, pad, "cpu"), labels)
        loss = head.loss(scores, labels) / (labels >= 0).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), knobs.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        losses.append(float(loss.detach()))
    return losses


def switch_off_dropout(network):
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def test_equals_a_plain_loop_of_whole_updates(prepared, tmp_path):
    """The loop trains only the embedding rows that the data read; the plain one trains them all."""
    network, (part,), pad = prepared
    budget = 400 if part.name == "squad" else KNOBS.tokens_per_batch  # padding takes part in the softmax over spans
    knobs = replace(KNOBS, tokens_per_batch=budget, adam_epsilon=1e-5)  # above the noise of gradients that are zero
    switch_off_dropout(network)
    model, head = network.models[part.name], network.heads[part.name]
    reference, before = copy.deepcopy(model), flatten(model)
    seen = np.unique([pad, *part.features.input_ids.values])
    with seen_rows_only(network, seen):
        assert len(network.encoder.get_input_embeddings().weight) == len(seen)
        _, lines = run(prepared, tmp_path / "run", knobs)
    assert len(part.features) > knobs.batch_size and max(line["grad_norm"] for line in lines) > knobs.max_grad_norm
    expected = plain_losses(reference, head, part.features, pad, knobs, 1)
    assert [line["loss"] for line in lines] == pytest.approx(expected, rel=2e-4)
    moved, difference = flatten(reference) - before, flatten(model) - flatten(reference)
    assert moved.norm() > 0 and difference.norm() < 0.01 * moved.norm()


def test_rows_that_training_never_reads_stay_and_can_still_be_read(fixtures_root, tiny_encoder, tmp_path):
    network, parts, pad = prepared = prepare(["mnli"], fixtures_root, tiny_encoder)
    table = network.encoder.get_input_embeddings()
    before, seen = table.weight.detach().clone(), np.unique([pad, *parts[0].features.input_ids.values])
    unseen = torch.tensor(np.setdiff1d(np.arange(len(before)), seen))
    with seen_rows_only(network, seen):
        network.eval()
        assert torch.equal(network.encoder.get_input_embeddings()(unseen), before[unseen])
        run(prepared, tmp_path / "run")
    after = network.encoder.get_input_embeddings().weight
    assert network.encoder.get_input_embeddings() is table and torch.equal(after[unseen], before[unseen])
    changed = (after != before).any(dim=1).nonzero().flatten().tolist()
    assert set(changed) == set(seen) - {pad}


def test_several_tasks_share_an_encoder_and_are_read_by_their_size(fixtures_root, tiny_encoder, tmp_path):
    network, parts, _ = prepared = prepare(["mnli", "squad", "hellaswag"], fixtures_root, tiny_encoder)
    words = {id(model.base_model.get_input_embeddings().weight) for model in network.models.values()}
    assert len(words) == 1, "one encoder under all heads"
    parts[1] = replace(parts[1], num_updates=2 * parts[1].num_updates)
    before = flatten(network)
    _, lines = run(prepared, tmp_path / "run")
    read = [line["task"] for line in lines]
    assert [read.count(part.name) for part in parts] == [part.num_updates for part in parts]
    assert read != sorted(read), "mixed, not one after the other"
    heads = {name: model.get_parameter(LAST[name]) for name, model in network.models.items()}
    assert not torch.equal(before, flatten(network)) and all(parameter.abs().sum() > 0 for parameter in heads.values())


LAST = {"mnli": "classifier.out_proj.weight", "squad": "qa_outputs.weight", "hellaswag": "classifier.weight"}


def flatten(model):
    """All weights as one vector."""
    return torch.cat([parameter.detach().flatten().clone() for parameter in model.parameters()])


def test_the_token_budget_does_not_change_the_update(fixtures_root, tiny_encoder, tmp_path):
    """Clipping per micro-batch, or a mean of means, would."""
    weights = []
    for budget in (64, 100_000):
        knobs = replace(KNOBS, tokens_per_batch=budget, dropout=0.0)
        prepared = prepare(["udpos"], fixtures_root, tiny_encoder, knobs)
        run(prepared, tmp_path / str(budget), knobs)
        weights.append(flatten(prepared[0]))
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=1e-4)


def test_same_seed_same_bits_and_other_seed_other_bits(fixtures_root, tiny_encoder, tmp_path):
    knobs = replace(KNOBS, dropout=0.1)
    weights = []
    for place, seed in (("a", 1), ("b", 1), ("c", 2)):
        prepared = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)
        run(prepared, tmp_path / place, knobs, seed=seed)
        weights.append(flatten(prepared[0]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_the_best_look_is_kept_and_patience_ends_the_training(fixtures_root, tiny_encoder, tmp_path):
    scores, seen = iter([10.0, 30.0, 20.0, 30.0, 99.0]), []
    knobs = replace(KNOBS, selection_steps=1, patience=2, num_epochs=9)
    prepared = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)

    def look(network):
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return Look(next(scores), False)

    progress, lines = run(prepared, tmp_path / "run", knobs, look)
    assert (progress.best_score, progress.best_step, progress.step) == (30.0, 2, 4)
    for name, value in prepared[0].state_dict().items():
        assert torch.equal(value, seen[1][name])
    logged = [json.loads(line) for line in (tmp_path / "run" / "train.jsonl").read_text().splitlines()]
    assert (
        [line["selection_score"] for line in logged]
        == [10.0, 30.0, 20.0, 30.0]
        == [line["selection_score"] for line in lines]
    )


def test_a_loss_that_is_not_finite_is_an_outcome_and_leaves_finite_weights(fixtures_root, tiny_encoder, tmp_path):
    knobs = replace(KNOBS, learning_rate=0.99, max_grad_norm=1e30, num_epochs=40)
    prepared = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)
    progress, lines = run(prepared, tmp_path / "run", knobs)
    finite = all(torch.isfinite(p).all() for p in prepared[0].parameters())
    assert finite, "whatever came, what is kept can be scored"
    with torch.no_grad():
        next(prepared[0].parameters()).fill_(float("nan"))
    before = [p.detach().clone() for p in prepared[0].parameters()][1]
    progress, lines = run(prepared, tmp_path / "nan", replace(KNOBS, num_epochs=40))
    assert progress.outcome == "diverged" and progress.step == 0 and lines == []
    assert torch.equal(before, list(prepared[0].parameters())[1]), "no update with a loss that is not finite"


def test_a_best_model_of_one_class_is_collapsed_and_a_later_better_one_is_not(fixtures_root, tiny_encoder, tmp_path):
    looks = {"collapsed": [Look(33.0, True), Look(33.0, True)], "ok": [Look(33.0, True), Look(40.0, False)]}
    for outcome, seen in looks.items():
        answers = iter(seen)
        knobs = replace(KNOBS, selection_steps=2, num_epochs=4 / 3)
        prepared = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)
        progress, _ = run(prepared, tmp_path / outcome, knobs, lambda network, answers=answers: next(answers))
        assert progress.outcome == outcome


def test_a_log_line_cut_off_by_a_kill_is_not_kept(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"ste')
    loop.TrainLog(path, step=2).close()
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_weight_decay_spares_biases_norms_and_embeddings(tiny_encoder):
    model = build_model(tiny_encoder, HEADS["classification"], 3, KNOBS, seed=0)
    decayed, spared = loop.build_optimizer(model, KNOBS).param_groups
    names = {id(p): name for name, p in model.named_parameters()}
    assert all("embeddings" not in names[id(p)] and "bias" not in names[id(p)] for p in decayed["params"])
    assert decayed["weight_decay"] == KNOBS.weight_decay and spared["weight_decay"] == 0
    assert any("word_embeddings" in names[id(p)] for p in spared["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(names)
