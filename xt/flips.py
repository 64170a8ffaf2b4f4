"""Which examples an intermediate task flips from right to wrong or back, and which of these flips another seed repeats.

An example is right where it alone would score 100 points by the target's primary metric: the label, the whole answer,
every tag of the sentence. A flip is an example that is right at one checkpoint and wrong at another.

Training once more with another seed flips examples too, so flips say little by themselves: what an arm at one seed and
the baseline at another differ in stands beside what two seeds of the baseline differ in. What is the task's doing
repeats: with d_s the change of an example at seed s (arm minus baseline: -1, 0 or 1), the product d_s d_t over two
seeds is 1 where it flips alike at both and -1 where it flips back. Its mean U over pairs of seeds and examples is an
unbiased estimate of the mean over examples of (P(right) in the arm - P(right) in the baseline)^2, and is 0 on average
where the arm is the baseline with other seeds. Its interval covers seeds and examples. With U_s the mean over the pairs
that have seed s,

    h_s = 2 (S - 1) / (S - 2) (U_s - U)                the jackknife's pseudo-values over seeds, less their mean
    V                                                  their variance, pooled over the arms (`pool_trained`)
    C                                                  covariance of two pairs of seeds under another draw of examples
    var(U) = V / S + max(0, C)

The jackknife's variance is on average not too small, whatever is estimated (Efron and Stein 1981): pairs that share a
seed move together where an arm does something. All arms of a seed are held against one baseline, so V has
Satterthwaite's degrees of freedom between and within seeds; C has those of the clusters, and p and interval are those
of `xt.stats.behrens_fisher`. With two seeds there is the variance over examples alone. The change of the score itself
is not tested here but in `xt.gains`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.gains import ROUNDING, ScoreCube, is_placebo
from xt.item_stats import join_clusters, read_columns
from xt.metrics import METRICS, Metric
from xt.reported import CELL, index_runs
from xt.results import find_stats, has_stats
from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS, adjust_benjamini_hochberg, adjust_family, mcnemar_test
from xt.stats.behrens_fisher import quantile, tail
from xt.stats.primary import pool_trained
from xt.tasks import TASKS

FLIP_COLUMNS = (
    "encoder target intermediate placebo right lost won flips across by_seed repeated low high p p_holm num_languages "
    "num_items num_seeds kind"
).split()
"""Columns of `flip_table`."""
ONE_SEED = "one seed"
"""Kind of a row that has no interval."""
FIRMNESS = ("right at every seed", "right at some", "right at none")
"""How the baseline stands to an example."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Which examples of one encoder and target are right, at S seeds of K arms, the baseline first."""

    encoder: str
    """Encoder of all arms."""
    target: str
    """Target task of all arms."""
    arms: tuple[str, ...]
    """K arms."""
    seeds: tuple[int, ...]
    """S seeds."""
    items: pd.DataFrame
    """(N,) `eval_language` (the training language too, where it was scored), `id`, `cluster`: text."""
    right: np.ndarray
    """(S, K, N) whether the example is right."""
    train_language: str
    """Language that the target is trained in, where it was scored; else empty."""
    compared: dict[str, np.ndarray]
    """Evaluation language above its floor -> (K,) whether the arm was not trained in it."""


@dataclass(frozen=True, slots=True)
class FlipCounts:
    """Flips of the K - 1 arms of one encoder and target in L languages, all per 100 examples of a language."""

    rights: Rights
    """What they were counted in."""
    right: np.ndarray
    """(L,) examples that the baseline has right, mean over seeds."""
    by_seed: np.ndarray
    """(L,) flips between two seeds of the baseline, mean over pairs of seeds; NaN with one seed."""
    lost: np.ndarray
    """(L, K - 1) right in the baseline, wrong in the arm of the same seed, mean over seeds."""
    won: np.ndarray
    """(L, K - 1) wrong in the baseline, right in the arm of the same seed, mean over seeds."""
    across: np.ndarray
    """(L, K - 1) right in the baseline or in the arm of another seed and not in both, mean over pairs of seeds; NaN
    with one seed."""
    by_pair: np.ndarray
    """(L, K - 1, pairs of seeds) flips alike at both seeds less those that flip back."""
    covariance: np.ndarray
    """(K - 1, L, L) under another draw of examples: of two pairs of `by_pair`; with one pair, of that pair."""
    num_clusters: np.ndarray
    """(L,) clusters of examples."""
    num_items: np.ndarray
    """(L,) examples."""


