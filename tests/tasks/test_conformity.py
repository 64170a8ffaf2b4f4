"""What every row of TASKS promises, on a few rows in the releases' own formats."""

import pytest

from xt.metrics import METRICS
from xt.tasks import (
    TASKS,
    Classification,
    MultipleChoice,
    SentencePair,
    SpanQA,
    Tagging,
    list_languages,
    read_evaluation,
    read_training,
)

TYPES = {
    "classification": Classification,
    "multiple_choice": MultipleChoice,
    "tagging": Tagging,
    "span_qa": SpanQA,
    "retrieval": SentencePair,
}
TRAINED = [name for name, task in TASKS.items() if task.training_task]
LANGUAGES = {
    "mnli": {"en"},
    "squad": {"en"},
    "hellaswag": {"en"},
    "xnli": {"ar", "de", "en", "zh"},
    "udpos": {"ar", "de", "en", "th", "zh"},
    "panx": {"ar", "de", "en", "zh"},
    "xquad": {"ar", "de", "en", "hi", "zh"},
    "tydiqa": {"ar", "en", "ru"},
    "tatoeba": {"ar", "de", "th", "zh"},
}


def check_classification(task, example):
    assert example.premise and example.hypothesis
    assert example.label in range(len(task.labels))


def check_multiple_choice(task, example):
    assert example.prompt and len(set(example.choices)) == len(task.labels)
    assert example.label in range(len(example.choices))


def check_tagging(task, example):
    assert len(example.tokens) == len(example.tags) > 0
    assert set(example.tags) <= set(range(len(task.labels)))


def check_span_qa(task, example):
    assert len(set(example.answers)) == len(example.answers) > 0
    for answer in example.answers:
        assert answer.text and example.context[answer.start : answer.start + len(answer.text)] == answer.text


def check_retrieval(task, example):
    assert example.source == example.source.rstrip("\n") != ""
    assert example.target == example.target.rstrip("\n") != ""


CHECKS = {
    "classification": check_classification,
    "multiple_choice": check_multiple_choice,
    "tagging": check_tagging,
    "span_qa": check_span_qa,
    "retrieval": check_retrieval,
}


def check(task, examples, language):
    """What holds for any list of a task's examples."""
    assert len({example.id for example in examples}) == len(examples) > 0
    for example in examples:
        assert type(example) is TYPES[task.format]
        assert example.language == language
        assert isinstance(example.id, str) and isinstance(example.cluster, str)
        CHECKS[task.format](task, example)


def test_every_task_is_on_the_fixtures(fixtures_root):
    assert {name: set(list_languages(name, fixtures_root)) for name in TASKS} == LANGUAGES


@pytest.mark.parametrize("name", TASKS)
def test_metrics_exist(name):
    assert set(TASKS[name].metrics) <= set(METRICS)


@pytest.mark.parametrize("name", TASKS)
def test_evaluation_rows(name, fixtures_root):
    for language in LANGUAGES[name]:
        data = read_evaluation(name, fixtures_root, language)
        check(TASKS[name], data.examples, language)
        assert len(data.examples) == 12
        assert data.status == "fixture"
        assert data.split == TASKS[name].evaluation.split
        assert data.files and data.num_dropped == 0


@pytest.mark.parametrize("name", TASKS)
def test_parallel_tasks_have_the_same_items_in_every_language(name, fixtures_root):
    first, *others = [
        [(example.id, example.cluster) for example in read_evaluation(name, fixtures_root, language).examples]
        for language in sorted(LANGUAGES[name])
    ]
    assert all(other == first for other in others) or not TASKS[name].parallel
    if TASKS[name].parallel:
        assert len({cluster for _, cluster in first}) == 4


@pytest.mark.parametrize("name", TASKS)
def test_a_cap_keeps_the_order_and_a_larger_one_keeps_the_items(name, fixtures_root):
    language = max(LANGUAGES[name])
    every = read_evaluation(name, fixtures_root, language).examples
    capped = [read_evaluation(name, fixtures_root, language, max_examples=n).examples for n in range(1, 14)]
    assert [len(examples) for examples in capped] == [*range(1, 13), 12]
    for smaller, larger in zip(capped, capped[1:], strict=False):
        assert {example.id for example in smaller} <= {example.id for example in larger}
        assert smaller == [example for example in every if example in smaller]
    seeds = [read_evaluation(name, fixtures_root, language, max_examples=6, data_seed=s).examples for s in range(5)]
    assert any(examples != seeds[0] for examples in seeds)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.parallel])
