"""What an effect claim is about, computed: differences between arms, and what choosing an arm per target is worth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.choosing import NOT_RECORDED, load_selection, pick
from xt.claims.panel import Panel, stack
from xt.claims.verdicts import Differences
from xt.contrasts import average_others
from xt.gains import BASELINE
from xt.reported import CELL, select_primary

CHOSEN = "the chosen one"
AT_FLOOR = "no language is above its floor"


@dataclass(frozen=True)
class Evidence:
    """What a study's results offer to decide its claims."""

    panel: Panel
    """Scores of one encoder."""
    scores: pd.DataFrame
    """Its score rows."""
    rng: np.random.Generator
    """For resampling the selection data."""
    results: Path | None = None
    """Folder of the studies; None: the project's."""


Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Found:
    """Differences, and what they are of."""

    differences: Differences
    targets: list[str]
    """Averaged over."""
    note: str = ""
    """What was left out, and why."""


def find_differences(evidence: Evidence, pairs: Pairs, targets: Sequence[str], seen_too: bool = False) -> Found | str:
    """Each arm minus its counterpart, on the targets with a language above its floor; in words why there is none."""
    panel = evidence.panel
    arms = sorted({arm for pair in pairs for arm in pair})
    shown = [target for target in targets if panel.languages(target, arms, seen_too).any()]
    if not shown:
        return AT_FLOOR
    parts = [panel.compare(arm, against, shown, seen_too) for arm, against in pairs]
    return Found(
        stack(parts), shown, say_left_out({target: "at the floor" for target in targets if target not in shown})
    )


def find_choice(evidence: Evidence, pairs: Pairs, targets: Sequence[str], seen_too: bool = False) -> Found | str:
    """What the arm chosen for each target gains over the baseline, on the targets whose runs kept selection data.

    For each seed the choice is made on the English selection data of the other seeds, so that a checkpoint that is good
    by luck is not rewarded twice; with one seed, on its own. What is chosen stands in the test for those chosen from.
    """
    panel, left_out, choices = evidence.panel, {}, {}
    runs = select_primary(evidence.scores).drop_duplicates("run_id").set_index([*CELL, "intermediate", "seed"])
    for target in targets:
        cube, selection, reason = panel.cubes[target], None, NOT_RECORDED
        if cube.resampled is not None:
            reason, selection = load_selection(cube, runs, evidence.rng, evidence.results)
        if not panel.above[target].any():
            left_out[target] = "at the floor"
        elif selection is None:
            left_out[target] = reason
        else:
            choices[target] = choose_places(selection.points, cube.arms, [arm for arm, _ in pairs])
    if not choices:
        return say_left_out(left_out)
    best = panel.with_best(CHOSEN, choices)
    return Found(best.compare(CHOSEN, BASELINE, list(choices), seen_too), list(choices), say_left_out(left_out))


def choose_places(seen: np.ndarray, known: Sequence[str], arms: Sequence[str]) -> list[int]:
    """For each seed the place of the arm that is best on the selection data of the other seeds (of the only one, where
    there is one); `seen` (S, K) are scores there of the arms `known`."""
    others = average_others(seen) if len(seen) > 1 else seen
    return [int(pick(scores, [known.index(arm) for arm in arms])) for scores in others]


def say_left_out(reasons: Mapping[str, str]) -> str:
    """`bucc2018, tatoeba: no English selection data; xnli: at the floor`."""
    by_reason: dict[str, list[str]] = {}
    for target, reason in reasons.items():
        by_reason.setdefault(reason, []).append(target)
    return "; ".join(f"{', '.join(targets)}: {reason}" for reason, targets in by_reason.items())


EFFECTS: Mapping[str, Callable[[Evidence, Pairs, Sequence[str], bool], Found | str]] = {
    "difference": find_differences,
    "choice": find_choice,
}
"""Contrast of an effect -> what computes it."""
