"""Gains that others published."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


def plot_published_gains(gains: pd.DataFrame, rest: float, ax: Axes) -> Axes:
    """Published gain of each target (rows), coloured by its group; hollow: what retrieval would have to gain (`rest`).

    `gains` is `xt.published.published_gains`. No intervals were published, so none are drawn.
    """
    labels = [*gains["target"], "retrieval"]
    places = np.arange(len(labels))[::-1]
    ax.axvline(0, color="0.6", linewidth=0.8)
    for number, (group, rows) in enumerate(gains.reset_index(drop=True).groupby("group", sort=False)):
        ax.plot(rows["gain"], places[rows.index], "o", color=f"C{number}", label=group)
    ax.plot(rest, places[-1], "o", color="0.4", markerfacecolor="white", label="not published: what is left")
    ax.set_yticks(places, labels)
    ax.set(xlabel="published gain (points), without intervals")
    ax.legend(loc="upper right")
    return ax
