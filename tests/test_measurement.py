"""What a measurement of cost is: refused where it cannot be, an identity of its own where it is another."""

import pytest

from xt.measurement import BACKEND_NAMES, efficiency_config

ASKED = dict(target="xquad", encoder="tiny", intermediates="none,mnli", root="fixtures", preset="smoke", seed=1,
             languages=["en", "de"])  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (dict(intermediates=""), "names no arm"),
        (dict(intermediates="mnly"), "'mnly'.*did you mean 'mnli'"),
        (dict(target="mnli"), "target 'mnli'.*allowed: "),
        (dict(batch_sizes=[0, 4]), "batch_sizes = .0, 4.*allowed: 1 and more"),
        (dict(batch_sizes=[]), "allowed: 1 and more"),
        (dict(backends="eager,fast"), "backend 'fast'.*allowed: eager"),
        (dict(num_layers=[1], backends="int8"), "num_layers.*allowed: eager alone"),
        (dict(num_rounds=0), "num_rounds = 0.*allowed: int >= 1"),
        (dict(num_repeats=1), "num_repeats = 1.*allowed: int >= 2"),
        (dict(languages="xx"), "'xx'"),
    ],
)
def test_what_cannot_be_measured_is_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        efficiency_config(**ASKED | wrong)


def test_another_measurement_has_another_id():
    changes = [{}, dict(batch_sizes=[1, 8]), dict(num_rounds=3), dict(backends="int8"), dict(intermediates="none"),
               dict(languages=["en"]), dict(max_seq_length=48), dict(seed=2)]  # fmt: skip
    ids = [efficiency_config(**ASKED | change).run_id for change in changes]
    assert len(set(ids)) == len(ids) and efficiency_config(**ASKED).run_id == ids[0]


def test_another_machine_measures_anew(monkeypatch):
    here = efficiency_config(**ASKED).run_id
    monkeypatch.setattr("xt.measurement.find_device", lambda: "another processor, 64 cores")
    assert efficiency_config(**ASKED).run_id != here


def test_the_encoder_is_the_one_before_the_target_task():
    config = efficiency_config(**ASKED)
    assert config.prepared("none") is None
    assert config.prepared("mnli").phase == "intermediate" and config.prepared("mnli").task == "mnli"


def test_each_backend_that_may_be_asked_for_is_there():
    from xt.efficiency.backends import BACKENDS

    assert tuple(BACKENDS) == BACKEND_NAMES
