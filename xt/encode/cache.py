"""Encoded features kept on disk and memory-mapped: the next run on the same texts need not tokenize them again.

    XT_CACHE/features/<key>    a line of JSON, then arrays, each at a multiple of 64 bytes

The key hashes all that encoding reads: the examples themselves, so that another revision, cap or translation has
another key; the tokenizer; the knobs; the code of this folder and the versions of the libraries. What does not fit its
name or its checksum is named in a warning and made again. Together the files take LIMIT bytes at most; what was used
longest ago goes first.
"""

import hashlib
import json
import os
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from weakref import WeakKeyDictionary

import numpy as np

from xt.encode.features import Features, Ragged
from xt.locations import folder
from xt.memory import collector_paused

LIMIT = 8 * 2**30
ALIGNMENT = 64
RAGGED, LISTS, COUNTS = (
    ("input_ids", "token_type_ids"),
    ("labels", "word_index", "offsets"),
    ("rows_per_feature", "num_truncated"),
)
KNOWN_TOKENIZERS: WeakKeyDictionary = WeakKeyDictionary()


def kept(encode: Callable, *knobs: str) -> Callable:
    """The encoder `(examples, tokenizer, knobs) -> Features`, which may read these knobs only, its results kept."""

    @wraps(encode)
    def encode_or_find(examples: Sequence, tokenizer, settings) -> Features:
        chosen = {name: getattr(settings, name) for name in knobs}
        with collector_paused():
            key = key_of(encode.__name__, examples, tokenizer, chosen)
            path = folder("XT_CACHE") / "features" / key
            features = find(path)
            if features is None:
                features = encode(examples, tokenizer, SimpleNamespace(**chosen))
                keep(path, features)
        return features

    return encode_or_find


def key_of(name: str, examples: Sequence, tokenizer, knobs: Mapping) -> str:
    """32 hexadecimal digits that name what an encoder makes of some examples."""
    read = hashlib.sha256(json.dumps([name, knobs, digest_of_code(), digest_of_tokenizer(tokenizer)]).encode())
    pickler = pickle.Pickler(SimpleNamespace(write=read.update), protocol=5)
    pickler.fast = True  # equal examples give equal bytes, whichever texts are one object in memory
    pickler.dump(list(examples))
    return read.hexdigest()[:32]


@cache
def digest_of_code() -> str:
    """What changes when features may: the code of this folder, and the libraries that tokenize."""
    read = hashlib.sha256(f"{version('tokenizers')} {version('transformers')}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        read.update(path.read_bytes())
    return read.hexdigest()


def digest_of_tokenizer(tokenizer) -> str:
    """What a tokenizer does; how it was last told to cut and to pad is no part of that."""
    if tokenizer not in KNOWN_TOKENIZERS:
        fast = tokenizer.backend_tokenizer
        fast.no_truncation()
        fast.no_padding()
        KNOWN_TOKENIZERS[tokenizer] = hashlib.sha256(fast.to_str().encode()).hexdigest()
    names = "unk_token", "truncation_side", "model_input_names", "split_special_tokens"
    said = [type(tokenizer).__name__, len(tokenizer), *(getattr(tokenizer, name, None) for name in names)]
    return f"{KNOWN_TOKENIZERS[tokenizer]} {said}"


def find(path: Path) -> Features | None:
    """The features in a file, memory-mapped; None where there is none, or, with a warning, one that cannot be used."""
    if not path.is_file():
        return None
    try:
        features = read_features(path)
        os.utime(path)
        return features
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(f"{path} is no entry of the cache of features ({error}); it is made again", stacklevel=3)
        return None


def keep(path: Path, features: Features) -> None:
    """Writes an entry in one step and makes room for it; warns where that cannot be done."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_features(draft, features, path.name)
        os.replace(draft, path)
        make_room(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        warnings.warn(f"features are not kept: {error}", stacklevel=3)


def make_room(place: Path) -> None:
    """Deletes what was used longest ago until the rest takes LIMIT bytes at most; the newest entry stays."""
    found = []
    for entry in os.scandir(place):
        with suppress(FileNotFoundError):  # another process makes room, too
            found.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
    left = sum(size for _, size, _ in found)
    for _, size, path in sorted(found)[:-1]:
        if left <= LIMIT:
            break
        Path(path).unlink(missing_ok=True)
        left -= size


def write_features(path: Path, features: Features, key: str) -> None:
    """The file of an entry."""
    arrays, parts, size = {}, [], 0
    for name, values in list_arrays(features):
        arrays[name] = [values.dtype.str, values.shape, size]
        parts.append(np.ascontiguousarray(values).tobytes().ljust(aligned(values.nbytes), b"\0"))
        size += len(parts[-1])
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
    head = dict(key=key, sha256=checksum.hexdigest(), arrays=arrays) | {
        name: getattr(features, name) for name in COUNTS
    }
    text = json.dumps(head).encode()
    with path.open("wb") as file:
        file.write(text.ljust(aligned(len(text) + 1) - 1) + b"\n")
        file.writelines(parts)


def aligned(size: int) -> int:
    """The next multiple of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def list_arrays(features: Features) -> Iterator[tuple[str, np.ndarray]]:
    """(name, array) of all that features hold: of rows their values laid end to end, and their lengths."""
    yield "example_index", features.example_index
    for name in RAGGED:
        if (rows := getattr(features, name)) is not None:
            yield from ((name, rows.values), (f"{name}.lengths", rows.lengths))
    for name in LISTS:
        rows = getattr(features, name)
        if rows and not np.ndim(rows[0]):
            yield name, np.array(rows)
        elif rows:
            yield from (
                (name, np.concatenate(rows)),
                (f"{name}.lengths", np.fromiter(map(len, rows), np.int64, len(rows))),
            )


def read_features(path: Path) -> Features:
    """The features of an entry. Raises ValueError, KeyError or TypeError where its name, form or checksum is wrong."""
    with path.open("rb") as file:
        head, start = json.loads(file.readline()), file.tell()
    if head["key"] != path.name:
        raise ValueError(f"it was written as {head['key']}")
    held = np.memmap(path, mode="r", offset=start) if path.stat().st_size > start else np.zeros(0, np.uint8)
    data = held.view(np.ndarray)
    if hashlib.sha256(data).hexdigest() != head["sha256"]:
        raise ValueError("its checksum is wrong")
    arrays = {
        name: data[at : at + int(np.prod(shape)) * np.dtype(kind).itemsize].view(kind).reshape(shape)
        for name, (kind, shape, at) in head["arrays"].items()
    }
    ragged = {name: Ragged(arrays[name], arrays[f"{name}.lengths"]) if name in arrays else None for name in RAGGED}
    lists = {name: rows_of(arrays[name], arrays.get(f"{name}.lengths")) for name in LISTS if name in arrays}
    return Features(example_index=arrays["example_index"], **ragged, **lists, **{name: head[name] for name in COUNTS})


def rows_of(values: np.ndarray, lengths: np.ndarray | None) -> list:
    """The rows that were laid end to end; single values where there are no lengths."""
    if lengths is None:
        return list(values)
    ends = np.cumsum(lengths).tolist()
    return [values[start:end] for start, end in zip([0, *ends], ends, strict=False)]
