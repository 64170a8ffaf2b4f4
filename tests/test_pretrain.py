"""Encoders made here: what is masked, what is read, which tokenizer, and that a model learns and opens anywhere."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from xt import store
from xt.encode.features import Features, Ragged
from xt.encode.mlm import encode_text, mask_tokens
from xt.model import HEADS, collate, collate_labels, load_tokenizer
from xt.parameters import pretrain_config, target_configs
from xt.pretrain import build_if_ours, make_tokenizer, sample_documents, split_documents
from xt.recipes import RECIPES
from xt.transfer import run_block, train_model

ROOT = "lab-100"


@pytest.fixture(scope="module", autouse=True)
def places(tmp_path_factory):
    place = tmp_path_factory.mktemp("pretrain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XT_RUNS", str(place / "runs"))
        patch.setenv("XT_CACHE", str(place / "cache"))
        yield place


@pytest.fixture(scope="module")
def trained(places):
    config = pretrain_config(encoder="lab-tiny", root=ROOT)
    return config, train_model(config)


def documents(count=400, seed=0):
    """Features of random ids, five special ones in front of each row's own."""
    draw = np.random.default_rng(seed)
    rows = [np.concatenate([[0], draw.integers(5, 60, draw.integers(3, 40)), [2]]) for _ in range(count)]
    return Features(Ragged.of(rows), None, np.arange(count))


class Vocabulary:
    """As much of a tokenizer as masking reads."""

    all_special_ids, mask_token_id = [0, 1, 2, 3, 4], 4

    def __len__(self):
        return 60


def test_masking_hides_the_share_asked_for_and_never_a_special_token():
    features = documents()
    draw = mask_tokens(Vocabulary(), 0.15)
    shown = draw(features, np.arange(len(features)), np.random.default_rng(1))
    before, after = np.concatenate(list(features.input_ids)), np.concatenate(list(shown.input_ids))
    labels = np.concatenate(shown.labels)
    hidden = labels >= 0
    ordinary = before >= 5
    assert not hidden[~ordinary].any() and np.array_equal(labels[hidden], before[hidden])
    assert np.array_equal(after[~hidden], before[~hidden])
    assert hidden[ordinary].mean() == pytest.approx(0.15, abs=0.01)
    assert (after[hidden] == 4).mean() == pytest.approx(0.8, abs=0.02)
    assert (after[hidden] == before[hidden]).mean() == pytest.approx(0.1 + 0.1 / 55, abs=0.02)


def test_loss_at_masked_positions_is_the_loss_of_the_whole_output(trained):
    config, folder = trained
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder / "encoder").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "encoder")
    features = encode_text(["a b c d e f g h", "a b"], tokenizer, 32)
    drawn = mask_tokens(tokenizer, 0.5)(features, np.arange(2), np.random.default_rng(3))
    inputs = collate(drawn, np.arange(2), tokenizer.pad_token_id, "cpu")
    labels, head = collate_labels(drawn, np.arange(2)), HEADS["mlm"]
    with torch.inference_mode():
        ours = head.loss(head.scores(model, inputs, labels), labels) / (labels >= 0).sum()
        theirs = model(**inputs, labels=labels).loss
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_a_long_document_is_cut_into_several_and_nothing_is_lost(trained):
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained[1] / "encoder")
    text = " ".join(f"w{number}" for number in range(40))
    features = encode_text([text, "a"], tokenizer, 16)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    read = [i for row, owner in zip(features.input_ids, features.example_index, strict=True) if owner == 0 for i in row]
    assert [i for i in read if i not in special] == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert features.lengths.max() <= 16 and list(features.example_index)[-1] == 1


@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_languages_are_read_by_a_power_of_their_size_until_the_budget_is_spent(exponent):
    features, owners = documents(1000), np.repeat([0, 1], [900, 100])
    recipe = replace(RECIPES["lab-tiny"], num_tokens=60_000, sampling_exponent=exponent)
    chosen, read = sample_documents(features, owners, np.arange(1000), recipe, np.random.default_rng(0))
    there = np.bincount(owners, features.lengths)
    expected = there**exponent / (there**exponent).sum() * 60_000
    assert read == pytest.approx(expected, rel=0.02) and read.sum() <= 60_000
    times = np.bincount(chosen, minlength=1000)
    for language in (0, 1):
        assert np.ptp(times[owners == language]) <= 1, "whole passes before any document is read again"


def test_held_out_documents_are_never_read():
    features = documents(100)
    train, held_out = split_documents(features, 512, data_seed=0)
    assert len(held_out) == 10 and not set(train) & set(held_out) and len(train) == 90


