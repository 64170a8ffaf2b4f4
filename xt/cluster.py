"""Notebooks on the workers of a site, through Parsl: the GPUs of one host, or the nodes of a Slurm cluster.

Parsl brings a notebook to a worker and tells how it ended. What is done is known to the run store alone, on a file
system that all workers share: what a lost worker left unfinished goes on from its last checkpoint. All messages are
encrypted, with keys in a folder that only this user can enter.
"""

import logging
import os
import shlex
import shutil
import socket
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from xt.engine import POLL_SECONDS, Execution, start
from xt.errors import require_known
from xt.locations import folder
from xt.site import Executor, Site, read_site

COLD_NODES = 3
"""So many nodes in a row that end before their workers come up: the site is not as its file says."""
PASSED_ON = ("HF_", "JUPYTER_", "XT_")
"""Beginnings of the variables that a notebook takes along, tokens excepted."""


class SiteFailed(RuntimeError):
    """The site cannot run notebooks; the message says why, and where its logs lie."""


def open_engine(name: str, site: Path | None, workers: int, say: Callable[[str], None]) -> AbstractContextManager:
    """What gives (notebooks at a time, what starts one): processes of this machine, or the workers of a site file.

    Raises ValueError for an unknown engine, a site file that cannot be used or is not asked for, and without Parsl.
    """
    require_known("engine", name, ("local", "parsl"))
    if (name == "parsl") != (site is not None):
        raise ValueError("--engine parsl takes --site FILE, and only it does; samples of such files lie in sites/")
    if site is None:
        return nullcontext((workers, start))
    if find_spec("parsl") is None:
        raise ValueError("--engine parsl needs Parsl, which is not installed here: pip install -r requirements.txt")
    return ParslEngine(read_site(site), say)


class Submitted:
    """A notebook on a site, with those methods of `subprocess.Popen` that its owner needs."""

    returncode = None

    def __init__(self, engine: "ParslEngine", execution: Execution):
        self.engine, self.execution, self.losses = engine, execution, 0
        self.label, self.future = engine.submit(execution)

    def poll(self) -> int | None:
        """The exit code, or None while the notebook waits or runs; one that lost its worker is queued again.

        -9 where it has lost as many as the site allows. Raises SiteFailed where the site is broken.
        """
        if self.returncode is None and self.future.done():
            error = self.future.exception()
            if error is None:
                self.returncode = self.future.result()
            elif type(error).__name__ not in ("ManagerLost", "WorkerLost"):
                raise SiteFailed(f"{self.label} runs no notebooks: {error}; logs: {self.engine.logs}") from error
            else:
                self.lose(error)
        elif self.returncode is None and self.engine.kernel.executors[self.label].interchange_proc.poll() is not None:
            raise SiteFailed(f"the interchange of {self.label} has ended; logs: {self.engine.logs}")
        return self.returncode

    def lose(self, error: BaseException) -> None:
        """Queues the notebook again; an end where its worker is lost once too often."""
        self.losses += 1
        if self.losses <= self.engine.site.restarts:
            self.engine.say(f"lost   {self.execution.title}: {error}; queued again, it goes on where it was")
            self.label, self.future = self.engine.submit(self.execution)
        else:
            self.returncode = -9
            with self.execution.output.with_suffix(".log").open("a") as log:
                log.write(f"\nlost with its worker {self.losses} times, the last time: {error}\n")

    def terminate(self) -> None:
        """Nothing: the notebooks of a site end with its engine."""

    def wait(self) -> None:
        """Nothing, likewise."""


class ParslEngine:
    """The workers of a site. Nodes are asked for while notebooks wait, given back when idle, all of them at the end."""

    def __init__(self, site: Site, say: Callable[[str], None]):
        self.site, self.say, self.logs = site, say, folder("XT_RUNS").absolute() / "parsl"
        self.submitted: list[Submitted] = []

    def __enter__(self) -> tuple[int, Callable[[Execution], Submitted]]:
        return self.site.slots, self.start

    def __exit__(self, *_) -> None:
        executors = (
            [self.kernel.executors[row.name] for row in self.site.executors] if "kernel" in self.__dict__ else []
        )
        if executors and all(executor.interchange_proc.poll() is None for executor in executors):
            self.kernel.cleanup()
            return
        for executor in executors:  # who asks a dead interchange for its nodes waits for ever
            running = [block for block, status in executor.status_facade.items() if not status.terminal]
            executor.provider.cancel([executor.blocks_to_job_id[block] for block in running])
            executor.interchange_proc.kill()

    @cached_property
    def kernel(self):
        """Parsl's data flow kernel, started when the first notebook comes."""
        from parsl.config import Config
        from parsl.dataflow.dflow import DataFlowKernel
        from parsl.logconfigs.file import FileLogging

        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        executors = [build_executor(executor, self.site.lost_after) for executor in self.site.executors]
        logs = dict(run_dir=str(self.logs), initialize_logging=FileLogging(level=logging.INFO))
        return DataFlowKernel(Config(executors, strategy="htex_auto_scale", **logs))

    def start(self, execution: Execution) -> Submitted:
        """Queues a notebook."""
        self.submitted = [one for one in self.submitted if one.returncode is None]
        self.submitted.append(Submitted(self, execution))
        return self.submitted[-1]

    def submit(self, execution: Execution) -> tuple:
        """(name of the executor with the smallest share of busy slots, the future of the exit code there)."""
        busy = Counter(one.label for one in self.submitted if one.returncode is None)
        label = min(self.site.executors, key=lambda executor: busy[executor.name] / executor.slots).name
        execution.output.parent.mkdir(parents=True, exist_ok=True)
        there = replace(execution, output=execution.output.absolute())
        task = dict(app_args=(there, pass_on(os.environ), os.getcwd()), app_kwargs={}, executors=[label])
        return label, self.kernel.submit(run_notebook, **task, cache=False, ignore_for_cache=None)


