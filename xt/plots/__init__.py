"""Figures: a tidy frame and axes in, the axes out; one style; the same bytes each time they are drawn.

A file per kind of figure; notebooks import the names from here.
"""

from xt.plots.gain_matrix import MARK_LEVEL, plot_gain_matrix
from xt.plots.languages import plot_floors, plot_language_gains
from xt.plots.published import plot_published_gains
from xt.plots.slopes import plot_slopes
from xt.plots.style import GAIN_COLOURS, NO_GAIN_COLOUR, plt, save_figure, use_style

__all__ = [
    "GAIN_COLOURS",
    "MARK_LEVEL",
    "NO_GAIN_COLOUR",
    "plot_floors",
    "plot_gain_matrix",
    "plot_language_gains",
    "plot_published_gains",
    "plot_slopes",
    "plt",
    "save_figure",
    "use_style",
]
