"""Arms against arms, and the arm chosen per target: forest plots, targets one below the other."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xt.contrasts import ZERO_SHOT
from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows
from xt.plots.languages import MAX_PANELS, add_legend, make_panels
from xt.plots.style import draw_nothing, plt
from xt.prose import LEVEL

TITLE_INCHES = 0.3
"""What a title of three lines takes more than one of one."""
LOOKS = {
    "Holm-adjusted p < 0.05": dict(color="C1"),
    "not reliable, or not tested": dict(color="C0", markerfacecolor="white"),
}
"""Looks of a difference that is reliable, and of one that is not."""
NO_CHOICE = "none can be chosen on English data"


def draw_contrasts(table: pd.DataFrame, order: Sequence[str]) -> Figure:
    """One panel per pair of arms and scope, with the targets in this order: difference in points, 95 % interval.

    `table` holds the rows of `xt.contrasts.contrast_table` of one encoder and question that have numbers.
    """
    groups = list(table[table["gain"].notna()].groupby(["intermediate", "against", "scope"], sort=False))
    if not groups:
        fig, ax = plt.subplots(figsize=(3.3, 0.8))
        draw_nothing(ax)
        return fig
    fig, axes, names = make_panels([rows["target"] for _, rows in groups], order)
    fig.set_figheight(fig.get_figheight() + 0.2 + TITLE_INCHES * math.ceil(len(groups) / MAX_PANELS))
    for ax, (key, rows), targets in zip(axes, groups, names, strict=True):
        plot_contrast(rows, ax, targets)
        ax.set_title(title_of(*key), loc="left")
    add_legend(fig)
    return fig


def title_of(arm: str, against: str, scope: str) -> str:
    """What a panel shows, in three short lines."""
    where = "zero-shot languages" if scope == ZERO_SHOT else "languages trained in"
    return f"{arm}\nless {against.replace(' by ', chr(10) + 'by ')}\n{where}"


def plot_contrast(rows: pd.DataFrame, ax: Axes, targets: Sequence[str]) -> Axes:
    """Differences of one pair of arms, a row per target from top to bottom; filled where reliable."""
    places, reliable = place_rows(rows["target"], targets), (rows["p_holm"] < LEVEL).to_numpy(bool)
    for (label, look), chosen in zip(LOOKS.items(), (reliable, ~reliable), strict=True):
        draw_intervals(mark_zero(ax), rows[chosen], places[chosen], "gain", label=label, **look)
    label_rows(ax, targets)
    ax.set_xlabel("difference (points)")
    return ax


def plot_choices(choices: pd.DataFrame, ax: Axes) -> Axes:
    """Per target: what the arm chosen on English data gains over the baseline, and what the arm gains that zero-shot
    scores would choose, with their 95 % intervals; it says where nothing can be chosen.

    `choices` is `xt.contrasts.choice_table` of one encoder.
    """
    if choices.empty:
        return draw_nothing(ax)
    places = np.arange(len(choices))
    draw_intervals(mark_zero(ax), choices, places - 0.13, "gain", color="C0", label="chosen on English data")
    look = dict(color="C1", marker="D", markerfacecolor="white", label="chosen on zero-shot scores of other seeds")
    if choices["oracle"].notna().any():  # with one seed there is none
        draw_intervals(ax, choices, places + 0.13, "oracle_gain", "oracle_low", "oracle_high", **look)
    for place in places[choices["gain"].isna()]:
        look = dict(ha="right", va="bottom", size=6, color="0.35", transform=ax.get_yaxis_transform())
        ax.text(0.99, place - 0.08, NO_CHOICE, **look)
    label_rows(ax, choices["target"])
    ax.set_xlabel("gain (points)")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=1)
    return ax
