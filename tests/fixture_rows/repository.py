"""What a fixture repository is: configs with typed columns and rows, as on the hub."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Kind:
    """A column type in its three spellings."""

    arrow: pa.DataType
    """In the parquet file."""
    hub: dict
    """In the feature description inside the parquet file."""
    card: dict
    """In the dataset card."""


def text() -> Kind:
    return Kind(pa.string(), {"dtype": "string", "_type": "Value"}, {"dtype": "string"})


def integer() -> Kind:
    return Kind(pa.int32(), {"dtype": "int32", "_type": "Value"}, {"dtype": "int32"})


def classes(*names: str) -> Kind:
    card = {"dtype": {"class_label": {"names": {str(index): name for index, name in enumerate(names)}}}}
    return Kind(pa.int64(), {"names": list(names), "_type": "ClassLabel"}, card)


def listed(kind: Kind) -> Kind:
    """A list of `kind`."""
    element = pa.field("element", kind.arrow)  # as parquet names it
    return Kind(pa.list_(element), {"feature": kind.hub, "_type": "List"}, {"list": kind.card.get("dtype", kind.card)})


def struct(**kinds: Kind) -> Kind:
    """A record of named kinds."""
    return Kind(
        pa.struct([(name, kind.arrow) for name, kind in kinds.items()]),
        {name: kind.hub for name, kind in kinds.items()},
        {"struct": [{"name": name, **kind.card} for name, kind in kinds.items()]},
    )


@dataclass(frozen=True)
class Config:
    """One config of a dataset: its columns, and the rows of each split."""

    columns: dict[str, Kind]
    splits: dict[str, list[dict]]


Repository = dict[str, Config]
"""Config name -> config."""
