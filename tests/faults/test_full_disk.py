"""A disk that is full at any write of a run: told, nothing lost, and the same run goes on when there is room."""

import json
import os
import re
import subprocess
import sys

import pytest
from faults import full_disk
from faults.soak import SOAK, count, soak_only

from xt.locations import PROJECT

WAYS = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))


def run_full(place, *frees: int) -> list[dict]:
    """What `full_disk` says of these numbers of free pages."""
    place.mkdir()
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}", "OMP_NUM_THREADS": "1"}
    for way in WAYS:
        probe = [*way, "sh", "-c", f"mount -t tmpfs none {place}"]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("this machine lets nobody mount a disk of memory")
    command = [*way, sys.executable, full_disk.__file__, str(place), *map(str, frees)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def where(row: dict) -> str:
    """Where a run stopped, alike for the same write of every run."""
    return re.sub(r"[0-9a-f]{12}|\d+", "N", row["said"].splitlines()[0])


@soak_only
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(tmp_path):
    with count("disk full at every write of a run in turn", "disk-full") as tally:
        [whole] = run_full(tmp_path / "whole")
        pages, expected = whole["pages"], whole["said"]
        frees = {0, pages} if SOAK else {pages // 2}
        seen: dict[int, dict] = {}
        while frees:
            rows = run_full(tmp_path / f"tries-{len(seen)}", *sorted(frees))[1:]
            seen |= {row["free"]: row for row in rows}
            steps = sorted(seen)
            frees = {
                (low + high) // 2
                for low, high in zip(steps, steps[1:], strict=False)
                if SOAK and high - low > 1 and where(seen[low]) != where(seen[high])
            }
        for row in seen.values():
            is_full = row["said"] != expected
            tally.tries += is_full
            tally.half_read += len(row["damaged"]) + len(row["broken"])
            if is_full and "free some disk and start the same run again" not in row["said"]:
                tally.lose(f"with {row['free']} pages free it says no more than: {row['said']}")
            if row["again"] != expected or not row["committed"]:
                tally.lose(f"with room again after {row['free']} free pages: {row['again']}")
        stops = {where(row) for row in seen.values()}
        assert len(stops) > 10 or not SOAK, "the disk was full at several writes"
        assert any(row["checkpoints"] for row in seen.values()) or not SOAK, "once a checkpoint was kept"
