"""Intervals of joined differences hold, and verdicts follow from them."""

import numpy as np
import pytest
from scipy.stats import t as student

from xt.claims.verdicts import (
    AGGREGATES,
    CONTRADICTED,
    DIRECTIONS,
    SUPPORTED,
    UNDECIDED,
    Differences,
    judge,
    level_of,
    seeds_to_decide,
)
from xt.stats import SEEDS_AND_ITEMS, seeds_needed

ABOVE, EQUAL, NOT_ABOVE = (DIRECTIONS[name](0.0, 1.0) for name in ("above", "equal", "not above"))


def differences(effect, seed_variance=1.0, item_variance=0.0, df=8.0, num_seeds=3):
    effect = np.atleast_1d(np.asarray(effect, float))
    names = tuple((f"a{place}", "none") for place in range(len(effect)))
    variances = np.where(np.isnan(effect), np.nan, np.outer([0.0, seed_variance, item_variance], np.ones(len(effect))))
    return Differences(names, effect, variances, (1.0, df, np.inf), num_seeds, SEEDS_AND_ITEMS)


@pytest.mark.parametrize(("region", "low", "high", "verdict"), [
    (ABOVE, 0.1, 2.0, SUPPORTED),
    (ABOVE, 0.1, 0.8, CONTRADICTED),
    (ABOVE, -3.0, -2.0, CONTRADICTED),
    (ABOVE, -0.9, 0.9, CONTRADICTED),
    (ABOVE, -0.5, 2.0, UNDECIDED),
    (EQUAL, -0.9, 0.9, SUPPORTED),
    (EQUAL, 1.2, 3.0, CONTRADICTED),
    (EQUAL, -3.0, -1.2, CONTRADICTED),
    (EQUAL, 0.5, 1.5, UNDECIDED),
    (NOT_ABOVE, -9.0, 0.9, SUPPORTED),
    (NOT_ABOVE, 1.1, 5.0, CONTRADICTED),
    (NOT_ABOVE, 0.5, 1.5, UNDECIDED),
    (DIRECTIONS["above"](5.0, 1.0), 3.0, 4.5, CONTRADICTED),
    (ABOVE, np.nan, np.nan, UNDECIDED),
    (ABOVE, -np.inf, -0.1, CONTRADICTED),
    (ABOVE, -np.inf, 0.5, UNDECIDED),
    (NOT_ABOVE, -np.inf, 0.5, SUPPORTED),
])  # fmt: skip
def test_a_verdict_is_the_side_on_which_the_interval_lies(region, low, high, verdict):
    assert judge(region, low, high) == verdict


