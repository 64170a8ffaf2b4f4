"""Best of nine: the intermediate task that English selection data would choose, and what that choice is worth.

The number in the abstract of Phang et al. 2020 is of models chosen per target. What they were chosen on is not known:
the paper says `dev`, and neither whether in English only nor which examples. Here the choice is made on the selection
data of the target's own training (English, held out from training rows), the data that checkpoints are selected on.
Beside it stands the oracle, chosen on the zero-shot scores themselves, which no one who works zero-shot can have.

Candidates are the arms of one intermediate task in the training language: no mixture, no placebo, nothing beside. An
arm without a row (imported) is taken for one. An arm that trains on data of the target's own training task (MNLI before
XNLI) may have seen rows that the selection data hold out: `shares_data` says that the chosen one does, and that its
selection score may flatter it. Each table is given without and with the baseline among them (`none_allowed`): without,
as in the paper; with, because whoever may choose may also choose not to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import find_arm
from xt.errors import DataError
from xt.gains import ScoreCube, trains_on_same_data
from xt.metrics import METRICS
from xt.reported import CELL, select_primary
from xt.results import load_selection_stats
from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS, cluster_bootstrap, draw_counts, percentile_interval
from xt.tasks import TASKS

NO_TRAINING = "no English selection data: the target is not trained"
NOT_RECORDED = "no statistics of selection data: these runs kept none"
CHOICE_COLUMNS = (
    "chosen chosen_score chosen_score_low chosen_score_high gain gain_low gain_high regret regret_low regret_high "
    "stability oracle oracle_seen oracle_score oracle_score_low oracle_score_high"
).split()
"""What `choose` finds out."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of S seeds and K arms, and the same in R resamples of their items."""

    points: np.ndarray
    """(S, K) points; NaN in every cell where there are none."""
    resampled: np.ndarray
    """(R, S, K) points."""


def choice_table(
    cubes: Sequence[ScoreCube], scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None
) -> pd.DataFrame:
    """Two rows (`none_allowed`) per encoder and target with a candidate, a language above its floor, and known items.

    `chosen`, `oracle`: arms. `chosen_score, oracle_score, regret, gain` (see `choose`), in points, means over languages
    above their floor, each with its 95 % interval (`_low`, `_high`); `stability`: share of resamples that choose the
    same arm; `shares_data` (see above), `baseline`; `selected_on`: what the choice was made on, or why there was none,
    and then only the oracle stands; `num_candidates, num_languages, num_seeds`, `kind` of interval.
    """
    runs = select_primary(scores).drop_duplicates("run_id").set_index([*CELL, "intermediate", "seed"])
    rows = []
    for cube in cubes:
        above, places = ~cube.at_floor, candidates_of(cube)
        if not above.any() or not places or cube.resampled is None:
            continue
        shown = Scores(cube.points[..., above].mean(-1), cube.resampled[..., above].mean(-1))
        selected_on, seen = load_selection(cube, runs, rng, results)
        weights = draw_seeds(len(cube.seeds), len(shown.resampled), rng)
        for none_allowed in (False, True):
            allowed = [0, *places] if none_allowed else places
            row = choose(seen, shown, allowed, weights)
            rows.append(
                dict(encoder=cube.encoder, target=cube.target, none_allowed=none_allowed)
                | row
                | {name: None if row[name] is None else cube.arms[row[name]] for name in ("chosen", "oracle")}
                | dict(shares_data=shares_data(cube, row["chosen"]))
                | dict(baseline=shown.points[:, 0].mean(), selected_on=selected_on, num_candidates=len(allowed))
                | dict(num_languages=int(above.sum()), num_seeds=len(cube.seeds))
                | dict(kind=SEEDS_AND_ITEMS if len(cube.seeds) > 1 else ITEMS_ONLY)
            )
    return pd.DataFrame(rows)


def candidates_of(cube: ScoreCube) -> list[int]:
    """Places of the arms of one intermediate task in the training language, nothing beside it."""
    return [place for place, arm in enumerate(cube.arms) if place and is_candidate(arm)]


def shares_data(cube: ScoreCube, place: int | None) -> bool:
    """Whether the arm at a place, if any, trains on data that the target trains on again."""
    return place is not None and trains_on_same_data(cube.arms[place], cube.target)


def is_candidate(arm: str) -> bool:
    """Whether an arm is one intermediate task in the training language; somebody's own name is taken for one."""
    row = find_arm(arm)
    if row is None:
        return True
    single = len(row.tasks) == 1 and "intermediate" in TASKS[row.tasks[0]].roles
    return single and not (row.placebo or row.mlm or row.languages)


