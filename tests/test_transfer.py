"""Whole runs on the fixtures: what they leave behind, what they share, and numbers that may not move unnoticed."""

import json

import numpy as np
import pandas as pd
import pytest
import transformers

from xt import store
from xt.floors import FLOORS
from xt.lab.languages import LAB_LANGUAGES
from xt.metrics import METRICS
from xt.parameters import intermediate_config, pretrain_config, retrieval_configs, target_configs
from xt.tasks import get_task, read_evaluation
from xt.transfer import run_block, train_model

SHARED = dict(encoder="tiny", root="fixtures", preset="smoke", seed=1, precision="fp32")


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("transfer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XT_RUNS", str(place / "runs"))
        patch.setenv("XT_CACHE", str(place / "cache"))
        yield place / "runs"


@pytest.fixture(scope="module")
def block(runs):
    """A block of three targets after an intermediate task."""
    configs = target_configs(target="xnli,udpos,xquad", languages="en,zh", intermediate="mnli", **SHARED)
    return configs, run_block(configs)


def test_a_target_run_leaves_these_files(block):
    config = block[0][1]
    place = store.run_folder(config.run_id)
    names = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert names == {
        "DONE", "config.json", "outcome.json", "scores.csv", "selection.parquet", "predictions.parquet",
    }  # fmt: skip
    recorded = json.loads((place / "config.json").read_text())
    assert recorded["run_id"] == config.run_id and recorded["device"] and recorded["libraries"]["torch"]


def test_scores_can_be_computed_again_from_the_predictions(block):
    configs, scores = block
    for config in configs:
        frame = store.read_predictions(store.run_folder(config.run_id))
        for language in config.languages:
            cell = frame[frame["eval_language"] == language]
            gold = [list(row) if isinstance(row, np.ndarray) else row for row in cell["gold"]]
            predictions = [list(row) if isinstance(row, np.ndarray) else row for row in cell["prediction"]]
            for name in get_task(config.target).metrics:
                stats = METRICS[name].example_stats(predictions, gold)
                row = scores.query("target == @config.target and eval_language == @language and metric == @name")
                assert float(METRICS[name].reduce(stats.sum(axis=0))) == pytest.approx(row["score"].item())


def test_every_example_of_every_language_is_scored(block):
    configs, scores = block
    for config in configs:
        for language in config.languages:
            rows = scores.query("target == @config.target and eval_language == @language")
            expected = len(read_evaluation(config.target, "fixtures", language).examples)
            assert set(rows["num_examples"]) == {expected}
    assert set(scores["data_status"]) == {"fixture"} and set(scores["intermediate"]) == {"mnli"}


def test_a_score_carries_its_floor(block):
    scores = block[1]
    kinds = {config.target: FLOORS[get_task(config.target).format].kind for config in block[0]}
    assert dict(zip(scores["target"], scores["floor_kind"], strict=True)) == kinds
    assert scores["floor"].between(0, 100).all()
    assert scores.loc[scores["score"] <= scores["floor"], "at_floor"].all()


def test_fine_tuned_weights_go_after_scoring_and_intermediate_ones_stay(block):
    for config in block[0]:
        assert not store.has_weights(config.model.model_id) and store.is_complete(config.model.model_id)
        assert store.has_weights(config.model.parent.model_id)


def test_a_second_start_computes_nothing(block):
    configs, scores = block
    lines = []
    again = run_block(configs, lines.append)
    assert lines == []
    pd.testing.assert_frame_equal(again, scores)


def test_kept_weights_open_with_the_usual_class_and_predict_what_was_scored(runs):
    (config,) = target_configs(target="xnli", languages="en", intermediate="none", keep_weights=True, **SHARED)
    run_block([config])
    folder = store.run_folder(config.model.model_id) / "encoder"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    frame = store.read_predictions(store.run_folder(config.run_id))
    for example, predicted in zip(read_evaluation("xnli", "fixtures", "en").examples, frame["prediction"], strict=True):
        inputs = tokenizer(example.premise, example.hypothesis, return_tensors="pt", truncation=True, max_length=64)
        assert int(model(**inputs).logits.argmax()) == predicted


def test_the_placebo_trains_on_the_same_examples_with_permuted_labels(runs):
    folders = [train_model(intermediate_config(intermediate=arm, **SHARED)) for arm in ("mnli", "mnli_shuffled")]
    outcomes = [json.loads((folder / "outcome.json").read_text()) for folder in folders]
    assert outcomes[0]["num_train_examples"] == outcomes[1]["num_train_examples"]
    losses = [pd.read_json(folder / "train.jsonl", lines=True)["loss"].iloc[-1] for folder in folders]
    assert losses[0] != losses[1]


def test_retrieval_reports_every_layer_both_ways(runs):
    (config,) = retrieval_configs(target="tatoeba", languages="de,zh", intermediate="mnli", **SHARED)
    scores = run_block([config])
    assert len(scores) == 2 * 3 * 2 and set(scores["direction"]) == {"from_english", "to_english"}
    assert set(scores["layer"]) == {0, 1, 2}
    assert scores["floor"].tolist() == pytest.approx((100 / scores["num_examples"]).tolist())


GOLDEN_LOSSES = {"xnli": 1.032969, "udpos": 2.354756, "xquad": 2.356055}
GOLDEN_SCORES = {
    ("xnli", "accuracy"): 33.33,
    ("udpos", "token_accuracy"): 56.82,
    ("udpos", "chunk_f1"): 55.34,
    ("xquad", "f1"): 13.89,
    ("xquad", "exact_match"): 8.33,
}