def load_rights(
    cubes: Sequence[ScoreCube], scores: pd.DataFrame, results: Path | str | None = None
) -> tuple[list[Rights], list[str]]:
    """(what is right of each cube that has per-example statistics, the targets that have none).

    Raises DataError where runs of a cube were scored on different examples.
    """
    runs, found, lacking = index_runs(scores), [], []
    for cube in cubes:
        chosen = runs.loc[(cube.encoder, cube.target)]
        if all(has_stats(run.study, run.run_id, results) for run in chosen.itertuples()):
            found.append(read_rights(cube, chosen, results))
        else:
            lacking.append(cube.target)
    return found, lacking


def read_rights(cube: ScoreCube, runs: pd.DataFrame, results: Path | str | None) -> Rights:
    """What is right in the runs of a cube, a row each of `runs` (arm, seed)."""
    first, items, right = None, None, []
    for seed in cube.seeds:
        for arm in cube.arms:
            run = runs.loc[(arm, seed)]
            where = {key: None if pd.isna(run[key]) else run[key] for key in ("layer", "direction")}
            metric = METRICS[run["metric"]]
            columns = [f"{metric.name}.{column}" for column in metric.columns]
            found, stats = read_columns(find_stats(run["study"], run["run_id"], results), columns, **where)
            if first is None:
                first, items = found, name_items(found)
            same = found is first  # one table in memory for all runs on the same items
            order = slice(None) if same else match_items(name_items(found), items, f"run {run['run_id']}")
            right.append(is_right(stats, metric)[order])
    right = np.stack(right).reshape(len(cube.seeds), len(cube.arms), -1)
    if TASKS[cube.target].shared_ids:
        items = items.assign(cluster=join_clusters(items))
    above = {code: cube.zero_shot[:, place] for place, code in enumerate(cube.languages) if not cube.at_floor[place]}
    trained = sorted(set(runs["train_language"].dropna()) & set(items["eval_language"]))
    return Rights(cube.encoder, cube.target, cube.arms, cube.seeds, items, right, "".join(trained[:1]), above)


def name_items(items: pd.DataFrame) -> pd.DataFrame:
    """What tells examples apart, as text."""
    return items[["eval_language", "id", "cluster"]].astype(str)


def match_items(names: pd.DataFrame, items: pd.DataFrame, what: str) -> slice | np.ndarray:
    """Places in `names` of the examples `items`; raises DataError where these are not the same examples."""
    if names.equals(items):
        return slice(None)
    order = pd.MultiIndex.from_frame(names).get_indexer(pd.MultiIndex.from_frame(items))
    if len(names) != len(items) or (order < 0).any():
        raise DataError(f"{what}: scored on other examples than the runs beside it; allowed: the same examples")
    return order


def is_right(stats: np.ndarray, metric: Metric) -> np.ndarray:
    """(N,) whether each example alone scores 100 points; where there was nothing to find, whether nothing was found.

    `stats` (N, k) are those of the metric.
    """
    return np.nan_to_num(metric.reduce(stats), nan=100.0) > 100 - ROUNDING


def count_flips(one: Rights) -> FlipCounts:
    """The flips of one encoder and target, counted in each language of `compared`."""
    first, second = np.triu_indices(len(one.seeds), 1)
    base, arms = one.right[:, :1], one.right[:, 1:]
    changes = arms.astype(np.int8) - base.astype(np.int8)  # (S, K - 1, N)
    products = changes[first] * changes[second] if len(first) else changes[:1] * 0
    across, by_seed = np.full(arms.shape[1:], np.nan), np.full(arms.shape[2], np.nan)
    if len(first):
        across = ((arms[first] != base[second]) * 1.0 + (arms[second] != base[first])).mean(axis=0) / 2
        by_seed = (base[first, 0] != base[second, 0]).mean(axis=0)
    by_language = one.items.groupby("eval_language")
    places = [by_language.indices[code] for code in one.compared]
    return FlipCounts(
        one,
        np.array([100 * base[..., chosen].mean() for chosen in places]),
        np.array([100 * by_seed[chosen].mean() for chosen in places]),
        np.array([100 * (changes[..., chosen] < 0).mean(axis=(0, 2)) for chosen in places]),
        np.array([100 * (changes[..., chosen] > 0).mean(axis=(0, 2)) for chosen in places]),
        np.array([100 * across[:, chosen].mean(axis=1) for chosen in places]),
        np.array([100 * products[..., chosen].mean(axis=2).T for chosen in places]),
        1e4 * measure_covariance(one, products, places),
        by_language["cluster"].nunique().reindex(list(one.compared)).to_numpy(),
        np.array([len(chosen) for chosen in places]),
    )


