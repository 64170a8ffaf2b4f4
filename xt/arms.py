"""The arms of a study: ways to prepare an encoder before the target task, one row each. Imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass

from xt.errors import require_known
from xt.tasks import TASKS, get_task


@dataclass(frozen=True)
class Arm:
    """One way to prepare an encoder before the target task."""

    tasks: tuple[str, ...]  # intermediate tasks trained on, on one encoder; empty = none
    shuffle_labels: bool = False  # placebo: training labels permuted over the training rows
    steps_as: str = ""  # placebo: the target's own training data, for as many updates as this arm's
    seed_shift: int = 0  # placebo: the target trained with another seed, this much larger
    placebo: bool = False  # outside the family of tested hypotheses
    note: str = ""


ARMS: Mapping[str, Arm] = {
    "none": Arm((), note="the baseline: the encoder goes straight to the target task"),
    "none_again": Arm((), seed_shift=1000, placebo=True, note="the baseline once more, with other seeds"),
    "mnli": Arm(("mnli",)),
    "squad": Arm(("squad",)),
    "hellaswag": Arm(("hellaswag",)),
    "multi": Arm(("mnli", "squad", "hellaswag"), note="one head per task; the task of an update is drawn by size"),
    "mnli_shuffled": Arm(("mnli",), shuffle_labels=True, placebo=True, note="mnli with its labels permuted"),
    "squad_shuffled": Arm(("squad",), shuffle_labels=True, placebo=True, note="squad with answers at random places"),
    "own_squad": Arm((), steps_as="squad", placebo=True, note="the target's data, as many updates as squad's"),
}


def check_arm(intermediate: str) -> Arm:
    """The arm of this name; ValueError naming the allowed ones otherwise."""
    return ARMS[require_known("intermediate", intermediate, ARMS)]


def own_task(intermediate: str, target: str) -> str:
    """The task that a target is trained on; ValueError where there is none."""
    allowed = [name for name, task in TASKS.items() if task.training_task]
    return get_task(require_known(f"target of {intermediate}", target, allowed)).training_task


def applies(intermediate: str, target: str) -> bool:
    """Whether an arm can stand before a target: one that changes the target's training needs one,
    and on the target's own data it must not be the arm whose steps it copies."""
    arm, own = check_arm(intermediate), get_task(target).training_task
    if arm.steps_as:
        return own is not None and own not in ARMS[arm.steps_as].tasks
    return own is not None or not arm.seed_shift