TOKENIZER = """
import sys
from xt.parameters import pretrain_config
from xt.pretrain import make_tokenizer
tokenizer = make_tokenizer(pretrain_config(encoder=sys.argv[1], root=sys.argv[2]))
print(tokenizer.backend_tokenizer.to_str())
"""


def test_same_text_same_pieces_in_another_process_with_threads(places, tmp_path):
    """Scores agree to a thousandth: the trainer sums them in no fixed order."""
    config = pretrain_config(encoder="lab-tiny", root=ROOT)
    variables = os.environ | {"XT_CACHE": str(tmp_path), "PYTHONHASHSEED": "7", "TOKENIZERS_PARALLELISM": "true"}
    command = [sys.executable, "-c", TOKENIZER, "lab-tiny", ROOT]
    theirs = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout
    ours, theirs = (
        dict(map(tuple, json.loads(text)["model"]["vocab"]))
        for text in (make_tokenizer(config).backend_tokenizer.to_str(), theirs)
    )
    assert ours.keys() == theirs.keys() and ours == pytest.approx(theirs, abs=2e-3)


def test_an_encoder_learns_and_opens_with_the_usual_class(trained):
    config, folder = trained
    losses = [json.loads(line)["loss"] for line in (folder / "train.jsonl").read_text().splitlines()]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome["outcome"] == "ok" and outcome["best_score"] > 0
    assert sum(outcome["num_tokens"].values()) <= config.recipe.num_tokens
    assert set(outcome["num_tokens"]) == set(config.recipe.languages)
    model = transformers.AutoModel.from_pretrained(folder / "encoder")
    assert model.config.hidden_size == config.recipe.hidden_size


def test_a_study_of_the_lab_starts_from_the_encoder_made_for_its_world(trained):
    config, folder = trained
    settings = dict(encoder="lab-tiny", root=ROOT, preset="smoke", seed=1, languages="qaa,qac", max_train_examples=40)
    (score,) = target_configs(target="udpos", intermediate="none", **settings)
    assert score.model.parent == config and score.train_language == "qaa"
    scores = run_block([score])
    assert set(scores["data_status"]) == {"generated"} and set(scores["train_language"]) == {"qaa"}
    assert store.has_weights(config.model_id), "the encoder stays for other runs"
    (other,) = target_configs(target="udpos", intermediate="none", **settings | {"encoder": "lab-tiny-s1"})
    assert other.model.parent.model_id != config.model_id and other.run_id != score.run_id


def test_sizes_are_what_the_recipes_say():
    from xt.pretrain import num_parameters_besides_embeddings

    for name, millions in {"lab-small": 0.3, "lab-base": 1.0, "lab-large": 3.2}.items():
        recipe = RECIPES[name]
        shape = transformers.XLMRobertaConfig(
            vocab_size=10, hidden_size=recipe.hidden_size, num_hidden_layers=recipe.num_layers,
            num_attention_heads=recipe.num_heads, intermediate_size=4 * recipe.hidden_size, type_vocab_size=1,
        )  # fmt: skip
        model = transformers.AutoModel.from_config(shape, add_pooling_layer=False)
        assert num_parameters_besides_embeddings(model) / 1e6 == pytest.approx(millions, abs=0.06)
    base, english = RECIPES["lab-base"], RECIPES["lab-english"]
    assert (english.tokenizer_languages, english.vocab_size) == (base.tokenizer_languages, base.vocab_size)


def test_a_recipe_may_take_the_tokenizer_of_another_encoder(tmp_path, monkeypatch):
    (tmp_path / "en.txt").write_text("The cat sat.\n")
    taken = replace(RECIPES["lab-tiny"], languages=("en",), tokenizer_languages=(), tokenizer="tiny")
    monkeypatch.setitem(RECIPES, "lab-tiny", taken)
    config = pretrain_config(encoder="lab-tiny", root=str(tmp_path))
    assert make_tokenizer(config).get_vocab() == load_tokenizer(build_if_ours("tiny")).get_vocab()
    monkeypatch.setitem(RECIPES, "lab-tiny", replace(taken, tokenizer=""))
    own = pretrain_config(encoder="lab-tiny", root=str(tmp_path))
    assert own.recipe.tokenizer_languages == ("en",) and own.model_id != config.model_id


@pytest.mark.parametrize("encoder", ["lab-huge", "tiny", "lab-base-s1x"])
def test_an_unknown_recipe_is_refused_with_the_ones_there_are(encoder):
    with pytest.raises(ValueError, match="is not pretrained here; allowed: lab-tiny"):
        pretrain_config(encoder=encoder, root=ROOT)
