"""Contrasts between arms of which neither is the baseline: does the second ingredient add to the first?

Four questions, and what each compares, from the rows of `xt.arms`:

    several tasks       an arm of several tasks, and the best arm of one task
    text beside         an arm with masked language modelling, and the same tasks without
    translated data     an arm on machine-translated data, and the same tasks in the training language
    another language    an arm on data in another language, and the same tasks in the training language

The best arm of one task is picked for each seed from the other seeds (`CHOSEN` on their English selection data, as one
could; `BEST` on their zero-shot scores, as one could not), so that no seed's luck is counted as merit: it is compared
on scores that it was not picked by. Items are the same, and their luck stays. With one seed it is picked on that seed's
selection data, and there is no `BEST`.

The test is the primary one (`xt.stats.gain_test`) with the other arm in the baseline's place: seeds paired, items drawn
jointly, seed variance pooled over the arms that vary over seeds. Holm's family are the contrasts of an encoder and
target. `xt.gains` says which languages count; an arm trained in other languages is compared both on those
(`TRAINED_IN`, no longer zero-shot) and on the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import ARMS, TRANSLATED, Arm, find_arm
from xt.choosing import candidates_of, load_selection, pick
from xt.errors import require_known
from xt.gains import Means, ScoreCube, average_languages
from xt.gains.tables import measure_gains, tabulate_arm
from xt.reported import CELL, select_primary
from xt.stats import adjust_holm

CHOSEN, BEST = "the best one by English data", "the best one by zero-shot scores"
"""Stand-ins for an arm: at each seed the single task that the other seeds recommend."""
ZERO_SHOT, TRAINED_IN = "zero-shot", "trained in"
SEVERAL, BESIDE, TRANSLATION, LANGUAGE = "several tasks", "text beside", "translated data", "another language"
CONTRAST_COLUMNS = (
    "encoder target question intermediate against scope gain low high p p_holm standard_error df baseline relative "
    "relative_low relative_high num_languages num_seeds num_candidates seed_sd item_error kind"
).split()
"""Columns of `contrast_table`."""

SCOPES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ZERO_SHOT: lambda arm, against: arm & against,
    TRAINED_IN: lambda arm, against: ~arm & against,
}
"""Languages of a comparison, from masks (L,) of the zero-shot ones of an arm and of what it is compared with."""


def contrast(cube: ScoreCube, arm: str, against: str, languages: np.ndarray | None = None) -> dict:
    """What an arm gains over another one, as a row of `xt.gains.gain_table` (`baseline`: the score of the other one).

    `languages` is a mask (L,); default: those above their floor that neither arm was trained in. Without any, there
    are no numbers. Raises ValueError for an arm that the cube has not.
    """
    places = [cube.arms.index(require_known("arm", name, cube.arms)) for name in (arm, against)]
    if languages is None:
        languages = ~cube.at_floor & cube.zero_shot[places].all(axis=0)
    row = dict(encoder=cube.encoder, target=cube.target, intermediate=arm, against=against)
    row |= dict(num_languages=int(languages.sum()), num_seeds=len(cube.seeds))
    if not languages.any():
        return row
    return row | tabulate_arm(measure_gains(turn(average_languages(cube, languages), arm, against)), 0)


def turn(means: Means, arm: str, against: str) -> Means:
    """The means with `against` in the baseline's place and `arm` next to it; what pools the seed variance follows.

    An arm that scores the same at every seed (retrieval without training) has no seed variance to pool.
    """
    first = [means.arms.index(against), means.arms.index(arm)]
    varies = np.ptp(means.points, axis=0) > 0
    order = first + [place for place in range(len(means.arms)) if place not in first and varies[place]]
    drawn = None if means.resampled is None else means.resampled[..., order]
    arms = tuple(means.arms[place] for place in order)
    return replace(means, arms=arms, points=means.points[:, order], resampled=drawn)


def contrast_table(
    cubes: Sequence[ScoreCube], scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None
) -> pd.DataFrame:
    """One row per encoder, target and contrast that the arms there allow (CONTRAST_COLUMNS), points.

    `gain`: `intermediate` minus `against`, mean over the languages of its `scope`; `p_holm` within encoder and target;
    `num_candidates`: the single tasks that the best one is picked from.
    `results` is read for the selection data that the best arm of one task is chosen on.
    """
    tables = [pd.DataFrame(columns=CONTRAST_COLUMNS)]
    if not cubes:
        return tables[0]
    runs = select_primary(scores).drop_duplicates("run_id").set_index([*CELL, "intermediate", "seed"])
    for cube in cubes:
        rows = compare_several(cube, runs, rng, results)
        for question, arm, against in find_pairs(cube.arms):
            rows += compare_scopes(cube, question, arm, against)
        table = pd.DataFrame(rows).reindex(columns=CONTRAST_COLUMNS)
        tables.append(table.assign(p_holm=adjust_holm(table["p"].astype(float))))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def find_pairs(arms: Sequence[str]) -> list[tuple[str, str, str]]:
    """(question, arm, what it is compared with) of those arms that have their counterpart among them.

    An arm on several translated tasks without a counterpart of the same tasks is compared with each of them.
    """
    plain = {row.tasks: arm for arm, row in known_arms(arms) if is_plain(row)}
    pairs = []
    for arm, row in known_arms(arms):
        question = question_of(row)
        if question:
            counterparts = [row.tasks] if row.tasks in plain else [(task,) for task in row.tasks]
            pairs += [(question, arm, plain[tasks]) for tasks in counterparts if tasks in plain]
    return pairs


def known_arms(arms: Sequence[str]) -> list[tuple[str, Arm]]:
    """(name, row) of the arms that train on tasks and are no placebo; names of somebody's own are left out."""
    rows = [(arm, find_arm(arm)) for arm in arms]
    return [(arm, row) for arm, row in rows if row is not None and row.tasks and not row.placebo]