def load_selection(
    cube: ScoreCube, runs: pd.DataFrame, rng: np.random.Generator, results: Path | str | None
) -> tuple[str, Scores | None]:
    """(what the choice is made on, the scores there of all seeds and arms; None where a run has none).

    Raises DataError where runs were selected on different examples.
    """
    training = TASKS[cube.target].training_task
    if training is None:
        return NO_TRAINING, None
    metric = METRICS[TASKS[training].metrics[0]]
    columns = [f"{metric.name}.{column}" for column in metric.columns]
    frames = []
    for seed in cube.seeds:
        for arm in cube.arms:
            run = runs.loc[(cube.encoder, cube.target, arm, seed)]
            stats = load_selection_stats(run["study"], run["run_id"], results)
            if stats is None:
                return NOT_RECORDED, None
            frames.append(stats.astype({"id": str, "cluster": str}).set_index("id").sort_index())
            if not frames[-1]["cluster"].equals(frames[0]["cluster"]):
                raise DataError(f"run {run['run_id']}: selected on other examples than the other runs of {cube.target}")
    shape = (len(cube.seeds), len(cube.arms))
    stats = np.stack([frame[columns].to_numpy(float) for frame in frames], axis=1).reshape(-1, *shape, len(columns))
    clusters, num_resamples = frames[0]["cluster"].to_numpy(), len(cube.resampled)
    resampled = cluster_bootstrap(stats, clusters, metric.reduce, rng, num_resamples)
    return f"{metric.name} on {len(stats)} examples held out of {training}", Scores(
        metric.reduce(stats.sum(axis=0)), resampled
    )


def draw_seeds(num_seeds: int, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Weights of the seeds in each resample, (R, S); every row sums to 1. One seed is not resampled.

    Drawing S of S seeds gives their mean (S - 1) / S of the variance that it has; the draws are stretched around the
    equal weights by the root of the inverse (Rao and Wu 1988). Few seeds still give intervals that are too narrow.
    """
    counts = draw_counts(num_seeds, num_resamples, rng)
    stretch = np.sqrt(num_seeds / max(1, num_seeds - 1))
    return (1 + stretch * (counts - 1)) / num_seeds


def choose(seen: Scores | None, shown: Scores, allowed: Sequence[int], weights: np.ndarray) -> dict:
    """What the choice among arms (`allowed`, places) made on `seen` scores is worth in `shown`, and the oracle's.

    Both choices are made again in every resample b, from its items and its seeds (`weights`, (R, S)): where another
    sample would choose another arm, that is part of the interval. With y the scores of this study, y_b those of a
    resample, c and o the places that are picked:

        chosen = y[c], gain = y[c] - y[0]          intervals: percentiles of y_b[c_b], y_b[c_b] - y_b[0]
        oracle = y[o] - luck                       luck = mean_b (y_b[o_b] - y[o_b])
        regret = max(0, oracle - chosen)           interval: percentiles of max(0, y_b[o_b] - luck - y_b[c_b])

    The largest of several scores is large by luck too (`oracle_seen` = y[o]); the luck is estimated where the truth is
    known: in the resamples it is y (Efron 1983). The oracle's interval is the basic bootstrap's, as percentiles would
    count the luck twice.
    """
    score, resampled = shown.points.mean(0), np.einsum("bs,bsk->bk", weights, shown.resampled)
    places = np.arange(len(resampled))
    oracle, oracles = pick(score, allowed), pick(resampled, allowed)
    errors = resampled[places, oracles] - score[oracles]
    low, high = score[oracle] - np.quantile(resampled[places, oracles] - score[oracles].mean(), [0.975, 0.025])
    worth = score[oracle] - errors.mean()
    row = dict.fromkeys(CHOICE_COLUMNS, np.nan) | dict(
        oracle=int(oracle), oracle_seen=float(score[oracle]), chosen=None
    )
    row |= dict(oracle_score=worth, oracle_score_low=low, oracle_score_high=high)
    if seen is None:
        return row
    chosen, choices = (
        pick(scores, allowed) for scores in (seen.points.mean(0), np.einsum("bs,bsk->bk", weights, seen.resampled))
    )
    kept = resampled[places, choices]
    lost = resampled[places, oracles] - errors.mean() - kept
    return (
        row
        | dict(chosen=int(chosen), stability=float((choices == chosen).mean()))
        | spread("chosen_score", score[chosen], kept)
        | spread("gain", score[chosen] - score[0], kept - resampled[:, 0])
        | spread("regret", max(0.0, worth - score[chosen]), np.maximum(0, lost))
    )


def pick(scores: np.ndarray, allowed: Sequence[int]) -> np.ndarray:
    """Place of the best of the allowed arms by scores (..., K); a score that is undefined is never the best."""
    there = np.nan_to_num(scores[..., list(allowed)], nan=-np.inf)
    return np.asarray(allowed)[there.argmax(axis=-1)]


def spread(name: str, value: float, resampled: np.ndarray) -> dict[str, float]:
    """`name`, `name_low`, `name_high`: a value and its 95 % percentile interval."""
    low, high = percentile_interval(resampled)
    return {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}
