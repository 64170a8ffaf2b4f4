"""The tasks can be solved from what is said, and not from less.

`python -m tests.lab.quality` prints the table at full size; here, training is on half of the examples.
"""

from collections import Counter
from functools import partial

import pytest

from tests.lab.oracle import derive, find_names, infer, prove, split_words, tag
from tests.lab.quality import PROBES, SPANS, answer, guess_answers, measure, read_items, score_spans
from xt.lab.lexicon import build_lexicon
from xt.lab.meaning import Clause, Thing
from xt.lab.pairs import in_split
from xt.lab.parsing import parse
from xt.lab.sentences import NAMES, UPOS
from xt.lab.world import build_world
from xt.metrics import METRICS

SEED = 101


items = partial(read_items, SEED)


@pytest.mark.parametrize("name", PROBES)
def test_who_understands_scores_100_and_who_sees_one_half_guesses(name):
    row = measure(name, SEED, 0.5, 4.0)
    print(" | ".join(f"{key} {value}" for key, value in row.items()))
    assert row["oracle"] == 100
    assert abs(row["half"] - row["chance"]) <= 5
    assert row["bag of words"] <= row["chance"] + 15


@pytest.mark.parametrize("name", SPANS)
def test_who_understands_finds_every_answer(name):
    drawn = items(*SPANS[name])
    assert score_spans([answer(SEED, item) for item in drawn], drawn) == {"exact_match": 100, "f1": 100}


def test_answers_cannot_be_guessed_from_the_question():
    train, held_out = items("rajpurkar/squad", "plain_text", "train", 0.3), items(*SPANS["squad"], 3)
    constant, guess = guess_answers(train, held_out)
    print(f"squad | exact match of the most usual answer {constant:.1f} | guessed from the question {guess:.1f}")
    assert guess <= constant + 5


def test_the_oracle_of_inference_knows_its_logic():
    world = build_world(SEED)
    owl, bird, anna = Thing("owl"), Thing("bird"), Thing("person:1")
    told = Clause("see", Thing("owl", ("small",)), anna, place=Thing("place:1"), time="today")
    claim = Clause("see", bird, anna)
    assert prove(world, told, claim) == "entailment"
    assert prove(world, claim, told) == "neutral"
    assert prove(world, Clause("see", bird, anna, negated=True), told) == "contradiction"
    assert prove(world, Clause("see", bird, anna, negated=True), Clause("see", owl, anna, negated=True)) == "entailment"
    assert prove(world, Clause("lead", anna, Thing("baker")), Clause("follow", Thing("baker"), anna)) == "entailment"
    assert prove(world, Clause("lead", anna, Thing("baker")), Clause("follow", anna, Thing("baker"))) == "neutral"
    assert prove(world, Clause("be", owl, complement="big"), Clause("be", owl, complement="small")) == "contradiction"
    assert infer(world, [claim, told], Clause("see", owl, anna)) == "entailment"


@pytest.mark.parametrize("name", PROBES)
def test_labels_are_balanced(name):
    probe = PROBES[name]
    for split, share in ((probe.train, 0.5), (probe.evaluation, 4.0)):
        counts = Counter(probe.gold(item.row) for item in items(probe.dataset, probe.config, split, share))
        shares = [count / counts.total() for _, count in sorted(counts.items())]
        wanted = [1 / 3, 2 / 3] if name.startswith("squad_v2") else [1 / probe.num_labels] * probe.num_labels
        assert shares == pytest.approx(wanted, abs=0.02)


DISJOINT = {name: (p.dataset, p.config, p.train, p.evaluation) for name, p in PROBES.items()} | {
    "squad": ("rajpurkar/squad", "plain_text", "train", "validation"),
    "tydiqa": ("google/xtreme", "tydiqa", "train", "validation"),
    "udpos": ("google/xtreme", "udpos.qaa", "train", "test"),
    "panx": ("google/xtreme", "PAN-X.qaa", "train", "test"),
    "ccg": ("xt/ccg", "default", "train", "test"),
}


@pytest.mark.parametrize("name", DISJOINT)
def test_nothing_that_is_evaluated_is_trained_on(name):
    dataset, config, train, evaluation = DISJOINT[name]
    named = {"id", "idx", "ind", "uid", "source_id", "split"}

    def keys(drawn):
        texts = {repr({key: value for key, value in item.row.items() if key not in named}) for item in drawn}
        return texts, {repr(item.meaning) for item in drawn}

    share = 0.2 if name == "tydiqa" else 4.0  # of each of 24 languages
    trained, evaluated = keys(items(dataset, config, train, 0.5)), keys(items(dataset, config, evaluation, share))
    assert not trained[0] & evaluated[0] and not trained[1] & evaluated[1]


