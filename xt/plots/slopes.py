"""What distances between languages do to scores."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


def plot_slopes(slopes: pd.DataFrame, ax: Axes) -> Axes:
    """Predictors (rows) of one target: difference in points between the nearest and the farthest language, with its
    95 % interval; `slopes` is `xt.response.distance_slopes` of one target."""
    places = np.arange(len(slopes))[::-1]
    errors = np.abs(slopes[["low", "high"]].to_numpy(float).T - slopes["slope"].to_numpy(float))
    ax.axvline(0, color="0.6", linewidth=0.8)
    ax.errorbar(slopes["slope"], places, xerr=errors, fmt="o", markersize=4, capsize=2)
    ax.set_yticks(places, slopes["predictor"].str.replace("_", " "))
    ax.set(xlabel="points")
    return ax
