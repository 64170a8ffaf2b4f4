"""Is what an intermediate task gains smaller in a larger encoder?

Encoders are compared that differ in size alone: the same recipe (text, tokens, tokenizer) or the same release. The unit
is a pretrained encoder, an instance: what one pretraining with another seed would change is all that tells chance from
size, so an instance counts once, however many seeds it was fine-tuned with. Size is parameters besides embeddings.

A gain is given in points and relatively, as a share of the baseline's score and of the error that the baseline leaves.
A larger encoder has a higher baseline, so the same points are a smaller share of its score and a larger share of its
error: the two bracket what `relative` may mean, and a conclusion that only one of them bears is none. Relative gains
are ratios of means over languages and targets, not means of ratios, in which a score near 0 would count most. Scores
count from 0: what a trivial answer gets is in the baseline's.

Gains are means over the languages that are, in every instance, above their floor and below the ceiling, the same for
all: at the floor nothing can be gained yet, at the ceiling nothing any more, and either would look like an effect of
size. A target with fewer than MIN_LANGUAGES of them is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.errors import DataError
from xt.exposure import encoder_size
from xt.gains import (
    ALL,
    BASELINE,
    MIN_LANGUAGES,
    Means,
    ScoreCube,
    average_targets,
    draws_by_target,
    is_placebo,
    load_cube,
)
from xt.recipes import find_recipe
from xt.reported import select_complete, select_primary
from xt.stats import adjust_benjamini_hochberg, adjust_family, adjust_holm
from xt.stats.trend import fit_trend

CEILING = 95.0
"""Points; a cell whose mean over arms is higher has less than 5 to gain."""
RELEASES: Mapping[str, str] = {
    "xlm-roberta-base": "XLM-R", "xlm-roberta-large": "XLM-R", "xlm-roberta-xl": "XLM-R", "xlm-roberta-xxl": "XLM-R",
    "roberta-base": "RoBERTa", "roberta-large": "RoBERTa",
}  # fmt: skip
"""Encoder of the hub, without its owner -> what it was released as; the sizes of a release share text and tokens."""
POINTS = "points"
OF_BASELINE, OF_ERROR = "of the baseline's score", "of the remaining error"
MEASURES: Mapping[str, tuple[float, float]] = {POINTS: (0, 100), OF_BASELINE: (1, 0), OF_ERROR: (-1, 100)}
"""Measure of a gain -> (a, c): 100 * gain / (a * baseline + c), in points or per cent."""


@dataclass(frozen=True, slots=True)
class SizeScores:
    """What n encoders score on one target, or on several together, from the smallest to the largest."""

    target: str
    """Target task, or ALL."""
    encoders: tuple[str, ...]
    """The n encoders."""
    arms: tuple[str, ...]
    """K arms, the baseline first, those that all encoders have."""
    points: np.ndarray
    """(n, K) points, mean over languages and seeds."""
    resampled: np.ndarray | None
    """(R, n, K) under resampling of items, drawn alike for all encoders; None where they are unknown."""
    num_clusters: float
    """Clusters of the language that has fewest; infinite where items are not known."""


def family_of(encoder: str) -> str:
    """What encoders that differ in size alone share; '' for an encoder of which that is not known."""
    found = find_recipe(encoder)
    if found:
        return repr(replace(found[0], hidden_size=0, num_layers=0, num_heads=0, note=""))
    return RELEASES.get(encoder.split("/")[-1], "")


def size_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per encoder of the family with most sizes (then most scores): `encoder`, `size` (parameters besides
    embeddings), smallest first, and `compared`: not where it lacks a target and arm that more than half of them have,
    such as an encoder whose runs have only begun. Empty where no size is known."""
    table = scores.groupby("encoder").size().rename("scores").reset_index()
    table = table.assign(family=table["encoder"].map(family_of), size=table["encoder"].map(encoder_size).astype(float))
    table = table[table["size"].notna() & (table["family"] != "")]
    counts = table.groupby("family").agg(sizes=("size", "nunique"), scores=("scores", "sum"))
    chosen = table[table["family"] == counts.sort_values(["sizes", "scores"]).index[-1]] if len(counts) else table
    cells = scores[scores["encoder"].isin(chosen["encoder"])].drop_duplicates(["encoder", "target", "intermediate"])
    shared = cells.groupby(["target", "intermediate"])["encoder"].transform("size") > len(chosen) / 2
    counts = cells[shared].groupby("encoder").size()
    compared = chosen["encoder"].map(counts).fillna(0) == len(cells[shared].drop_duplicates(["target", "intermediate"]))
    table = chosen.assign(compared=compared & shared.any()).sort_values(["size", "encoder"])
    return table[["encoder", "size", "compared"]].reset_index(drop=True)


