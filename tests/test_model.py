"""Heads over one encoder: the token head shares the embeddings, the checkpoint's head is kept, conventions hold."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from xt.encode import FORMATS
from xt.encode.mlm import encode_text, mask_tokens
from xt.knobs import Knobs
from xt.model import (
    HEADS,
    Network,
    build_model,
    check_length,
    collate,
    collate_labels,
    load_encoder,
    load_tokenizer,
    set_dropout,
)
from xt.tasks.examples import Classification

KNOBS = Knobs(max_seq_length=32, precision="fp32", dropout=0.0)
PAIRS = [Classification(str(i), str(i), "en", "Nora writes", "She sleeps", i % 2) for i in range(4)]
TEXTS = ("Nora writes", "She takes a pen", "Omar sings in Oslo", "a letter .")
DIFFERENT = [Classification(str(i), str(i), "en", text, TEXTS[i - 1], i % 2) for i, text in enumerate(TEXTS)]


@pytest.fixture
def checkpoint(tokenizer, tmp_path):
    """A checkpoint of a given kind of model, at toy size."""

    def make(kind, auto_class="AutoModelForMaskedLM", **shape):
        sizes = dict(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2)
        sizes |= dict(intermediate_size=24, max_position_embeddings=48, pad_token_id=tokenizer.pad_token_id)
        config = transformers.AutoConfig.for_model(kind, **{**sizes, **shape})
        torch.manual_seed(3)
        getattr(transformers, auto_class).from_config(config).save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
        return str(tmp_path)

    return make


def two_heads(source, order=("classification", "mlm")):
    models = {name: build_model(source, HEADS[name], 2, KNOBS, seed=1) for name in order}
    return Network(models, {name: HEADS[name] for name in order})


@pytest.mark.parametrize("order", [("classification", "mlm"), ("mlm", "classification")])
@pytest.mark.parametrize("kind", ["xlm-roberta", "bert", "modernbert"])
def test_one_update_moves_the_output_layer_and_the_shared_embeddings_alike(checkpoint, tokenizer, kind, order):
    network = two_heads(checkpoint(kind), order)
    output = network.models["mlm"].get_output_embeddings()
    assert output.weight is network.encoder.get_input_embeddings().weight
    assert output.weight is network.models["classification"].base_model.get_input_embeddings().weight
    before = output.weight.detach().clone()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    text = encode_text(["Nora writes a letter .", "Omar sings in Oslo ."], tokenizer, 32)
    hidden = mask_tokens(tokenizer, 0.5)(text, np.arange(2), np.random.default_rng(0))
    pairs = FORMATS["classification"].encode(PAIRS, tokenizer, KNOBS)
    for name, features in (("mlm", hidden), ("classification", pairs)):
        chosen = np.arange(len(features))
        labels = collate_labels(features, chosen)
        scores = network(name, collate(features, chosen, tokenizer.pad_token_id, "cpu"), labels)
        HEADS[name].loss(scores, labels).backward()
        optimizer.step()
        optimizer.zero_grad()
        after = network.models["mlm"].get_output_embeddings().weight
        assert torch.equal(after, network.encoder.get_input_embeddings().weight) and not torch.equal(after, before)
        before = after.detach().clone()


def test_the_checkpoints_token_head_is_kept_and_drawn_where_there_is_none(checkpoint, tmp_path):
    source = checkpoint("xlm-roberta")
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(source).state_dict()
    ours = build_model(source, HEADS["mlm"], 0, KNOBS, seed=1).state_dict()
    assert all(torch.equal(ours[name], values) for name, values in theirs.items())
    load_encoder(source, KNOBS).save_pretrained(tmp_path / "bare")
    drawn, again = (build_model(str(tmp_path / "bare"), HEADS["mlm"], 0, KNOBS, seed=1).state_dict() for _ in range(2))
    assert all(torch.equal(drawn[name], again[name]) for name in drawn)
    assert torch.equal(drawn["roberta.embeddings.word_embeddings.weight"], drawn["lm_head.decoder.weight"])
    assert not torch.equal(drawn["lm_head.dense.weight"], theirs["lm_head.dense.weight"])


def test_an_encoder_that_lacks_weights_is_refused_by_every_head(checkpoint):
    source = checkpoint("xlm-roberta", num_hidden_layers=1)
    config = transformers.AutoConfig.from_pretrained(source)
    config.num_hidden_layers = 2
    config.save_pretrained(source)
    for name in ("mlm", "classification", "ranking"):
        with pytest.raises(ValueError, match="lacks 16 of its weights, the first: encoder.layer.1"):
            build_model(source, HEADS[name], 2, KNOBS, seed=1)


def test_a_text_may_be_of_any_length_where_positions_are_relative():
    for kind in ("xlnet", "mamba"):
        check_length(transformers.AutoConfig.for_model(kind), 10_000, kind)


def test_a_tokenizer_that_pads_otherwise_than_the_encoder_counts_is_refused(checkpoint):
    with pytest.raises(ValueError, match="counts positions by padding token 0"):
        load_tokenizer(checkpoint("roberta", pad_token_id=0))


def test_dropout_is_written_where_each_family_keeps_it():
    for kind, names in {
        "bert": ["hidden_dropout_prob", "attention_probs_dropout_prob"],
        "distilbert": ["dropout", "attention_dropout"],
        "modernbert": ["attention_dropout", "embedding_dropout", "mlp_dropout"],
    }.items():
        config = transformers.AutoConfig.for_model(kind)
        set_dropout(config, 0.25)
        assert [getattr(config, name) for name in names] == [0.25] * len(names)
    with pytest.raises(ValueError, match="dropout = 0.25 cannot be set for mamba"):
        set_dropout(transformers.AutoConfig.for_model("mamba"), 0.25)


def gradients_and_scores(network, name, features, labels, pad):
    """(scores, all gradients) of a head on these features."""
    network.zero_grad()
    scores = network(name, collate(features, np.arange(len(features)), pad, "cpu"), labels)
    network.heads[name].loss(scores, labels).backward()
    return scores.detach(), torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


def count_positions(network, name, features, pad):
    """Positions per row that the last layer's feed-forward part reads."""
    seen, last = [], network.encoder.encoder.layer[-1].intermediate
    hook = last.register_forward_pre_hook(lambda module, read: seen.append(read[0].shape[1]))
    network(name, collate(features, np.arange(len(features)), pad, "cpu"), None)
    hook.remove()
    return seen


