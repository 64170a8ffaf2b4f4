"""Fingerprints, statuses, and what planning may cost."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.fixture_rows.write import rewrite_split, write_fixtures
from xt import digests
from xt.digests import file_digest
from xt.errors import DataError
from xt.tasks import (
    STATUSES,
    fingerprint_evaluation,
    fingerprint_training,
    get_task,
    read_evaluation,
    read_training,
    worst_status,
)
from xt.tasks.text import fingerprint_text, open_text


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder root of one's own."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    write_fixtures(tmp_path / "root")
    return tmp_path / "root"


def drop_first(rows):
    return rows[1:]


def test_a_fingerprint_moves_with_its_own_files_only(root):
    def fingerprints():
        return {
            "xnli": fingerprint_training("xnli", str(root)),
            "mnli": fingerprint_training("mnli", str(root)),
            "udpos en": fingerprint_evaluation("udpos", str(root), "en"),
            "udpos de": fingerprint_evaluation("udpos", str(root), "de"),
            "xnli de": fingerprint_evaluation("xnli", str(root), "de"),
            "xnli zh": fingerprint_evaluation("xnli", str(root), "zh"),
        }

    before = fingerprints()
    assert before["xnli"] == before["mnli"]
    assert len(set(before.values())) == 5
    rewrite_split(root, "google/xtreme", "udpos.German", "test", drop_first)
    after = fingerprints()
    assert {name for name in before if before[name] != after[name]} == {"udpos de"}


BESIDE = {
    "xcopa": ("it", "aps/super_glue", "copa", "test"),
    "mewslix": ("de", "izhx/mewsli-x", "candidate_entities", "test"),
    "ccg": ("en", "xt/ccg", "default", "train"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_rows_moves_the_fingerprint_and_has_a_say_in_the_status(name, root):
    language, dataset, config, split = BESIDE[name]
    before = fingerprint_evaluation(name, str(root), language)
    manifest = json.loads((root / "MIRROR.json").read_text())
    for entry in manifest.values():
        entry["split_status"] = dict.fromkeys(entry["split_status"], "complete")
    manifest[f"{dataset}/{config}"]["split_status"][split] = "subset"
    (root / "MIRROR.json").write_text(json.dumps(manifest))
    assert read_evaluation(name, str(root), language).status == "subset"
    rewrite_split(root, dataset, config, split, lambda rows: rows[::-1])
    assert fingerprint_evaluation(name, str(root), language) != before


def test_rows_to_choose_a_threshold_on_are_in_the_fingerprint(monkeypatch):
    before = fingerprint_evaluation("bucc2018", "lab-101", "qab")
    row = replace(get_task("bucc2018"), calibration=None)
    monkeypatch.setattr("xt.tasks.reading.get_task", lambda name: row)
    assert fingerprint_evaluation("bucc2018", "lab-101", "qab") != before


def test_a_fingerprint_does_not_depend_on_where_the_root_lies(root, fixtures_root):
    assert fingerprint_training("squad", str(root)) == fingerprint_training("squad", fixtures_root)


def test_a_hub_fingerprint_names_the_revision_and_asks_no_server():
    everything = {fingerprint_training("mnli", "hub"), fingerprint_evaluation("xnli", "hub", "de")}
    assert len(everything) == 2 and fingerprint_training("mnli", "hub") in everything


def test_a_digest_is_remembered_until_the_file_changes(root, tmp_path):
    file = tmp_path / "file"
    file.write_text("one")
    first = file_digest(file)
    store = tmp_path / "cache" / "digests.json"
    assert json.loads(store.read_text())[str(file)][2] == first
    file.write_text("two!")
    assert file_digest(file) != first
    assert json.loads(store.read_text())[str(file)][2] == file_digest(file)


def flip_letter(file, old, new):
    """Changes a file as a disk does that loses a bit: no time changes."""
    times = file.stat()
    whole = file.read_bytes()
    assert old in whole
    file.write_bytes(whole.replace(old, new, 1))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_that_lost_a_bit_since_it_was_planned_on_is_refused(root, tmp_path, monkeypatch):
    """By a process that has it planned on by what another has remembered."""
    source = get_task("squad").training
    (table,) = (root / source.dataset / source.config).glob(f"{source.split}-*")
    text = root / "en.txt"
    text.write_text("A sheep sleeps.\n")
    plan = (lambda: fingerprint_training("squad", str(root)), lambda: fingerprint_text(str(root), "en"))
    reading = (lambda: read_training("squad", str(root), num_selection=8), lambda: open_text(str(root), "en"))

    def forget():
        monkeypatch.setattr(digests, "TAKEN", {})
        for remembered in (digests._remembered_digest, digests._read_digest):
            remembered.cache_clear()

    planned = [ask() for ask in plan]
    forget()
    assert [ask() for ask in plan] == planned and all(read() for read in reading)
    forget()
    flip_letter(text, b"sheep", b"sleep")
    flip_letter(table, table.read_bytes()[200:204], b"\0\1\2\3")
    assert [ask() for ask in plan] == planned, "planning reads no file again"
    for read, file in zip(reading, (table, text), strict=True):
        with pytest.raises(DataError, match=f"{file.name} is damaged: its bytes changed, its time did not"):
            read()


def test_a_split_has_its_own_status_and_the_worst_wins(root):
    manifest = json.loads((root / "MIRROR.json").read_text())
    manifest["google/xtreme/udpos.English"]["split_status"] = {"train": "substitute", "test": "complete"}
    del manifest["google/xtreme/udpos.German"]
    (root / "MIRROR.json").write_text(json.dumps(manifest))
    assert read_training("udpos", str(root), num_selection=8).status == "substitute"
    assert read_evaluation("udpos", str(root), "en").status == "complete"
    assert read_evaluation("udpos", str(root), "de").status == "complete"  # nothing is declared
    assert read_evaluation("udpos", str(root), "th").status == "fixture"
    assert STATUSES == ("complete", "subset", "substitute", "generated", "fixture")
    assert worst_status("subset", "substitute", "complete") == "substitute"


def test_a_root_without_a_manifest_is_complete(root):
    (root / "MIRROR.json").unlink()
    assert read_evaluation("udpos", str(root), "de").status == "complete"


PLAN = """
import sys, xt, xt.languages, xt.tasks
light = [m for m in ("pyarrow", "numpy") if m in sys.modules]
for task in xt.tasks.TASKS:
    for language in xt.tasks.list_languages(task, sys.argv[1]):
        xt.tasks.fingerprint_evaluation(task, sys.argv[1], language)
heavy = [m for m in ("datasets", "torch", "transformers", "pandas") if m in sys.modules]
print(light, heavy)
"""


def test_planning_imports_nothing_heavy(fixtures_root, tmp_path):
    environment = os.environ | {"XT_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", PLAN, fixtures_root]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