@pytest.mark.parametrize("effect", [0.3, 2.5, -4.0])
def test_the_p_of_one_difference_is_that_of_its_t_test(effect):
    wide = DIRECTIONS["above"](0.0, 1e-9)
    expected = 2 * student.sf(abs(effect), 8)
    assert level_of(differences(effect), "only", wide.parts(UNDECIDED)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("effect", [0.2, 3.0])
def test_the_p_of_no_difference_is_twice_that_of_two_one_sided_tests(effect):
    inside, outside = student.sf(5 - effect, 8), student.sf(effect - 1, 8)
    region, expected = (DIRECTIONS["equal"](0.0, 5.0), inside) if effect < 1 else (EQUAL, outside)
    assert level_of(differences(effect), "only", region.parts(UNDECIDED)) == pytest.approx(2 * expected, rel=1e-2)


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize(
    "truth", [np.zeros(9), np.arange(9.0), np.array([0.0] * 4 + [6.0] * 5)], ids=["same", "apart", "half"]
)
def test_intervals_of_joined_differences_cover(aggregate, truth):
    rng, join = np.random.default_rng(0), AGGREGATES[aggregate].join
    true = join(differences(truth, 0.0, 1e-12), 0.5)[0]
    shared, covered = rng.normal(0, 0.7, (200, 1)), 0
    for row in truth + shared + rng.normal(0, np.sqrt(1 - 0.49), (200, 9)):
        _, low, high, _ = join(differences(row, 0.0, 1.0), 0.1)
        covered += low <= true <= high
    assert covered / 200 >= 0.9 - 2 * np.sqrt(0.09 / 200)


def test_the_smallest_of_many_is_above_0_only_where_all_are():
    sure = differences([5.0] * 8 + [-5.0], 0.01)
    assert judge(ABOVE, *AGGREGATES["smallest"].join(sure, 0.05)[1:3]) == CONTRADICTED
    assert judge(ABOVE, *AGGREGATES["all but one of nine"].join(sure, 0.05)[1:3]) == SUPPORTED
    two = differences([5.0] * 7 + [-5.0] * 2, 0.01)
    assert judge(ABOVE, *AGGREGATES["all but one of nine"].join(two, 0.05)[1:3]) == CONTRADICTED
    assert judge(ABOVE, *AGGREGATES["half"].join(two, 0.05)[1:3]) == SUPPORTED


@pytest.mark.parametrize(("aggregate", "refuting"), [("smallest", 1), ("all but one of nine", 2), ("half", 5)])
def test_what_was_not_run_can_refute_nothing_and_is_needed_for_support(aggregate, refuting):
    unrun, join = [np.nan] * (9 - refuting), AGGREGATES[aggregate].join
    assert judge(ABOVE, *join(differences([-5.0] * refuting + unrun, 0.01), 0.05)[1:3]) == CONTRADICTED
    assert judge(ABOVE, *join(differences([-5.0] * (refuting - 1) + [5.0] + unrun, 0.01), 0.05)[1:3]) == UNDECIDED
    effect, low, high, _ = join(differences([5.0] * 8 + [np.nan], 0.01), 0.05)
    assert judge(ABOVE, low, high) == (UNDECIDED if aggregate == "smallest" else SUPPORTED) and effect == 5.0


def test_a_difference_that_was_not_run_may_be_large():
    some = differences([0.1, 0.1, np.nan], 0.01)
    assert judge(EQUAL, *AGGREGATES["largest size"].join(some, 0.05)[1:3]) == UNDECIDED
    some = differences([-5.0, 0.1, np.nan], 0.01)
    assert judge(EQUAL, *AGGREGATES["largest size"].join(some, 0.05)[1:3]) == CONTRADICTED


def test_the_p_of_a_verdict_is_that_of_the_side_on_which_it_was_found():
    small = differences(0.5, 0.01, df=100.0)
    assert judge(ABOVE, *AGGREGATES["only"].join(small, 0.05)[1:3]) == CONTRADICTED
    inside, above = (level_of(small, "only", ABOVE.parts(verdict)) for verdict in (CONTRADICTED, SUPPORTED))
    assert inside == pytest.approx(2 * student.sf(5, 100), rel=1e-3) and above == pytest.approx(inside, rel=1e-3)
    nearer = differences(0.7, 0.01, df=100.0)
    assert level_of(nearer, "only", ABOVE.parts(CONTRADICTED)) > level_of(nearer, "only", ABOVE.parts(SUPPORTED))


def test_of_few_arms_almost_every_means_every():
    assert (
        judge(ABOVE, *AGGREGATES["all but one of nine"].join(differences([5.0, 5.0, -5.0], 0.01), 0.05)[1:3])
        == CONTRADICTED
    )


def test_more_seeds_decide_what_seeds_leave_open_and_not_what_items_do():
    found = differences(1.5)
    seeds = seeds_to_decide(found, "only", ABOVE, 0.05)
    assert seeds == seeds_needed(1.5, ((3.0, 4.0),), 0.0, 0.05) > 3
    assert seeds_to_decide(found, "only", ABOVE, 0.005) > seeds, "a larger family takes more"
    assert np.isnan(seeds_to_decide(differences(1.5, 1.0, item_variance=4.0), "only", ABOVE, 0.05))


def test_the_seeds_of_joined_differences_are_those_of_all_that_must_be_shown():
    apart = differences([1.5, 6.0, 6.0])
    one, smallest = (
        seeds_to_decide(differences(1.5), "only", ABOVE, 0.05),
        seeds_to_decide(apart, "smallest", ABOVE, 0.05),
    )
    assert smallest == one, "each at its own level, the least sure one decides"
    assert seeds_to_decide(apart, "half", ABOVE, 0.05) < one
    beyond = differences([2.5, 0.2, 0.2])
    assert seeds_to_decide(beyond, "largest size", EQUAL, 0.05) > seeds_to_decide(differences(2.5), "only", EQUAL, 0.05)
