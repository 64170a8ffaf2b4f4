"""What a run is, and its identity. Imports nothing heavy.

A model id hashes everything training reads; a score id adds everything evaluation reads. Library versions,
processor, device and the resolved hub commit are recorded beside an id, never hashed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from xt.digests import file_digest
from xt.knobs import Knobs
from xt.locations import BUILT_HERE, folder, resolve_encoder, vocabulary_files
from xt.recipes import Recipe
from xt.tasks import asked_once, fingerprint_evaluation, fingerprint_text, fingerprint_training, get_task

TRAINING_VERSION = 1
"""Raised by hand when a change of code moves trained weights; a golden run in the tests tells."""
DECODING_VERSION = 1
"""Raised by hand when a change of code moves scores of the same weights."""


CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def short_hash(record: Mapping) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a record's canonical JSON."""
    return hashlib.sha256(CANONICAL(record).encode()).hexdigest()[:12]


def word(name: str) -> str:
    """A name as a part of a run's id: letters, digits and underlines."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


@asked_once
def encoder_fingerprint(encoder: str, revision: str | None) -> str:
    """What names an encoder's bytes: the hash of a folder's files, or the hub id and revision.

    An encoder that is made here is named by the files it is made from.
    """
    if encoder in BUILT_HERE:
        root = folder("XT_FIXTURES")
        digests = {path.relative_to(root).as_posix(): file_digest(path) for path in vocabulary_files(encoder)}
        return f"{encoder}@{short_hash(digests)}"
    place = Path(resolve_encoder(encoder))
    if (place / "config.json").is_file():
        files = sorted(p for p in place.iterdir() if p.suffix in {".json", ".safetensors", ".model", ".txt"})
        return short_hash({path.name: file_digest(path) for path in files})
    return f"{place}@{revision or 'main'}"


@dataclass(frozen=True)
class PretrainConfig:
    """One pretraining: masked language modelling on a root's text, from nothing."""

    encoder: str  # as spelled
    root: str
    recipe: Recipe
    seed: int
    intermediate: str = "none"

    phase: ClassVar[str] = "pretrain"
    parent: ClassVar[None] = None

    @property
    def knobs(self) -> Knobs:
        """Those of the recipe."""
        return self.recipe.knobs

    def identity(self) -> dict:
        """Everything pretraining reads, as JSON-ready values."""
        said_elsewhere = {"note", "knobs", "tokenizer"}
        recipe = {key: value for key, value in asdict(self.recipe).items() if key not in said_elsewhere}
        codes = dict.fromkeys((*self.recipe.languages, *self.recipe.tokenizer_languages))
        taken = self.recipe.tokenizer
        return {
            "training_version": TRAINING_VERSION,
            "recipe": json.loads(json.dumps(recipe)),
            "text": {code: fingerprint_text(self.root, code) for code in codes},
            "seed": self.seed,
            "knobs": self.knobs.chosen(),
        } | ({"tokenizer": encoder_fingerprint(taken, None)} if taken else {})

    @cached_property
    def model_id(self) -> str:
        """Readable name and hash: the folder of the encoder."""
        name = re.sub(r"-s\d+$", "", self.encoder).replace("-", "_")
        return f"pretrain-{name}-s{self.seed}-{short_hash(self.identity())}"

    @property
    def run_id(self) -> str:
        """A training is a run: its id is the model id."""
        return self.model_id


@dataclass(frozen=True)
class TextConfig:
    """Text that masked language modelling reads beside a training's tasks."""

    root: str
    languages: tuple[str, ...]

    def identity(self) -> dict:
        """What is read, as JSON-ready values."""
        return {code: fingerprint_text(self.root, code) for code in self.languages}


@dataclass(frozen=True)
class ModelConfig:
    """One training: from an encoder or a trained parent, on the data of one task or several, to a model folder."""

    encoder: str
    task: str  # the training task
    root: str
    preset: str
    seed: int
    knobs: Knobs
    phase: str  # intermediate or target
    intermediate: str = "none"  # the arm this model belongs to
    parent: "ModelConfig | PretrainConfig | None" = None  # what it starts from; None = the encoder as it is found
    beside: tuple["ModelConfig", ...] = ()  # tasks trained on the same encoder at the same time
    text: TextConfig | None = None  # text that masked language modelling reads beside; None = none
    steps_as: "ModelConfig | None" = None  # the training whose number of updates is taken; None = that of the knobs
    encoder_revision: str | None = None
    train_language: str = "en"
    shuffle_labels: bool = False

    def identity(self) -> dict:
        """Everything training reads, as JSON-ready values."""
        start = self.parent.model_id if self.parent else encoder_fingerprint(self.encoder, self.encoder_revision)
        scoring_only = {"max_eval_examples"}
        record = {
            "training_version": TRAINING_VERSION,
            "start": start,
            "task": self.task,
            "data": fingerprint_training(self.task, self.root, self.train_language),
            "train_language": self.train_language,
            "shuffle_labels": self.shuffle_labels,
            "seed": self.seed,
            "knobs": {name: value for name, value in self.knobs.chosen().items() if name not in scoring_only},
        }
        if self.beside:
            record["beside"] = [other.identity() for other in self.beside]
        if self.text:
            record["text"] = self.text.identity()
        if self.steps_as:
            record["steps_as"] = self.steps_as.identity()
        return record

    @cached_property
    def model_id(self) -> str:
        """Readable name and hash: the folder of the trained model. Computed once: data may change under it."""
        arm = word(self.intermediate)
        return f"{self.phase}-{self.task}-{arm}-s{self.seed}-{short_hash(self.identity())}"

    @cached_property
    def run_id(self) -> str:
        """A training is a run: its id is the model id."""
        return self.model_id


