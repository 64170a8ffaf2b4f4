"""One queue for all languages changes nothing; floors are what they are called."""

import numpy as np
import pytest

from xt.encode import FORMATS
from xt.evaluate import example_statistics, predict, predict_examples, primary_score
from xt.floors import floor_scores, majority_tag, random_span
from xt.knobs import Knobs
from xt.model import HEADS, Network, build_model, load_tokenizer
from xt.tasks import get_task, read_evaluation, read_training

KNOBS = Knobs(max_seq_length=48, doc_stride=16, max_query_length=16, tokens_per_batch=300, precision="fp32")
TARGETS = {"xnli": ("en", "zh"), "udpos": ("en", "th"), "panx": ("en", "ar"), "xquad": ("en", "zh")}


def read(name, root):
    return [example for code in TARGETS[name] for example in read_evaluation(name, root, code).examples]


@pytest.mark.parametrize("name", TARGETS)
def test_one_length_sorted_queue_equals_one_example_at_a_time(name, fixtures_root, tiny_encoder):
    task, tokenizer = get_task(name), load_tokenizer(tiny_encoder)
    form, head = FORMATS[task.format], HEADS[task.format]
    model = build_model(tiny_encoder, head, len(task.labels), KNOBS, seed=1)
    network = Network({task.training_task: model}, {task.training_task: head})
    examples, pad = read(name, fixtures_root), tokenizer.pad_token_id
    features = form.encode(examples, tokenizer, KNOBS)
    together = predict(network, task.training_task, features, 300, pad, "cpu")
    alone = predict(network, task.training_task, features, 1, pad, "cpu")
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    predictions = predict_examples(network, task, features, examples, KNOBS, pad, "cpu")
    assert len(predictions) == len(examples)


@pytest.mark.parametrize("name", TARGETS)
def test_gold_as_prediction_scores_100_in_every_metric(name, fixtures_root):
    task, examples = get_task(name), read(name, fixtures_root)
    gold = {
        "classification": lambda example: example.label,
        "tagging": lambda example: example.tags,
        "span_qa": lambda example: example.answers[0].text,
    }[task.format]
    predictions = [gold(example) for example in examples]
    assert primary_score(task, predictions, examples) == 100
    columns = example_statistics(task, predictions, examples)
    assert {name.split(".")[0] for name in columns} == set(task.metrics)
    assert all(len(values) == len(examples) for values in columns.values())


def test_majority_tag_is_by_word_and_unseen_words_get_the_most_frequent_tag(fixtures_root):
    training = read_training("udpos", fixtures_root, num_selection=8).train
    examples = read_evaluation("udpos", fixtures_root, "en").examples
    counts = {}
    for example in training:
        for word, tag in zip(example.tokens, example.tags, strict=True):
            counts.setdefault(word, []).append(tag)
    everything = [tag for tags in counts.values() for tag in tags]
    default = max(set(everything), key=everything.count)
    (tags,) = majority_tag(examples, lambda: training, None)
    for example, row in zip(examples, tags, strict=True):
        for word, tag in zip(example.tokens, row, strict=True):
            seen = counts.get(word, [default])
            assert seen.count(tag) == max(map(seen.count, seen))


def test_the_floor_of_a_balanced_three_class_task_is_a_third(fixtures_root):
    examples = read_evaluation("xnli", fixtures_root, "de").examples
    floor = floor_scores(get_task("xnli"), examples, list, np.random.default_rng(0))
    labels = [example.label for example in examples]
    assert floor == {"accuracy": pytest.approx(100 * max(map(labels.count, labels)) / len(labels))}


def test_random_spans_lie_in_their_context_and_score_little(fixtures_root):
    examples = read_evaluation("xquad", fixtures_root, "en").examples
    for row in random_span(examples, list, np.random.default_rng(0)):
        assert all(text in example.context for text, example in zip(row, examples, strict=True))
    floor = floor_scores(get_task("xquad"), examples, list, np.random.default_rng(0))
    assert 0 <= floor["exact_match"] <= floor["f1"] < 40
