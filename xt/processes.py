"""Several processes that make one training together: how they are started, what each keeps, what they agree on.

How many there are is no knob, just as the device is none: a training that several began may be ended by one. Whoever
starts a run says it in variables. `XT_PROCESSES`: how many on this machine, each with a GPU where there are GPUs.
`XT_LAUNCH`: the command that starts them on several machines (`srun ... torchrun ...`). `XT_SHARD`: 1 = each keeps a
part of weights, gradients and moments (FSDP2), 0 = all of them (DDP). The process that asks for the training holds its
lock and waits; the first of those that it starts writes the run's folder, alone.
"""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

MEMBER = "xt.member"
POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
"""That the others have to end by themselves once one has failed."""
TIMEOUT = timedelta(hours=4)
"""To wait for another process at one point: while the first reads and encodes the data, say."""
LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}


def num_processes() -> int:
    """Processes that `XT_PROCESSES` asks for. ValueError for what is no number of them."""
    asked = os.environ.get("XT_PROCESSES") or "1"
    if not asked.isdecimal() or int(asked) < 1:
        raise ValueError(f"XT_PROCESSES = {asked!r} is not allowed; allowed: a whole number from 1 on")
    return int(asked)


def are_asked_for() -> bool:
    """Whether trainings are made by processes of their own."""
    return num_processes() > 1 or bool(os.environ.get("XT_LAUNCH"))


def name_device(device: str) -> str:
    """A device's name with the number of processes of a training: `4 x NVIDIA H200`; as it is where there is one.

    Of `XT_LAUNCH`, which may hold accounts and tokens, the numbers of nodes and processes of torchrun alone are told.
    """
    if launch := os.environ.get("XT_LAUNCH"):
        told = dict(re.findall(r"--(nnodes|nproc[-_]per[-_]node)[= ](\d+)(?!\S)", launch))
        return " x ".join([*(told[name] for name in sorted(told)), device]) + ", XT_LAUNCH"
    return f"{num_processes()} x {device}" if num_processes() > 1 else device


def start_all(run_id: str, place: Path, num_threads: int) -> list[subprocess.Popen]:
    """The processes of a run, or the one command that starts them; each logs to a file of `place`.

    They end when their standard input does, and so with this process, however it ends.
    """
    common, count = os.environ | {"OMP_NUM_THREADS": str(num_threads)}, num_processes()
    if launch := os.environ.get("XT_LAUNCH"):
        wanted = [([*shlex.split(launch), "-m", MEMBER, run_id], common)]
    else:
        meeting = LOOPBACK | common | {"XT_MEETING": str(place / "meeting"), "WORLD_SIZE": str(count)}
        ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(count)} for rank in range(count)]
        wanted = [([sys.executable, "-m", MEMBER, run_id], meeting | rank) for rank in ranks]
    started = []
    for place_of, (command, variables) in enumerate(wanted):
        with (place / f"{place_of}.log").open("wb") as log:
            options = dict(env=variables, stdin=subprocess.PIPE, stdout=log, stderr=log)
            started.append(subprocess.Popen(command, **options))
    return started


def train_in_processes(run_id: str, folder: Path, num_threads: int, report: Callable[[dict], None]) -> None:
    """Has a run trained into its folder; `report` gets the lines of its log as they come.

    Raises RuntimeError with the last lines of those that failed; the others are then ended.
    """
    with tempfile.TemporaryDirectory() as place:
        started, told = start_all(run_id, Path(place), num_threads), None
        try:
            while any(process.poll() is None for process in started) and not any(p.returncode for p in started):
                time.sleep(POLL_SECONDS)
                line = last_line(folder / "train.jsonl")
                if line and line != told:
                    report(told := line)
            deadline = time.monotonic() + GRACE_SECONDS
            while any(process.poll() is None for process in started) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        finally:
            end_all(started)
        failed = {rank: process for rank, process in enumerate(started) if process.returncode}
        if failed:
            said = [f"{rank + 1} of {len(started)}, exit code {process.returncode}:\n{last_lines(Path(place), rank)}"
                    for rank, process in failed.items()]  # fmt: skip
            raise RuntimeError("\n".join(["a process of the training failed", *said]))


