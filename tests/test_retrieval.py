"""Embeddings of every layer and exact neighbours, both ways."""

import pytest
import torch
from torch.nn.functional import normalize
from transformers import XLMRobertaConfig, XLMRobertaModel

from xt.encode import encode_sentences
from xt.knobs import Knobs
from xt.metrics.depth import reported_layer
from xt.model import load_encoder, load_tokenizer
from xt.retrieval import embed, retrieve
from xt.tasks.examples import SentencePair

KNOBS = Knobs(max_seq_length=128, tokens_per_batch=100, precision="fp32")
SENTENCES = ["Nora writes .", "She sleeps in Oslo", "a", "Omar sings a letter . " * 4, "这是", "Nora writes a letter ."]


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    return load_encoder(tiny_encoder, KNOBS), load_tokenizer(tiny_encoder)


def test_embeddings_are_the_mean_over_all_tokens_special_ones_included_at_every_layer(encoder):
    model, tokenizer = encoder
    features = encode_sentences(SENTENCES, tokenizer, KNOBS)
    found = embed(model, features, KNOBS.tokens_per_batch, tokenizer.pad_token_id, "cpu")
    assert found.shape == (model.config.num_hidden_layers + 1, len(SENTENCES), model.config.hidden_size)
    for place, sentence in enumerate(SENTENCES):
        with torch.inference_mode():
            hidden = model(**tokenizer(sentence, return_tensors="pt"), output_hidden_states=True).hidden_states
        expected = torch.stack([normalize(layer[0].mean(dim=0), dim=0) for layer in hidden])
        torch.testing.assert_close(found[:, place], expected, rtol=1e-4, atol=1e-5)


def test_layer_8_of_12_is_what_eight_layers_give_counted_from_the_embeddings_up(tokenizer):
    shape = dict(vocab_size=len(tokenizer), hidden_size=16, num_attention_heads=2, intermediate_size=24)
    torch.manual_seed(0)
    whole = XLMRobertaModel(XLMRobertaConfig(num_hidden_layers=12, pad_token_id=tokenizer.pad_token_id, **shape))
    lower = XLMRobertaModel(XLMRobertaConfig(num_hidden_layers=8, pad_token_id=tokenizer.pad_token_id, **shape))
    lower.load_state_dict(whole.state_dict(), strict=False)
    features = encode_sentences(SENTENCES, tokenizer, KNOBS)
    where = (KNOBS.tokens_per_batch, tokenizer.pad_token_id, "cpu")
    found, only = embed(whole, features, *where)[8], embed(whole, features, *where, slice(8, 9))
    torch.testing.assert_close(found, embed(lower, features, *where)[-1])
    torch.testing.assert_close(only[0], found, rtol=0, atol=0)
    assert only.shape[0] == 1 and reported_layer(12) == 8 and reported_layer([4, 24, 1]).tolist() == [3, 14, 1]


def test_identical_sentences_find_each_other_and_directions_are_not_mixed_up(encoder):
    model, tokenizer = encoder
    pairs = [SentencePair(str(i), str(i), "de", text, text) for i, text in enumerate(SENTENCES)]
    columns, cut = retrieve(model, pairs, tokenizer, KNOBS, "cpu")
    assert cut == 0 and (columns["prediction"] == columns["row"]).all()
    assert len(columns["row"]) == 3 * 2 * len(SENTENCES)
    lopsided = [SentencePair(str(i), str(i), "de", SENTENCES[0], text) for i, text in enumerate(SENTENCES)]
    columns, _ = retrieve(model, lopsided, tokenizer, KNOBS, "cpu")
    to_english = columns["prediction"][columns["direction"] == "to_english"]
    assert set(to_english) == {0}, "each foreign sentence is the first English one, and finds it"
