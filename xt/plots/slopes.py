"""What distances between languages do to scores."""

import pandas as pd
from matplotlib.axes import Axes

from xt.plots.forest import draw_intervals, label_rows, mark_zero, place_rows
from xt.plots.style import draw_nothing


def plot_slopes(slopes: pd.DataFrame, ax: Axes) -> Axes:
    """Predictors (rows) of one target: difference in points between the nearest and the farthest language, with its
    95 % interval; `slopes` is `xt.response.distance_slopes` of one target."""
    if slopes.empty:
        return draw_nothing(ax)
    draw_intervals(mark_zero(ax), slopes, place_rows(slopes["predictor"]), "slope", capsize=2)
    label_rows(ax, slopes["predictor"].str.replace("_", " "))
    ax.set_xlabel("points")
    return ax
