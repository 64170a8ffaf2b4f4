"""The phases of one run, composed: what the experiment notebooks call.

Intermediate training -> target training -> scoring in every language, or retrieval without target training.
Each training and each scoring owns a run folder and is skipped where that folder is complete.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs

from xt import checkpoint, processes, scoring, store
from xt.batching import num_updates, share_updates
from xt.checkpoint import Progress
from xt.config import ModelConfig, ScoreConfig, Trained, chain_of
from xt.encode import FORMATS, Features
from xt.encode.mlm import encode_text, mask_tokens
from xt.evaluate import answers_of, gold_of, predict_examples, primary_score
from xt.incidents import noting
from xt.large_encoders import adapters_only, recompute_activations
from xt.locations import resolve_encoder
from xt.machine import code_version, device_name, library_versions
from xt.model import HEADS, Network, build_model, check_length, load_tokenizer, seen_rows_only, share_encoder
from xt.pretrain import TASK as TEXT
from xt.pretrain import build_if_ours, draw_documents, prepare_pretraining
from xt.restarts import train_until_sound
from xt.results import SCORE_COLUMNS
from xt.tasks import EvaluationData, TrainingData, get_task, open_text, read_evaluation, text_status, worst_status
from xt.tasks.selection import shuffle_labels
from xt.train import Look, Part, Training, train


def ignore(line: dict) -> None:
    """The report of a run that nobody watches."""


def train_model(config: Trained, report: Callable[[dict], None] = ignore) -> Path:
    """Trains one model, or finds it trained; its parent first. Returns its run folder.

    The folder holds `config.json`, `train.jsonl`, `outcome.json` and `encoder/`, which the usual transformers
    classes open. A killed training goes on from its last checkpoint and ends with the same weights; a trained model
    whose files are damaged is trained anew.
    """
    is_parent_there = not config.parent or store.is_complete(config.parent.model_id)
    if is_parent_there and store.has_weights(config.model_id) and store.stands_whole(config.model_id, describe(config)):
        return store.run_folder(config.model_id)
    with store.open_run(config.model_id, describe(config)) as folder:
        trained = store.is_whole(config.model_id) and store.has_weights(config.model_id)
        if config.parent and not (trained and store.is_complete(config.parent.model_id)):
            train_model(config.parent, report)
        if not trained:
            (folder / "DONE").unlink(missing_ok=True)
            store.write_config(folder, describe(config))
            fit_apart(config, folder, report) if processes.are_asked_for() else fit(config, folder, report)
            store.finish(config.model_id)
    return folder


def fit_apart(config: Trained, folder: Path, report: Callable[[dict], None]) -> None:
    """`fit` in processes of their own, as the variables of `xt.processes` say."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()  # what an earlier scoring of this process left
    processes.train_in_processes(config.model_id, folder, config.knobs.num_threads, report)


def fit(config: Trained, folder: Path, report: Callable[[dict], None]) -> None:
    """Reads, encodes, trains, and saves one model into its folder.

    Saved is the model with its head where one task was trained, the encoder alone where there were several.
    """
    started, knobs = time.monotonic(), config.knobs
    accelerator = build_accelerator(knobs)

    def train_from(config: Trained) -> tuple[Training, Progress]:
        with accelerator.main_process_first():  # the others find its features on disk
            training = PREPARE[config.phase](config, accelerator.device)
        if knobs.activations == "recomputed":
            recompute_activations(training.network)
        with weights_to_train(training, knobs, config.seed):
            pad = training.tokenizer.pad_token_id
            progress = train(training.network, training.parts, knobs, config.seed, accelerator, folder, pad, report)
        return training, progress

    with noting() as incidents:
        training, ended = train_until_sound(config, train_from, folder)
    if not processes.is_first():
        return
    models = training.network.models
    whole = next(iter(models.values())) if len(models) == 1 else training.network.encoder
    whole = accelerator.unwrap_model(whole, keep_fp32_wrapper=False)
    checkpoint.save_model(folder / store.WEIGHTS, whole, training.tokenizer)
    record = ended | {"seconds": round(time.monotonic() - started, 1)} | training.record | incidents.record()
    store.write_text(folder / "outcome.json", json.dumps(record, indent=1))


