"""At equal score, how much cheaper may the model be after intermediate training? Scores against measured costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xt.gains import MIN_LANGUAGES, Means, ScoreCube, average_targets
from xt.scaling import compared_languages

LEVEL = 0.05
COSTS: Mapping[str, str] = {
    "latency": "median ms of one feature at a time",
    "memory": "MiB of the model and its largest batch",
    "parameters": "parameters, embeddings included",
}
"""What may be saved."""


@dataclass(frozen=True)
class Frontier:
    """Scores of E encoders, cheapest first, with K arms, the baseline first."""

    encoders: tuple[str, ...]
    arms: tuple[str, ...]
    points: np.ndarray
    """(E, K) mean scores over languages, targets and seeds."""
    drawn: np.ndarray
    """(R, E, K) the same under what seeds and items may do; NaN below three seeds."""
    targets: tuple[str, ...]


def encoder_costs(costs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per encoder: COSTS, of the arm that others are compared with, the whole encoder run eagerly in float32
    on the texts of the target measured first."""
    timed, process = costs["latencies"], costs["processes"]
    rows = {}
    for encoder, part in timed.groupby("encoder", sort=False):
        whole = part[(part["num_layers"] == part["num_layers"].max()) & (part["backend"] == "eager")]
        whole = whole[(whole["batch_size"] == whole["batch_size"].min()) & (whole["target"] == whole["target"].iloc[0])]
        own = process[(process["encoder"] == encoder) & (process["target"] == whole["target"].iloc[0])]
        own = own[(own["backend"] == "eager") & (own["batch_size"] == own["batch_size"].max())]
        rows[encoder] = {
            "latency": whole["milliseconds"].median(),
            "memory": (own["peak_memory_mib"] - own["base_memory_mib"]).median(),
            "parameters": own["num_parameters"].median(),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COSTS), dtype=float)


def find_frontier(
    cubes: Mapping[str, Sequence[ScoreCube]], costs: pd.Series, rng: np.random.Generator, resamples: int = 2000
) -> Frontier | None:
    """The mean over targets of encoders whose cost is known, cheapest first; None where there are fewer than two.

    `cubes` are those of `xt.scaling.load_alike`. What seeds do is drawn for each encoder from a t distribution with the
    covariance of its seeds, what items do for all encoders together.
    """
    masks = {target: compared_languages(found) for target, found in cubes.items()}
    targets = tuple(target for target, mask in masks.items() if mask.sum() >= MIN_LANGUAGES)
    if not targets:
        return None
    parts = zip(*(cubes[target] for target in targets), strict=True)
    means = {found[0].encoder: average_targets(found, [masks[target] for target in targets]) for found in parts}
    known = [encoder for encoder in costs.sort_values().index if encoder in means]
    if len(known) < 2:
        return None
    points = np.array([means[encoder].points.mean(axis=0) for encoder in known])
    drawn = np.stack([draw_levels(means[encoder], rng, resamples) for encoder in known], axis=1)
    return Frontier(tuple(known), means[known[0]].arms, points, drawn, targets)


def draw_levels(means: Means, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """(R, K) what the mean scores of an encoder's arms might have been; NaN below three seeds, or without items."""
    num_seeds, level = len(means.seeds), means.points.mean(axis=0)
    if num_seeds < 3 or means.resampled is None:
        return np.full((resamples, len(means.arms)), np.nan)
    spread = np.cov(means.points, rowvar=False) / num_seeds
    noise = rng.multivariate_normal(np.zeros(len(level)), spread, resamples)
    scale = np.sqrt((num_seeds - 1) / rng.chisquare(num_seeds - 1, (resamples, 1)))
    items = means.resampled.mean(axis=1)
    return level + noise * scale + (items - items.mean(axis=0))[np.arange(resamples) % len(items)]


def cost_at(costs: np.ndarray, scores: np.ndarray, level: np.ndarray) -> np.ndarray:
    """(R,) the least logarithm of a cost at which a score is reached, between encoders by a straight line.

    `costs` (E,) ascending logarithms, `scores` (R, E) of the encoders, `level` (R,) the score. The cheapest encoder's
    where that is above it already: less was not measured. inf where none reaches it.
    """
    best = np.maximum.accumulate(scores, axis=1)
    reached = best >= level[:, None]
    place = reached.argmax(axis=1)
    row = np.arange(len(best))
    before = np.maximum(place - 1, 0)
    share = (level - best[row, before]) / np.where(place > 0, best[row, place] - best[row, before], 1)
    found = costs[before] + share * (costs[place] - costs[before])
    found = np.where(place == 0, costs[0], found)
    return np.where(reached.any(axis=1), found, np.inf)


SAVING_COLUMNS = ["cost", "encoder", "score", "intermediate", "saved", "low", "high", "most"]


def saving_table(frontiers: Mapping[str, Frontier], costs: pd.DataFrame) -> pd.DataFrame:
    """Per cost (a column of `encoder_costs`), encoder without intermediate training, and arm: how much less a model
    costs that scores as high after that arm.

    `saved` in percent of the encoder's cost, `low` and `high` percentiles over `drawn`; at most `most`, what the
    cheapest encoder saves. Below 0 it is dearer; -inf: no encoder reaches the score. Costs between encoders are those
    of a line in (score, logarithm of the cost).
    """
    rows = []
    for name, frontier in frontiers.items():
        logs = np.log(costs.loc[list(frontier.encoders), name].to_numpy(float))
        for place, encoder in enumerate(frontier.encoders[1:], start=1):
            for number, arm in enumerate(frontier.arms[1:], start=1):
                saved = save(logs, frontier.points[None], place, number)[0]
                drawn = save(logs, frontier.drawn, place, number)
                low, high = (
                    np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], method="nearest") if len(drawn) else (np.nan, np.nan)
                )
                most = -100 * np.expm1(logs[0] - logs[place])
                rows.append([name, encoder, frontier.points[place, 0], arm, saved, low, high, most])
    return pd.DataFrame(rows, columns=SAVING_COLUMNS)


def save(logs: np.ndarray, scores: np.ndarray, place: int, arm: int) -> np.ndarray:
    """(R,) percent that an arm saves at the score that the encoder at `place` has without it; `scores` (R, E, K)."""
    scores = scores[~np.isnan(scores).any(axis=(1, 2))]
    reached = cost_at(logs, scores[..., arm], scores[:, place, 0])
    return -100 * np.expm1(reached - logs[place])


def layer_table(scores: pd.DataFrame, costs: Mapping[str, pd.DataFrame], target: str = "tatoeba") -> pd.DataFrame:
    """Retrieval by the number of layers that are run: one row per encoder, arm and `layer`, with the mean `score` over
    languages and seeds (from English, points), and `latency` (ms, median at the smallest batch) with its `share` of
    the whole encoder's, percent; missing where it was not measured."""
    rows = scores[(scores["target"] == target) & (scores["direction"] == "from_english") & (scores["layer"] > 0)]
    key = ["encoder", "intermediate", "layer"]
    table = rows.groupby(key, sort=False)["score"].mean().reset_index()
    timed = costs["latencies"]
    timed = timed[(timed["target"] == target) & (timed["batch_size"] == timed["batch_size"].min())]
    latency = timed.groupby(["encoder", "num_layers"])["milliseconds"].median()
    table["latency"] = [latency.get((row.encoder, row.layer), np.nan) for row in table.itertuples()]
    whole = table.groupby("encoder")["latency"].transform("max")
    return table.assign(share=100 * table["latency"] / whole)
