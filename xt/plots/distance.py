"""Gains against the distance of languages, and languages in the tree of their families coloured by gain."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from xt.languages import LANGUAGE_ORDER, LANGUAGES
from xt.plots.style import GAIN_COLOURS, draw_nothing, plt

NO_LINE = "too few languages for a line"


def plot_gains_by_distance(rows: pd.DataFrame, ax: Axes) -> Axes:
    """Gain of each language against its distance, the least-squares line, and its 95 % band over languages;
    with up to three languages, or all at one distance, it says that there is no line.

    `rows` holds `xt.robustness.gains_by_distance` of one target and arm. The band takes languages as independent.
    """
    if rows.empty:
        return draw_nothing(ax)
    ax.axhline(0, color="0.4", linewidth=0.6)
    x, y = rows["distance"].to_numpy(float), rows["gain"].to_numpy(float)
    ax.plot(x, y, "o", color="C0", markersize=2.5, alpha=0.8)
    if len(x) > 3 and np.ptp(x) > 0:
        grid, middle, half = fit_band(x, y)
        ax.plot(grid, middle, color="C1")
        ax.fill_between(grid, middle - half, middle + half, color="C1", alpha=0.2, linewidth=0)
    else:
        ax.set_title(NO_LINE, loc="right", size=6)
    ax.set_title(rows["target"].iloc[0], loc="left")
    ax.set(xlabel="distance", ylabel=f"gain of {rows['intermediate'].iloc[0]} (points)")
    ax.margins(x=0.06)
    return ax


def fit_band(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(places, line, half width of its pointwise 95 % band) of least squares (Student's t, n - 2)."""
    from scipy.stats import t as student

    grid, mean = np.linspace(x.min(), x.max(), 40), x.mean()
    square, df = ((x - mean) ** 2).sum(), len(x) - 2
    slope = ((x - mean) * y).sum() / square
    residual = y - y.mean() - slope * (x - mean)
    error = np.sqrt((residual**2).sum() / df * (1 / len(x) + (grid - mean) ** 2 / square))
    return grid, y.mean() + slope * (grid - mean), student.ppf(0.975, df) * error


def plot_family_tree(gains: pd.Series, ax: Axes, label: str) -> Axes:
    """The languages in the tree of their families (family, branch, language), each with its gain as colour and number.

    `gains` is indexed by language, in points; `label` says what they are.
    """
    gains = gains.dropna()
    if gains.empty:
        return draw_nothing(ax)
    codes = sorted(gains.index, key=LANGUAGE_ORDER.index)
    bound = max(1.0, float(gains.abs().max()))
    norm, colours = Normalize(-bound, bound), plt.get_cmap(GAIN_COLOURS)
    line = dict(color="0.55", linewidth=0.7)
    families: dict[str, dict[str, list[int]]] = {}
    for place, code in enumerate(codes):
        language = LANGUAGES[code]
        families.setdefault(language.top_family, {}).setdefault(language.family, []).append(place)
    for family, branches in families.items():
        middles = [np.mean(places) for places in branches.values()]
        ax.plot([0.0, 0.0], [min(middles), max(middles)], **line)
        ax.text(-0.04, np.mean(middles), family, ha="right", va="center", size=6)
        for middle, places in zip(middles, branches.values(), strict=True):
            ax.plot([0.0, 0.5], [middle, middle], **line)
            ax.plot([0.5, 0.5], [min(places), max(places)], **line)
            for place in places:
                ax.plot([0.5, 1.0], [place, place], **line)
    ax.scatter(np.ones(len(codes)), range(len(codes)), c=gains[codes], cmap=colours, norm=norm, s=26, edgecolor="0.4",
               linewidth=0.4, zorder=3)  # fmt: skip
    for place, code in enumerate(codes):
        ax.text(1.08, place, code, va="center", size=6)
        ax.text(1.55, place, f"{gains[code]:+.1f}".replace("-", "\N{MINUS SIGN}"), va="center", ha="right", size=6)
    ax.set_xlim(-0.75, 1.65)
    ax.set_ylim(len(codes) - 0.2, -0.8)
    ax.set_axis_off()
    ax.set_title(label, loc="left")
    return ax
