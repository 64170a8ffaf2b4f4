"""What every row of TASKS promises, on a few rows in the releases' own formats."""

from collections import Counter

import pytest

from xt.metrics import METRICS
from xt.tasks import (
    TASKS,
    Classification,
    MultipleChoice,
    Query,
    QueryPassage,
    SentencePair,
    SpanQA,
    Tagging,
    list_languages,
    read_calibration,
    read_evaluation,
    read_training,
    training_languages,
    translated_languages,
)

TYPES = {
    "classification": Classification,
    "multiple_choice": MultipleChoice,
    "tagging": Tagging,
    "span_qa": SpanQA,
    "span_qa_v2": SpanQA,
    "retrieval": SentencePair,
    "ranking": Query,
    "mining": Query,
}
TRAINED = [name for name, task in TASKS.items() if task.training_task]
LANGUAGES = {
    **{name: {"en"} for name, task in TASKS.items() if task.languages == ("en",)},
    "xnli": {"ar", "de", "en", "zh"},
    "pawsx": {"de", "en", "zh"},
    "udpos": {"ar", "de", "en", "th", "zh"},
    "panx": {"ar", "de", "en", "zh"},
    "xquad": {"ar", "de", "en", "hi", "zh"},
    "mlqa": {"de", "en", "zh"},
    "tydiqa": {"ar", "en", "ru"},
    "bucc2018": {"de"},
    "tatoeba": {"ar", "de", "th", "zh"},
    "xcopa": {"it", "th"},
    "lareqa": {"de", "en", "zh"},
    "mewslix": {"de", "en", "ja"},
    "americasnli": {"ay", "qu"},
    "masakhaner": {"sw", "tw"},
}
SIZES = {"copa": {4}, "bucc2018": {6}, "mlqa": {6, 9}, "xcopa": {6}, "mewslix": {8, 12}, "americasnli": {6}}
SIZES |= {"masakhaner": {6}}
"""Evaluation rows per language where they are not 12."""
TRAINING_SIZES = {"anli_plus": 78, "mewslix": 36}
"""Training rows where they are not 48; COPA's are selected on 4 others."""
PARALLEL = {name: {"pawsx": 12, "xcopa": 6}.get(name, 4) for name, task in TASKS.items() if task.parallel}
"""Task -> clusters: premises, passages, pairs."""


def check_classification(task, example):
    assert example.premise and example.hypothesis
    assert example.label in range(len(task.labels))


def check_multiple_choice(task, example):
    assert example.prompt and len(example.choices) == len(task.labels)  # some of CommonsenseQA's are alike
    assert example.label in range(len(example.choices))


def check_tagging(task, example):
    assert len(example.tokens) == len(example.tags) > 0
    assert set(example.tags) <= set(range(len(task.labels)))


def check_span_qa(task, example):
    assert len(set(example.answers)) == len(example.answers) > 0
    for answer in example.answers:
        assert answer.text and example.context[answer.start : answer.start + len(answer.text)] == answer.text


def check_span_qa_v2(task, example):
    assert example.question and example.context
    if example.answers:
        check_span_qa(task, example)


def check_query(task, example):
    assert example.text.strip() and len(set(example.relevant)) == len(example.relevant)


def check_pair(task, example):
    assert example.query.strip() and example.passage.strip()
    assert not example.context or example.passage in example.context


def check_retrieval(task, example):
    assert example.source == example.source.rstrip("\n") != ""
    assert example.target == example.target.rstrip("\n") != ""


CHECKS = {
    "classification": check_classification,
    "multiple_choice": check_multiple_choice,
    "tagging": check_tagging,
    "span_qa": check_span_qa,
    "span_qa_v2": check_span_qa_v2,
    "retrieval": check_retrieval,
    "ranking": check_query,
    "mining": check_query,
}


def check(task, examples, language, training=False):
    """What holds for any list of a task's examples."""
    pairs = training and task.format == "ranking"
    assert len({example.id for example in examples}) == len(examples) > 0
    for example in examples:
        assert type(example) is (QueryPassage if pairs else TYPES[task.format])
        assert example.language == language
        assert isinstance(example.id, str) and isinstance(example.cluster, str)
        (check_pair if pairs else CHECKS[task.format])(task, example)


def check_pool(task, data):
    """What holds for the candidates of a split: none, or all that the queries need, each once."""
    ids = [candidate.id for candidate in data.pool]
    assert bool(ids) == (task.format in ("ranking", "mining"))
    assert len(set(ids)) == len(ids) and {one for example in data.examples if ids for one in example.relevant} <= set(
        ids
    )
    assert all(
        candidate.text.strip() and (not candidate.context or candidate.text in candidate.context)
        for candidate in data.pool
    )


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
        check_pool(TASKS[name], data)
        assert len(data.examples) in SIZES.get(name, {12})
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
        assert len({cluster for _, cluster in first}) == PARALLEL[name]


