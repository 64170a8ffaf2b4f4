"""The client: asks the server for a process, and starts the server where there is none."""

import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from xt.kernels import server

IDLE_SECONDS = 300
"""A server that nobody has asked for so long ends; its children do not need it."""
ANSWER_SECONDS = 120
"""To wait for a process; the first one waits for the libraries too."""
READ_AT_IMPORT = re.compile(
    "ACCELERATE_|ARROW_|CUDA_(?!VISIBLE_DEVICES$)|GOMP_|HF_|HOME$|HUGGINGFACE_|KMP_|LANG|LC_|LD_|MALLOC_|MKL_|MPL|"
    "NUMEXPR_|NVIDIA_|OMP_|OPENBLAS_|PYTHON|PYTORCH_|TORCH|TRANSFORMERS_|TZ$|USE_|XDG_CACHE|XDG_CONFIG"
)
"""Variables that libraries or the interpreter may read as they start (which GPUs they may use a child asks)."""


class WarmProcess:
    """A process forked by the server, with those methods of `subprocess.Popen` that its owner needs."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int):
        self.connection, self.pid, self.returncode = connection, pid, None

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while the process runs."""
        with suppress(BlockingIOError):
            self.wait(socket.MSG_DONTWAIT)
        return self.returncode

    def wait(self, flags: int = 0) -> int:
        """Waits for the end of the process and returns its exit code; -9 where its keeper died, which kills it."""
        if self.returncode is None:
            answer = self.connection.recv(64, flags)
            self.returncode = int(answer.split()[1]) if answer else -signal.SIGKILL
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal to the process, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks the process to end, unless it has."""
        self.send_signal(signal.SIGTERM)


def fork_warm(command: Sequence[str], env: Mapping[str, str], cwd=None, stdout=None, stderr=None) -> WarmProcess:
    """The process of a command `[python, "-m", module, *arguments]`, forked from the server.

    `stdout` and `stderr` are open files, None for those of this process. Raises OSError where no such process is to be
    had.
    """
    python, _, module, *arguments = command
    cwd = os.path.abspath(cwd or ".")
    connection = connect(private_folder() / server_key(python, env, cwd), python, env, cwd)
    with open(os.memfd_create("request"), "w+") as file:  # in memory only: variables may hold tokens
        json.dump({"module": module, "arguments": arguments, "env": dict(env), "cwd": cwd}, file)
        file.seek(0)
        streams = [stdout.fileno() if stdout else 1, stderr.fileno() if stderr else 2]
        socket.send_fds(connection, [b"x"], [file.fileno(), *streams])
    connection.settimeout(ANSWER_SECONDS)
    answer = connection.recv(64).split()
    if answer[:1] != [b"pid"]:
        raise ChildProcessError("the server of warm kernels, or its child, ended at once")
    connection.settimeout(None)
    return WarmProcess(connection, int(answer[1]))


def connect(address: Path, python: str, env: Mapping[str, str], cwd: str) -> socket.socket:
    """A connection to the server at an address, which is started where there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with FileLock(f"{address}.lock"):
        try:
            connection.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            start_server(address, python, env, cwd)
            connection.connect(str(address))
    return connection


def start_server(address: Path, python: str, env: Mapping[str, str], cwd: str) -> None:
    """Starts a server, which logs to ADDRESS.log. It listens at once: clients wait in line while it imports."""
    address.unlink(missing_ok=True)
    own = {name: value for name, value in env.items() if not name.startswith("JPY_")}  # those are of one kernel
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener, open(f"{address}.log", "wb") as log:
        listener.bind(str(address))
        listener.listen(128)
        command = [python, server.__file__, str(listener.fileno()), str(address), str(IDLE_SECONDS)]
        options = dict(env=own, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        subprocess.run(command, pass_fds=[listener.fileno()], **options)


def private_folder() -> Path:
    """The folder of the sockets. PermissionError where another user could enter it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    place = Path(runtime if os.path.isdir(runtime) else tempfile.gettempdir()) / f"xt-kernels-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{place} is not a folder of this user alone")
    return place


def server_key(python: str, env: Mapping[str, str], cwd: str) -> str:
    """A hash of what clients of one server share: interpreter, libraries, variables, and what a fork inherits."""
    if not sys.platform.startswith("linux"):
        raise OSError(f"on {sys.platform} processes cannot be forked safely")
    paths = [os.path.join(cwd, path) for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    status, *texts = (Path(f"/proc/self/{name}").read_text() for name in ("status", "limits", "cgroup"))
    shared = (
        [python, Path(server.__file__).read_text(), os.stat(sysconfig.get_path("purelib")).st_mtime_ns, paths],
        sorted(item for item in env.items() if READ_AT_IMPORT.match(item[0])),
        re.findall(r"^(?:Groups|Umask|Cpus_allowed|NoNewPrivs):.*", status, re.MULTILINE),
        [*texts, os.getpriority(os.PRIO_PROCESS, 0), *sorted(map(os.readlink, Path("/proc/self/ns").iterdir()))],
    )
    return hashlib.sha256(json.dumps(shared).encode()).hexdigest()[:16]
