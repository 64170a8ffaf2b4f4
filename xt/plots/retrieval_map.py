"""Layer x language: how well sentences find their translations at every layer of an encoder."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from xt.plots.style import GAIN_COLOURS, SCORE_COLOURS, draw_nothing


def plot_retrieval_map(
    rows: pd.DataFrame, ax: Axes, codes: Sequence[str], reported: int | None, bound: float | None = None
) -> Axes:
    """Languages (rows, `codes` from top to bottom) x layers: mean score in points, 0 the embeddings.

    `rows` has `eval_language, layer, score`, several rows of a cell are averaged.  `bound`: the scores are differences
    and the colours diverge from -bound to bound; without it they are scores from 0 to 100.  The layer that is reported
    is framed.  No intervals: a map of this many cells has no room for them.
    """
    if rows.empty:
        return draw_nothing(ax)
    table = rows.astype({"score": float, "layer": int}).pivot_table("score", "eval_language", "layer").reindex(codes)
    colours, norm = (SCORE_COLOURS, Normalize(0, 100)) if bound is None else (GAIN_COLOURS, Normalize(-bound, bound))
    image = ax.imshow(np.ma.masked_invalid(table.to_numpy()), cmap=colours, norm=norm, aspect="auto")
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.set_yticks(range(len(codes)), list(codes))
    ax.tick_params(length=0)
    ax.tick_params(axis="y", labelsize=6)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("layer")
    place = list(table.columns).index(reported)
    ax.add_patch(Rectangle((place - 0.5, -0.5), 1, len(codes), fill=False, linewidth=1.2, edgecolor="black"))
    label = "score (points)" if bound is None else "gain (points)"
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.6, aspect=25, pad=0.03).outline.set_linewidth(0)
    return ax
