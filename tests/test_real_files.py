"""Real text: spans in eleven languages, and a committed run made again. Needs the mirror and the mini encoder."""

from dataclasses import replace

import numpy as np
import pytest

from xt.encode import FORMATS
from xt.machine import processor_name
from xt.metrics import METRICS
from xt.model import load_tokenizer
from xt.presets import resolve_knobs
from xt.reproduce import choose_run, reproduce
from xt.results import load_runs
from xt.studies import get_study
from xt.tasks import get_task, read_evaluation

FORM = FORMATS["span_qa"]
WIDE = replace(resolve_knobs("mini", "squad"), doc_stride=56, max_answer_length=96)
"""Windows that overlap by more tokens than the answers below have, so that each is whole in one of them."""


@pytest.fixture(scope="module")
def mini_tokenizer(mini_encoder):
    return load_tokenizer(str(mini_encoder))


@pytest.mark.parametrize("language", get_task("xquad").languages)
def test_gold_positions_decode_to_gold_or_to_the_shortest_covering_span(language, mirror_root, mini_tokenizer):
    """The same spans as an independent reading of the tokenizer's offsets over the whole context, without windows.

    An answer of more tokens than two windows share need not be whole in any of them; those are counted, not hidden.
    """
    examples = read_evaluation("xquad", mirror_root, language, max_examples=60).examples
    features = FORM.encode(examples, mini_tokenizer, WIDE)
    decoded = FORM.decode(gold_scores(features), features, examples, WIDE)
    too_long = 0
    for example, text in zip(examples, decoded, strict=True):
        spans = answer_tokens(example, mini_tokenizer)
        if len(spans) > WIDE.doc_stride:
            too_long += 1
            continue
        assert text == example.context[spans[0][0] : spans[-1][1]].strip()
        assert example.answers[0].text.strip() in text
    gold = [[answer.text for answer in example.answers] for example in examples]
    metric = METRICS["exact_match"]
    ceiling = float(metric.reduce(metric.example_stats(decoded, gold).sum(axis=0)))
    print(f"{language}: exact match with gold positions {ceiling:.1f}, {too_long} of {len(examples)} answers too long")
    assert too_long <= 3 and ceiling > 90


def answer_tokens(example, tokenizer) -> list[tuple[int, int]]:
    """The characters of the tokens that touch the first answer, of the context tokenized as a whole."""
    encoding = tokenizer(example.context, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    start, end = example.answers[0].start, example.answers[0].start + len(example.answers[0].text)
    spans = [(s, e) for s, e in encoding["offset_mapping"] if e > start and s < end]
    return [(s, e) for s, e in spans if example.context[max(s, start) : min(e, end)].strip()]


def gold_scores(features):
    """Start and end scores that are highest at the labels."""
    outputs = []
    for ids, (first, last) in zip(features.input_ids, features.labels, strict=True):
        scores = np.full((len(ids), 2), -1.0, dtype=np.float32)
        if last:
            scores[first, 0] = scores[last, 1] = 10
        outputs.append(scores)
    return outputs


def test_a_committed_run_is_made_again(mirror_root, mini_encoder, monkeypatch):
    """The cheapest one, so that this is quick; `xt reproduce real` draws any. Equal on the same kind of processor."""
    monkeypatch.setenv("XT_RUNS", "")
    study = get_study("real")
    runs = load_runs("real").set_index("run_id")
    config = choose_run(study, next(run for run in runs.index if run.startswith("tatoeba-none-s1")), None)
    table = reproduce(study, config, lambda line: None)
    assert len(table) == 36 * 5 * 2
    same_machine = runs.loc[config.run_id, "device"] == processor_name()
    assert table["difference"].max() <= (0 if same_machine else 2)
