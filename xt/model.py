"""One encoder under one head per task, through transformers' own classes; loss sums and pooling. Knows no task."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import transformers
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy

from xt.downloads import ONLY_SAFETENSORS, check_checkpoint
from xt.dual_encoder import DualEncoder, in_batch_loss, scaled_vectors
from xt.encode.features import IGNORED, Features, Ragged
from xt.errors import DataError
from xt.hub import OFFLINE, open_pretrained


def class_scores(model, inputs: Mapping, labels=None) -> torch.Tensor:
    """The head's scores as they are: (B, L), (B, C), or (B, T, L)."""
    return model(**inputs).logits.float()


def span_scores(model, inputs: Mapping, labels=None) -> torch.Tensor:
    """(B, T, 2) start and end scores."""
    output = model(**inputs)
    return torch.stack([output.start_logits, output.end_logits], dim=-1).float()


def token_scores(model, inputs: Mapping, labels: torch.Tensor) -> torch.Tensor:
    """(M, V) scores of the vocabulary at the M positions whose `labels` (B, T) are counted, and nowhere else."""
    head = next((getattr(model, name) for name in TOKEN_HEADS if hasattr(model, name)), None)
    if head is None:
        return model(**inputs).logits[labels >= 0].float()
    return head(model.base_model(**inputs).last_hidden_state[labels >= 0]).float()


TOKEN_HEADS = ("lm_head", "cls", "predictions")
"""Where transformers' models keep the head that predicts tokens from hidden states; others predict everywhere."""


def class_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy summed over labelled positions. `scores` (..., L), `labels` (...) with -100 = not counted."""
    return cross_entropy(scores.flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum")


def span_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over positions, summed over starts and ends. `scores` (B, T, 2), `labels` (B, 2).

    As in transformers' own question-answering heads, padded positions take part in the softmax, so that this loss
    depends a little on what a feature is padded with (half a percent in the tests).
    """
    return cross_entropy(scores, labels, reduction="sum")


def token_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy summed over hidden tokens. `scores` (M, V), `labels` (B, T) with -100 = not hidden."""
    return cross_entropy(scores, labels[labels >= 0], reduction="sum")


@dataclass(frozen=True)
class Head:
    """How one format's head is built, read and trained."""

    auto_class: str  # name of transformers' AutoModelFor... class
    scores: Callable = class_scores  # (model, inputs, labels) -> float32 scores
    loss: Callable = class_loss  # (scores, labels) -> sum over the batch
    argmax: bool = False  # keep only the best class per position when predicting
    padded: bool = False  # scores have one entry per token
    num_outputs: int = 0  # outputs of the last layer; 0 = as many as the task has labels
    wrap: Callable = lambda model: model  # what is built around the transformers model
    keep_head: bool = False  # the checkpoint's own head is trained on where it has one
    whole_updates: bool = False  # the loss of a feature depends on the others of its update
    reads_first: bool = False  # of the encoder's last layer it reads the first position only


SPANS = Head("AutoModelForQuestionAnswering", scores=span_scores, loss=span_loss, padded=True, num_outputs=2)

HEADS: Mapping[str, Head] = {
    "classification": Head("AutoModelForSequenceClassification", reads_first=True),
    "multiple_choice": Head("AutoModelForMultipleChoice", num_outputs=1, reads_first=True),
    "tagging": Head("AutoModelForTokenClassification", argmax=True, padded=True),
    "span_qa": SPANS,
    "span_qa_v2": SPANS,
    "ranking": Head(
        "AutoModel", scores=scaled_vectors, loss=in_batch_loss, wrap=DualEncoder, whole_updates=True, reads_first=True
    ),
    "mlm": Head("AutoModelForMaskedLM", scores=token_scores, loss=token_loss, keep_head=True),
}


def share_encoder(first: torch.nn.Module, model: torch.nn.Module) -> None:
    """Puts the first model's encoder into another one in place of its own, which is then free to go from memory."""
    for part, module in first.base_model.named_children():
        if part != "pooler":  # where a head has one, it is the head's own
            setattr(model.base_model, part, module)
    if model.get_output_embeddings() is not None:
        tie_to(first.base_model.get_input_embeddings(), model)


