"""What is saved at equal score: known curves, intervals that hold what seeds do, encoders that never reach it."""

import numpy as np
import pandas as pd
import pytest
from synthetic_costs import write_cost_study
from synthetic_study import write_study

from xt.costs import load_costs
from xt.frontier import (
    Frontier,
    choose_layers,
    cost_at,
    draw_levels,
    encoder_costs,
    find_frontier,
    layer_table,
    resample_layers,
    saving_table,
)
from xt.gains import Means
from xt.results import load_scores
from xt.scaling import load_alike

COSTS = pd.DataFrame({"latency": [1.0, 2.0, 4.0]}, index=["small", "base", "large"])


def frontier_of(none, squad, spread=0.0, resamples=400):
    points = np.array([none, squad], dtype=float).T
    drawn = points + np.random.default_rng(1).normal(0, spread, (resamples, 1, 2)) * [1, 0]
    return Frontier(("small", "base", "large"), ("none", "squad"), points, drawn, ("xquad",))


def saving(frontier, encoder="large"):
    table = saving_table({"latency": frontier}, COSTS)
    (row,) = table[table["encoder"] == encoder].to_dict("records")
    return row


def test_a_cost_between_encoders_lies_on_a_line_in_its_logarithm():
    logs = np.log([1.0, 2.0, 4.0])
    found = cost_at(logs, np.array([[10.0, 20, 30]] * 5), np.array([10.0, 15, 30, 31, 5]))
    assert np.exp(found[:3]) == pytest.approx([1, 2**0.5, 4])
    assert found[3] == np.inf and np.exp(found[4]) == pytest.approx(1)


def test_a_larger_encoder_that_scores_less_is_passed_over():
    assert np.exp(cost_at(np.log([1.0, 2.0, 4.0]), np.array([[10.0, 5, 30]]), np.array([20.0])))[0] == pytest.approx(
        8**0.5
    )


def test_what_is_saved_where_a_gain_is_worth_a_size():
    row = saving(frontier_of([10, 20, 30], [20, 30, 40]))
    assert row["saved"] == pytest.approx(50) and row["low"] == row["high"] == pytest.approx(50)
    assert saving(frontier_of([10, 20, 30], [10, 20, 30]))["saved"] == pytest.approx(0)
    assert saving(frontier_of([10, 20, 30], [8, 15, 20]))["saved"] == -np.inf
    assert (
        saving(frontier_of([10, 20, 30], [35, 40, 45]))["saved"]
        == saving(frontier_of([10, 20, 30], [35, 40, 45]))["most"]
        == pytest.approx(75)
    )


def test_what_seeds_do_widens_the_interval():
    wide, narrow = (saving(frontier_of([10, 20, 30], [15, 25, 35], spread)) for spread in (2.0, 0.2))
    assert wide["low"] < narrow["low"] < narrow["saved"] < narrow["high"] < wide["high"]


def test_levels_are_drawn_with_the_covariance_of_seeds():
    rng = np.random.default_rng(0)
    points = 50 + rng.multivariate_normal([0, 0], [[4, 3.9], [3.9, 4]], 12)
    means = Means(("none", "squad"), tuple(range(12)), points, points[None].repeat(50, axis=0), 100)
    drawn = draw_levels(means, np.random.default_rng(1), 20_000)
    expected = np.cov(points, rowvar=False) / 12 * 11 / 9
    assert np.cov(drawn, rowvar=False) == pytest.approx(expected, rel=0.1)
    few = Means(("none", "squad"), (1, 2), points[:2], points[None, :2], 100)
    assert np.isnan(draw_levels(few, rng, 10)).all()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    languages = {"xquad": ("en", "de", "es", "fr", "zh"), "tatoeba": ("de", "nl", "zh")}
    for encoder, level in {"lab-small": 0.3, "lab-large": 0.5}.items():
        write_study(folder, "lab", encoder=encoder, arms=("none", "squad"), gains={("squad", "xquad"): 0.1},
                    languages=languages, baseline={"xquad": level, "tatoeba": level})  # fmt: skip
    write_cost_study(folder, encoders={"lab-small": 2.0, "lab-large": 8.0})
    write_cost_study(folder, "lab-layers", encoders={"lab-small": 2.0, "lab-large": 8.0}, target="tatoeba",
                     layers=(1, 2, 3, 4), tokens={"de": 20.0, "nl": 20.0})  # fmt: skip
    return folder


