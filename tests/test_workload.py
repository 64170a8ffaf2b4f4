"""How much a run computes: what is known without loading it."""

from dataclasses import replace

import pytest

from xt.parameters import intermediate_config, score_configs
from xt.presets import resolve_knobs
from xt.workload import shape_of, tokens_per_example, work_of

LARGE = dict(encoder="FacebookAI/xlm-roberta-large", root="hub", preset="jiant", seed=1)


def test_sizes_of_encoders_are_those_of_their_papers():
    large = shape_of(LARGE["encoder"])
    assert large.parameters == pytest.approx(303e6, rel=0.01) and large.bytes_of_weights == pytest.approx(
        2.24e9, rel=0.01
    )
    assert shape_of("lab-base").parameters == pytest.approx(1.0e6, rel=0.01), "as its recipe says"
    assert shape_of("somebody/unheard-of") is None and shape_of("tiny") is None


def test_a_long_passage_is_as_many_windows_as_it_is_cut_into():
    knobs = replace(resolve_knobs("jiant", "squad"), max_seq_length=100, doc_stride=50)
    assert tokens_per_example("span_qa", knobs) == 500
    assert tokens_per_example("span_qa", replace(knobs, empty_windows=1), training=True) == 200
    assert tokens_per_example("span_qa", replace(knobs, max_seq_length=384)) == 267
    assert tokens_per_example("multiple_choice", replace(knobs, max_seq_length=64)) == 4 * 64


def test_work_follows_epochs_caps_languages_and_parts():
    [xnli] = score_configs(["xnli"], intermediate="none", languages=("en", "de"), **LARGE)
    assert work_of(xnli).training_tokens == 2 * 392_702 * 44 and work_of(xnli).scoring_tokens == 2 * 5_010 * 44
    [capped] = score_configs(["xnli"], intermediate="none", languages=("en",), max_train_examples=1000, **LARGE)
    assert work_of(capped).training_tokens == 2 * 1000 * 44
    assert work_of(xnli, trained_already=True).training_tokens == 0
    [tatoeba] = score_configs(["tatoeba"], intermediate="mnli", languages=("de",), **LARGE)
    assert work_of(tatoeba).training_tokens == 0, "its encoder is another run"
    both = intermediate_config(intermediate="multi_three", **LARGE)
    alone = [intermediate_config(intermediate=task, **LARGE) for task in ("mnli", "squad", "hellaswag")]
    assert work_of(both).training_tokens == pytest.approx(sum(work_of(one).training_tokens for one in alone), rel=0.1)


def test_what_no_cap_and_no_release_tells_is_not_known():
    here = LARGE | dict(root="fixtures", encoder="FacebookAI/xlm-roberta-base")
    [xnli] = score_configs(["xnli"], intermediate="none", languages=("en",), **here)
    assert work_of(xnli) is None
