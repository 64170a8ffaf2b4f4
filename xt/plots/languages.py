"""One value per language with its interval: gains, and scores beside their floors."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

CELL_LOOKS = {
    "above its floor": dict(color="C0", markerfacecolor="C0", marker="o"),
    "at its floor": dict(color="0.55", markerfacecolor="white", marker="o"),
    "not zero-shot": dict(color="C2", markerfacecolor="white", marker="D"),
}
OPTIONAL_LOOKS = ("not zero-shot",)
"""Looks that stand in the legend only where such a cell is drawn."""


def plot_language_gains(languages: pd.DataFrame, ax: Axes) -> Axes:
    """Gain per language with its 95 % interval (not adjusted); hollow grey where the cell is at its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder, target and intermediate task.
    """
    ax.axhline(0, color="0.4", linewidth=0.6)
    draw_cells(ax, languages, "gain", "low", "high")
    ax.set_title(f"{languages['intermediate'].iloc[0]} → {languages['target'].iloc[0]}", loc="left")
    ax.set_ylabel("gain (points)")
    return label_languages(ax, languages["eval_language"])


def plot_floors(languages: pd.DataFrame, ax: Axes) -> Axes:
    """Zero-shot score per language, mean over arms and seeds with its item-cluster interval, and its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder and target.  A cell whose interval
    reaches down to its floor (the bar) is hollow grey.
    """
    cells = languages.drop_duplicates("eval_language")
    ax.plot(range(len(cells)), cells["floor"], "_", color="C1", markersize=9, markeredgewidth=1.5, label="floor")
    draw_cells(ax, cells, "score", "score_low", "score_high")
    ax.set_title(cells["target"].iloc[0], loc="left")
    ax.set_ylabel("score (points)")
    ax.set_ylim(bottom=-0.05 * ax.get_ylim()[1])
    return label_languages(ax, cells["eval_language"])


def draw_cells(ax: Axes, rows: pd.DataFrame, value: str, low: str, high: str) -> None:
    """A point and its interval per row, at places 0, 1, ...; the look tells cells at their floor, and those of
    languages that the arm was trained in."""
    places, at_floor = np.arange(len(rows)), rows["at_floor"].to_numpy(bool)
    seen = ~rows["zero_shot"].to_numpy(bool) & ~at_floor if "zero_shot" in rows else np.zeros(len(rows), bool)
    for (label, look), chosen in zip(CELL_LOOKS.items(), (~at_floor & ~seen, at_floor, seen), strict=True):
        if label in OPTIONAL_LOOKS and not chosen.any():
            continue
        part = rows[chosen]
        error = np.maximum(0, [part[value] - part[low], part[high] - part[value]])  # rounding may pass 0
        ax.errorbar(places[chosen], part[value], yerr=error, linestyle="", elinewidth=0.8, label=label, **look)


def label_languages(ax: Axes, codes: pd.Series) -> Axes:
    """One language code per place on the horizontal axis."""
    ax.set_xticks(range(len(codes)), codes)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.7, len(codes) - 0.3)
    ax.grid(axis="y")
    return ax
