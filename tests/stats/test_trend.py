"""Trends over encoders: least squares where items are known well, wider where they are not, silent where too few."""

import numpy as np
import pytest
import statsmodels.api as sm

from xt.stats.trend import FEWEST_DF, UNITS_AND_ITEMS, UNITS_ONLY, fit_trend

SIZES = np.repeat([0.0, 1.0, 2.5], 3)


def test_without_items_it_is_ordinary_least_squares():
    rng = np.random.default_rng(1)
    y = 3 - 0.7 * SIZES + rng.normal(0, 0.5, 9)
    fit, ours = sm.OLS(y, sm.add_constant(SIZES)).fit(), fit_trend(SIZES, y, None)
    assert ours.slope == pytest.approx(fit.params[1]) and ours.standard_error == pytest.approx(fit.bse[1])
    assert (ours.low, ours.high) == pytest.approx(tuple(fit.conf_int()[1]), abs=1e-3)
    assert ours.p == pytest.approx(fit.pvalues[1], rel=1e-3)
    assert ours.kind == UNITS_ONLY and ours.df == 7


def test_few_encoders_have_an_interval_but_no_p_and_two_have_neither():
    for count in range(3, 9):
        trend = fit_trend(np.arange(count), np.sin(np.arange(count)), None)
        assert np.isfinite([trend.low, trend.high]).all()
        assert np.isnan(trend.p) == (count - 2 < FEWEST_DF)
    trend = fit_trend(np.array([1.0, 2.0]), np.array([3.0, 5.0]), None)
    assert trend.slope == 2 and np.isnan([trend.low, trend.high, trend.p]).all()


def test_one_size_has_no_trend():
    with pytest.raises(ValueError, match="3 units at x = 2.0: needed are two values"):
        fit_trend(np.full(3, 2.0), np.arange(3.0), None)


def test_items_that_move_the_slope_widen_it_and_those_that_move_units_apart_do_not():
    rng = np.random.default_rng(2)
    y, along, apart = rng.normal(0, 0.3, 9), rng.normal(0, 1, (4000, 1)), rng.normal(0, 1, (4000, 9))
    alone = fit_trend(SIZES, y, None)
    tilted = fit_trend(SIZES, y, y + along * SIZES, 200)
    assert tilted.standard_error**2 == pytest.approx(alone.standard_error**2 + 200 / 199, rel=0.1)
    few = fit_trend(SIZES, y, y + along * SIZES, 5)
    assert few.standard_error**2 - alone.standard_error**2 == pytest.approx(
        (tilted.standard_error**2 - alone.standard_error**2) * (5 / 4) / (200 / 199)
    )
    noisy = fit_trend(SIZES, y, y + apart, 200)
    assert noisy.standard_error < 1.05 * alone.standard_error, "what items do to one unit is among its residuals"
    assert fit_trend(SIZES, y, y + along, 200).standard_error == pytest.approx(alone.standard_error), "all units alike"
    assert tilted.kind == UNITS_AND_ITEMS


def test_intervals_cover_a_slope_that_items_and_encoders_both_move():
    rng, covered, found, studies = np.random.default_rng(3), 0, 0, 400
    for _ in range(studies):
        items = rng.normal(0, 1, 40)  # what each of 40 items adds to the slope
        y = -0.5 * SIZES + SIZES * items.mean() + rng.normal(0, 0.3, 9)
        drawn = SIZES * items[rng.integers(40, size=(200, 40))].mean(axis=1, keepdims=True)
        trend = fit_trend(SIZES, y, y - SIZES * items.mean() + drawn, 40)
        covered += trend.low <= -0.5 <= trend.high
        found += trend.p < 0.05
    assert 0.93 <= covered / studies <= 0.985
    assert found / studies > 0.5
