"""A table that grows row by row: what is added is read, once, whole, whatever ended the writer."""

import subprocess
import sys
import time

import pytest

from xt.errors import DataError
from xt.journal import add_row, follow, read_rows
from xt.schema import Column

COLUMNS = {"name": Column("string"), "status": Column("string", allowed=("done", "failed")),
           "note": Column("string", required=False)}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "runs.csv"


def add(path, name, status="done", note=None):
    add_row(path, name, dict(name=name, status=status, note=note), COLUMNS)


def names(path):
    return read_rows(path, COLUMNS)["name"].tolist()


def test_the_last_row_of_a_key_counts_and_an_empty_one_takes_it_out(path):
    assert names(path) == [] and follow(path, COLUMNS, "status") == {}
    for name, status in [("b", "failed"), ("a", "done"), ("b", "done"), ("c", "done")]:
        add(path, name, status, "with, a comma")
    add_row(path, "c", None, COLUMNS)
    rows = read_rows(path, COLUMNS)
    assert rows["name"].tolist() == ["a", "b"] and rows["status"].tolist() == ["done", "done"]
    assert follow(path, COLUMNS, "status") == {"a": "done", "b": "done", "c": ""}
    add(path, "c", "failed")
    assert names(path) == ["a", "b", "c"] and follow(path, COLUMNS, "status")["c"] == "failed"
    assert path.read_bytes().count(b"\n") == 7, "nothing is written anew"


@pytest.mark.parametrize("rest", ["", "\0\0\0\0\0\0", "\0\0\0\0\n"])
def test_what_was_cut_off_at_any_byte_is_not_read_and_goes_with_the_next_row(path, rest):
    add(path, "a")
    before = path.read_bytes()
    add(path, "b", note="long enough")
    whole = path.read_bytes()
    for length in range(len(before), len(whole)):
        path.write_bytes(whole[:length] + rest.encode())
        assert names(path) == ["a"] and set(follow(path, COLUMNS, "status")) == {"a"}
        add(path, "c")
        assert names(path) == ["a", "c"] and follow(path, COLUMNS, "status")["c"] == "done"
    assert path.read_bytes() == before + b"c,done,\n"


def test_a_follower_reads_on_and_notices_another_file_in_its_place(path):
    add(path, "a")
    seen = follow(path, COLUMNS, "status")
    path.write_bytes(path.read_bytes() + b"b,done,\nc,fai")
    assert follow(path, COLUMNS, "status") == {"a": "done", "b": "done"} == seen
    path.write_text("name,status,note\nz,done,much longer than what stood here before\n")
    assert follow(path, COLUMNS, "status") == {"z": "done"}
    path.unlink()
    assert follow(path, COLUMNS, "status") == {}


def test_a_damaged_row_or_head_is_named(path):
    add(path, "a")
    whole = path.read_text()
    for damaged in (whole.replace("done", "dune"), whole + "b,done\n", whole.replace("status", "state")):
        path.write_text(damaged)
        with pytest.raises(DataError, match="runs.csv.*allowed"):
            follow(path, COLUMNS, "status")
    with pytest.raises(DataError, match="runs.csv: its first line is .*state.*allowed: name,status,note"):
        add(path, "b")
    assert path.read_text() == damaged
    path.write_bytes(whole.encode() + b"b,done,\xff\n")
    with pytest.raises(DataError, match="runs.csv"):
        names(path)
    path.write_text(whole)
    with pytest.raises(DataError, match="a line break in a row: .*two"):
        add(path, "b", note="two\nlines")
    assert path.read_text() == whole


def test_an_older_file_without_the_last_columns_is_read_and_followed_and_gets_them_with_the_next_row(path):
    path.parent.mkdir()
    path.write_text("name,status\na,done\nb,done\nb,\n")
    assert names(path) == ["a"] and read_rows(path, COLUMNS)["note"].isna().all()
    assert follow(path, COLUMNS, "status") == {"a": "done", "b": ""} and follow(path, COLUMNS, "note")["a"] == ""
    with path.open("a") as file:
        file.write("cut o")
    add(path, "c", note="new")
    assert path.read_text() == "name,status,note\na,done,\nb,done,\nb,,\nc,done,new\n"
    assert follow(path, COLUMNS, "note") == {"a": "", "b": "", "c": "new"}
    path.write_text("name\na\n")
    with pytest.raises(DataError, match="status"):
        names(path)


WRITER = """
import sys
from pathlib import Path
from test_journal import add
for number in range(10**6):
    add(Path(sys.argv[1]), f"{sys.argv[2]}-{number}", note="x" * 3000)
    print(number, flush=True)
"""


def test_writers_that_are_killed_leave_every_row_that_they_said_they_wrote(path, request):
    command = [sys.executable, "-c", WRITER, str(path)]
    options = dict(cwd=request.path.parent, stdout=subprocess.PIPE, text=True)
    writers = [subprocess.Popen([*command, str(name)], **options) for name in range(3)]
    for writer in writers:
        writer.stdout.readline()
        time.sleep(0.05)
        writer.kill()
    said = [len(writer.communicate()[0].splitlines()) + 1 for writer in writers]
    found = names(path)
    for name, count in enumerate(said):
        written = sorted(int(row.split("-")[1]) for row in found if row.startswith(f"{name}-"))
        assert written == list(range(len(written))) and len(written) in (count, count + 1)


def git(place, *words):
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@y.z", "-c", "commit.gpgsign=false", *words]
    return subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout


def test_rows_that_two_people_added_merge(path, tmp_path, request):
    attributes = (request.path.parent.parent / ".gitattributes").read_text()
    path = tmp_path / "data" / "results" / "study" / "runs.csv"
    add(path, "first")
    (tmp_path / ".gitattributes").write_text(attributes)
    git(tmp_path, "init", "-q", "-b", "main")
    for branch in ("main", "other"):
        if branch == "other":
            git(tmp_path, "checkout", "-q", "-b", branch, "HEAD~1")
            add(path, branch)
            git(tmp_path, "commit", "-qam", branch)
        else:
            git(tmp_path, "add", ".")
            git(tmp_path, "commit", "-qm", "begin")
            add(path, branch)
            git(tmp_path, "commit", "-qam", branch)
    git(tmp_path, "merge", "-q", "main")
    assert names(path) == ["first", "main", "other"]