def test_a_cap_keeps_the_same_items_in_every_language(name, fixtures_root):
    kept = {
        tuple(example.id for example in read_evaluation(name, fixtures_root, language, max_examples=5).examples)
        for language in LANGUAGES[name]
    }
    assert len(kept) == 1


@pytest.mark.parametrize("name", TRAINED)
def test_training_rows(name, fixtures_root):
    data = read_training(name, fixtures_root, num_selection=8)
    trained = TASKS[TASKS[name].training_task]
    check(trained, data.train, "en")
    check(trained, data.selection, "en")
    assert len(data.train) + len(data.selection) == 48
    assert 6 <= len(data.selection) <= 8
    assert not {e.cluster for e in data.train} & {e.cluster for e in data.selection}
    assert data.status == "fixture"


@pytest.mark.parametrize("name", TRAINED)
def test_training_is_a_function_of_its_arguments(name, fixtures_root):
    data = read_training(name, fixtures_root, num_selection=8, max_examples=20)
    assert data == read_training(name, fixtures_root, num_selection=8, max_examples=20)
    larger = read_training(name, fixtures_root, num_selection=8, max_examples=30)
    assert data.selection == larger.selection
    assert len(data.train) == 20 and {e.id for e in data.train} < {e.id for e in larger.train}
    assert data.selection != read_training(name, fixtures_root, num_selection=8, data_seed=1).selection


def test_a_task_trains_on_its_training_tasks_rows(fixtures_root):
    assert read_training("xnli", fixtures_root, num_selection=8) == read_training(
        "mnli", fixtures_root, num_selection=8
    )


CLUSTERS = {"mnli": 16, "squad": 16, "hellaswag": 24, "udpos": 48, "panx": 36, "tydiqa": 24}


@pytest.mark.parametrize("name", CLUSTERS)
def test_training_rows_that_share_premise_passage_source_or_sentence_are_clusters(name, fixtures_root):
    data = read_training(name, fixtures_root, num_selection=0)
    assert data.selection == []
    assert len({example.cluster for example in data.train}) == CLUSTERS[name]


def test_xnli_labels_are_strings_in_the_release_and_clusters_are_premises(fixtures_root):
    examples = read_evaluation("xnli", fixtures_root, "de").examples
    first = examples[:3]
    assert [TASKS["xnli"].labels[example.label] for example in first] == [
        "contradiction",
        "entailment",
        "neutral",
    ]
    assert first[0].hypothesis == "Im Garten ist kein Hund."
    assert [example.cluster for example in examples] == [str(3 * (i // 3)) for i in range(12)]


def test_tydiqa_languages_are_told_by_the_prefix_of_the_id(fixtures_root):
    ids = [example.id for example in read_evaluation("tydiqa", fixtures_root, "ru").examples]
    assert ids[0].startswith("russian-7") and ids[2].startswith("russian--7")
    russian = read_training("tydiqa", fixtures_root, language="ru", num_selection=2)
    assert {example.id.split("-")[0] for example in russian.train} == {"russian"}


def test_stripped_passages_are_repaired_and_counted(fixtures_root):
    repaired = {name: read_evaluation(*name[:1], fixtures_root, name[1]).num_repaired for name in
                [("tydiqa", "ar"), ("tydiqa", "ru"), ("xquad", "zh"), ("xquad", "de")]}  # fmt: skip
    assert list(repaired.values()) == [4, 0, 3, 0]


def test_answers_at_both_ends_of_a_passage_and_with_a_combining_mark(fixtures_root):
    examples = read_evaluation("xquad", fixtures_root, "en").examples
    assert examples[0].answers[0].start == 0
    assert examples[8].context.endswith(examples[8].answers[0].text)
    assert examples[3].answers[0].text == "Cafe\u0301 Orlin"


def test_identical_answers_are_kept_once(fixtures_root):
    examples = read_evaluation("tydiqa", fixtures_root, "en").examples
    assert {len(example.answers) for example in examples} == {1}
    squad = read_evaluation("squad", fixtures_root, "en").examples
    assert [len(example.answers) for example in squad[:3]] == [1, 2, 1]


def test_hellaswag_labels_are_strings_in_the_release(fixtures_root):
    example = read_evaluation("hellaswag", fixtures_root, "en").examples[0]
    assert example.choices[example.label] == "adds eggs and stirs the dough."


def test_another_split_on_request(fixtures_root):
    data = read_evaluation("panx", fixtures_root, "de", split="validation")
    assert data.split == "validation"
    assert data.examples != read_evaluation("panx", fixtures_root, "de").examples
    assert list_languages("panx", fixtures_root, split="validation") == ("en", "de")
