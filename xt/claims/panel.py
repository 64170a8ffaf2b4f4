"""All targets of one encoder side by side: arms compared on the mean over targets, seeds drawn jointly.

Arms are compared over the languages above their floor that neither was trained in; where it is asked for (`seen_too`),
over those that an arm was trained in before the target, too.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from xt.claims.verdicts import Differences
from xt.contrasts import replace_by_best, turn
from xt.gains import Means, ScoreCube, average_targets, compare_means
from xt.stats import ITEMS_ONLY


class Panel:
    """The cubes of one encoder, by target."""

    def __init__(self, cubes: Sequence[ScoreCube], above: Mapping[str, np.ndarray] | None = None):
        """`above`: target -> mask (L,) of the languages above their floor; None: as the cubes' own scores say."""
        self.cubes = {cube.target: cube for cube in cubes}
        self.above = above or {cube.target: ~cube.at_floor for cube in cubes}
        self._means: dict[tuple, Means] = {}

    def cells(self) -> set[tuple[str, str]]:
        """(arm, target) of what was scored."""
        return {(arm, target) for target, cube in self.cubes.items() for arm in cube.arms}

    def languages(self, target: str, arms: Sequence[str], seen_too: bool = False) -> np.ndarray:
        """Mask (L,) of the languages on which these arms are compared."""
        cube = self.cubes[target]
        zero_shot = cube.zero_shot[[cube.arms.index(arm) for arm in arms]].all(axis=0)
        return self.above[target] & (zero_shot | seen_too)

    def compare(self, arm: str, against: str, targets: Sequence[str], seen_too: bool = False) -> Differences:
        """Mean over targets of (arm minus another), tested with the seed variance pooled over the arms that each of
        these targets has. Raises DataError where the targets share no seed."""
        masks = {target: self.languages(target, [arm, against], seen_too) for target in targets}
        key = tuple((target, mask.tobytes()) for target, mask in masks.items())
        if key not in self._means:
            self._means[key] = average_targets([self.cubes[target] for target in masks], list(masks.values()))
        return compare_pair(self._means[key], arm, against)

    def with_best(self, name: str, choices: Mapping[str, Sequence[int]]) -> "Panel":
        """The targets named in `choices`, where the arm at one of these places stands at each seed for those chosen.

        Which languages are above their floor was decided over all arms, and stays.
        """
        chosen = [replace_by_best(self.cubes[target], name, places) for target, places in choices.items()]
        return Panel(chosen, {target: self.above[target] for target in choices})


def compare_pair(means: Means, arm: str, against: str) -> Differences:
    """The primary test of one arm against another."""
    test = compare_means(turn(means, arm, against))
    items = test.item_error[:1] ** 2
    seeds = np.nan_to_num(test.standard_error[:1] ** 2, nan=np.inf) - items
    item_df = np.inf if test.kind == ITEMS_ONLY else means.num_clusters - 1
    dfs = (max(1.0, float(test.seed_df)), float(item_df))
    return Differences((arm,), (against,), test.gain[:1], seeds, items, dfs, len(means.seeds), test.kind)


def stack(parts: Sequence[Differences]) -> Differences:
    """Several differences as one; they are of the same seeds."""
    first = parts[0]
    arrays = [np.concatenate([getattr(part, name) for part in parts]) for name in first.arrays]
    arms, against = (sum((getattr(part, name) for part in parts), ()) for name in ("arms", "against"))
    dfs = tuple(min(part.dfs[place] for part in parts) for place in range(2))
    return Differences(arms, against, *arrays, dfs, first.num_seeds, first.kind)