def pass_on(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that a notebook takes along: where things lie, no token."""
    return {name: text for name, text in variables.items() if name.startswith(PASSED_ON) and "TOKEN" not in name}


def run_notebook(execution: Execution, variables: dict[str, str], cwd: str) -> int:
    """On a worker: runs a notebook and returns papermill's exit code; ends it where the worker's node is given up.

    Raises FileNotFoundError where the worker does not see the files of the host that asks.
    """
    for place in (Path(cwd), execution.notebook, execution.output.parent):
        if not place.exists():
            raise FileNotFoundError(f"{socket.gethostname()} does not see {place}: workers need the files of this host")
    os.chdir(cwd)
    manager, process = os.getppid(), start(execution, **variables)
    while process.poll() is None:
        if os.getppid() != manager:
            process.terminate()
        time.sleep(POLL_SECONDS)
    return process.returncode


def build_executor(executor: Executor, lost_after: int):
    """Parsl's executor: workers pinned to their accelerators, and an interchange that dies with this process."""
    from parsl.executors import HighThroughputExecutor

    tie = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    return HighThroughputExecutor(
        label=executor.name,
        provider=PROVIDERS[executor.provider](executor),
        address=executor.address or None,
        max_workers_per_node=executor.workers_per_node,
        cores_per_worker=1e-3,  # as many workers as the site says, however many cores there are
        available_accelerators=executor.groups,
        heartbeat_period=max(1, lost_after // 4),
        heartbeat_threshold=lost_after,
        interchange_launch_cmd=[*tie, sys.executable, os.path.join(sysconfig.get_path("scripts"), "interchange.py")],
        block_error_handler=refuse_cold_nodes,
        encrypted=True,
    )


def build_local_provider(executor: Executor):
    """Nodes that are groups of processes on this host."""
    from parsl.providers import LocalProvider

    return LocalProvider(**nodes_of(executor))


def build_slurm_provider(executor: Executor):
    """Nodes that are jobs of Slurm."""
    from parsl.providers import SlurmProvider

    asked = {name: getattr(executor, name) or None for name in ("partition", "account", "qos", "constraint", "gres")}
    return SlurmProvider(
        **nodes_of(executor),
        **asked,
        gpus_per_node=None if executor.gres else len(set(executor.accelerators)) or None,
        cores_per_node=executor.cores or None,
        mem_per_node=executor.memory or None,
        walltime=executor.walltime,
        exclusive=executor.exclusive,
        scheduler_options="\n".join(f"#SBATCH {option}" for option in executor.options),
    )


PROVIDERS = {"local": build_local_provider, "slurm": build_slurm_provider}
"""Provider of a site file -> Parsl's."""


def nodes_of(executor: Executor) -> dict:
    """What every provider is told: how many nodes, and the shell lines that open this environment there."""
    scripts = shlex.quote(sysconfig.get_path("scripts"))
    lines = f"export PATH={scripts}:$PATH\n{executor.worker_init}"
    return dict(init_blocks=0, min_blocks=0, max_blocks=executor.nodes, worker_init=lines)


def refuse_cold_nodes(executor, statuses: Mapping) -> None:
    """Gives an executor up whose last nodes were all refused, or ended before their workers came up."""
    last = sorted(statuses, key=int)[-COLD_NODES:]
    cold = [
        block for block in last if statuses[block].state.name == "MISSING" or block not in executor.blocks_to_job_id
    ]
    if len(cold) == COLD_NODES:
        told = "; ".join(filter(None, (statuses[cold[-1]].message, statuses[cold[-1]].stderr_summary)))
        executor.scale_in_facade(len(statuses))
        executor.set_bad_state_and_fail_all(SiteFailed(f"{COLD_NODES} nodes in a row did not come up: {told}"))
