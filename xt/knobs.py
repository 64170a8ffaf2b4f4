"""Every knob of training and scoring, its unit and its range. Imports nothing heavy."""

import re
from dataclasses import dataclass, field, fields
from functools import cached_property
from math import isfinite


def knob(default, unit: str, allowed: str):
    """A dataclass field whose metadata carry its unit and the allowed values in words."""
    return field(default=default, metadata={"unit": unit, "allowed": allowed})


@dataclass(frozen=True)
class Knobs:
    """Every knob of training and scoring. Steps end in `_steps`, shares in `_ratio`."""

    learning_rate: float = knob(1e-5, "peak, per update", "> 0 and < 1")
    num_epochs: float = knob(3.0, "passes over the training features", "> 0")
    num_train_steps: int = knob(0, "updates; 0 = as many as num_epochs takes", ">= 0")
    batch_size: int = knob(32, "features per update", ">= 1")
    max_seq_length: int = knob(256, "tokens, special ones included", ">= 16")
    warmup_ratio: float = knob(0.1, "share of all updates", ">= 0 and < 1")
    warmup_steps: int = knob(0, "updates; 0 = as many as warmup_ratio says", ">= 0")
    weight_decay: float = knob(0.01, "per update; never on biases, norms and embeddings", ">= 0")
    adam_epsilon: float = knob(1e-8, "added to the root of the second moment", "> 0")
    max_grad_norm: float = knob(1.0, "L2 norm of one update's gradient", "> 0")
    dropout: float = knob(-1.0, "probability; -1 = the encoder's own", "-1, or >= 0 and < 1")
    doc_stride: int = knob(128, "context tokens that two windows share", ">= 0")
    max_query_length: int = knob(64, "question tokens", ">= 4")
    max_answer_length: int = knob(30, "tokens of a decoded span", ">= 1")
    empty_windows: int = knob(-1, "training windows without the answer kept per question; -1 = all", ">= -1")
    max_train_examples: int = knob(0, "examples; 0 = all", ">= 0")
    max_eval_examples: int = knob(0, "examples per language, whole clusters; 0 = all", ">= 0")
    num_selection_examples: int = knob(500, "examples of the training task's own language", ">= 1")
    selection_steps: int = knob(1000, "updates between two looks at the selection data", ">= 1")
    patience: int = knob(30, "looks without a better score before training stops", ">= 1")
    tokens_per_batch: int = knob(4096, "padded tokens per forward pass", ">= 16")
    sampling: str = knob("proportional", "how tasks share updates", "proportional or capped or temperature or uniform")
    sampling_cap: int = knob(65536, "features that a task counts for at most, where sampling is capped", ">= 1")
    sampling_temperature: float = knob(2.0, "share ~ features ** (1 / this), where sampling is temperature", "> 0")
    mixing: str = knob("updates", "what holds one task only: an update, or an example of it", "updates or examples")
    mlm_ratio: float = knob(0.25, "share of updates that read text, in arms with text beside", "> 0 and < 1")
    mask_ratio: float = knob(0.15, "share of the text's tokens to predict", "> 0 and < 1")
    data_seed: int = knob(0, "draws caps and selection data; the same for every run of a study", ">= 0")
    trained_embeddings: str = knob("all", "input rows that are parameters; equal but for rounding", "all or seen")
    last_layer: str = knob(
        "all", "positions of it that a head reading the first computes; equal but for rounding", "all or first"
    )
    activations: str = knob(
        "kept", "of the layers, until the way back; computed again they take a third more time", "kept or recomputed"
    )
    lora_rank: int = knob(0, "of what is trained beside each of the layers' matrices; 0 = all weights are", ">= 0")
    lora_alpha: float = knob(16.0, "what is trained beside them counts this / lora_rank times", "> 0")
    embedding_layer: int = knob(-1, "hidden state pairs are mined at, 0 = embeddings; -1 = the usual depth", ">= -1")
    pooling: str = knob("mean", "of a sentence's token vectors, where nothing is trained", "mean or first")
    attention: str = knob("sdpa", "transformers' attention implementation", "sdpa or eager")
    precision: str = knob("bf16", "bf16 = autocast; weights are float32 always", "bf16 or fp32")
    num_threads: int = knob(1, "processor threads of one run", ">= 1")
    kernels: str = knob("any", "of a GPU: the fastest, or those that give the same bits again", "any or deterministic")
    restarts: int = knob(0, "trainings from another seed, one after the other, where one diverged or collapsed", ">= 0")

    def __post_init__(self):
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not entry.default:
                check_knob(entry.name, value, entry.type, entry.metadata["allowed"])

    def chosen(self) -> dict[str, object]:
        """The knobs that are not at their default: what an identity hashes.

        A new knob whose default is what was done before thus moves no id; a changed default raises a version.
        """
        return dict(self._chosen)

    @cached_property
    def _chosen(self) -> dict[str, object]:
        return {e.name: getattr(self, e.name) for e in fields(self) if getattr(self, e.name) != e.default}


CONDITION = re.compile(r"(>=|>|<=|<) (\S+)")
COMPARE = {
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}


def check_knob(name: str, value, kind: type, allowed: str) -> None:
    """Raises ValueError naming the knob, its value and what is allowed, where the value is not allowed.

    `allowed` is the text of the field's metadata: alternatives parted by commas or `or`, conditions by `and`.
    """
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    fits_kind = numeric and (kind is not int or value == int(value)) if kind is not str else isinstance(value, str)
    if not (fits_kind and any(holds(option, value) for option in re.split(r", or |, | or ", allowed))):
        raise ValueError(f"{name} = {value!r} is not allowed; allowed: {kind.__name__} {allowed}")


def holds(option: str, value) -> bool:
    """Whether a value equals the option or meets all its conditions."""
    conditions = CONDITION.findall(option)
    if not conditions:
        return str(value) == option or (not isinstance(value, str) and value == number(option))
    return all(COMPARE[sign](value, float(bound)) for sign, bound in conditions)


def number(text: str) -> float:
    """The number a text spells, or NaN, which equals nothing."""
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else float("nan")


KNOBS = {entry.name: entry for entry in fields(Knobs)}
OF_DATA = frozenset(
    "max_seq_length doc_stride max_query_length max_answer_length empty_windows max_train_examples max_eval_examples "
    "num_selection_examples data_seed".split()
)
"""Knobs that each task of a training has for itself; of all others one training has one."""
OF_MIXING = frozenset("sampling sampling_cap sampling_temperature mixing mlm_ratio mask_ratio".split())
"""Knobs of trainings on several tasks, or with text beside."""


def coerce(kind: type, value):
    """A number in its knob's type where it can be, so that 3, 3.0 and "3" are one identity; else as it is."""
    if kind is str or isinstance(value, bool):
        return value
    try:
        exact = float(value)
    except (TypeError, ValueError):
        return value
    return int(exact) if kind is int and exact.is_integer() else exact
