"""The difference of gains in two encoders: Welch's test without items, items that both share cancel."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS, SEEDS_ONLY
from xt.stats.two_encoders import compare_gains


def study(rng, num_seeds=5, gain=1.0, noise=0.5, num_arms=2):
    """Scores (S, K) with a gain in the last arm."""
    scores = 50 + rng.normal(0, noise, (num_seeds, num_arms))
    scores[:, -1] += gain
    return scores


def test_without_items_and_with_one_arm_it_is_welchs_test():
    rng = np.random.default_rng(1)
    first, second = study(rng, 5, 2.0), study(rng, 4, 0.5, 0.2)
    ours = compare_gains((first, None), (second, None))
    theirs = ttest_ind(np.diff(first)[:, 0], np.diff(second)[:, 0], equal_var=False)
    low, high = theirs.confidence_interval()
    assert ours.gain[0] == pytest.approx(np.diff(first).mean() - np.diff(second).mean())
    assert ours.p[0] == pytest.approx(theirs.pvalue, rel=2e-3)
    assert (ours.low[0], ours.high[0]) == pytest.approx((low, high), rel=2e-3)
    assert ours.kind == SEEDS_ONLY and ours.dfs[1] == pytest.approx(theirs.df)


def test_items_that_move_both_gains_alike_cancel_and_others_do_not():
    rng = np.random.default_rng(2)
    first, second = study(rng, 3), study(rng, 3)
    moved = rng.normal(0, 1, (500, 1, 1)) * np.array([0.0, 1.0])
    alike = compare_gains((first, first + moved), (second, second + moved), 100)
    apart = compare_gains((first, first + moved), (second, second - moved), 100)
    assert alike.item_error[0] == pytest.approx(0, abs=1e-9)
    assert apart.item_error[0] == pytest.approx(2, rel=0.1)
    assert apart.high[0] - apart.low[0] > 2 * (alike.high[0] - alike.low[0])
    assert alike.kind == SEEDS_AND_ITEMS


def test_what_items_do_to_one_seed_is_not_counted_again_and_few_clusters_are_corrected_for():
    rng = np.random.default_rng(5)
    sides = [study(rng, 3), study(rng, 4)]
    own, shared = ([rng.normal(0, 1, (4000, count, 2)) for count in counts] for counts in ((3, 4), (1, 1)))
    alone = compare_gains(*((scores, scores + moved) for scores, moved in zip(sides, own, strict=True)), 100)
    assert alone.item_error[0] < 0.3 < np.sqrt(2 / 3 + 2 / 4)
    drawn = [(scores, scores + moved) for scores, moved in zip(sides, shared, strict=True)]
    many, few = (compare_gains(*drawn, count).item_error[0] ** 2 for count in (np.inf, 5))
    assert many == pytest.approx(4, rel=0.1) and few == pytest.approx(many * 5 / 4)


def test_two_seeds_have_an_interval_over_items_and_no_p():
    rng = np.random.default_rng(3)
    first, second = study(rng, 2), study(rng, 3)
    drawn = [scores + rng.normal(0, 0.3, (500, *scores.shape)) for scores in (first, second)]
    test = compare_gains((first, drawn[0]), (second, drawn[1]), 50)
    assert test.kind == ITEMS_ONLY and np.isnan(test.p).all() and np.isfinite(test.low).all()
    test = compare_gains((first, None), (second, None))
    assert np.isnan([test.low, test.high, test.p]).all()


def test_intervals_cover_the_difference():
    rng, covered, studies = np.random.default_rng(4), 0, 500
    for _ in range(studies):
        parts = [study(rng, 3, gain, num_arms=4) for gain in (1.5, 0.5)]
        test = compare_gains(*((scores, None) for scores in parts))
        covered += test.low[-1] <= 1.0 <= test.high[-1]
    assert 0.93 <= covered / studies <= 0.985
