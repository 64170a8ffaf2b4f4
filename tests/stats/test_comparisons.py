"""Tests beside the primary one: the values of scipy and statsmodels, and refusals that say what would do."""

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.weightstats import ttost_paired

from xt.stats import equivalence_test, gain_test, mcnemar_test, multi_bootstrap, sign_flip_test


@pytest.mark.parametrize("shift", [0.0, 0.6, -0.6, 2.0, -2.0])
def test_equivalence_is_that_of_statsmodels(shift):
    rng = np.random.default_rng(0)
    first, second = rng.normal(shift, 1, 12), rng.normal(0, 1, 12)
    test = gain_test(np.stack([second, first], axis=1), np.zeros(1))
    p = equivalence_test(test.gain, test.standard_error, test.df, 1.5)
    assert p[0] == pytest.approx(ttost_paired(first, second, -1.5, 1.5)[0])


def test_equivalence_agrees_with_the_90_percent_interval_and_needs_a_margin():
    scores = np.random.default_rng(1).normal(50, 1, (5, 3))
    test = gain_test(scores, np.zeros(2))
    reach = np.max(np.abs(test.limits(0.9)), axis=0)
    assert (equivalence_test(test.gain, test.standard_error, test.df, reach[0] * 1.001) < 0.05)[0]
    assert not (equivalence_test(test.gain, test.standard_error, test.df, reach[0] * 0.999) < 0.05)[0]
    with pytest.raises(ValueError, match="above 0"):
        equivalence_test(test.gain, test.standard_error, test.df, 0)


@pytest.mark.parametrize(("only_first", "only_second", "exact"), [(3, 11, True), (60, 35, False)])
def test_mcnemar_is_exact_where_few_items_differ(only_first, only_second, exact):
    first = np.repeat([1, 1, 0, 0], [50, only_first, only_second, 20])
    second = np.repeat([1, 0, 1, 0], [50, only_first, only_second, 20])
    known = mcnemar([[50, only_first], [only_second, 20]], exact=exact, correction=True).pvalue
    assert mcnemar_test(first, second) == pytest.approx(known)
    if exact:
        assert mcnemar_test(first, second) == pytest.approx(scipy.stats.binomtest(3, 14).pvalue)


def test_mcnemar_refuses_what_is_not_right_or_wrong_and_items_of_one_cluster():
    with pytest.raises(ValueError, match="right .1. or wrong"):
        mcnemar_test(np.array([0.5, 1]), np.array([1, 1]))
    assert mcnemar_test(np.array([1, 0]), np.array([0, 1]), clusters=np.array(["a", "b"])) == 1
    with pytest.raises(ValueError, match="share a cluster: use cluster_bootstrap"):
        mcnemar_test(np.array([1, 0]), np.array([0, 1]), clusters=np.array(["a", "a"]))


def test_sign_flips_are_scipys_and_all_of_them_where_there_are_few():
    gains = np.random.default_rng(2).normal(0.5, 1, 10)
    flips = np.array(np.meshgrid(*[[1, -1]] * 10)).reshape(10, -1).T
    known = (np.abs((flips * gains).mean(axis=1)) >= abs(gains.mean()) - 1e-12).mean()
    assert sign_flip_test(gains, np.random.default_rng(3)) == pytest.approx(known)


@pytest.mark.parametrize(("num_seeds", "level", "message"), [
    (3, 0.05, "needs 10 or more .* no p below 0.25.*gain_test"),
    (9, 0.05, "needs 10 or more"),
    (10, 0.001, "no p below 0.002, and 0.001 is asked; needed: 11 seeds"),
])  # fmt: skip
def test_sign_flips_that_cannot_reach_their_level_are_refused_with_what_would(num_seeds, level, message):
    with pytest.raises(ValueError, match=message):
        sign_flip_test(np.arange(num_seeds), np.random.default_rng(4), level)


def test_the_multi_bootstrap_covers_seeds_and_items_and_refuses_few_seeds():
    rng = np.random.default_rng(5)
    gains = 1 + rng.normal(0, 1, (1, 20)) + rng.normal(0, 0.5, (4000, 1))
    low, high = multi_bootstrap(gains, rng)
    error = np.sqrt(gains.mean(axis=0).var() / 20 + 0.25)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    with pytest.raises(ValueError, match="3 seeds: a percentile bootstrap over seeds needs 10 or more"):
        multi_bootstrap(gains[:, :3], rng)
