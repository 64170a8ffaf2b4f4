"""What a notebook or a study asks for, checked: parameters -> the configs of runs. Imports nothing heavy."""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from inspect import Parameter, signature
from pathlib import Path

from xt.arms import ARMS, TRANSLATED, Arm, check_arm, own_task
from xt.config import ModelConfig, PretrainConfig, ScoreConfig, TextConfig
from xt.errors import DataError, require_known
from xt.knobs import KNOBS, OF_MIXING
from xt.locations import BUILT_HERE, resolve_encoder, resolve_root
from xt.presets import knobs_of, resolve_knobs
from xt.recipes import RECIPES, find_recipe
from xt.tasks import (
    TASKS,
    Task,
    all_languages_of,
    asked_once,
    get_task,
    home_language,
    languages_of,
    text_languages,
    translated_languages,
)


@asked_once
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
    made_from = () if recipe.tokenizer else recipe.tokenizer_languages or languages
    return PretrainConfig(encoder, root, replace(recipe, languages=languages, tokenizer_languages=made_from), seed)


@asked_once
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
    tasks = arm.tasks or ((own_task(intermediate, target),) if arm.of_target else ())
    if not tasks:
        trained = [name for name, row in ARMS.items() if row.tasks]
        raise ValueError(f"intermediate = {intermediate!r} trains nothing; allowed here: {', '.join(trained)}")
    check_places(encoder, encoder_revision, root, seed)
    shared = dict(encoder=encoder, root=root, preset=preset, seed=seed, encoder_revision=encoder_revision)
    steps_as = intermediate_config(intermediate=arm.steps_as, **shared) if arm.steps_as else None
    shared |= dict(parent=pretraining_of(encoder, root), intermediate=intermediate, phase="intermediate")
    shared |= dict(shuffle_labels=arm.shuffle_labels)
    if arm.mlm:
        overrides = {**overrides, "trained_embeddings": "all"}
    first, *others = [
        ModelConfig(task=task, knobs=knobs, train_language=code, **shared)
        for task, knobs in knobs_of(preset, tasks, overrides, "intermediate")
        for code in arm_languages(arm, task, root)
    ]
    if others and first.knobs.num_train_steps:
        raise ValueError(
            f"num_train_steps = {first.knobs.num_train_steps} with several tasks or languages, which share no number "
            "of updates; allowed: 0, and num_epochs"
        )
    text = TextConfig(root, text_languages(root)) if arm.mlm else None
    return replace(first, beside=tuple(others), text=text, steps_as=steps_as)


def arm_languages(arm: Arm, task: str, root: str) -> tuple[str, ...]:
    """The languages in which an arm trains on a task; ValueError for one of which the root has no training data."""
    if arm.languages == TRANSLATED:
        codes = translated_languages(task, root)
        if not codes:
            raise DataError(f"{root}: {task} has no translated training data; make some with "
                            "notebooks/experiments/translate.ipynb")  # fmt: skip
        return codes
    home = home_language(root)
    if not arm.languages and get_task(task).training_task != task and home not in languages_of(get_task(task), root):
        raise ValueError(f"{task} has no training rows in {home!r}: spell the arm with a language, such as {task}.sw")
    return arm.languages or (home,)


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
    one. Both hold for every target, or behind its name for one: `panx/de`, `udpos/de:validation`. `overrides` are knobs
    of the target training and its scoring (None = the preset's); the intermediate model they start from follows the
    preset, but for the knobs of mixing (`sampling`, `mlm_ratio`, ...), which concern it alone. Raises ValueError naming
    what is allowed.
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
    for entry in (*codes, *rules):
        if "/" in entry:
            require_known("target in languages or eval_splits", entry.partition("/")[0], targets)
    return [
        score_config(get_task(name), shared, of_target(name, codes), of_target(name, rules), overrides, keep_weights)
        for name in targets
    ]


def of_target(target: str, entries: Iterable[str]) -> tuple[str, ...]:
    """Those of the entries that hold for a target: those for every one, and those behind its name."""
    return tuple(entry.rpartition("/")[2] for entry in entries if entry.startswith(f"{target}/") or "/" not in entry)


def score_config(
    task: Task,
    shared: dict,
    languages: tuple[str, ...],
    eval_splits: tuple[str, ...],
    overrides: Mapping,
    keep_weights: bool,
) -> ScoreConfig:
    """The config of one scoring; what it trains, if anything, is the task's training task."""
    check_splits(task, eval_splits)
    arm, root, spoken = check_arm(shared["intermediate"]), shared["root"], languages_of(task, shared["root"])
    known = all_languages_of(task, root)
    chosen = tuple(require_known(f"language of {task.name}", code, known) for code in languages)
    for rule in eval_splits:
        if ":" in rule:
            require_known("evaluated language in eval_splits", rule.partition(":")[0], chosen or spoken)
    of_mixing = {name: value for name, value in overrides.items() if name in OF_MIXING}
    overrides = {name: value for name, value in overrides.items() if name not in OF_MIXING}
    knobs = resolve_knobs(shared["preset"], task.training_task or task.name, overrides)
    prepared = intermediate_config(target=task.name, **shared, **of_mixing) if arm.tasks or arm.of_target else None
    parent, home = prepared or pretraining_of(shared["encoder"], root), home_language(root)
    shifted = shared | {"seed": shared["seed"] + arm.seed_shift}
    for name in filter(None, (task.training_task and get_task(task.training_task).trained_before, task.training_task)):
        own = resolve_knobs(shared["preset"], name, overrides)
        parent = ModelConfig(task=name, knobs=own, parent=parent, phase="target", train_language=home, **shifted)
    return ScoreConfig(
        target=task.name,
        languages=chosen or spoken,
        eval_splits=eval_splits,
        knobs=knobs,
        model=parent,
        keep_weights=keep_weights,
        train_language=home,
        **shared,
    )


def check_splits(task: Task, eval_splits: tuple[str, ...]) -> None:
    """ValueError for a split whose rows, or whose translations, checkpoints are selected on (COPA's and XCOPA's)."""
    chosen_on = task.training_task and get_task(task.training_task).selection
    for rule in eval_splits:
        if chosen_on and rule.rpartition(":")[2] == chosen_on.split:
            raise ValueError(
                f"eval_splits = {rule!r} for {task.name}: checkpoints of {task.training_task} are selected on the rows "
                f"of {chosen_on.split!r}; allowed: other splits, such as {task.evaluation.split!r}"
            )


def as_list(name: str, value: str | Iterable[str]) -> tuple[str, ...]:
    """The distinct texts of a list, or of a text such as `de,fr` parted at its commas (papermill's `-p` passes texts).

    Raises ValueError naming the parameter where it is neither.
    """
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"{name} = {value!r} is not allowed; allowed: a text such as 'de,fr', or a list of texts")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


@asked_once
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
