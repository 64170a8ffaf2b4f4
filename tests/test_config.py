"""Identities: what moves them and what does not; and the words with which wrong values are refused."""

from dataclasses import asdict

import pytest

from xt.arms import ARMS, applies
from xt.config import short_hash
from xt.knobs import KNOBS, Knobs
from xt.parameters import intermediate_config, read_parameters, retrieval_configs, target_configs
from xt.presets import resolve_knobs

SHARED = dict(encoder="tiny", intermediate="none", root="fixtures", preset="smoke", seed=1)
ENGLISH = dict(SHARED, languages=["en"])


def target(name="udpos", **changes):
    return target_configs(target=name, **(ENGLISH | changes))[0]


def test_what_training_reads_moves_the_model_id():
    base = target().model.model_id
    changes = [
        dict(seed=2), dict(learning_rate=1e-3), dict(intermediate="mnli"), dict(precision="fp32"), dict(num_threads=2),
        dict(max_train_examples=9), dict(max_answer_length=7), dict(dropout=0.1), dict(encoder="owner/name"),
        dict(encoder="owner/name", encoder_revision="abc"),
    ]  # fmt: skip
    ids = [target(**change).model.model_id for change in changes]
    assert len({base, *ids}) == len(ids) + 1


def test_what_only_scoring_reads_moves_the_score_id_alone():
    base = target()
    for change in (dict(languages=["en", "de"]), dict(max_eval_examples=4)):
        other = target(**change)
        assert other.model.model_id == base.model.model_id and other.run_id != base.run_id


def test_two_targets_with_one_training_task_share_the_model():
    (xnli,) = target_configs(target="xnli", **ENGLISH)
    assert xnli.model.task == "mnli" and target("xquad").model.task == "squad"


def test_the_placebo_is_another_model_than_the_task_it_imitates():
    arms = {arm: intermediate_config(**(SHARED | {"intermediate": arm})) for arm in ("mnli", "mnli_shuffled")}
    assert arms["mnli"].identity() | {"shuffle_labels": True} == arms["mnli_shuffled"].identity()
    assert arms["mnli"].model_id != arms["mnli_shuffled"].model_id


def test_ids_do_not_know_where_the_project_lies(tmp_path, monkeypatch, fixtures_root):
    here = target().run_id
    moved = tmp_path / "elsewhere"
    moved.symlink_to(fixtures_root)
    monkeypatch.setenv("XT_FIXTURES", str(moved))
    assert target().run_id == here == target(root=str(moved)).run_id


def test_defaults_of_knobs_are_part_of_every_identity():
    """An identity hashes what differs from the defaults: a changed default must raise TRAINING_VERSION with it."""
    known = {name: value for name, value in asdict(Knobs()).items()}
    assert short_hash({"training_version": 1, "knobs": known}) == "7f2ca0f9d4f6"


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(name="udpoz"), "unknown target 'udpoz'; did you mean 'udpos'"),
        (dict(name="tatoeba"), "unknown target 'tatoeba'.*allowed: xnli, pawsx"),
        (dict(intermediate="mlni"), "unknown intermediate 'mlni'; did you mean 'mnli'"),
        (dict(root="mirorr"), "unknown root 'mirorr'.*allowed: hub, lab, lab-<world seed>, fixtures, mirror, or a"),
        (dict(encoder="no encoder!"), "unknown encoder 'no encoder!'; allowed: tiny"),
        (dict(encoder_revision="abc"), "encoder 'tiny' is not on the hub; allowed: None"),
        (dict(preset="huge"), "unknown preset 'huge'"),
        (dict(languages=["xx"]), "unknown language of udpos 'xx'.*allowed: af, ar"),
        (dict(eval_splits=["xx:test"]), "unknown evaluated language in eval_splits 'xx'"),
        (dict(eval_splits=["de:test"]), "unknown evaluated language in eval_splits 'de'; allowed: en"),
        (dict(name=""), "names no task"),
        (dict(name=5), "target = 5 is not allowed; allowed: a text such as"),
        (dict(languages=None), "languages = None is not allowed"),
        (dict(encoder=5), "encoder = 5 is not allowed; allowed: a text"),
        (dict(root=None), "root = None is not allowed"),
        (dict(keep_weights="false"), "keep_weights = 'false' is not allowed; allowed: True or False"),
        (dict(num_epochs=float("inf")), "num_epochs = inf is not allowed"),
        (dict(seed=-1), "seed = -1 is not allowed; allowed: a whole number from 0"),
        (dict(seed=1.5), "seed = 1.5 is not allowed"),
        (dict(learning_rate=0), "learning_rate = 0.0 is not allowed; allowed: float > 0 and < 1"),
        (dict(learning_rate="fast"), "learning_rate = 'fast' is not allowed"),
        (dict(batch_size=0), "batch_size = 0 is not allowed; allowed: int >= 1"),
        (dict(batch_size=2.5), "batch_size = 2.5 is not allowed"),
        (dict(precision="fp64"), "precision = 'fp64' is not allowed; allowed: str bf16 or fp32"),
        (dict(num_epochs=float("nan")), "num_epochs = nan is not allowed"),
        (dict(dropout=-0.5), "dropout = -0.5 is not allowed; allowed: float -1, or >= 0 and < 1"),
        (dict(learning_rat=1e-3), "unknown knob 'learning_rat'; did you mean 'learning_rate'"),
    ],
)
def test_wrong_values_are_refused_with_the_allowed_ones(change, words):
    with pytest.raises(ValueError, match=words):
        target(**change)