class Network(torch.nn.Module):
    """One encoder under the head of each task that it is trained on, every head a transformers model of its own.

    A head that predicts tokens with the input embeddings does so with the shared ones. `last_layer` is the knob.
    """

    def __init__(self, models: Mapping[str, torch.nn.Module], heads: Mapping[str, Head], last_layer: str = "all"):
        super().__init__()
        self.heads, self.last_layer, (first, *others) = heads, last_layer, models.values()
        for model in others:
            share_encoder(first, model)
        self.models = torch.nn.ModuleDict(models)
        if last_layer != "all":
            end_of_attention(self.encoder)

    @property
    def encoder(self) -> torch.nn.Module:
        """The encoder that the heads share."""
        return next(iter(self.models.values())).base_model

    def forward(self, task: str, inputs: Mapping, labels: torch.Tensor | None = None) -> torch.Tensor:
        """The scores of a task's head for some inputs; see `Head.scores`."""
        head = self.heads[task]
        with nullcontext() if self.last_layer == "all" or not head.reads_first else first_position_only(self.encoder):
            return head.scores(self.models[task], inputs, labels)


def end_of_attention(encoder) -> torch.nn.Module:
    """What the last layer puts its attention's values through; ValueError where layers are not built as BERT's."""
    try:
        return encoder.get_submodule("encoder.layer")[-1].get_submodule("attention.output")
    except AttributeError as error:
        kind = encoder.config.model_type
        raise ValueError(f"last_layer = 'first' is not to be had for {kind}; allowed: all") from error


@contextmanager
def first_position_only(encoder) -> Iterator[None]:
    """While it lasts, the last layer computes nothing behind its attention but at the first position.

    It saves three quarters of that layer's products, and loses nothing where no other position is read.
    """
    only = end_of_attention(encoder).register_forward_pre_hook(lambda module, read: tuple(each[:, :1] for each in read))
    try:
        yield
    finally:
        only.remove()


def tie_to(embeddings: torch.nn.Embedding, model) -> None:
    """Makes a model's output layer the shared input embeddings again. ValueError where that cannot be done."""
    model.tie_weights()
    if model.config.tie_word_embeddings and model.get_output_embeddings().weight is not embeddings.weight:
        raise ValueError(f"the token head of {model.config.model_type} cannot share an encoder; allowed: it alone")


