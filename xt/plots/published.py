"""Gains that others published."""

import pandas as pd
from matplotlib.axes import Axes

from xt.plots.forest import label_rows, mark_zero
from xt.plots.style import MARKERS


def plot_published_gains(gains: pd.DataFrame, rest: float, ax: Axes) -> Axes:
    """Published gain of each target (rows), groups by colour and marker; hollow: what retrieval must gain (`rest`).

    `gains` is `xt.published.published_gains`. No intervals were published, so none are drawn.
    """
    labels = [*gains["target"], "retrieval"]
    for number, (group, rows) in enumerate(gains.reset_index(drop=True).groupby("group", sort=False)):
        ax.plot(rows["gain"], rows.index, MARKERS[number], color=f"C{number}", label=group)
    ax.plot(rest, len(gains), MARKERS[0], color="0.4", markerfacecolor="white", label="not published: what is left")
    label_rows(mark_zero(ax), labels)
    ax.set(xlabel="published gain (points), without intervals")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=gains["group"].nunique() + 1)
    return ax
