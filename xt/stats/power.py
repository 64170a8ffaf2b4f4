"""Power of the primary test: the gain that so many seeds can show."""

import numpy as np


def smallest_gain(
    seed_sd: float, item_sd: float, num_seeds: int, num_arms: int, level: float = 0.05, power: float = 0.8
) -> float:
    """The gain in points that `gain_test` finds with this power at this two-sided level, one arm for itself.

    `seed_sd` is the residual standard deviation of one score over seeds, `item_sd` that of a gain over items (both
    points), `num_arms` counts the baseline. From Student's t, noncentral, with (S - 1)(K - 1) degrees of freedom. NaN
    below three seeds, which give no p value.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct
    from scipy.stats import t as student

    if num_seeds < 3 or num_arms < 2:
        return np.nan
    df = (num_seeds - 1) * (num_arms - 1)
    error, limit = np.sqrt(2 * seed_sd**2 / num_seeds + item_sd**2), student.ppf(1 - level / 2, df)
    missed = brentq(lambda shift: nct.sf(limit, df, shift) - power, 0, 10 * limit)
    return float(missed * error)