def measure_covariance(one: Rights, products: np.ndarray, places: Sequence[np.ndarray]) -> np.ndarray:
    """(K - 1, L, L): covariance over the examples of each language of the means of two of the pairs in `products`
    (pairs, K - 1, N), of each with each other; of the one pair where there is one.

    What varies is a cluster of examples: in a parallel task one over all languages, else one of its language, and then
    languages vary apart. NaN with fewer than two clusters.
    """
    names, codes = np.unique(one.items["cluster"], return_inverse=True)
    num_pairs, num_arms = products.shape[:2]
    totals = np.zeros((len(places), len(names), num_pairs, num_arms))
    for language, chosen in enumerate(places):
        centred = products[..., chosen] - products[..., chosen].mean(axis=-1, keepdims=True)
        np.add.at(totals[language], codes[chosen], np.moveaxis(centred, -1, 0) / len(chosen))
    counts = np.array([len(np.unique(codes[chosen])) for chosen in places], dtype=float)
    share = np.sqrt(np.divide(counts, counts - 1, out=np.full(len(places), np.nan), where=counts > 1))
    totals *= share[:, None, None, None]
    whole = totals.sum(axis=2)
    covariance = np.einsum("lck,mck->klm", whole, whole, optimize=True)
    if num_pairs > 1:
        covariance -= np.einsum("lcpk,mcpk->klm", totals, totals, optimize=True)
        covariance /= num_pairs * (num_pairs - 1)
    return covariance if TASKS[one.target].joint else covariance * np.eye(len(places))


def compare_flips(counts: FlipCounts, chosen: np.ndarray) -> pd.DataFrame:
    """The numbers of `flip_table` in these languages, a mask (L,): a row per arm after the baseline."""
    numbers = {
        name: getattr(counts, name)[chosen].mean(axis=0) for name in ("right", "lost", "won", "across", "by_seed")
    }
    numbers |= dict(flips=numbers["lost"] + numbers["won"], num_languages=int(chosen.sum()))
    numbers["num_items"] = int(counts.num_items[chosen].sum())
    over_items = np.maximum(0.0, counts.covariance[:, chosen][:, :, chosen].mean(axis=(1, 2)))
    df = max(1.0, counts.num_clusters[chosen].min() - 1.0)
    repeated = infer_repeated(counts.by_pair[chosen].mean(axis=0), over_items, df, len(counts.rights.seeds))
    return pd.DataFrame(numbers | repeated)


def infer_repeated(by_pair: np.ndarray, over_items: np.ndarray, item_df: float, num_seeds: int) -> dict:
    """`repeated`, its interval and p, each (K - 1,), and their kind, from `by_pair` (K - 1, pairs) and the variance
    over examples (K - 1,) with its degrees of freedom: see the head of this module."""
    if num_seeds < 2:
        return dict(kind=ONE_SEED)
    value, nothing = by_pair.mean(axis=1), np.zeros(len(by_pair))
    p, kind, variances, dfs = nothing * np.nan, ITEMS_ONLY, (nothing, over_items), (1.0, np.inf)
    if num_seeds > 2:
        over_seeds, df = pool_trained(take_out_seeds(by_pair, num_seeds))
        variances, dfs, kind = (nothing + over_seeds / num_seeds, over_items), (max(1.0, df), item_df), SEEDS_AND_ITEMS
        p = tail(value, variances, dfs)
    half = quantile(0.95, variances, dfs)
    return dict(repeated=value, low=value - half, high=value + half, p=p, kind=kind)


def take_out_seeds(by_pair: np.ndarray, num_seeds: int) -> np.ndarray:
    """(S, K - 1): the jackknife's pseudo-values over seeds of the means of `by_pair` (K - 1, pairs), less these."""
    has = np.stack(np.triu_indices(num_seeds, 1))[:, None] == np.arange(num_seeds)[:, None]  # (2, S, pairs)
    of_seed = has.any(axis=0) @ by_pair.T / (num_seeds - 1)
    return 2 * (num_seeds - 1) / (num_seeds - 2) * (of_seed - by_pair.mean(axis=1))


def flip_table(rights: Sequence[Rights]) -> pd.DataFrame:
    """One row per encoder, target and arm, over the languages above their floor that the arm was not trained in.

    Per 100 examples, means over languages and seeds: `right` (in the baseline), `lost` (right in the baseline, wrong in
    the arm of the same seed), `won`, `flips` (both), `across` (flips between the arm at one seed and the baseline at
    another), `by_seed` (between two seeds of the baseline), `repeated` with its 95 % interval `low, high` (see above),
    `p` and `p_holm` (within encoder and target, placebo arms outside);
    `num_languages, num_items, num_seeds, kind` of interval, `placebo`. What one seed cannot show is missing.
    """
    rows = []
    for counts in map(count_flips, rights):
        masks, found = np.array(list(counts.rights.compared.values())).reshape(-1, len(counts.rights.arms)), {}
        for place, arm in enumerate(counts.rights.arms[1:]):
            chosen = masks[:, place + 1]
            if chosen.any() and chosen.tobytes() not in found:
                found[chosen.tobytes()] = compare_flips(counts, chosen)
            numbers = found[chosen.tobytes()].iloc[place].to_dict() if chosen.any() else {}
            rows.append(describe_arm(counts.rights, arm) | numbers)
    frame = pd.DataFrame(rows).reindex(columns=FLIP_COLUMNS).astype({"placebo": bool})
    return frame.assign(p_holm=adjust_family(frame, CELL))