def is_plain(row: Arm) -> bool:
    """Whether an arm trains on its tasks in the training language and on nothing else."""
    return not (row.mlm or row.languages)


def question_of(row: Arm) -> str:
    """Which question an arm answers beside its counterpart; none where it is plain."""
    if is_plain(row):
        return ""
    return BESIDE if row.mlm else TRANSLATION if row.languages == TRANSLATED else LANGUAGE


def compare_scopes(cube: ScoreCube, question: str, arm: str, against: str) -> list[dict]:
    """The contrast of two arms on the languages of each scope that holds any above its floor; a row without numbers
    where none does."""
    zero_shot = [cube.zero_shot[cube.arms.index(name)] for name in (arm, against)]
    masks = {scope: ~cube.at_floor & chosen(*zero_shot) for scope, chosen in SCOPES.items()}
    there = {scope: mask for scope, mask in masks.items() if mask.any()} or {ZERO_SHOT: masks[ZERO_SHOT]}
    return [contrast(cube, arm, against, mask) | dict(question=question, scope=scope) for scope, mask in there.items()]


def compare_several(cube: ScoreCube, runs: pd.DataFrame, rng: np.random.Generator, results) -> list[dict]:
    """The contrasts of each plain arm of several tasks with the best of its tasks alone; rows without numbers where
    nothing tells which that is."""
    above, rows = ~cube.at_floor, []
    singles = {ARMS[cube.arms[place]].tasks[0]: place for place in candidates_of(cube) if cube.arms[place] in ARMS}
    several = {arm: row for arm, row in known_arms(cube.arms) if len(row.tasks) > 1 and is_plain(row)}
    seen = see_other_seeds(cube, above, runs, rng, results) if singles and several else {}
    for arm, row in several.items():
        own = [singles[task] for task in row.tasks if task in singles]
        for name in (seen or (CHOSEN,)) if own else ():
            about = dict(question=SEVERAL, scope=ZERO_SHOT, num_candidates=len(own))
            if not seen or not above.any():
                rows.append(about | dict(encoder=cube.encoder, target=cube.target, intermediate=arm, against=name))
                continue
            picked = [int(pick(values, own)) for values in seen[name]]
            rows.append(contrast(replace_by_best(cube, name, picked), arm, name, above) | about)
    return rows


def see_other_seeds(cube: ScoreCube, above: np.ndarray, runs: pd.DataFrame, rng: np.random.Generator, results) -> dict:
    """What recommends an arm at each seed -> scores (S, K) of the other seeds, as far as there are any.

    With one seed, English selection data are those of that seed, and zero-shot scores recommend nothing.
    """
    found, several = {}, len(cube.seeds) > 1
    selection = load_selection(cube, runs, rng, results)[1] if cube.resampled is not None else None
    if selection is not None:
        found[CHOSEN] = average_others(selection.points) if several else selection.points
    if several and above.any():
        found[BEST] = average_others(cube.points[..., above].mean(axis=-1))
    return found


def average_others(scores: np.ndarray) -> np.ndarray:
    """(S, K): for each seed the mean of the other seeds."""
    return (scores.sum(axis=0) - scores) / (len(scores) - 1)


def replace_by_best(cube: ScoreCube, name: str, places: Sequence[int]) -> ScoreCube:
    """The cube with one more arm that is at each seed the arm at a place, in place of these arms: they do not vary
    apart from it."""
    seeds, drawn = np.arange(len(places)), cube.resampled
    rest = [place for place in range(len(cube.arms)) if place not in places]
    return replace(
        cube,
        arms=(*(cube.arms[place] for place in rest), name),
        points=np.concatenate([cube.points[:, rest], cube.points[seeds, places][:, None]], axis=1),
        resampled=None
        if drawn is None
        else np.concatenate([drawn[:, :, rest], drawn[:, seeds, places][:, :, None]], 2),
        zero_shot=np.concatenate([cube.zero_shot[rest], cube.zero_shot[places].all(axis=0)[None]]),
    )
