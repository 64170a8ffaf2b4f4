"""The one style of all figures, and how they are saved: the same bytes each time they are drawn."""

from io import BytesIO
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from xt.locations import folder

STYLE = Path(__file__).with_name("figures.mplstyle")
GAIN_COLOURS = "RdBu"
"""Diverging, red to blue: told apart by all common kinds of colour blindness."""
SCORE_COLOURS = "cividis"
"""From dark to bright, made for colour-blind readers (Nuñez et al. 2018)."""
NO_GAIN_COLOUR, HATCH_COLOUR = "0.93", "0.7"
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
"""Markers of series, taken in turn beside the eight colours: what is told by colour is told in grey as well."""
CSS_PIXELS = 96
"""Pixels of a web page per inch."""
POINTS = 72
"""Points of type per inch."""


def use_style() -> None:
    """Sets the project's style for the figures that follow."""
    plt.style.use(STYLE)


def make_grid(count: int, height: float, **options) -> tuple[Figure, list[Axes]]:
    """(figure, its axes): `count`, one at least, three in a row of 6.6 inches (four: two by two), each of this height
    in inches; `options` are those of `plt.subplots`."""
    count = max(1, count)
    num_columns = 2 if count == 4 else min(3, count)
    num_rows = -(-count // num_columns)
    size = (min(6.6, 3.3 * num_columns), height * num_rows + 0.3)
    fig, grid = plt.subplots(num_rows, num_columns, figsize=size, squeeze=False, **options)
    for ax in grid.flat[count:]:
        ax.set_axis_off()
    return fig, list(grid.flat[:count])


def measure_text(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches of one line of text of this size in points."""
    return TextPath((0, 0), text, size, prop=FontProperties(weight=weight)).get_extents().width / POINTS


def draw_nothing(ax: Axes) -> Axes:
    """Axes that say that there is nothing to draw."""
    ax.text(0.5, 0.5, "no results", ha="center", va="center", transform=ax.transAxes)
    ax.set_axis_off()
    return ax


def save_figure(fig: Figure, number: int, name: str, alt: str = "") -> list[Path]:
    """Writes `<number>-<name>.svg` and `.png` into the project's figures (or XT_FIGURES) and returns their paths.

    No date, no program version, fixed ids: drawing the same data again writes the same bytes.  With `alt`, what the
    figure says for a reader who does not see it, the PNG is shown in the notebook with that text, as wide as drawn, and
    the figure is closed.
    """
    place = folder("XT_FIGURES")
    place.mkdir(parents=True, exist_ok=True)
    paths = [place / f"{number}-{name}.{kind}" for kind in ("svg", "png")]
    fig.savefig(paths[0], metadata={"Date": None, "Creator": None})
    save_png(fig, paths[1])
    if alt:
        show_image(paths[1], alt, round(CSS_PIXELS * fig.get_figwidth()))
        plt.close(fig)
    return paths


def save_png(fig: Figure, path: Path) -> None:
    """Writes a figure as PNG with at most 256 colours, in a third of the size, as notebooks hold it too."""
    from PIL import Image

    drawn = BytesIO()
    fig.savefig(drawn, format="png")
    reduced = Image.open(drawn).convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
    reduced.save(path, "PNG", optimize=True, dpi=(fig.dpi, fig.dpi))


def show_image(path: Path, alt: str, width: int) -> None:
    """Shows a PNG file in the notebook with its alternative text, `width` CSS pixels wide; nothing outside of one."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython():
        shown = {"image/png": path.read_bytes(), "text/plain": alt}
        display(shown, raw=True, metadata={"image/png": {"width": width, "alt": alt}})
