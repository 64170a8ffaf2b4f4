"""What a study takes and could show: every number rests on a measured one, or there is none."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.forecast import GIVEN, MEASURED, SCALED, UNKNOWN, Clock, find_noise, forecast, load_committed
from xt.gains import load_cubes, noise_table
from xt.grid import distinct_runs, plan
from xt.results import load_scores
from xt.stats import Noise, smallest_gain
from xt.study import Study

PLANNED = Study("real", "?", "fixtures", "mini", ("mini",), ("none", "squad"), ("xquad", "panx"), (1, 2, 3),
                languages=dict.fromkeys(("xquad", "panx"), ("en", "de")))  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    (place / "encoders" / "mini").mkdir(parents=True)
    shape = '{"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 1024, "vocab_size": 1000}'
    (place / "encoders" / "mini" / "config.json").write_text(shape)
    languages = {"xquad": ("en", "de"), "udpos": ("en", "de")}
    write_study(place / "results", arms=("none", "squad"), seeds=(1, 2), languages=languages, num_clusters=20)
    return place


@pytest.fixture
def places(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for name in ("runs", "results", "cache", "encoders"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))
    return tmp_path


def test_hours_are_those_of_committed_runs_of_the_kind_or_scaled_from_others_or_missing(places):
    runs, committed = distinct_runs(plan(PLANNED)), load_committed()
    clock = Clock(PLANNED, committed, "cpu")
    found = {run.config.target: clock.hours(run, False) for run in runs if run.phase == "target"}
    assert found["xquad"] == (1.5 / 3600, MEASURED)
    assert found["panx"][1] == SCALED and 0 < found["panx"][0] < 1
    elsewhere = Clock(PLANNED, committed, "NVIDIA H200")
    assert all(elsewhere.hours(run, False)[1] == UNKNOWN and np.isnan(elsewhere.hours(run, False)[0]) for run in runs)


def test_a_given_speed_counts_trained_tokens_three_times(places):
    run = next(run for run in distinct_runs(plan(PLANNED)) if run.phase == "target" and run.config.target == "panx")
    hours, source = Clock(PLANNED, load_committed(), "NVIDIA H200", tokens_per_second=1000).hours(run, False)
    tokens = 3 * 6000 * 24 + 2 * 300 * 24 / 3
    assert source == GIVEN and hours == pytest.approx(tokens / 1000 / 3600)


def test_a_study_is_summed_by_phase_with_its_disk_and_what_it_could_show(places):
    found = forecast(PLANNED, plan(PLANNED), "cpu")
    phases = found.phases.set_index("phase")
    assert phases["runs"].to_dict() == {"target": 12, "intermediate": 3} and phases["missing"].sum() == 15
    assert phases.loc["intermediate", "source"] == SCALED and (phases["not_measured"] == 0).all()
    assert phases["hours_left"].equals(phases["hours"])
    weights = 4 * (4 * (4 * 256**2 + 2 * 256 * 1024) + 1000 * 256)
    assert found.disk["kept weights"] == 3 * weights
    assert np.isnan(found.disk["run folders"]) and found.disk["committed results"] > 1000
    gains = found.gains.set_index("target")
    assert gains.loc["xquad", "noise_of"] == "real: the same encoder and target"
    assert gains.loc["panx", "noise_of"].startswith("real: median of 2")
    [cube] = load_cubes(load_scores("real").query("target == 'xquad'"), np.random.default_rng(0))
    asked = noise_table([cube], ()).iloc[0]["noise"]
    told = smallest_gain(asked.spread(2), asked.item_sd, 3)
    assert gains.loc["xquad", "smallest_gain"] == pytest.approx(told, rel=0.1), (
        "what is said of the same noise elsewhere"
    )
    assert (gains["num_arms"] == 2).all() and (gains["smallest_gain"] > 0).all()


def test_a_target_whose_baseline_is_not_trained_takes_its_noise_from_its_like(places):
    study = replace(PLANNED, targets=("xquad", "tatoeba"), languages={"xquad": ("en", "de"), "tatoeba": ("de",)})
    gains = forecast(study, plan(study), "cpu").gains.set_index("target")
    assert gains.loc["xquad", "smallest_gain"] > 0 and np.isnan(gains.loc["tatoeba", "smallest_gain"])
    assert gains.loc["tatoeba", "noise_of"] == "nothing is committed to measure noise on"
    retrieval = dict(study="lab", encoder="other", target="bucc2018", training_sd=2.0, seed_item_sd=0.0, item_sd=0.5,
                     common_sd=1.5, num_varying=1)  # fmt: skip
    noise, source = find_noise(pd.concat([load_committed().noise, pd.DataFrame([retrieval])]), "mini", "tatoeba")
    assert source == "lab: median of 1, other encoders or targets"
    assert noise == Noise(2.0, 0.0, 0.5, common_sd=1.5, num_varying=1)


def test_without_committed_results_nothing_is_made_up(places, monkeypatch):
    monkeypatch.setenv("XT_RESULTS", str(places / "nowhere"))
    found = forecast(PLANNED, plan(PLANNED), "cpu")
    assert found.phases["hours"].isna().all() and found.gains["smallest_gain"].isna().all()
    assert set(found.gains["noise_of"]) == {"nothing is committed to measure noise on"}
    assert np.isnan(found.disk["committed results"])


def test_noise_is_measured_again_once_runs_were_added(places):
    before = find_noise(load_committed().noise, "mini", "xquad")[0]
    write_study(
        places / "results", arms=("none", "squad"), seeds=(3,), languages={"xquad": ("en", "de")}, num_clusters=20
    )
    assert find_noise(load_committed().noise, "mini", "xquad")[0] != before
