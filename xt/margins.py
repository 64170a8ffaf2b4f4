"""What is called no relevant difference: margins of equivalence, committed before the results that they judge."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from xt.errors import require_known
from xt.locations import PROJECT
from xt.schema import Column, check_table, refuse_duplicates

MARGINS = PROJECT / "data" / "margins.csv"
SCHEMA = {
    "quantity": Column("string"),
    "unit": Column("string", allowed=("points", "percent")),
    "margin": Column("Float64", low=0.01, high=100),
    "source": Column("string"),
}
"""Columns of `data/margins.csv`: what is compared, in which unit, the margin, and why that one."""


@lru_cache(maxsize=8)
def load_margins(path: Path = MARGINS) -> pd.DataFrame:
    """The margins, checked, indexed by quantity. DataError naming file, row and value."""
    table = check_table(pd.read_csv(path, dtype=str, keep_default_na=False), SCHEMA, path)
    refuse_duplicates(table, ["quantity"], path)
    return table.set_index("quantity")


def margin_of(quantity: str, path: Path = MARGINS) -> float:
    """The margin of a quantity, in its unit. ValueError naming the quantities there are."""
    table = load_margins(path)
    return float(table.loc[require_known("quantity", quantity, table.index), "margin"])
