"""Reading a task: rows from a root, as checked examples; and the fingerprints of what would be read."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xt.errors import DataError, require_known
from xt.languages import get_language
from xt.memory import collector_paused
from xt.tasks.classification import read_classification
from xt.tasks.examples import Candidate, Example
from xt.tasks.moment import asked_once
from xt.tasks.multiple_choice import read_multiple_choice
from xt.tasks.places import find, is_held
from xt.tasks.ranking import read_candidates, read_pairs, read_queries
from xt.tasks.retrieval import read_retrieval
from xt.tasks.roots import open_root
from xt.tasks.rows import Rows
from xt.tasks.selection import cap_examples, split_off
from xt.tasks.sources import Source, translation, worst_status
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
    read_training: Callable[[Rows], list] | None = None
    """Rows to train on -> examples, where they are others than those that are scored."""


FORMATS = {
    "classification": Format(read_classification, lambda example: (example.label,)),
    "multiple_choice": Format(read_multiple_choice, lambda example: (example.label,)),
    "tagging": Format(read_tagging, lambda example: example.tags),
    "span_qa": Format(read_span_qa, gold_answers, count_repaired),
    "span_qa_v2": Format(read_span_qa, gold_answers, count_repaired),
    "retrieval": Format(read_retrieval, lambda example: (example.source,)),
    "ranking": Format(read_queries, lambda example: (example.relevant,), read_training=read_pairs),
    "mining": Format(read_queries, lambda example: (example.relevant,)),
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
    pool: list[Candidate] = field(default_factory=list)
    """What may be found, for `ranking` and `mining`, however the examples are capped; empty for other formats."""


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
    translated: bool = False
    """Whether they were machine-translated."""


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
    root, DataError for absent data, for bad rows, and for gold labels that are all the same (hidden ones). The status
    is the worst of the rows, their candidates and those that a threshold is chosen on.
    """
    _require_count("max_examples", max_examples, least=1)
    task = get_task(name)
    scored = _evaluation_source(task, root, language, split)
    data = _read_scored(task, scored, root, language)
    threshold = _calibration_source(task, scored, root, language)
    if threshold:
        found = find(threshold, root, get_language(language))
        data = replace(data, status=worst_status(data.status, found.status))
    return replace(data, examples=cap_examples(data.examples, max_examples, data_seed))


def read_calibration(name: str, root: str, language: str, split: str | None = None) -> EvaluationData | None:
    """The rows on which a threshold on scores is chosen before those of `split` (None: the task's) are scored.

    None where the task's row names none, the root holds none, or they are the scored rows themselves. Raises as
    `read_evaluation`.
    """
    task = get_task(name)
    source = _calibration_source(task, _evaluation_source(task, root, language, split), root, language)
    return source and _read_scored(task, source, root, language)


def read_training(
    name: str,
    root: str,
    *,
    language: str | None = None,
    max_examples: int | None = None,
    num_selection: int = 500,
    data_seed: int = 0,
) -> TrainingData:
    """What a model for a task is trained on.

    In the root's home language (`language` None): the rows of its training task (mnli for xnli, squad for xquad). In
    another: the task's own rows in that language, else its training task's, else their machine translation; see
    `training_languages`. The selection examples are the split that the row names (in the home language), else a slice
    of the training rows, by cluster, of at most `num_selection`; `max_examples` (None: all) caps what is left to train
    on, and moves no selection. Raises ValueError for an unknown task, language or root and for a task without
    training, DataError for absent data, bad rows, and a selection that leaves nothing to train on.
    """
    _require_count("max_examples", max_examples, least=1)
    _require_count("num_selection", num_selection, least=0)
    language = language or home_language(root)
    task, sources, translated = _training_sources(name, root, language)
    parts = [_read_split(task, source, root, language, training=True) for source in sources]
    examples = parts[0].examples if len(parts) == 1 else _joined(sources, parts)
    apart = _selection_source(task, root, language)
    if apart is None:
        train, selection = split_off(examples, num_selection, data_seed)
    else:
        parts.append(_read_split(task, apart, root, language, training=True))
        train, selection = examples, cap_examples(parts[-1].examples, num_selection, data_seed)
    if not train or (num_selection and not selection):
        raise DataError(
            f"{root}: {task.name}, {language}: {len(examples)} training rows cannot be divided into "
            f"{num_selection} to select on and some to train on; choose another num_selection"
        )
    return TrainingData(
        train=cap_examples(train, max_examples, data_seed),
        selection=selection,
        status=worst_status(*(part.status for part in parts)),
        files=tuple(file for part in parts for file in part.files),
        num_dropped=sum(part.num_dropped for part in parts),
        num_repaired=sum(part.num_repaired for part in parts),
        translated=translated,
    )


