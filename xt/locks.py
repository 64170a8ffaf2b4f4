"""Locks between processes, on one machine or several: held by the living, free as soon as the owner is dead.

Where the file system has `flock`, the system frees the lock of a dead process; over NFS the server does. Where it has
none, or only one that other machines do not see (set XT_LOCKS=lease there), a lock is a lease: a file that its owner
touches, which others take over when its owner is dead, or has not touched it for LEASE_SECONDS. Those are counted from
the first time that a lock object asks: whoever asks now and then, and does not wait, keeps the object.
"""

import errno
import os
import signal
import sys
from functools import cache
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease

from xt.errors import require_known

LEASE_SECONDS = 120.0
"""After which a lease of another machine that nobody touched is free."""
KINDS = ("flock", "lease")
NO_FLOCK = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}


def open_lock(path: Path | str) -> BaseFileLock:
    """The lock of this name, not yet held; its folder is made. ValueError for an unknown XT_LOCKS."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind_of(path.parent) == "flock":
        return FileLock(path, fallback_to_soft=False)
    lease = path.with_name(f"{path.name}.lease")
    return SoftFileLease(lease, lease_duration=LEASE_SECONDS, on_compromise=stop)


@cache
def kind_of(place: Path) -> str:
    """`flock` or `lease`: what XT_LOCKS says, else whether the folder's file system has flock."""
    if chosen := os.environ.get("XT_LOCKS"):
        return require_known("XT_LOCKS", chosen, KINDS)
    try:
        with FileLock(place / ".flock", fallback_to_soft=False):
            return "flock"
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise
        return "lease"


def stop(loss) -> None:
    """Ends a process whose lease another one has taken: it stood still for too long."""
    print(
        f"{loss.lock_file}: another process took it over ({loss.reason}); this one stops", file=sys.stderr, flush=True
    )
    os.kill(os.getpid(), signal.SIGTERM)
