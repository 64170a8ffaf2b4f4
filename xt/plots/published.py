"""Gains that others published."""

import pandas as pd
from matplotlib.axes import Axes

from xt.plots.forest import label_rows, mark_zero


def plot_published_gains(gains: pd.DataFrame, rest: float, ax: Axes) -> Axes:
    """Published gain of each target (rows), coloured by its group; hollow: what retrieval would have to gain (`rest`).

    `gains` is `xt.published.published_gains`. No intervals were published, so none are drawn.
    """
    labels = [*gains["target"], "retrieval"]
    for number, (group, rows) in enumerate(gains.reset_index(drop=True).groupby("group", sort=False)):
        ax.plot(rows["gain"], rows.index, "o", color=f"C{number}", label=group)
    ax.plot(rest, len(gains), "o", color="0.4", markerfacecolor="white", label="not published: what is left")
    label_rows(mark_zero(ax), labels)
    ax.set(xlabel="published gain (points), without intervals")
    ax.legend(loc="upper right")
    return ax
