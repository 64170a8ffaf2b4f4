"""Values with their intervals, one row below the other: the one way in which all forest plots are drawn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


def draw_intervals(
    ax: Axes, rows: pd.DataFrame, places: np.ndarray, value: str, low: str = "low", high: str = "high", **look
) -> Axes:
    """A point per row at its place, and a line over its interval; no line where that is not known."""
    points = rows[value].to_numpy(float)
    below, above = points - rows[low].to_numpy(float), rows[high].to_numpy(float) - points
    error = np.maximum(0, np.nan_to_num([below, above]))  # rounding may pass 0
    ax.errorbar(points, places, xerr=error, **(dict(marker="o", linestyle="", elinewidth=0.8, markersize=3) | look))
    return ax


def mark_zero(ax: Axes) -> Axes:
    """A line where there is no difference."""
    ax.axvline(0, color="0.4", linewidth=0.6)
    return ax


def place_rows(names: pd.Series, order: Sequence[str] | None = None) -> np.ndarray:
    """(N,) the row of each name, 0 at the top of an axis that holds `order` (default: the names themselves)."""
    rows = {name: place for place, name in enumerate(names if order is None else order)}
    return names.map(rows).to_numpy()


def label_rows(ax: Axes, names: Sequence[str]) -> Axes:
    """One name (language, arm, target) per row of the vertical axis, the first on top."""
    ax.set_yticks(range(len(names)), list(names))
    ax.tick_params(axis="y", length=0, labelsize=6)
    ax.set_ylim(len(names) - 0.3, -0.7)
    ax.grid(axis="y")
    return ax
