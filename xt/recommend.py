"""Which intermediate task for my target and my languages? Per target and group of languages: the task, its gain, its
price.

A task is recommended where its gain over no intermediate task is reliable: its interval, adjusted for all that might
have been picked, lies above 0; among several such tasks the one with the largest gain. Where none is reliable the
advice is to train none. Placebos are no candidates, nor are arms trained in other languages, for which the question
is another one.

With all languages together the family is the candidates of an encoder and target; in the other groups, candidates times
groups. The intervals are Bonferroni's, so they hold for whichever arm is picked. The estimate of the largest gain does
not: the best of many looks better than it is.

What the advice may miss is read off intervals too: by how much the truly best of the candidates and none is above it,
at most (multiple comparisons with the best, Hsu 1981: intervals of all others against one hold for it without knowing
which is the best). No difference is claimed but by such a limit below the margin `target gain` of data/margins.csv.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import find_arm
from xt.distances import load_distances
from xt.exposure import load_exposure
from xt.gains import BASELINE, Means, ScoreCube, average_languages, compare_means, load_cubes, trains_on_same_data, turn
from xt.languages import LANGUAGES, get_language, sort_languages
from xt.margins import margin_of
from xt.reported import select_encoder
from xt.results import RUN_COLUMNS, find_scores, load_runs
from xt.stats import NUM_RESAMPLES

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
UNTESTED = "not tested"
"""In place of an advice: fewer than three seeds tell no reliable gain."""
COLUMNS = (
    "encoder target group advice best gain low high p same_data as_good avoid seconds regret_high num_languages "
    "num_candidates num_tests num_seeds kind"
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


def recommend(cubes: Sequence[ScoreCube], runs: pd.DataFrame, home: str) -> pd.DataFrame:
    """One row per encoder, target and group of languages with one above its floor (COLUMNS): points, means over
    languages.

    `advice`: the arm to train first, `none`, or UNTESTED. `gain` with its adjusted interval (`low`, `high`) and p: of
    `best`, which is the advice, or, where that is no arm, the candidate with the largest gain. `regret_high`: by how
    much the best of candidates and none is above the advice, at most (95 %). `as_good`: other candidates that
    reliably gain and of which that limit is below the margin; `avoid`: those that reliably lose. `seconds`: what
    training the advice took, mean over its `runs` (the study's index)."""
    rows = []
    for cube in cubes:
        table = describe_languages(cube.encoder, cube.languages, home)
        places = [place for place, arm in enumerate(cube.arms) if is_candidate(arm)]
        groups = {name: group(table).to_numpy(bool) & ~cube.at_floor for name, group in GROUPS.items()}
        groups = {name: mask for name, mask in groups.items() if mask.any() and places}
        for name, mask in groups.items():
            num_tests = len(places) * (1 if name == WHOLE else len(groups) - 1)
            row = advise(cube, mask, [cube.arms[place] for place in places], num_tests)
            seconds = training_seconds(runs, cube.encoder, row["advice"])
            rows.append(dict(encoder=cube.encoder, target=cube.target, group=name, seconds=seconds) | row)
    return pd.DataFrame(rows, columns=COLUMNS)


def advise(cube: ScoreCube, languages: np.ndarray, arms: Sequence[str], num_tests: int) -> dict:
    """What `recommend` says of one cube on a mask of languages; `arms` are the candidates."""
    means, level = average_languages(cube, languages), 1 - LEVEL / num_tests
    found = compare_candidates(means, BASELINE, arms, level)
    tested = found["p"].notna().all()
    reliable, losing = (found.index[tested & side] for side in (found["low"] > 0, found["high"] < 0))
    best = found.loc[reliable if len(reliable) else found.index, "gain"].idxmax()
    advice = (best if len(reliable) else BASELINE) if tested else UNTESTED
    missed = {arm: limit_regret(means, arm, arms, found, level) for arm in reliable}
    as_good = [arm for arm in reliable if arm != best and missed[arm] < margin_of("target gain")]
    return dict(
        advice=advice, best=best, gain=found["gain"][best], low=found["low"][best], high=found["high"][best],
        p=np.minimum(1, num_tests * found["p"][best]), same_data=trains_on_same_data(best, cube.target),
        as_good=", ".join(as_good), avoid=", ".join(losing), num_languages=int(languages.sum()),
        regret_high=missed.get(advice, max(0.0, found["high"].max()) if tested else np.nan),
        num_candidates=len(arms), num_tests=num_tests, num_seeds=len(cube.seeds), kind=found["kind"].iloc[0],
    )  # fmt: skip


def compare_candidates(means: Means, against: str, arms: Sequence[str], level: float) -> pd.DataFrame:
    """`gain, low, high, p, kind` of these arms (index) over one arm, with intervals at this level."""
    turned = turn(means, next(arm for arm in arms if arm != against), against)
    test = compare_means(turned)
    low, high = test.limits(level)
    table = pd.DataFrame(dict(gain=test.gain, low=low, high=high, p=test.p, kind=test.kind), index=turned.arms[1:])
    return table.loc[[arm for arm in arms if arm != against]]


def limit_regret(means: Means, arm: str, arms: Sequence[str], gains: pd.DataFrame, level: float) -> float:
    """By how much the best of these arms and none is above one of them, at most; `gains`: of all over none."""
    others = compare_candidates(means, arm, arms, level)["high"] if len(arms) > 1 else pd.Series(dtype=float)
    return max(0.0, -gains["low"][arm], *others)


def training_seconds(runs: pd.DataFrame, encoder: str, arm: str) -> float:
    """Seconds that the intermediate training of an arm took, mean over its runs; 0 for none, NaN where there is no such
    run (imported scores, or no advice)."""
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
    return Advice(recommend(cubes, runs, home), groups, sorted(set(trained["device"])))
