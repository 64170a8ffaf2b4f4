"""What is found once while a study is planned, and never kept longer."""

from dataclasses import replace

import pytest

from xt.grid import plan
from xt.parameters import target_configs
from xt.studies import STUDIES
from xt.tasks import reading
from xt.tasks.moment import asked_once, one_moment


def test_what_changes_is_seen_but_not_within_a_moment():
    asked = []

    @asked_once
    def look(name, place=0):
        asked.append((name, place))
        if name == "lost":
            raise ValueError(f"no {name}")
        return len(asked)

    assert (look("a"), look("a")) == (1, 2)
    with one_moment():
        assert (look("a"), look("a"), look("b"), look("a", place=1)) == (3, 3, 4, 5)
        for _ in range(3):
            with pytest.raises(ValueError, match="no lost") as refused:
                look("lost")
            assert len(refused.traceback) < 4
    assert look("a") == 7
    with one_moment():
        assert look("a") == 8


def test_a_plan_asks_as_often_for_three_seeds_as_for_one_and_gives_the_ids_of_its_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("XT_RESULTS", str(tmp_path))
    monkeypatch.setenv("XT_RUNS", str(tmp_path))
    asked, hashed = [], reading._fingerprint
    monkeypatch.setattr(reading, "_fingerprint", lambda *given: asked.append(given) or hashed(*given))
    counts = []
    for seeds in ((1,), (1, 2, 3)):
        blocks = plan(replace(STUDIES["smoke"], seeds=seeds))
        counts.append(len(asked))
        asked.clear()
    assert counts[0] == counts[1] > 0
    planned = {run.run_id for block in blocks for run in block.runs}
    shared = dict(encoder="tiny", intermediate="mnli", root="fixtures", preset="smoke", seed=3)
    [config] = target_configs(target="xnli", languages=["en", "de", "zh"], **shared)
    assert {config.run_id, config.model.parent.run_id} < planned
