"""What an arm shares with a target: the data that both train on; and whether it is a placebo."""

import re
from collections.abc import Iterable

from xt.arms import find_arm
from xt.tasks import TASKS, Source


def is_placebo(arm: str) -> bool:
    """Whether an arm is a check of the procedure and no hypothesis; an arm without a row is none."""
    row = find_arm(arm)
    return bool(row and row.placebo)


def trains_on_same_data(arm: str, target: str) -> bool:
    """Whether the target trains once more on data of this arm, in whatever language: on the same training task, or on
    rows of a dataset that both draw from (MNLI is part of anli_plus, SQuAD of its version 2)."""
    row, own = find_arm(arm), TASKS[target].training_task
    if row is None or own is None:
        return False
    return row.of_target or any(
        shares_rows(before, after) for before in training_sources(row.tasks) for after in training_sources([own])
    )


def training_sources(tasks: Iterable[str]) -> list[Source]:
    """The rows that these tasks train on, as named in the task table."""
    rows = [TASKS[name] for name in tasks]
    return [source for task in rows for source in (task.training, *task.more_training) if source]


def shares_rows(one: Source, other: Source) -> bool:
    """Whether two sources name one config of a dataset, or two versions of one dataset (`squad`, `squad_v2`)."""
    if one.dataset == other.dataset:
        return one.config == other.config
    first, second = (re.sub(r"_v\d+$", "", source.dataset) for source in (one, other))
    return first == second
