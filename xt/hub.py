"""Asking the hub: again where it did not answer, a bounded number of times, and then what can be done without it.

What lies in the hub client's cache is named by the checksum of its bytes: what is damaged there is fetched again.
"""

import hashlib
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from xt.digests import check_digest, fresh_digest
from xt.errors import DataError

TRIES, FIRST_WAIT = 3, 2.0
"""How often is asked (XT_HUB_TRIES says otherwise), and seconds before the second time; four times as long each time
after that. The client itself asks some times within each."""
OFFLINE = "Without a network only what was fetched before can be read: fetch it once online, or use a folder"
"""What a message says that does not come from the hub itself; a caller adds which folder."""


def ask_hub(what: str, advice: str, ask: Callable, *arguments, **options):
    """What a function that asks the hub gives; asked again, after a wait, where the hub could not be reached.

    Raises DataError with what was asked for and `advice`, where that lasts, or the hub has no such thing.
    """
    from huggingface_hub import errors

    transport = errors.HfHubHTTPError.__bases__[0]  # of the HTTP library that the client is built on
    unusable = (errors.CorruptedCacheException, errors.RevisionResolutionError, errors.XetDownloadError)
    tries, wait = max(1, int(os.environ.get("XT_HUB_TRIES") or TRIES)), FIRST_WAIT
    for left in reversed(range(tries)):
        try:
            return ask(*arguments, **options)
        except (OSError, transport, errors.HFValidationError, *unusable) as error:
            if not left or not is_passing(error):
                raise DataError(f"{what}: {error} {advice}") from error
            warnings.warn(f"{what}: {error}; asked again in {wait:.0f} s", stacklevel=2)
        time.sleep(wait)
        wait *= 4


def is_passing(error: BaseException) -> bool:
    """Whether a later try may succeed: the hub was not reached, or has trouble; it did not refuse."""
    from huggingface_hub import constants, errors

    final = (
        errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.RemoteEntryNotFoundError,
        errors.DisabledRepoError, errors.BadRequestError, errors.OfflineModeIsEnabled, errors.HFValidationError,
    )  # fmt: skip
    transport = errors.HfHubHTTPError.__bases__[0]
    chain = list(causes_of(error))
    if constants.HF_HUB_OFFLINE or any(isinstance(one, final) for one in chain):
        return False
    passing = (transport, errors.LocalEntryNotFoundError, errors.RevisionResolutionError, errors.XetDownloadError)
    return any(isinstance(one, (*passing, ConnectionError, TimeoutError)) for one in chain)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def drop_damaged(snapshot: Path) -> list[str]:
    """Deletes the files of a snapshot in the hub's cache whose bytes their names do not fit, with a warning; their
    names. The next who asks for them fetches them again."""
    dropped = []
    for path in sorted(snapshot.rglob("*")):
        blob = path.resolve()
        if blob.parent.name == "blobs" and not fits_name(blob):
            warnings.warn(f"{path} is damaged (not the bytes of {blob.name}); it is fetched again", stacklevel=3)
            path.unlink(missing_ok=True)
            blob.unlink(missing_ok=True)
            dropped.append(path.name)
    return dropped


def fits_name(blob: Path) -> bool:
    """Whether a file's name is the SHA-256 of its bytes, or git's name of them; other names are taken on trust."""
    with suppress(FileNotFoundError):  # another process has dropped it
        if re.fullmatch(r"[0-9a-f]{64}", blob.name):
            return fresh_digest(blob) == blob.name
        if re.fullmatch(r"[0-9a-f]{40}", blob.name):
            content = blob.read_bytes()
            return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == blob.name
        return True
    return False


def open_pretrained(what: str, advice: str, builder, source: str, revision: str | None, **options):
    """What a class of transformers makes of a folder or a hub id, all of one commit.

    What the cache has of it is checked before, and fetched again where it is damaged; DataError where a folder's is.
    """
    revision = pin(what, advice, source, revision)
    return ask_hub(what, advice, builder.from_pretrained, source, revision=revision, **options)


PINNED: dict[tuple[str, str | None], Path | None] = {}
"""(hub id, revision) -> its snapshot in the cache, named by its commit."""


def pin(what: str, advice: str, source: str, revision: str | None) -> str | None:
    """The commit that a hub id's revision names, asked once per process; a folder's revision as it is.

    What is damaged of it in the cache is dropped. Raises DataError as `ask_hub`, and for a damaged file of a folder.
    """
    if Path(source).is_dir():
        for path in filter(Path.is_file, Path(source).iterdir()):
            check_digest(path)
        return revision
    if (source, revision) not in PINNED:
        found = ask_hub(what, advice, fetch_file, source, "config.json", revision)
        PINNED[source, revision] = found and found.parent
    if snapshot := PINNED[source, revision]:
        drop_damaged(snapshot)
    return snapshot.name if snapshot else revision


def fetch_file(source: str, name: str, revision: str | None) -> Path | None:
    """A file of a model on the hub; None where it has none, or offline the cache has not."""
    from huggingface_hub import constants, errors, hf_hub_download, try_to_load_from_cache

    known = try_to_load_from_cache(source, name, revision=revision)
    if known is not None and not isinstance(known, str):  # the hub has said that there is none
        return None
    try:
        return Path(hf_hub_download(source, name, revision=revision))
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError) and not constants.HF_HUB_OFFLINE:
            raise
        return None  # offline nothing else will be read of it either
