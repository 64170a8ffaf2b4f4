"""Which intermediate task for my target and my languages? Per target and group of languages: the task, its gain, its
price.

A task is recommended where its gain over no intermediate task is reliable: its interval, adjusted for all that might
have been picked, lies above 0; among several such tasks the one with the largest gain. Where none is reliable the
advice is to train none. Placebos are no candidates, nor are arms trained in other languages, for which the question
is another one.

With all languages together the family is the candidates of an encoder and target; in the other groups, candidates times
groups. The intervals are Bonferroni's, so they hold for whichever arm is picked. The estimate of the largest gain does
not: the best of many looks better than it is. `gain_corrected` is less that, as far as resamples show it
(`xt.choosing.choose`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import find_arm
from xt.choosing import Scores, choose, draw_seeds
from xt.contrasts import turn
from xt.distances import load_distances
from xt.exposure import load_exposure
from xt.gains import (
    BASELINE,
    Means,
    ScoreCube,
    average_languages,
    compare_means,
    load_cubes,
    trains_on_same_data,
)
from xt.languages import LANGUAGES, get_language, sort_languages
from xt.reported import select_encoder
from xt.results import RUN_COLUMNS, find_scores, load_runs
from xt.stats import ITEMS_ONLY, NUM_RESAMPLES, GainTest
from xt.stats.behrens_fisher import quantile

LEVEL = 0.05
LITTLE = 0.1
"""A language with a smaller share of the training language's text in pretraining has little."""
WHOLE = "all"
"""The group of all languages: the primary family."""

GROUPS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    WHOLE: lambda table: pd.Series(True, index=table.index),
    "near": lambda table: table["distance"] <= table["median"],
    "far": lambda table: table["distance"] > table["median"],
    "same script": lambda table: table["same_script"],
    "other script": lambda table: ~table["same_script"],
    "much text": lambda table: table["share"] >= LITTLE,
    "little text": lambda table: (table["share"] > 0) & (table["share"] < LITTLE),
    "unseen": lambda table: table["share"] == 0,
}
"""Group of languages -> which rows of `describe_languages` belong to it. A language can be in several."""
COLUMNS = (
    "encoder target group advice best gain low high p gain_corrected same_data as_good avoid seconds regret regret_low "
    "regret_high num_languages num_candidates num_tests num_seeds kind"
).split()
"""Columns of `recommend`."""


@cache
def place_languages() -> pd.DataFrame:
    """Every language by code: `scale` (lab or real), its mean `distance` from the training language, and the `median`
    distance of its scale."""
    table = pd.DataFrame(load_distances(LANGUAGES)).set_index("language")[["scale", "distance"]]
    return table.assign(median=table.groupby("scale")["distance"].transform("median"))


def describe_languages(encoder: str, codes: Sequence[str], home: str) -> pd.DataFrame:
    """One row per language: `distance` and `median` of `place_languages`, `same_script`, and `share`: its text in the
    encoder's pretraining as a share of that of the training language (`home`), NaN where it is not known."""
    read = {row["language"]: row["resource"] for row in load_exposure(encoder, [home, *codes])}
    table = place_languages().loc[list(codes), ["distance", "median"]]
    return table.assign(
        same_script=[get_language(code).script == get_language(home).script for code in codes],
        share=[read[code] / read[home] if read[home] else np.nan for code in codes],
    )


def is_candidate(arm: str) -> bool:
    """Whether one might train an arm first: in the training language, and no placebo."""
    row = find_arm(arm)
    return arm != BASELINE and (row is None or not (row.placebo or row.languages))


def recommend(cubes: Sequence[ScoreCube], runs: pd.DataFrame, home: str, rng: np.random.Generator) -> pd.DataFrame:
    """One row per encoder, target and group of languages with one above its floor (COLUMNS): points, means over
    languages.

    `advice`: the arm to train first, or `none`. `gain` with its adjusted interval (`low`, `high`) and p: of `best`,
    which is the advice, or, where that is `none`, the candidate with the largest gain. `as_good`: other candidates
    that reliably gain and are not reliably worse than the advice; `avoid`: those that reliably lose. `seconds`: what
    training the advice took, mean over its `runs` (the study's index). `regret` with its 95 % interval (`regret_low`,
    `regret_high`): by how much the best of candidates and none is above the advice, luck taken off."""
    rows = []
    for cube in cubes:
        table = describe_languages(cube.encoder, cube.languages, home)
        places = [place for place, arm in enumerate(cube.arms) if is_candidate(arm)]
        groups = {name: group(table).to_numpy(bool) & ~cube.at_floor for name, group in GROUPS.items()}
        groups = {name: mask for name, mask in groups.items() if mask.any() and places}
        for name, mask in groups.items():
            num_tests = len(places) * (1 if name == WHOLE else len(groups) - 1)
            row = advise(cube, mask, places, num_tests, rng)
            seconds = training_seconds(runs, cube.encoder, row["advice"])
            rows.append(dict(encoder=cube.encoder, target=cube.target, group=name, seconds=seconds) | row)
    return pd.DataFrame(rows, columns=COLUMNS)