@asked_once
def fingerprint_training(name: str, root: str, language: str | None = None) -> str:
    """SHA-256, hexadecimal, of what `read_training` would read; loads nothing. Raises for absent data."""
    language = language or home_language(root)
    task, sources, _ = _training_sources(name, root, language)
    apart = _selection_source(task, root, language)
    return _fingerprint([*sources, *([apart] if apart else [])], root, language)


@asked_once
def fingerprint_evaluation(name: str, root: str, language: str, split: str | None = None) -> str:
    """SHA-256, hexadecimal, of what `read_evaluation` and `read_calibration` would read; loads nothing.

    Raises for absent data.
    """
    task = get_task(name)
    source = _evaluation_source(task, root, language, split)
    calibration = _calibration_source(task, source, root, language)
    read = [one for scored in (source, calibration) if scored for one in (scored, _pool_source(task, scored)) if one]
    return _fingerprint(read, root, language)


@asked_once
def list_languages(name: str, root: str, split: str | None = None, *, more: bool = False) -> tuple[str, ...]:
    """The task's languages whose evaluation split a root holds, in the task's order; loads no text.

    `more`: those that XTREME-R adds, too. The hub is taken to hold what the task's row names.
    """
    task = get_task(name)
    return tuple(
        code
        for code in (all_languages_of if more else languages_of)(task, root)
        if is_held(_evaluation_source(task, root, code, split), root, get_language(code))
    )


@asked_once
def training_languages(name: str, root: str) -> tuple[str, ...]:
    """The languages in which a root holds rows to train a task on, its own or translated ones, home first.

    None for a task that is scored without training.
    """
    if get_task(name).training_task is None:
        return ()
    home, task = home_language(root), _training_task(name)
    own = _owner(name)
    others = all_languages_of(own, root) if own.training.names_language and not own.translated else ()
    spoken = [code for code in others if code != home and is_held(own.training, root, get_language(code))]
    at_home = [home] if all(is_held(one, root, get_language(home)) for one in _own_sources(task)) else []
    return (*at_home, *spoken, *translated_languages(name, root))


@asked_once
def translated_languages(name: str, root: str) -> tuple[str, ...]:
    """The languages in which a root holds machine translations of what a task is trained on."""
    place, task = open_root(root), get_task(name).training_task and _owner(name)
    if not task or task.translated is None:
        return ()
    held = (code for code in place.codes if code != place.home)
    return tuple(c for c in held if all(is_held(one, root, get_language(c)) for one in _translated_sources(task)))


@asked_once
def home_language(root: str) -> str:
    """The language that a root's training data are in, unless another is asked for: `en`, or `qaa` in the lab."""
    return open_root(root).home


def languages_of(task: Task, root: str) -> tuple[str, ...]:
    """The task's languages on a root: those of its row, or the lab's."""
    return _spoken(root, task.languages)


def all_languages_of(task: Task, root: str) -> tuple[str, ...]:
    """The task's languages on a root, those that XTREME-R adds included."""
    return _spoken(root, (*task.languages, *task.more_languages))