def weights_to_train(training: Training, knobs, seed: int) -> AbstractContextManager:
    """A context in which that is trained of the encoder which the knobs say."""
    if knobs.lora_rank:
        return adapters_only(training.network, knobs.lora_rank, knobs.lora_alpha, seed)
    if knobs.trained_embeddings == "all":
        return nullcontext()
    ids = [part.features.input_ids.values for part in training.parts]
    return seen_rows_only(training.network, np.unique(np.concatenate([[training.tokenizer.pad_token_id], *ids])))


def prepare_training(config: ModelConfig, device) -> Training:
    """What one intermediate or target training reads: the network with a head per task, and each task's features."""
    configs = (config, *config.beside)
    source, revision = start_of(config.parent, config.encoder, config.encoder_revision)
    tokenizer = load_tokenizer(source, revision)
    tasks = {each.task: get_task(each.task) for each in configs}
    heads = {name: HEADS[task.format] for name, task in tasks.items()} | ({TEXT: HEADS["mlm"]} if config.text else {})
    models: dict = {}
    for name, head in heads.items():
        num_labels = len(tasks[name].labels) if name in tasks else 0
        models[name] = build_model(source, head, num_labels, config.knobs, config.seed, revision)
        share_encoder(next(iter(models.values())), models[name])  # at most two encoders at a time are in memory
    for each in configs:
        check_length(models[each.task].config, each.knobs.max_seq_length, config.encoder)
    parts, records = zip(*(prepare_part(each, tokenizer, device) for each in configs), strict=True)
    total = count_updates(config.steps_as, tokenizer) if config.steps_as else 0
    parts, records = share_out(parts, records, config.knobs, total)
    if config.text:
        text, read = prepare_text(config, tokenizer, sum(part.num_updates for part in parts))
        parts, records = (*parts, text), (*records, read)
    names = [part.name if each.train_language == config.train_language else f"{part.name}.{each.train_language}"
             for part, each in zip(parts, configs, strict=False)]  # fmt: skip
    record = {name: sum(row[name] for row in records) for name in records[0] if name.startswith("num_")} | {
        "data_status": worst_status(*(row["data_status"] for row in records)),
        "files": [file for row in records for file in row["files"]],
        "encoder_commit": getattr(models[config.task].config, "_commit_hash", None),
        "parts": dict(zip([*names, TEXT], records, strict=False)),
    }
    return Training(Network(models, heads, config.knobs.last_layer), parts, tokenizer, record)


def share_out(
    parts: Sequence[Part], records: Sequence[dict], knobs, total: int
) -> tuple[tuple[Part, ...], tuple[dict, ...]]:
    """The parts, and what is recorded of them, with their updates as the knobs sample; `total` as `share_updates`."""
    counts = share_updates([len(part.features) for part in parts], [part.num_updates for part in parts], knobs, total)
    return (
        tuple(replace(part, num_updates=count) for part, count in zip(parts, counts, strict=True)),
        tuple(row | {"num_updates": count} for row, count in zip(records, counts, strict=True)),
    )


def prepare_text(config: ModelConfig, tokenizer, num_task_updates: int) -> tuple[Part, dict]:
    """Text beside the tasks: as many updates as make it `mlm_ratio` of all, and what is recorded of it.

    Each document is read at most once as long as there are enough of them. Text takes no part in the selection.
    """
    knobs, codes = config.knobs, config.text.languages
    updates = max(1, round(num_task_updates * knobs.mlm_ratio / (1 - knobs.mlm_ratio)))
    texts = {code: open_text(config.text.root, code) for code in codes}
    chosen = draw_documents(texts, updates * knobs.batch_size, np.random.default_rng([config.seed, 5]))
    documents = [str(texts[code][int(place)]) for code, places in chosen.items() for place in places]
    features = encode_text(documents, tokenizer, knobs.max_seq_length)
    return Part(TEXT, features, updates, None, mask_tokens(tokenizer, knobs.mask_ratio)), {
        "num_train_examples": len(documents),
        "num_selection_examples": 0,
        "num_features": len(features),
        "num_features_encoded": len(features),
        "num_truncated": 0,
        "num_updates": updates,
        "num_documents": {code: len(places) for code, places in chosen.items()},
        "data_status": worst_status(*(text_status(config.text.root, code) for code in codes)),
        "files": [],
    }


