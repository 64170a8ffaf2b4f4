"""What to train first: a matrix of targets and groups of languages."""

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from xt.plots.style import HATCH_COLOUR, NO_GAIN_COLOUR, draw_nothing, measure_text
from xt.prose import say_interval, say_number
from xt.recommend import BASELINE, GROUPS, UNTESTED

ADVICE_COLOURS = "Blues"
"""From no gain to the largest; only gains that are reliable have a ground."""
NO_ADVICE = (BASELINE, UNTESTED)
CELL_INCHES = 0.68
"""Width that the text of a cell may take in a figure of 6.6 inches and eight groups; longer names are set smaller."""


def plot_advice(table: pd.DataFrame, ax: Axes) -> Axes:
    """Targets (rows) x groups of languages (columns): the advised arm, its gain in points and adjusted interval on
    blue; `none` or `not tested` on grey, with the largest gain. Hatched: no language of the group above its
    floor.

    `table` is `xt.recommend.recommend` of one encoder.
    """
    if table.empty:
        return draw_nothing(ax)
    targets = list(dict.fromkeys(table["target"]))
    groups = [name for name in GROUPS if (table["group"] == name).any()]
    cells = table.set_index(["target", "group"])
    reliable = table.loc[~table["advice"].isin(NO_ADVICE), "gain"]
    top = max(1.0, reliable.max() if len(reliable) else 1.0)
    for row, target in enumerate(targets):
        for column, group in enumerate(groups):
            place = Rectangle((column - 0.49, row - 0.48), 0.98, 0.96, edgecolor=HATCH_COLOUR, linewidth=0)
            ax.add_patch(place)
            if (target, group) not in cells.index:
                place.set(facecolor=NO_GAIN_COLOUR, hatch="///")
                continue
            draw_advice(ax, column, row, cells.loc[(target, group)], place, top)
    ax.set_xlim(-0.5, len(groups) - 0.5)
    ax.set_ylim(len(targets) - 0.5, -0.5)
    ax.set_xticks(range(len(groups)), [group.replace(" ", "\n") for group in groups])
    ax.set_yticks(range(len(targets)), targets)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def draw_advice(ax: Axes, column: int, row: int, cell: pd.Series, place: Rectangle, top: float) -> None:
    """Arm, gain and interval of one cell, on a ground as dark as the gain is large."""
    trained = cell["advice"] not in NO_ADVICE
    depth = 0.25 + 0.65 * max(0.0, cell["gain"]) / top
    place.set_facecolor(colormaps[ADVICE_COLOURS](depth) if trained else NO_GAIN_COLOUR)
    colour = "white" if trained and depth > 0.55 else "black" if trained else "0.35"
    look = dict(ha="center", va="center", color=colour)
    gain, interval = say_number(cell["gain"]), say_interval(cell)
    lines = [(-0.3, cell["advice"], 7, "bold" if trained else "normal")]
    lines += [(-0.08, cell["best"], 5.5, "normal")] * (not trained)
    lines += [(0.14, gain, 5.5, "normal"), (0.36, interval, 5.5, "normal")]
    for place, words, size, weight in lines:
        fitting = min(1.0, CELL_INCHES / measure_text(words, size, weight))
        ax.text(column, row + place, words, size=size * fitting, weight=weight, **look)
