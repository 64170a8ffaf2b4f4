"""Reading a task: rows from a root, as checked examples; and the fingerprints of what would be read."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xt.errors import DataError, require_known
from xt.languages import get_language
from xt.tasks.classification import read_classification
from xt.tasks.examples import Example
from xt.tasks.multiple_choice import read_multiple_choice
from xt.tasks.retrieval import read_retrieval
from xt.tasks.roots import open_root
from xt.tasks.rows import Rows, build_rows
from xt.tasks.selection import cap_examples, split_off
from xt.tasks.sources import Source, worst_status
from xt.tasks.span_qa import count_repaired, gold_answers, read_span_qa
from xt.tasks.table import get_task
from xt.tasks.tagging import read_tagging
from xt.tasks.task import Task


@dataclass(frozen=True)
class Format:
    """How the rows of a format become examples."""

    read: Callable[[Rows], list]
    """Rows -> examples."""
    gold: Callable[[Any], Sequence]
    """Example -> its gold values: one value in a whole split means that the real ones are hidden."""
    count_repaired: Callable[[Rows, list], int] = lambda rows, examples: 0
    """Number of examples mended while reading."""


FORMATS = {
    "classification": Format(read_classification, lambda example: (example.label,)),
    "multiple_choice": Format(read_multiple_choice, lambda example: (example.label,)),
    "tagging": Format(read_tagging, lambda example: example.tags),
    "span_qa": Format(read_span_qa, gold_answers, count_repaired),
    "retrieval": Format(read_retrieval, lambda example: (example.source,)),
}


@dataclass(frozen=True)
class EvaluationData:
    """One language's examples of one split."""

    examples: list[Example]
    """In the release's order."""
    status: str
    """What the root's rows are: one of STATUSES."""
    split: str
    """The split that was read."""
    files: tuple[str, ...]
    """What was read: paths below a folder root, or `dataset@commit/config/split` on the hub."""
    num_dropped: int
    """Unlabelled rows left out, where the task's row says so."""
    num_repaired: int
    """Questions whose answer offsets were mended."""


@dataclass(frozen=True)
class TrainingData:
    """What is trained on, and the disjoint examples that checkpoints are selected on."""

    train: list[Example]
    """Capped, in the release's order."""
    selection: list[Example]
    """Examples of the training language that share no cluster with `train`, in the release's order."""
    status: str
    """The worst status of what was read."""
    files: tuple[str, ...]
    """What was read."""
    num_dropped: int
    """Unlabelled rows left out, where the task's row says so."""
    num_repaired: int
    """Questions whose answer offsets were mended."""


def read_evaluation(
    name: str,
    root: str,
    language: str,
    *,
    split: str | None = None,
    max_examples: int | None = None,
    data_seed: int = 0,
) -> EvaluationData:
    """A language's evaluation examples of a task, capped at `max_examples` (None: all).

    `split` reads another split than the task's row names. Raises ValueError for an unknown task, language or
    root, DataError for absent data, for bad rows, and for gold labels that are all the same (hidden ones).
    """
    _require_count("max_examples", max_examples, least=1)
    task = get_task(name)
    data = _read_split(task, _evaluation_source(task, root, language, split), root, language)
    gold = {value for example in data.examples for value in FORMATS[task.format].gold(example)}
    if len(data.examples) > 1 and len(gold) == 1:
        raise DataError(
            f"{root}: {name}, {language}, split {data.split!r}: the gold of all {len(data.examples)} rows is "
            f"{gold.pop()!r}: placeholders for hidden labels; scoring them would look like a result"
        )
    return replace(data, examples=cap_examples(data.examples, max_examples, data_seed))


