"""All targets of one encoder side by side: arms compared on the mean over targets, seeds drawn jointly.

Arms are compared over the languages above their floor that neither was trained in; where it is asked for (`seen_too`),
over those that an arm was trained in before the target, too.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from xt.claims.verdicts import Differences
from xt.gains import MIN_LANGUAGES, Means, ScoreCube, average_targets, compare_means, turn
from xt.stats import GainTest

Pairs = Sequence[tuple[str, str]]
"""(arm, the arm it is compared with), each."""


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

    def has_enough(self, target: str, pairs: Pairs, seen_too: bool = False) -> bool:
        """Whether each of these pairs has the languages that a target needs in an average."""
        return all(self.languages(target, pair, seen_too).sum() >= MIN_LANGUAGES for pair in pairs)

    def compare(self, pairs: Pairs, run: Pairs, targets: Sequence[str], seen_too: bool = False) -> Differences:
        """Mean over targets of each pair's difference, tested with the seed variance pooled over the arms that each of
        these targets has; of pairs that are not among those `run`, nothing. Raises DataError where the targets share no
        seed."""
        means = {pair: self.average(pair, targets, seen_too) for pair in run}
        tests = {pair: compare_means(turn(mean, *pair)) for pair, mean in means.items()}
        return join_tests(pairs, [tests.get(pair) for pair in pairs], len(means[run[0]].seeds))

    def average(self, pair: tuple[str, str], targets: Sequence[str], seen_too: bool) -> Means:
        """The mean over targets of all arms, on the languages on which these two are compared."""
        masks = {target: self.languages(target, pair, seen_too) for target in targets}
        key = tuple((target, mask.tobytes()) for target, mask in masks.items())
        if key not in self._means:
            self._means[key] = average_targets([self.cubes[target] for target in masks], list(masks.values()))
        return self._means[key]


def join_tests(pairs: Pairs, tests: Sequence[GainTest | None], num_seeds: int) -> Differences:
    """The first gains of several tests; they are of the same seeds. None: the pair was not run."""
    known = [test for test in tests if test is not None]
    effect = np.array([np.nan if test is None else test.gain[0] for test in tests])
    variances = [np.full(3, np.nan) if test is None else np.array(test.variances)[:, 0] for test in tests]
    dfs = tuple(min(test.dfs[part] for test in known) for part in range(3))
    return Differences(tuple(pairs), effect, np.stack(variances, axis=1), dfs, num_seeds, known[0].kind)