def test_golden_run(block):
    """Fails when numbers move: raise TRAINING_VERSION or DECODING_VERSION, then write the new ones here."""
    configs, scores = block
    logs = {
        config.target: pd.read_json(store.run_folder(config.model.model_id) / "train.jsonl", lines=True)["loss"]
        for config in configs
    }
    assert {target: losses.iloc[-1] for target, losses in logs.items()} == pytest.approx(GOLDEN_LOSSES, rel=1e-3)
    english = scores[scores["eval_language"] == "en"].set_index(["target", "metric"])["score"]
    assert english.to_dict() == pytest.approx(GOLDEN_SCORES, abs=0.01)


GOLDEN_TRAININGS = {"several tasks": (1.062706, 47), "seen rows": (1.050074, 16), "pretraining": (5.553856, 66)}
"""Kind -> (loss of the last update, number of updates)."""


@pytest.mark.parametrize("kind", GOLDEN_TRAININGS)
def test_golden_training(kind, runs):
    """Fails when numbers move: raise TRAINING_VERSION, then write the new ones here."""
    config = {
        "several tasks": lambda: intermediate_config(intermediate="multi_three", **SHARED),
        "seen rows": lambda: intermediate_config(intermediate="mnli", trained_embeddings="seen", **SHARED),
        "pretraining": lambda: pretrain_config(encoder="lab-tiny", root="lab-100"),
    }[kind]()
    log = pd.read_json(train_model(config) / "train.jsonl", lines=True)
    loss, updates = GOLDEN_TRAININGS[kind]
    assert (log["loss"].iloc[-1], len(log)) == (pytest.approx(loss, rel=1e-3), updates)


LAB = SHARED | dict(encoder="lab-tiny", root="lab-100", max_train_examples=96)


def updates_by_task(folder):
    """Task -> how many updates it had."""
    return pd.read_json(folder / "train.jsonl", lines=True)["task"].value_counts().to_dict()


def test_text_beside_a_task_takes_its_share_of_updates_and_no_part_in_the_selection(runs):
    folder = train_model(intermediate_config(intermediate="mnli_mlm", mlm_ratio=0.4, **LAB))
    counts, outcome = updates_by_task(folder), json.loads((folder / "outcome.json").read_text())
    assert counts["mlm"] / sum(counts.values()) == pytest.approx(0.4, abs=0.02)
    assert counts["mnli"] == updates_by_task(train_model(intermediate_config(intermediate="mnli", **LAB)))["mnli"]
    assert len(outcome["parts"]["mlm"]["num_documents"]) > 15 and outcome["parts"]["mlm"]["num_selection_examples"] == 0
    looks = pd.read_json(folder / "train.jsonl", lines=True)["selection_score"].dropna()
    assert looks.mul(LAB_SELECTION / 100).round(6).mod(1).eq(0).all(), "shares of the NLI examples, nothing mixed in"
    encoder = transformers.AutoModel.from_pretrained(folder / "encoder")
    start = transformers.AutoModel.from_pretrained(store.run_folder(pretraining(LAB)) / "encoder")
    moved = (encoder.embeddings.word_embeddings.weight - start.embeddings.word_embeddings.weight).abs().sum(dim=1) > 0
    assert moved.float().mean() > 0.5, "the output layer is tied: text moves pieces that the task never reads"


LAB_SELECTION = 8
"""Examples to select on in the preset smoke."""


def pretraining(settings):
    """The run of the encoder that these settings start from."""
    return pretrain_config(encoder=settings["encoder"], root=settings["root"]).model_id


def test_an_arm_in_another_language_trains_on_that_language_and_its_results_say_so(runs):
    (config,) = target_configs(target="xquad", intermediate="squad.qab", languages="qaa,qab,qac", **LAB)
    scores = run_block([config])
    assert set(scores["intermediate_language"]) == {"qab"} and set(scores["train_language"]) == {"qaa"}
    assert "squad_qab" in config.run_id and config.model.parent.train_language == "qab"
    part = json.loads((store.run_folder(config.model.parent.model_id) / "outcome.json").read_text())["parts"]
    assert part["squad"]["train_language"] == "qab" and part["squad"]["translated"] is True


def test_a_target_trained_on_its_own_rows_in_another_language_has_a_head_of_its_own(runs):
    """MasakhaNER: as a target it is scored by a model of PAN-X's English, as an arm it trains on its own rows."""
    settings = SHARED | dict(max_train_examples=8, num_selection_examples=2)
    folder = train_model(intermediate_config(intermediate="masakhaner.sw", **settings))
    assert set(updates_by_task(folder)) == {"masakhaner"}


def test_translated_data_are_read_in_every_language_they_are_in_under_one_head(runs):
    config = intermediate_config(intermediate="mnli_translated", **LAB | dict(max_train_examples=16))
    assert {part.train_language for part in (config, *config.beside)} == set(LAB_LANGUAGES) - {"qaa"}
    folder = train_model(config)
    parts = json.loads((folder / "outcome.json").read_text())["parts"]
    assert len(parts) == 23 and all(part["num_updates"] > 0 for part in parts.values())
    assert set(updates_by_task(folder)) == {"mnli"}
    assert transformers.AutoConfig.from_pretrained(folder / "encoder").num_labels == 3, "one model with its head"


def test_two_tasks_before_one_target_are_trained_one_after_the_other_and_leave_no_weights(runs):
    """XCOPA: Social IQa, then COPA."""
    (config,) = target_configs(target="xcopa", intermediate="none", languages="qab,qac", **LAB)
    assert [config.model.task, config.model.parent.task] == ["copa", "siqa"]
    scores = run_block([config])
    assert len(scores) == 2 and not any(map(store.has_weights, (config.model.model_id, config.model.parent.model_id)))
    first = json.loads((store.run_folder(config.model.parent.model_id) / "config.json").read_text())
    assert first["identity"]["task"] == "siqa"
