"""Gains against size: encoders that differ in nothing else, cells that can show a gain, a unit that is an encoder."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xt.errors import DataError
from xt.exposure import encoder_size
from xt.gains import ALL, ScoreCube
from xt.scaling import (
    POINTS,
    check_alike,
    compared_languages,
    flag_cells,
    gains_by_size,
    mean_by_size,
    size_table,
    tabulate_sizes,
    trend_table,
)
from xt.stats import OF_BASELINE, OF_ERROR

ENCODERS = tuple(f"lab-{size}{seed}" for size in ("small", "base", "large") for seed in ("", "-s1", "-s2"))
LANGUAGES = ("qab", "qac", "qad", "qae")
PLACES = {"small": 0, "base": 1, "large": 2}


def make_cubes(target="udpos", baselines=(30.0, 40.0, 50.0), gains=(6.0, 6.0, 6.0), encoders=ENCODERS):
    """One seed each of none, squad and a placebo; the gain of squad and the baseline go with size. qae is at its floor
    in the small encoders, qad near 100 in the large ones."""
    rng, cubes = np.random.default_rng(len(target)), []
    items = rng.normal(0, 0.4, (200, 1, 1, 4))
    for encoder in encoders:
        place = PLACES[encoder.split("-")[1]]
        points = baselines[place] + np.array([0, gains[place], 0.0])[None, :, None] + rng.normal(0, 0.3, (1, 3, 1))
        points = points + np.array([0, 0, 47 if place == 2 else 0, 0])
        floors = np.array([0, 0, 0, 99.0 if place == 0 else 0])
        cubes.append(ScoreCube(encoder, target, ("none", "squad", "mnli_shuffled"), (1,), LANGUAGES, points,
                               points + items, floors, np.full((3, 4), True), np.full(4, 60)))  # fmt: skip
    return cubes


def test_encoders_that_differ_in_size_alone_are_compared():
    scores = pd.DataFrame({"encoder": [*ENCODERS, "lab-english", "lab-tiny", "somebody/unknown", "xlm-roberta-base"]})
    table = size_table(scores)
    assert sorted(table["encoder"]) == sorted(ENCODERS) and table["size"].is_monotonic_increasing
    hub = size_table(
        pd.DataFrame({"encoder": ["FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-base", "lab-base"]})
    )
    assert hub["encoder"].tolist() == ["FacebookAI/xlm-roberta-base", "FacebookAI/xlm-roberta-large"]
    assert size_table(pd.DataFrame({"encoder": ["somebody/unknown"]})).empty


def test_only_cells_that_can_show_a_gain_in_every_encoder_are_compared():
    cubes = make_cubes()
    assert compared_languages(cubes).tolist() == [True, True, False, False]
    cells = flag_cells({"udpos": cubes}).set_index(["encoder", "eval_language"])
    assert cells.loc[("lab-small", "qae"), "at_floor"] and not cells.loc[("lab-large", "qae"), "at_floor"]
    assert cells.loc[("lab-large", "qad"), "at_ceiling"] and not cells.loc[("lab-small", "qad"), "at_ceiling"]
    assert cells.groupby("eval_language")["compared"].all().to_dict() == dict(qab=True, qac=True, qad=False, qae=False)
    trained = [replace(cube, zero_shot=np.array([[True] * 4, [False] + [True] * 3, [True] * 4])) for cube in cubes]
    assert compared_languages(trained).tolist() == [False, True, False, False]
    assert gains_by_size({"udpos": [replace(cube, floors=np.full(4, 99.0)) for cube in cubes]}) == []


def test_the_same_points_are_a_smaller_share_of_a_higher_score_and_a_larger_one_of_the_error():
    trends = trend_table(gains_by_size({"udpos": make_cubes(), "panx": make_cubes("panx")}))
    primary = trends[(trends["target"] == ALL) & (trends["intermediate"] == "squad")].set_index("measure")
    assert primary.loc[OF_BASELINE, "high"] < 0 < primary.loc[OF_ERROR, "low"]
    assert primary.loc[POINTS, "low"] < 0 < primary.loc[POINTS, "high"]
    assert primary.loc[OF_BASELINE, ["smallest", "largest"]].tolist() == pytest.approx([20, 12], abs=1.5)
    assert (trends["num_encoders"] == 9).all() and (trends["df"] == 7).all() and trends["p"].notna().all()
    assert trends.loc[trends["placebo"].astype(bool), "p_adjusted"].isna().all()


def test_a_doubling_is_a_doubling_of_parameters():
    gains = gains_by_size({"udpos": make_cubes(gains=(8.0, 6.0, 4.0))})
    row = trend_table(gains).query("target == 'udpos' and intermediate == 'squad' and measure == @POINTS").iloc[0]
    doublings = np.log2(encoder_size("lab-large") / encoder_size("lab-small"))
    assert row["slope"] == pytest.approx(-4 / doublings, abs=0.25) and row["p_adjusted"] < 0.05


def test_three_encoders_have_no_p_and_one_size_no_trend():
    few = trend_table(gains_by_size({"udpos": make_cubes(encoders=("lab-small", "lab-base", "lab-large"))}))
    assert few["p"].isna().all() and few["low"].notna().all() and (few["df"] == 1).all()
    assert trend_table(gains_by_size({"udpos": make_cubes(encoders=ENCODERS[3:6])})).empty


def test_a_mean_over_encoders_has_an_interval_where_a_size_has_several():
    gains = gains_by_size({"udpos": make_cubes()})
    means = mean_by_size(tabulate_sizes(gains))
    row = means.query("target == 'udpos' and intermediate == 'squad' and measure == @POINTS")
    assert row["num_encoders"].tolist() == [3, 3, 3] and (row["high"] > row["value"]).all()
    alone = mean_by_size(tabulate_sizes(gains_by_size({"udpos": make_cubes(encoders=ENCODERS[::3])})))
    assert alone["low"].isna().all() and alone["value"].notna().all()


def test_encoders_scored_on_other_examples_are_refused():
    cubes = make_cubes()
    with pytest.raises(DataError, match="lab-small-s1 was scored .* on other examples than lab-small"):
        check_alike([cubes[0], replace(cubes[1], num_clusters=np.full(4, 59))])
