"""Sentence retrieval without fine-tuning: mean-pooled embeddings of every layer, nearest neighbours both ways."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn.functional import normalize

from xt.encode import Features, encode_sentences
from xt.incidents import compute_parts, note_not_finite
from xt.model import POOLINGS, collate
from xt.neighbours import ranked

DIRECTIONS = ("from_english", "to_english")
"""`from_english`: for each English sentence its nearest foreign one (XTREME's number); `to_english`: the reverse."""


@torch.inference_mode()
def embed(
    model,
    features: Features,
    tokens_per_batch: int,
    pad_token_id: int,
    device,
    layers: slice = slice(None),
    pooling: str = "mean",
) -> torch.Tensor:
    """(D, N, H) float32 unit vectors of N sentences, from the hidden states `layers`: all, unless some are named.

    Counted from the embeddings upward: 0 is the embedding layer, k what the k-th transformer layer gives.
    """
    model.eval()
    embeddings = None

    def compute(part: np.ndarray) -> torch.Tensor:
        batch = collate(features, part, pad_token_id, device)
        hidden = model(**batch, output_hidden_states=True).hidden_states[layers]
        pooled = torch.stack([POOLINGS[pooling](layer.float(), batch["attention_mask"]) for layer in hidden])
        note_not_finite(pooled.transpose(0, 1))
        return normalize(pooled, dim=-1).cpu()

    for part, vectors in compute_parts(features, tokens_per_batch, compute):
        if embeddings is None:
            embeddings = torch.empty(len(vectors), len(features), vectors.shape[-1])
        embeddings[:, torch.from_numpy(part)] = vectors
    return embeddings


def retrieve(
    model, examples: Sequence, tokenizer, knobs, device, report: Callable[[int, int], None] = lambda done, total: None
) -> tuple[dict[str, np.ndarray], int]:
    """Nearest neighbours of one language's `SentencePair` examples at every layer, both ways.

    Returns columns (D * 2 * N,): `layer`, `direction`, `row` (the query's example), `prediction` (the example whose
    sentence was found); and the number of sentences that had to be cut. Plain cosine: no centring, margin or CSLS.
    """
    sources = encode_sentences([example.source for example in examples], tokenizer, knobs)
    targets = encode_sentences([example.target for example in examples], tokenizer, knobs)
    foreign = embed(model, sources, knobs.tokens_per_batch, tokenizer.pad_token_id, device, pooling=knobs.pooling)
    english = embed(model, targets, knobs.tokens_per_batch, tokenizer.pad_token_id, device, pooling=knobs.pooling)
    parts = []
    for layer in range(len(foreign)):
        found = {
            "from_english": ranked(english[layer], foreign[layer], 1, "cpu"),
            "to_english": ranked(foreign[layer], english[layer], 1, "cpu"),
        }
        parts += [(layer, direction, found[direction].places[:, 0].numpy()) for direction in DIRECTIONS]
        report(layer + 1, len(foreign))
    count = len(examples)
    columns = {
        "layer": np.repeat([layer for layer, _, _ in parts], count),
        "direction": np.repeat([direction for _, direction, _ in parts], count),
        "row": np.tile(np.arange(count), len(parts)),
        "prediction": np.concatenate([predicted for _, _, predicted in parts]),
    }
    return columns, sources.num_truncated + targets.num_truncated
