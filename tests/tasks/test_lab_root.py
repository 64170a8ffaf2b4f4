"""The lab as a data root: its names, its languages, and what planning may cost."""

import pytest

from tests.tasks.test_conformity import check, check_pool
from xt.errors import DataError
from xt.lab import repository
from xt.lab.languages import LAB_LANGUAGES
from xt.locations import resolve_root
from xt.tasks import (
    TASKS,
    fingerprint_evaluation,
    fingerprint_training,
    get_task,
    home_language,
    languages_of,
    list_languages,
    read_calibration,
    read_evaluation,
    read_training,
    training_languages,
    translated_languages,
)
from xt.tasks import roots as roots_module

LACKING = ("americasnli", "masakhaner")
"""Tasks that the lab does not make."""
SHARE = 0.05


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache for the whole module, of splits that have a twentieth of their rows."""
    make = repository.make_items
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(repository, "make_items", lambda *asked: make(*asked, SHARE))
        yield


@pytest.mark.parametrize("root, resolved", (("lab", "lab-0"), ("lab-7", "lab-7"), ("lab-007", "lab-7")))
def test_a_lab_is_named_by_its_seed(root, resolved):
    assert resolve_root(root) == resolved and resolve_root(resolved) == resolved


@pytest.mark.parametrize("root", ("lab-", "lab--1", "lab-x", "lab7", "Lab"))
def test_what_is_no_lab_is_refused_with_what_is(root):
    with pytest.raises(ValueError, match="allowed: hub, lab, lab-<world seed>, fixtures"):
        resolve_root(root)


def test_languages_are_the_labs_and_qaa_stands_for_english(fixtures_root):
    codes = tuple(LAB_LANGUAGES)
    assert (home_language("lab-101"), home_language("hub"), home_language(fixtures_root)) == ("qaa", "en", "en")
    assert languages_of(get_task("mnli"), "lab-101") == ("qaa",)
    assert languages_of(get_task("xnli"), "lab-101") == codes
    assert languages_of(get_task("tatoeba"), "lab-101") == codes[1:]
    assert languages_of(get_task("xnli"), "hub") == get_task("xnli").languages
    assert all(
        list_languages(name, "lab-101") == (() if name in LACKING else languages_of(task, "lab-101"))
        for name, task in TASKS.items()
    )


@pytest.mark.parametrize("root, language", (("lab-101", "de"), ("hub", "qab")))
def test_a_language_of_elsewhere_is_refused(root, language):
    with pytest.raises(ValueError, match="unknown language of xnli"):
        read_evaluation("xnli", root, language)
    with pytest.raises(ValueError, match="unknown training language"):
        fingerprint_training("xnli", root, language)


def test_planning_generates_nothing_and_tells_worlds_and_versions_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_CACHE", str(tmp_path))

    def fingerprints(root):
        return {
            fingerprint_training("mnli", root),
            fingerprint_evaluation("xnli", root, "qab"),
            fingerprint_evaluation("xnli", root, "qac"),
            fingerprint_evaluation("udpos", root, "qab"),
        }

    first, second = fingerprints("lab-101"), fingerprints("lab-102")
    monkeypatch.setattr(roots_module, "LAB_VERSION", 99)
    third = fingerprints("lab-101")
    assert len(first | second | third) == 12
    assert fingerprint_training("xnli", "lab-101") == fingerprint_training("mnli", "lab-101", "qaa")
    with pytest.raises(DataError, match="no split"):
        fingerprint_evaluation("xnli", "lab-101", "qab", split="train")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name in TASKS if name not in LACKING])
def test_every_task_is_read_from_the_lab(cache, name):
    task = get_task(name)
    for code in ("qab", "qao") if len(task.languages) > 1 else ("qaa",):
        data = read_evaluation(name, "lab-101", code)
        check(task, data.examples, code)
        check_pool(task, data)
        assert data.status == "generated" and data.num_dropped == data.num_repaired == 0
        assert data.files and not data.files[0].startswith("/")
    if task.training_task and TASKS[task.training_task] is task:
        for code in ("qaa", "qac") if "qac" in training_languages(name, "lab-101") else ("qaa",):
            data = read_training(name, "lab-101", language=code, num_selection=5)
            check(task, data.train, code, training=True)
            check(task, data.selection, code, training=True)
            assert data.translated == (code == "qac" and task.translated is not None)


def test_training_data_in_every_language_of_the_lab():
    codes = tuple(LAB_LANGUAGES)
    for name, task in TASKS.items():
        if task.training_task and name not in (*LACKING, "mewslix", "tydiqa"):
            assert training_languages(name, "lab-101") == codes
            assert translated_languages(name, "lab-101") == (codes[1:] if name not in OWN else ())
    assert all(training_languages(name, "lab-101") == ("qaa",) for name in ("mewslix", "masakhaner", "tydiqa"))
    assert training_languages("tatoeba", "lab-101") == training_languages("bucc2018", "lab-101") == ()


OWN = ("udpos", "panx")
"""Tasks with rows of their own in every language."""


def test_every_part_of_anli_plus_is_translated(cache):
    parts = [
        {example.id.partition(":")[0] for example in read_training("anli_plus", "lab-101", language=code).train}
        for code in ("qaa", "qac")
    ]
    assert parts[0] == parts[1] and len(parts[0]) == 5


def test_xcopa_says_what_copa_says_and_bucc_has_rows_to_choose_a_threshold_on(cache):
    english = read_evaluation("copa", "lab-101", "qaa", split="test").examples
    other = read_evaluation("xcopa", "lab-101", "qab").examples
    ends = [[e.prompt.rsplit(" ", 1)[1] for e in examples] for examples in (english, other)]
    assert ends[0] == ends[1] and [e.label for e in english] == [e.label for e in other] and len(set(ends[0])) == 2
    data = read_calibration("bucc2018", "lab-101", "qab")
    check(get_task("bucc2018"), data.examples, "qab")
    check_pool(get_task("bucc2018"), data)
    assert data.split == "validation"
    scored = read_evaluation("bucc2018", "lab-101", "qab")
    assert {q.text for q in data.examples} != {q.text for q in scored.examples}


def test_training_is_in_the_home_language_unless_another_is_asked_for(cache):
    assert {e.language for e in read_training("udpos", "lab-101", num_selection=9).train} == {"qaa"}
    assert {e.language for e in read_training("udpos", "lab-101", language="qab", num_selection=9).train} == {"qab"}
    data = read_training("panx", "lab-101", num_selection=100)
    assert data.status == "generated" and len(data.selection) == 100