def load_alike(
    scores: pd.DataFrame, encoders: Sequence[str], rng: np.random.Generator, results: Path | str | None = None
) -> dict[str, list[ScoreCube]]:
    """Target -> a cube of each encoder, in this order: the same arms, and the same resamples of the same items.

    Targets and arms are those of `select_alike`, each target with a baseline; `list_apart` says what these leave out.
    Raises DataError where the encoders were not scored in the same languages, on the same number of item clusters.
    """
    rows, draws = select_primary(scores[scores["encoder"].isin(encoders)]), draws_by_target(rng)
    cubes = {}
    for target in dict.fromkeys(rows["target"]):
        there = select_alike(rows[rows["target"] == target], encoders)
        if {BASELINE} < set(there["intermediate"]):
            each = [there[there["encoder"] == encoder] for encoder in encoders]
            cubes[target] = [load_cube(own, draws(target), results) for own in each]
            check_alike(cubes[target])
    return cubes


def select_alike(rows: pd.DataFrame, encoders: Sequence[str]) -> pd.DataFrame:
    """The primary rows of one target in the arms that every encoder has in its complete table (`select_complete`), each
    encoder at its own seeds: an arm that one of them has not finished is left out of all, which may free seeds."""
    arms, kept = None, rows
    while True:
        counts = kept.groupby("intermediate")["encoder"].nunique()
        common = set(counts.index[counts == len(encoders)])
        if common == arms:
            return kept
        arms, kept = common, select_complete(rows[rows["intermediate"].isin(common)])


def list_apart(scores: pd.DataFrame, encoders: Sequence[str], cubes: Mapping[str, Sequence[ScoreCube]]) -> pd.DataFrame:
    """One row per target and arm of these encoders that is in none of `cubes` (of `load_alike`): `target,
    intermediate`, and `begun`: whether every encoder has a run of it."""
    keys = ["target", "intermediate"]
    rows = select_primary(scores[scores["encoder"].isin(encoders)])
    begun = rows.groupby(keys, sort=False)["encoder"].nunique() == len(encoders)
    kept = [(target, arm) for target, parts in cubes.items() for arm in parts[0].arms]
    return begun[~begun.index.isin(kept)].rename("begun").reset_index()


def load_sizes(
    scores: pd.DataFrame, rng: np.random.Generator, results: Path | str | None = None
) -> tuple[pd.DataFrame, dict[str, list[ScoreCube]]]:
    """(`size_table`, the cubes of the encoders that it compares, `load_alike`); no cubes where these have one size."""
    sizes = size_table(scores)
    compared = sizes[sizes["compared"]]
    several = compared["size"].nunique() > 1
    return sizes, load_alike(scores, list(compared["encoder"]), rng, results) if several else {}