@pytest.mark.parametrize("name", TASKS)
def test_a_cap_keeps_the_order_and_a_larger_one_keeps_the_items(name, fixtures_root):
    language = max(LANGUAGES[name])
    every = read_evaluation(name, fixtures_root, language).examples
    capped = [read_evaluation(name, fixtures_root, language, max_examples=n).examples for n in range(1, 14)]
    assert [len(examples) for examples in capped] == [min(n, len(every)) for n in range(1, 14)]
    for smaller, larger in zip(capped, capped[1:], strict=False):
        assert {example.id for example in smaller} <= {example.id for example in larger}
        assert smaller == [example for example in every if example in smaller]
    seeds = [read_evaluation(name, fixtures_root, language, max_examples=3, data_seed=s).examples for s in range(5)]
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
    check(trained, data.train, "en", training=True)
    check(trained, data.selection, "en", training=True)
    if trained.selection:
        assert (len(data.train), len(data.selection)) == (48, 4)
    else:
        assert len(data.train) + len(data.selection) == TRAINING_SIZES.get(name, 48)
        assert 6 <= len(data.selection) <= 8
        assert not {e.cluster for e in data.train} & {e.cluster for e in data.selection}
    assert data.status == "fixture" and not data.translated
    assert data.num_dropped == (name == "anli_plus")


@pytest.mark.parametrize("name", TRAINED)
def test_training_is_a_function_of_its_arguments(name, fixtures_root):
    data = read_training(name, fixtures_root, num_selection=8, max_examples=20)
    assert data == read_training(name, fixtures_root, num_selection=8, max_examples=20)
    larger = read_training(name, fixtures_root, num_selection=8, max_examples=26)
    assert data.selection == larger.selection
    assert len(data.train) == 20 and {e.id for e in data.train} < {e.id for e in larger.train}
    if TASKS[TASKS[name].training_task].selection is None:
        assert data.selection != read_training(name, fixtures_root, num_selection=8, data_seed=1).selection


TRANSLATED = {"mnli": 24, "xnli": 24, "americasnli": 24, "qqp": 8, "pawsx": 48}
TRANSLATED |= {"squad": 24, "xquad": 24, "mlqa": 24, "lareqa": 24}
"""Task -> training rows in German, translated."""
OWN = {"tydiqa": {"ru": 4, "ko": 12}, "masakhaner": {"sw": 12, "tw": 12}}
"""Task -> language -> training rows of its own."""


@pytest.mark.parametrize("name", TRAINED)
def test_training_rows_in_other_languages(name, fixtures_root):
    own = OWN.get(name, {})
    assert set(training_languages(name, fixtures_root)) == {"en", *own, *({"de"} if name in TRANSLATED else set())}
    assert translated_languages(name, fixtures_root) == (("de",) if name in TRANSLATED else ())
    for language, size in {**own, **({"de": TRANSLATED[name]} if name in TRANSLATED else {})}.items():
        data = read_training(name, fixtures_root, language=language, num_selection=2 if own else 4)
        trained = TASKS[name] if TASKS[name].training else TASKS[TASKS[name].training_task]
        check(trained, data.train + data.selection, language, training=True)
        assert len(data.train) + len(data.selection) == size and data.translated == (language not in own)


def test_a_task_trains_on_its_training_tasks_rows(fixtures_root):
    assert read_training("xnli", fixtures_root, num_selection=8) == read_training(
        "mnli", fixtures_root, num_selection=8
    )


CLUSTERS = {"mnli": 16, "squad": 16, "hellaswag": 24, "udpos": 48, "panx": 36, "tydiqa": 24, "anli_plus": 26}
CLUSTERS |= {"qqp": 24, "squad_v2": 16, "ccg": 32, "cosmosqa": 24, "siqa": 24, "lareqa": 16, "mewslix": 6}


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


def test_the_parts_of_anli_plus_are_told_by_their_ids(fixtures_root):
    data = read_training("anli_plus", fixtures_root, num_selection=0)
    parts = [example.id.partition(":")[0] for example in data.train]
    counted = {part: parts.count(part) for part in parts}
    assert counted == {"glue/train": 48, "snli/train": 12} | {f"anli/train_r{n}": 6 for n in (1, 2, 3)}
    assert "has a name" not in str(data.train), "a pair without a label"


