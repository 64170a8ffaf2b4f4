"""How often a fault is tried, and what is written of it.

`make test` tries each fault a few times. `make soak` sets XT_SOAK, tries it as often as the published table says, and
writes what happened to data/results/faults/<name>.csv, from which `faults.table` makes the table.
"""

import csv
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import pytest

from xt.locations import PROJECT
from xt.machine import code_version

SOAK = bool(os.environ.get("XT_SOAK"))
RESULTS = PROJECT / "data" / "results" / "faults"
soak_only = pytest.mark.skipif(not SOAK, reason="`make soak` runs it")
"""Marks a test that is too long for `make test` however few its tries."""


def tries(fast: int, soak: int) -> int:
    """How often a fault is tried: `fast` times in `make test`, `soak` times in `make soak`."""
    return soak if SOAK else fast


class Unseen(int):
    """The zero of what nobody has looked for: no number in the file, until something is added to it."""

    def __str__(self) -> str:
        return ""


@dataclass
class Tally:
    """What happened in the tries of one fault; a row of the file.

    A test that looks for what was done twice or read half-written adds what it found, 0 too.
    """

    fault: str
    tries: int = 0
    lost: int = 0  # tries after which a run, a score or a label was lost or wrong, or the fault was not told
    done_twice: int = Unseen()  # runs that were made again though they were complete
    half_read: int = Unseen()  # files that were read half-written, or used though damaged
    seconds: float = 0.0
    code_version: str = ""
    notes: list[str] = field(default_factory=list)  # what was wrong; not written

    def lose(self, note: str) -> None:
        """Counts a try that lost something, and keeps what to say of it."""
        self.lost += 1
        self.notes.append(note)


COLUMNS = ("fault", "tries", "lost", "done_twice", "half_read", "seconds", "code_version")


@contextmanager
def count(fault: str, name: str):
    """A Tally to fill; at the end writes its row to <name>.csv (in `make soak`) and fails unless nothing was lost.

    Rows of other faults in the file stay, and all of them where the test is skipped or broken off by hand. Fails too
    where there was no try, so that nothing is reported of nothing.
    """
    tally, started = Tally(fault, code_version=code_version()), time.monotonic()
    try:
        yield tally
    except (pytest.skip.Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        tally.lost += 1
        write_row(name, tally, started)
        raise
    write_row(name, tally, started)
    assert tally.tries > 0, f"{fault}: not tried"
    assert not tally.lost + tally.done_twice + tally.half_read, (tally, *tally.notes)


def write_row(name: str, tally: Tally, started: float) -> None:
    """Puts a tally into its file, in place of the row of the same fault; nothing in `make test`."""
    if not SOAK:
        return
    tally.seconds = round(time.monotonic() - started, 1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = [row for row in read_rows(name) if row["fault"] != tally.fault]
    rows.append({column: str(asdict(tally)[column]) for column in COLUMNS})
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["fault"]))


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a file; none where `make soak` has not written it yet."""
    path = RESULTS / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
