"""The folder root that gets a translation: all that another root holds, and the new config beside it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xt.disk import is_sound, room_for, seal_file, write_text
from xt.locations import resolve_root
from xt.tasks.roots import read_card
from xt.tasks.sources import read_json

if TYPE_CHECKING:
    from pyarrow import Table

CARD = """---
{front}---

{body}
"""


def extend_root(root: str, into: Path) -> None:
    """Makes `into` a root that holds what a folder root holds, by links to its files; what is there already stays.

    From the hub nothing is linked: what a run reads beside the translation has to be fetched into `into`.
    """
    into.mkdir(parents=True, exist_ok=True)
    place = Path(resolve_root(root))
    if not place.is_dir() or place.resolve() == into.resolve():
        return
    for card in sorted(place.glob("*/*/README.md")):
        dataset = into / card.parent.relative_to(place)
        dataset.mkdir(parents=True, exist_ok=True)
        for path in sorted(card.parent.iterdir()):
            if path.is_dir() and not (dataset / path.name).exists():
                (dataset / path.name).symlink_to(path.resolve(), target_is_directory=True)
        if not (dataset / card.name).exists():
            write_text(dataset / card.name, card.read_text(encoding="utf-8"))
    manifest = into / "MIRROR.json"
    write_json(manifest, read_json(place / manifest.name) | read_json(manifest))


def file_of(into: Path, dataset: str, config: str, split: str) -> Path:
    """The parquet file of a split that was translated."""
    return into / dataset / config / f"{split}-00000-of-00001.parquet"


def add_split(into: Path, dataset: str, config: str, split: str, table: "Table") -> Path:
    """Writes one parquet file, sealed by its checksum, and names it in the dataset's card; returns the file.

    DiskFull where there is no room.
    """
    import pyarrow.parquet

    file = file_of(into, dataset, config, split)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")  # no name that the card's pattern fits
    with room_for(file, "what was translated is kept"):
        pyarrow.parquet.write_table(table, draft)
        seal_file(file, draft)
    name_in_card(into / dataset / "README.md", config, split, f"{config}/{split}-*")
    return file


def name_in_card(card: Path, config: str, split: str, pattern: str) -> None:
    """Adds a split to the front matter of a dataset's card, which is made where there is none."""
    import yaml

    text = card.read_text(encoding="utf-8") if card.is_file() else "---\nconfigs: []\n---\n"
    configs = read_card(card) if card.is_file() else {}
    if split in configs.get(config, {}):
        return
    _, front, body = re.split(r"^---\s*$", text, maxsplit=2, flags=re.MULTILINE)
    matter = yaml.safe_load(front)
    entry = next((row for row in matter["configs"] if row["config_name"] == config), None)
    if entry is None:
        matter["configs"].append(entry := {"config_name": config, "data_files": []})
    entry["data_files"].append({"split": split, "path": pattern})
    dumped = yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)
    write_text(card, CARD.format(front=dumped, body=body.strip() or "Machine-translated; MIRROR.json says by what."))


def read_record(into: Path, dataset: str, config: str, split: str) -> dict:
    """What is recorded of the translation of a split; empty where there is none, or its file is damaged or gone."""
    record = read_json(into / "MIRROR.json").get(f"{dataset}/{config}", {}).get("translation", {}).get(split, {})
    return record if record and is_sound(file_of(into, dataset, config, split)) else {}


def write_record(into: Path, dataset: str, config: str, split: str, status: str, record: Mapping) -> None:
    """Declares a split's status in MIRROR.json, with a note for readers and the record of its translation."""
    manifest = into / "MIRROR.json"
    entries = read_json(manifest)
    entry = entries.setdefault(f"{dataset}/{config}", {"splits": {}, "split_status": {}, "translation": {}})
    entry |= {"status": status, "note": record["note"]}
    entry["splits"][split], entry["split_status"][split] = record["num_rows"], status
    entry["translation"][split] = record
    write_json(manifest, entries)


def write_json(path: Path, record: Mapping) -> None:
    """Writes a JSON file in one step."""
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