def test_evaluation_has_the_combinations_that_training_lacks():
    world = build_world(SEED)
    told = {
        split: [item.meaning for item in items("nyu-mll/glue", "mnli", split, share)]
        for split, share in (("train", 0.5), ("validation_matched", 4.0))
    }
    assert all(in_split(world, "train", hypothesis, *premise) for premise, hypothesis in told["train"])
    assert all(in_split(world, "test", hypothesis) for _, hypothesis in told["validation_matched"])


@pytest.mark.parametrize("code", ("qaa", "qac", "qao"))
def test_tags_are_those_of_the_dictionary(code):
    lexicon = build_lexicon(SEED, code)
    metrics = {"token_accuracy": (UPOS, "pos_tags", f"udpos.{code}", tag)}
    metrics["span_f1"] = (NAMES, "ner_tags", f"PAN-X.{code}", find_names)
    for name, (labels, column, config, read) in metrics.items():
        rows = [item.row for item in items("google/xtreme", config, "test")]
        stats = METRICS[name].example_stats(
            [read(lexicon, row["tokens"]) for row in rows], [[labels[tag] for tag in row[column]] for row in rows]
        )
        assert METRICS[name].reduce(stats.sum(axis=0)) == 100


def test_categories_are_a_derivation():
    rows = [item.row for item in items("xt/ccg", "default", "test", 0.3)]
    assert all(derive(row["categories"]) & {"S", "S[q]", "S[wq]"} for row in rows)
    assert len({category for row in rows for category in row["categories"]}) >= 15
    assert not derive(["NP", "NP", "(S\\NP)/NP"])


PARALLEL = {
    "xnli": ("google/xtreme", "XNLI", "test"),
    "pawsx": ("google/xtreme", "PAWS-X.{code}", "test"),
    "xquad": ("google/xtreme", "XQuAD.{code}", "validation"),
    "mlqa": ("google/xtreme", "MLQA.{code}.{code}", "test"),
    "lareqa": ("google-research-datasets/xquad_r", "{code}", "validation"),
    "xcopa": ("cambridgeltl/xcopa", "{code}", "test"),
}


@pytest.mark.parametrize("name", PARALLEL)
def test_parallel_tasks_say_the_same_in_every_language(name):
    dataset, config, split = PARALLEL[name]
    drawn = {code: items(dataset, config.format(code=code), split, 0.2) for code in ("qaa", "qac", "qao")}
    if name == "xnli":
        drawn = {code: [item for item in drawn[code] if item.row["language"] == code] for code in drawn}
    first, *others = ([(item.row.get("id"), item.meaning) for item in rows] for rows in drawn.values())
    assert all(first == other for other in others)
    texts = [{repr(sorted(item.row.items())) for item in rows} for rows in drawn.values()]
    assert not texts[0] & texts[1] and not texts[0] & texts[2]


@pytest.mark.parametrize("code", ("qaa", "qab", "qac", "qal"))
def test_what_a_row_says_is_read_back(code):
    rows = [item for item in items("google/xtreme", "XNLI", "test", 0.2) if item.row["language"] == code]
    for item in rows:
        assert parse(split_words(item.row["sentence2"]), SEED, code) == item.meaning[1]


@pytest.mark.parametrize("code", ("qab", "qac", "qal"))
def test_translations_are_found_by_reading(code):
    rows = [item.row for item in items("google/xtreme", f"tatoeba.{code}", "validation", 0.3)]
    sides = [
        [parse(split_words(row[column]), SEED, spoken) for row in rows]
        for column, spoken in (("source_sentence", code), ("target_sentence", "qaa"))
    ]
    found = [sides[1].index(meaning) for meaning in sides[0]]
    stats = METRICS["accuracy"].example_stats(found, list(range(len(rows))))
    assert METRICS["accuracy"].reduce(stats.sum(axis=0)) == 100


def test_mined_lines_say_the_same_and_no_others_do():
    (item,) = items("mteb/BUCC", "qab-en", "test", 0.2)
    foreign, home = (
        [parse(split_words(line), SEED, code) for line in item.row[column]]
        for column, code in (("sentence1", "qab"), ("sentence2", "qaa"))
    )
    same = {(i, j) for i, one in enumerate(foreign, 1) for j, other in enumerate(home, 1) if one == other}
    assert same == {tuple(pair) for pair in item.row["gold"]}
    assert len(foreign) == len(home) == 3 * len(same)
