"""What notebook 6 says and draws follows from its tables."""

import numpy as np
import pandas as pd
import pytest
from test_robustness import cubes_by_size, make_cube

from xt.exposure import encoder_size
from xt.gains import ALL
from xt.plots import plot_family_tree, plot_gains_by_distance, plt
from xt.plots.distance import fit_band
from xt.prose import (
    answer_robustness,
    count_by_chance,
    format_baseline,
    format_changes,
    say_changes,
    say_interval,
    say_number,
    say_ranks,
    say_trend,
)
from xt.robustness import gains_by_distance, part_home, robustness_table, slope_trends


@pytest.fixture(scope="module")
def cube():
    return part_home(make_cube(), "qaa").cube


def test_the_answer_names_slopes_and_reliable_changes_and_what_to_run():
    table = robustness_table([part_home(make_cube(), "qaa")])
    said = answer_robustness(table)
    assert "udpos −30.5" in said and "1 of 2 tested pairs" in said and "squad before udpos +" in said
    turned = table.replace({"intermediate": {"squad": "mnli", "mnli": "squad"}})
    assert "mnli before udpos +" in answer_robustness(turned)
    assert answer_robustness(table[:0], "run `xt run lab`") == "Not known: run `xt run lab`."
    half = table.assign(p_holm=table["p_holm"].where(table["intermediate"] != "mnli"))
    assert "1 of 1 tested" in answer_robustness(half)
    assert "1 more are not tested" in say_changes(half[half["measure"] == "slope"])
    floored = pd.concat([table, table[table["measure"] == "gap to the training language"].assign(target="xnli")])
    assert "No slope for xnli: three languages above" in answer_robustness(floored)
    own, slopes = format_baseline(table), format_changes(table, "slope")
    assert own.loc["udpos", "slope"].startswith("−30.5 (−") and own.loc["udpos", "seeds' spread"] != "–"
    assert slopes.loc["squad", "udpos"].endswith(")*") and slopes.loc["mnli", "udpos"].endswith(")")
    assert list(slopes.index) == ["squad", "mnli", "mnli_shuffled"]
    assert list(format_changes(half, "slope").index) == list(slopes.index)


def sized(cubes):
    """What `load_sizes` would say of these cubes by target."""
    names = [cube.encoder for cube in next(iter(cubes.values()))]
    return pd.DataFrame(dict(encoder=names, size=[encoder_size(name) for name in names], compared=True)), cubes


def test_what_size_does_is_said_of_the_mean_over_targets_with_the_p_that_it_is():
    cubes = {"udpos": cubes_by_size(), "panx": cubes_by_size("panx", 4.0, 20)}
    trends = slope_trends(cubes)
    own = trends[(trends["target"] == ALL) & (trends["intermediate"] == "none")].iloc[0]
    trends.loc[own.name, ["p", "p_adjusted"]] = 0.01, 0.03
    said = say_trend(trends, *sized(cubes))
    assert "(9 encoders) the slope changes by +" in said and f" {say_number(own['slope'])} points in the mean" in said
    assert f"mean over udpos and panx ({say_interval(own)}, p 0.030 by Holm)" in said
    assert "0 of 2 changes by an arm in that mean (Holm) and 2 of 6 slopes and changes of single targets" in said
    sizes, _ = sized(cubes)
    begun = sizes.assign(compared=sizes["encoder"] != "lab-large-s2")
    some = say_trend(trends, begun, cubes | {"xquad": cubes["udpos"]})
    assert "are missing: lab-large-s2." in some and some.endswith("No slope in every encoder: xquad.")


def test_what_is_missing_for_a_trend_is_said():
    cubes = {"udpos": cubes_by_size()[::3]}
    few = say_trend(slope_trends(cubes), *sized(cubes))
    assert "(3 encoders)" in few and few.endswith(
        "to +6.8); nothing is tested, as 7 encoders are needed for a p value."
    )
    two = {"udpos": cubes_by_size()[:4:3]}
    assert "in the mean over udpos (–); nothing is tested" in say_trend(slope_trends(two), *sized(two))
    sizes, none = sized(cubes)[0], slope_trends({})
    assert say_trend(none, sizes[:0], {}, "run it").endswith("not known: run it.")
    assert "compared here: 1 of 1 sizes." in say_trend(none, sizes[:1], {})
    assert "compared here: 3 of 3 sizes. No slope in every encoder: udpos." in say_trend(none, sizes, cubes)


def test_gains_by_distance_leave_out_floors_and_what_has_no_distance(cube):
    rows = gains_by_distance([cube])
    assert "qax" not in set(rows["eval_language"]) and set(rows["intermediate"]) == {"squad", "mnli", "mnli_shuffled"}
    squad = rows[rows["intermediate"] == "squad"]
    assert np.polyfit(squad["distance"].astype(float), squad["gain"].astype(float), 1)[0] == pytest.approx(10, abs=3)
    assert gains_by_distance([]).empty


def test_the_band_is_students_around_the_line():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=12), rng.normal(size=12)
    grid, line, half = fit_band(x, y)
    fit = sm.OLS(y, sm.add_constant(x)).fit().get_prediction(sm.add_constant(grid)).summary_frame()
    assert line == pytest.approx(fit["mean"].to_numpy()) and line + half == pytest.approx(
        fit["mean_ci_upper"].to_numpy()
    )


def test_figures_show_every_language_and_hold_when_there_is_none():
    fig, ax = plt.subplots()
    plot_family_tree(pd.Series({"de": 1.0, "sw": -2.0, "fr": np.nan}), ax, "gain")
    texts = {text.get_text() for text in ax.texts}
    assert {"de", "sw", "IE", "Niger-Congo", "+1.0", "−2.0"} <= texts and "fr" not in texts
    plot_gains_by_distance(pd.DataFrame(columns=["gain", "distance"]), ax)
    plot_family_tree(pd.Series(dtype=float), ax, "gain")
    plt.close(fig)


def test_what_chance_gives_is_said_beside_what_was_found():
    assert (
        count_by_chance(pd.Series([0.01] * 3 + [0.5] * 77)) == "3 of 80 have p below 0.05, where chance alone gives 4"
    )
    assert "none is tested" in count_by_chance(pd.Series([np.nan]))
    ranks = pd.DataFrame(dict(component=["distance", "script"] * 10, rho=-0.5, low=-0.9, high=[-0.1] * 6 + [0.1] * 14))
    said = say_ranks(ranks)
    assert "mean distance in 3 of 10 cases (chance alone gives 0.5)" in said and "6 of these 6 are negative" in said
