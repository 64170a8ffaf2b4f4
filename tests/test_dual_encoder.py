"""The dual encoder: unit vectors, a learned scale, in-batch softmax over the whole update, saved as an encoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from xt.encode import FORMATS, encode_candidates, encode_queries
from xt.evaluate import predict, predict_examples, primary_score
from xt.knobs import Knobs
from xt.model import HEADS, Network, build_model, collate, collate_labels, load_model, load_tokenizer
from xt.tasks import get_task
from xt.tasks.examples import QueryPassage
from xt.train import accumulate
from xt.transfer import build_accelerator

KNOBS = Knobs(max_seq_length=48, max_query_length=16, tokens_per_batch=100, precision="fp32", dropout=0.0)
HEAD = HEADS["ranking"]
WORDS = ["Nora", "Omar", "Oslo", "pen", "letter", "sings"]
EXAMPLES = [
    QueryPassage(str(i), str(i), "en", f"{word} ?", f"{word} writes .", f"{word} writes . " * i)
    for i, word in enumerate(WORDS)
]


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder):
    return load_tokenizer(tiny_encoder)


def network_of(model):
    return Network({"lareqa": model}, {"lareqa": HEAD})


@pytest.fixture
def network(tiny_encoder):
    return network_of(build_model(tiny_encoder, HEAD, 0, KNOBS, seed=1))


def test_loss_is_softmax_over_the_passages_of_the_update_by_scaled_cosines(network, tokenizer):
    model = network.models["lareqa"].eval()
    features = FORMATS["ranking"].encode(EXAMPLES, tokenizer, KNOBS)
    chosen = np.arange(len(features))
    inputs, labels = collate(features, chosen, tokenizer.pad_token_id, "cpu"), collate_labels(features, chosen)

    def first_token(*texts):
        hidden = model.encoder(**tokenizer(*texts, return_tensors="pt")).last_hidden_state[0, 0]
        return (hidden / hidden.norm()).tolist()

    with torch.no_grad():
        found = float(HEAD.loss(network("lareqa", inputs, labels), labels))
        queries = torch.tensor([first_token(e.query) for e in EXAMPLES])
        passages = torch.tensor([first_token(*filter(None, (e.passage, e.context))) for e in EXAMPLES])
    scores = 100 * queries @ passages.T
    expected = -sum(float(scores[i].log_softmax(dim=0)[i]) for i in range(len(EXAMPLES)))
    assert found == pytest.approx(expected, rel=1e-3) and expected > 0.1


def test_an_update_is_whole_whatever_the_token_budget_and_moves_scale_and_encoder(network, tokenizer):
    assert HEAD.whole_updates
    features = FORMATS["ranking"].encode(EXAMPLES, tokenizer, KNOBS)
    losses = []
    for budget in (32, 10**6):
        knobs = replace(KNOBS, tokens_per_batch=budget)
        network.zero_grad()
        accelerator = build_accelerator(knobs)
        network.eval()
        losses.append(accumulate(network, {"lareqa": [features]}, knobs, accelerator, tokenizer.pad_token_id))
    assert losses[0] == losses[1]
    model = network.models["lareqa"]
    assert model.scale.grad.abs() > 0 and model.encoder.get_input_embeddings().weight.grad.abs().sum() > 0
    assert all(p.grad is not None for p in model.parameters()), "no part of it stands idle: the pooler is gone"


def test_training_finds_the_passages_and_the_saved_encoder_is_a_usual_one(network, tokenizer, tmp_path):
    task, features = get_task("lareqa"), FORMATS["ranking"].encode(EXAMPLES, tokenizer, KNOBS)
    chosen = np.arange(len(features))
    where = (tokenizer.pad_token_id, "cpu")
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for _ in range(20):
        loss = HEAD.loss(network("lareqa", collate(features, chosen, *where)), collate_labels(features, chosen))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    predictions = predict_examples(network, task, features, EXAMPLES, KNOBS, *where)
    assert primary_score(task, predictions, EXAMPLES) == 100
    model = network.models["lareqa"]
    model.save_pretrained(tmp_path)
    usual = transformers.AutoModel.from_pretrained(tmp_path)
    for name, values in model.encoder.state_dict().items():
        assert torch.equal(usual.state_dict()[name], values)
    again = load_model(str(tmp_path), HEAD, KNOBS)
    assert float(again.scale.detach()) == float(model.scale.detach()) != 100
    sides = (
        encode_queries([e.query for e in EXAMPLES], tokenizer, KNOBS),
        encode_candidates([(e.passage, e.context) for e in EXAMPLES], tokenizer, KNOBS),
    )
    alone = [np.stack(predict(network_of(again), "lareqa", side, 64, *where)) for side in sides]
    together = np.stack(predict(network, "lareqa", features, 64, *where))
    np.testing.assert_allclose(np.stack(alone, axis=1), together, rtol=1e-3, atol=1e-4)
