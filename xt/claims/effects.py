"""What an effect claim is about, computed: differences between arms, and what choosing an arm per target is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from xt.choosing import CHOSEN, NO_TRAINING, pick, replace_by_picks, see_other_seeds
from xt.claims.panel import Pairs, Panel
from xt.claims.verdicts import AGGREGATES, Differences
from xt.gains import BASELINE, MIN_LANGUAGES
from xt.reported import index_runs
from xt.tasks import TASKS

FEW_ABOVE = f"fewer than {MIN_LANGUAGES} languages above the floor"


@dataclass(frozen=True)
class Evidence:
    """What a study's results offer to decide its claims."""

    study: str
    """Name of the study."""
    encoder: str
    """Whose scores they are, or would be."""
    panel: Panel
    """Scores of that encoder."""
    scores: pd.DataFrame
    """Its score rows."""
    results: Path | None = None
    """Folder of the studies; None: the project's."""

    @cached_property
    def done(self) -> set[tuple[str, str, int]]:
        """(arm, target, seed) of what was scored."""
        return set(zip(self.scores["intermediate"], self.scores["target"], self.scores["seed"], strict=True))


@dataclass(frozen=True)
class Found:
    """Differences, and what they are of."""

    differences: Differences | None = None
    """None without a target."""
    targets: Sequence[str] = ()
    """Averaged over."""
    arms: frozenset[str] = frozenset()
    """Whose runs they rest on."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Target of the claim that is not among them -> why."""
    why: str = ""
    """Why they test nothing; empty where the arms and targets are those of the claim."""
    at_floor: bool = False
    """Whether it is because too few languages are above their floor."""

    @property
    def is_test(self) -> bool:
        """Whether there can be a verdict."""
        return self.differences is not None and self.differences.has_p and not self.why


def find_differences(evidence: Evidence, pairs: Pairs, run: Pairs, targets: Sequence[str], seen_too: bool) -> Found:
    """Each arm minus its counterpart, on the targets with enough languages above their floor; `run`: the pairs that
    were run on all of these."""
    panel = evidence.panel
    shown = [target for target in targets if panel.has_enough(target, run, seen_too)]
    left_out = {target: FEW_ABOVE for target in targets if target not in shown}
    arms = frozenset(arm for pair in run for arm in pair)
    return Found(panel.compare(pairs, run, shown, seen_too) if shown else None, shown, arms, left_out)


def find_choice(evidence: Evidence, pairs: Pairs, run: Pairs, targets: Sequence[str], seen_too: bool) -> Found:
    """What the arm chosen for each target gains over the baseline, on the targets whose runs kept selection data.

    It is chosen as `xt.choosing` says, on English data only. What is chosen stands in the test for those chosen from.
    """
    panel, left_out, chosen = evidence.panel, {}, []
    runs, arms = index_runs(evidence.scores), frozenset(arm for pair in run for arm in pair)
    for target in targets:
        cube = panel.cubes[target]
        seen, why = see_other_seeds(cube, panel.above[target], runs, evidence.results)
        if not panel.has_enough(target, run, seen_too):
            left_out[target] = FEW_ABOVE
        elif CHOSEN not in seen:
            left_out[target] = why
        else:
            places = pick(seen[CHOSEN], [cube.arms.index(arm) for arm, _ in pairs])
            chosen.append(replace_by_picks(cube, {CHOSEN: places}))
    if not chosen:
        return Found(None, [], arms, left_out)
    shown, pair = [cube.target for cube in chosen], [(CHOSEN, BASELINE)]
    best = Panel(chosen, {target: panel.above[target] for target in shown})
    return Found(best.compare(pair, pair, shown, seen_too), shown, arms, left_out)


def say_left_out(reasons: Mapping[str, str]) -> str:
    """`bucc2018, tatoeba: no English selection data; xnli: not run in full`."""
    by_reason: dict[str, list[str]] = {}
    for target, reason in reasons.items():
        by_reason.setdefault(reason, []).append(target)
    return "; ".join(f"{', '.join(targets)}: {reason}" for reason, targets in by_reason.items())


@dataclass(frozen=True)
class Effect:
    """How a contrast is computed."""

    find: Callable[[Evidence, Pairs, Pairs, Sequence[str], bool], Found]
    excludes: Callable[[str], str]
    """Target -> why the contrast cannot be computed there, whatever is run; empty where it can."""
    least: Callable[[str, int], int]
    """(aggregate, K) -> the fewest of K pairs with which there may be a verdict."""


EFFECTS: Mapping[str, Effect] = {
    "difference": Effect(
        find_differences, lambda target: "", lambda aggregate, total: min(AGGREGATES[aggregate].counts(total))
    ),
    "choice": Effect(
        find_choice,
        lambda target: "" if TASKS[target].training_task else NO_TRAINING,
        lambda aggregate, total: total,
    ),
}
"""Contrast of an effect -> how it is computed. One chosen from fewer arms than claimed is another one."""
