"""What notebook 6 says and draws follows from its tables."""

import numpy as np
import pandas as pd
import pytest
from test_robustness import make_cube

from xt.plots import plot_family_tree, plot_gains_by_distance, plt
from xt.plots.distance import fit_band
from xt.prose import answer_robustness, count_by_chance, format_baseline, format_changes, say_changes, say_ranks
from xt.robustness import TREND_COLUMNS, gains_by_distance, part_home, robustness_table

NO_TRENDS = pd.DataFrame(columns=TREND_COLUMNS)


@pytest.fixture(scope="module")
def cube():
    return part_home(make_cube(), "qaa").cube


def test_the_answer_names_slopes_and_reliable_changes_and_what_to_run(cube):
    table = robustness_table([part_home(make_cube(), "qaa")])
    said = answer_robustness(table, NO_TRENDS)
    assert "udpos −30.5" in said and "1 of 2 tested pairs" in said and "squad before udpos +" in said
    assert "`xt run lab-scaling`" in said
    turned = table.replace({"intermediate": {"squad": "mnli", "mnli": "squad"}})
    assert "mnli before udpos +" in answer_robustness(turned, NO_TRENDS)
    assert answer_robustness(table[:0], NO_TRENDS, "run `xt run lab`") == "Not known: run `xt run lab`."
    trend = dict.fromkeys(TREND_COLUMNS) | dict(target="udpos", intermediate="none", quantity="slope", num_encoders=3)
    trend |= dict(slope=5.0, low=1.0, high=9.0)
    few = answer_robustness(table, pd.DataFrame([trend]))
    assert "(3 encoders) the slope changes by udpos +5.0 (+1.0 to +9.0, p –)" in few and "7 encoders are needed" in few
    half = table.assign(p_holm=table["p_holm"].where(table["intermediate"] != "mnli"))
    assert "1 of 1 tested" in answer_robustness(half, NO_TRENDS)
    assert "1 more are not tested" in say_changes(half[half["measure"] == "slope"])
    floored = pd.concat([table, table[table["measure"] == "gap to the training language"].assign(target="xnli")])
    assert "No slope for xnli: three languages above" in answer_robustness(floored, NO_TRENDS)
    own, slopes = format_baseline(table), format_changes(table, "slope")
    assert own.loc["udpos", "slope"].startswith("−30.5 (−") and own.loc["udpos", "seeds' spread"] != "–"
    assert slopes.loc["squad", "udpos"].endswith(")*") and slopes.loc["mnli", "udpos"].endswith(")")
    assert list(slopes.index) == ["squad", "mnli", "mnli_shuffled"]
    assert list(format_changes(half, "slope").index) == list(slopes.index)


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
