"""What is read of a checkpoint: safetensors and JSON that lie in it, nothing that could run, nothing from elsewhere.

transformers is told so (`use_safetensors`, no remote code), and yet opens what a checkpoint's own files name: an index
may name pickles or files of another folder, the configuration a pickle, an adapter another checkpoint as its base.
"""

import json
import os
import re
from pathlib import Path

from xt.hub import OFFLINE, ask_hub, fetch_file, pin

os.environ.setdefault(
    "DISABLE_SAFETENSORS_CONVERSION", "1"
)  # else weights may come from another revision than asked for

SHARD = re.compile(r"\w[\w.-]*\.safetensors")
INDEX = "model.safetensors.index.json"
ONLY_SAFETENSORS = (
    "weights are read from safetensors only, as opening any other file may run what is in it: convert them, or name a "
    "revision that has them (on the hub often refs/pr/1)"
)


def check_checkpoint(source: str, revision: str | None = None) -> None:
    """ValueError naming the file of a folder or hub repository that would have anything but its safetensors read.

    Looked at is the commit that `open_pretrained` reads. Raises DataError where a file cannot be asked for.
    """
    what = f"{source!r}: no folder with weights, and not to be had from the hub"
    ask = (what, f"{OFFLINE} with its files; {ONLY_SAFETENSORS}")
    commit = pin(*ask, source, revision)
    adapter, config, index = (
        read_json(ask, source, name, commit) for name in ("adapter_config.json", "config.json", INDEX)
    )
    if adapter:
        base = adapter.get("base_model_name_or_path")
        raise ValueError(f"{source!r} is an adapter of {base!r}; allowed: an encoder with weights of its own")
    named = {"config.json": [config.get("transformers_weights") or INDEX.removesuffix(".index.json")],
             INDEX: sorted(set(index.get("weight_map", {}).values()))}  # fmt: skip
    for file, names in named.items():
        for name in names:
            if not SHARD.fullmatch(name):
                raise ValueError(f"{source!r}: {file} names {name!r} for its weights; {ONLY_SAFETENSORS}")


def read_json(ask: tuple[str, str], source: str, name: str, revision: str | None) -> dict:
    """A JSON file of a folder or hub repository; empty where it has none."""
    here = Path(source) / name
    path = here if here.parent.is_dir() else ask_hub(*ask, fetch_file, source, name, revision)
    return json.loads(path.read_text(encoding="utf-8")) if path and path.is_file() else {}
