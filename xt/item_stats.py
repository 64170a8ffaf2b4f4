"""Per-example statistics on disk: the items stand once, each run keeps only what its model decided.

    items/<hash>.parquet      one row per example (for retrieval: per layer and direction), the same for all runs that
                              were scored on these: `eval_language, id, cluster`, `layer, direction`, and the statistics
                              that follow from the gold (`accuracy.count`, `span_f1.gold`, ...)
    stats/<run_id>.parquet    the other statistics (`accuracy.correct`, ...), row by row of its items, which its
                              metadata name under the key `items`

Both open with `pandas.read_parquet`; side by side they are the whole table. A hash is that of the file it names.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from xt.disk import write_bytes
from xt.errors import DataError
from xt.metrics import METRICS
from xt.schema import refuse_duplicates

STATS_KEYS = ["eval_language", "id", "cluster", "layer", "direction"]
OF_GOLD = ("count", "tokens", "gold")
"""Statistics that follow from the gold. Were one to differ between runs, these would have items of their own."""
ITEMS = b"items"
"""Key under which the metadata of a run's statistics name their items."""


def stat_columns(stats: pd.DataFrame) -> list[str]:
    """Names of the statistic columns, in the order of METRICS.  Raises DataError for an unknown column."""
    known = [f"{metric.name}.{column}" for metric in METRICS.values() for column in metric.columns]
    unknown = set(stats.columns) - set(known) - set(STATS_KEYS)
    if unknown:
        raise DataError(f"statistics hold unknown columns {sorted(unknown)}; allowed: {', '.join(STATS_KEYS + known)}")
    return [name for name in known if name in stats]


def encode_stats(stats: pd.DataFrame, path: Path) -> dict[Path, bytes]:
    """The files of a run's statistics (`path` is the run's own), items first.

    Raises DataError for unknown columns, or the same example twice.
    """
    keys = [key for key in STATS_KEYS if key in stats]
    names = stat_columns(stats)
    refuse_duplicates(stats, keys, path)
    given = [*keys, *(name for name in names if name.rpartition(".")[2] in OF_GOLD)]
    items = encode_table(stats[given])
    digest = hash_of(items)
    own = encode_table(stats[[name for name in names if name not in given]], {ITEMS: digest})
    return {items_path(path, digest): items, path: own}


