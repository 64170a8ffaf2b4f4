"""Site files: which workers the notebooks of a study may run on, as small checked rows (TOML).

A table `[executors.NAME]` names workers of one kind; the folder `sites/` holds samples. A worker runs one notebook at a
time. A node is what its provider starts and ends as a whole: a group of processes on this host, or a job of Slurm.
"""

import re
import tomllib
from dataclasses import Field, dataclass, field, fields
from pathlib import Path

from xt.errors import require_known

COUNT, NAME, OPTION = r"[1-9]\d{0,5}", r"[\w.,:+@%-]+", r"--[a-z][a-z-]*(=[^\s\"'`$;&|<>]+)?"
WALLTIME = r"\d{1,4}:[0-5]\d:[0-5]\d"


def row(default, what: str, pattern: str, allowed: str):
    """A dataclass field: what it says, the pattern that its text (each text of a list) matches, and that in words."""
    return field(default=default, metadata={"what": what, "pattern": pattern, "allowed": allowed})


@dataclass(frozen=True)
class Executor:
    """Workers of one kind on this host."""

    name: str  # of its table: small letters, digits, _ and -
    provider: str = row("local", "what starts a node", NAME, "local or slurm")
    nodes: int = row(1, "at most at a time; one is started while there is work for it", COUNT, ">= 1")
    workers: int = row(0, "of a node; 0 = one per group of accelerators, or one", r"0|" + COUNT, ">= 0")
    accelerators: tuple = row((), "of a node, as CUDA_VISIBLE_DEVICES spells them, or how many", NAME, "names")
    accelerators_per_worker: int = row(1, "that a worker's notebook sees", COUNT, ">= 1")
    address: str = row("127.0.0.1", "of this host, as the workers reach it; empty = they try all", r"[\w.:-]*", "one")
    worker_init: str = row("", "shell lines before the workers of a node start", r"(?s).*", "shell lines")

    @property
    def groups(self) -> list[str]:
        """The accelerators of each worker, comma-separated; empty where there are none."""
        size = self.accelerators_per_worker
        whole = len(self.accelerators) // size * size
        return [",".join(self.accelerators[first : first + size]) for first in range(0, whole, size)]

    @property
    def workers_per_node(self) -> int:
        """Notebooks at a time on one node."""
        return self.workers or len(self.groups) or 1

    @property
    def slots(self) -> int:
        """Notebooks at a time."""
        return self.nodes * self.workers_per_node


@dataclass(frozen=True)
class SlurmExecutor(Executor):
    """Workers in jobs of Slurm, one node each. What is left empty is not asked for, and Slurm's own default holds."""

    address: str = row("", "of this host, as the workers reach it; empty = they try all", r"[\w.:-]*", "one")
    walltime: str = row("24:00:00", "after which Slurm ends a job; its runs go on in the next", WALLTIME, "hh:mm:ss")
    partition: str = row("", "to ask", NAME, "a name")
    account: str = row("", "to charge", NAME, "a name")
    qos: str = row("", "quality of service", NAME, "a name")
    constraint: str = row("", "features of a node", r"[\w.&|*()\[\]-]+", "an expression of Slurm")
    gres: str = row("", "generic resources, instead of one GPU for each of the accelerators", NAME, "gpu:a100:4")
    cores: int = row(0, "of a node", r"0|" + COUNT, ">= 1")
    memory: int = row(0, "of a node, in GB", r"0|" + COUNT, ">= 1")
    exclusive: bool = row(True, "whole nodes; false only where Slurm hides the GPUs of others", "True|False", "a bool")
    options: tuple = row((), "further options of sbatch, one each", OPTION, '"--mail-type=FAIL", ...')


KINDS = {"local": Executor, "slurm": SlurmExecutor}
"""Provider -> the rows it has."""


@dataclass(frozen=True)
class Site:
    """Where notebooks run."""

    restarts: int = row(20, "how often a notebook may lose its worker before its run counts as failed", r"\d+", ">= 0")
    lost_after: int = row(60, "seconds of silence after which a node counts as lost", COUNT, ">= 1")
    executors: tuple[Executor, ...] = ()

    @property
    def slots(self) -> int:
        """Notebooks at a time."""
        return sum(executor.slots for executor in self.executors)


def read_site(path: Path) -> Site:
    """The site of a file.

    Raises ValueError naming the file, the table, the row, its value and what is allowed; it names the line where the
    file is no TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"site file {path}: {error}") from error
    executors = table.pop("executors", {})
    if not (isinstance(executors, dict) and executors and all(isinstance(rows, dict) for rows in executors.values())):
        raise ValueError(f"site file {path}: no table [executors.NAME]; the samples in the folder sites have one each")
    made = tuple(build_executor(f"{path}: [executors.{name}]", name, rows) for name, rows in executors.items())
    return Site(**check_rows(str(path), Site, table), executors=made)


def build_executor(where: str, name: str, rows: dict) -> Executor:
    """An executor of its table. Raises ValueError as `read_site` does."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise ValueError(f"{where}: no name; allowed: small letters, digits, _ and -")
    kind = KINDS[require_known(f"provider in {where}", rows.get("provider", "local"), KINDS)]
    if type(count := rows.get("accelerators")) is int and count >= 0:
        rows = rows | {"accelerators": [str(number) for number in range(count)]}
    made = kind(name, **check_rows(where, kind, rows))
    spare = len(made.accelerators) % made.accelerators_per_worker
    if spare or (made.accelerators and made.workers > len(made.groups)):
        raise ValueError(
            f"{where}: the accelerators {', '.join(made.accelerators)} are not enough for {made.workers_per_node} "
            f"workers with {made.accelerators_per_worker} each, or some are left over; name one twice to share it"
        )
    return made


def check_rows(where: str, kind: type, rows: dict) -> dict:
    """The rows of a table, lists as tuples. Raises ValueError for an unknown row and for a value not allowed."""
    known = {entry.name: entry for entry in fields(kind) if entry.metadata}
    for name, value in rows.items():
        entry = known[require_known(f"row in {where}", name, known)]
        if not fits(entry, value):
            what, allowed = entry.metadata["what"], entry.metadata["allowed"]
            raise ValueError(f"{where} {name} = {value!r} is not allowed; it says {what}; allowed: {allowed}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in rows.items()}


def fits(entry: Field, value) -> bool:
    """Whether a value has its row's type, and its text, or each text of a list, the row's pattern."""
    many = isinstance(entry.default, tuple)
    kind, values = (str, value) if many else (type(entry.default), [value])
    return isinstance(values, list) and all(
        type(one) is kind and re.fullmatch(entry.metadata["pattern"], str(one)) for one in values
    )
