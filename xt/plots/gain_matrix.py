"""Intermediate task x target: gains with their intervals and marks."""

from math import cos, radians, sin
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from xt.gains import AT_FLOOR, NO_RUN, TRAINED_IN
from xt.plots.style import GAIN_COLOURS, HATCH_COLOUR, NO_GAIN_COLOUR, draw_nothing, measure_text
from xt.prose import say_number

MARK_LEVEL = 0.05
"""Holm-adjusted p below which a gain is marked."""
CELL_INCHES = (0.375, 0.29)
"""Width and height of a cell in which its numbers can be read."""
LABEL_SIZE, LABEL_ANGLE = 7, 35
"""Type of the names of arms and targets in points, and how far the targets' are turned in degrees."""
PAD_INCHES = (0.2, 0.75)
"""What gaps take beside the cells and names, and these, the corner and the bar of colours above and below them."""
CORNER = ("intermediate task", "(below the line: placebo)")
"""What stands above the names of the arms; the second line where there are placebos."""
CORNER_SIZE = 6
"""Type of the corner in points."""


def size_gain_matrix(gains: pd.DataFrame) -> tuple[float, float]:
    """Width and height in inches of a figure with one `plot_gain_matrix`, at least 3.3 wide."""
    targets, arms = (list(dict.fromkeys(gains[name])) for name in ("target", "intermediate"))
    names = [measure_text(arm, LABEL_SIZE) for arm in arms] + [measure_text(line, CORNER_SIZE) for line in CORNER]
    above, angle = [measure_text(target, LABEL_SIZE) for target in targets], radians(LABEL_ANGLE)
    ends = [length * cos(angle) - (place + 0.5) * CELL_INCHES[0] for place, length in enumerate(above[::-1])]
    width = PAD_INCHES[0] + max(names) + CELL_INCHES[0] * len(targets) + max(ends, default=0)
    height = PAD_INCHES[1] + max(above, default=0) * sin(angle) + CELL_INCHES[1] * len(arms)
    return max(3.3, width), max(1.5, height)


def plot_gain_matrix(gains: pd.DataFrame, ax: Axes) -> Axes:
    """Intermediate tasks (rows) x targets (columns): gain in points, half the width of its 95 % interval below it, and
    `*` where the Holm-adjusted p is < 0.05.

    `gains` is `xt.gains.gain_table` of one encoder, or another table with these columns.  Hatched grey: no gain, and
    why: all languages are at their floor, the arm was trained in the others, or there is no such run.  Placebo arms
    stand apart, below; a framed cell trains on the same data twice.
    """
    if gains.empty:
        return draw_nothing(ax)
    arms = order_arms(gains)
    targets, cells = list(dict.fromkeys(gains["target"])), gains.set_index(["intermediate", "target"])
    values = cells["gain"].unstack().reindex(arms, columns=targets).to_numpy(float)
    bound = max(1.0, np.nanmax(np.abs(values), initial=0.0))
    image = ax.imshow(values, cmap=GAIN_COLOURS, vmin=-bound, vmax=bound, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        key = (arms[row], targets[column])
        if np.isfinite(value):
            draw_gain(ax, row, column, cells.loc[key], bright=abs(value) < 0.6 * bound)
        else:
            said = cells["lacking"].get(key, NO_RUN)
            reason = next(why for why in (TRAINED_IN, AT_FLOOR, NO_RUN) if why in said)
            draw_blank(ax, row, column, fill(reason.removeprefix("at its "), 8))
    num_placebo = int(gains.drop_duplicates("intermediate")["placebo"].sum())
    if num_placebo:
        ax.axhline(len(arms) - num_placebo - 0.5, color="white", linewidth=2.5)
    ax.set_yticks(range(len(arms)), arms)
    ax.set_xticks(range(len(targets)), targets, rotation=LABEL_ANGLE, ha="left", rotation_mode="anchor")
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, labelsize=LABEL_SIZE)
    ax.spines[:].set_visible(False)
    corner = dict(xytext=(-3.5, 3), textcoords="offset points", ha="right", va="bottom", size=CORNER_SIZE)
    ax.annotate("\n".join(CORNER[: 1 + bool(num_placebo)]), (0, 1), xycoords="axes fraction", **corner)
    bar = dict(location="bottom", label="gain (points)", aspect=30, pad=0.02)
    ax.figure.colorbar(image, ax=ax, **bar).outline.set_linewidth(0)
    return ax


def order_arms(gains: pd.DataFrame) -> list[str]:
    """The arms of a table with `intermediate` and `placebo`, in its order, placebo arms last."""
    return list(dict.fromkeys(gains.sort_values("placebo", kind="stable")["intermediate"]))


def draw_gain(ax: Axes, row: int, column: int, cell: pd.Series, bright: bool) -> None:
    """Gain, mark, half its interval and frame of one cell; black text where its ground is bright."""
    marked = bool(cell["p_holm"] < MARK_LEVEL)
    look = dict(ha="center", va="center", color="black" if bright else "white")
    text = say_number(cell["gain"]) + "*" * marked
    ax.text(column, row - 0.16, text, size=6.5, weight="bold" if marked else "normal", **look)
    half = (cell["high"] - cell["low"]) / 2
    if np.isfinite(half):
        ax.text(column, row + 0.22, f"±{half:.1f}", size=5.5, **look)
    if cell["same_data"]:
        ax.add_patch(Rectangle((column - 0.46, row - 0.42), 0.92, 0.84, fill=False, linewidth=0.8, zorder=3))


def draw_blank(ax: Axes, row: int, column: int, reason: str) -> None:
    """A hatched cell without a number, and why it has none."""
    look = dict(facecolor=NO_GAIN_COLOUR, linewidth=0)
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, edgecolor=HATCH_COLOUR, hatch="///", **look))
    ax.text(column, row, reason, ha="center", va="center", size=5.5, bbox=dict(pad=0.6, **look))
