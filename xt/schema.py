"""What a committed table may hold: a rule per column, and a check that names file, column, row and value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

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
            f"{file}: columns missing: {sorted(missing)}, unknown: {sorted(unknown)}; allowed: {', '.join(columns)}"
        )
    checked = {name: check_column(frame[name], rule, file) for name, rule in columns.items()}
    return pd.DataFrame(checked).reset_index(drop=True)


def check_column(values: pd.Series, rule: Column, file: Path | str) -> pd.Series:
    """The values as `rule.dtype`; raises DataError at the first that breaks the rule."""
    raw = values.to_numpy(dtype=object)
    present = np.array(
        [not absent and value != "" for absent, value in zip(pd.isna(raw), raw, strict=True)], dtype=bool
    )
    typed = CONVERT[rule.dtype](np.where(present, raw, None))
    untyped = np.asarray(typed.isna())
    wrong = untyped if rule.required else untyped & present
    if rule.allowed:
        wrong = wrong | present & ~np.asarray(typed.isin(rule.allowed), dtype=bool)
    if rule.dtype in ("Int64", "Float64"):
        numbers = typed.to_numpy(dtype=float, na_value=np.nan)
        wrong = wrong | (numbers < rule.low) | (numbers > rule.high)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        allowed = ", ".join(rule.allowed) or f"{rule.dtype} from {rule.low} to {rule.high}"
        raise DataError(
            f"{file}: column {values.name}, row {row}: {raw[row] if present[row] else None!r}; allowed: {allowed}"
            + ("" if rule.required else ", or missing")
        )
    return pd.Series(typed, name=values.name)


def convert_text(values: np.ndarray) -> ExtensionArray:
    """Text, as each value is printed."""
    return pd.array([None if value is None else str(value) for value in values], dtype="string")


def convert_number(values: np.ndarray) -> ExtensionArray:
    """Numbers; what is none becomes missing."""
    return pd.array(pd.to_numeric(values, errors="coerce"), dtype="Float64")


def convert_whole(values: np.ndarray) -> ExtensionArray:
    """Whole numbers; what is none becomes missing."""
    numbers = convert_number(values).to_numpy(dtype=float, na_value=np.nan)
    whole = numbers % 1 == 0
    return pd.arrays.IntegerArray(np.where(whole, numbers, 0).astype("int64"), ~whole)


TRUTH = {"True": True, "False": False}


def convert_truth(values: np.ndarray) -> ExtensionArray:
    """Truth by name; what is none becomes missing."""
    return pd.array([TRUTH.get(str(value)) for value in values], dtype="boolean")


CONVERT: Mapping[str, Callable[[np.ndarray], ExtensionArray]] = {
    "string": convert_text,
    "Int64": convert_whole,
    "Float64": convert_number,
    "boolean": convert_truth,
}
"""dtype -> how values (None: missing) become it; what cannot becomes missing, which `check_column` then refuses."""


def refuse_duplicates(frame: pd.DataFrame, keys: Sequence[str], file: Path | str) -> None:
    """Raises DataError naming the first row whose keys have stood in an earlier one."""
    repeated = frame.duplicated(list(keys))
    if repeated.any():
        row = frame[repeated].iloc[0][list(keys)].to_dict()
        raise DataError(
            f"{file}: {int(repeated.sum())} rows repeat an earlier one, the first is {row}; "
            f"allowed: one row per {', '.join(keys)}"
        )
