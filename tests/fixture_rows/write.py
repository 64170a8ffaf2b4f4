"""Writes the fixtures as a folder root: `python -m tests.fixture_rows.write [FOLDER]`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.fixture_rows import choices, inference, searches
from tests.fixture_rows.pairs import HELLASWAG, MNLI, TATOEBA_PAIRS, XNLI, tatoeba_config
from tests.fixture_rows.passages import (
    SQUAD,
    SQUAD_DE,
    SQUAD_V2,
    TYDIQA,
    TYDIQA_GOLD,
    XQUAD_PASSAGES,
    mlqa_config,
    xquad_config,
)
from tests.fixture_rows.repository import Config, Repository
from tests.fixture_rows.tagged import (
    CCG,
    MASAKHANER_ROWS,
    PANX_TEST,
    UDPOS_TEST,
    masakhaner_config,
    panx_config,
    udpos_config,
)
from xt.locations import folder

LICENCE = "CC0 1.0"

REPOSITORIES: dict[str, Repository] = {
    "nyu-mll/glue": {"mnli": MNLI, "qqp": inference.QQP, "qqp.de": inference.QQP_DE},
    "stanfordnlp/snli": {"plain_text": inference.SNLI},
    "facebook/anli": {"plain_text": inference.ANLI},
    "facebook/xnli": {"de": inference.XNLI_DE},
    "rajpurkar/squad": {"plain_text": SQUAD},
    "rajpurkar/squad_v2": {"squad_v2": SQUAD_V2},
    "facebook/mlqa": {"mlqa-translate-train.de": SQUAD_DE},
    "xt/ccg": {"default": CCG},
    "allenai/cosmos_qa": {"default": choices.COSMOSQA},
    "tau/commonsense_qa": {"default": choices.COMMONSENSEQA},
    "lighteval/siqa": {"default": choices.SIQA},
    "aps/super_glue": {"copa": choices.COPA},
    "Rowan/hellaswag": {"default": HELLASWAG},
    "google/xtreme": {
        "XNLI": XNLI,
        **{f"udpos.{name}": udpos_config(name) for name in UDPOS_TEST},
        **{f"PAN-X.{code}": panx_config(code) for code in PANX_TEST},
        **{f"XQuAD.{code}": xquad_config(code) for code in XQUAD_PASSAGES},
        "tydiqa": TYDIQA,
        **{f"tatoeba.{iso3}": tatoeba_config(iso3) for iso3 in TATOEBA_PAIRS},
        **{f"PAWS-X.{code}": inference.pawsx_config(code) for code in inference.PAWSX_TEXTS},
        **{f"MLQA.{code}.{code}": mlqa_config(code) for code in ("de", "en", "zh")},
    },
    "google-research-datasets/tydiqa": {"secondary_task": TYDIQA_GOLD},
    "google-research-datasets/xquad_r": {code: searches.lareqa_config(code) for code in searches.CUTS},
    "mteb/BUCC": {"de-en": searches.BUCC_DE},
    "bucc2018/zh-en": searches.BUCC_ZH,
    "izhx/mewsli-x": searches.MEWSLIX,
    "cambridgeltl/xcopa": {code: choices.xcopa_config(code) for code in choices.XCOPA_TEXTS},
    "nala-cub/americas_nli": {name: inference.americas_config(name) for name in inference.AMERICAN_ITEMS},
    "masakhane/masakhaner2": {name: masakhaner_config(name) for name in MASAKHANER_ROWS},
}


def build_table(config: Config, rows: list[dict]) -> pa.Table:
    """The rows with their types, and the hub's description of them."""
    features = {name: kind.hub for name, kind in config.columns.items()}
    schema = pa.schema([(name, kind.arrow) for name, kind in config.columns.items()])
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.Table.from_pylist(rows, schema=schema.with_metadata(metadata))


def build_card(dataset: str, repository: Repository) -> str:
    """The dataset card: front matter as on the hub, and what this is."""
    files, info = [], []
    for name, config in repository.items():
        patterns = [{"split": split, "path": f"{name}/{split}-*"} for split in config.splits]
        features = [{"name": column, **kind.card} for column, kind in config.columns.items()]
        tables = {split: build_table(config, rows) for split, rows in config.splits.items()}
        splits = [
            {"name": split, "num_bytes": table.nbytes, "num_examples": table.num_rows}
            for split, table in tables.items()
        ]
        files.append({"config_name": name, "data_files": patterns})
        info.append({"config_name": name, "features": features, "splits": splits})
    front_matter = {"license": "cc0-1.0", "configs": files, "dataset_info": info}
    header = yaml.safe_dump(front_matter, sort_keys=False, allow_unicode=True)
    about = "A few rows in the format of the hub repository, written by hand for tests."
    return f"---\n{header}---\n\n# {dataset} (fixtures)\n\n{about}\n"


def write_fixtures(root: Path) -> None:
    """Writes every repository and MIRROR.json below `root`."""
    manifest = {}
    for dataset, repository in REPOSITORIES.items():
        for name, config in repository.items():
            (root / dataset / name).mkdir(parents=True, exist_ok=True)
            for split, rows in config.splits.items():
                table = build_table(config, rows)
                pq.write_table(table, split_file(root, dataset, name, split), compression="zstd")
            manifest[f"{dataset}/{name}"] = {
                "status": "fixture",
                "splits": {split: len(rows) for split, rows in config.splits.items()},
                "split_status": {split: "fixture" for split in config.splits},
                "license": LICENCE,
                "note": "Written by hand for tests, in the release's format.",
            }
        (root / dataset / "README.md").write_text(build_card(dataset, repository), encoding="utf-8")
    (root / "MIRROR.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def split_file(root: Path, dataset: str, config: str, split: str) -> Path:
    """Where a split lies."""
    return root / dataset / config / f"{split}-00000-of-00001.parquet"


def rewrite_split(root: Path, dataset: str, config: str, split: str, change: Callable[[list], list | None]):
    """Writes a split anew with the rows that `change` returns, or has changed in place."""
    content = REPOSITORIES[dataset][config]
    rows = [dict(row) for row in content.splits[split]]
    changed = change(rows)
    table = build_table(content, rows if changed is None else changed)
    pq.write_table(table, split_file(root, dataset, config, split), compression="zstd")


if __name__ == "__main__":
    write_fixtures(Path(sys.argv[1]) if len(sys.argv) > 1 else folder("XT_FIXTURES"))