def encode_table(frame: pd.DataFrame, metadata: dict | None = None) -> bytes:
    """A table as parquet in small types; text becomes dictionaries.  Numbers alone (with metadata) need no more."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: shrink(frame[name]) for name in frame}
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    small = dict(compression="zstd", compression_level=15, write_statistics=False, store_schema=metadata is None)
    with pq.ParquetWriter(sink, table.schema, **small) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata or {})
    return sink.getvalue().to_pybytes()


def shrink(values: pd.Series) -> pd.Series:
    """The same values in the smallest type that holds them (32 bits for fractions)."""
    if values.dtype.kind == "f" and not (values % 1 == 0).all():
        return values.astype("float32")
    if values.dtype.kind in "fiub":
        return pd.to_numeric(values.astype("int64"), downcast="unsigned")
    return values.astype("string").astype("category")


def read_stats(path: Path) -> pd.DataFrame:
    """The statistics of a run beside its items: STATS_KEYS as they apply, then the columns of METRICS in their order.

    Raises DataError naming the file where one of the two is missing, damaged, or does not belong to the other.
    """
    own, place = read_own_stats(path)
    items = read_items(place)
    columns = {name: (own if name in own else items)[name] for name in (*items.columns, *own.columns)}
    keys = [key for key in STATS_KEYS if key in columns]
    return pd.DataFrame({name: columns[name] for name in [*keys, *stat_columns(pd.DataFrame(columns=columns))]})


def read_own_stats(path: Path) -> tuple[pd.DataFrame, Path]:
    """(what a run's model decided, row by row of its items; the file of these). DataError where they do not fit."""
    own, metadata = decode_table(path)
    if ITEMS not in metadata:
        raise DataError(f"{path}: its metadata name no items; allowed: a file that `xt run` or `xt import` wrote")
    place = items_path(path, metadata[ITEMS].decode())
    if len(read_items(place)) != len(own):
        raise DataError(f"{path}: {len(own)} rows; allowed: {len(read_items(place))}, one per row of {place.name}")
    return own, place


def read_columns(
    path: Path, names: Sequence[str], layer: int | None = None, direction: str | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """(examples, (N, k) float64 statistics `names`) of a run: what `read_stats` says of them, in a third of the time.

    `layer` and `direction` choose among the rows of retrieval. The examples are their items, one table in memory for
    all runs that were scored on them.
    """
    own, place = read_own_stats(path)
    items, rows = choose_items(place, layer, direction)
    whole = {name: (own if name in own else read_items(place))[name] for name in names}
    return items, np.column_stack([column.to_numpy(float) for column in whole.values()])[rows]


def join_clusters(items: pd.DataFrame) -> pd.Series:
    """(N,) a cluster for each item, one over all languages: clusters that share an item id, or are linked by others
    that do, are one, so that drawing clusters draws an item in all its languages at once."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    clusters = items.groupby(["eval_language", "cluster"], observed=True).ngroup().to_numpy()
    ids, _ = pd.factorize(items["id"])
    size = clusters.max() + 1
    links = coo_array((np.ones(len(items)), (clusters, size + ids)), shape=2 * (size + ids.max() + 1,))
    _, found = connected_components(links, directed=False)
    return pd.Series(found[clusters], index=items.index).astype(str)


@lru_cache(maxsize=128)
def choose_items(place: Path, layer: int | None, direction: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """(items of a layer and direction, None being any, their rows in the file)."""
    items = read_items(place)
    there = np.ones(len(items), dtype=bool)
    for name, value in (("layer", layer), ("direction", direction)):
        if value is not None:
            there &= (items[name] == value).to_numpy()
    return items[there].reset_index(drop=True), np.flatnonzero(there)


@lru_cache(maxsize=128)
def read_items(path: Path) -> pd.DataFrame:
    """The items of a file, kept in memory: the name tells the content.  Raises DataError where it does not."""
    content = read_shared(path)
    return decode_table(path, content)[0]


def read_shared(path: Path) -> bytes:
    """A file that is named after its content.  Raises DataError naming it where it is missing or holds another."""
    if not path.is_file():
        raise DataError(f"no file {path}, which results of the same study name: it belongs to what is committed")
    content = path.read_bytes()
    if hash_of(content) != path.stem:
        raise DataError(f"{path}: its content is not what its name says ({hash_of(content)}): it was edited or cut off")
    return content


def sums_of(own: Sequence[Path], files: Mapping[Path, bytes]) -> str:
    """What the index says of a run's own files; '' where it has none."""
    kinds = zip(("scores", "stats", "selection"), own, strict=True)
    return "; ".join(f"{kind} {hash_of(files[path])}" for kind, path in kinds if path in files)


def read_summed(path: Path, kind: str, sums: str) -> bytes:
    """A file of a run.  Raises DataError where it is missing, or another one than the index says."""
    if not path.is_file():
        raise DataError(f"no file {path}, though runs.csv says that the run has {kind}")
    content = path.read_bytes()
    known = dict(entry.split(" ") for entry in sums.split("; ") if entry).get(kind)
    if known and hash_of(content) != known:
        raise DataError(f"{path}: its content is not what runs.csv says of it: it was edited, damaged or cut off")
    return content


def decode_table(path: Path, content: bytes | None = None) -> tuple[pd.DataFrame, dict[bytes, bytes]]:
    """(frame, metadata) of a parquet file, or of its content.  Raises DataError naming it where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path if content is None else pa.BufferReader(content)).read(use_threads=False)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: no parquet file ({error}); allowed: what `xt run` or `xt import` wrote") from error
    return table.to_pandas(use_threads=False), table.schema.metadata or {}


def items_path(path: Path, digest: str) -> Path:
    """Where the items of a run's statistics stand, `path` being `<study>/stats/<run_id>.parquet`."""
    return path.parent.parent / "items" / f"{digest}.parquet"


def hash_of(content: bytes) -> str:
    """The name of a file that is named after its content."""
    return hashlib.sha256(content).hexdigest()[:12]


def write_shared(path: Path, content: bytes) -> None:
    """Writes a file that is named after its content, unless it is there, whole."""
    if not path.is_file() or hash_of(path.read_bytes()) != path.stem:
        write_bytes(path, content)
