"""All zero-shot scores of one encoder and target in one array, with their resamples over items."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from xt.arms import ARMS
from xt.errors import DataError
from xt.item_stats import join_clusters, read_columns
from xt.languages import LANGUAGE_ORDER
from xt.metrics import METRICS
from xt.reported import BASELINE, CELL, is_zero_shot, select_complete, select_primary
from xt.results import IMPORTED, find_stats, has_stats
from xt.stats import NUM_RESAMPLES, adjust_holm, bootstrap_apart, bootstrap_sums
from xt.tasks import TASKS

CLUSTER = ["eval_language", "cluster"]
"""Columns that name a cluster of examples."""
MIN_LANGUAGES = 3
"""Languages above their floor from which a target enters averages over targets, slopes and models."""
FLOOR_LEVEL = 0.025
"""Of the one-sided tests that tell which languages are above their floor, together."""
AT_FLOOR, TRAINED_IN, NO_RUN = "at its floor", "trained in", "no run"
FEW = f"above its floor in fewer than {MIN_LANGUAGES} languages"
"""Why an arm has no zero-shot gain: all languages are at their floor, it was trained in the others, it is absent; why
it is in no average over targets."""
ROUNDING = 5e-5
"""Points by which a number in a score table may differ from the exact one."""


@dataclass(frozen=True)
class ScoreCube:
    """All zero-shot scores of one encoder and target, as tested."""

    encoder: str
    """Encoder of all arms."""
    target: str
    """Target task of all arms."""
    arms: tuple[str, ...]
    """K arms, the baseline first."""
    seeds: tuple[int, ...]
    """S seeds, each with every arm."""
    languages: tuple[str, ...]
    """L evaluation languages other than the target's training language, in LANGUAGE_ORDER."""
    points: np.ndarray
    """(S, K, L) scores."""
    resampled: np.ndarray | None
    """(R, S, K, L) the same under resampling of item clusters, jointly over all else that shares items; None where the
    scores were imported without their examples."""
    floors: np.ndarray
    """(L,) the score that a trivial answer gets; NaN where unknown, the highest where runs differ."""
    zero_shot: np.ndarray
    """(K, L) whether the arm was not trained in the language."""
    num_clusters: np.ndarray | None = None
    """(L,) item clusters that each language was resampled from; None where the items are not known."""

    @cached_property
    def level(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(mean score over seeds and the arms that were not trained in the language, its standard error over item
        clusters, the degrees of freedom of that), each (L,); NaN where the items are not known."""
        weights = self.zero_shot / self.zero_shot.sum(axis=0) / len(self.seeds)
        mean = np.einsum("skl,kl->l", self.points, weights)
        if self.resampled is None:
            return mean, *(np.full(len(mean), np.nan),) * 2
        variance = np.einsum("rskl,kl->rl", self.resampled, weights, optimize=True).var(axis=0)
        df = np.maximum(1.0, np.full(len(mean), 1e9) if self.num_clusters is None else self.num_clusters - 1.0)
        return mean, np.sqrt(variance * (df + 1) / df), df

    @cached_property
    def at_floor(self) -> np.ndarray:
        """(L,) whether that mean is not shown to be above the floor: t tests over item clusters, one-sided, at
        FLOOR_LEVEL after Holm's correction over the languages. What cannot be told (`floor_unknown`) is not at it."""
        from scipy.special import stdtr

        mean, error, df = self.level
        with np.errstate(divide="ignore", invalid="ignore"):
            p = stdtr(df, (self.floors + ROUNDING - mean) / error)
        return adjust_holm(p) > FLOOR_LEVEL

    @property
    def floor_unknown(self) -> np.ndarray:
        """(L,) whether no floor, or none of the items, is known: such a language counts as above its floor."""
        return np.isnan(self.floors) | np.isnan(self.level[1])

    def find_lacking(self, arm: str, above: np.ndarray, least: int = 1) -> str:
        """Why the arm has no gain over `least` languages or more of those `above` their floor, a mask (L,); empty where
        it has. Averages over targets ask for MIN_LANGUAGES."""
        if arm not in self.arms:
            return NO_RUN
        count = int((above & self.zero_shot[self.arms.index(arm)]).sum())
        if count >= least:
            return ""
        return FEW if count else TRAINED_IN if above.any() else AT_FLOOR


def load_cube(
    rows: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None, num_resamples: int = NUM_RESAMPLES
) -> ScoreCube:
    """The cube of one encoder and target from its primary, complete rows and the statistics of their runs.

    Raises DataError when a run was scored on other examples than the rest.
    """
    rows = rows[rows["eval_language"] != rows["train_language"].fillna("")]
    target, encoder = rows["target"].iloc[0], rows["encoder"].iloc[0]
    arms = order_by(ARMS, rows["intermediate"])
    languages = order_by(LANGUAGE_ORDER, rows["eval_language"])
    seeds = tuple(sorted(int(seed) for seed in rows["seed"].unique()))
    axes = pd.MultiIndex.from_product([seeds, arms, languages])
    points = rows.set_index(["seed", "intermediate", "eval_language"])["score"].reindex(axes)
    sums, resampled, num_clusters = load_cluster_sums(rows, seeds, arms, results), None, None
    if sums is not None:
        resampled = resample(sums, languages, TASKS[target], (len(seeds), len(arms)), rng, num_resamples)
        num_clusters = sums.groupby(level="eval_language").size().reindex(languages).to_numpy()
    floors = rows.groupby("eval_language")["floor"].max().reindex(languages)
    shape = (len(seeds), len(arms), len(languages))
    zero_shot = rows.assign(new=is_zero_shot(rows)).groupby(["intermediate", "eval_language"])["new"].all()
    return ScoreCube(
        encoder,
        target,
        arms,
        seeds,
        languages,
        points.to_numpy(float).reshape(shape),
        resampled,
        floors.to_numpy(float, na_value=np.nan),
        zero_shot.unstack().loc[list(arms), list(languages)].to_numpy(bool),
        num_clusters,
    )


def order_by(known: Iterable[str], values: pd.Series) -> tuple[str, ...]:
    """The distinct values, those of `known` first and in its order, the rest sorted."""
    there = set(values)
    return tuple([name for name in known if name in there] + sorted(there.difference(known)))


def load_cluster_sums(rows: pd.DataFrame, seeds: Sequence[int], arms: Sequence[str], results) -> pd.DataFrame | None:
    """Statistics summed per (language, cluster), one block of columns per run, runs seed by seed; None where all of
    these runs were imported without statistics. Raises DataError where some were, or examples differ."""
    made = rows.drop_duplicates("run_id")
    there = [has_stats(run.study, run.run_id, results) for run in made.itertuples()]
    if not any(there) and (made["preset"] == IMPORTED).all():
        return None
    runs = rows.drop_duplicates("run_id").set_index(["seed", "intermediate"])
    metric = METRICS[rows["metric"].iloc[0]]
    columns = [f"{metric.name}.{column}" for column in metric.columns]
    cluster = join_clusters if TASKS[rows["target"].iloc[0]].shared_ids else itemgetter("cluster")
    blocks, known, groups = {}, None, None
    for seed in seeds:
        for arm in arms:
            run = runs.loc[(seed, arm)]
            where = {key: None if pd.isna(run[key]) else run[key] for key in ("layer", "direction")}
            items, stats = read_columns(find_stats(run["study"], run["run_id"], results), columns, **where)
            if items is not known:
                known, groups = items, group_rows(items.assign(cluster=cluster(items))[CLUSTER])
            blocks[seed, arm] = sum_groups(pd.DataFrame(stats, columns=columns), *groups)
    sums = pd.concat(blocks, axis=1)
    if sums.isna().to_numpy().any():
        language, cluster = sums.index[sums.isna().any(axis=1)][0]
        raise DataError(
            f"runs {', '.join(runs['run_id'])}: cluster {cluster!r} of {language} is not in all of "
            "them; allowed: runs scored on the same examples"
        )
    return sums


def group_rows(keys: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, pd.MultiIndex]:
    """(order of the rows by language and cluster, where each cluster begins in it, the clusters) of CLUSTER columns."""
    numbers = keys.groupby(CLUSTER, observed=True).ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    _, starts = np.unique(numbers[order], return_index=True)
    return order, starts, pd.MultiIndex.from_frame(keys.iloc[order[starts]].astype(str))


def sum_groups(stats: pd.DataFrame, order: np.ndarray, starts: np.ndarray, index: pd.MultiIndex) -> pd.DataFrame:
    """Statistics of examples summed per cluster, as `group_rows` found them."""
    return pd.DataFrame(np.add.reduceat(stats.to_numpy(float)[order], starts), index=index, columns=stats.columns)


def resample(
    sums: pd.DataFrame,
    languages: Sequence[str],
    task,
    shape: tuple[int, int],
    rng: np.random.Generator,
    num_resamples: int,
) -> np.ndarray:
    """(R, S, K, L) points: clusters drawn once for all languages of a task that share them, else for each by itself."""
    reduce, resampled = METRICS[task.metrics[0]].reduce, np.empty((num_resamples, *shape, len(languages)))
    if task.joint:
        stats = align_clusters(sums, languages, shape)
        resampled[:] = np.moveaxis(bootstrap_sums(stats, reduce, rng, num_resamples), 1, -1)
        return resampled
    sizes = sums.groupby(level="eval_language").size().reindex(languages).to_numpy()
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        stats = np.concatenate([align_clusters(sums, [languages[place]], shape) for place in places], axis=1)
        resampled[..., places] = np.moveaxis(bootstrap_apart(stats, reduce, rng, num_resamples), 1, -1)
    return resampled


def align_clusters(sums: pd.DataFrame, languages: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    """(C, languages, S, K, k) sums of each cluster, in order of their names; 0 where a language lacks one."""
    places = pd.Index(languages).get_indexer(sums.index.get_level_values("eval_language"))
    there = places >= 0
    numbers, names = pd.factorize(sums.index.get_level_values("cluster")[there], sort=True)
    stats = np.zeros((len(names), len(languages), sums.shape[1]))
    stats[numbers, places[there]] = sums.to_numpy(float)[there]
    return stats.reshape(len(names), len(languages), *shape, -1)


def load_cubes(
    scores: pd.DataFrame,
    rng: np.random.Generator,
    results: Path | str | None = None,
    num_resamples: int = NUM_RESAMPLES,
    min_seeds: int = 2,
) -> list[ScoreCube]:
    """One cube per encoder and target that has a baseline and an arm at `min_seeds` seeds or more; what is drawn of a
    target does not depend on what else is loaded."""
    draws = draws_by_target(rng)
    rows = select_complete(select_primary(scores))
    rows = rows.assign(target=pd.Categorical(rows["target"], order_by(TASKS, rows["target"])))
    cells = [cell for _, cell in rows.groupby(CELL, observed=True) if is_testable(cell, min_seeds)]
    return [load_cube(cell.astype({"target": str}), draws(cell["target"].iloc[0]), results, num_resamples)
            for cell in cells]  # fmt: skip


def draws_by_target(rng: np.random.Generator) -> Callable[[str], np.random.Generator]:
    """Target -> a generator of its own, the same whenever it is asked for."""
    seed = int(rng.integers(2**63))
    return lambda target: np.random.default_rng([seed, crc32(target.encode())])


def is_testable(cell: pd.DataFrame, min_seeds: int) -> bool:
    """Whether the rows of an encoder and target hold a baseline and another arm, at enough seeds."""
    arms = set(cell["intermediate"])
    return BASELINE in arms and len(arms) > 1 and cell["seed"].nunique() >= min_seeds
