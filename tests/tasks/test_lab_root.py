"""The lab as a data root: its names, its languages, and what planning may cost."""

import pytest

from xt.errors import DataError
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
    read_evaluation,
    read_training,
)
from xt.tasks import roots as roots_module


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache for the whole module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XT_CACHE", str(tmp_path_factory.mktemp("cache")))
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
        list_languages(name, "lab-101") == languages_of(task, "lab-101")
        for name, task in TASKS.items()
        if task.evaluation
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


@pytest.mark.parametrize("name", TASKS)
def test_tasks_are_read_from_the_lab(cache, name):
    for code in {"qab": ("qab", "qao"), "qaa": ("qaa",)}["qab" if len(get_task(name).languages) > 1 else "qaa"]:
        data = read_evaluation(name, "lab-101", code)
        assert data.status == "generated" and data.num_dropped == data.num_repaired == 0
        assert data.files and not data.files[0].startswith("/")
        assert {example.language for example in data.examples} == {code}


def test_training_is_in_the_home_language_unless_another_is_asked_for(cache):
    assert {e.language for e in read_training("udpos", "lab-101").train} == {"qaa"}
    assert {e.language for e in read_training("udpos", "lab-101", language="qab").train} == {"qab"}
    data = read_training("xcopa" if "xcopa" in TASKS else "panx", "lab-101", num_selection=100)
    assert data.status == "generated" and len(data.selection) == 100
