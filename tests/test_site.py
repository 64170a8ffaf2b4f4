"""Site files: what they say, and what is said of one that cannot be meant."""

import re

import pytest

from xt.locations import PROJECT
from xt.site import read_site

SLURM = '[executors.a]\nprovider = "slurm"\n'


def write(place, text):
    path = place / "site.toml"
    path.write_text(text)
    return path


def test_the_samples_say_what_their_first_lines_promise():
    [gpus] = read_site(PROJECT / "sites" / "gpus.toml").executors
    assert (gpus.provider, gpus.slots, gpus.groups) == ("local", 4, ["0", "1", "2", "3"])
    assert gpus.address == "127.0.0.1", "workers of this host need no other interface"
    site = read_site(PROJECT / "sites" / "slurm.toml")
    [nodes] = site.executors
    assert (nodes.provider, nodes.nodes, nodes.workers_per_node, site.slots) == ("slurm", 8, 4, 32)
    assert nodes.walltime == "24:00:00" and nodes.exclusive and "module load" in nodes.worker_init


@pytest.mark.parametrize(
    "rows, groups, slots",
    [
        ("", [], 1),
        ("workers = 3", [], 3),
        ("accelerators = 4\naccelerators_per_worker = 2\nnodes = 2", ["0,1", "2,3"], 4),
        ('accelerators = ["4", "4", "7"]', ["4", "4", "7"], 3),
        ("accelerators = 4\nworkers = 2", ["0", "1", "2", "3"], 2),
    ],
)
def test_a_worker_gets_its_share_of_the_accelerators(rows, groups, slots, tmp_path):
    [executor] = read_site(write(tmp_path, f"[executors.a]\n{rows}")).executors
    assert (executor.groups, executor.slots) == (groups, slots)


@pytest.mark.parametrize(
    "text, said",
    [
        ("workers = 2\n[executors.a]", r"unknown row in .*site.toml 'workers'; allowed: restarts, lost_after"),
        ("executors = 3", r"no table \[executors.NAME\]"),
        ("[executors.a]\nworkers = ", r"Invalid value \(at (line 2|end of document)"),
        ("[executors.A]", r"\[executors.A\]: no name"),
        ("[executors.a]\nworker = 2", r"\[executors.a\] 'worker'; did you mean 'workers'\?"),
        ("[executors.a]\nworkers = '2'", r"\[executors.a\] workers = '2' is not allowed.*>= 0"),
        ("[executors.a]\nworkers = true", r"workers = True is not allowed"),
        ("[executors.a]\nnodes = 0", r"nodes = 0 is not allowed.*>= 1"),
        ("[executors.a]\naccelerators = -1", r"accelerators = -1 is not allowed"),
        ("[executors.a]\naccelerators = '0'", r"accelerators = '0' is not allowed"),
        ("[executors.a]\naccelerators = [0]", r"accelerators = \[0\] is not allowed"),
        ("[executors.a]\naccelerators = 2\nworkers = 3", r"not enough for 3 workers"),
        ("[executors.a]\naccelerators = 3\naccelerators_per_worker = 2", r"left over"),
        ("[executors.a]\npartition = 'gpu'", r"unknown row in .*'partition'"),
        ("[executors.a]\nprovider = 'slrum'", r"unknown provider in .*'slrum'; did you mean 'slurm'"),
        (SLURM + "walltime = '24h'", r"walltime = '24h' is not allowed.*hh:mm:ss"),
        (SLURM + 'partition = "gpu\\nrm -rf ~"', r"partition = .* is not allowed"),
        (SLURM + 'options = ["--mem=1\\necho"]', r"options = .* is not allowed"),
        (SLURM + 'options = "--x"', r"options = '--x' is not allowed"),
        (SLURM + "exclusive = 1", r"exclusive = 1 is not allowed"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_table_row_and_value(text, said, tmp_path):
    with pytest.raises(ValueError, match=said) as refused:
        read_site(write(tmp_path, text))
    assert re.search(r"site\.toml", str(refused.value))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="site file .*nowhere.toml"):
        read_site(tmp_path / "nowhere.toml")