def test_knobs_of_mixing_reach_the_training_on_several_tasks_and_nothing_else():
    plain, mixed = (target(intermediate="multi_three", **knobs).model for knobs in ({}, {"sampling": "uniform"}))
    assert mixed.parent.knobs.sampling == "uniform" and mixed.parent.model_id != plain.parent.model_id
    assert mixed.knobs == plain.knobs
    assert target(sampling="uniform").run_id == target().run_id, "nothing is mixed before the baseline"


def test_an_arm_without_training_rows_in_the_own_language_is_spelled_with_one():
    with pytest.raises(ValueError, match="masakhaner has no training rows in 'en'.*masakhaner.sw"):
        target(intermediate="masakhaner")


def test_rows_that_checkpoints_are_selected_on_are_not_scored():
    """XCOPA's validation rows are translations of COPA's, on which its checkpoints are selected."""
    with pytest.raises(ValueError, match="copa are selected on the rows of 'validation'.*such as 'test'"):
        target("xcopa", root="lab-100", encoder="lab-tiny", languages="qab", eval_splits="validation")


def test_a_baseline_has_no_intermediate_run():
    with pytest.raises(ValueError, match="intermediate = 'none' trains nothing; allowed here: anli_plus, mnli, qqp"):
        intermediate_config(**SHARED)


def test_an_encoder_folder_without_config_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"the folder {tmp_path} holds no config.json"):
        target(encoder=str(tmp_path))


def test_presets_apply_from_general_to_special_and_overrides_win():
    assert resolve_knobs("mini", "squad").num_epochs == 1.0 and resolve_knobs("mini", "mnli").num_epochs == 2.0
    assert resolve_knobs("mini", "squad", {"num_epochs": 5, "batch_size": None}).num_epochs == 5.0
    assert resolve_knobs("mini", "squad", {"batch_size": None}).batch_size == resolve_knobs("mini", "squad").batch_size
    assert all(entry.metadata["unit"] and entry.metadata["allowed"] for entry in KNOBS.values())


def test_the_same_number_in_another_form_is_the_same_identity():
    assert {target(batch_size=value).run_id for value in (16, 16.0, "16")} == {target(batch_size=16).run_id}
    assert target(learning_rate="1e-3").run_id == target(learning_rate=0.001).run_id


def test_lists_may_come_as_text_from_papermill():
    both = target_configs(target="udpos,xnli", **(SHARED | {"languages": "en, de"}))
    assert [config.target for config in target_configs(target=["udpos", "udpos"], **ENGLISH)] == ["udpos"]
    assert [config.target for config in both] == ["udpos", "xnli"] and both[0].languages == ("en", "de")


def test_splits_by_language():
    config = target(eval_splits=["validation", "de:test"], languages=["en", "de"])
    assert (config.split_of("en"), config.split_of("de")) == ("validation", "test")
    assert target().split_of("en") is None


def test_notebook_variables_are_read_by_name_and_a_misspelt_injected_one_is_refused():
    namespace = dict(
        SHARED, target="udpos", languages=["en"], learning_rate=1e-3, pd="something else", In=["", "x = 1", ""]
    )
    parameters = read_parameters(namespace, target_configs)
    assert parameters["learning_rate"] == 1e-3 and "pd" not in parameters
    assert target_configs(**parameters)[0].knobs.learning_rate == 1e-3
    namespace["In"][1] = '# Parameters\nintermedate = "squad"\n'
    with pytest.raises(ValueError, match="unknown parameter 'intermedate'; did you mean 'intermediate'"):
        read_parameters(namespace, target_configs)


def test_a_retrieval_run_scores_the_encoder_or_its_intermediate_model():
    (bare,) = retrieval_configs(target="tatoeba", **(SHARED | {"languages": ["de"]}))
    (trained,) = retrieval_configs(target="tatoeba", **(SHARED | {"languages": ["de"], "intermediate": "squad"}))
    assert bare.model is None and trained.model.task == "squad" and trained.model.model_id.startswith("intermediate-")


def test_arms_on_the_targets_own_data_name_its_training_task_and_copy_the_steps_of_another():
    xnli, udpos = (target(name=name, intermediate="own_squad").model.parent for name in ("xnli", "udpos"))
    assert (xnli.task, udpos.task) == ("mnli", "udpos") and xnli.steps_as.task == "squad"
    assert xnli.model_id != target(name="xnli", intermediate="mnli").model.parent.model_id
    with pytest.raises(ValueError, match="unknown target of own_squad 'tatoeba'.*allowed: anli_plus, mnli"):
        retrieval_configs(target="tatoeba", **SHARED | {"intermediate": "own_squad"})
    assert applies("own_squad", "xnli") and not applies("own_squad", "tatoeba")
    assert applies("squad", "tatoeba") and not applies("none_again", "tatoeba")


def test_an_arm_that_differs_only_in_its_seed_trains_with_another_and_keeps_the_runs_own():
    once, again = (target(intermediate=arm) for arm in ("none", "none_again"))
    assert once.seed == again.seed == 1 and again.model.seed != once.model.seed
    assert again.model.identity() == once.model.identity() | {"seed": again.model.seed}
    assert again.run_id != once.run_id


def test_several_tasks_are_one_model_whose_identity_names_them_all():
    parent = target(intermediate="multi_three").model.parent
    assert [parent.task, *(other.task for other in parent.beside)] == list(ARMS["multi_three"].tasks)
    assert [other["task"] for other in parent.identity()["beside"]] == list(ARMS["multi_three"].tasks[1:])
    assert parent.parent is None and {other.seed for other in parent.beside} == {parent.seed}
