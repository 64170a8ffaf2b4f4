"""Slopes, worst languages and spreads of scores whose truth is known."""

import numpy as np
import pytest

from xt.stats.robustness import correct_spread, correct_worst, interval_of_means, slope_weights

NUM_LANGUAGES, NUM_STUDIES = 23, 200


def test_a_slope_is_that_of_least_squares_over_the_languages_with_a_distance():
    rng = np.random.default_rng(0)
    distance, scores = rng.uniform(size=9), rng.normal(50, 10, 9)
    slope = np.polyfit(distance, scores, 1)[0]
    assert slope_weights(distance) @ scores == pytest.approx(slope * np.ptp(distance)), "nearest to farthest"
    distance[3] = np.nan
    known = np.isfinite(distance)
    slope = np.polyfit(distance[known], scores[known], 1)[0]
    assert slope_weights(distance) @ scores == pytest.approx(slope * np.ptp(distance[known]))
    assert slope_weights(distance)[3] == 0
    assert np.isnan(slope_weights(np.array([0.1, 0.2, np.nan]))).all() and np.isnan(slope_weights(np.ones(5))).all()


def studies(truth, noise, shared=2.0, num_resamples=200):
    """Scores (1, L) of studies with this truth, and resamples of each: noise per language, and noise that all share."""
    rng = np.random.default_rng(4)
    for _ in range(NUM_STUDIES):
        scores = (truth + rng.normal(0, noise, len(truth)) + rng.normal(0, shared))[None]
        moved = rng.normal(0, noise, (num_resamples, 1, len(truth))) + rng.normal(0, shared, (num_resamples, 1, 1))
        yield scores, scores + moved


def limits(found):
    """(value, low, high) of one arm."""
    return found[0][0], *np.quantile(found[1][:, 0], [0.025, 0.975])


def test_the_worst_language_is_not_taken_for_worse_than_it_is():
    truth = np.linspace(30, 70, NUM_LANGUAGES)
    found = [(scores.min(), *limits(correct_worst(scores, drawn))) for scores, drawn in studies(truth, 3.0)]
    seen, worst, low, high = np.transpose(found)
    assert seen.mean() - truth.min() < -1.2, "the smallest of noisy scores"
    assert abs(worst.mean() - truth.min()) < 0.6
    covered = ((low <= truth.min()) & (truth.min() <= high)).mean()
    assert 0.85 <= covered <= 0.98


def test_where_all_languages_are_alike_some_of_the_bad_luck_is_found():
    truth = np.full(NUM_LANGUAGES, 50.0)
    found = [(scores.min(), *limits(correct_worst(scores, drawn))) for scores, drawn in studies(truth, 3.0)]
    seen, worst, low, high = np.mean(found, axis=0) - 50
    assert seen < -5 and seen < 1.5 * worst < 0
    assert high - worst > worst - low, "bad luck that is worse than usual is further off than luck that is better"


def test_noise_is_not_taken_for_spread():
    truth = np.linspace(45, 55, NUM_LANGUAGES)
    found = [(scores.std(ddof=1), *limits(correct_spread(scores, drawn))) for scores, drawn in studies(truth, 3.0)]
    seen, spread, low, high = np.transpose(found)
    true = truth.std(ddof=1)
    assert seen.mean() > true + 0.9 and abs(spread.mean() - true) < 0.25
    assert ((low <= true) & (true <= high)).mean() >= 0.92


def test_noise_that_all_languages_share_is_no_spread():
    rng = np.random.default_rng(1)
    scores = rng.normal(50, 5, (2, NUM_LANGUAGES))
    drawn = scores + rng.normal(0, 10, (300, 2, 1))
    estimate, moved = correct_spread(scores, drawn)
    assert estimate == pytest.approx(scores.std(axis=1, ddof=1)) and np.allclose(moved, estimate)
    assert correct_worst(scores, drawn)[0] == pytest.approx(scores.min(axis=1), abs=2.5)


@pytest.mark.parametrize("shared", [0.0, 2.0])
def test_intervals_of_means_hold_over_seeds_and_items(shared):
    """`shared` is what a seed does to all arms: it is in the mean of each and does not average out over them."""
    rng, held = np.random.default_rng(2), []
    for _ in range(200):
        item_error = rng.normal(0, 0.5, 8)
        points = 10 + item_error + rng.normal(0, 1.0, (3, 8)) + rng.normal(0, shared, (3, 1))
        drawn = points + rng.normal(0, 0.5, (100, 1, 8))
        mean, low, high = interval_of_means(points, drawn)
        assert mean == pytest.approx(points.mean(axis=0))
        held.append((low <= 10) & (10 <= high))
    assert 0.925 <= np.mean(held) <= 0.995


def test_what_does_not_vary_over_seeds_pools_nothing_and_few_seeds_count_items_alone():
    points = np.array([[5.0, 1], [5, 2], [5, 3]])
    mean, low, high = interval_of_means(points, None)
    assert np.isnan(low[0]) or low[0] == high[0] == 5, "the same at every seed"
    assert low[1] < 2 < high[1]
    drawn = points[:2] + np.random.default_rng(0).normal(0, 1, (500, 1, 2))
    _, low, high = interval_of_means(points[:2], drawn)
    assert high - low == pytest.approx(2 * 1.96, rel=0.1)
    assert np.isnan(interval_of_means(points[:1], None)[1]).all()