def prepare_part(config: ModelConfig, tokenizer, device) -> tuple[Part, dict]:
    """One task's features and look, and what is recorded about them."""
    knobs, task = config.knobs, get_task(config.task)
    data = scoring.read_training_data(config)
    features, num_encoded = encode_training(config, data, tokenizer)
    seen = FORMATS[task.format].encode(data.selection, tokenizer, knobs)
    read = dict(features=seen, examples=data.selection, knobs=knobs, pad_token_id=tokenizer.pad_token_id, device=device)
    look = partial(look_at, task=task, **read)
    updates = updates_of(features, knobs)
    return Part(task.name, features, updates, look), {
        "num_train_examples": len(data.train),
        "num_selection_examples": len(data.selection),
        "num_features": len(features),
        "num_features_encoded": num_encoded,
        "num_truncated": features.num_truncated,
        "num_updates": updates,
        "train_language": config.train_language,
        "translated": data.translated,
        "data_status": data.status,
        "files": list(data.files),
    }


def encode_training(config: ModelConfig, data: TrainingData, tokenizer) -> tuple[Features, int]:
    """(the features that training sees, how many there were before thinning)."""
    rng, form = np.random.default_rng([config.seed, 1]), FORMATS[get_task(config.task).format]
    examples = shuffle_labels(data.train, rng) if config.shuffle_labels else data.train
    encoded = form.encode(examples, tokenizer, config.knobs)
    return form.thin(encoded, config.knobs, rng), len(encoded)


def updates_of(features: Features, knobs) -> int:
    """Updates of a training on these features."""
    return knobs.num_train_steps or num_updates(len(features), knobs.num_epochs, knobs.batch_size)


def count_updates(config: ModelConfig, tokenizer) -> int:
    """Updates that another training makes from the same encoder, its parts together."""
    configs = (config, *config.beside)
    return sum(updates_of(encode_training(c, scoring.read_training_data(c), tokenizer)[0], c.knobs) for c in configs)


PREPARE = {"pretrain": prepare_pretraining, "intermediate": prepare_training, "target": prepare_training}


def look_at(network: Network, task, examples: Sequence, **read) -> Look:
    """Scores the selection data with the network as it is; `read` is the rest of what `predict_examples` takes."""
    with noting() as seen:
        predictions = predict_examples(network, task, examples=examples, **read)
    collapsed = distinct(answers_of(task, predictions)) == 1 < distinct(gold_of(task, examples))
    return Look(primary_score(task, predictions, examples), collapsed, not seen.num_not_finite)


def distinct(values: Sequence) -> int:
    """How many different classes, tags or texts stand in a list of them, or of lists of them."""
    return len({str(value) for entry in values for value in np.atleast_1d(np.asarray(entry, dtype=object))})


def build_accelerator(knobs) -> Accelerator:
    """Accelerate on the device this process sees, with the precision and threads of the knobs.

    Accelerate keeps the first precision of a process for good; runs of one kernel may differ, so it is forgotten.
    With `kernels = "deterministic"` an operation that has no such kernel raises RuntimeError.
    """
    AcceleratorState._reset_state()
    torch.set_num_threads(knobs.num_threads)
    if knobs.kernels == "deterministic":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when a process first multiplies matrices
    torch.use_deterministic_algorithms(knobs.kernels == "deterministic")
    precision = {"bf16": "bf16", "fp32": "no"}[knobs.precision]
    together = DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
    return Accelerator(mixed_precision=precision, cpu=not torch.cuda.is_available(), kwargs_handlers=[together])


def start_of(model: Trained | None, encoder: str, revision: str | None) -> tuple[str, str | None]:
    """(source, hub revision) from which weights are read: a trained model's folder, or the encoder."""
    if model:
        return str(store.run_folder(model.model_id) / store.WEIGHTS), None
    return resolve_encoder(build_if_ours(encoder)), revision


def describe(config: Trained | ScoreConfig) -> dict:
    """What `config.json` holds: the hashed identity, and beside it what is recorded only."""
    return {
        "run_id": config.run_id,
        "identity": config.identity(),
        "config": asdict(config),
        "code_version": code_version(),
        "device": processes.name_device(device_name()),
        "libraries": library_versions(),
    }


