"""Intervals and tests against known distributions, scipy and statsmodels."""

import numpy as np
import pytest
import scipy.stats
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from xt.metrics import METRICS
from xt.stats import (
    ITEMS_ONLY,
    SEEDS_AND_ITEMS,
    adjust_benjamini_hochberg,
    adjust_holm,
    cluster_bootstrap,
    cluster_interval,
    gain_test,
    split_item_variance,
)
from xt.stats.behrens_fisher import quantile, tail
from xt.stats.primary import item_part, keep_common

ACCURACY = METRICS["accuracy"].reduce
NO_ITEMS = np.zeros(4)


def accuracy_stats(correct):
    return np.stack([correct, np.ones_like(correct)], axis=-1)


def within(count, trials, rate, level=0.999):
    """Whether a count of successes is one that this rate gives in all but 1 of 1,000 simulations."""
    low, high = binom.interval(level, trials, rate)
    return low <= count <= high


def test_bootstrap_error_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    correct = (rng.random(400) < 0.3).astype(float)
    resampled = cluster_bootstrap(accuracy_stats(correct), np.arange(400), ACCURACY, rng, 4000)
    assert resampled.std() == pytest.approx(100 * np.sqrt(correct.var() / 400), rel=0.05)
    assert resampled.mean() == pytest.approx(100 * correct.mean(), abs=0.2)


def test_examples_of_one_cluster_are_one_observation():
    correct = (np.random.default_rng(1).random(200) < 0.5).astype(float)
    stats, clusters = accuracy_stats(correct), np.arange(200)
    once = cluster_bootstrap(stats, clusters, ACCURACY, np.random.default_rng(2))
    tenfold = cluster_bootstrap(stats.repeat(10, axis=0), clusters.repeat(10), ACCURACY, np.random.default_rng(2))
    np.testing.assert_allclose(once, tenfold)


def test_order_of_examples_does_not_matter():
    rng = np.random.default_rng(3)
    stats, clusters, order = rng.random((60, 3, 2)), rng.integers(20, size=60), rng.permutation(60)
    first = cluster_bootstrap(stats, clusters, ACCURACY, np.random.default_rng(4), 50)
    second = cluster_bootstrap(stats[order], clusters[order], ACCURACY, np.random.default_rng(4), 50)
    assert first.shape == (50, 3)
    np.testing.assert_allclose(first, second)


def test_what_is_parallel_is_resampled_jointly():
    correct = (np.random.default_rng(5).random((100, 1)) < 0.5).astype(float)
    both = accuracy_stats(np.concatenate([correct, correct], axis=1))
    resampled = cluster_bootstrap(both, np.arange(100), ACCURACY, np.random.default_rng(6))
    assert (resampled[:, 0] == resampled[:, 1]).all() and resampled[:, 0].std() > 1


def test_bootstrap_of_f1_agrees_with_scipy():
    rng = np.random.default_rng(7)
    stats = rng.integers(0, 4, size=(150, 3)) + np.array([0, 4, 4])
    reduce = METRICS["span_f1"].reduce
    ours = cluster_bootstrap(stats, np.arange(150), reduce, rng, 4000)
    score = lambda rows, axis: reduce(stats[rows].sum(axis=-2))  # noqa: E731
    scipys = scipy.stats.bootstrap((np.arange(150),), score, n_resamples=4000, rng=rng, axis=-1)
    assert ours.std() == pytest.approx(scipys.standard_error, rel=0.06)


def test_one_cluster_has_no_interval():
    low, high = cluster_interval(np.ones((5, 2)), np.zeros(5), ACCURACY, np.random.default_rng(0))
    assert np.isnan(low) and np.isnan(high)


def test_intervals_of_clustered_examples_cover():
    rng, hits, trials = np.random.default_rng(8), 0, 300
    for _ in range(trials):
        rate = rng.beta(2, 2, size=80)  # of each cluster; 50 points on average
        correct = (rng.random((80, 5)) < rate[:, None]).astype(float).ravel()
        low, high = cluster_interval(accuracy_stats(correct), np.repeat(np.arange(80), 5), ACCURACY, rng, 400)
        hits += low <= 50 <= high
    assert within(hits, trials, 0.94)


