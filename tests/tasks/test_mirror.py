"""Every row of TASKS, read from real files, with the row counts that the mirror declares."""

import json
from pathlib import Path

import pytest

from tests.tasks.test_conformity import TRAINED, check
from xt.languages import get_language
from xt.tasks import TASKS, list_languages, read_evaluation, read_training

LACKING = {
    ("udpos", "test"): {"de"},
    ("panx", "validation"): {"th"},
    ("panx", "test"): set(TASKS["panx"].languages) - {"de", "en", "fr", "nl", "pt"},
}
SPLITS = [(name, task.evaluation.split) for name, task in TASKS.items()] + [
    ("panx", "validation"), ("udpos", "validation"), ("xnli", "validation"),
]  # fmt: skip


@pytest.fixture(scope="module")
def manifest(mirror_root):
    return json.loads((Path(mirror_root) / "MIRROR.json").read_text())


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_evaluation_rows(name, split, mirror_root, manifest):
    task = TASKS[name]
    counted, declared = {}, {}
    for language in list_languages(name, mirror_root, split):
        data = read_evaluation(name, mirror_root, language, split=split)
        check(task, data.examples, language)
        assert (data.num_dropped, data.num_repaired) == (0, 0)
        config = f"{task.evaluation.dataset}/{task.evaluation.config_for(get_language(language))}"
        assert data.status == manifest[config]["split_status"][split]
        counted[config] = counted.get(config, 0) + len(data.examples)
        declared[config] = manifest[config]["splits"][split]
    assert counted == declared != {}


@pytest.mark.parametrize(("name", "split"), LACKING)
def test_languages_that_the_mirror_lacks(name, split, mirror_root):
    assert set(TASKS[name].languages) - set(list_languages(name, mirror_root, split)) == LACKING[name, split]


@pytest.mark.parametrize("name", TRAINED)
def test_training_rows(name, mirror_root, manifest):
    data = read_training(name, mirror_root)
    source = TASKS[TASKS[name].training_task].training
    check(TASKS[TASKS[name].training_task], data.train, "en")
    entry = manifest[f"{source.dataset}/{source.config_for(get_language('en'))}"]
    assert len(data.train) + len(data.selection) == entry["splits"]["train"]
    assert data.status == entry["split_status"]["train"]
    assert 440 < len(data.selection) <= 500
    assert not {e.cluster for e in data.train} & {e.cluster for e in data.selection}


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.parallel])
def test_parallel_items_and_what_a_cap_keeps_of_them(name, mirror_root):
    kept = {
        tuple((e.id, e.cluster) for e in read_evaluation(name, mirror_root, language, max_examples=cap).examples)
        for cap in (None, 200)
        for language in TASKS[name].languages
    }
    assert len(kept) == 2


def test_no_evaluation_passage_is_trained_on(mirror_root):
    squad = read_training("squad", mirror_root)
    passages = {example.context for example in squad.train + squad.selection}
    english = read_evaluation("xquad", mirror_root, "en").examples
    assert not passages & {example.context for example in english}
