"""A row of the task table is checked when it is written."""

from dataclasses import replace

import pytest

from tests.fixture_rows.write import rewrite_split, write_fixtures
from xt.locations import PROJECT
from xt.tasks import TASKS, read_training
from xt.tasks.task import build_table

XNLI = TASKS["xnli"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "regression"}, "unknown format 'regression'; allowed: classification, .*retrieval"),
        ({"roles": ("targets",)}, "unknown role 'targets'; did you mean 'target'"),
        ({"roles": ()}, "task 'xnli': roles is empty"),
        ({"languages": ()}, "task 'xnli': languages is empty"),
        ({"languages": ("en", "xx")}, "unknown language 'xx'"),
        ({"languages": ("en", "de", "en")}, "a language is named twice"),
        ({"citation": ""}, "task 'xnli': citation is empty"),
        ({"licence": ""}, "task 'xnli': licence is empty"),
        ({"metrics": ()}, "task 'xnli': metrics is empty"),
        ({"labels": ()}, "task 'xnli': labels are .*; required for classification"),
        ({"format": "retrieval"}, "task 'xnli': labels are .*; required for classification"),
        ({"note": "Fine."}, "google/xtreme has no revision and the note does not say so"),
    ],
)
def test_an_impossible_row_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(XNLI, **change)


def test_a_pinned_row_needs_no_note():
    pinned = replace(XNLI, evaluation=replace(XNLI.evaluation, revision="a" * 40), note="")
    assert pinned.evaluation.revision == "a" * 40


def test_a_name_stands_once():
    with pytest.raises(ValueError, match="'xnli' stands twice"):
        build_table(TASKS["mnli"], XNLI, XNLI)


def test_a_training_task_must_exist_and_have_rows():
    with pytest.raises(ValueError, match="unknown training task of 'xnli' 'mnli'"):
        build_table(XNLI)
    with pytest.raises(ValueError, match="training task 'mnli' has no training rows"):
        build_table(replace(TASKS["mnli"], training=None), XNLI)


def test_languages_are_the_benchmarks():
    targets = {name: task for name, task in TASKS.items() if "target" in task.roles}
    assert {name: len(task.languages) for name, task in targets.items()} == XTREME | XTREME_R | BEYOND
    more = {name: len(task.languages + task.more_languages) for name, task in targets.items() if task.more_languages}
    assert more == {"udpos": 38, "panx": 48, "xquad": 12, "tatoeba": 41}, "XTREME-R's"


XTREME = {"xnli": 15, "pawsx": 7, "udpos": 33, "panx": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9}
XTREME |= {"bucc2018": 4, "tatoeba": 36}
XTREME_R = {"xcopa": 11, "lareqa": 11, "mewslix": 11}
BEYOND = {"americasnli": 10, "masakhaner": 20}


def test_the_intermediate_tasks_are_the_papers_and_those_on_the_way_to_xcopa():
    nine = {"anli_plus", "mnli", "qqp", "squad_v2", "squad", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"}
    at_home = {name for name, task in TASKS.items() if task.languages == ("en",)}
    assert at_home == nine | {"siqa", "copa"} and TASKS["copa"].trained_before == "siqa"
    assert all("intermediate" in TASKS[name].roles and TASKS[name].translated for name in at_home)


@pytest.fixture
def use_row(monkeypatch):
    """Puts another row in a task's place."""

    def put(row):
        monkeypatch.setattr("xt.tasks.reading.get_task", build_table(row).__getitem__)

    return put


def test_a_disjoint_split_that_the_row_names_is_selected_on(use_row, fixtures_root):
    mnli = TASKS["mnli"]
    use_row(replace(mnli, selection=mnli.evaluation))
    data = read_training("mnli", fixtures_root, num_selection=7)
    assert len(data.train) == 48 and len(data.selection) == 7
    assert {e.premise for e in data.selection} <= {
        "The dog sleeps in the kitchen.",
        "The cat sleeps in the barn.",
        "The horse sleeps in the garden.",
        "The sheep sleeps in the barn.",
    }
    assert len(data.files) == 2


def test_documented_unlabelled_rows_are_dropped_and_counted(use_row, tmp_path):
    write_fixtures(tmp_path)

    def hide(rows):
        rows[4]["label"] = rows[40]["label"] = -1

    rewrite_split(tmp_path, "nyu-mll/glue", "mnli", "train", hide)
    mnli = TASKS["mnli"]
    use_row(replace(mnli, training=replace(mnli.training, drop_unlabelled=True)))
    data = read_training("mnli", str(tmp_path), num_selection=8)
    assert data.num_dropped == 2
    assert {e.id for e in data.train + data.selection} == {str(i) for i in range(48)} - {"4", "40"}


def describe_source(source):
    """`dataset config split`, and what is looked for otherwise."""
    told = f"{source.dataset} {source.config} {source.split}" + (f" ({source.place})" if source.place else "")
    return told + (f", else {describe_source(source.otherwise)}" if source.otherwise else "")


def test_the_data_page_names_every_source():
    page = (PROJECT / "data" / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    table = {row[0]: row[1:] for row in rows if row[0] in TASKS and len(row) == 5}
    assert table == {
        name: [
            describe_source(task.evaluation),
            "; ".join(map(describe_source, (task.training, *task.more_training)))
            if task.training
            else f"{task.training_task}'s"
            if task.training_task
            else "nothing",
            describe_source(task.translated) if task.translated else "none",
            task.licence,
        ]
        for name, task in TASKS.items()
    }
    assert [name for name, task in TASKS.items() if task.selection] == ["copa"] and "except COPA" in page
    assert not any(source.revision for task in TASKS.values() for source in task.sources) and "No revision" in page
