"""Gains against the size of the encoder."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xt.plots.languages import add_legend
from xt.plots.style import MARKERS, draw_nothing, make_grid

MILLION = 1e6


def draw_sizes(encoders: pd.DataFrame, means: pd.DataFrame, measure: str, unit: str) -> Figure:
    """A panel per target of one measure (`plot_sizes`), and one legend of the arms, that look alike in all."""
    parts = [frame[frame["measure"] == measure] for frame in (encoders, means)]
    targets, arms = (list(dict.fromkeys(encoders[name])) for name in ("target", "intermediate"))
    fig, axes = make_grid(len(targets), 2.1)
    for ax, target in zip(axes, targets or [""], strict=True):
        plot_sizes(*(part[part["target"] == target] for part in parts), ax, unit, arms)
    add_legend(fig)
    return fig


def plot_sizes(encoders: pd.DataFrame, means: pd.DataFrame, ax: Axes, unit: str, arms: Sequence[str]) -> Axes:
    """One line per arm, its colour and marker by its place in `arms`: the mean over the encoders of each size, with its
    interval. Small markers are the encoders.

    `encoders` holds the rows of `xt.scaling.tabulate_sizes` of one target and measure, `means` those of
    `xt.scaling.mean_by_size`; sizes in millions of parameters besides embeddings, on a logarithmic axis.
    """
    if encoders.empty:
        return draw_nothing(ax)
    sizes = sorted(encoders["size"].unique())
    ax.axhline(0, color="0.4", linewidth=0.6)
    for number, arm in enumerate(arms):
        shift = 1 + 0.06 * (number - (len(arms) - 1) / 2)  # beside each other on the logarithmic axis
        own, mean = (frame[frame["intermediate"] == arm] for frame in (encoders, means))
        if own.empty:
            continue
        look = dict(color=f"C{number}", marker=MARKERS[number % len(MARKERS)])
        ax.plot(own["size"] / MILLION * shift, own["value"], linestyle="", markersize=2, alpha=0.5, **look)
        error = np.nan_to_num([mean["value"] - mean["low"], mean["high"] - mean["value"]])
        ax.errorbar(mean["size"] / MILLION * shift, mean["value"], yerr=error, elinewidth=0.8, label=arm, **look)
    ax.set_xscale("log")
    ax.set_xticks([size / MILLION for size in sizes], [f"{size / MILLION:.1f}" for size in sizes])
    ax.minorticks_off()
    ax.set_title(encoders["target"].iloc[0], loc="left")
    ax.set(xlabel="parameters without\nembeddings (millions)", ylabel=f"gain ({unit})")
    ax.grid(axis="y")
    return ax