def check_alike(cubes: Sequence[ScoreCube]) -> None:
    """Raises DataError where cubes differ in arms, in languages, or in the number of item clusters of one."""
    first = cubes[0]
    for cube in cubes[1:]:
        same = (cube.arms, cube.languages) == (first.arms, first.languages)
        if not same or not np.array_equal(first.num_clusters, cube.num_clusters):
            raise DataError(
                f"{cube.target}: {cube.encoder} was scored after other arms, in other languages or on other examples "
                f"than {first.encoder}; allowed: the same arms and evaluation data"
            )


def flag_cells(cubes: Mapping[str, Sequence[ScoreCube]]) -> pd.DataFrame:
    """One row per target, encoder and language: `score` (mean over arms and seeds), `at_floor`, `at_ceiling`, and
    `compared`: neither in any encoder."""
    tables = [pd.DataFrame(columns="target encoder eval_language score at_floor at_ceiling".split())]
    for target, parts in cubes.items():
        for cube in parts:
            score = cube.points.mean(axis=(0, 1))
            cells = dict(target=target, encoder=cube.encoder, eval_language=cube.languages, score=score)
            tables.append(pd.DataFrame(cells | dict(at_floor=cube.at_floor, at_ceiling=score > CEILING)))
    table = pd.concat(tables[1:] or tables, ignore_index=True)
    flagged = (table["at_floor"] | table["at_ceiling"]).groupby([table["target"], table["eval_language"]])
    return table.assign(compared=~flagged.transform("any"))


def compared_languages(cubes: Sequence[ScoreCube]) -> np.ndarray:
    """Mask (L,) of the languages that are neither at their floor nor at the ceiling in any encoder, and that no arm was
    trained in."""
    flagged = [
        cube.at_floor | (cube.points.mean(axis=(0, 1)) > CEILING) | ~cube.zero_shot.all(axis=0) for cube in cubes
    ]
    return ~np.any(flagged, axis=0)


def express(scores: np.ndarray, factor: float, constant: float) -> np.ndarray:
    """Gains (..., K - 1) of scores (..., K) as a measure; NaN where what is divided by is not positive."""
    baseline = scores[..., :1]
    divisor = factor * baseline + constant
    return 100 * (scores[..., 1:] - baseline) / np.where(divisor > 0, divisor, np.nan)


def stack_encoders(target: str, encoders: Sequence[str], means: Sequence[Means]) -> SizeScores:
    """The means of n encoders in one array, averaged over each one's seeds."""
    drawn = None
    if all(part.resampled is not None for part in means):
        drawn = np.stack([part.resampled.mean(axis=1) for part in means], axis=1)
    points = np.array([part.points.mean(axis=0) for part in means])
    return SizeScores(target, tuple(encoders), means[0].arms, points, drawn, min(part.num_clusters for part in means))


def scores_by_size(cubes: Mapping[str, Sequence[ScoreCube]]) -> list[SizeScores]:
    """The mean over targets, then each target, of those with MIN_LANGUAGES languages to compare."""
    masks = {target: compared_languages(found) for target, found in cubes.items()}
    return average_sizes(cubes, {target: mask for target, mask in masks.items() if mask.sum() >= MIN_LANGUAGES})


def average_sizes(cubes: Mapping[str, Sequence[ScoreCube]], languages: Mapping[str, np.ndarray]) -> list[SizeScores]:
    """The mean over targets, ALL, then each target that has languages: masks (L,), or weights as `average_targets`
    takes them."""
    return [
        stack_encoders(
            name,
            [cube.encoder for cube in cubes[targets[0]]],
            [average_targets(parts, [languages[target] for target in targets])
             for parts in zip(*(cubes[target] for target in targets), strict=True)],
        )
        for name, targets in ({ALL: list(languages)} | {target: [target] for target in languages}).items()
        if targets
    ]  # fmt: skip


