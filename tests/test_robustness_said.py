"""What notebook 6 says and draws follows from its tables."""

import numpy as np
import pandas as pd
import pytest
from test_robustness import make_cube

from xt.plots import plot_family_tree, plot_gains_by_distance, plt
from xt.plots.distance import fit_band
from xt.prose import answer_robustness, format_robustness
from xt.robustness import TREND_COLUMNS, find_model, gains_by_distance, part_home, robustness_table

NO_TRENDS = pd.DataFrame(columns=TREND_COLUMNS)


@pytest.fixture(scope="module")
def cube():
    return part_home(make_cube(), "qaa").cube


def test_the_answer_names_slopes_and_reliable_changes_and_what_to_run(cube):
    table = robustness_table([part_home(make_cube(), "qaa")], np.random.default_rng(0))
    said = answer_robustness(table, NO_TRENDS)
    assert "udpos −39" in said and "1 of 2 pairs" in said and "squad before udpos +" in said
    assert "`xt run lab-scaling`" in said
    turned = table.replace({"intermediate": {"squad": "mnli", "mnli": "squad"}})
    assert "mnli before udpos +" in answer_robustness(turned, NO_TRENDS)
    assert answer_robustness(table[:0], NO_TRENDS, "run `xt run lab`") == "Not known: run `xt run lab`."
    trend = dict(zip(TREND_COLUMNS, ["udpos", "none", "slope", 5.0, 1.0, 9.0, np.nan, 1, 3, 3, 23], strict=True))
    assert (
        "(3 encoders, too few for a p value) the slope changes by udpos +5.0 (+1.0 to +9.0, p –)"
        in answer_robustness(table, pd.DataFrame([trend]))
    )
    assert "–" in set(format_robustness(table)["change"]) and len(format_robustness(table)) == len(table)


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


def test_too_little_for_a_model_is_said():
    assert find_model([], None, np.random.default_rng(0)) == (None, "there are no scores of a baseline and another arm")
    few = part_home(make_cube(), "qaa").cube
    model, why = find_model([few], None, np.random.default_rng(0), arms=["nothing"], num_permutations=5)
    assert why or model.coefficients["term"].unique().tolist() == ["score"]
