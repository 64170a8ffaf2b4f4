"""Gains of intermediate tasks over the baseline of the same seed, tested, on languages above their floor.

A cell is an (encoder, target, evaluation language).  Whether it is at its floor is decided once for all arms,
from the score averaged over arms (baseline included) and seeds, so that the choice cannot favour an arm.  Floor
cells are shown and stay out of every average.  Means are unweighted, over languages other than that of training; a
language that an arm was trained in before the target is not zero-shot for that arm, and its average leaves it out.
"""

from xt.gains.cubes import (
    AT_FLOOR,
    BASELINE,
    MIN_LANGUAGES,
    NO_RUN,
    ROUNDING,
    TRAINED_IN,
    ScoreCube,
    draws_by_target,
    load_cube,
    load_cubes,
    resample,
)
from xt.gains.declared import MODEL_FREE, declared_table, noise_of, noise_table
from xt.gains.groups import ALL, group_gain_table
from xt.gains.means import Means, average_languages, average_targets, combine_languages, compare_means, keep_arms, turn
from xt.gains.shared_data import is_placebo, trains_on_same_data
from xt.gains.tables import compare_arms, gain_table, language_gain_table
