"""What is declared, how often wrongly, and what could be seen at all."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from xt.plots.style import MARKERS, draw_nothing

HATCHES = ("", "//////")
"""Of bars that stand in a row, taken in turn."""


def plot_declared(counts: pd.DataFrame, ax: Axes) -> Axes:
    """Bars: how many gains each way of testing declares (`xt.prose.count_declared`), tasks and placebos apart."""
    if counts.empty:
        return draw_nothing(ax)
    ways = [name for name in counts if name != "tested"]
    places, left = np.arange(len(ways))[::-1], np.zeros(len(ways))
    for number, (kind, row) in enumerate(counts.iterrows()):
        widths = pd.to_numeric(row[ways], errors="coerce").fillna(0).to_numpy(float)
        label = f"{kind} ({row['tested']} differences)"
        look = dict(color=f"C{number}", hatch=HATCHES[number % len(HATCHES)], edgecolor="white", linewidth=0)
        ax.barh(places, widths, left=left, height=0.6, label=label, **look)
        left += widths
    for place, total, way in zip(places, left, ways, strict=True):
        asked = counts[way].notna().any()
        ax.text(total, place, f" {total:.0f}" if asked else " cannot be asked: too few seeds", va="center", size=7)
    ax.set_yticks(places, ways)
    ax.set(xlabel="differences declared at 5 %")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
    return ax


def plot_levels(rows: pd.DataFrame, ax: Axes) -> Axes:
    """False alarms in per cent (log scale), a row per method, a point per kind of noise and items, by number of seeds.

    `rows` are those of `xt.stats.calibration.calibration_table`; the line is the 5 % that is allowed.
    """
    methods = list(dict.fromkeys(rows["method"]))[::-1]
    seeds = sorted(set(rows["num_seeds"]))
    ax.axvline(5, color="0.4", linewidth=0.8)
    for number, (count, marker) in enumerate(zip(seeds, MARKERS, strict=False)):
        part = rows[rows["num_seeds"] == count]
        places = part["method"].map(methods.index) + 0.22 * (1 - number)
        levels = np.maximum(0.1, 100 * part["level"])
        ax.plot(levels, places, marker, color=f"C{number}", markersize=3, alpha=0.8, label=f"{count} seeds")
    ax.set_yticks(range(len(methods)), methods)
    ax.set_xscale("log")
    ax.set_xticks([0.1, 1, 5, 10, 50], ["≤ 0.1", "1", "5", "10", "50"])
    ax.minorticks_off()
    ax.grid(axis="y")
    ax.set(xlabel="declared where nothing gains (%); allowed: 5")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(seeds))
    return ax


def plot_power(rows: pd.DataFrame, ax: Axes) -> Axes:
    """Power against the gain, a colour and marker per number of seeds, dashed with more items; rows of
    `xt.stats.power_curve`."""
    if rows.empty:
        return draw_nothing(ax)
    for number, (seeds, part) in enumerate(rows.groupby("num_seeds")):
        for style, (share, line) in zip(("-", "--", ":"), part.groupby("items"), strict=False):
            items = "" if share == 1 else f", {share:g} x items"
            look = dict(color=f"C{number}", marker=MARKERS[number % len(MARKERS)], markevery=(2, 5), markersize=3)
            ax.plot(line["gain"], 100 * line["power"], style, label=f"{seeds} seeds{items}", **look)
    ax.axhline(80, color="0.4", linewidth=0.6)
    ax.set(xlabel="true gain (points)", ylabel="found (%)", ylim=(0, 102), xlim=(0, None))
    ax.legend(loc="center right")
    return ax
