"""Claims and their verdicts: a matrix of studies, and the effects that the verdicts rest on."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from xt.claims import CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED
from xt.plots.forest import draw_intervals, label_rows, mark_zero
from xt.plots.style import HATCH_COLOUR, NO_GAIN_COLOUR, draw_nothing
from xt.prose import say_effect, say_name

VERDICT_LOOKS = {
    SUPPORTED: dict(facecolor="#0072B2", word="white", mark="+ "),
    CONTRADICTED: dict(facecolor="#D55E00", word="white", mark="\N{MINUS SIGN} "),
    UNDECIDED: dict(facecolor="#F7E08A", word="black", mark="? "),
    NOT_TESTED: dict(facecolor=NO_GAIN_COLOUR, word="0.35", mark="", hatch="///"),
}
"""Verdict -> ground, colour of the word, the mark before it; the word itself always stands there."""


def plot_verdicts(ledgers: pd.DataFrame, ax: Axes) -> Axes:
    """Claims about effects (rows) x studies (columns): the verdict as word, mark and colour, the effect beneath.

    `ledgers`: rows of `xt.claims.judge_study` of one or several studies, parts `direction` and `groups` only.
    """
    if ledgers.empty:
        return draw_nothing(ax)
    order, studies = (list(dict.fromkeys(ledgers[name])) for name in ("claim_id", "study"))
    names = say_name(ledgers).str.replace(" (", "\n(")
    claims = sorted(dict.fromkeys(names), key=lambda name: order.index(name.partition("\n")[0]))
    for name, row in zip(names, ledgers.itertuples(), strict=True):
        draw_verdict(ax, studies.index(row.study), claims.index(name), row)
    ax.set_xlim(-0.5, len(studies) - 0.5)
    ax.set_ylim(len(claims) - 0.5, -0.5)
    ax.set_xticks(range(len(studies)), studies)
    ax.set_yticks(range(len(claims)), claims)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def draw_verdict(ax: Axes, column: int, row: int, entry) -> None:
    """One cell: its ground, the word with its mark, and the effect with its adjusted interval."""
    look = VERDICT_LOOKS[entry.verdict]
    ground = dict(facecolor=look["facecolor"], hatch=look.get("hatch"), edgecolor=HATCH_COLOUR, linewidth=0)
    ax.add_patch(Rectangle((column - 0.495, row - 0.48), 0.99, 0.96, **ground))
    told = np.isfinite(entry.effect)
    said = look["mark"] + entry.verdict
    words = [ax.text(column, row - 0.18 * told, said, ha="center", va="center", size=6.5, color=look["word"])]
    if told:
        said = say_effect(entry._asdict())
        words.append(ax.text(column, row + 0.22, said, ha="center", va="center", size=5.5, color=look["word"]))
    for word in words:
        word.set_bbox(dict(facecolor=look["facecolor"], pad=1, linewidth=0))


def plot_claimed(ledger: pd.DataFrame, ax: Axes) -> Axes:
    """Effects of one study (rows) with their adjusted intervals, over the side on which each claim would hold.

    `ledger`: rows of `xt.claims.judge_study` with an effect. An open interval runs out of the frame.
    """
    if ledger.empty:
        return draw_nothing(ax)
    numbers = ledger[["effect", "low", "high"]].to_numpy(float)
    reach = 1.1 * np.abs(numbers[np.isfinite(numbers)]).max()
    for place, row in enumerate(ledger.itertuples()):
        low, high = max(row.claimed_low, -reach), min(row.claimed_high, reach)
        ax.add_patch(Rectangle((low, place - 0.4), high - low, 0.8, facecolor="0.88", linewidth=0))
        ax.text(1.01, place, row.verdict, transform=ax.get_yaxis_transform(), va="center", size=6.5)
    ends = ledger.assign(
        place=range(len(ledger)), low=ledger["low"].clip(-2 * reach), high=ledger["high"].clip(None, 2 * reach)
    )
    for verdict, rows in ends.groupby("verdict"):
        colour = VERDICT_LOOKS[verdict]["facecolor"] if verdict in (SUPPORTED, CONTRADICTED) else "0.35"
        draw_intervals(ax, rows, rows["place"].to_numpy(), "effect", color=colour)
    label_rows(mark_zero(ax), say_name(ledger))
    ax.set(xlim=(-reach, reach), xlabel="effect (points), adjusted interval\ngrey: where the claim would hold")
    return ax
