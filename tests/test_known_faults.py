"""Ten faults seen in public implementations of this benchmark, and the test that catches each.

===========================================================  =======================================================
a threshold of BUCC never used, or chosen on what is scored  test_bitext: threshold_is_chosen_on_other_corpora
a layer counted from the wrong end                           test_retrieval: layer_8_of_12_is_what_eight
clipping per micro-batch, not once per update                test_train: token_budget_does_not_change
selection on the first 500 rows                              here: selection_is_drawn_from_all_rows
labels of a cut sentence filled with the wrong thing         encode/test_tagging: over_all_parts_of_a_sentence
a resumed run that is another run                            test_resume: killed_training_ends_with_the_same
selection on rows that are reported later                    here: no_row_that_is_trained_or_selected_on
a task without a reader, so no overall score                 test_reported: an_overall_score_is_the_mean_of_nine
a missing score that is written as 0.0                       test_results: a_missing_score_stays_missing
a seed without effect                                        here: a_seed_is_the_result
===========================================================  =======================================================
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xt import transfer
from xt.languages import get_language
from xt.parameters import intermediate_config
from xt.tasks import TASKS, all_languages_of, read_evaluation, read_training
from xt.tasks.places import is_held

TARGETS = [name for name, task in TASKS.items() if "target" in task.roles and task.training_task]
TRAINED = sorted({task.training_task for task in TASKS.values() if task.training_task})
TEXTS = ("premise", "hypothesis", "prompt", "choices", "tokens", "question", "context", "query", "passage", "text")


def test_each_fault_has_a_test_of_that_name():
    caught = re.findall(r"  ([\w/]+): (\w+)$", __doc__, flags=re.MULTILINE)
    assert len(caught) == 10
    for module, test in caught:
        path = Path(__file__) if module == "here" else Path(__file__).parent / f"{module}.py"
        tests = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert sum(test in name for name in tests) == 1, (module, test)


@pytest.mark.parametrize("name", ["mnli", "squad", "udpos"])
def test_selection_is_drawn_from_all_rows_whole_clusters_together(name):
    """Where it lies among the rows is a matter of chance: both halves have their share of it."""
    every = read_training(name, "lab-101", num_selection=0).train
    data = read_training(name, "lab-101", num_selection=500)
    place = {example.id: row for row, example in enumerate(every)}
    rows = np.array([place[example.id] for example in data.selection]) / len(every)
    assert 0.35 < np.mean(rows < 0.5) < 0.65 and rows.max() > 0.9 and 400 < len(rows) <= 500
    assert not {e.cluster for e in data.selection} & {e.cluster for e in data.train}
    other = read_training(name, "lab-101", num_selection=500, data_seed=1).selection
    assert len({e.id for e in data.selection} & {e.id for e in other}) < 0.2 * len(rows)


def said(example):
    """All that a model would read of an example."""
    return tuple(getattr(example, field) for field in TEXTS if hasattr(example, field))


@pytest.mark.parametrize("name", TARGETS)
def test_no_row_that_is_trained_or_selected_on_is_reported(name, fixtures_root):
    """By content on the lab, whose sentences are many; by files on the fixtures, where few sentences serve for all."""
    for language in held_languages(name, "lab-101")[:1]:
        data = read_training(name, "lab-101", language=language, num_selection=100)
        scored = read_evaluation(name, "lab-101", language)
        assert len(data.selection) > 8 and len(scored.examples) > 100
        assert not {said(e) for e in (*data.train, *data.selection)} & {said(e) for e in scored.examples}
    files = set(read_training(name, fixtures_root, num_selection=8).files)
    languages = held_languages(name, fixtures_root)
    assert languages and not any(files & set(read_evaluation(name, fixtures_root, code).files) for code in languages)


def held_languages(name, root):
    """The languages of a task that a root has; the lab has none of the low-resource targets'."""
    task = TASKS[name]
    return [code for code in all_languages_of(task, root) if is_held(task.evaluation, root, get_language(code))]


def test_no_source_that_is_trained_or_selected_on_is_scored_in_any_target():
    """By the names of the table, so on the hub too: a split that one task reports is not what another trains on."""
    scored = {
        (task.evaluation.dataset, task.evaluation.config, task.evaluation.split)
        for task in TASKS.values()
        if "target" in task.roles
    }
    for task in TASKS.values():
        for source in (task.training, *task.more_training, task.selection, task.translated):
            assert source is None or (source.dataset, source.config, source.split) not in scored, task.name
    assert TASKS["squad"].selection is None, "its validation split holds the passages of XQuAD"


def fixed(function, place):
    """The function with the seed, its argument number `place`, always 1."""
    return lambda *values, **more: function(*values[:place], 1, *values[place + 1 :], **more)


def hold(*names):
    """Fixes the seed of some functions of a run."""
    return lambda patch: [patch.setattr(transfer, name, fixed(getattr(transfer, name), PLACES[name])) for name in names]


PLACES = {"train": 3, "build_model": 4}
SEEDED = {"head": hold("train"), "order and dropout": hold("build_model"), "placebo": hold("train", "build_model")}
"""What a seed draws -> takes away all else that it draws."""


@pytest.mark.parametrize("drawn", SEEDED)
def test_a_seed_is_the_result_and_another_seed_is_another(drawn, tmp_path, monkeypatch):
    losses = {}
    SEEDED[drawn](monkeypatch)
    for place, seed in (("first", 1), ("again", 1), ("other", 2)):
        monkeypatch.setenv("XT_RUNS", str(tmp_path / place))
        monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
        arm, asked = "mnli_shuffled" if drawn == "placebo" else "mnli", dict(dropout=0.1, num_train_steps=4)
        config = intermediate_config(
            encoder="tiny", root="fixtures", preset="smoke", seed=seed, intermediate=arm, **asked
        )
        losses[place] = pd.read_json(transfer.train_model(config) / "train.jsonl", lines=True)["loss"].tolist()
    assert losses["first"] == losses["again"] and not set(losses["first"]) & set(losses["other"])
