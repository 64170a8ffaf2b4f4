"""The published table of faults is what the files say, and a lost try cannot pass."""

import re
import shutil
import subprocess

import pytest
from faults import soak, table

from xt.locations import PROJECT


def row(fault, lost=0, half_read="0", version="c"):
    return dict(
        fault=fault,
        tries="1200",
        lost=str(lost),
        done_twice="0",
        half_read=half_read,
        seconds="90",
        code_version=version,
    )


def test_a_row_is_a_line_and_the_page_around_it_stays():
    page = f"# Faults\n\n{table.MARKS[0]}\nold\n{table.MARKS[1]}\n\nlast words\n"
    filled = table.fill(page, table.render_table([row("disk full"), row("kill -9", lost=2)]))
    assert (
        "| disk full | 1,200 | 0 | 0 | 0 | 1.5 |\n| kill -9 | 1,200 | 2 | 0 | 0 | 1.5 |\n\nTried: `c`.\n<!--" in filled
    )
    assert filled.startswith("# Faults\n") and filled.endswith("last words\n") and "old" not in filled
    with pytest.raises(ValueError, match="once each"):
        table.fill("# Faults\n", "")


def test_what_nobody_looked_for_is_no_zero_and_versions_do_not_mix_unseen():
    told = table.render_table([row("disk full", half_read=""), row("kill -9"), row("away", version="d")])
    assert "| disk full | 1,200 | 0 | 0 | – | 1.5 |" in told
    assert told.endswith("Tried: `c` (disk full; kill -9), `d` (away).")
    assert table.render_table([]).endswith("---|"), "no version of nothing"


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
    assert (found["another"]["done_twice"], found["another"]["half_read"]) == ("", ""), "nobody looked for them"
    harmed = {"broken off": "lost"}.get(harm, harm)
    assert harm == "not tried" or found["a fault"][harmed] == "1"


@pytest.mark.parametrize("ending", [pytest.skip.Exception("no strace"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_a_test_that_is_skipped_or_broken_off_by_hand_has_lost_nothing_and_keeps_the_row(ending, tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "SOAK", True)
    monkeypatch.setattr(soak, "RESULTS", tmp_path)
    with soak.count("a fault", "example") as tally:
        tally.tries += 7
    for fault in ("a fault", "another"):
        with pytest.raises(type(ending)), soak.count(fault, "example") as tally:
            tally.tries += 1
            raise ending
    assert [(row["fault"], row["tries"], row["lost"]) for row in soak.read_rows("example")] == [("a fault", "7", "0")]


def test_zero_found_is_zero_said(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "SOAK", True)
    monkeypatch.setattr(soak, "RESULTS", tmp_path)
    with soak.count("a fault", "example") as tally:
        tally.tries += 1
        tally.half_read += len([])
    assert [(row["half_read"], row["done_twice"]) for row in soak.read_rows("example")] == [("0", "")]


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize("code", [0, 1])
def test_a_soak_that_lost_something_fails_and_is_published_all_the_same(code, tmp_path):
    """The lines of `make soak`, with a pytest that ends so, in a folder where an older soak has left its files."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "data/results/faults").mkdir(parents=True)
    (tmp_path / "data/results/faults/renamed.csv").touch()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$2" >> asked\ntest "$2" != pytest || exit {code}\n')
    python.chmod(0o755)
    rule = re.search(r"^soak: \$\(INSTALLED\).*\n((?:\t.*\n)+)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    (tmp_path / "Makefile").write_text(f"BIN := bin\nsoak:\n{rule[1]}")
    assert (subprocess.run(["make", "soak"], cwd=tmp_path, check=False).returncode != 0) == bool(code)
    assert (tmp_path / "asked").read_text().split() == ["pytest", "tests.faults.table"]
    assert not list((tmp_path / "data/results/faults").iterdir())
