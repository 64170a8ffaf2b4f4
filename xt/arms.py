"""The arms of a study: ways to prepare an encoder before the target task, one row each. Imports nothing heavy.

An arm is spelled by its row, and by the language of its training data where that is not the root's own: `mnli`,
`mnli.de`, `tydiqa.ko+sw`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xt.errors import require_known
from xt.languages import get_language
from xt.tasks import TASKS, get_task

TRANSLATED = ("translated",)
"""In place of languages: all those for which the root holds machine translations of the task's training data."""


@dataclass(frozen=True)
class Arm:
    """One way to prepare an encoder before the target task."""

    tasks: tuple[str, ...]  # intermediate tasks trained on, on one encoder; empty = none
    languages: tuple[str, ...] = ()  # of their training data; empty = the root's own
    mlm: bool = False  # masked language modelling on text of many languages beside the tasks
    shuffle_labels: bool = False  # placebo: training labels permuted over the training rows
    steps_as: str = ""  # as many updates as this arm's; without tasks on the target's own data, a placebo
    seed_shift: int = 0  # placebo: the target trained with another seed, this much larger
    placebo: bool = False  # outside the family of tested hypotheses
    note: str = ""

    @property
    def of_target(self) -> bool:
        """Does it train on the target's own data?"""
        return bool(self.steps_as) and not self.tasks


NINE = ("anli_plus", "mnli", "qqp", "squad_v2", "squad", "hellaswag", "ccg", "cosmosqa", "commonsenseqa")
"""The intermediate tasks of Phang et al. 2020."""
FREE = tuple(task for task in NINE if task != "ccg")
"""Those of them whose data anyone may fetch."""
THREE = ("mnli", "squad", "hellaswag")

ARMS: Mapping[str, Arm] = {
    "none": Arm((), note="the baseline: the encoder goes straight to the target task"),
    "none_again": Arm((), seed_shift=1000, placebo=True, note="the baseline once more, with other seeds"),
    **{task: Arm((task,)) for task in NINE},
    "multi": Arm(NINE, note="all nine on one encoder, a head each; the preset says how they are sampled"),
    "multi_free": Arm(FREE, note="as multi, without CCG, whose data are licensed"),
    "multi_three": Arm(THREE, note="inference, answers in a passage, and commonsense"),
    "mnli_mlm": Arm(("mnli",), mlm=True, note="mnli, and masked language modelling on text of many languages"),
    "squad_mlm": Arm(("squad",), mlm=True, note="squad, and masked language modelling on text of many languages"),
    "multi_mlm": Arm(NINE, mlm=True, note="multi, and masked language modelling on text of many languages"),
    "multi_free_mlm": Arm(FREE, mlm=True, note="multi_free, and masked language modelling on text of many languages"),
    "multi_three_mlm": Arm(THREE, mlm=True, note="multi_three, and text of many languages"),
    "mnli_translated": Arm(
        ("mnli",), TRANSLATED, steps_as="mnli", note="as mnli, in all languages it was machine-translated to"
    ),
    "squad_translated": Arm(
        ("squad",), TRANSLATED, steps_as="squad", note="as squad, in all languages it was machine-translated to"
    ),
    "mnli_squad_translated": Arm(("mnli", "squad"), TRANSLATED, note="both, in all languages they were translated to"),
    "tydiqa": Arm(("tydiqa",), note="a target task; as an arm it has training data in other languages too"),
    "panx": Arm(("panx",), note="a target task; as an arm it has training data in other languages too"),
    "udpos": Arm(("udpos",), note="a target task; as an arm it has training data in other languages too"),
    "masakhaner": Arm(("masakhaner",), note="a target task without English data: spelled with a language"),
    "mnli_shuffled": Arm(("mnli",), shuffle_labels=True, placebo=True, note="mnli with its labels permuted"),
    "squad_shuffled": Arm(("squad",), shuffle_labels=True, placebo=True, note="squad with answers at random places"),
    "own_mnli": Arm((), steps_as="mnli", placebo=True, note="the target's data, as many updates as mnli's"),
    "own_squad": Arm((), steps_as="squad", placebo=True, note="the target's data, as many updates as squad's"),
}


def check_arm(intermediate: str) -> Arm:
    """The arm that a name spells. ValueError naming what is allowed otherwise."""
    name, dot, spelled = intermediate.partition(".")
    arm = ARMS[require_known("intermediate", name, ARMS)]
    if not dot:
        return arm
    if not arm.tasks or arm.languages:
        allowed = [name for name, row in ARMS.items() if row.tasks and not row.languages]
        raise ValueError(f"intermediate = {intermediate!r}: a language behind {name!r}; allowed: {', '.join(allowed)}")
    return replace(arm, languages=tuple(get_language(code).code for code in spelled.split("+")))


def find_arm(intermediate: str) -> Arm | None:
    """The arm that a name spells; None for a name of somebody's own, as imported scores have."""
    return check_arm(intermediate) if intermediate.partition(".")[0] in ARMS else None


def own_task(intermediate: str, target: str) -> str:
    """The task that a target is trained on; ValueError where there is none."""
    allowed = [name for name, task in TASKS.items() if task.training_task]
    return get_task(require_known(f"target of {intermediate}", target, allowed)).training_task


def applies(intermediate: str, target: str) -> bool:
    """Whether an arm can stand before a target: one that changes the target's training needs one,
    and on the target's own data it must not be the arm whose steps it copies."""
    arm, own = check_arm(intermediate), get_task(target).training_task
    if arm.of_target:
        return own is not None and own not in ARMS[arm.steps_as].tasks
    return own is not None or not arm.seed_shift
