"""Power is that of the test itself, and what is needed for it follows."""

import numpy as np
import pytest
from scipy.stats import nct
from scipy.stats import t as student

from xt.stats import Noise, gain_power, gain_test, power_curve, seeds_needed, smallest_gain


def both_vary(seed_sd, num_arms):
    return Noise(seed_sd, 0.0, 0.0).spread(num_arms)


@pytest.mark.parametrize(
    ("num_seeds", "num_arms", "seed_sd", "item_sd"), [(3, 5, 1, 1), (3, 2, 1, 0.5), (5, 4, 0.3, 1)]
)
def test_the_smallest_gain_is_found_as_often_as_it_says(num_seeds, num_arms, seed_sd, item_sd):
    rng, gain = np.random.default_rng(0), smallest_gain(both_vary(seed_sd, num_arms), item_sd, num_seeds)
    scores = rng.normal(0, seed_sd, (3000, num_seeds, num_arms))
    scores[..., 1:] += gain + rng.normal(0, item_sd, (3000, 1, num_arms - 1))
    found = gain_test(scores, np.full((3000, num_arms - 1), item_sd**2)).p[:, 0] < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.025)


def test_without_items_it_is_the_power_of_the_t_test():
    df, shift = 8, 2 / np.sqrt(2 * 1.5**2 / 3)
    limit = student.ppf(0.975, df)
    known = nct.sf(limit, df, shift) + nct.cdf(-limit, df, shift)
    assert gain_power(2, both_vary(1.5, 5), 0, 3) == pytest.approx(known, abs=1e-6)
    assert gain_power(0, both_vary(1.5, 5), 0.7, 3) <= 0.05


def test_where_the_baseline_is_not_trained_power_is_that_of_the_test_with_what_seeds_do_to_all_arms():
    rng, noise = np.random.default_rng(1), Noise(1.0, 0.0, 0.4, common_sd=0.8, num_varying=1)
    gain = smallest_gain(noise.spread(4), 0.4, 4)
    gains = gain + rng.normal(0, 0.8, (600, 4, 1)) + rng.normal(0, 1, (600, 4, 3)) + rng.normal(0, 0.4, (600, 1, 3))
    scores = np.concatenate([np.zeros((600, 4, 1)), gains], axis=-1)
    found = gain_test(scores, np.full((600, 3), 0.16), untrained=True).p[:, 0] < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.05)
    known = gain_test(scores[0], np.zeros(3), untrained=True).dfs[:2]
    assert [3 * df for _, df in noise.spread(4)] == list(known)
    one_arm = Noise(1.0, 0.0, 0.0, num_varying=1).spread(2)
    assert gain_power(2, one_arm, 0, 3) == pytest.approx(gain_power(2, ((1.0, 1),), 0, 3))


def test_as_many_seeds_are_needed_as_reach_the_power_and_no_more():
    spread = both_vary(1.0, 4)
    needed = seeds_needed(1.5, spread, 0.3)
    assert gain_power(1.5, spread, 0.3, needed) >= 0.8 > gain_power(1.5, spread, 0.3, needed - 1)
    assert needed == seeds_needed(-1.5, spread, 0.3) > seeds_needed(3.0, spread, 0.3) >= 3
    assert needed < seeds_needed(1.5, spread, 0.3, level=0.01)


@pytest.mark.parametrize("noise", [(1.0, 0.0, 1.0), (0.0, 1.0, 0.3), (np.nan, 1.0, 0.3)])
def test_no_number_of_seeds_is_named_where_none_would_do(noise):
    gain, seed_sd, item_sd = noise
    assert seeds_needed(gain, both_vary(seed_sd, 4), item_sd) is None


def test_more_items_help_as_far_as_they_are_the_noise():
    noise = Noise(training_sd=0.5, seed_item_sd=2.0, item_sd=1.0)
    assert noise.spread(5, share=4) == ((pytest.approx(2 * 0.25 + 4 / 4), 4),)
    rows = power_curve(noise, np.array([1.0, 2.0]), [3, 10], [1, 4], 5)
    power = {(row["num_seeds"], row["items"], row["gain"]): row["power"] for row in rows}
    assert len(power) == 8 and power[3, 1, 1.0] < power[3, 4, 1.0] < power[10, 4, 1.0] < power[10, 4, 2.0]
    assert np.isnan(gain_power(1, both_vary(1, 5), 0, 2)) and np.isnan(smallest_gain(both_vary(1, 5), 0, 2))
