"""The lab's files: made once, whole or not at all, the same everywhere."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet
import pytest

from xt.errors import DataError
from xt.lab import LAB_VERSION, repository
from xt.lab.languages import LAB_LANGUAGES
from xt.lab.repository import MAKERS, find_maker, make_items, write_split
from xt.locations import PROJECT
from xt.tasks.roots import read_card

COPA = ("aps/super_glue", "copa", "train")
GOLDEN = "2eb380ce7e15cf9cb6e2fde3aced075dfd089380c53a488e329e14461b263a94"
"""Of make_digest: when it moves, so do the lab's data, and LAB_VERSION is raised."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of one's own."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path))
    return tmp_path


def list_splits():
    """(maker, config, split): every split of every maker, in one language, with and without noise."""
    for maker in MAKERS:
        config = maker.config.format(code="qac", other="qaj", noise="-lexical20-order30")
        yield from ((maker, config, split) for split in maker.sizes)


def make_digest() -> str:
    """Of a few rows of every split of world 100."""
    digest = hashlib.sha256()
    for maker, config, split in list_splits():
        items = make_items(100, maker.dataset, config, split, 4 / maker.sizes[split])
        digest.update(repr([item.row for item in items]).encode())
    return digest.hexdigest()


def test_the_same_seed_makes_the_same_rows_whatever_the_hash_seed():
    program = "from tests.lab.test_repository import make_digest; print(make_digest())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    assert digests == {GOLDEN}


@pytest.mark.parametrize("maker, config, split", list(list_splits()))
def test_every_split_is_found_and_has_rows_of_one_form(maker, config, split):
    assert find_maker(maker.dataset, config, split)[0] == maker
    rows = [item.row for item in make_items(101, maker.dataset, config, split, 12 / maker.sizes[split])]
    assert rows and len({tuple(row) for row in rows}) == 1
    assert pyarrow.Table.from_pylist(rows).num_rows == len(rows)


def test_another_seed_makes_other_rows():
    first, second = ([item.row["premise"] for item in make_items(seed, *COPA)] for seed in (101, 102))
    assert not set(first) & set(second)


def test_a_split_is_made_once_and_its_card_names_it(cache, monkeypatch):
    root = write_split(101, *COPA)
    assert root == cache / "lab" / f"v{LAB_VERSION}-w101"
    file = root / "aps/super_glue/copa/train.parquet"
    assert pyarrow.parquet.read_table(file).num_rows == 400
    splits = read_card(root / "aps/super_glue/README.md")["copa"]
    assert splits["train"] == ["copa/train.parquet"] and set(splits) == {"train", "validation", "test"}
    monkeypatch.setattr(repository, "make_items", lambda *_: pytest.fail("made again"))
    assert write_split(101, *COPA) == root


def test_the_card_grows_with_the_configs(cache):
    for config in ("copa.qab", "copa.qab-lexical10", "copa"):
        root = write_split(101, "aps/super_glue", config, "train")
    assert set(read_card(root / "aps/super_glue/README.md")) == {"copa", "copa.qab", "copa.qab-lexical10"}


def test_what_broke_off_leaves_no_split(cache, monkeypatch):
    make = repository.make_items

    def break_off(*asked):
        yield next(make(*asked))
        raise KeyboardInterrupt

    monkeypatch.setattr(repository, "make_items", break_off)
    with pytest.raises(KeyboardInterrupt):
        write_split(101, *COPA)
    assert not list(cache.rglob("*.parquet"))
    monkeypatch.undo()
    monkeypatch.setenv("XT_CACHE", str(cache))
    assert (write_split(101, *COPA) / "aps/super_glue/copa/train.parquet").is_file()


def test_who_comes_second_waits_for_the_first(monkeypatch):
    made, make = [], repository.make_items
    monkeypatch.setattr(repository, "make_items", lambda *asked: made.append(asked) or make(*asked))
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: write_split(101, *COPA), range(4)))) == 1
    assert len(made) == 1


def test_a_new_version_has_a_folder_of_its_own(cache, monkeypatch):
    old = write_split(101, *COPA)
    monkeypatch.setattr(repository, "LAB_VERSION", LAB_VERSION + 1)
    assert write_split(101, *COPA) != old


@pytest.mark.parametrize(
    "asked, told",
    (
        (("nobody/nothing", "default", "train"), "nyu-mll/glue"),
        (("nyu-mll/glue", "sst2", "train"), "mnli, qqp"),
        (("nyu-mll/glue", "mnli", "test_matched"), "train, validation_matched"),
        (("nyu-mll/glue", "mnli.qab", "validation_matched"), "train"),
        (("google/xtreme", "XQuAD.qaz", "validation"), "XQuAD.{code}"),
        (("nyu-mll/glue", "mnli.qab-lexical101", "train"), "{noise}"),
        (("google/xtreme", "XQuAD.de", "validation"), "XQuAD.{code}"),
    ),
)
def test_what_there_is_not_is_refused_with_what_there_is(asked, told):
    with pytest.raises(DataError) as error:
        find_maker(*asked)
    assert told in str(error.value)


def test_languages_that_pretraining_does_not_see_have_no_text():
    unseen = [code for code, row in LAB_LANGUAGES.items() if row.resource == "unseen"]
    assert unseen
    for code in LAB_LANGUAGES:
        if code in unseen:
            with pytest.raises(DataError):
                find_maker("xt/text", code, "train")
        else:
            assert find_maker("xt/text", code, "train")
