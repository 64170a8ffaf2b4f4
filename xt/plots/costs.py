"""What inference costs: ratios between arms, languages, batch sizes, scores against cost."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from xt.costs import QUANTITIES
from xt.frontier import COSTS, Frontier
from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows
from xt.plots.style import MARKERS, draw_nothing


def plot_ratios(ratios: pd.DataFrame, ax: Axes) -> Axes:
    """Percent that arms cost more than the first one, with intervals, over the margins of equivalence (grey)."""
    if ratios.empty:
        return draw_nothing(ax)
    names = [f"{row.encoder}, {row.intermediate} : {row.against}, {row.batch_size}" for row in ratios.itertuples()]
    rows = ratios.assign(name=names)
    order = list(dict.fromkeys(names))
    ax.axvspan(-rows["margin"].max(), rows["margin"].max(), color="0.92", zorder=0)
    colours = dict(zip(QUANTITIES, sns.color_palette(n_colors=len(QUANTITIES)), strict=True))
    for step, (quantity, part) in enumerate(rows.groupby("quantity", sort=False)):
        places = place_rows(part["name"], order) + 0.2 * (step - 1)
        draw_intervals(ax, part, places, "percent", color=colours[quantity], label=quantity, marker=MARKERS[step])
    ax.set_xlabel("percent more")
    return label_rows(mark_zero(ax), order)


def plot_language_costs(languages: pd.DataFrame, ax: Axes) -> Axes:
    """Milliseconds of one example by language: the encoder's, and the tokenizer's on top; tokens of it as numbers."""
    if languages.empty:
        return draw_nothing(ax)
    rows = languages.sort_values("num_tokens").reset_index(drop=True)
    encoder, tokenizer = sns.color_palette(n_colors=2)
    ax.bar(rows.index, rows["latency_ms"], color=encoder, label="encoder", width=0.7)
    ax.bar(rows.index, rows["tokenize_ms"], bottom=rows["latency_ms"], color=tokenizer, label="tokenizer", width=0.7)
    for place, row in rows.iterrows():
        top = row["latency_ms"] + row["tokenize_ms"]
        ax.annotate(f"{row['num_tokens']:.0f}", (place, top), (0, 2), textcoords="offset points", ha="center", size=6)
    ax.set_xticks(rows.index, rows["eval_language"])
    ax.set_ylabel("ms per example")
    ax.margins(y=0.12)
    ax.grid(axis="x", visible=False)
    return ax


def plot_by_batch(table: pd.DataFrame, ax: Axes, value: str, label: str) -> Axes:
    """A measured value by batch size, one line per backend, both axes by factors."""
    if table.empty:
        return draw_nothing(ax)
    for marker, (backend, part) in zip(cycle(MARKERS), table.groupby("backend", sort=False), strict=False):
        part = part.sort_values("batch_size")
        ax.plot(part["batch_size"], part[value], marker=marker, markersize=3, label=backend)
    sizes = sorted(table["batch_size"].unique())
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_xlabel("features per batch")
    ax.set_ylabel(label)
    return ax


def plot_frontier(frontier: Frontier | None, costs: pd.Series, arms: Sequence[str], ax: Axes) -> Axes:
    """Scores of encoders against a cost, one line per arm, with 95 % intervals where they are known."""
    if frontier is None:
        return draw_nothing(ax)
    places = costs.loc[list(frontier.encoders)].to_numpy(float)
    for number, arm in enumerate(arm for arm in frontier.arms if arm in arms):
        column = frontier.arms.index(arm)
        points, drawn = frontier.points[:, column], frontier.drawn[..., column]
        known = not np.isnan(drawn).any()
        error = np.abs(np.quantile(drawn, [0.025, 0.975], axis=0) - points) if known else None
        shift = 1.012 ** (number - 1)
        marker = MARKERS[number % len(MARKERS)]
        ax.errorbar(places * shift, points, yerr=error, marker=marker, markersize=3, elinewidth=0.8, label=arm)
    for place, encoder, score in zip(places, frontier.encoders, frontier.points[:, 0], strict=True):
        ax.annotate(encoder, (place, score), (3, -8), textcoords="offset points", size=6)
    ax.set_xscale("log")
    ax.set_xticks(places, [f"{place:.3g}" for place in places])
    ax.minorticks_off()
    ax.margins(x=0.15)
    ax.set_xlabel(COSTS[costs.name])
    ax.set_ylabel("points")
    return ax


def plot_layers(layers: pd.DataFrame, ax: Axes) -> Axes:
    """Retrieval by the time of the layers that are run, one line per encoder, a number at each layer, with intervals
    where they are known; by the number of layers where no time was measured."""
    rows = layers.dropna(subset=["latency"])
    place = "latency" if len(rows) else "layer"
    rows = rows if len(rows) else layers
    if rows.empty:
        return draw_nothing(ax)
    for number, (encoder, part) in enumerate(rows.groupby("encoder", sort=False)):
        part = part.sort_values("layer").astype({"score": float, place: float})
        error = np.abs(part[["low", "high"]].to_numpy(float).T - part["score"].to_numpy())
        look = dict(marker=MARKERS[number % len(MARKERS)], markersize=3, elinewidth=0.8, label=encoder)
        line, *_ = ax.errorbar(part[place], part["score"], yerr=error, **look)
        for where, layer in zip(part[[place, "score"]].to_numpy(), part["layer"], strict=True):
            said = f"{layer:.0f}" if place == "latency" else ""
            ax.annotate(said, where, (2, 4), textcoords="offset points", size=6, color=line.get_color())
    ax.margins(x=0.08, y=0.15)
    ax.set_xlabel("ms per sentence" if place == "latency" else "layers that are run")
    ax.xaxis.set_major_locator(MaxNLocator(integer=place == "layer"))
    ax.set_ylabel("accuracy, points")
    return ax