def simulate(rng, trials, num_seeds, num_arms, gain=0.0):
    """Scores (trials, S, K): a spread over seeds that all arms share, and one of each run; arm 1 gains."""
    scores = 50 + rng.normal(0, 3, (trials, num_seeds, 1)) + rng.normal(0, 1, (trials, num_seeds, num_arms))
    scores[:, :, 1] += gain
    return scores


@pytest.mark.parametrize(("num_seeds", "num_arms"), [(3, 5), (3, 2), (5, 4)])
def test_p_values_are_uniform_where_nothing_gains(num_seeds, num_arms):
    scores = simulate(np.random.default_rng(9), 2000, num_seeds, num_arms)
    p = gain_test(scores, np.zeros((2000, num_arms - 1))).p[:, 0]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.001
    for level in (0.01, 0.05, 0.2):
        assert within((p < level).sum(), 2000, level)


def test_intervals_cover_the_gain_and_it_is_found():
    scores = simulate(np.random.default_rng(10), 2000, 3, 5, gain=2.0)
    test = gain_test(scores, np.zeros((2000, 4)))
    assert within(((test.low[:, 0] <= 2.0) & (2.0 <= test.high[:, 0])).sum(), 2000, 0.95)
    assert within(((test.low[:, 1] <= 0.0) & (0.0 <= test.high[:, 1])).sum(), 2000, 0.95)
    assert test.gain[:, 0].mean() == pytest.approx(2, abs=0.1)
    assert (test.p[:, 0] < 0.05).mean() > 0.4


@pytest.mark.parametrize("item_sd", [0.5, 1.0, 3.0])
def test_the_spread_over_items_is_covered_too(item_sd):
    rng = np.random.default_rng(11)
    scores = simulate(rng, 2000, 3, 5)
    scores[:, :, 1:] += rng.normal(0, item_sd, (2000, 1, 4))  # the same at every seed
    with_items, without = (gain_test(scores, np.full((2000, 4), known)).p[:, 0] for known in (item_sd**2, 0.0))
    declared = (with_items < 0.05).sum()
    assert binom.ppf(0.001, 2000, 0.04) <= declared <= binom.ppf(0.999, 2000, 0.05)
    assert (without < 0.05).sum() > declared + 20


@pytest.mark.parametrize("item_df", [np.inf, 20])
def test_two_parts_keep_every_level_that_holms_steps_ask_for(item_df):
    """With few seeds and items that weigh as much, and an item variance that is estimated, too."""
    rng, trials = np.random.default_rng(20), 3000
    scores = rng.normal(0, 1, (trials, 3, 3))
    scores[:, :, 1:] += rng.normal(0, 0.8, (trials, 1, 2))
    known = 0.64 * (1 if np.isinf(item_df) else rng.chisquare(item_df, (trials, 2)) / item_df)
    p = gain_test(scores, np.broadcast_to(known, (trials, 2)), item_df=item_df).p[:, 0]
    for level in (0.05, 0.01, 0.003):
        assert binom.ppf(0.001, trials, level / 3) <= (p < level).sum() <= binom.ppf(0.999, trials, level)


@pytest.mark.parametrize("item_df", [4, 59])
def test_items_alone_are_a_t_test_over_their_clusters(item_df):
    scores = np.array([[50.0, 53.0], [40.0, 43.0], [60.0, 63.0]])  # every seed gains the same
    test = gain_test(scores, np.full(1, 2.0), item_df=item_df)
    known = scipy.stats.t(item_df)
    assert test.p[0] == pytest.approx(2 * known.sf(3 / 2**0.5)) and test.df[0] == pytest.approx(item_df, rel=1e-4)
    assert (test.low[0], test.high[0]) == pytest.approx(3 + 2**0.5 * known.ppf([0.025, 0.975]), abs=1e-6)


