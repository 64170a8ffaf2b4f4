"""Files and folders written in one step, and told apart from damaged ones.

What is written stands beside its name first, is synced, then renamed, then the folder that names it is synced: a reader
sees the old one or the new one, whole, whenever the writer is killed or the power fails.
"""

import errno
import json
import os
import shutil
import uuid
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Errors of a full disk, of a used-up quota, of a file that grew beyond a limit."""
SUMS = "SUMS"
"""In a sealed folder: name -> [bytes, CRC-32 of them] of each file."""


class DiskFull(OSError):
    """There is no room for a file; says which, and what to do."""


@contextmanager
def room_for(what: Path | str, kept: str) -> Iterator[None]:
    """Turns the errors of a full disk inside it into DiskFull, which says what was not written and what is kept."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, DiskFull):
            raise
        said = f"{os.strerror(error.errno)}: {what} was not written, and {kept}; {FREE}"
        raise DiskFull(error.errno, said) from error


FREE = "free some disk and start the same run again"


def sync(path: Path) -> None:
    """Forces a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(place: Path) -> None:
    """Forces a folder to the disk with all that is in it, what is named before what names it."""
    for path in sorted(place.rglob("*"), key=lambda path: -len(path.parts)):
        sync(path)
    sync(place)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file in one step; two that write the same one do not meet.  DiskFull leaves the old one as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.new")
    with room_for(path, "what stood there before is kept"):
        try:
            with fresh.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Writes a text as UTF-8 in one step; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Creates or replaces a folder in one step: `fill` writes it under a temporary name.

    Raises OSError naming the folder and what to do where it cannot be written; the old folder is then untouched.
    """
    from safetensors import SafetensorError

    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    recover_folder(target)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        fill(fresh)
        sync_tree(fresh)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        number, said = getattr(error, "errno", None), getattr(error, "strerror", None) or str(error)
        is_full = number in FULL or os.strerror(errno.ENOSPC) in said
        raise (DiskFull if is_full else OSError)(
            errno.ENOSPC if is_full and number is None else number or errno.EIO,
            f"{said}; {target} was not written and its last good state is kept; {FREE}",
        ) from error
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(target: Path) -> None:
    """Clears up after a kill inside `write_folder`: the old folder goes back, or goes, where the new one is there."""
    old = target.with_name(f".{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.exists():
        old.rename(target)


def seal(place: Path, *beside: Path) -> None:
    """Writes SUMS of the files of a folder, and of files elsewhere as long as they are now (a log that grows)."""
    paths = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name != SUMS] + [*beside]
    sums = {os.path.relpath(path, place): (path.stat().st_size, checksum(path)) for path in paths}
    (place / SUMS).write_text(json.dumps(sums), encoding="utf-8")


def find_damage(place: Path, if_unsealed: Sequence[str] = (SUMS,)) -> list[str]:
    """The files of a sealed folder that are not as they were sealed; SUMS itself where it is unreadable.

    A file beside the folder may have grown since. `if_unsealed` is the answer for a folder without SUMS.
    """
    if not (place / SUMS).exists():
        return list(if_unsealed)
    try:
        sums = json.loads((place / SUMS).read_bytes())
        known = [(name, int(size), int(crc)) for name, (size, crc) in sums.items()]
    except (OSError, ValueError, TypeError, AttributeError):
        return [SUMS]
    return [name for name, size, crc in known if not is_as_sealed(place / name, size, crc)]


def seal_file(path: Path, draft: Path) -> None:
    """Puts a draft in the place of a file in one step, with its checksum beside it; see `is_sound`."""
    sync(draft)
    write_text(path.with_name(f".{path.name}.sum"), json.dumps([draft.stat().st_size, checksum(draft)]))
    draft.replace(path)
    sync(path.parent)


def is_sound(path: Path) -> bool:
    """Whether a file or folder is there, and as it was sealed if it was: a warning names what is damaged."""
    known, damaged = path.with_name(f".{path.name}.sum"), []
    if path.is_dir():
        damaged = find_damage(path, if_unsealed=())
    elif path.is_file() and known.is_file():
        try:
            damaged = [] if is_as_sealed(path, *json.loads(known.read_bytes())) else [path.name]
        except (ValueError, TypeError):
            damaged = [known.name]
    if damaged:
        warnings.warn(f"{path} is damaged in {', '.join(damaged)}: it is made again", stacklevel=2)
    return path.exists() and not damaged


def is_as_sealed(path: Path, size: int, crc: int) -> bool:
    """Whether a file has this size (one elsewhere: at least this) and its first bytes this checksum."""
    if not path.is_file():
        return False
    grown = path.stat().st_size - size
    return (grown >= 0 if ".." in path.parts else grown == 0) and checksum(path, size) == crc


def checksum(path: Path, size: int | None = None) -> int:
    """CRC-32 of a file, or of its first `size` bytes: against accidents, four times as fast as a SHA-256."""
    left, found = path.stat().st_size if size is None else size, 0
    with path.open("rb") as handle:
        while left and (block := handle.read(min(left, 1 << 20))):
            left, found = left - len(block), zlib.crc32(block, found)
    return found
