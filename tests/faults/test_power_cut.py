"""The order of a save, read off the system calls: file synced, renamed, its folder synced, DONE last of all.

What the system has not been told to sync may be lost in a power cut, or come to the disk in any order.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from faults.grid_of import places
from faults.soak import count, soak_only
from faults.test_grids import write_templates

from xt.locations import PROJECT

CALLS = "openat,write,pwrite64,writev,ftruncate,rename,renameat,renameat2,fsync,fdatasync,mkdir,mkdirat"
WRITES = {"write", "pwrite64", "writev", "ftruncate"}
UNSYNCED = ("cache/features/", "cache/digests.json", "cache/.")
"""Kept only to be faster, and held against its checksum when it is read: it may be lost."""
CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
FILE = re.compile(r"^\d+<([^>]+)>")
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"')
UNFINISHED = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$")


class Disk:
    """What a power cut could take, as the calls go by, and what was promised too early."""

    def __init__(self, place: Path):
        self.place, self.known = str(place), set()
        self.contents: set[str] = set()  # files written since they were last synced
        self.entries: set[str] = set()  # paths whose name their folder was not yet told to keep
        self.faults: list[str] = []
        self.saves: Counter = Counter()

    def follow(self, call: str, words: str) -> None:
        """Takes note of one call that succeeded."""
        if found := FILE.match(words):
            path = found[1].removesuffix(" (deleted)")
            if path.startswith(self.place):
                self.on_file(call, path)
        elif call.startswith("rename"):
            old, new = (os.path.join(self.place, *filter(None, names)) for names in NAMED.findall(words))
            if new.startswith(self.place):
                self.rename(old, new)
        elif call.startswith("mkdir") or "O_CREAT" in words:
            path = NAMED.search(words)[2]
            if path.startswith(self.place) and path not in self.known:
                self.known.add(path)
                self.entries.add(path)

    def on_file(self, call: str, path: str) -> None:
        """A write to an open file, or a sync of it or of a folder."""
        if call in WRITES:
            if Path(path).name == "runs.csv":
                self.promise(path, Path(path).parent)
            self.contents.add(path)
        elif call in ("fsync", "fdatasync"):
            self.contents.discard(path)
            self.entries = {entry for entry in self.entries if os.path.dirname(entry) != path}

    def rename(self, old: str, new: str) -> None:
        """A file or folder gets its name; one that is no draft is from now on what readers find."""
        if not is_draft(new):
            self.check(new, {path for path in self.contents if is_under(path, old)}, "is renamed unsynced")
            self.check(
                new, {path for path in self.entries if is_under(path, old) and path != old}, "has unsynced names"
            )
            self.check(
                new, {path for path in self.named() if not path.startswith(old)}, "comes before a folder is synced"
            )
            if Path(new).name == "DONE":
                self.promise(new, Path(new).parent)
            self.saves[re.sub(r"-s\d+-\w+|[0-9a-f]{12}", "", os.path.relpath(new, self.place))] += 1
        for paths in (self.contents, self.entries, self.known):
            moved = {path for path in paths if is_under(path, old)}
            paths -= moved
            paths |= {new + path.removeprefix(old) for path in moved}
        self.entries.add(new)
        self.known.add(new)

    def named(self) -> set[str]:
        """What was renamed, no draft, and whose folder is not synced yet."""
        return {path for path in self.entries if path in self.known and self.saves_of(path)}

    def saves_of(self, path: str) -> bool:
        return bool(self.saves[re.sub(r"-s\d+-\w+|[0-9a-f]{12}", "", os.path.relpath(path, self.place))])

    def promise(self, what: str, folder: Path) -> None:
        """DONE, or a row of the index, says that all of a folder is there."""
        lost = {path for path in self.contents | self.entries if is_under(path, str(folder)) and path != what}
        lost = {
            path
            for path in lost
            if not is_draft(path) and "/checkpoint" not in path and not path.endswith("notebook.ipynb")
        }
        self.check(what, lost, "promises what is not on the disk")

    def check(self, what: str, lost: set[str], why: str) -> None:
        """Notes a fault where something could be lost."""
        lost = {path for path in lost if not os.path.relpath(path, self.place).startswith(UNSYNCED)}
        if lost:
            self.faults.append(f"{what} {why}: {sorted(lost)}")


def is_under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def is_draft(path: str) -> bool:
    """Whether a path is, or lies in, something that no reader looks for."""
    return any(part.startswith(".") and part != ".locks" for part in Path(path).parts)


def trace(script: str, place: Path, *arguments: str) -> Disk:
    """What a script does to a folder, call by call."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    place.mkdir(exist_ok=True)
    log = place.with_name(f"{place.name}.trace")
    environment = os.environ | places(place) | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}", "OMP_NUM_THREADS": "1"}
    command = [
        "strace",
        "-f",
        "-y",
        "--seccomp-bpf",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(log),
        sys.executable,
        "-c",
        script,
    ]
    done = subprocess.run([*command, str(place), *arguments], env=environment, capture_output=True, text=True)
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip(f"this machine lets nobody be traced: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    disk, waiting = Disk(place), {}
    for line in log.read_text(errors="replace").splitlines():
        if found := UNFINISHED.match(line):
            waiting[found[1]] = f"{found[1]} {found[2]}({found[3]}"
            continue
        if found := RESUMED.match(line):
            line = waiting.pop(found[1], "") + found[2]
        if (found := CALL.match(line)) and int(found[4]) >= 0:
            disk.follow(found[2], found[3])
    disk.check("the end", {path for path in disk.named() if not is_draft(path)}, "comes before a folder is synced")
    return disk


CHEAP = """
import os, sys
from pathlib import Path
if "no fsync" in sys.argv:
    os.fsync = lambda handle: None
if "no fsync of folders" in sys.argv:
    real = os.fsync
    os.fsync = lambda handle: None if os.path.isdir(os.readlink(f"/proc/self/fd/{handle}")) else real(handle)
from faults import cheap_notebook
cheap_notebook.make(Path(sys.argv[1]), "intermediate-mnli-none-s1-0123456789ab", 0)
cheap_notebook.make(Path(sys.argv[1]), "xnli-none-s1-0123456789ab", 0)
"""


def test_a_run_is_on_the_disk_before_done_says_so_and_the_check_sees_what_is_not(tmp_path):
    write_templates(tmp_path / "place")
    disk = trace(CHEAP, tmp_path / "place")
    assert not disk.faults and disk.saves["runs/xnli-none/DONE"] == 1, disk.saves
    for what, said in (
        ("no fsync", "is renamed unsynced"),
        ("no fsync of folders", "promises what is not on the disk"),
    ):
        shutil.rmtree(tmp_path / "place" / "runs")
        harmed = trace(CHEAP, tmp_path / "place", what)
        assert any(said in fault for fault in harmed.faults), what


REAL = """
import sys
from pathlib import Path
from faults.grid_of import STUDY
from xt import store, train
from xt.grid import StudyRunner
from xt.transfer import run_block

train.CHECKPOINT_SECONDS = 0.0
config = STUDY.score_config("tiny", "mnli", "xnli", 1)
run_block([config])
notebook = Path(sys.argv[1]) / "out.ipynb"
notebook.write_text("{}")
store.keep_notebook(config.run_id, notebook)
runner = StudyRunner(STUDY, print)
runner.collect_complete()
assert not runner.failures
"""


@soak_only
def test_every_save_of_a_real_run_is_synced_renamed_and_its_folder_synced(tmp_path):
    with count("order of every save of a run and of its results, for a power cut", "power-cut") as tally:
        disk = trace(REAL, tmp_path / "place")
        tally.tries = disk.saves.total()
        tally.lost = len(disk.faults)
        tally.notes = disk.faults[:5]
        names = {path.rpartition("/")[2] for path in disk.saves}
        assert {
            "config.json",
            "train.jsonl",
            "checkpoint",
            "encoder",
            "outcome.json",
            "notebook.ipynb",
            "DONE",
        } <= names
        assert any(path.startswith("results/") for path in disk.saves), disk.saves
