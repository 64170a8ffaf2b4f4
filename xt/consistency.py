"""Whether the same items are right in all languages, where a task has the same items in all of them.

Predictions themselves are not among the committed statistics; what is compared is which items are right. Two languages
agree by Cohen's kappa of their items: 100 where the same items are right in both, 0 where as many are right in both as
if they had nothing to do with each other. Two seeds of one language stand beside them, by the same measure.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xt.flips import Rights, describe_arm
from xt.stats import adjust_family, cluster_bootstrap, gain_test, item_part
from xt.tasks import TASKS

KEPT_COLUMNS = "encoder target intermediate placebo eval_language right kept again kappa num_seeds".split()
"""Columns of `kept_table`."""
AGREEMENT_COLUMNS = (
    "encoder target intermediate placebo kappa seed_kappa change low high p p_holm num_languages num_undefined "
    "num_seeds kind"
).split()
"""Columns of `agreement_table`."""


def select_parallel(rights: Sequence[Rights]) -> list[Rights]:
    """Those whose items have the same id in all languages."""
    return [one for one in rights if TASKS[one.target].joint]


def spread_items(one: Rights, codes: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(right (S, K, I, L), there (I, L), clusters (I,)) of the I items that any of these L languages has."""
    items = one.items[one.items["eval_language"].isin(codes)]
    names, rows = np.unique(items["id"], return_inverse=True)
    columns = items["eval_language"].map({code: place for place, code in enumerate(codes)}).to_numpy()
    there = np.zeros((len(names), len(codes)), bool)
    right = np.zeros((*one.right.shape[:2], *there.shape), bool)
    clusters = np.empty(len(names), dtype=object)
    there[rows, columns], clusters[rows] = True, items["cluster"]
    right[..., rows, columns] = one.right[..., items.index]
    return right, there, clusters


