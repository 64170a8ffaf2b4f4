"""A disk that is full at any write of a run: told, nothing lost, and the same run goes on when there is room."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from faults import full_disk
from faults.soak import count, soak_only, tries

from xt.locations import PROJECT

WAYS = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))
EVERY = 1 << 20


def run_full(place: Path, writes: int) -> list[dict]:
    """What `full_disk` says of so many writes."""
    if not shutil.which("cc"):
        pytest.skip("this machine has no C compiler: writes are counted by a few lines of C")
    counter = place / "counter.so"
    source = Path(full_disk.__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", counter, source, "-ldl"], check=True)
    (place / "probe").mkdir()
    for way in WAYS:
        probe = [*way, "sh", "-c", f"mount -t tmpfs none {place / 'probe'}"]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("this machine lets nobody mount a disk of memory")
    variables = {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}", "OMP_NUM_THREADS": "1", "LD_PRELOAD": str(counter)}
    command = [*way, sys.executable, full_disk.__file__, str(place), str(writes)]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def where(row: dict) -> str:
    """Where a run stopped, alike for the same write of every run."""
    return re.sub(r"[0-9a-f]{12}|\d+", "N", row["said"].splitlines()[0])


@soak_only
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(tmp_path):
    wanted = tries(fast=1, soak=EVERY)
    with count("disk full from every write of a run on, write by write", "disk-full") as tally:
        whole, *rows = run_full(tmp_path, wanted)
        expected = whole["said"]
        assert expected.startswith("[") and whole["writes"] > 100, whole
        assert len(rows) == min(wanted, whole["writes"])
        for row in rows:
            is_full = row["said"] != expected
            tally.tries += 1
            tally.half_read += len(row["damaged"]) + len(row["broken"])
            if is_full and "free some disk and start the same run again" not in row["said"]:
                tally.lose(f"full at write {row['full_at']} it says no more than: {row['said']}")
            if row["again"] != expected or not row["committed"]:
                tally.lose(f"with room again after write {row['full_at']}: {row['again']}")
        stops = {where(row) for row in rows if row["said"] != expected}
        assert len(stops) > min(10, len(rows) // 4), stops
        assert any(row["checkpoints"] for row in rows) or wanted < EVERY, "once a checkpoint was kept"
