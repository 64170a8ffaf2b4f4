"""The tasks: one row each."""

from collections.abc import Mapping

from xt.errors import require_known
from xt.tasks.further_tasks import FURTHER
from xt.tasks.intermediate_tasks import INTERMEDIATE
from xt.tasks.target_tasks import TARGETS
from xt.tasks.task import Task, build_table

TASKS: Mapping[str, Task] = build_table(*INTERMEDIATE, *TARGETS, *FURTHER)


def get_task(name: str) -> Task:
    """The row of a task. Raises ValueError naming the tasks there are."""
    return TASKS[require_known("task", name, TASKS)]
