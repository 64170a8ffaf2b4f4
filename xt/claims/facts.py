"""Claims about the design, found in the tables of tasks and arms and in the study that repeats the paper's; and about
data, found in the rows themselves."""

from collections.abc import Callable, Mapping

from xt.arms import ARMS
from xt.config import chain_of
from xt.languages import get_language
from xt.reported import XTREME_TASKS
from xt.studies import STUDIES
from xt.tasks import TASKS, Task, home_language
from xt.tasks.places import find
from xt.tasks.rows import Rows

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


def read_rows(task: str, root: str) -> list[Rows]:
    """The rows that a task trains on in the root's home language, a part per source, without those that a release
    leaves unlabelled. Raises DataError where they are absent, ValueError for an unknown root."""
    row, language = TASKS[task], get_language(home_language(root))
    return [find(source, root, language).rows(row.labels)[0] for source in (row.training, *row.more_training)]


def count_rows(task: str, root: str) -> set[str]:
    """How many there are."""
    return {str(sum(len(part.values) for part in read_rows(task, root)))}


def list_origins(task: str, root: str) -> set[str]:
    """Where they come from: what stands before `~` in their column `origin`."""
    return {row["origin"].partition("~")[0] for part in read_rows(task, root) for row in part}


ROW_FACTS: Mapping[str, Callable[[str, str], set[str]]] = {"training rows": count_rows, "origins": list_origins}
"""Contrast of a claim about data -> (training task, root) -> what is found."""

RELATIONS: Mapping[str, Callable[[set[str], set[str]], bool]] = {
    "is": lambda found, expected: found == expected,
    "includes": lambda found, expected: found >= expected,
}
"""How what is found must stand to what is expected."""
