"""Average gains over targets, and what each group of tasks contributes to them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.gains.cubes import BASELINE, MIN_LANGUAGES, ScoreCube
from xt.gains.means import average_targets, compare_means
from xt.gains.shared_data import is_placebo, trains_on_same_data
from xt.stats import adjust_family
from xt.tasks import TASKS

ALL = "all targets"
"""The group of every target that has a gain."""
GROUP_COLUMNS = (
    "encoder intermediate group gain low high p p_holm standard_error df share contribution num_targets targets "
    "lacking num_languages num_seeds seed_sd item_error kind placebo same_data"
).split()
"""Columns of `group_gain_table`."""


def group_gain_table(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """Average gains of each encoder and arm over the targets of each group of tasks, and over all targets.

    A group's gain is the unweighted mean over its targets (those with MIN_LANGUAGES) of the mean over each target's
    languages (above their floor, not trained in) of the mean over seeds; `group` is that of `xt.tasks`, or ALL. One row
    per encoder, arm and group:
    `gain, low, high` (points), `p`, `p_holm` (over the arms of an encoder and group; missing for placebo arms),
    `targets` averaged over, `lacking` targets of the encoder without a value for this arm and why, `share` of the group
    in the mean over all targets (its targets / all of them), and `contribution` = share x gain: an arm's contributions
    add up to its gain over all targets. `num_languages` summed over targets, `num_seeds` (those that all targets
    of the arm have; they are joint, as one intermediate training feeds all targets), `same_data`: targets that train
    on the arm's data again. The seed variance is pooled over the arms that have the same targets.
    """
    frames = [
        tabulate_groups([cube for cube in cubes if cube.encoder == encoder])
        for encoder in dict.fromkeys(cube.encoder for cube in cubes)
    ]
    return pd.concat(frames or [pd.DataFrame(columns=GROUP_COLUMNS)], ignore_index=True)


def tabulate_groups(cubes: Sequence[ScoreCube]) -> pd.DataFrame:
    """The rows of `group_gain_table` of one encoder."""
    arms = dict.fromkeys(arm for cube in cubes for arm in cube.arms if arm != BASELINE)
    above = [~cube.at_floor for cube in cubes]
    rows = [row for arm in arms for row in tabulate_groups_of(arm, cubes, above)]
    frame = pd.DataFrame(rows).reindex(columns=GROUP_COLUMNS)
    return frame.assign(p_holm=adjust_family(frame, ["group"]))


def tabulate_groups_of(arm: str, cubes: Sequence[ScoreCube], above: Sequence[np.ndarray]) -> list[dict]:
    """The rows of one arm, a group each, then ALL."""
    parts, lacking = {}, {}
    for cube, mask in zip(cubes, above, strict=True):
        if reason := cube.find_lacking(arm, mask, MIN_LANGUAGES):
            lacking[cube.target] = reason
        else:
            parts[cube.target] = (cube, mask & cube.zero_shot[cube.arms.index(arm)])
    groups = dict.fromkeys(TASKS[cube.target].group for cube in cubes)
    members = {group: [cube.target for cube in cubes if TASKS[cube.target].group == group] for group in groups}
    members[ALL] = [cube.target for cube in cubes]
    seeds = joint_seeds([cube for cube, _ in parts.values()])
    rows = []
    for group, targets in members.items():
        there = [target for target in targets if target in parts]
        row = dict(
            encoder=cubes[0].encoder, intermediate=arm, group=group, placebo=is_placebo(arm), num_targets=len(there),
            targets=", ".join(there),
            lacking=", ".join(f"{target} ({lacking[target]})" for target in targets if target in lacking),
            num_languages=int(sum(parts[target][1].sum() for target in there)), num_seeds=len(seeds),
            same_data=", ".join(target for target in there if trains_on_same_data(arm, target)),
        )  # fmt: skip
        rows.append(row | measure_group(arm, [parts[target] for target in there], seeds, len(parts)))
    return rows


def joint_seeds(cubes: Sequence[ScoreCube]) -> tuple[int, ...]:
    """The seeds that all of these cubes have, in order."""
    return tuple(sorted(set.intersection(*(set(cube.seeds) for cube in cubes)))) if cubes else ()


def measure_group(arm: str, parts: Sequence[tuple], seeds: Sequence[int], num_targets: int) -> dict:
    """The numbers of an arm over these cubes and languages; none where there are no targets, or no seed is joint."""
    if not parts or not seeds:
        return {}
    means = average_targets([cube for cube, _ in parts], [chosen for _, chosen in parts], seeds)
    test, place, share = compare_means(means), means.arms.index(arm) - 1, len(parts) / num_targets
    names = ("gain", "low", "high", "p", "standard_error", "df", "item_error")
    numbers = {name: getattr(test, name)[place] for name in names}
    return numbers | dict(share=share, contribution=share * test.gain[place], seed_sd=test.seed_sd, kind=test.kind)
