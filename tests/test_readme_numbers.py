"""Numbers that the pages say of the committed results are those of the results; a stale page is told what to write."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from xt.analyses import ANALYSES
from xt.engine import read_cells
from xt.gains import gain_table, load_cubes
from xt.locations import PROJECT
from xt.prose import say_interval, say_list, say_number
from xt.results import load_runs, load_scores


def tell_stale(page: str, sentences: list[str]) -> str:
    """What to write into a page: the sentences that it should hold and does not, wherever its lines break."""
    text = " ".join((PROJECT / page).read_text(encoding="utf-8").split())
    return "\n".join(f"{page} should say: {sentence}" for sentence in sentences if sentence not in text)


def say_gains(gains: pd.DataFrame, name: str) -> str:
    """`squad −8.0 (−10.5 to −5.5) and mnli −1.8 (−3.2 to −0.5) points`, by size, of the gains that have a number."""
    rows = gains[gains["gain"].notna()].sort_values("gain")
    return (
        say_list(f"{row[name]} {say_number(row['gain'])} ({say_interval(row)})" for _, row in rows.iterrows())
        + " points"
    )


@pytest.fixture(scope="module")
def gains() -> pd.DataFrame:
    return gain_table(load_cubes(load_scores("real-full"), np.random.default_rng(1), min_seeds=1))


def test_the_page_of_the_data_says_what_real_full_holds_and_gains(gains):
    runs = load_runs("real-full")
    trained, seeds, hours = (
        (runs["phase"] == "intermediate").sum(),
        runs["seed"].nunique(),
        runs["seconds"].sum() / 3600,
    )
    floor = [target for target, rows in gains.groupby("target", sort=False) if not rows["num_languages"].any()]
    tatoeba, own = gains[gains["target"] == "tatoeba"], gains[gains["intermediate"] == "own_squad"]
    stale = tell_stale("data/README.md", [
        f"{len(runs) - trained} scorings and {trained} intermediate trainings, seeds: {seeds}, "
        f"{hours:.1f} hours of a core",
        f"**At their floor in every language**: {say_list(floor)}.",
        f"**Before tatoeba**, in {tatoeba['num_languages'].max()} languages above their floor: "
        f"{say_gains(tatoeba, 'intermediate')}.",
        f"**As many updates on the target's own data** as SQuAD takes: {say_gains(own, 'target')}.",
    ])  # fmt: skip
    assert not stale, stale


def read_answers() -> Iterator[str]:
    """What notebook 1 says, as executed, cell by cell."""
    for cell in read_cells(ANALYSES / "1-transfer-gain.ipynb"):
        yield from (output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", ()))


def test_the_front_page_says_what_notebook_1_answers():
    said = "\n".join(read_answers())
    counted = re.search(r"### (.* tested gains are reliable, .*)", said)
    by_target = re.search(r"Hurts: \d+ pairs, (.+?); the largest", said)
    real = re.search(r"^\* Study `real`, encoder `mini`, seeds: 3\. (.+)$", said, re.MULTILINE)
    assert counted and real, "notebook 1 words its findings otherwise: word README.md and this test alike"
    found = [counted[1], real[1]] + ([by_target[1]] if by_target else [])
    assert not (stale := tell_stale("README.md", found)), stale
