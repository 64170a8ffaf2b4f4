"""The table of faults in SECURITY.md, made of what `make soak` wrote: `python -m tests.faults.table` puts it there.

It stands between the two lines of MARKS; nobody types a number of it.
"""

from xt.locations import PROJECT

PAGE = PROJECT / "SECURITY.md"
MARKS = ("<!-- faults: written by `make soak` -->", "<!-- end of faults -->")
HEADS = ("fault", "tries", "lost", "done twice", "half-written read", "minutes")


def render_table(rows: list[dict[str, str]]) -> str:
    """Markdown of some rows of the files, in the order given; a dash for what was not looked for.

    Below it the version of the code that was tried, or which rows are of which where there are several.
    """
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    for row in rows:
        minutes = f"{float(row['seconds']) / 60:.1f}"
        found = (row[name] or "–" for name in ("lost", "done_twice", "half_read"))
        lines.append("| " + " | ".join((row["fault"], f"{int(row['tries']):,}", *found, minutes)) + " |")
    versions = {row["code_version"]: [] for row in rows}
    for row in rows:
        versions[row["code_version"]].append(row["fault"])
    said = [f"`{one}`" + (f" ({'; '.join(faults)})" if len(versions) > 1 else "") for one, faults in versions.items()]
    return "\n".join([*lines, *(["", f"Tried: {', '.join(said)}."] if said else [])])


def read_all() -> list[dict[str, str]]:
    """The rows of all files, in the order of their names; none before `make soak` ran."""
    from faults.soak import RESULTS, read_rows

    return [row for path in sorted(RESULTS.glob("*.csv")) for row in read_rows(path.stem)]


def fill(page: str, table: str) -> str:
    """A page with the table between its marks. ValueError where the page has not exactly one such place."""
    if any(page.count(mark) != 1 for mark in MARKS):
        raise ValueError(f"{PAGE.name} needs the lines {MARKS[0]} and {MARKS[1]}, once each")
    before, _, rest = page.partition(MARKS[0])
    return f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}"


def write_table() -> None:
    """Puts the table of the files into SECURITY.md."""
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), render_table(read_all())), encoding="utf-8")


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(PROJECT / "tests"))
    write_table()
