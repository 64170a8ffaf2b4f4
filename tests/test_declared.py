"""What ways of testing declare, beside each other: with three seeds, with ten, and without items."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xt.gains import Means, ScoreCube, declared_table, noise_of
from xt.gains.declared import FLIPS, HOLM, MODEL_FREE, MULTI, ONE_SEED, PERCENTILE, PRIMARY, declare_at_once
from xt.gains.means import average_languages
from xt.prose import count_declared, say_counts

ARMS = ("none", "squad", "hellaswag", "mnli_shuffled")
LANGUAGES = ("de", "es", "ru")


def draw_cube(num_seeds, seed_sd=1.0, item_sd=1.0, gains=(0, 4, 0, 0), seed=0, target="xquad"):
    """A cube of three languages and 60 clusters: `seed_sd` of each run, `item_sd` of what items do to all seeds of an
    arm, both in points."""
    rng, shape = np.random.default_rng(seed), (num_seeds, len(ARMS), len(LANGUAGES))
    points = 50 + np.array(gains, float)[:, None] + rng.normal(0, seed_sd, (*shape[:2], 1)) + np.zeros(shape)
    points += rng.normal(0, item_sd, (1, len(ARMS), 1))
    drawn = points + rng.normal(0, item_sd, (1000, 1, len(ARMS), 1)) + np.zeros((1, *shape))
    floors, known = np.full(len(LANGUAGES), 10.0), np.full(len(LANGUAGES), 60)
    there = np.ones(shape[1:], bool)
    return ScoreCube(
        "mini", target, ARMS, tuple(range(1, num_seeds + 1)), LANGUAGES, points, drawn, floors, there, known
    )


def declare(*cubes, margin=2.0):
    return declared_table(cubes, np.random.default_rng(1), margin)


def test_ten_seeds_are_asked_for_tests_without_a_model_and_a_planted_gain_is_found():
    ten = declare(draw_cube(10, item_sd=0.3, seed=1))
    ways = ten.set_index("intermediate")[list(MODEL_FREE)]
    assert ways.loc["squad"].all() and not ways.drop(index="squad").any(axis=None)
    counts = count_declared(ten)
    assert list(counts)[-3:] == [MULTI, FLIPS, "tested"] and counts.loc["tasks", [MULTI, FLIPS]].tolist() == [1, 1]
    assert "multi-bootstrap 1, sign flips 1; placebos: one seed" in say_counts(counts)


def test_nine_seeds_are_not_asked_and_the_table_is_that_of_today():
    table = declare(draw_cube(9))
    assert not set(MODEL_FREE) & set(table) and not set(MODEL_FREE) & set(count_declared(table))
    assert "flips" not in say_counts(count_declared(table))


def test_targets_with_fewer_seeds_are_missing_where_another_has_ten():
    table = declare(draw_cube(10), draw_cube(3, target="udpos")).set_index("target")
    assert table.loc["xquad", list(MODEL_FREE)].notna().all(axis=None)
    assert table.loc["udpos", list(MODEL_FREE)].isna().all(axis=None)
    assert table.loc["udpos", [ONE_SEED, PERCENTILE, PRIMARY]].notna().all(axis=None)


def test_sign_flips_need_no_items_and_the_others_do():
    table = declare(replace(draw_cube(10), resampled=None, num_clusters=None)).set_index("intermediate")
    assert table.loc["squad", FLIPS] and table[[ONE_SEED, PERCENTILE, MULTI]].isna().all(axis=None)


def test_sign_flips_are_of_these_items_and_the_multi_bootstrap_of_others():
    """Items that move an arm at every seed alike: all seeds agree, and other items would not."""
    cube = draw_cube(10, seed_sd=0.3, item_sd=3.0, gains=(0, 0, 0, 0), seed=2)
    told = declare_at_once(average_languages(cube, np.ones(3, bool)), np.random.default_rng(0))
    assert told[FLIPS].any() and not told[MULTI].any()
    assert (told[PERCENTILE] == told[MULTI]).all()


def test_ways_of_testing_declare_by_what_they_count():
    """Seeds that differ and items that do not: one seed declares what others take back."""
    loud = declare(draw_cube(3, seed_sd=4.0, item_sd=0.1, gains=(0, 0, 0, 0)))
    assert loud[ONE_SEED].sum() >= 2 and not loud[PRIMARY].any()
    found = declare(draw_cube(3, gains=(0, 8, 0, 0), item_sd=0.3)).set_index("intermediate")
    assert found.loc["squad", [ONE_SEED, PERCENTILE, PRIMARY, HOLM]].all()
    assert pd.isna(found.loc["mnli_shuffled", HOLM]) and pd.notna(found.loc["mnli_shuffled", PRIMARY])
    assert declare(draw_cube(2))[[PRIMARY, HOLM]].isna().all(axis=None)
    assert declare(draw_cube(1))[PERCENTILE].isna().all()


def test_one_seed_is_the_first_one_alone():
    cube = draw_cube(3, seed_sd=0.1, item_sd=0.1, gains=(0, 0, 0, 0))
    luck = np.array([6.0, -3.0, -3.0])[:, None, None] * (np.arange(len(ARMS)) == 1)[:, None]
    table = declare(replace(cube, points=cube.points + luck, resampled=cube.resampled + luck)).set_index("intermediate")
    assert table.loc["squad", ONE_SEED] and not table.loc["squad", [PERCENTILE, PRIMARY]].any()


def test_a_gain_is_negligible_where_it_is_shown_to_be_small():
    quiet = draw_cube(3, seed_sd=0.1, item_sd=0.05, gains=(0, 4, 1, 0))
    assert declare(quiet)["negligible"].tolist() == [False, True, True]
    assert declare(quiet, margin=0.5)["negligible"].tolist() == [False, False, True]
    assert not declare(draw_cube(3, seed_sd=3, gains=(0, 0, 0, 0)))["negligible"].any()
    assert not declare(draw_cube(2, seed_sd=0.1, item_sd=0.05, gains=(0, 0, 0, 0)))["negligible"].any(), "no p"


@pytest.mark.parametrize(("untrained", "num_arms"), [(False, 4), (True, 4), (True, 2)])
def test_noise_is_what_the_scores_were_made_with(untrained, num_arms):
    """A training of 2 points, items of one seed 1.5, items at every seed 0.7, what a seed does to all gains 3."""
    rng, shape = np.random.default_rng(5), (300, num_arms)
    varying = np.array([0.0 if untrained else 1.0] + [1.0] * (num_arms - 1))
    share = varying / np.sqrt(1 if untrained else 2)
    points = 50 + 2 * varying * rng.normal(size=shape) + 1.5 * share * rng.normal(size=shape)
    points[:, 1 if untrained else 0 :] += 3 * rng.normal(size=(300, 1))
    drawn = points + share * (1.5 * rng.normal(size=(400, *shape)) + 0.7 * rng.normal(size=(400, 1, num_arms)))
    noise = noise_of(Means(ARMS[:num_arms], tuple(range(300)), points, drawn, np.inf, untrained))
    assert (noise.seed_item_sd, noise.item_sd) == (pytest.approx(1.5, rel=0.05), pytest.approx(0.7, rel=0.2))
    together = num_arms == 2  # one gain cannot tell what a seed does to all gains from what it does to its own
    assert noise.training_sd == pytest.approx(np.hypot(2, 3) if together else 2, rel=0.1)
    assert noise.common_sd == pytest.approx(3 if untrained and not together else 0, rel=0.15)
    assert noise.num_varying == 2 - untrained
    with pytest.raises(ValueError, match="two seeds or more"):
        noise_of(Means(ARMS[:2], (1,), points[:1, :2], drawn[:, :1, :2], 60.0))
