"""Lists, numbers, p values and intervals as words."""

from collections.abc import Iterable

import pandas as pd

LEVEL = 0.05
"""Adjusted p below which a difference is called reliable."""


def say_list(words: Iterable[str]) -> str:
    """`a, b and c`; `none` where there is nothing."""
    *first, last = list(words) or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def say_some(words: Iterable[str], most: int = 6) -> str:
    """As `say_list`, of the first ones; `a, b and 12 more` where there are more than `most`."""
    words = list(words)
    return say_list(words if len(words) <= most else [*words[:most], f"{len(words) - most} more"])


def say_number(value: float) -> str:
    """A signed number of points with one decimal and a minus sign, zero without one; a dash where it is missing."""
    if pd.isna(value):
        return "–"
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") if round(value, 1) else "0.0"


def say_p(p: float) -> str:
    """A p value with three decimals, `< 0.001` below that, a dash where it is missing."""
    return "–" if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def say_plain(value: float, digits: int = 1) -> str:
    """A number without a plus, a dash where it is missing."""
    return "–" if pd.isna(value) else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def say_interval(row: pd.Series, of: str = "") -> str:
    """`low to high` of columns whose names begin with `of`, in points; a dash where they are missing."""
    low, high = row[f"{of}low"], row[f"{of}high"]
    return "–" if pd.isna(low) else f"{say_number(low)} to {say_number(high)}"


def split_reliable(rows: pd.DataFrame, value: str, p: str = "p_holm") -> tuple[pd.DataFrame, ...]:
    """(reliably above 0, reliably below 0, not told from 0, not tested): rows by a column and its adjusted p value.
    What has no p value was not tested, and is no row without a difference."""
    reliable = rows[p] < LEVEL
    more, less = rows[reliable & (rows[value] > 0)], rows[reliable & (rows[value] < 0)]
    return more, less, rows[rows[p] >= LEVEL], rows[rows[p].isna()]
