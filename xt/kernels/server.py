"""The server: `python server.py FD ADDRESS IDLE_SECONDS`, a script of its own that imports nothing of `xt`.

FD is a listening socket (SOCK_SEQPACKET) at ADDRESS. A request is one byte and three files: JSON of `module`,
`arguments`, `env` and `cwd`; standard output; standard error. The answer is `pid N`, then, at the end, `returncode N`.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress

PRELOADED = """
torch accelerate safetensors.torch transformers.activations transformers.modeling_utils
transformers.models.auto.modeling_auto transformers.models.auto.tokenization_auto
transformers.models.bert.modeling_bert transformers.models.xlm_roberta.modeling_xlm_roberta
transformers.models.xlm_roberta.tokenization_xlm_roberta pandas pyarrow.parquet scipy.stats matplotlib.pyplot seaborn
ipykernel.kernelapp ipykernel.ipkernel papermill.cli
"""
INLINE = "module://matplotlib_inline.backend_inline"
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Preloads and serves; in a child, does what `python -m` does with the module asked for."""
    number, address, idle_seconds = sys.argv[1:]
    if os.fork():
        os._exit(0)  # whoever started it has nothing to wait for
    os.setsid()
    del sys.path[: not sys.flags.safe_path]  # the folder of this script
    os.chdir("/")
    for name in PRELOADED.split():
        importlib.import_module(name)
    compile_notebook_schema()
    gc.collect()
    gc.freeze()
    connection = serve(socket.socket(fileno=int(number)), address, float(idle_seconds))
    if connection:
        request = keep(connection)
        draw_apart()
        sys.argv[1:] = request["arguments"]
        try:
            runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
            leave(0)
        except SystemExit as ending:
            if ending.code is not None and not isinstance(ending.code, int):
                raise
            leave(ending.code or 0)


def compile_notebook_schema() -> None:
    """Has nbformat build its validator, which it does when it is first asked, and papermill asks in each process."""
    import nbformat

    nbformat.validate(nbformat.v4.new_notebook())


def leave(code: int) -> None:
    """Ends the process as Python does, but leaves the libraries' memory to the system.

    Taking down half a gigabyte of objects writes to every page that is shared with the server: half a second.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.__stdout__, sys.__stderr__):
        stream.flush()
    os._exit(code & 0xFF)


def serve(listener: socket.socket, address: str, idle_seconds: float) -> socket.socket | None:
    """Forks a keeper for each client and returns there with its connection; None here, when long nobody has come."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for keepers
    mine = os.path.exists(address) and os.stat(address)  # a successor's address is another file
    for patience in (idle_seconds, 0):  # then for those who came before the address was taken away
        while select.select([listener], [], [], patience)[0]:
            connection, _ = listener.accept()
            with suppress(OSError):  # no fork: the client learns it from the end of its connection
                peer = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                if peer[1] == os.getuid() and os.fork() == 0:  # process, user, group
                    listener.close()
                    return connection
            connection.close()
        with suppress(FileNotFoundError):
            if mine and os.path.samestat(mine, os.stat(address)):
                os.unlink(address)
    return None


def keep(connection: socket.socket) -> dict:
    """Forks the child and returns there with the request. The keeper stays: tells how it ended, ends it if need be."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, *_ = socket.recv_fds(connection, 1, 3)
    pid = os.fork() if len(files) == 3 else os._exit(0)
    if pid == 0:
        return become(files, connection)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(pid)
    if select.select([connection, ended], [], [])[0] == [ended]:
        how = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until the client lets go, its id names nobody else
        with suppress(OSError):
            connection.send(b"returncode %d" % (how.si_status if how.si_code == os.CLD_EXITED else -how.si_status))
            connection.recv(1)
    for kill in (os.killpg, os.kill):  # a child just forked leads no group yet
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)
    os._exit(0)


def become(files: list[int], connection: socket.socket) -> dict:
    """Gives a child what its client asked for, and a session of its own; returns the request."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # with its keeper
    with open(files[0]) as file:
        request = json.load(file)
    for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files[1:]]):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    with connection:
        connection.send(b"pid %d" % os.getpid())
    return request


def draw_apart() -> None:
    """Undoes what forks share and ordinary processes do not: numpy's random state, and matplotlib's lack of a backend.

    Python's `random` reseeds itself after a fork; torch's generator is seeded when it is first asked.
    """
    import matplotlib
    import numpy

    numpy.random.seed()  # noqa: NPY002
    matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND") or INLINE  # looked up before ipykernel sets it


if __name__ == "__main__":
    main()