def count_pairs(right: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(I, pairs of languages, 4) per item: shared, right in the first, right in the second, right in both."""
    first, second = np.triu_indices(there.shape[1], 1)
    shared = there[:, first] & there[:, second]
    one, other = right[:, first] & shared, right[:, second] & shared
    return np.stack([shared, one, other, one & other], axis=-1)


def reduce_kappa(sums: np.ndarray) -> np.ndarray:
    """(..., 4) sums of (shared, right in one, right in the other, right in both) -> 100 times Cohen's kappa (1960).

    NaN where none is shared, and where chance alone would always agree: all items right in both, or none.
    """
    shared, one, other, both = np.moveaxis(np.asarray(sums, dtype=float), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = (shared - one - other + 2 * both) / shared
        chance = (one * other + (shared - one) * (shared - other)) / shared**2
        return np.where(chance < 1, 100 * (seen - chance) / (1 - chance), np.nan)


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=-1)
    return np.divide(
        np.where(known, values, 0).sum(axis=-1), counts, out=np.full(counts.shape, np.nan), where=counts > 0
    )


def agreement_table(rights: Sequence[Rights], rng: np.random.Generator, num_resamples: int = 300) -> pd.DataFrame:
    """One row per encoder, target with the same items in several languages, and arm (the baseline too), over the
    languages above their floor that no arm was trained in, and the training language where it was scored.

    `kappa`: agreement of two languages, mean over pairs of languages and over seeds, times 100; `seed_kappa`: that of
    two seeds of one language; `change`: kappa less that of the same seed's baseline, with the primary test of gains
    (`low, high, p`, `p_holm` within encoder and target, placebo arms outside); `num_languages`; `num_undefined`: pairs
    of languages without a kappa, over all seeds, left out of the means; `num_seeds`, `kind` of interval. Missing where
    fewer than two languages are left.
    """
    frames = [compare_agreement(one, rng, num_resamples) for one in select_parallel(rights)]
    return (
        pd.concat(frames or [pd.DataFrame()], ignore_index=True)
        .reindex(columns=AGREEMENT_COLUMNS)
        .astype({"placebo": bool})
    )


def compare_agreement(one: Rights, rng: np.random.Generator, num_resamples: int) -> pd.DataFrame:
    """The rows of `agreement_table` of one encoder and target."""
    codes = [one.train_language] * bool(one.train_language) + [code for code, new in one.compared.items() if new.all()]
    frame = pd.DataFrame([describe_arm(one, arm) for arm in one.arms]).assign(num_languages=len(codes))
    if len(codes) < 2:
        return frame
    right, there, clusters = spread_items(one, codes)
    draw, runs = int(rng.integers(2**32)), [(seed, arm) for seed in range(len(right)) for arm in range(len(one.arms))]
    points, resampled = np.full(right.shape[:2], np.nan), np.full((num_resamples, *right.shape[:2]), np.nan)
    undefined = np.zeros(len(one.arms), int)
    for run in runs:
        pairs = count_pairs(right[run], there)
        kappas = reduce_kappa(pairs.sum(axis=0))
        points[run], undefined[run[1]] = mean_of_known(kappas), undefined[run[1]] + np.isnan(kappas).sum()
        drawn = cluster_bootstrap(pairs, clusters, reduce_kappa, np.random.default_rng(draw), num_resamples)
        resampled[:, *run] = mean_of_known(drawn)
    num_clusters = len(np.unique(clusters.astype(str)))
    frame = frame.assign(kappa=points.mean(axis=0), num_undefined=undefined, seed_kappa=compare_seeds(right, there))
    return (
        frame.merge(infer_changes(one, points, resampled, num_clusters), how="left")
        if np.isfinite(points).all()
        else frame
    )


def compare_seeds(right: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(K,) kappa of two seeds of one language, mean over languages and pairs of seeds; NaN with one seed."""
    first, second = np.triu_indices(len(right), 1)
    if not len(first):
        return np.full(right.shape[1], np.nan)
    one, other = right[first], right[second]  # (pairs of seeds, K, I, L)
    sums = np.stack([np.broadcast_to(there, one.shape), one, other, one & other], axis=-1).sum(axis=2)
    return mean_of_known(reduce_kappa(sums).transpose(1, 0, 2).reshape(right.shape[1], -1))


def infer_changes(one: Rights, points: np.ndarray, resampled: np.ndarray, num_clusters: int) -> pd.DataFrame:
    """Changes of kappa (S, K), resampled (R, S, K), against the baseline by the primary test, a row per arm."""
    over_items, item_df = item_part(resampled[..., 1:] - resampled[..., :1], num_clusters)
    test = gain_test(points, over_items, item_df=item_df)
    frame = pd.DataFrame([describe_arm(one, arm) for arm in one.arms[1:]])
    frame = frame.assign(change=test.gain, low=test.low, high=test.high, p=test.p, kind=test.kind)
    return frame.assign(p_holm=adjust_family(frame, ["target"]))


def kept_table(rights: Sequence[Rights]) -> pd.DataFrame:
    """What is kept of the training language: one row per encoder, target, arm (the baseline too) and language above its
    floor that the arm was not trained in; empty where the training language was not scored.

    In percent, means over seeds: `right` in the language, of the items it shares with the training language; `kept`:
    right in the language, of those that are right in the training language; `again`: right in the training language at
    another seed, of those; `kappa` of the two languages, times 100. Where `kept` is no more than `right`, one language
    says nothing of the other.
    """
    rows = []
    for one in (one for one in select_parallel(rights) if one.train_language):
        codes = [one.train_language, *one.compared]
        right, there, _ = spread_items(one, codes)
        first, second = np.triu_indices(len(one.seeds), 1)
        for place, arm in enumerate(one.arms):
            base = right[:, place, :, 0]  # (S, I)
            both, mean = (
                (base[first] & base[second]).sum(axis=1),
                (base[first].sum(axis=1) + base[second].sum(axis=1)) / 2,
            )
            again = np.divide(both, mean, out=np.full(len(both), np.nan), where=mean > 0)
            for column, (code, new) in enumerate(one.compared.items(), start=1):
                shared = there[:, 0] & there[:, column]
                if new[place] and shared.any():
                    rows.append(describe_arm(one, arm) | {"eval_language": code}
                                | compare_with(base[:, shared], right[:, place, shared, column])
                                | {"again": 100 * again.mean() if len(again) else np.nan})  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=KEPT_COLUMNS).astype({"placebo": bool})


def compare_with(base: np.ndarray, other: np.ndarray) -> dict:
    """`right, kept, kappa` of shared items, right in the training language and in another, each (S, I)."""
    sums = np.stack([np.ones_like(base), base, other, base & other], axis=-1).sum(axis=1)
    with np.errstate(invalid="ignore"):
        kept = 100 * sums[:, 3] / sums[:, 1]
    return dict(
        right=100 * other.mean(), kept=float(mean_of_known(kept)), kappa=float(mean_of_known(reduce_kappa(sums)))
    )
