"""Claims about data, found in the rows themselves: how many there are, where they come from."""

from collections.abc import Callable, Mapping

from xt.languages import get_language
from xt.tasks import TASKS, home_language
from xt.tasks.places import find
from xt.tasks.rows import Rows


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