def test_what_items_do_to_one_seed_is_counted_once():
    rng = np.random.default_rng(21)
    scores, total = rng.normal(0, 1, (2000, 3, 5)), np.full((2000, 4), 2 / 3)  # all of it is item noise of one seed
    once, twice = (gain_test(scores, keep_common(total, own, 3)).p[:, 0] for own in (2.0, 0.0))
    assert within((once < 0.05).sum(), 2000, 0.05) and (twice < 0.05).mean() < 0.02


def test_item_variance_is_split_into_what_seeds_share_and_what_is_their_own():
    rng = np.random.default_rng(22)
    shared, own = rng.normal(0, 2, (20_000, 1, 1)), rng.normal(0, 3, (20_000, 4, 1))
    total, at_one_seed = split_item_variance(shared + own)
    assert total[0] == pytest.approx(4 + 9 / 4, rel=0.05) and at_one_seed[0] == pytest.approx(9, rel=0.05)
    np.testing.assert_allclose(split_item_variance(shared + own, 11), np.multiply((total, at_one_seed), 1.1))
    assert split_item_variance(shared)[1] == 0  # one seed


def test_item_variance_is_known_as_well_as_there_are_clusters_and_below_three_seeds_taken_for_exact():
    drawn = np.random.default_rng(25).normal(size=(50, 3, 2))
    assert item_part(drawn, 60)[1] == 59 and item_part(drawn[:, :2], 60)[1] == np.inf


@pytest.mark.parametrize("untrained", [True, False])
def test_the_spread_over_seeds_is_that_of_one_score(untrained):
    scores = np.random.default_rng(26).normal(50, 2, (400, 5))
    scores[:, 0] = 50 if untrained else scores[:, 0]
    assert gain_test(scores, NO_ITEMS, untrained=untrained).seed_sd == pytest.approx(2, rel=0.06)


def test_a_baseline_without_seeds_has_no_share_in_the_variance():
    scores = np.random.default_rng(12).normal(50, 2, (1000, 3, 5))
    scores[:, :, 0] = 50  # retrieval without training is the same at every seed
    p = gain_test(scores, np.zeros((1000, 4)), untrained=True).p[:, 0]
    assert binom.ppf(0.001, 1000, 0.02) <= (p < 0.05).sum() <= binom.ppf(0.999, 1000, 0.05)
    one_arm = scores[0, :, :2]
    p = gain_test(one_arm, np.zeros(1), untrained=True).p[0]
    assert p == pytest.approx(scipy.stats.ttest_1samp(one_arm[:, 1], 50).pvalue)


@pytest.mark.parametrize("common", [0.0, 1.0, 3.0])
def test_what_a_seed_does_to_all_gains_is_counted_where_some_baselines_are_not_trained(common):
    """The mean of seven trained targets and two that are not: at every level that Holm's steps ask for."""
    rng, trials = np.random.default_rng(23), 600
    trained = rng.normal(0, 1, (trials, 3, 6, 7)).mean(axis=-1)
    retrieval = rng.normal(0, 1, (trials, 3, 6, 2)) + common * rng.normal(0, 1, (trials, 3, 1, 2))
    retrieval[:, :, 0] = 0
    scores = (7 * trained + retrieval.sum(axis=-1)) / 9
    p = gain_test(scores, np.zeros((trials, 5)), untrained=True).p[:, 0]
    for level in (0.05, 0.01, 0.004):
        assert binom.ppf(0.001, trials, level / 5) <= (p < level).sum() <= binom.ppf(0.999, trials, level)


def test_scores_that_happen_to_be_equal_are_no_untrained_baseline():
    scores = np.random.default_rng(24).normal(50, 2, (3, 5))
    scores[:, 0] = 50
    tied, known = gain_test(scores, NO_ITEMS), gain_test(scores, NO_ITEMS, untrained=True)
    assert tied.dfs[1] == 8 and known.dfs[:2] == (2, 6) and (tied.variances[0] == 0).all()


