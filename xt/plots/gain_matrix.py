"""Target x intermediate task: gains with their intervals and marks."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from xt.plots.style import GAIN_COLOURS, NO_GAIN_COLOUR
from xt.prose import say_number

MARK_LEVEL = 0.05
"""Holm-adjusted p below which a gain is marked."""


def plot_gain_matrix(gains: pd.DataFrame, ax: Axes) -> Axes:
    """Target x intermediate task: gain in points, its 95 % interval, `*` where the Holm-adjusted p is < 0.05.

    `gains` is `xt.gains.gain_table` of one encoder.  Hatched grey: every language is at its floor, or there is no
    such run.  Placebo arms stand apart, to the right; a framed cell trains on the same data twice.
    """
    arms = list(dict.fromkeys(gains.sort_values("placebo", kind="stable")["intermediate"]))
    targets, cells = list(dict.fromkeys(gains["target"])), gains.set_index(["target", "intermediate"])
    values = cells["gain"].unstack().reindex(targets, columns=arms).to_numpy(float)
    bound = max(1.0, np.nanmax(np.abs(values), initial=0.0))
    image = ax.imshow(values, cmap=GAIN_COLOURS, vmin=-bound, vmax=bound, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        key = (targets[row], arms[column])
        if np.isfinite(value):
            draw_gain(ax, row, column, cells.loc[key], bright=abs(value) < 0.6 * bound)
        else:
            draw_blank(ax, row, column, "all at\nfloor" if key in cells.index else "no run")
    num_placebo = int(gains.drop_duplicates("intermediate")["placebo"].sum())
    if num_placebo:
        ax.axvline(len(arms) - num_placebo - 0.5, color="white", linewidth=5)
    ax.set_xticks(range(len(arms)), [arm.replace("_", "\n") for arm in arms])
    ax.set_yticks(range(len(targets)), targets)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="intermediate task" + " (right: placebo)" * bool(num_placebo), ylabel="target task")
    ax.figure.colorbar(image, ax=ax, label="gain (points)", shrink=0.9).outline.set_linewidth(0)
    return ax


def draw_gain(ax: Axes, row: int, column: int, cell: pd.Series, bright: bool) -> None:
    """Gain, mark, interval and frame of one cell; black text where its ground is bright."""
    marked = bool(cell["p_holm"] < MARK_LEVEL)
    look = dict(ha="center", va="center", color="black" if bright else "white")
    gain, low, high = (say_number(cell[name]) for name in ("gain", "low", "high"))
    ax.text(column, row - 0.12, gain + "*" * marked, size=9, weight="bold" if marked else "normal", **look)
    ax.text(column, row + 0.26, f"{low} to {high}", size=6, **look)
    if cell["same_data"]:
        ax.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, linewidth=0.8))


def draw_blank(ax: Axes, row: int, column: int, reason: str) -> None:
    """A hatched cell without a number, and why it has none."""
    look = dict(facecolor=NO_GAIN_COLOUR, linewidth=0)
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, edgecolor="0.7", hatch="///", **look))
    ax.text(column, row, reason, ha="center", va="center", size=7, bbox=dict(pad=1, **look))
