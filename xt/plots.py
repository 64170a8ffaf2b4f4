"""Figures: a tidy frame and axes in, the axes out; one style; the same bytes each time they are drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xt.locations import folder
from xt.prose import say_number

STYLE = Path(__file__).with_name("figures.mplstyle")
GAIN_COLOURS = "RdBu"
"""Diverging, red to blue: told apart by all common kinds of colour blindness."""
NO_GAIN_COLOUR = "0.93"
MARK_LEVEL = 0.05
"""Holm-adjusted p below which a gain is marked."""


def use_style() -> None:
    """Sets the project's style for the figures that follow."""
    plt.style.use(STYLE)


def plot_gain_matrix(gains: pd.DataFrame, ax: Axes) -> Axes:
    """Target x intermediate task: gain in points, its 95 % interval, `*` where the Holm-adjusted p is < 0.05.

    `gains` is `xt.gains.gain_table` of one encoder.  Hatched grey: every language is at its floor, or there is no
    such run.  Placebo arms stand apart, to the right; a framed cell trains on the same data twice.
    """
    arms = list(dict.fromkeys(gains.sort_values("placebo", kind="stable")["intermediate"]))
    targets, cells = list(dict.fromkeys(gains["target"])), gains.set_index(["target", "intermediate"])
    values = cells["gain"].unstack().reindex(targets, columns=arms).to_numpy(float)
    bound = max(1.0, np.nanmax(np.abs(values), initial=0.0))
    image = ax.imshow(values, cmap=GAIN_COLOURS, vmin=-bound, vmax=bound, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        key = (targets[row], arms[column])
        if np.isfinite(value):
            draw_gain(ax, row, column, cells.loc[key], bright=abs(value) < 0.6 * bound)
        else:
            draw_blank(ax, row, column, "all at\nfloor" if key in cells.index else "no run")
    num_placebo = int(gains.drop_duplicates("intermediate")["placebo"].sum())
    if num_placebo:
        ax.axvline(len(arms) - num_placebo - 0.5, color="white", linewidth=5)
    ax.set_xticks(range(len(arms)), [arm.replace("_", "\n") for arm in arms])
    ax.set_yticks(range(len(targets)), targets)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="intermediate task" + " (right: placebo)" * bool(num_placebo), ylabel="target task")
    ax.figure.colorbar(image, ax=ax, label="gain (points)", shrink=0.9).outline.set_linewidth(0)
    return ax


def draw_gain(ax: Axes, row: int, column: int, cell: pd.Series, bright: bool) -> None:
    """Gain, mark, interval and frame of one cell; black text where its ground is bright."""
    marked = bool(cell["p_holm"] < MARK_LEVEL)
    look = dict(ha="center", va="center", color="black" if bright else "white")
    gain, low, high = (say_number(cell[name]) for name in ("gain", "low", "high"))
    ax.text(column, row - 0.12, gain + "*" * marked, size=9, weight="bold" if marked else "normal", **look)
    ax.text(column, row + 0.26, f"{low} to {high}", size=6, **look)
    if cell["same_data"]:
        ax.add_patch(Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, linewidth=0.8))


def draw_blank(ax: Axes, row: int, column: int, reason: str) -> None:
    """A hatched cell without a number, and why it has none."""
    look = dict(facecolor=NO_GAIN_COLOUR, linewidth=0)
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, edgecolor="0.7", hatch="///", **look))
    ax.text(column, row, reason, ha="center", va="center", size=7, bbox=dict(pad=1, **look))


def plot_language_gains(languages: pd.DataFrame, ax: Axes) -> Axes:
    """Gain per language with its 95 % interval (not adjusted); hollow grey where the cell is at its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder, target and intermediate task.
    """
    ax.axhline(0, color="0.4", linewidth=0.6)
    draw_cells(ax, languages, "gain", "low", "high")
    ax.set_title(f"{languages['intermediate'].iloc[0]} → {languages['target'].iloc[0]}", loc="left")
    ax.set_ylabel("gain (points)")
    return label_languages(ax, languages["eval_language"])


def plot_floors(languages: pd.DataFrame, ax: Axes) -> Axes:
    """Zero-shot score per language, mean over arms and seeds with its item-cluster interval, and its floor.

    `languages` holds the rows of `xt.gains.language_gain_table` of one encoder and target.  A cell whose interval
    reaches down to its floor (the bar) is hollow grey.
    """
    cells = languages.drop_duplicates("eval_language")
    ax.plot(range(len(cells)), cells["floor"], "_", color="C1", markersize=9, markeredgewidth=1.5, label="floor")
    draw_cells(ax, cells, "score", "score_low", "score_high")
    ax.set_title(cells["target"].iloc[0], loc="left")
    ax.set_ylabel("score (points)")
    ax.set_ylim(bottom=-0.05 * ax.get_ylim()[1])
    return label_languages(ax, cells["eval_language"])


CELL_LOOKS = {
    "above its floor": dict(color="C0", markerfacecolor="C0", marker="o"),
    "at its floor": dict(color="0.55", markerfacecolor="white", marker="o"),
    "not zero-shot": dict(color="C2", markerfacecolor="white", marker="D"),
}
OPTIONAL_LOOKS = ("not zero-shot",)
"""Looks that stand in the legend only where such a cell is drawn."""


def draw_cells(ax: Axes, rows: pd.DataFrame, value: str, low: str, high: str) -> None:
    """A point and its interval per row, at places 0, 1, ...; the look tells cells at their floor, and those of
    languages that the arm was trained in."""
    places, at_floor = np.arange(len(rows)), rows["at_floor"].to_numpy(bool)
    seen = ~rows["zero_shot"].to_numpy(bool) & ~at_floor if "zero_shot" in rows else np.zeros(len(rows), bool)
    for (label, look), chosen in zip(CELL_LOOKS.items(), (~at_floor & ~seen, at_floor, seen), strict=True):
        if label in OPTIONAL_LOOKS and not chosen.any():
            continue
        part = rows[chosen]
        error = np.maximum(0, [part[value] - part[low], part[high] - part[value]])  # rounding may pass 0
        ax.errorbar(places[chosen], part[value], yerr=error, linestyle="", elinewidth=0.8, label=label, **look)


def label_languages(ax: Axes, codes: pd.Series) -> Axes:
    """One language code per place on the horizontal axis."""
    ax.set_xticks(range(len(codes)), codes)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.7, len(codes) - 0.3)
    ax.grid(axis="y")
    return ax


def save_figure(fig: Figure, number: int, name: str) -> list[Path]:
    """Writes `<number>-<name>.svg` and `.png` into the project's figures (or XT_FIGURES) and returns their paths.

    No date, no program version, fixed ids: drawing the same data again writes the same bytes.
    """
    place = folder("XT_FIGURES")
    place.mkdir(parents=True, exist_ok=True)
    paths = [place / f"{number}-{name}.{kind}" for kind in ("svg", "png")]
    fig.savefig(paths[0], metadata={"Date": None, "Creator": None})
    fig.savefig(paths[1], metadata={"Software": None})
    return paths


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