def test_scores_and_costs_of_a_study_come_together(results):
    scores, costs = load_scores("lab", results), encoder_costs(load_costs("lab-cost", results))
    assert costs.loc["lab-large", "latency"] / costs.loc["lab-small", "latency"] == pytest.approx(4, rel=0.05)
    cubes = load_alike(scores, ["lab-large", "lab-small"], np.random.default_rng(1), results)
    frontier = find_frontier(cubes, costs["latency"], np.random.default_rng(2))
    assert frontier.encoders == ("lab-small", "lab-large") and "xquad" in frontier.targets
    table = saving_table({"latency": frontier}, costs)
    assert 0 < table["saved"].iloc[0] < table["most"].iloc[0] and table["low"].iloc[0] < table["saved"].iloc[0]
    assert find_frontier(cubes, costs["latency"].drop("lab-small"), np.random.default_rng(2)) is None


def test_layers_are_shown_with_what_they_cost(results):
    scores = load_scores("lab", results)
    drawn = resample_layers(scores, results=results)
    table = layer_table(scores, load_costs("lab-layers", results), drawn)
    small = table[(table["encoder"] == "lab-small") & (table["intermediate"] == "none")].set_index("layer")
    assert list(small.index) == [1, 2, 3, 4] and small["score"].idxmax() == 3
    assert small.loc[2, "share"] == pytest.approx(50, rel=0.05)
    assert (small["low"] < small["score"]).all() and (small["score"] < small["high"]).all()
    assert table.loc[table["intermediate"] == "squad", "low"].isna().all()
    chosen = choose_layers(table, drawn).set_index("encoder").loc["lab-small"]
    assert (chosen["layer"], chosen["share"]) == (3, pytest.approx(75, rel=0.05))
    assert chosen["low"] < chosen["score"] < chosen["high"] and chosen["score"] == pytest.approx(small.loc[3, "score"])
    assert chosen["lost"] == pytest.approx(small.loc[4, "score"] - small.loc[3, "score"])


def test_a_layer_is_not_chosen_on_what_it_is_scored_on():
    """Of two languages each is best at the layer at which the other is worst: chosen on itself it would score 90."""
    found = np.array([[[90.0, 10.0], [10.0, 90.0], [50.0, 50.0]]])
    table = pd.DataFrame(dict(encoder="mini", intermediate="none", layer=[1, 2, 3], share=[30.0, 60.0, 100.0]))
    chosen = choose_layers(table, {"mini": np.concatenate([found] * 3)}).iloc[0]
    assert (chosen["score"], chosen["lost"], chosen["share"]) == (10, 40, 45)
    assert choose_layers(table, {"mini": found[..., :1]}).empty


def test_what_an_encoder_costs_is_that_of_the_baseline_on_the_target_of_most_rounds(tmp_path):
    write_cost_study(tmp_path, encoders={"e": 10.0}, ratios={"none": 1.0, "squad": 3.0}, num_rounds=6)
    write_cost_study(tmp_path, encoders={"e": 90.0}, ratios={"none": 1.0}, target="tatoeba", num_rounds=2)
    row = encoder_costs(load_costs("lab-cost", tmp_path)).loc["e"]
    assert row["latency"] == pytest.approx(15, rel=0.4) and row["disk"] == 4
    assert row["operations"] == 1e6 * 4 * 30 and np.isnan(row["device_memory"])
