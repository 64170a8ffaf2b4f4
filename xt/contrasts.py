"""Contrasts between arms of which neither is the baseline: does the second ingredient add to the first?

Four questions, and what each compares, from the rows of `xt.arms`:

    several tasks       an arm of several tasks, and the best arm of one task
    text beside         an arm with masked language modelling, and the same tasks without
    translated data     an arm on machine-translated data, and the same tasks in the training language
    another language    an arm on data in another language, and the same tasks in the training language

The best arm of one task is picked for each seed as `xt.choosing` says, so that no seed's luck is counted as merit; what
that pick itself gains is `choice_table`.

The test is the primary one (`xt.stats.gain_test`) with the other arm in the baseline's place: seeds paired, items drawn
jointly, seed variance pooled over the arms that vary over seeds. Holm's family are the contrasts of an encoder and
target. `xt.gains` says which languages count; an arm trained in other languages is compared both on those
(`TRAINED_IN`, no longer zero-shot) and on the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import ARMS, TRANSLATED, Arm, find_arm
from xt.choosing import BEST, CHOSEN, candidates_of, name_picks, pick, replace_by_picks, see_other_seeds
from xt.errors import require_known
from xt.gains import BASELINE, ScoreCube, average_languages, trains_on_same_data, turn
from xt.gains.tables import measure_gains, tabulate_arm
from xt.reported import index_runs
from xt.stats import adjust_holm

ZERO_SHOT, TRAINED_IN = "zero-shot", "trained in"
SEVERAL, BESIDE, TRANSLATION, LANGUAGE = "several tasks", "text beside", "translated data", "another language"
CONTRAST_COLUMNS = (
    "encoder target question intermediate against scope gain low high p p_holm baseline num_languages num_seeds "
    "num_candidates kind"
).split()
"""Columns of `contrast_table`."""
CHOICE_COLUMNS = (
    "encoder target chosen gain low high p p_holm oracle oracle_gain oracle_low oracle_high regret regret_low "
    "regret_high shares_data selected_on num_candidates num_languages num_seeds kind"
).split()
"""Columns of `choice_table`."""

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


def contrast_table(cubes: Sequence[ScoreCube], scores: pd.DataFrame, results: Path | str | None = None) -> pd.DataFrame:
    """One row per encoder, target and contrast that the arms there allow (CONTRAST_COLUMNS), points.

    `gain`: `intermediate` minus `against`, mean over the languages of its `scope`; `p_holm` within encoder and target;
    `num_candidates`: the single tasks that the best one is picked from.
    `results` is read for the selection data that the best arm of one task is chosen on.
    """
    tables = [pd.DataFrame(columns=CONTRAST_COLUMNS)]
    if not cubes:
        return tables[0]
    runs = index_runs(scores)
    for cube in cubes:
        rows = compare_several(cube, runs, results)
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


def compare_several(cube: ScoreCube, runs: pd.DataFrame, results: Path | str | None) -> list[dict]:
    """The contrasts of each plain arm of several tasks with the best of its tasks alone; rows without numbers where
    nothing tells which that is."""
    above, rows = ~cube.at_floor, []
    singles = {ARMS[cube.arms[place]].tasks[0]: place for place in candidates_of(cube) if cube.arms[place] in ARMS}
    several = {arm: row for arm, row in known_arms(cube.arms) if len(row.tasks) > 1 and is_plain(row)}
    seen = see_other_seeds(cube, above, runs, results)[0] if singles and several else {}
    for arm, row in several.items():
        own = [singles[task] for task in row.tasks if task in singles]
        for name in (seen or (CHOSEN,)) if own else ():
            about = dict(question=SEVERAL, scope=ZERO_SHOT, num_candidates=len(own))
            if not seen or not above.any():
                rows.append(about | dict(encoder=cube.encoder, target=cube.target, intermediate=arm, against=name))
                continue
            picked = replace_by_picks(cube, {name: pick(seen[name], own)})
            rows.append(contrast(picked, arm, name, above) | about)
    return rows


def choice_table(cubes: Sequence[ScoreCube], scores: pd.DataFrame, results: Path | str | None = None) -> pd.DataFrame:
    """What the task chosen for a target gains: one row per encoder and target with a candidate and a language above its
    floor (CHOICE_COLUMNS); points, means over these languages.

    `chosen` on English data with its `gain` over the baseline (`low, high`, `p`, `p_holm` over the targets of an
    encoder), `oracle` on zero-shot scores with its own, and `regret`: what the oracle gains beyond the chosen one. All
    are tested as in `contrast`, at each seed the arm that the other seeds recommend. `shares_data`: a chosen arm trains
    on data of the target's own training, and may have seen rows that the selection data hold out. `selected_on`: what
    English data these are, or why nothing could be chosen on them.
    """
    runs, rows = index_runs(scores) if cubes else None, []
    for cube in cubes:
        above, places = ~cube.at_floor, candidates_of(cube)
        if above.any() and places:
            seen, selected_on = see_other_seeds(cube, above, runs, results)
            picks = {name: pick(values, places) for name, values in seen.items()}
            row = dict(encoder=cube.encoder, target=cube.target, selected_on=selected_on, num_candidates=len(places))
            row |= dict(num_languages=int(above.sum()), num_seeds=len(cube.seeds))
            rows.append(row | (measure_picks(cube, picks, above) if picks else {}))
    table = pd.DataFrame(rows).reindex(columns=CHOICE_COLUMNS)
    return table.assign(p_holm=table["p"].astype(float).groupby(table["encoder"]).transform(adjust_holm))


def measure_picks(cube: ScoreCube, picks: Mapping[str, Sequence[int]], above: np.ndarray) -> dict:
    """The numbers of a row of `choice_table`, as far as these picks (name -> place at each seed) give them."""
    picked, row = replace_by_picks(cube, picks), {}
    if CHOSEN in picks:
        found = contrast(picked, CHOSEN, BASELINE, above)
        shared = any(trains_on_same_data(cube.arms[place], cube.target) for place in picks[CHOSEN])
        row |= dict(chosen=name_picks(cube, picks[CHOSEN]), shares_data=shared)
        row |= {name: found[name] for name in ("gain", "low", "high", "p", "kind")}
    if BEST in picks:
        found = contrast(picked, BEST, BASELINE, above)
        row |= dict(oracle=name_picks(cube, picks[BEST]), oracle_gain=found["gain"])
        row |= dict(oracle_low=found["low"], oracle_high=found["high"])
    if len(picks) == 2:
        same = picks[CHOSEN] == picks[BEST]
        found = dict(gain=0.0, low=0.0, high=0.0) if same else contrast(picked, BEST, CHOSEN, above)
        row |= dict(regret=found["gain"], regret_low=found["low"], regret_high=found["high"])
    return row
