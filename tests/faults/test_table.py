"""The published table of faults is what the files say, and a lost try cannot pass."""

import pytest
from faults import soak, table


def row(fault, lost=0):
    return dict(
        fault=fault, tries="1200", lost=str(lost), done_twice="0", half_read="0", seconds="90", code_version="c"
    )


def test_a_row_is_a_line_and_the_page_around_it_stays():
    page = f"# Faults\n\n{table.MARKS[0]}\nold\n{table.MARKS[1]}\n\nlast words\n"
    filled = table.fill(page, table.render_table([row("disk full"), row("kill -9", lost=2)]))
    assert "| disk full | 1,200 | 0 | 0 | 0 | 1.5 |\n| kill -9 | 1,200 | 2 | 0 | 0 | 1.5 |\n<!--" in filled
    assert filled.startswith("# Faults\n") and filled.endswith("last words\n") and "old" not in filled
    with pytest.raises(ValueError, match="once each"):
        table.fill("# Faults\n", "")


@pytest.mark.skipif(not table.PAGE.is_file(), reason=f"no {table.PAGE.name}")
def test_the_page_says_what_the_files_say():
    page = table.PAGE.read_text(encoding="utf-8")
    assert table.fill(page, table.render_table(table.read_all())) == page, "`make soak` ends by writing it"


@pytest.mark.parametrize("harm", ["lost", "done_twice", "half_read", "not tried", "broken off"])
def test_a_fault_that_did_harm_fails_and_is_written_all_the_same(harm, tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "SOAK", True)
    monkeypatch.setattr(soak, "RESULTS", tmp_path)
    with soak.count("another", "example") as tally:
        tally.tries += 1
    with pytest.raises(ZeroDivisionError if harm == "broken off" else AssertionError):
        with soak.count("a fault", "example") as tally:
            tally.tries += harm != "not tried"
            setattr(tally, harm, 1) if hasattr(tally, harm) else None
            assert harm != "broken off" or 1 / 0
    found = {row["fault"]: row for row in soak.read_rows("example")}
    assert set(found) == {"a fault", "another"} and found["another"]["lost"] == "0"
    harmed = {"broken off": "lost"}.get(harm, harm)
    assert harm == "not tried" or found["a fault"][harmed] == "1"
