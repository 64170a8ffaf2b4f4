"""How much a run computes: parameters, tokens trained on, tokens scored. Loads no data and no model.

Numbers are about right, not exact: an example counts as its format's mean. They carry measured hours from one run to
another; where a size is not known there is no number.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xt.config import ModelConfig, PretrainConfig, ScoreConfig, Trained
from xt.knobs import Knobs
from xt.locations import BUILT_HERE, resolve_encoder
from xt.measurement import EfficiencyConfig
from xt.recipes import find_recipe
from xt.tasks import TASKS


@dataclass(frozen=True)
class Shape:
    """What an encoder's size follows from."""

    hidden_size: int
    num_layers: int
    intermediate_size: int
    vocab_size: int

    @property
    def parameters(self) -> int:
        """Weights of the layers, without embeddings: 4 h^2 of attention and 2 h i of the feed-forward part each."""
        return self.num_layers * (4 * self.hidden_size**2 + 2 * self.hidden_size * self.intermediate_size)

    @property
    def bytes_of_weights(self) -> int:
        """Size of the weights on disk, float32, embeddings included."""
        return 4 * (self.parameters + self.vocab_size * self.hidden_size)


SHAPES: Mapping[str, Shape] = {
    "google-bert/bert-base-multilingual-cased": Shape(768, 12, 3072, 119547),
    "FacebookAI/xlm-roberta-base": Shape(768, 12, 3072, 250002),
    "FacebookAI/xlm-roberta-large": Shape(1024, 24, 4096, 250002),
    "facebook/xlm-roberta-xl": Shape(2560, 36, 10240, 250880),
    "facebook/xlm-roberta-xxl": Shape(4096, 48, 16384, 250880),
    "FacebookAI/roberta-base": Shape(768, 12, 3072, 50265),
    "FacebookAI/roberta-large": Shape(1024, 24, 4096, 50265),
}
"""Encoders of the hub, from their `config.json`; one that is not named here is not known before it is there."""

RELEASED_TRAINING: Mapping[str, int] = {
    "anli_plus": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad_v2": 130_319, "squad": 87_599, "lareqa": 87_599,
    "hellaswag": 39_905, "ccg": 38_015, "cosmosqa": 25_588, "commonsenseqa": 9_741, "pawsx": 49_401, "udpos": 21_253,
    "panx": 20_000, "tydiqa": 3_696, "copa": 400,
}  # fmt: skip
"""Training examples as released (Phang et al. 2020, Table 1; Hu et al. 2020, Table 1)."""
RELEASED_EVALUATION: Mapping[str, int] = {
    "xnli": 5_010, "pawsx": 2_000, "udpos": 20_436, "panx": 10_000, "xquad": 1_190, "mlqa": 11_590, "tydiqa": 2_719,
    "bucc2018": 14_330, "tatoeba": 1_000, "xcopa": 500,
}  # fmt: skip
"""Test examples of the largest language (Hu et al. 2020, Table 1)."""
ROWS_AND_TOKENS: Mapping[str, tuple[int, int]] = {
    "classification": (1, 44), "multiple_choice": (4, 127), "tagging": (1, 24), "span_qa": (1, 267),
    "span_qa_v2": (1, 267), "ranking": (2, 134), "retrieval": (2, 22), "mining": (1, 22),
}  # fmt: skip
"""(inputs per example, tokens per input): means over English training rows of mnli; hellaswag; udpos and panx; squad
and tydiqa, cut by the tokenizer of the encoder mini. A larger vocabulary cuts fewer tokens."""


@dataclass(frozen=True)
class Work:
    """What one run computes."""

    parameters: int
    training_tokens: float
    scoring_tokens: float

    @property
    def units(self) -> float:
        """Parameters x tokens, a trained token counted three times: forward, and twice that backward."""
        return self.parameters * (3 * self.training_tokens + self.scoring_tokens)


def shape_of(encoder: str) -> Shape | None:
    """The shape of an encoder that is made here, lies in a folder, or is named in SHAPES; else None."""
    if found := find_recipe(encoder):
        recipe = found[0]
        return Shape(recipe.hidden_size, recipe.num_layers, 4 * recipe.hidden_size, recipe.vocab_size)
    if encoder in SHAPES or encoder in BUILT_HERE:
        return SHAPES.get(encoder)
    path = Path(resolve_encoder(encoder)) / "config.json"
    config = json.loads(path.read_text()) if path.is_file() else {}
    names = ("hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size")
    return Shape(*(config[name] for name in names)) if set(names) <= set(config) else None