def test_questions_without_an_answer_are_meant_in_one_task_only(fixtures_root):
    examples = read_evaluation("squad_v2", fixtures_root, "en").examples
    assert [len(example.answers) for example in examples[:3]] == [1, 2, 0]


def test_a_category_that_training_lacks_has_the_first_label(fixtures_root):
    train = read_training("ccg", fixtures_root, num_selection=0).train
    assert train[0].tokens == ("The", "dog", "sleeps", ".")
    counts = Counter(tag for example in train for tag in example.tags)
    assert [counts[tag] for tag in range(1, 11)] == sorted(counts.values(), reverse=True), "the most frequent first"
    unseen = read_evaluation("ccg", fixtures_root, "en").examples[3]
    assert unseen.tokens[0] == "Either" and [tag == 0 for tag in unseen.tags] == [True, False, True, *[False] * 4]


def test_copa_asks_for_cause_or_effect_and_xcopa_for_what_english_asks(fixtures_root):
    english = read_evaluation("copa", fixtures_root, "en").examples
    for language in LANGUAGES["xcopa"]:
        examples = read_evaluation("xcopa", fixtures_root, language, split="validation").examples
        assert [e.prompt.rsplit("?", 2)[0].rsplit(" ", 4)[1:] for e in examples] == [
            e.prompt.rsplit("?", 2)[0].rsplit(" ", 4)[1:] for e in english
        ]
    assert examples[0].prompt.endswith(" What was the cause?") and examples[2].prompt.endswith(" What was the effect?")


def test_dates_are_outside(fixtures_root):
    examples = read_evaluation("masakhaner", fixtures_root, "sw").examples
    assert [TASKS["panx"].labels[tag] for tag in examples[0].tags] == ["B-PER", "I-PER", "O", "B-LOC", *["O"] * 4]


def test_a_language_has_the_name_that_the_release_gives_it(fixtures_root):
    files = [*read_evaluation("americasnli", fixtures_root, "qu").files]
    files += read_training("masakhaner", fixtures_root, language="sw", num_selection=2).files
    assert [file.split("/")[2] for file in files] == ["quy", "swa"]


@pytest.mark.parametrize("language, split, lines", [("de", None, 6), ("zh", "validation", 4)])
def test_bucc_is_read_from_one_row_or_from_three_files(language, split, lines, fixtures_root):
    data = read_evaluation("bucc2018", fixtures_root, language, split=split)
    check(TASKS["bucc2018"], data.examples, language)
    texts = {candidate.id: candidate.text for candidate in data.pool}
    assert len(data.examples) == lines and {candidate.language for candidate in data.pool} == {"en"}
    assert {q.text: texts[q.relevant[0]] for q in data.examples if q.relevant} == {
        "de": {
            "Die Mühle steht seit hundert Jahren am Fluss.": "The mill has stood by the river for a hundred years.",
            "Im Herbst ziehen die Störche nach Süden.": "In autumn the storks fly south.",
            "Die Fähre nach Sorn braucht zwei Stunden.": "The ferry to Sorn takes two hours.",
        },
        "zh": {
            "林小河写了三本书。": "Lin Xiaohe wrote three books.",
            "青石镇在山上。": "Qingshi lies on a mountain.",
        },
    }[language]
    assert read_calibration("bucc2018", fixtures_root, language, split) is None, "none, or the scored rows themselves"


def test_lareqa_finds_the_sentence_of_the_answer_in_every_language(fixtures_root):
    for language in LANGUAGES["lareqa"]:
        data = read_evaluation("lareqa", fixtures_root, language)
        asked = read_evaluation("xquad", fixtures_root, language).examples
        texts = {candidate.id: candidate for candidate in data.pool}
        for query, example in zip(data.examples, asked, strict=True):
            (relevant,) = query.relevant
            assert (query.id, query.cluster, query.text) == (example.id, example.cluster, example.question)
            assert example.answers[0].text in texts[relevant].text and relevant.startswith(f"{language}/")
            assert texts[relevant].context == example.context


def test_a_mention_stands_in_brackets_with_some_text_around(fixtures_root):
    texts = [example.text for example in read_evaluation("mewslix", fixtures_root, "en").examples]
    assert texts[0] == "word " * 17 + "Yesterday [ Lentow ] was in the news." and len(texts[0]) < 150
    assert read_evaluation("mewslix", fixtures_root, "ja").examples[0].text == "昨日、[ Lentow ]が新聞に載った。"
    pools = [read_evaluation("mewslix", fixtures_root, language).pool for language in ("de", "en", "ja")]
    assert pools[0] == pools[1] == pools[2] and len(pools[0]) == 6, "an entity in two languages is there once"
    assert {candidate.language for candidate in pools[0]} == {"de", "en", "ja"}
