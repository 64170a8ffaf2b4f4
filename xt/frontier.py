"""At equal score, how much cheaper may the model be after intermediate training? Scores against measured costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.costs import first_arm, select_whole
from xt.gains import BASELINE, MIN_LANGUAGES, Means, ScoreCube, average_targets, load_cube
from xt.reported import select_layers
from xt.scaling import compared_languages

LEVEL = 0.05
COSTS: Mapping[str, str] = {
    "latency": "median ms of one feature at a time",
    "memory": "MiB of the model and its largest batch",
    "parameters": "parameters, embeddings included",
    "disk": "MiB of the checkpoint's files",
    "operations": "floating-point operations of one feature",
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
    """One row per encoder: COSTS and `device_memory` (MiB), of the arm that others are compared with, the whole encoder
    run eagerly in float32 on the texts of the target measured in most rounds; operations are means over languages."""
    rows = {}
    for encoder, part in costs["processes"].groupby("encoder", sort=False):
        target = part.groupby("target")["round"].nunique().idxmax()
        own = {"encoder": encoder, "target": target, "intermediate": first_arm(costs, encoder), "backend": "eager"}
        process, timed, work = (
            table[(table[list(own)] == pd.Series(own)).all(axis=1)]
            for table in (part, select_whole(costs["latencies"]), select_whole(costs["work"]))
        )
        process = process[process["batch_size"] == process["batch_size"].max()]
        rows[encoder] = {
            "latency": timed.loc[timed["batch_size"] == timed["batch_size"].min(), "milliseconds"].median(),
            "memory": (process["peak_memory_mib"] - process["base_memory_mib"]).median(),
            "parameters": process["num_parameters"].median(),
            "disk": process["disk_mib"].median(),
            "operations": work["flops"].mean(),
            "device_memory": process["device_memory_mib"].astype(float).median(),
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*COSTS, "device_memory"], dtype=float)


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


def resample_layers(
    scores: pd.DataFrame, target: str = "tatoeba", results: Path | str | None = None
) -> dict[str, np.ndarray]:
    """Encoder -> (1 + R, layers, languages) retrieval without intermediate training, from English, mean over seeds: as
    scored, then under resampling of items, the same ones in every layer; NaN where items are not known."""
    rows, _ = select_layers(scores[(scores["target"] == target) & (scores["layer"] > 0)])
    drawn = {}
    for encoder, part in rows[rows["intermediate"] == BASELINE].groupby("encoder", sort=False):
        cubes = [load_cube(layer, np.random.default_rng(1), results) for _, layer in part.groupby("layer")]
        points = np.stack([cube.points.mean(axis=(0, 1)) for cube in cubes])[None]
        known = all(cube.resampled is not None for cube in cubes)
        others = [cube.resampled.mean(axis=(1, 2)) for cube in cubes] if known else np.swapaxes(points * np.nan, 0, 1)
        drawn[encoder] = np.concatenate([points, np.stack(others, axis=1)])
    return drawn


def layer_table(
    scores: pd.DataFrame, costs: Mapping[str, pd.DataFrame], drawn: Mapping[str, np.ndarray], target: str = "tatoeba"
) -> pd.DataFrame:
    """Retrieval by the number of layers that are run: one row per encoder, arm and `layer`, with the mean `score` over
    languages and seeds (from English, points), `low` and `high` for the baseline (percentiles over `drawn`, of
    `resample_layers`), and `latency` (ms, median at the smallest batch) with its `share` of the whole encoder's,
    percent; missing where it was not measured."""
    rows, _ = select_layers(scores[(scores["target"] == target) & (scores["layer"] > 0)])
    table = rows.groupby(["encoder", "intermediate", "layer"], sort=False)["score"].mean().reset_index()
    limits = {
        (encoder, BASELINE, layer): limits_of(values)
        for encoder, found in drawn.items()
        for layer, values in enumerate(found.mean(axis=2).T, start=1)
    }
    keys = zip(table["encoder"], table["intermediate"], table["layer"], strict=True)
    table[["low", "high"]] = [limits.get(key, (np.nan, np.nan)) for key in keys] or np.empty((0, 2))
    timed = costs["latencies"]
    timed = timed[(timed["target"] == target) & (timed["batch_size"] == timed["batch_size"].min())]
    latency = timed.groupby(["encoder", "num_layers"])["milliseconds"].median()
    table["latency"] = [latency.get((row.encoder, row.layer), np.nan) for row in table.itertuples()]
    whole = table.groupby("encoder")["latency"].transform("max")
    return table.assign(share=100 * table["latency"] / whole)


def limits_of(values: np.ndarray) -> tuple[float, float]:
    """The interval over resamples, which stand behind the value itself, (1 + R,)."""
    return tuple(np.quantile(values[1:], [LEVEL / 2, 1 - LEVEL / 2]))


CHOICE_COLUMNS = "encoder layer agree languages score low high lost lost_low lost_high share".split()


def choose_layers(table: pd.DataFrame, drawn: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What early exit is worth where the layer is not chosen on what it is scored on: for each language the one that is
    best on the mean of all others. One row per encoder with two languages or more.

    `layer`, the one chosen most often (in `agree` of `languages`), `score` with `low` and `high` of the languages at
    their layers, `lost` with its limits, what that lies below the whole encoder, and `share` of its time, percent.
    Every resample chooses anew, so the intervals hold the choice, too.
    """
    rows = []
    for encoder, found in drawn.items():
        if found.shape[2] < 2:
            continue
        best = (found.sum(axis=2, keepdims=True) - found).argmax(axis=1)
        score = np.take_along_axis(found, best[:, None], axis=1).mean(axis=(1, 2))
        lost, counts = found[:, -1].mean(axis=1) - score, np.bincount(best[0])
        own = table[(table["encoder"] == encoder) & (table["intermediate"] == BASELINE)].set_index("layer")["share"]
        share = own.reindex(best[0] + 1).mean()
        chosen = [encoder, counts.argmax() + 1, counts.max(), found.shape[2]]
        rows.append([*chosen, score[0], *limits_of(score), lost[0], *limits_of(lost), share])
    return pd.DataFrame(rows, columns=CHOICE_COLUMNS)