def work_of(config: Trained | ScoreConfig | EfficiencyConfig, trained_already: bool = False) -> Work | None:
    """What a run computes itself, without what it starts from; None where a size is not known. A scoring trains its
    model, unless another one has (`trained_already`) or it scores what other runs train. Not of a measurement."""
    if isinstance(config, EfficiencyConfig):
        return None
    shape, scores = shape_of(config.encoder), isinstance(config, ScoreConfig)
    model = config.model if scores else config
    trains = not scores or (model is not None and model.phase == "target" and not trained_already)
    trained = training_tokens(model) if trains else 0.0
    scored = scoring_tokens(config) if scores else 0.0
    return None if shape is None or trained is None or scored is None else Work(shape.parameters, trained, scored)


def training_tokens(model: Trained | None) -> float | None:
    """Tokens read by a training, and by those of the same phase that it goes on from; None where not known."""
    if model is None:
        return 0.0
    if isinstance(model, PretrainConfig):
        return float(model.recipe.num_tokens)
    parts = [part_tokens(part) for part in (model, *(() if model.steps_as else model.beside))]
    before = model.parent if model.parent and model.phase == model.parent.phase == "target" else None
    earlier = training_tokens(before)
    if earlier is None or None in parts:
        return None
    return earlier + sum(parts) / (1 - model.knobs.mlm_ratio if model.text else 1)


def part_tokens(model: ModelConfig) -> float | None:
    """Tokens read of one task of a training; None where neither a cap nor a release says how many examples it has."""
    if model.steps_as:
        copied = [part_updates(part) for part in (model.steps_as, *model.steps_as.beside)]
        per_example = tokens_per_example(TASKS[model.task].format, model.knobs, training=True)
        return None if None in copied else per_example * sum(copied) * model.knobs.batch_size
    examples = known_examples(RELEASED_TRAINING.get(model.task), model.knobs.max_train_examples, model.root)
    if examples is None:
        return None
    per_example = tokens_per_example(TASKS[model.task].format, model.knobs, training=True)
    steps = model.knobs.num_train_steps
    return per_example * (steps * model.knobs.batch_size if steps else model.knobs.num_epochs * examples)


def part_updates(model: ModelConfig) -> float | None:
    """Updates on one task of a training, taking an example for a feature; None where its number is not known."""
    examples = known_examples(RELEASED_TRAINING.get(model.task), model.knobs.max_train_examples, model.root)
    if model.knobs.num_train_steps or examples is None:
        return model.knobs.num_train_steps or None
    return examples * model.knobs.num_epochs / model.knobs.batch_size


def scoring_tokens(config: ScoreConfig) -> float | None:
    """Tokens of what a run scores in all its languages; None where it is not known how many examples there are."""
    examples = scored_examples(config)
    per_example = tokens_per_example(TASKS[config.target].format, config.knobs)
    return None if examples is None else examples * per_example


def scored_examples(config: ScoreConfig) -> int | None:
    """Examples that a run scores, all languages together; None where neither a cap nor a release tells."""
    examples = known_examples(RELEASED_EVALUATION.get(config.target), config.knobs.max_eval_examples, config.root)
    return None if examples is None else len(config.languages) * examples


def known_examples(released: int | None, cap: int, root: str) -> int | None:
    """The cap, or on the hub what was released where that is less; None where neither is known."""
    counts = [count for count in (cap, released if root == "hub" else None) if count]
    return min(counts, default=None)


def tokens_per_example(form: str, knobs: Knobs, *, training: bool = False) -> int:
    """Tokens of an example of a format; of a passage longer than the input as many windows as it is cut into, in
    training those that are kept."""
    rows, tokens = ROWS_AND_TOKENS[form]
    if tokens <= knobs.max_seq_length or not form.startswith("span_qa"):
        return rows * min(tokens, knobs.max_seq_length)
    windows = 1 + math.ceil((tokens - knobs.max_seq_length) / knobs.doc_stride)
    kept = 1 + knobs.empty_windows if training and knobs.empty_windows >= 0 else windows
    return min(windows, kept) * knobs.max_seq_length
