"""Intervals, tests and corrections, on arrays.

Symbols: N examples, C clusters, k statistics of a metric, R resamples, S seeds, K arms (arm 0 is the
baseline). What is resampled is a cluster of examples (premise, passage, sentence, pair), never a single
example of one. Needs numpy at import; scipy and statsmodels where they are used.
"""

from xt.stats.comparisons import equivalence_test, mcnemar_test, multi_bootstrap, sign_flip_test
from xt.stats.corrections import adjust_benjamini_hochberg, adjust_family, adjust_holm
from xt.stats.power import Noise, gain_power, power_curve, seeds_needed, smallest_gain
from xt.stats.primary import (
    ITEMS_ONLY,
    SEEDS_AND_ITEMS,
    SEEDS_ONLY,
    GainTest,
    gain_test,
    item_part,
    split_item_variance,
)
from xt.stats.resampling import (
    NUM_RESAMPLES,
    bootstrap_apart,
    bootstrap_sums,
    cluster_bootstrap,
    cluster_interval,
    draw_counts,
    percentile_interval,
    resample_sums,
)
