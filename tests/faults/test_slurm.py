"""A study on a real Slurm: a cluster of one node with two pretended GPUs, started here, on loopback."""

import os
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from faults.grid_of import start_grid
from faults.soak import count, soak_only
from faults.test_sites import start_with
from faults.watching import PATIENCE, read_result, see_complete, wait_for_all

pytest.importorskip("parsl", reason="Parsl is not installed")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
lacking = [program for program in PROGRAMS if not shutil.which(program)]
pytestmark = [
    soak_only,
    pytest.mark.skipif(bool(lacking), reason=f"not installed: {lacking}; apt install slurmctld slurmd slurm-client"),
    pytest.mark.skipif(os.getuid() != 0, reason="only root starts slurmd"),
]
CONFIGURATION = """
ClusterName=xt
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=here Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
SITE = """
lost_after = 10
[executors.here]
provider = "slurm"
partition = "{partition}"
address = "127.0.0.1"
accelerators = 2
exclusive = false
walltime = "00:30:00"
memory = 3
"""


def find_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The variable by which Slurm's commands find the cluster."""
    place = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (place / name).mkdir()
    cores = os.cpu_count()
    text = CONFIGURATION.format(host=socket.gethostname(), ports=find_ports(2), place=place, cores=cores)
    (place / "slurm.conf").write_text(text)
    (place / "gres.conf").write_text("Name=gpu File=/dev/zero\nName=gpu File=/dev/full\n")
    variables = {"SLURM_CONF": str(place / "slurm.conf")}
    with (place / "daemons.log").open("w") as log:
        options = dict(env=os.environ | variables, stdout=log, stderr=log)
        daemons = [subprocess.Popen([name, "-D", "-c"], **options) for name in ("slurmctld", "slurmd")]
        try:
            deadline = time.monotonic() + 60
            while "idle" not in ask(variables, "sinfo", "--noheader", "--format=%T"):
                assert time.monotonic() < deadline, (place / "slurmctld.log").read_text()
                time.sleep(0.5)
            yield variables
        finally:
            for daemon in reversed(daemons):
                daemon.terminate()
                daemon.wait(30)


def ask(variables, *command):
    """What a command of Slurm prints."""
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True).stdout


def jobs(variables, state=""):
    """The jobs that wait or run."""
    return ask(variables, "squeue", "--noheader", "--format=%i", *([f"--states={state}"] if state else [])).split()


def start_on_slurm(place, log, variables, partition="here"):
    """A grid in a folder, on the cluster."""
    (place / "slurm.toml").write_text(SITE.format(partition=partition))
    return start_with(place / "slurm.toml", place, log, **variables)


def test_a_study_goes_on_in_the_next_job_when_slurm_takes_one_away(slurm, tmp_path, monkeypatch):
    alone = tmp_path / "alone"
    alone.mkdir()
    assert start_grid(alone, alone / "log").wait(PATIENCE) == 0
    draw, number = random.Random(3), 0
    with count("a job of Slurm cancelled under its notebooks", "slurm") as tally:
        while tally.tries < 5:
            place = tmp_path / f"study-{(number := number + 1)}"
            place.mkdir()
            grid = start_on_slurm(place, place / "log", slurm)
            while grid.poll() is None and not (started := find_started(place)):
                time.sleep(0.1)
            time.sleep(draw.uniform(0, 3))
            taken = jobs(slurm, "RUNNING")
            ask(slurm, "scancel", *taken)
            tally.tries += bool(taken and started)
            if wait_for_all(place, grid) or "lost   " not in (place / "log").read_text():
                tally.lose((place / "log").read_text())
            see_complete(place, monkeypatch)
            if read_result(place) != read_result(alone):
                tally.lose(f"other scores: {place}")
            assert not jobs(slurm), "no job is left behind"


def find_started(place: Path) -> list[Path]:
    """The folders of the runs that have begun."""
    return list((place / "runs").glob("*-s1-*"))


def test_a_partition_that_slurm_does_not_have_is_told_in_its_words(slurm, tmp_path):
    grid = start_on_slurm(tmp_path, tmp_path / "log", slurm, partition="nowhere")
    assert wait_for_all(tmp_path, grid) == 1
    told = (tmp_path / "log").read_text()
    assert "SiteFailed" in told and "invalid partition specified: nowhere" in told