@asked_once
def _spoken(root: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    return open_root(root).languages(codes)


def _read_split(task: Task, source: Source, root: str, language: str, training: bool = False) -> EvaluationData:
    form = FORMATS[task.format]
    found = find(source, root, get_language(language))
    with collector_paused():
        rows, status, files = found.rows(task.labels)
        examples = (training and form.read_training or form.read)(rows)
    repaired = form.count_repaired(rows, examples)
    return EvaluationData(examples, status, found.source.split, files, rows.num_dropped, repaired)


def _read_scored(task: Task, source: Source, root: str, language: str) -> EvaluationData:
    data = _read_split(task, source, root, language)
    gold = {value for example in data.examples for value in FORMATS[task.format].gold(example)}
    if len(data.examples) > 1 and len(gold) == 1:
        raise DataError(
            f"{root}: {task.name}, {language}, split {data.split!r}: the gold of all {len(data.examples)} rows is "
            f"{gold.pop()!r}: placeholders for hidden labels; scoring them would look like a result"
        )
    pool = _pool_source(task, source)
    if pool is None:
        return data
    rows, status, files = find(pool, root, get_language(language)).rows(())
    candidates = _relevant_are_there(data.examples, read_candidates(rows), rows.where)
    files = tuple(dict.fromkeys((*data.files, *files)))
    return replace(data, pool=candidates, status=worst_status(data.status, status), files=files)


def _relevant_are_there(queries: Sequence, candidates: list[Candidate], where: str) -> list[Candidate]:
    ids = {candidate.id for candidate in candidates}
    lost = next(((query.id, one) for query in queries for one in query.relevant if one not in ids), None)
    if lost:
        raise DataError(f"{where}: query {lost[0]!r} has {lost[1]!r} for its answer, which is no candidate")
    return candidates


def _joined(sources: Sequence[Source], parts: Sequence[EvaluationData]) -> list[Example]:
    """The examples of several sources; ids and clusters say which they come from."""
    names = [f"{source.dataset.rpartition('/')[2]}/{source.split}" for source in sources]
    return [
        replace(example, id=f"{name}:{example.id}", cluster=f"{name}:{example.cluster}")
        for name, part in zip(names, parts, strict=True)
        for example in part.examples
    ]


def _evaluation_source(task: Task, root: str, language: str, split: str | None) -> Source:
    require_known(f"language of {task.name}", language, all_languages_of(task, root))
    if task.evaluation is None:
        raise ValueError(f"task {task.name!r} has no evaluation data")
    return task.evaluation.at(split or task.evaluation.split)


def _calibration_source(task: Task, scored: Source, root: str, language: str) -> Source | None:
    source = task.calibration
    if source is None or source.split == scored.split or not is_held(source, root, get_language(language)):
        return None
    return source


def _pool_source(task: Task, scored: Source) -> Source | None:
    return task.pool and task.pool.at(task.pool.split.format(split=scored.split))


def _training_task(name: str) -> Task:
    task = get_task(name)
    if task.training_task is None:
        raise ValueError(f"task {name!r} is scored without training")
    return get_task(task.training_task)


def _owner(name: str) -> Task:
    """Whose rows are trained on in other languages than home: the task's own where it has some."""
    trained = _training_task(name)
    return get_task(name) if get_task(name).training else trained


def _own_sources(task: Task) -> tuple[Source, ...]:
    return (task.training, *task.more_training)


def _translated_sources(task: Task) -> tuple[Source, ...]:
    return (task.translated, *map(translation, task.more_training))


def _training_sources(name: str, root: str, language: str) -> tuple[Task, tuple[Source, ...], bool]:
    """The task whose rows are trained on, the rows, and whether they are translated."""
    task, place = _training_task(name), open_root(root)
    if language == place.home:
        return task, _own_sources(task), False
    task = _owner(name)
    own = all_languages_of(task, root) if task.training.names_language else (place.home,)
    allowed = place.codes if task.translated else own
    require_known(f"training language of {task.name}", language, allowed)
    return task, *((_translated_sources(task), True) if task.translated else (_own_sources(task), False))


def _selection_source(task: Task, root: str, language: str) -> Source | None:
    return task.selection if language == home_language(root) else None


def _require_count(what: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise ValueError(f"{what} is {value}; allowed: {least} or more")


def _fingerprint(sources: Sequence[Source], root: str, language: str) -> str:
    spoken = get_language(language)
    record = [entry for source in sources for entry in find(source, root, spoken).fingerprints()]
    return hashlib.sha256(json.dumps(record).encode()).hexdigest()