def advise(
    cube: ScoreCube, languages: np.ndarray, places: Sequence[int], num_tests: int, rng: np.random.Generator
) -> dict:
    """What `recommend` says of one cube on a mask of languages; `places` are those of the candidates."""
    level, others = 1 - LEVEL / num_tests, np.array(places) - 1
    means = average_languages(cube, languages)
    test = compare_means(means)
    lows, highs = adjust_limits(test, means, level)
    known = np.isfinite(test.p[others])  # fewer than three seeds say nothing reliable
    reliable, losing = others[known & (lows[others] > 0)], others[known & (highs[others] < 0)]
    pool = reliable if len(reliable) else others
    best = int(pool[np.argmax(test.gain[pool])])
    advice = best + 1 if len(reliable) else 0
    as_good = [place for place in reliable if place != best and not is_worse(means, place + 1, advice, level)]
    return dict(
        advice=cube.arms[advice], best=cube.arms[best + 1], gain=test.gain[best], low=lows[best],
        high=highs[best], p=float(np.minimum(1, num_tests * test.p[best])),
        same_data=trains_on_same_data(cube.arms[best + 1], cube.target),
        as_good=name_arms(cube, as_good), avoid=name_arms(cube, losing), num_languages=int(languages.sum()),
        num_candidates=len(places), num_tests=num_tests, num_seeds=len(cube.seeds), kind=test.kind,
    ) | take_off_luck(cube, languages, places, advice, float(test.gain[best]), rng)  # fmt: skip


def name_arms(cube: ScoreCube, places: Sequence[int]) -> str:
    """The arms behind the baseline at these places, as `squad, multi`."""
    return ", ".join(cube.arms[place + 1] for place in places)


def adjust_limits(test: GainTest, means: Means, level: float) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (K - 1,): the test's intervals at another level."""
    over_items = test.item_error**2
    item_df = np.inf if test.kind == ITEMS_ONLY else means.num_clusters - 1
    parts = test.standard_error**2 - over_items, over_items
    half = quantile(level, parts, (max(1.0, float(test.seed_df)), item_df))
    return test.gain - half, test.gain + half


def is_worse(means: Means, place: int, advice: int, level: float) -> bool:
    """Whether the arm at a place is reliably below the advised one."""
    turned = turn(means, means.arms[place], means.arms[advice])
    return bool(adjust_limits(compare_means(turned), turned, level)[1][0] < 0)


def take_off_luck(
    cube: ScoreCube, languages: np.ndarray, places: Sequence[int], advice: int, gain: float, rng: np.random.Generator
) -> dict[str, float]:
    """`gain_corrected` and `regret` with its interval; missing where the items are not known.

    `xt.choosing.choose` is asked twice: what the largest of the candidates owes to luck, and what the best of
    candidates and none is above a choice that every sample makes alike."""
    if cube.resampled is None:
        return dict.fromkeys(["gain_corrected", "regret", "regret_low", "regret_high"], np.nan)
    shown = Scores(cube.points[..., languages].mean(axis=-1), cube.resampled[..., languages].mean(axis=-1))
    fixed = np.zeros(len(cube.arms))
    fixed[advice] = 1.0
    always = Scores(np.broadcast_to(fixed, shown.points.shape), np.broadcast_to(fixed, shown.resampled.shape))
    weights = draw_seeds(len(cube.seeds), len(shown.resampled), rng)
    largest, chosen = (choose(always, shown, allowed, weights) for allowed in (list(places), [0, *places]))
    regret = {name: chosen[name] for name in ("regret", "regret_low", "regret_high")}
    return dict(gain_corrected=gain - (largest["oracle_seen"] - largest["oracle_score"])) | regret


def training_seconds(runs: pd.DataFrame, encoder: str, arm: str) -> float:
    """Seconds that the intermediate training of an arm took, mean over its runs; 0 for none, NaN where there is no such
    run (imported scores)."""
    if arm == BASELINE:
        return 0.0
    trained = runs[(runs["phase"] == "intermediate") & (runs["encoder"] == encoder) & (runs["intermediate"] == arm)]
    return float(trained["seconds"].astype(float).mean())


@dataclass(frozen=True)
class Advice:
    """What a study's results advise."""

    table: pd.DataFrame
    """See `recommend`."""
    groups: dict[str, list[str]]
    """Group -> its languages."""
    devices: list[str]
    """The machines that the training times are of."""


def read_advice(
    study: str,
    rng: np.random.Generator,
    encoder: str = "",
    results: Path | None = None,
    num_resamples: int = NUM_RESAMPLES,
) -> Advice:
    """`recommend` on a study's results, empty where there are none; `encoder`: whose; default: the study's first."""
    scores, lacking = find_scores(study, results)
    scores = select_encoder(scores, study, encoder)
    runs = pd.DataFrame(columns=RUN_COLUMNS) if lacking else load_runs(study, results)
    cubes = load_cubes(scores, rng, results, num_resamples, min_seeds=1)
    if not cubes:
        return Advice(pd.DataFrame(columns=COLUMNS), {}, [])
    home = scores["train_language"].dropna().mode()[0]
    codes = sort_languages({code for cube in cubes for code in cube.languages})
    described = describe_languages(cubes[0].encoder, codes, home)
    groups = {name: list(described.index[group(described)]) for name, group in GROUPS.items()}
    trained = runs[(runs["phase"] == "intermediate") & (runs["encoder"] == cubes[0].encoder)]
    return Advice(recommend(cubes, runs, home, rng), groups, sorted(set(trained["device"])))
