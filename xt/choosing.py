"""Best of nine: the intermediate task that one would choose for a target.

The number in the abstract of Phang et al. 2020 is of models chosen per target. What they were chosen on is not known:
the paper says `dev`, and neither whether in English only nor which examples. Here the choice is made on the selection
data of the target's own training (English, held out from training rows), the data that checkpoints are selected on
(`CHOSEN`). Beside it stands the choice on the zero-shot scores themselves (`BEST`), which no one who works zero-shot
can make.

Either is made for each seed from the other seeds, and judged by scores that it was not made on, so that no seed's luck
is counted as merit. Zero-shot scores of other seeds are of the same examples, and what these do stays in `BEST`. With
one seed the choice is made on that seed's selection data, and there is no `BEST`.

Candidates are the arms of one intermediate task in the training language: no mixture, no placebo, nothing beside. An
arm without a row (imported) is taken for one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import find_arm
from xt.errors import DataError
from xt.gains import ScoreCube
from xt.metrics import METRICS
from xt.results import load_selection_stats
from xt.tasks import TASKS

CHOSEN, BEST = "the best one by English data", "the best one by zero-shot scores"
"""Stand-ins for an arm: at each seed the single task that the other seeds recommend."""
NO_TRAINING = "no English selection data: the target is not trained"
NOT_RECORDED = "no statistics of selection data: these runs kept none"


def candidates_of(cube: ScoreCube) -> list[int]:
    """Places of the arms of one intermediate task in the training language, nothing beside it."""
    return [place for place, arm in enumerate(cube.arms) if place and is_candidate(arm)]


def is_candidate(arm: str) -> bool:
    """Whether an arm is one intermediate task in the training language; somebody's own name is taken for one."""
    row = find_arm(arm)
    if row is None:
        return True
    single = len(row.tasks) == 1 and "intermediate" in TASKS[row.tasks[0]].roles
    return single and not (row.placebo or row.mlm or row.languages)


def load_selection(
    cube: ScoreCube, runs: pd.DataFrame, results: Path | str | None = None
) -> tuple[str, np.ndarray | None]:
    """(what a choice is made on, the points (S, K) there of all seeds and arms; why there is none, and None).

    `runs` are those of `xt.reported.index_runs`. Raises DataError where runs were selected on different examples.
    """
    training = TASKS[cube.target].training_task
    if training is None:
        return NO_TRAINING, None
    metric, points, first = METRICS[TASKS[training].metrics[0]], [], None
    for seed in cube.seeds:
        for arm in cube.arms:
            run = runs.loc[(cube.encoder, cube.target, arm, seed)]
            stats = load_selection_stats(run["study"], run["run_id"], results)
            if stats is None:
                return NOT_RECORDED, None
            names = sorted(stats["id"].astype(str))
            first = first or names
            if names != first:
                raise DataError(f"run {run['run_id']}: selected on other examples than the other runs of {cube.target}")
            sums = stats[[f"{metric.name}.{column}" for column in metric.columns]].sum().to_numpy(float)
            points.append(float(metric.reduce(sums)))
    return f"{metric.name} on {len(first)} examples held out of {training}", np.reshape(points, (len(cube.seeds), -1))


def see_other_seeds(
    cube: ScoreCube, above: np.ndarray, runs: pd.DataFrame, results: Path | str | None = None
) -> tuple[dict[str, np.ndarray], str]:
    """(what recommends an arm -> scores (S, K) to choose by at each seed, as far as there are any; what English data
    these are, or why there are none). `above`: mask (L,) of the languages whose zero-shot scores count."""
    selected_on, selection = load_selection(cube, runs, results)
    found, several = {}, len(cube.seeds) > 1
    if selection is not None:
        found[CHOSEN] = average_others(selection) if several else selection
    if several and above.any():
        found[BEST] = average_others(cube.points[..., above].mean(axis=-1))
    return found, selected_on


def average_others(scores: np.ndarray) -> np.ndarray:
    """(S, K): for each seed the mean of the other seeds."""
    return (scores.sum(axis=0) - scores) / (len(scores) - 1)


def pick(scores: np.ndarray, allowed: Sequence[int]) -> list[int]:
    """For each row of scores (S, K) the place of the best of the allowed arms; an undefined score is never the best."""
    there = np.nan_to_num(scores[:, list(allowed)], nan=-np.inf)
    return np.asarray(allowed)[there.argmax(axis=1)].tolist()


def name_picks(cube: ScoreCube, places: Sequence[int]) -> str:
    """`squad`, or where seeds differ `squad (2 of 3 seeds), mnli (1)`."""
    (first, count), *rest = Counter(cube.arms[place] for place in places).most_common()
    said = [f"{first} ({count} of {len(places)} seeds)", *(f"{arm} ({count})" for arm, count in rest)]
    return ", ".join(said) if rest else first


def replace_by_picks(cube: ScoreCube, picks: Mapping[str, Sequence[int]]) -> ScoreCube:
    """The cube with further arms, each at every seed the arm at one of its places, in place of all the arms that are
    picked: they do not vary apart from these."""
    seeds, names = np.arange(len(cube.seeds)), list(picks)
    places = np.array([picks[name] for name in names]).T  # (S, names)
    rest = [place for place in range(len(cube.arms)) if place not in places]
    at = seeds[:, None], np.concatenate([np.broadcast_to(rest, (len(seeds), len(rest))), places], axis=1).astype(int)
    own = [cube.zero_shot[places[:, column]].all(axis=0) for column in range(len(names))]
    return replace(
        cube,
        arms=(*(cube.arms[place] for place in rest), *names),
        points=cube.points[at],
        resampled=None if cube.resampled is None else cube.resampled[:, *at],
        zero_shot=np.stack([*cube.zero_shot[rest], *own]),
    )