def describe_arm(one: Rights, arm: str) -> dict:
    """Whose flips a row is about."""
    return dict(
        encoder=one.encoder, target=one.target, intermediate=arm, placebo=is_placebo(arm), num_seeds=len(one.seeds)
    )


def language_flip_table(rights: Sequence[Rights]) -> pd.DataFrame:
    """Exploratory: the columns of `flip_table` without `p_holm`, per language above its floor (`eval_language`)."""
    rows = []
    for counts in map(count_flips, rights):
        for language, (code, new) in enumerate(counts.rights.compared.items()):
            numbers = compare_flips(counts, np.arange(len(counts.right)) == language)
            for place in np.flatnonzero(new[1:]):
                about = describe_arm(counts.rights, counts.rights.arms[place + 1]) | {"eval_language": code}
                rows.append(about | numbers.iloc[place].to_dict())
    columns = [*FLIP_COLUMNS[:3], "eval_language", *FLIP_COLUMNS[3:]]
    return pd.DataFrame(rows).reindex(columns=columns).astype({"placebo": bool}).drop(columns="p_holm")


def firmness_table(rights: Sequence[Rights]) -> pd.DataFrame:
    """Which examples flip: one row per encoder, target, arm and `firmness` (how many seeds of the baseline have the
    example right), over the same languages as `flip_table`; empty with one seed.

    `share` of the examples that are so, `flips` per 100 of them, `share_of_flips`; shares in percent.
    """
    rows = []
    for one in (one for one in rights if len(one.seeds) > 1):
        base, codes = one.right[:, 0], one.items["eval_language"]
        classes = np.select([base.all(axis=0), base.any(axis=0)], FIRMNESS[:2], FIRMNESS[2])
        for place, arm in enumerate(one.arms[1:], start=1):
            chosen = codes.isin([code for code, new in one.compared.items() if new[place]]).to_numpy()
            weights = chosen / codes.map(codes.value_counts()).to_numpy()
            flips = (base != one.right[:, place]).mean(axis=0) * weights
            for name in FIRMNESS if chosen.any() else ():
                there, flipped = weights[classes == name].sum(), flips[classes == name].sum()
                row = dict(firmness=name, share=100 * there / weights.sum(), flips=100 * flipped / (there or np.nan))
                rows.append(describe_arm(one, arm) | row | dict(share_of_flips=100 * flipped / (flips.sum() or np.nan)))
    columns = ["encoder", "target", "intermediate", "placebo", "firmness", "share", "flips", "share_of_flips"]
    return pd.DataFrame(rows).reindex(columns=columns).astype({"placebo": bool})


def checkpoint_table(rights: Sequence[Rights]) -> pd.DataFrame:
    """Two checkpoints against each other, at the first seed: one row per encoder, target, arm and language above its
    floor, of the targets whose examples are independent (no two of a language share a cluster).

    `lost` and `won` examples (counts), `p` of McNemar's test that both are equally likely, `p_bh` (Benjamini-Hochberg
    within encoder and target, placebo arms outside), `num_items`. It speaks of these two checkpoints: another seed
    would flip other examples.
    """
    rows = []
    for one in rights:
        for code, new in one.compared.items():
            there = (one.items["eval_language"] == code).to_numpy()
            if one.items.loc[there, "cluster"].duplicated().any():
                continue
            base = one.right[0, 0, there]
            for place in np.flatnonzero(new[1:]) + 1:
                arm = one.right[0, place, there]
                counts = dict(lost=int((base & ~arm).sum()), won=int((arm & ~base).sum()), num_items=int(there.sum()))
                rows.append(describe_arm(one, one.arms[place]) | {"eval_language": code} | counts
                            | {"p": mcnemar_test(base, arm)})  # fmt: skip
    columns = "encoder target intermediate placebo eval_language lost won p p_bh num_items".split()
    frame = pd.DataFrame(rows).reindex(columns=columns).astype({"placebo": bool})
    return frame.assign(p_bh=adjust_family(frame, CELL, adjust_benjamini_hochberg))
