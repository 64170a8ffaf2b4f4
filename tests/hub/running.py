"""A hub's client in a process of its own, and a small dataset to ask it for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet

OLD, NEW = "a" * 40, "b" * 40
CLIENT = Path(__file__).with_name("client.py")
CARD = """---
configs:
- config_name: de
  data_files:
  - split: test
    path: de/test-*
---
"""


def run_client(home: Path, url: str, function: str, *arguments: str, offline: bool = False, **variables: str):
    """What a function of client.py returns in a process with this cache and hub, in offline mode or not.

    The hub is asked once, unless `variables` say otherwise.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings = {"HF_HOME": str(home), "HF_ENDPOINT": url, "HF_HUB_OFFLINE": str(int(offline))}
    settings |= {"XT_CACHE": str(home / "xt"), "XT_HUB_TRIES": "1"} | variables
    command = [sys.executable, str(CLIENT), function, *arguments]
    # The clients try again for about a minute: a process that takes far longer does not end by itself.
    done = subprocess.run(command, env=clean | settings, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def write_pairs(place: Path, *sentences: str) -> Path:
    """A dataset repository with one file per sentence."""
    (place / "de").mkdir(parents=True)
    (place / "README.md").write_text(CARD)
    for index, sentence in enumerate(sentences):
        table = pyarrow.table({"source": [sentence], "target": ["good morning"]})
        pyarrow.parquet.write_table(table, place / "de" / f"test-{index:05}-of-{len(sentences):05}.parquet")
    return place


def sources_of(answer: dict) -> list[str]:
    """The sentences that `read_pairs` found."""
    return [row["source"] for row in answer["rows"]]
