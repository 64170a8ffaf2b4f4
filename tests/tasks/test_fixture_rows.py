"""The committed fixtures are what the literal rows say."""

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.fixture_rows.write import REPOSITORIES, build_card, build_table

PLACES = [
    (dataset, config, split)
    for dataset, repository in REPOSITORIES.items()
    for config, content in repository.items()
    for split in content.splits
]


@pytest.mark.parametrize(("dataset", "config", "split"), PLACES)
def test_rows_are_as_written(dataset, config, split, fixtures_root):
    file = Path(fixtures_root) / dataset / config / f"{split}-00000-of-00001.parquet"
    content = REPOSITORIES[dataset][config]
    assert pyarrow.parquet.read_table(file).equals(build_table(content, content.splits[split]), check_metadata=True)


@pytest.mark.parametrize("dataset", REPOSITORIES)
def test_cards_are_as_written(dataset, fixtures_root):
    card = Path(fixtures_root) / dataset / "README.md"
    assert card.read_text(encoding="utf-8") == build_card(dataset, REPOSITORIES[dataset])


def test_nothing_else_lies_there_and_all_of_it_is_small(fixtures_root):
    files = [file for file in Path(fixtures_root).rglob("*") if file.is_file()]
    assert len(files) == len(PLACES) + len(REPOSITORIES) + 1
    assert sum(file.stat().st_size for file in files) < 600_000
    manifest = json.loads((Path(fixtures_root) / "MIRROR.json").read_text())
    assert {entry["status"] for entry in manifest.values()} == {"fixture"}
    assert {(name, split) for name, entry in manifest.items() for split in entry["splits"]} == {
        (f"{dataset}/{config}", split) for dataset, config, split in PLACES
    }