class SeenRows(torch.nn.Embedding):
    """An embedding table of which only the rows that training reads are parameters; in training it reads no other.

    Exact: a row that no gradient reaches stays as it is under AdamW without weight decay. What is not among the
    parameters has no gradient, no moments and no part in a step: of XLM-R's 250,000 rows most are never read.
    """

    def __init__(self, whole: torch.nn.Embedding, seen: np.ndarray):
        rows = torch.as_tensor(seen, dtype=torch.long)
        place = torch.full((whole.num_embeddings,), -1)
        place[rows] = torch.arange(len(rows))
        padding = None if whole.padding_idx is None else int(place[whole.padding_idx])
        super().__init__(len(rows), whole.embedding_dim, padding_idx=padding, _weight=whole.weight.detach()[rows])
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("unseen", whole.weight.detach(), persistent=False)
        self.rows, self.whole = rows, [whole]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., H) the rows of these ids, seen or not."""
        places = self.place[ids]
        found = super().forward(places.clamp(min=0))
        if self.training:
            return found
        return torch.where((places >= 0).unsqueeze(-1), found, torch.nn.functional.embedding(ids, self.unseen))

    def merge(self) -> torch.nn.Embedding:
        """The whole table, with the rows as they were trained."""
        with torch.no_grad():
            self.whole[0].weight[self.rows] = self.weight.to(self.whole[0].weight.device)
        return self.whole[0]


@contextmanager
def seen_rows_only(network: Network, seen: np.ndarray) -> Iterator[None]:
    """While it lasts, only the rows `seen` (distinct ids, padding among them) of the input embeddings are trained.

    Raises ValueError for a network with a head that predicts tokens: its output layer is tied to all of them.
    """
    if any(model.get_output_embeddings() is not None for model in network.models.values()):
        raise ValueError("trained_embeddings = 'seen' with a head that predicts tokens; allowed: 'all'")
    part = SeenRows(network.encoder.get_input_embeddings(), seen)
    network.encoder.set_input_embeddings(part)
    try:
        yield
    finally:
        network.encoder.set_input_embeddings(part.merge())


def build_model(source: str, head: Head, num_labels: int, knobs, seed: int, revision: str | None = None):
    """A transformers model: the encoder of `source` (folder or hub id) under a new head drawn from `seed`.

    Float32 whatever the checkpoint's type; any head that `source` has is dropped. Of `knobs` it reads `dropout`
    (-1 keeps the encoder's) and `attention`. Raises ValueError where the encoder lacks weights that are needed.
    """
    torch.manual_seed(seed)
    config = open_config(source, revision)
    config.num_labels = head.num_outputs or num_labels
    set_dropout(config, knobs.dropout)
    builder = getattr(transformers, head.auto_class)
    check_support(config, builder, knobs.attention)
    if head.keep_head:
        return read_weights(builder, source, knobs, revision, config=config)
    model = builder.from_config(config, dtype=torch.float32, attn_implementation=knobs.attention)
    weights, wanted = load_encoder(source, knobs, revision).state_dict(), model.base_model.state_dict()
    model.base_model.load_state_dict({name: weights[name] for name in wanted if name in weights}, strict=False)
    return head.wrap(model)


def check_support(config, builder, attention: str) -> None:
    """ValueError where transformers has no such head, or no such attention, for this kind of encoder."""
    if type(config) not in builder._model_mapping:
        raise ValueError(
            f"transformers has no {builder.__name__} for {config.model_type}; choose another encoder or task"
        )
    if attention == "sdpa" and not builder._model_mapping[type(config)]._supports_sdpa:
        raise ValueError(f"attention = 'sdpa' is not to be had for {config.model_type}; allowed: eager")


DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob",  # BERT and what follows it
    "dropout", "attention_dropout", "embedding_dropout", "mlp_dropout",  # DistilBERT, XLM, ModernBERT
)  # fmt: skip


def set_dropout(config, dropout: float) -> None:
    """Writes the probability into every place where the encoder's configuration has one; -1 keeps its own.

    ValueError where the configuration has none.
    """
    names = [name for name in DROPOUTS if hasattr(config, name)]
    if dropout >= 0 and not names:
        raise ValueError(f"dropout = {dropout} cannot be set for {config.model_type}; allowed: -1, its own")
    for name in names if dropout >= 0 else ():
        setattr(config, name, dropout)


def load_encoder(source: str, knobs, revision: str | None = None):
    """The encoder of a checkpoint without its head, in float32; `source` is a folder or a hub id.

    Raises ValueError where the checkpoint lacks weights of the encoder; a missing pooler is drawn at random.
    """
    return read_weights(transformers.AutoModel, source, knobs, revision)


def read_weights(builder, source: str, knobs, revision: str | None, **options):
    """A model of one of transformers' auto classes; weights of a head or a pooler that are missing are drawn."""
    check_checkpoint(source, revision)
    what = f"encoder {source!r}: no folder with weights, and not to be had from the hub"
    advice = f"{ADVICE}; {ONLY_SAFETENSORS}"
    try:
        model, found = open_pretrained(
            what, advice, builder, source, revision, output_loading_info=True, **loading(knobs), **options
        )
    except SafetensorError as error:
        raise DataError(f"encoder {source!r}: its weights are damaged ({error}); fetch or copy them again") from error
    missing = {name.removeprefix(f"{model.base_model_prefix}.") for name in found["missing_keys"]}
    lost = sorted(name for name in missing & set(model.base_model.state_dict()) if not name.startswith("pooler."))
    if lost:
        raise ValueError(f"encoder {source!r} lacks {len(lost)} of its weights, the first: {', '.join(lost[:3])}")
    return model


def load_model(source: str, head: Head, knobs):
    """A fine-tuned checkpoint with its head, in float32."""
    return head.wrap(read_weights(getattr(transformers, head.auto_class), source, knobs, None))


def loading(knobs) -> dict:
    """How weights are always loaded: float32, safetensors only, no code from the checkpoint."""
    return dict(dtype=torch.float32, use_safetensors=True, trust_remote_code=False, attn_implementation=knobs.attention)


def open_config(source: str, revision: str | None):
    """A checkpoint's configuration. Raises DataError where there is none."""
    what = f"the configuration of encoder {source!r}"
    return open_pretrained(what, ADVICE, transformers.AutoConfig, source, revision, trust_remote_code=False)


ADVICE = f"{OFFLINE} with its files"


def load_tokenizer(source: str, revision: str | None = None):
    """The fast tokenizer of a checkpoint, which takes words already split as well, and gives what the encoder reads.

    Token types are left out where the encoder has one type or none. ValueError where there is no fast tokenizer, no
    padding token, or another one than the encoder counts its positions by.
    """
    how = dict(add_prefix_space=True, trust_remote_code=False)
    what = f"the tokenizer of encoder {source!r}"
    tokenizer = open_pretrained(what, ADVICE, transformers.AutoTokenizer, source, revision, **how)
    config = open_config(source, revision)
    if not tokenizer.is_fast:
        raise ValueError(f"encoder {source!r} has no fast tokenizer; offsets need one")
    if tokenizer.pad_token_id is None:
        raise ValueError(f"the tokenizer of encoder {source!r} has no padding token; batches need one")
    if config.model_type in PADDED_POSITIONS and tokenizer.pad_token_id != config.pad_token_id:
        raise ValueError(
            f"encoder {source!r} counts positions by padding token {config.pad_token_id}, but its tokenizer pads with "
            f"{tokenizer.pad_token_id}; they must be the same"
        )
    if (getattr(config, "type_vocab_size", None) or 0) < 2:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    return tokenizer


def max_positions(config) -> float:
    """Tokens the encoder's position table holds, or infinity where it has none (relative positions only).

    RoBERTa-style tables begin behind the padding index.
    """
    begins = config.pad_token_id + 1 if config.model_type in PADDED_POSITIONS else 0
    held = getattr(config, "max_position_embeddings", None) or -1
    return held - begins if held > 0 else math.inf


PADDED_POSITIONS = frozenset(
    "camembert data2vec-text ibert lilt longformer luke mpnet roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl "
    "xmod".split()
)
"""transformers' model types whose position table begins behind the padding index."""


def check_length(config, max_seq_length: int, source: str) -> None:
    """ValueError where `max_seq_length` exceeds what the encoder can read."""
    limit = max_positions(config)
    if max_seq_length > limit:
        raise ValueError(f"max_seq_length = {max_seq_length} is too long for {source!r}; allowed: at most {limit}")


def collate(features: Features, chosen: np.ndarray, pad_token_id: int, device) -> dict[str, torch.Tensor]:
    """The model's inputs for some features: (B, T), or (B, R, T) where a feature has several rows."""
    count = features.rows_per_feature
    rows = (chosen[:, None] * count + np.arange(count)).ravel()
    chosen_ids = features.input_ids.select(rows)
    batch = {"input_ids": chosen_ids.pad(pad_token_id)}
    batch["attention_mask"] = np.arange(batch["input_ids"].shape[1]) < chosen_ids.lengths[:, None]
    if features.token_type_ids:
        batch["token_type_ids"] = features.token_type_ids.select(rows).pad(0)
    shape = (len(chosen), count, -1) if count > 1 else (len(chosen), -1)
    return {name: torch.from_numpy(values.astype(np.int64)).reshape(shape).to(device) for name, values in batch.items()}


def collate_labels(features: Features, chosen: np.ndarray) -> torch.Tensor:
    """(B,), (B, 2) or (B, T) int64 labels of some features, padded with -100; on the host."""
    labels = [np.atleast_1d(features.labels[index]) for index in chosen]
    padded = Ragged.of(labels).pad(IGNORED)
    return torch.from_numpy(padded if np.ndim(features.labels[chosen[0]]) else padded[:, 0])


def count_labels(features: Features) -> int:
    """Labelled positions of some features: what the sum of their losses is divided by."""
    return sum(int((np.asarray(values) >= 0).sum()) for values in features.labels)


def mean_pool(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """(B, H) mean of (B, T, H) over real tokens, special ones included, as XTREME's retrieval does."""
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def first_token(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """(B, H) the first token of (B, T, H), as the BUCC script that XTREME released pools."""
    return hidden[:, 0]


POOLINGS: Mapping[str, Callable] = {"mean": mean_pool, "first": first_token}
"""Knob `pooling` -> the vector of a sentence."""