def end_all(started: Sequence[subprocess.Popen]) -> None:
    """Ends processes that still run, and waits until they have."""
    for process in started:
        process.stdin.close()
    for process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        process.kill()
        process.wait()


def last_lines(place: Path, rank: int, count: int = 12) -> str:
    """The end of a process's own output."""
    return "\n".join((place / f"{rank}.log").read_text(errors="replace").splitlines()[-count:])


def last_line(log: Path, size: int = 4096) -> dict | None:
    """The last whole line of a log of JSON, None where there is none yet."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - size))
            lines = handle.read().rpartition(b"\n")[0].splitlines()
    except FileNotFoundError:
        return None
    return json.loads(lines[-1]) if lines and lines[-1].startswith(b"{") else None


def join() -> None:
    """Makes this process one of several, as the variables of torchrun or of `start_all` say; it ends with its starter.

    Raises ValueError where there are more processes than GPUs.
    """
    import torch

    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=end_with_input, daemon=True).start()
    meeting, rank = os.environ.get("XT_MEETING"), int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        if rank >= torch.cuda.device_count():
            raise ValueError(f"XT_PROCESSES is more than the {torch.cuda.device_count()} GPUs that there are to see")
        torch.cuda.set_device(rank)
    where = dict(rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"])) if meeting else {}
    torch.distributed.init_process_group(
        backend="nccl" if torch.cuda.is_available() else "gloo",
        init_method=f"file://{meeting}" if meeting else "env://",
        timeout=TIMEOUT,
        **where,
    )


def end_with_input() -> None:
    """Waits for the end of standard input, then ends the process at once."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def part() -> tuple[int, int]:
    """(which of the processes of a training this one is, from 0; how many there are)."""
    import torch

    joined = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if joined else (0, 1)


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return part()[0] == 0


def is_sharded() -> bool:
    """Whether each process keeps a part of the weights only. ValueError where `XT_SHARD` says neither."""
    asked = os.environ.get("XT_SHARD") or "0"
    if asked not in {"0", "1"}:
        raise ValueError(f"XT_SHARD = {asked!r} is not allowed; allowed: 0 or 1")
    return asked == "1" and part()[1] > 1


def agree(*values: float, device) -> tuple[float, ...]:
    """The first process's values, in all of them."""
    if part()[1] == 1:
        return values
    import torch

    told = torch.tensor(values, dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, 0)
    return tuple(told.tolist())


def add_up(value):
    """The sum of a tensor over all processes."""
    if part()[1] > 1:
        import torch

        torch.distributed.all_reduce(value)
    return value


def shard(network, layers: Sequence, precision: str):
    """The network with its weights parted among the processes, in place; gathered layer by layer where it computes.

    Products are computed in the knob's precision, gradients added up in float32. Raises ValueError for a dual encoder.
    """
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    if any(parameter.ndim == 0 for parameter in network.parameters()):
        raise ValueError("XT_SHARD = 1 with a dual encoder, whose scale cannot be parted; allowed: 0")
    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if precision == "bf16" else MixedPrecisionPolicy()
    for module in (*layers, network):
        fully_shard(module, mp_policy=policy, reshard_after_forward=True)
    return network


def whole(tensor):
    """All of a tensor of which each process may keep a part; where it does, all of them must ask."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def gather(tensors: Mapping) -> dict:
    """Name -> the whole tensor; where they are parted, on the host of the first process alone, after all have asked."""
    found = {}
    for name, tensor in tensors.items():
        value = whole(tensor)
        if value is tensor or is_first():
            found[name] = value if value is tensor else value.cpu()
    return found


def fill(target, tensor) -> None:
    """Writes a whole tensor into one of which each process may keep a part."""
    if hasattr(target, "full_tensor"):
        from torch.distributed.tensor import distribute_tensor

        tensor = tensor.to(target.device)
        tensor = distribute_tensor(tensor, target.device_mesh, target.placements, src_data_rank=None)
    target.copy_(tensor)
