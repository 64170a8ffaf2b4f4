"""What a committed table may hold: a rule per column, and a check that names file, column, row and value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xt.errors import DataError


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a committed table may hold."""

    dtype: str
    """pandas' name of the type; all of them know a missing value."""
    required: bool = True
    """Whether every row has a value."""
    allowed: tuple[str, ...] = ()
    """The values there may be; empty = any."""
    low: float = -np.inf
    """The smallest number allowed."""
    high: float = np.inf
    """The largest number allowed."""


def check_table(frame: pd.DataFrame, columns: Mapping[str, Column], file: Path | str) -> pd.DataFrame:
    """The frame with exactly these columns, in order and typed; '' counts as missing.

    Raises DataError that names file, column, row (0 = first data row), value and what is allowed.
    """
    if set(frame.columns) != set(columns):
        missing, unknown = set(columns) - set(frame.columns), set(frame.columns) - set(columns)
        raise DataError(
            f"{file}: columns missing: {sorted(missing)}, unknown: {sorted(unknown)}; "
            f"allowed: {', '.join(columns)}"
        )
    checked = {name: check_column(frame[name], rule, file) for name, rule in columns.items()}
    return pd.DataFrame(checked).reset_index(drop=True)


def check_column(values: pd.Series, rule: Column, file: Path | str) -> pd.Series:
    """The values as `rule.dtype`; raises DataError at the first that breaks the rule."""
    values = values.astype(object).where(values.notna() & (values != ""), None)
    present = values.notna()
    typed = CONVERT[rule.dtype](values)
    wrong = (~present & rule.required) | (present & typed.isna())
    if rule.allowed:
        wrong |= present & ~typed.isin(rule.allowed).fillna(False)
    if rule.dtype in ("Int64", "Float64"):
        wrong |= ((typed < rule.low) | (typed > rule.high)).fillna(False).astype(bool)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        allowed = ", ".join(rule.allowed) or f"{rule.dtype} from {rule.low} to {rule.high}"
        raise DataError(
            f"{file}: column {values.name}, row {row}: {values.iloc[row]!r}; allowed: {allowed}"
            + ("" if rule.required else ", or missing")
        )
    return typed


def convert_whole(values: pd.Series) -> pd.Series:
    """Whole numbers; what is none becomes missing."""
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64")
    return numbers.where((numbers % 1 == 0).fillna(False)).astype("Int64")


TRUTH = {"True": True, "False": False}
CONVERT: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "string": lambda values: values.map(str, na_action="ignore").astype("string"),
    "Int64": convert_whole,
    "Float64": lambda values: pd.to_numeric(values, errors="coerce").astype("Float64"),
    "boolean": lambda values: values.map(str, na_action="ignore").map(TRUTH).astype("boolean"),
}
"""dtype -> how values become it; what cannot becomes missing, which `check_column` then refuses."""


def refuse_duplicates(frame: pd.DataFrame, keys: Sequence[str], file: Path | str) -> None:
    """Raises DataError naming the first row whose keys have stood in an earlier one."""
    repeated = frame.duplicated(list(keys))
    if repeated.any():
        row = frame[repeated].iloc[0][list(keys)].to_dict()
        raise DataError(
            f"{file}: {int(repeated.sum())} rows repeat an earlier one, the first is {row}; "
            f"allowed: one row per {', '.join(keys)}"
        )