def tabulate_sizes(parts: Sequence[SizeScores]) -> pd.DataFrame:
    """One row per target, arm, encoder and measure: `size`, `baseline` (points), `value` (points or per cent)."""
    rows = [
        dict(target=part.target, intermediate=arm, encoder=encoder, size=encoder_size(encoder), measure=measure,
             baseline=scores[0], value=value)
        for part in parts
        for measure, rule in MEASURES.items()
        for encoder, scores in zip(part.encoders, part.points, strict=True)
        for arm, value in zip(part.arms[1:], express(scores, *rule), strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns="target intermediate encoder size measure baseline value".split())


TREND_COLUMNS = (
    "target intermediate placebo measure slope low high p p_adjusted df num_encoders num_sizes smallest largest kind"
).split()


def trend_table(parts: Sequence[SizeScores]) -> pd.DataFrame:
    """One row per target, arm and measure (TREND_COLUMNS): the change of the gain with every doubling of size.

    `slope, low, high` in points or per cent; `p` where `df` = encoders less 2 is 5 or more; `p_adjusted` by Holm over
    the arms for the mean over targets, by Benjamini and Hochberg over arms and targets else, placebos left out;
    `smallest`, `largest`: the mean gain of the encoders of that size. Empty where there is one size only.
    """
    rows = []
    for part in parts:
        for measure, rule in MEASURES.items():
            drawn = None if part.resampled is None else express(part.resampled, *rule)
            about = dict(target=part.target, measure=measure)
            rows += describe_trends(part, part.arms[1:], express(part.points, *rule), drawn, about)
    table = pd.DataFrame(rows, columns=TREND_COLUMNS)
    for own, adjust in ((table["target"] == ALL, adjust_holm), (table["target"] != ALL, adjust_benjamini_hochberg)):
        table.loc[own, "p_adjusted"] = adjust_family(table[own], ["measure"], adjust)
    return table


def describe_trends(part: SizeScores, arms: Sequence[str], values, drawn, about: dict) -> list[dict]:
    """A row per arm: the trend over log2 of the encoders' sizes of values (n, arms), drawn (R, n, arms) with the
    items or None; none where all encoders have one size."""
    sizes = np.array([encoder_size(encoder) for encoder in part.encoders], dtype=float)
    counts = dict(num_encoders=len(sizes), num_sizes=len(set(sizes)))
    rows = []
    for place, arm in enumerate(arms if counts["num_sizes"] > 1 else ()):
        own, moved = values[:, place], None if drawn is None else drawn[..., place]
        trend = fit_trend(np.log2(sizes), own, moved, part.num_clusters)
        found = {name: getattr(trend, name) for name in ("slope", "low", "high", "p", "df", "kind")}
        ends = dict(smallest=own[sizes == sizes.min()].mean(), largest=own[sizes == sizes.max()].mean())
        rows.append(about | counts | found | ends | dict(intermediate=arm, placebo=is_placebo(arm)))
    return rows


def mean_by_size(table: pd.DataFrame) -> pd.DataFrame:
    """One row per target, arm, measure and size of `tabulate_sizes`: `value`, the mean over the encoders of that size,
    with its 95 % interval (`low`, `high`), and `num_encoders`.

    The variance over encoders is pooled over the sizes, Student's t with encoders less sizes degrees of freedom. There
    is none where every size has one encoder.
    """
    from scipy.stats import t as student

    rows, keys = [], ["target", "intermediate", "measure"]
    for key, found in table.groupby(keys, sort=False):
        sizes = found.groupby("size")["value"].agg(["mean", "count"])
        df = len(found) - len(sizes)
        squares = ((found["value"] - found["size"].map(sizes["mean"])) ** 2).sum()
        half = student.ppf(0.975, df) * np.sqrt(squares / df / sizes["count"]) if df else np.nan
        shown = pd.DataFrame({"value": sizes["mean"], "low": sizes["mean"] - half, "high": sizes["mean"] + half})
        about = dict(zip(keys, key, strict=True))
        rows.append(shown.assign(num_encoders=sizes["count"], **about).reset_index())
    columns = [*keys, "size", "value", "low", "high", "num_encoders"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)