Trained = ModelConfig | PretrainConfig
"""What has a model of its own."""


def read_trained(record: Mapping | None) -> Trained | None:
    """The config of which `dataclasses.asdict` and JSON made a record."""
    if record is None:
        return None
    if "recipe" in record:
        recipe = {key: tuple(value) if isinstance(value, list) else value for key, value in record["recipe"].items()}
        return PretrainConfig(**record | {"recipe": Recipe(**recipe | {"knobs": Knobs(**recipe["knobs"])})})
    text = record["text"]
    inner = {"knobs": Knobs(**record["knobs"]), "beside": tuple(map(read_trained, record["beside"]))}
    inner |= {name: read_trained(record[name]) for name in ("parent", "steps_as")}
    return ModelConfig(**record | inner | {"text": text and TextConfig(text["root"], tuple(text["languages"]))})


def chain_of(model: Trained | None) -> list[Trained]:
    """A model and what it was trained from, nearest first."""
    return [model, *chain_of(model.parent)] if model else []


@asked_once
def split_languages(languages: tuple[str, ...], eval_splits: tuple[str, ...]) -> dict[str, str | None]:
    """Language -> the evaluation split that is asked for in it; None = the task's own."""
    rules = dict(rule.rpartition(":")[::2] for rule in eval_splits)
    return {code: rules.get(code, rules.get("")) for code in languages}


@asked_once
def fingerprint_languages(target: str, root: str, splits: tuple[tuple[str, str | None], ...]) -> dict[str, str]:
    """Language -> fingerprint of the evaluation data of its split."""
    return {code: fingerprint_evaluation(target, root, code, split=split) for code, split in splits}


@dataclass(frozen=True)
class ScoreConfig:
    """One scoring: a target task in every language, with a fine-tuned model or (retrieval) without fine-tuning."""

    target: str
    languages: tuple[str, ...]
    eval_splits: tuple[str, ...]  # "test" for all languages, "de:validation" for one; empty = the task's own
    encoder: str
    intermediate: str
    root: str
    preset: str
    seed: int
    knobs: Knobs
    model: Trained | None  # what is scored; None = the encoder as it is found
    encoder_revision: str | None = None
    train_language: str = "en"
    keep_weights: bool = False  # keep the fine-tuned model after scoring

    @property
    def phase(self) -> str:
        """What is done before scoring: fine-tuning (target), or nothing (retrieval)."""
        return "target" if get_task(self.target).training_task else "retrieval"

    def split_of(self, language: str) -> str | None:
        """The evaluation split asked for in this language; None = the task's own."""
        return split_languages((language,), self.eval_splits)[language]

    def identity(self) -> dict:
        """Everything scoring reads, as JSON-ready values."""
        start = self.model.model_id if self.model else encoder_fingerprint(self.encoder, self.encoder_revision)
        splits = split_languages(self.languages, self.eval_splits)
        return {
            "decoding_version": DECODING_VERSION,
            "model": start,
            "target": self.target,
            "data": fingerprint_languages(self.target, self.root, tuple(splits.items())),
            "splits": splits,
            "seed": self.seed,
            "knobs": self.knobs.chosen(),
        }

    @cached_property
    def run_id(self) -> str:
        """Readable name and hash: the folder of the scores."""
        return f"{self.target}-{word(self.intermediate)}-s{self.seed}-{short_hash(self.identity())}"

    @property
    def intermediate_language(self) -> str | None:
        """The languages of the intermediate training, as in `de+fr`; None where there is none."""
        prepared = next((model for model in chain_of(self.model) if model.phase == "intermediate"), None)
        parts = (prepared, *prepared.beside) if prepared else ()
        return "+".join(sorted({part.train_language for part in parts})) or None
