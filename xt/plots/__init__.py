"""Figures: a tidy frame and axes in, the axes out; one style; the same bytes each time they are drawn.

A file per kind of figure; notebooks import the names from here.
"""

from xt.plots.advice import plot_advice
from xt.plots.contrasts import draw_contrasts, plot_choices
from xt.plots.costs import plot_by_batch, plot_frontier, plot_language_costs, plot_layers, plot_ratios
from xt.plots.distance import plot_family_tree, plot_gains_by_distance
from xt.plots.flips import plot_flips, plot_kept, plot_repeated
from xt.plots.gain_matrix import order_arms, plot_gain_matrix, size_gain_matrix
from xt.plots.languages import add_legend, make_panels, plot_floors, plot_language_gains
from xt.plots.ledger import plot_claimed, plot_verdicts
from xt.plots.pretraining import plot_differences, plot_two_encoders
from xt.plots.published import plot_published_gains
from xt.plots.retrieval_map import plot_retrieval_map
from xt.plots.scaling import draw_sizes
from xt.plots.significance import plot_declared, plot_levels, plot_power
from xt.plots.slopes import plot_slopes
from xt.plots.style import make_grid, plt, save_figure, use_style