def read_training(
    name: str,
    root: str,
    *,
    language: str | None = None,
    max_examples: int | None = None,
    num_selection: int = 500,
    data_seed: int = 0,
) -> TrainingData:
    """What a model for a task is trained on: the rows of its training task (mnli for xnli, squad for xquad).

    `language` None is the root's home language. The selection examples are the split that the row names, else a slice
    of the training rows, by cluster, of at most `num_selection`; `max_examples` (None: all) caps what is left to train
    on, and moves no selection. Raises ValueError for an unknown task, language or root and for a task without training,
    DataError for absent data, bad rows, and a selection that leaves nothing to train on.
    """
    _require_count("max_examples", max_examples, least=1)
    _require_count("num_selection", num_selection, least=0)
    language = language or home_language(root)
    task = _training_task(name, root, language)
    data = _read_split(task, task.training, root, language)
    parts = [data]
    if task.selection is None:
        train, selection = split_off(data.examples, num_selection, data_seed)
    else:
        parts.append(_read_split(task, task.selection, root, language))
        train, selection = data.examples, cap_examples(parts[1].examples, num_selection, data_seed)
    if not train or (num_selection and not selection):
        raise DataError(
            f"{root}: {task.name}, {language}: {len(data.examples)} training rows cannot be divided into "
            f"{num_selection} to select on and some to train on; choose another num_selection"
        )
    return TrainingData(
        train=cap_examples(train, max_examples, data_seed),
        selection=selection,
        status=worst_status(*(part.status for part in parts)),
        files=tuple(file for part in parts for file in part.files),
        num_dropped=sum(part.num_dropped for part in parts),
        num_repaired=sum(part.num_repaired for part in parts),
    )


def fingerprint_training(name: str, root: str, language: str | None = None) -> str:
    """SHA-256, hexadecimal, of what `read_training` would read; loads nothing. Raises for absent data."""
    language = language or home_language(root)
    task = _training_task(name, root, language)
    sources = [source for source in (task.training, task.selection) if source]
    return _fingerprint(sources, root, language)


def fingerprint_evaluation(name: str, root: str, language: str, split: str | None = None) -> str:
    """SHA-256, hexadecimal, of what `read_evaluation` would read; loads nothing. Raises for absent data."""
    return _fingerprint([_evaluation_source(get_task(name), root, language, split)], root, language)


def list_languages(name: str, root: str, split: str | None = None) -> tuple[str, ...]:
    """The task's languages whose evaluation split a root holds, in the task's order; loads no text.

    The hub is taken to hold what the task's row names.
    """
    task, place = get_task(name), open_root(root)
    sources = ((code, _evaluation_source(task, root, code, split)) for code in languages_of(task, root))
    return tuple(code for code, source in sources if place.holds(source, get_language(code)))


def home_language(root: str) -> str:
    """The language that a root's training data are in, unless another is asked for: `en`, or `qaa` in the lab."""
    return open_root(root).home


def languages_of(task: Task, root: str) -> tuple[str, ...]:
    """The task's languages on a root: those of its row, or the lab's."""
    return open_root(root).languages(task.languages)


def _read_split(task: Task, source: Source, root: str, language: str) -> EvaluationData:
    form, spoken = FORMATS[task.format], get_language(language)
    loaded = open_root(root).read(source, spoken)
    rows = build_rows(loaded, source, task.labels, spoken)
    examples = form.read(rows)
    repaired = form.count_repaired(rows, examples)
    return EvaluationData(examples, loaded.status, source.split, loaded.files, rows.num_dropped, repaired)


def _evaluation_source(task: Task, root: str, language: str, split: str | None) -> Source:
    require_known(f"language of {task.name}", language, languages_of(task, root))
    if task.evaluation is None:
        raise ValueError(f"task {task.name!r} has no evaluation data")
    return replace(task.evaluation, split=split or task.evaluation.split)


def _training_task(name: str, root: str, language: str) -> Task:
    task = get_task(name)
    if task.training_task is None:
        raise ValueError(f"task {name!r} is scored without training")
    trained = get_task(task.training_task)
    require_known(f"training language of {trained.name}", language, languages_of(trained, root))
    return trained


def _require_count(what: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise ValueError(f"{what} is {value}; allowed: {least} or more")


def _fingerprint(sources: Sequence[Source], root: str, language: str) -> str:
    place = open_root(root)
    record = [place.fingerprint(source, get_language(language)) for source in sources]
    return hashlib.sha256(json.dumps(record).encode()).hexdigest()
