"""What a run is: its arm, its checks, its identity. Imports nothing heavy.

A model id hashes everything training reads; a score id adds everything evaluation reads. Library versions,
processor, device and the resolved hub commit are recorded beside an id, never hashed.
"""

import ast
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from inspect import Parameter, signature
from pathlib import Path
from typing import ClassVar

from xt.arms import ARMS, check_arm, own_task
from xt.errors import require_known
from xt.knobs import KNOBS, Knobs, knobs_of, resolve_knobs
from xt.locations import BUILT_HERE, folder, resolve_encoder, resolve_root
from xt.recipes import RECIPES, Recipe, find_recipe
from xt.tasks import (
    TASKS,
    fingerprint_evaluation,
    fingerprint_text,
    fingerprint_training,
    get_task,
    home_language,
    languages_of,
    text_languages,
)
from xt.tasks.sources import file_digest

TRAINING_VERSION = 1
"""Raised by hand when a change of code moves trained weights; a golden run in the tests tells."""
DECODING_VERSION = 1
"""Raised by hand when a change of code moves scores of the same weights."""


def short_hash(record: Mapping) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a record's canonical JSON."""
    return hashlib.sha256(json.dumps(record, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]


def encoder_fingerprint(encoder: str, revision: str | None) -> str:
    """What names an encoder's bytes: the hash of a folder's files, or the hub id and revision.

    An encoder that is made here is named by the files it is made from.
    """
    if encoder in BUILT_HERE:
        root = folder("XT_FIXTURES")
        digests = {path.relative_to(root).as_posix(): file_digest(path) for path in root.rglob("*.parquet")}
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
        recipe = {key: value for key, value in asdict(self.recipe).items() if key not in {"note", "knobs"}}
        codes = dict.fromkeys((*self.recipe.languages, *self.recipe.tokenizer_languages))
        return {
            "training_version": TRAINING_VERSION,
            "recipe": json.loads(json.dumps(recipe)),
            "text": {code: fingerprint_text(self.root, code) for code in codes},
            "seed": self.seed,
            "knobs": self.knobs.chosen(),
        }

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
        if self.steps_as:
            record["steps_as"] = self.steps_as.identity()
        return record

    @cached_property
    def model_id(self) -> str:
        """Readable name and hash: the folder of the trained model. Computed once: data may change under it."""
        return f"{self.phase}-{self.task}-{self.intermediate}-s{self.seed}-{short_hash(self.identity())}"

    @cached_property
    def run_id(self) -> str:
        """A training is a run: its id is the model id."""
        return self.model_id


Trained = ModelConfig | PretrainConfig
"""What has a model of its own."""


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

    def split_of(self, language: str) -> str | None:
        """The evaluation split asked for in this language; None = the task's own."""
        rules = dict(rule.rpartition(":")[::2] for rule in self.eval_splits)
        return rules.get(language, rules.get(""))

    def identity(self) -> dict:
        """Everything scoring reads, as JSON-ready values."""
        start = self.model.model_id if self.model else encoder_fingerprint(self.encoder, self.encoder_revision)
        return {
            "decoding_version": DECODING_VERSION,
            "model": start,
            "target": self.target,
            "data": {
                code: fingerprint_evaluation(self.target, self.root, code, split=self.split_of(code))
                for code in self.languages
            },
            "splits": {code: self.split_of(code) for code in self.languages},
            "seed": self.seed,
            "knobs": self.knobs.chosen(),
        }

    @cached_property
    def run_id(self) -> str:
        """Readable name and hash: the folder of the scores."""
        return f"{self.target}-{self.intermediate}-s{self.seed}-{short_hash(self.identity())}"


def pretrain_config(*, encoder: str, root: str) -> PretrainConfig:
    """The checked config of an encoder that is pretrained here, on a root's text.

    Raises ValueError naming what is allowed.
    """
    found = find_recipe(encoder)
    if not found:
        raise ValueError(f"encoder = {encoder!r} is not pretrained here; allowed: {', '.join(RECIPES)}, each -s<seed>")
    recipe, seed = found
    check_places(encoder, None, root, seed)
    languages = recipe.languages or text_languages(root)
    return PretrainConfig(
        encoder,
        root,
        replace(recipe, languages=languages, tokenizer_languages=recipe.tokenizer_languages or languages),
        seed,
    )


def intermediate_config(
    *,
    encoder: str,
    intermediate: str,
    root: str,
    preset: str,
    seed: int,
    target: str = "",
    encoder_revision: str | None = None,
    **overrides,
) -> ModelConfig:
    """The checked config of one intermediate training; `overrides` are knobs (None = the preset's).

    `target` is read by arms that train on the target's own data only. Raises ValueError naming what is allowed.
    """
    arm = check_arm(intermediate)
    tasks = arm.tasks or ((own_task(intermediate, target),) if arm.steps_as else ())
    if not tasks:
        trained = [name for name, row in ARMS.items() if row.tasks]
        raise ValueError(f"intermediate = {intermediate!r} trains nothing; allowed here: {', '.join(trained)}")
    check_places(encoder, encoder_revision, root, seed)
    shared = dict(encoder=encoder, root=root, preset=preset, seed=seed, encoder_revision=encoder_revision)
    steps_as = intermediate_config(intermediate=arm.steps_as, **shared) if arm.steps_as else None
    shared |= dict(parent=pretraining_of(encoder, root), intermediate=intermediate, phase="intermediate")
    shared |= dict(shuffle_labels=arm.shuffle_labels, train_language=home_language(root))
    first, *others = [
        ModelConfig(task=task, knobs=knobs, **shared) for task, knobs in knobs_of(preset, tasks, overrides)
    ]
    return replace(first, beside=tuple(others), steps_as=steps_as)


def pretraining_of(encoder: str, root: str) -> PretrainConfig | None:
    """What makes an encoder, where it is pretrained here."""
    return pretrain_config(encoder=encoder, root=root) if find_recipe(encoder) else None


def target_configs(*, target: str | Iterable[str], **settings) -> list[ScoreConfig]:
    """The checked configs of target runs (fine-tuned in English, scored in every language), one per target.

    `settings` are those of `score_configs`. Raises ValueError naming what is allowed.
    """
    allowed = [name for name, task in TASKS.items() if "target" in task.roles and task.training_task]
    return score_configs([require_known("target", name, allowed) for name in list_targets(target)], **settings)


def retrieval_configs(*, target: str | Iterable[str], **settings) -> list[ScoreConfig]:
    """The checked configs of retrieval runs (no fine-tuning), one per target; see `target_configs`."""
    allowed = [name for name, task in TASKS.items() if "target" in task.roles and not task.training_task]
    return score_configs([require_known("target", name, allowed) for name in list_targets(target)], **settings)


def list_targets(target: str | Iterable[str]) -> tuple[str, ...]:
    """The targets asked for; ValueError where there is none."""
    targets = as_list("target", target)
    if not targets:
        raise ValueError(f"target = {target!r} names no task; allowed: a task, or a list of tasks")
    return targets


def score_configs(
    targets: Iterable[str],
    *,
    encoder: str,
    intermediate: str,
    root: str,
    preset: str,
    seed: int,
    languages: str | Iterable[str] = (),
    eval_splits: str | Iterable[str] = (),
    encoder_revision: str | None = None,
    keep_weights: bool = False,
    **overrides,
) -> list[ScoreConfig]:
    """The checked configs of one block of scorings: same encoder, arm and seed, one per target.

    `languages` empty means all of each target's. `eval_splits`: `validation` for all languages, `de:validation` for
    one. `overrides` are knobs of the target training and its scoring (None = the preset's); the intermediate model
    they start from follows the preset alone. Raises ValueError naming what is allowed.
    """
    check_places(encoder, encoder_revision, root, seed)
    shared = dict(
        encoder=encoder,
        intermediate=intermediate,
        root=root,
        preset=preset,
        seed=seed,
        encoder_revision=encoder_revision,
    )
    if not isinstance(keep_weights, bool):
        raise ValueError(f"keep_weights = {keep_weights!r} is not allowed; allowed: True or False")
    codes, rules = as_list("languages", languages), as_list("eval_splits", eval_splits)
    return [score_config(get_task(name), shared, codes, rules, overrides, keep_weights) for name in targets]


def score_config(
    task,
    shared: dict,
    languages: tuple[str, ...],
    eval_splits: tuple[str, ...],
    overrides: Mapping,
    keep_weights: bool,
) -> ScoreConfig:
    """The config of one scoring; what it trains, if anything, is the task's training task."""
    arm, root, spoken = check_arm(shared["intermediate"]), shared["root"], languages_of(task, shared["root"])
    chosen = tuple(require_known(f"language of {task.name}", code, spoken) for code in languages)
    for rule in eval_splits:
        if ":" in rule:
            require_known("evaluated language in eval_splits", rule.partition(":")[0], chosen or spoken)
    knobs = resolve_knobs(shared["preset"], task.training_task or task.name, overrides)
    prepared = intermediate_config(target=task.name, **shared) if arm.tasks or arm.steps_as else None
    parent, home = prepared or pretraining_of(shared["encoder"], root), home_language(root)
    shifted = shared | {"seed": shared["seed"] + arm.seed_shift}
    trained = dict(task=task.training_task, knobs=knobs, parent=parent, phase="target", train_language=home)
    return ScoreConfig(
        target=task.name,
        languages=chosen or spoken,
        eval_splits=eval_splits,
        knobs=knobs,
        model=ModelConfig(**trained, **shifted) if task.training_task else parent,
        keep_weights=keep_weights,
        train_language=home,
        **shared,
    )


def as_list(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    """The distinct texts of a list, or of a text such as `de,fr` parted at its commas (papermill's `-p` passes texts).

    Raises ValueError naming the parameter where it is neither.
    """
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"{name} = {value!r} is not allowed; allowed: a text such as 'de,fr', or a list of texts")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def check_places(encoder: str, encoder_revision: str | None, root: str, seed: int) -> None:
    """ValueError where encoder or root cannot be found, or the seed is none that torch and NumPy both take."""
    for name, value in {"encoder": encoder, "root": root, "encoder_revision": encoder_revision or ""}.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} = {value!r} is not allowed; allowed: a text")
    made_here = encoder in BUILT_HERE or find_recipe(encoder) is not None
    on_hub = not made_here and not Path(resolve_encoder(encoder)).is_dir()
    if encoder_revision and not on_hub:
        raise ValueError(
            f"encoder_revision = {encoder_revision!r}, but encoder {encoder!r} is not on the hub; allowed: None"
        )
    resolve_root(root)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"seed = {seed!r} is not allowed; allowed: a whole number from 0 to {2**31 - 1}")


def read_parameters(namespace: Mapping, maker: Callable) -> dict:
    """A notebook's variables that `maker` (`target_configs`, ...) takes, by name, knobs included.

    Raises ValueError where papermill injected a parameter of another name, which would otherwise be ignored.
    """
    parameters = dict(signature(maker).parameters)
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values()):
        parameters |= {**signature(score_configs).parameters, **signature(intermediate_config).parameters, **KNOBS}
    allowed = parameters.keys() - {"overrides", "settings", "targets"}
    injected = namespace.get("In", [""] * 2)[-2:-1]
    for source in injected:
        if source.startswith("# Parameters"):
            for statement in ast.parse(source).body:
                require_known("parameter", statement.targets[0].id, sorted(allowed))
    return {name: namespace[name] for name in sorted(allowed) if name in namespace}
