"""Every row of TASKS, read from real files, with the row counts that the mirror declares."""

import json
import re
from pathlib import Path

import pytest

from tests.tasks.test_conformity import check, check_pool
from xt.errors import DataError
from xt.tasks import (
    TASKS,
    fingerprint_training,
    list_languages,
    read_evaluation,
    read_training,
    training_languages,
    translated_languages,
    worst_status,
)

ABSENT = ("ccg", "mewslix")
"""Tasks that the mirror does not hold."""
HELD = [name for name in TASKS if name not in ABSENT]
LACKING = {
    ("udpos", "test"): {"de"},
    ("panx", "validation"): {"th"},
    ("panx", "test"): set(TASKS["panx"].languages) - {"de", "en", "fr", "nl", "pt"},
    ("mlqa", "test"): set(TASKS["mlqa"].languages),
    ("bucc2018", "validation"): {"de", "fr", "ru"},
}
INSTEAD = {"mlqa": "validation", "bucc2018": "validation"}
"""The split that is there where the task's own is not."""
SPLITS = [(name, INSTEAD.get(name, TASKS[name].evaluation.split)) for name in HELD] + [
    ("panx", "validation"), ("udpos", "validation"), ("xnli", "validation"), ("xcopa", "validation"),
    ("anli_plus", "dev_r1"), ("anli_plus", "dev_r2"), ("masakhaner", "validation"), ("americasnli", "validation"),
]  # fmt: skip


@pytest.fixture(scope="module")
def manifest(mirror_root):
    return json.loads((Path(mirror_root) / "MIRROR.json").read_text())


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_evaluation_rows(name, split, mirror_root, manifest):
    """As many rows as the mirror declares, of the status that it declares; mixed configs over all languages."""
    task = TASKS[name]
    counted, declared = {}, {}
    for language in list_languages(name, mirror_root, split):
        data = read_evaluation(name, mirror_root, language, split=split)
        check(task, data.examples, language)
        check_pool(task, data)
        assert (data.num_dropped, data.num_repaired) == (0, 0)
        config = data.files[0].rpartition("/")[0]
        beside = {manifest[file.rpartition("/")[0]]["split_status"][split] for file in data.files}
        assert data.status == worst_status(*beside)
        counted[config] = counted.get(config, 0) + len(data.examples)
        declared[config] = manifest[config]["splits"][split]
    assert counted == declared != {}


@pytest.mark.parametrize(("name", "split"), LACKING)
def test_languages_that_the_mirror_lacks(name, split, mirror_root):
    assert set(TASKS[name].languages) - set(list_languages(name, mirror_root, split)) == LACKING[name, split]


def test_what_the_mirror_lacks_is_said(mirror_root, monkeypatch, tmp_path):
    monkeypatch.setenv("XT_CCGBANK", str(tmp_path))
    for name, words in (("ccg", "set XT_CCGBANK"), ("mewslix", "JSON lines, in part in archives: write it as parquet")):
        assert list_languages(name, mirror_root) == training_languages(name, mirror_root) == ()
        for ask in (read_training, fingerprint_training):
            with pytest.raises(DataError, match=words):
                ask(name, mirror_root)
    with pytest.raises(DataError, match="no dataset.*mteb/BUCC.*; or: .*no split 'test' of zh; there is: validation"):
        read_evaluation("bucc2018", mirror_root, "zh")


@pytest.mark.parametrize("name", [name for name in HELD if TASKS[name].training_task == name])
def test_training_rows(name, mirror_root, manifest):
    data = read_training(name, mirror_root)
    task = TASKS[TASKS[name].training_task]
    check(task, data.train, "en", training=True)
    entries = [(manifest[file.rpartition("/")[0]], re.search(r"/(\w+)-\d+-of", file)[1]) for file in data.files]
    if task.selection is None:
        assert len(data.train) + len(data.selection) == sum(entry["splits"][split] for entry, split in entries)
        assert 440 < len(data.selection) <= 500
        assert not {e.cluster for e in data.train} & {e.cluster for e in data.selection}
    else:
        assert [len(data.train), len(data.selection)] == [entry["splits"][split] for entry, split in entries]
    assert data.status == worst_status(*(entry["split_status"][split] for entry, split in entries))
    assert not data.translated and data.num_dropped == data.num_repaired == 0


