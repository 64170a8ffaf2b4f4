"""Claims about the design, found in the tables: of tasks, of arms, and of the study that repeats the paper's."""

from collections.abc import Callable, Mapping

from xt.arms import ARMS
from xt.config import chain_of
from xt.reported import XTREME_TASKS
from xt.studies import STUDIES
from xt.tasks import TASKS, Task

PAPER = STUDIES["paper"]
"""The study of Phang et al. 2020, as this project repeats it."""
FORMAT_NAMES = {
    "classification": "classification",
    "multiple_choice": "multiple choice",
    "tagging": "tagging",
    "span_qa": "question answering",
    "span_qa_v2": "question answering",
}
"""Format of the task table -> what the paper calls it."""


def columns_of(task: Task) -> set[str]:
    """The columns that a task's training rows are read from."""
    return {name for source in (task.training, *task.more_training) for name in source.columns.values()}


KINDS: Mapping[str, Callable[[Task], bool]] = {
    "inference": lambda task: "entailment" in task.labels,
    "paraphrase detection": lambda task: bool({"duplicate", "paraphrase"} & set(task.labels)),
    "sentence tagging": lambda task: task.format == "tagging",
    "question answering": lambda task: task.format.startswith("span_qa") or "question" in columns_of(task),
    "sentence completion": lambda task: task.format == "multiple_choice" and "question" not in columns_of(task),
    "word sense disambiguation": lambda task: bool({"word", "lemma", "sense"} & columns_of(task)),
}
"""Kind of a task -> whether a row of the task table is of it, by format, labels and columns."""


def intermediate_tasks() -> list[Task]:
    """The rows of the tasks that the paper's study trains on alone, in English."""
    rows = (ARMS[name] for name in PAPER.intermediates if name in ARMS)
    alone = [row.tasks[0] for row in rows if len(row.tasks) == 1 and not (row.mlm or row.languages or row.placebo)]
    return [TASKS[name] for name in alone if TASKS[name].languages == ("en",)]


def find_kinds() -> set[str]:
    """The kinds of those tasks."""
    return {kind for kind, is_of in KINDS.items() for task in intermediate_tasks() if is_of(task)}


def find_arms() -> set[str]:
    """Whether the paper's study trains on one task or several before the target."""
    sizes = [len(ARMS[name].tasks) for name in PAPER.intermediates]
    return {word for word, there in (("one task", 1 in sizes), ("several tasks", max(sizes) > 1)) if there}


def find_phases() -> set[str]:
    """What a run of the paper's study goes through."""
    config = PAPER.score_config(PAPER.encoders[0], "squad", "tydiqa", PAPER.seeds[0])
    return {"pretrained encoder", *(model.phase for model in chain_of(config.model))}


TABLE_FACTS: Mapping[str, Callable[[], set[str]]] = {
    "encoders": lambda: {name.rpartition("/")[2] for part in PAPER.parts for name in part.encoders},
    "phases": find_phases,
    "number of intermediate tasks": lambda: {str(len(intermediate_tasks()))},
    "kinds": find_kinds,
    "formats": lambda: {FORMAT_NAMES[task.format] for task in intermediate_tasks()},
    "arms": find_arms,
    "targets": lambda: set(PAPER.targets),
    "most languages": lambda: {str(max(len(TASKS[name].languages) for name in XTREME_TASKS))},
    "tasks of spans": lambda: {name for name, task in TASKS.items() if task.format.startswith("span_qa")},
}
"""Contrast of a claim about the design -> what the tables say."""

RELATIONS: Mapping[str, Callable[[set[str], set[str]], bool]] = {
    "is": lambda found, expected: found == expected,
    "includes": lambda found, expected: found >= expected,
}
"""How what is found must stand to what is expected."""