def test_two_arms_are_a_paired_t_test():
    scores = np.random.default_rng(13).normal(50, 2, (12, 2))
    ours, scipys = gain_test(scores, np.zeros(1)), scipy.stats.ttest_rel(scores[:, 1], scores[:, 0])
    assert ours.p[0] == pytest.approx(scipys.pvalue)
    assert ours.gain[0] / ours.standard_error[0] == pytest.approx(scipys.statistic)
    assert (ours.low[0], ours.high[0]) == pytest.approx(tuple(scipys.confidence_interval(0.95)))


def test_several_arms_are_the_two_way_model_of_statsmodels():
    import pandas as pd
    import statsmodels.formula.api as smf

    scores = np.random.default_rng(14).normal(50, 2, (3, 5))
    frame = pd.DataFrame({"y": scores.ravel(), "seed": np.repeat(range(3), 5), "arm": np.tile(range(5), 3)})
    model = smf.ols("y ~ C(arm) + C(seed)", frame).fit()
    names, ours = [f"C(arm)[T.{k}]" for k in range(1, 5)], gain_test(scores, NO_ITEMS)
    np.testing.assert_allclose(ours.gain, model.params[names])
    np.testing.assert_allclose(ours.standard_error, model.bse[names])
    np.testing.assert_allclose(ours.p, model.pvalues[names])
    assert (
        ours.df == pytest.approx(model.df_resid)
        and ours.dfs[1] == 8
        and ours.seed_sd == pytest.approx(model.mse_resid**0.5)
    )


def test_what_a_seed_does_to_all_arms_cancels():
    scores = np.random.default_rng(15).normal(50, 2, (3, 5))
    shifted = gain_test(scores + np.array([[10.0], [0.0], [-20.0]]), NO_ITEMS)
    np.testing.assert_allclose(shifted.p, gain_test(scores, NO_ITEMS).p)


@pytest.mark.parametrize("num_seeds", [1, 2])
def test_fewer_than_three_seeds_give_no_p(num_seeds):
    test = gain_test(np.random.default_rng(16).normal(50, 2, (num_seeds, 3)), np.array([1.0, 4.0]))
    assert np.isnan(test.p).all() and test.kind == ITEMS_ONLY != SEEDS_AND_ITEMS
    np.testing.assert_allclose(test.high - test.low, 2 * 1.959964 * np.array([1, 2]), rtol=1e-5)


@pytest.mark.parametrize(("scores", "message"), [
    (np.zeros((3, 1)), "a baseline and an arm"),
    (np.array([[1, 2], [np.nan, 3], [1, 2]]), "a score is missing"),
])  # fmt: skip
def test_too_little_is_refused(scores, message):
    with pytest.raises(ValueError, match=message):
        gain_test(scores, np.zeros(max(1, scores.shape[1] - 1)))


def test_corrections_by_hand_and_with_a_missing_p():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(adjust_holm(p), [0.03, np.nan, 0.06, 0.06])
    np.testing.assert_allclose(adjust_benjamini_hochberg(p), [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(adjust_holm(np.array([np.nan]))).all()


def test_corrections_equal_statsmodels():
    draw = np.random.default_rng(5)
    for size in (1, 2, 5, 30):
        p = draw.beta(0.5, 2, size)
        for ours, method in ((adjust_holm, "holm"), (adjust_benjamini_hochberg, "fdr_bh")):
            np.testing.assert_allclose(ours(p), multipletests(p, method=method)[1], rtol=1e-12)


@pytest.mark.parametrize("df", [3, 14, 15, 1000, 5000, 1e6])
def test_a_variance_of_any_number_of_clusters_has_the_quantile_of_t(df):
    one = np.zeros(1), np.ones(1)
    half = quantile(0.95, one, (2, df))
    assert half == pytest.approx(scipy.stats.t.ppf(0.975, df), rel=1e-4)
    assert tail(half, one, (2, df)) == pytest.approx(0.05, rel=1e-3)
