"""One encoder with one head, through transformers' own classes; loss sums and pooling. Knows no task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import transformers
from torch.nn.functional import cross_entropy

from xt.encode.features import IGNORED, Features


def class_scores(output) -> torch.Tensor:
    """The head's scores as they are: (B, L), (B, C), or (B, T, L)."""
    return output.logits


def span_scores(output) -> torch.Tensor:
    """(B, T, 2) start and end scores."""
    return torch.stack([output.start_logits, output.end_logits], dim=-1)


def class_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy summed over labelled positions. `scores` (..., L), `labels` (...) with -100 = not counted."""
    return cross_entropy(scores.flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum")


def span_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over positions, summed over starts and ends. `scores` (B, T, 2), `labels` (B, 2).

    As in transformers' own question-answering heads, padded positions take part in the softmax, so that this loss
    depends a little on what a feature is padded with (half a percent in the tests).
    """
    return cross_entropy(scores, labels, reduction="sum")


@dataclass(frozen=True)
class Head:
    """How one format's head is built, read and trained."""

    auto_class: str  # name of transformers' AutoModelFor... class
    scores: Callable = class_scores  # model output -> scores
    loss: Callable = class_loss  # (scores, labels) -> sum over the batch
    argmax: bool = False  # keep only the best class per position when predicting
    padded: bool = False  # scores have one entry per token
    num_outputs: int = 0  # outputs of the last layer; 0 = as many as the task has labels


HEADS: Mapping[str, Head] = {
    "classification": Head("AutoModelForSequenceClassification"),
    "multiple_choice": Head("AutoModelForMultipleChoice", num_outputs=1),
    "tagging": Head("AutoModelForTokenClassification", argmax=True, padded=True),
    "span_qa": Head("AutoModelForQuestionAnswering", scores=span_scores, loss=span_loss, padded=True, num_outputs=2),
}


def build_model(source: str, head: Head, num_labels: int, knobs, seed: int, revision: str | None = None):
    """A transformers model: the encoder of `source` (folder or hub id) under a new head drawn from `seed`.

    Float32 whatever the checkpoint's type; any head that `source` has is dropped. Of `knobs` it reads `dropout`
    (-1 keeps the encoder's) and `attention`. Raises ValueError where the encoder lacks weights that are needed.
    """
    torch.manual_seed(seed)
    config = transformers.AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    config.num_labels = head.num_outputs or num_labels
    if knobs.dropout >= 0 and not hasattr(config, "hidden_dropout_prob"):
        raise ValueError(f"dropout = {knobs.dropout} cannot be set for {config.model_type}; allowed: -1, its own")
    if knobs.dropout >= 0:
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = knobs.dropout
    builder = getattr(transformers, head.auto_class)
    model = builder.from_config(config, dtype=torch.float32, attn_implementation=knobs.attention)
    weights, wanted = load_encoder(source, knobs, revision).state_dict(), model.base_model.state_dict()
    model.base_model.load_state_dict({name: weights[name] for name in wanted if name in weights}, strict=False)
    return model


def load_encoder(source: str, knobs, revision: str | None = None):
    """The encoder of a checkpoint without its head, in float32; `source` is a folder or a hub id.

    Raises ValueError where the checkpoint lacks weights of the encoder; a missing pooler is drawn at random.
    """
    try:
        model, found = transformers.AutoModel.from_pretrained(
            source, revision=revision, output_loading_info=True, **loading(knobs)
        )
    except OSError as error:
        raise ValueError(
            f"encoder {source!r}: no folder with weights, and not to be had from the hub: {error}"
        ) from error
    lost = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if lost:
        raise ValueError(f"encoder {source!r} lacks {len(lost)} of its weights, the first: {', '.join(lost[:3])}")
    return model


def load_model(source: str, head: Head, knobs):
    """A fine-tuned checkpoint with its head, in float32."""
    return getattr(transformers, head.auto_class).from_pretrained(source, **loading(knobs))


def loading(knobs) -> dict:
    """How weights are always loaded: float32, safetensors only, no code from the checkpoint."""
    return dict(dtype=torch.float32, use_safetensors=True, trust_remote_code=False, attn_implementation=knobs.attention)


def load_tokenizer(source: str, revision: str | None = None):
    """The fast tokenizer of a checkpoint, which takes words already split as well. ValueError where there is none."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        source, revision=revision, add_prefix_space=True, trust_remote_code=False
    )
    if not tokenizer.is_fast:
        raise ValueError(f"encoder {source!r} has no fast tokenizer; offsets need one")
    return tokenizer


def max_positions(config) -> int:
    """Tokens the encoder's position table holds; RoBERTa-style tables begin behind the padding index."""
    begins = config.pad_token_id + 1 if config.model_type in PADDED_POSITIONS else 0
    return config.max_position_embeddings - begins


PADDED_POSITIONS = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text", "xmod"})


def check_length(config, max_seq_length: int, source: str) -> None:
    """ValueError where `max_seq_length` exceeds what the encoder can read."""
    limit = max_positions(config)
    if max_seq_length > limit:
        raise ValueError(f"max_seq_length = {max_seq_length} is too long for {source!r}; allowed: at most {limit}")


def collate(features: Features, chosen: np.ndarray, pad_token_id: int, device) -> dict[str, torch.Tensor]:
    """The model's inputs for some features: (B, T), or (B, R, T) where a feature has several rows."""
    count = features.rows_per_feature
    rows = (chosen[:, None] * count + np.arange(count)).ravel()
    width = max(len(features.input_ids[row]) for row in rows)
    batch = {"input_ids": pad([features.input_ids[row] for row in rows], width, pad_token_id)}
    batch["attention_mask"] = pad([np.ones(len(features.input_ids[row]), dtype=np.int64) for row in rows], width, 0)
    if features.token_type_ids:
        batch["token_type_ids"] = pad([features.token_type_ids[row] for row in rows], width, 0)
    shape = (len(chosen), count, width) if count > 1 else (len(chosen), width)
    return {name: torch.from_numpy(values).reshape(shape).to(device) for name, values in batch.items()}


def collate_labels(features: Features, chosen: np.ndarray, device) -> torch.Tensor:
    """(B,), (B, 2) or (B, T) int64 labels of some features, padded with -100."""
    labels = [np.atleast_1d(features.labels[index]) for index in chosen]
    stacked = pad(labels, max(map(len, labels)), IGNORED)
    return torch.from_numpy(stacked if np.ndim(features.labels[chosen[0]]) else stacked[:, 0]).to(device)


def pad(rows: list[np.ndarray], width: int, value: int) -> np.ndarray:
    """(len(rows), width) int64, rows filled up with `value` at the right."""
    padded = np.full((len(rows), width), value, dtype=np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def mean_pool(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """(B, H) mean of (B, T, H) over real tokens, special ones included, as XTREME's retrieval does."""
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)