def run_block(configs: Sequence[ScoreConfig], report: Callable[[dict], None] = ignore) -> pd.DataFrame:
    """Scores a block of targets one after the other; tidy score rows of all of them, finished ones included.

    A fine-tuned model is trained once for all targets of the block that share it; its weights are deleted after the
    last of them unless the config says `keep_weights`.
    """
    tables = []
    for place, config in enumerate(configs):
        tables.append(score_target(config, report))
        still_read = [model for other in configs[place + 1 :] for model in fine_tuned(other)]
        for model in fine_tuned(config):
            if model not in still_read and not config.keep_weights and store.has_weights(model.model_id):
                with store.open_run(model.model_id, describe(model)):
                    store.release_weights(model.model_id)
    return pd.concat(tables, ignore_index=True)


def fine_tuned(config: ScoreConfig) -> list[Trained]:
    """The models of a scoring that are trained for its target, nearest first."""
    return [model for model in chain_of(config.model) if model.phase == "target"]


def score_target(config: ScoreConfig, report: Callable[[dict], None] = ignore) -> pd.DataFrame:
    """Tidy score rows of one target run, computed or found complete. Writes its run folder."""
    with store.open_run(config.run_id, describe(config)) as folder:
        if not store.is_whole(config.run_id):
            started = time.monotonic()
            evaluation = read_all(config)  # before a training whose scoring would lack its rows
            if config.model:
                train_model(config.model, report)
            evaluate_run(config, evaluation, folder, report, started)
            store.finish(config.run_id)
    return store.read_scores(folder)


def read_all(config: ScoreConfig) -> dict[str, EvaluationData]:
    """Language -> what is scored in it."""
    knobs = config.knobs
    return {
        code: read_evaluation(
            config.target,
            config.root,
            code,
            split=config.split_of(code),
            max_examples=knobs.max_eval_examples or None,
            data_seed=knobs.data_seed,
        )
        for code in config.languages
    }


def evaluate_run(
    config: ScoreConfig,
    evaluation: Mapping[str, EvaluationData],
    folder: Path,
    report: Callable[[dict], None],
    started: float,
) -> None:
    """Scores every language of one target and writes predictions, scores and what happened since `started`."""
    knobs, task = config.knobs, get_task(config.target)
    source, revision = start_of(config.model, config.encoder, config.encoder_revision)
    scorer, accelerator = scoring.SCORERS[task.format], build_accelerator(knobs)
    with noting() as incidents:
        frame, num_truncated = scorer(config, source, revision, evaluation, accelerator, report)
        store.write_predictions(folder, task.name, frame)
        if task.training_task:
            store.write_selection(folder, scoring.score_selection(config.model, source, accelerator, report))
    training = read_outcomes(config.model)
    trained_on = [row["data_status"] for row in training]
    status = {code: worst_status(data.status, *trained_on) for code, data in evaluation.items()}
    ended = [row["outcome"] for row in training] + ["diverged"] * bool(incidents.num_not_finite)
    outcome = next((outcome for outcome in ended if outcome != "ok"), "ok")
    rows = scoring.score_rows(config, frame, scoring.find_floors(config, evaluation))
    rows = rows.assign(
        run_id=config.run_id,
        encoder=config.encoder,
        intermediate=config.intermediate,
        intermediate_language=config.intermediate_language,
        target=task.name,
        train_language=config.train_language,
        seed=config.seed,
        preset=config.preset,
        outcome=outcome,
        split=[evaluation[code].split for code in rows["eval_language"]],
        data_status=[status[code] for code in rows["eval_language"]],
        max_train_examples=knobs.max_train_examples or None,
        max_eval_examples=knobs.max_eval_examples or None,
        code_version=code_version(),
        study=None,
    )
    rows.reindex(columns=SCORE_COLUMNS).to_csv(folder / "scores.csv", index=False)
    record = {
        "outcome": outcome,
        "selection_score": training[0].get("best_score") if task.training_task else None,
        "seconds": round(time.monotonic() - started, 1),
        "num_train_examples": training[0]["num_train_examples"] if task.training_task else 0,
        "num_truncated": num_truncated + sum(row["num_truncated"] for row in training[:1]),
        "data_status": worst_status(*status.values()),
        "files": {code: data.files for code, data in evaluation.items()},
    } | incidents.record()
    store.write_text(folder / "outcome.json", json.dumps(record, indent=1))


def read_outcomes(model: Trained | None) -> list[dict]:
    """`outcome.json` of a model and of its parents, nearest first."""
    if model is None:
        return []
    path = store.run_folder(model.model_id) / "outcome.json"
    return [json.loads(path.read_text()), *read_outcomes(model.parent)]
