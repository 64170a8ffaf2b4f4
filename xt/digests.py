"""The SHA-256 of files, remembered by path, size and time of their last change, so that a start need not read them.

A bit may flip without moving either. So a remembered digest is enough to plan by; who opens a file to use what is in it
has it read again, once per process.
"""

import hashlib
import json
import warnings
from functools import lru_cache
from pathlib import Path

from xt.disk import write_text
from xt.errors import DataError
from xt.locations import folder

TAKEN: dict[tuple[str, int, int], str] = {}
"""Path, size and time -> the digest that this process took from the store, unread."""


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes (hexadecimal), remembered by path, size and modification time."""
    return _remembered_digest(*_state(path))


def fresh_digest(path: Path) -> str:
    """SHA-256 of a file's bytes as they are now, read once per process."""
    return _read_digest(*_state(path))


def check_digest(path: Path) -> None:
    """DataError where a file whose digest this process took as remembered no longer has those bytes."""
    known = TAKEN.get(_state(path))
    if known and fresh_digest(path) != known:
        raise DataError(f"{path} is damaged: its bytes changed, its time did not; copy or fetch it again")


def _state(path: Path) -> tuple[str, int, int]:
    stat = Path(path).stat()
    return str(Path(path).resolve()), stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4096)
def _read_digest(path: str, size: int, mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=4096)
def _remembered_digest(path: str, size: int, mtime_ns: int) -> str:
    store = folder("XT_CACHE") / "digests.json"
    known = _read_store(store).get(path)
    if isinstance(known, list) and len(known) == 4 and known == _entry(path, size, mtime_ns, known[2]):
        return TAKEN.setdefault((path, size, mtime_ns), known[2])
    digest = _read_digest(path, size, mtime_ns)
    entry = {path: _entry(path, size, mtime_ns, digest)}
    try:
        write_text(store, json.dumps(_read_store(store) | entry))
    except OSError as error:
        warnings.warn(f"digests of files are not remembered: {error}", stacklevel=3)
    return digest


def _entry(path: str, size: int, mtime_ns: int, digest: str) -> list:
    """What is remembered of a file; its last part is wrong where any other is damaged."""
    check = hashlib.sha256(f"{path} {size} {mtime_ns} {digest}".encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return [size, mtime_ns, digest, check]


def _read_store(store: Path) -> dict:
    """Path -> entry; empty where there is no file, or, with a warning, one that cannot be read."""
    try:
        found = json.loads(store.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        warnings.warn(f"{store} is damaged ({error}): digests of files are made again", stacklevel=4)
        return {}
    return found if isinstance(found, dict) else {}
