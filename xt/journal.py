"""A table on disk that grows row by row: CSV at whose end rows are added, the last one of a key counts.

Adding a row costs the same however many there are, and a commit of it is a few lines. A row is whole once its line has
ended: what a kill or a power cut left of one is not read, and goes when the next is added. A row that is empty but for
its key (the first column) takes the key out. An older file may lack the last columns, where they are optional: nothing
is known there, and they come with the next row that is added.
"""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xt.disk import room_for, write_bytes
from xt.errors import DataError
from xt.locks import open_lock
from xt.schema import Column, check_table


def read_rows(path: Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The rows that count, checked and sorted by their key; empty where there is no file.

    Raises DataError naming file, row and value for what is off schema.
    """
    content = whole_lines(path.read_bytes()) if path.is_file() else b""
    try:
        raw = pd.read_csv(io.BytesIO(content or encode_row(columns)), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as a table ({error}); allowed: {','.join(columns)}") from error
    lacking = list(columns)[len(raw.columns) :]
    if [*raw, *lacking] == list(columns) and not any(columns[name].required for name in lacking):
        raw = raw.reindex(columns=list(columns), fill_value="")
    key, *others = raw.columns
    blank = raw[others[:1]].eq("").all(axis=1)
    blank[blank] = raw.loc[blank, others].eq("").all(axis=1)
    counts = ~blank & ~raw[key].duplicated(keep="last")
    return check_table(raw[counts], columns, path).sort_values(key, ignore_index=True)


def add_row(path: Path, key: str, row: Mapping | None, columns: Mapping[str, Column]) -> None:
    """Puts a row at the end of the file, which counts from then on, or takes the key out (None); synced.

    Raises DataError for a row off schema or with a line break in it, and for a file of other columns; DiskFull where
    there is no room.
    """
    first, *_ = columns
    line = encode_row(columns, {first: key}) if row is None else encode_checked(path, row, columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(path.parent.parent / f".{path.parent.name}.lock"):
        if not path.is_file():
            return write_bytes(path, encode_row(columns) + line)
        with room_for(path, "the rows that stood there are kept"), path.open("r+b") as file:
            if len(check_header(file.readline(), columns, path)) < len(columns):
                return write_bytes(path, widen(whole_lines(path.read_bytes()), columns) + line)
            file.truncate(end_of_lines(file))
            file.seek(0, os.SEEK_END)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def encode_checked(path: Path, row: Mapping, columns: Mapping[str, Column]) -> bytes:
    """The line of a row.  Raises DataError for one off schema, or with a line break in it."""
    row = check_table(pd.DataFrame([row], columns=list(columns)), columns, path).iloc[0].to_dict()
    line = encode_row(columns, row)
    if line.count(b"\n") > 1 or b"\r" in line:
        raise DataError(f"{path}: a line break in a row: {row}; allowed: none")
    return line


def encode_row(columns: Iterable[str], row: Mapping | None = None) -> bytes:
    """A line of the file; its header without a row."""
    frame = pd.DataFrame([row] if row else [], columns=list(columns))
    return frame.to_csv(index=False, header=row is None, lineterminator="\n", float_format="%.4f").encode()


def check_header(line: bytes, columns: Mapping[str, Column], path: Path) -> list[str]:
    """The columns that a file's first line names: these in this order, maybe without optional ones at the end.

    Raises DataError for other ones.
    """
    names = list(columns)
    while line != encode_row(names):
        if not names or columns[names.pop()].required:
            raise DataError(f"{path}: its first line is {line[:200]!r}; allowed: {','.join(columns)}")
    return names


def widen(content: bytes, columns: Mapping[str, Column]) -> bytes:
    """The lines of an older file with all columns, nothing in those that it lacked."""
    header, *rows = content.splitlines(keepends=True)
    lacking = encode_row(columns).count(b",") - header.count(b",")
    return encode_row(columns) + b"".join(row[:-1] + b"," * lacking + b"\n" for row in rows)


def whole_lines(content: bytes) -> bytes:
    """Lines up to the last line break, without one that a power cut left as zeros."""
    whole = content[: content.rfind(b"\n") + 1]
    last = whole.rfind(b"\n", 0, -1) + 1
    return whole[:last] if b"\0" in whole[last:] else whole


def end_of_lines(file, block: int = 1 << 16) -> int:
    """Where the whole lines of an open file end."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - block)
    file.seek(start)
    kept = len(whole_lines(file.read()))
    return start + kept if kept or not start else end_of_lines(file, 2 * block)


@dataclass
class Follower:
    """What was read of a growing file so far."""

    end: int = 0  # bytes of whole lines
    last: bytes = b""  # the last of them
    width: int = 0  # columns
    values: dict[str, str] = field(default_factory=dict)


FOLLOWED: dict[tuple[Path, str], Follower] = {}


def follow(path: Path, columns: Mapping[str, Column], name: str) -> Mapping[str, str]:
    """Key -> one column of its last row, '' for a key that was taken out; reads only what was added since it was asked.

    Raises DataError naming the row where one has another number of columns, or a value that is not allowed.
    """
    known = FOLLOWED.setdefault((path, name), Follower())
    with path.open("rb") if path.is_file() else io.BytesIO() as file:
        file.seek(max(0, known.end - len(known.last)))
        if file.read(len(known.last)) != known.last:  # another file in its place
            known = FOLLOWED[path, name] = Follower()
            file.seek(0)
        if not known.end and (header := file.readline()):
            known.width = len(check_header(header, columns, path))
            known.end, known.last = len(header), header
        added = whole_lines(file.read())
    place, allowed = list(columns).index(name), columns[name].allowed
    for row in csv.reader(io.StringIO(added.decode(errors="replace"), newline="")):
        value = row[place] if place < len(row) else ""
        if len(row) != known.width or (value and allowed and value not in allowed):
            raise DataError(f"{path}: row {row}; allowed: {known.width} columns, {name} one of {allowed}")
        known.values[row[0]] = value
    known.end, known.last = known.end + len(added), added[added.rfind(b"\n", 0, -1) + 1 :] or known.last
    return known.values