@pytest.mark.parametrize("kind", ["xlm-roberta", "bert"])
@pytest.mark.parametrize("form", [name for name, head in HEADS.items() if head.reads_first])
def test_last_layer_of_a_head_that_reads_the_first_position_may_leave_out_the_others(checkpoint, tokenizer, kind, form):
    source, pad = checkpoint(kind), tokenizer.pad_token_id
    model = build_model(source, HEADS[form], 2, KNOBS, seed=1)
    features = FORMATS["classification"].encode(DIFFERENT, tokenizer, KNOBS)
    labels = collate_labels(features, np.arange(4))
    if form != "classification":
        features = replace(features, rows_per_feature=2, example_index=np.arange(2))
        labels = labels[:2]
    whole, short = (Network({form: model}, {form: HEADS[form]}, each) for each in ("all", "first"))
    (scores, gradients), (expected, exact) = (
        gradients_and_scores(network, form, features, labels, pad) for network in (short, whole)
    )
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)
    assert (gradients - exact).norm() < 1e-3 * exact.norm()
    assert (
        set(count_positions(short, form, features, pad)) == {1} < set(count_positions(whole, form, features, pad)) | {1}
    )


def test_last_layer_is_whole_for_another_head_on_the_same_encoder_and_where_layers_are_built_otherwise(
    checkpoint, tokenizer
):
    source, names = checkpoint("xlm-roberta"), ("classification", "tagging")
    features = FORMATS["classification"].encode(PAIRS, tokenizer, KNOBS)
    models = {name: build_model(source, HEADS[name], 2, KNOBS, seed=1) for name in names}
    network = Network(models, {name: HEADS[name] for name in names}, "first")
    assert [count_positions(network, name, features, tokenizer.pad_token_id)[0] == 1 for name in names] == [True, False]
    model = build_model(
        checkpoint("distilbert", dim=16, hidden_dim=24, n_layers=2, n_heads=2), HEADS[names[0]], 2, KNOBS, 1
    )
    with pytest.raises(ValueError, match="last_layer = 'first' is not to be had for distilbert; allowed: all"):
        Network({"classification": model}, {"classification": HEADS["classification"]}, "first")
