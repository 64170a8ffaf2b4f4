"""One value per language with its interval, languages one below the other: gains, and scores beside their floors."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xt.languages import LANGUAGE_ORDER
from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows

CELL_LOOKS = {
    "above its floor": dict(color="C0", markerfacecolor="C0", marker="o"),
    "at its floor": dict(color="0.55", markerfacecolor="white", marker="o"),
    "not zero-shot": dict(color="C2", markerfacecolor="white", marker="D"),
}
OPTIONAL_LOOKS = ("not zero-shot",)
"""Looks that stand in the legend only where such a cell is drawn."""
MAX_PANELS = 5
"""Panels side by side at a width of 6.6 inches."""
ROW_INCHES, PANEL_INCHES, FEWEST_ROWS = 0.115, 0.62, 8
"""Height of a row, what title and axis of a panel take above it, and the rows that a panel has room for at least."""


def make_panels(groups: Sequence[Iterable[str]], order: Sequence[str] = LANGUAGE_ORDER) -> tuple[Figure, list, list]:
    """(figure 6.6 inches wide, one axes per group of names, the names of its row in this order).

    Panels that stand side by side share their rows, so that a language (or an arm) is named once, at the left.
    """
    num_rows = max(1, math.ceil(len(groups) / MAX_PANELS))
    width = max(1, math.ceil(len(groups) / num_rows))
    rows = [groups[start * width : (start + 1) * width] for start in range(num_rows)]
    names = [sorted({name for group in row for name in group}, key=order.index) for row in rows]
    heights = [PANEL_INCHES + ROW_INCHES * max(FEWEST_ROWS, len(shared)) for shared in names]
    fig, grid = plt.subplots(
        num_rows, width, figsize=(6.6, sum(heights)), squeeze=False, height_ratios=heights, sharey="row"
    )
    for ax in grid.flat[len(groups) :]:
        ax.set_axis_off()
    return fig, list(grid.flat[: len(groups)]), [names[place // width] for place in range(len(groups))]


def add_legend(fig: Figure) -> None:
    """One legend below all panels, of what any of them shows."""
    found = [pair for ax in fig.axes for pair in zip(*ax.get_legend_handles_labels(), strict=True)]
    known = {label: handle for handle, label in reversed(found)}
    if known:
        labels = list(dict.fromkeys(label for _, label in found))
        columns = min(4 if fig.get_figwidth() > 5 else 2, len(labels))
        fig.legend([known[label] for label in labels], labels, loc="outside lower center", ncols=columns)


def plot_language_gains(languages: pd.DataFrame, ax: Axes, codes: Sequence[str] | None = None) -> Axes:
    """Forest plot: gain per language with its 95 % interval (not adjusted); hollow grey where the cell is at its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder, target and intermediate task; `codes`
    are the languages of the axis from top to bottom (default: those of the rows).
    """
    draw_cells(mark_zero(ax), languages, "gain", "low", "high", codes)
    ax.set_title(f"{languages['target'].iloc[0]}\nafter {languages['intermediate'].iloc[0]}", loc="left")
    ax.set_xlabel("gain (points)")
    return ax


def plot_floors(languages: pd.DataFrame, ax: Axes, codes: Sequence[str] | None = None) -> Axes:
    """Zero-shot score per language, mean over arms and seeds with its item-cluster interval, and its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder and target; `codes` as in
    `plot_language_gains`.  A cell whose interval reaches down to its floor (the bar) is hollow grey.
    """
    cells = languages.drop_duplicates("eval_language")
    rows = place_rows(cells["eval_language"], codes)
    ax.plot(cells["floor"], rows, "|", color="C1", markersize=6, markeredgewidth=1.5, label="floor")
    draw_cells(ax, cells, "score", "score_low", "score_high", codes)
    ax.set_title(cells["target"].iloc[0], loc="left")
    ax.set_xlabel("score (points)")
    ax.set_xlim(left=-0.05 * ax.get_xlim()[1])
    return ax


def draw_cells(
    ax: Axes, rows: pd.DataFrame, value: str, low: str, high: str, codes: Sequence[str] | None = None
) -> None:
    """A point and its interval per language (`eval_language`), from top to bottom; the look tells cells at their floor,
    and those of languages that the arm was trained in."""
    places, at_floor = place_rows(rows["eval_language"], codes), rows["at_floor"].to_numpy(bool)
    seen = ~rows["zero_shot"].to_numpy(bool) & ~at_floor if "zero_shot" in rows else np.zeros(len(rows), bool)
    for (label, look), chosen in zip(CELL_LOOKS.items(), (~at_floor & ~seen, at_floor, seen), strict=True):
        if label in OPTIONAL_LOOKS and not chosen.any():
            continue
        draw_intervals(ax, rows[chosen], places[chosen], value, low, high, label=label, **look)
    label_rows(ax, rows["eval_language"] if codes is None else codes)