LANGUAGES = {
    "panx": set("en ar bn de es eu fi fr hi jv my qu ru sw ta te tr yo zh".split()),
    "tydiqa": {"en", "ko", "sw"},
    "masakhaner": {"en", *TASKS["masakhaner"].languages},
    "mnli": {"en"},
    "pawsx": {"en"},
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_training_rows_in_other_languages(name, mirror_root):
    assert (
        set(training_languages(name, mirror_root)) == LANGUAGES[name]
        and training_languages(name, mirror_root)[0] == "en"
    )
    assert translated_languages(name, mirror_root) == ()
    sizes = {"panx": ("jv", 100), "tydiqa": ("ko", 1616), "masakhaner": ("tw", 4240)}
    if name in sizes:
        language, size = sizes[name]
        data = read_training(name, mirror_root, language=language, num_selection=50)
        check(TASKS[name], data.train + data.selection, language, training=True)
        assert len(data.train) + len(data.selection) == size and not data.translated


def test_languages_of_xtreme_r(mirror_root):
    held = {name: [] for name in ("panx", "xquad", "udpos", "tatoeba")}
    for name in held:
        for code in TASKS[name].more_languages:
            split = "validation" if name == "panx" else None
            try:
                check(TASKS[name], read_evaluation(name, mirror_root, code, split=split).examples, code)
                held[name].append(code)
            except DataError as error:
                assert "no config" in str(error)
    assert held == {"panx": [*TASKS["panx"].more_languages], "xquad": ["ro"], "udpos": [], "tatoeba": []}


def test_lareqa_has_the_published_numbers_of_questions_and_candidates(mirror_root):
    data = [read_evaluation("lareqa", mirror_root, code) for code in TASKS["lareqa"].languages]
    candidates = [candidate for part in data for candidate in part.pool]
    assert len(data) == 11 and sum(len(part.examples) for part in data) == 13_090 == 11 * 1190
    assert len(candidates) == len({candidate.id for candidate in candidates}) == 13_014


def test_xcopa_asks_what_english_copa_asks(mirror_root):
    """In 52 of 100 Thai and Turkish validation rows the question column says the other."""
    for split in ("validation", "test"):
        english = [e.prompt.rsplit(" ", 1)[1] for e in read_evaluation("copa", mirror_root, "en", split=split).examples]
        for code in TASKS["xcopa"].languages:
            examples = read_evaluation("xcopa", mirror_root, code, split=split).examples
            assert [e.prompt.rsplit(" ", 1)[1] for e in examples] == english and len(set(english)) == 2


def test_chinese_bucc_is_mined_from_the_whole_sample(mirror_root):
    data = read_evaluation("bucc2018", mirror_root, "zh", split="validation")
    assert (len(data.examples), len(data.pool), sum(len(q.relevant) for q in data.examples)) == (8624, 13589, 257)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.parallel])
def test_parallel_items_and_what_a_cap_keeps_of_them(name, mirror_root):
    def items(language, cap):
        examples = read_evaluation(name, mirror_root, language, max_examples=cap).examples
        return tuple((example.id, example.cluster) for example in examples)

    languages = TASKS[name].languages
    assert len({items(language, None) for language in languages}) == 1
    assert len({items(language, 200) for language in languages[::4]}) == 1


def test_no_evaluation_passage_is_trained_on(mirror_root):
    squad = read_training("squad", mirror_root)
    passages = {example.context for example in squad.train + squad.selection}
    english = read_evaluation("xquad", mirror_root, "en").examples
    assert not passages & {example.context for example in english}
