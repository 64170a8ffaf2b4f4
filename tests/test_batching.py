"""Which features an update holds, and that it is a pure function of seed and step."""

import numpy as np
import pytest

from xt.batching import (
    BLOCK_UPDATES,
    epoch_order,
    features_read,
    micro_batches,
    mixed_updates,
    num_updates,
    share_updates,
    stream,
    updates,
)
from xt.knobs import Knobs

LENGTHS = np.random.default_rng(0).integers(4, 90, size=1000)


def test_every_update_has_exactly_batch_size_features_and_an_epoch_is_seen_once_each():
    chosen = list(updates(LENGTHS, 40, seed=1, first=0, last=25 * BLOCK_UPDATES))
    assert {len(update) for update in chosen} == {40}
    counts = np.bincount(np.concatenate(chosen), minlength=len(LENGTHS))
    assert set(counts) == {BLOCK_UPDATES}, "so many epochs of 25 updates"


@pytest.mark.parametrize("first", [1, BLOCK_UPDATES - 1, BLOCK_UPDATES, 37])
def test_starting_in_the_middle_gives_the_same_updates(first):
    whole = list(updates(LENGTHS, 32, seed=5, first=0, last=60))
    rest = list(updates(LENGTHS, 32, seed=5, first=first, last=60))
    assert all(np.array_equal(a, b) for a, b in zip(whole[first:], rest, strict=True))


def test_seeds_and_epochs_give_other_orders():
    orders = [tuple(epoch_order(50, seed, epoch)) for seed in (1, 2) for epoch in (0, 1)]
    assert len(set(orders)) == 4 and all(sorted(order) == list(range(50)) for order in orders)


def test_updates_hold_features_of_like_length_and_their_order_is_not_by_length():
    chosen = list(updates(LENGTHS, 32, seed=1, first=0, last=BLOCK_UPDATES))
    padded = sum(LENGTHS[update].max() * len(update) for update in chosen)
    assert LENGTHS[np.concatenate(chosen)].sum() / padded > 0.9
    tops = [LENGTHS[update].max() for update in chosen]
    assert tops != sorted(tops) and tops != sorted(tops, reverse=True)


def test_a_small_set_fills_updates_over_several_epochs():
    chosen = list(updates(np.array([3, 4, 5]), 8, seed=0, first=0, last=3))
    assert {len(update) for update in chosen} == {8}
    assert set(np.concatenate(chosen)) == {0, 1, 2}


def test_micro_batches_keep_the_budget_the_order_and_every_feature():
    order = np.argsort(-LENGTHS)[:64]
    parts = micro_batches(order, LENGTHS, tokens_per_batch=300)
    assert np.array_equal(np.concatenate(parts), order)
    assert all(LENGTHS[part].max() * len(part) <= 300 for part in parts)
    assert len(parts) > 1


def test_rows_per_feature_count_against_the_budget_and_a_giant_stands_alone():
    lengths = np.array([500, 10, 10, 10, 10])
    assert [len(part) for part in micro_batches(range(5), lengths, 80, rows=4)] == [1, 2, 2]


@pytest.mark.parametrize("features, epochs, expected", [(100, 2, 7), (96, 1, 3), (5, 0.1, 1)])
def test_number_of_updates_rounds_up(features, epochs, expected):
    assert num_updates(features, epochs, 32) == expected


MIXED = [LENGTHS, LENGTHS[:300], LENGTHS[:50]]
COUNTS = [40, 25, 7]
MIXINGS = ("updates", "examples")


def mixed(seed=3, first=0, mixing="updates", counts=COUNTS):
    return list(mixed_updates(MIXED, counts, 16, seed, first, mixing))


def same(one, other):
    """Whether two lists of windows name the same tasks and features."""
    flat = [[(task, list(chosen)) for task, chosen in window] for window in one]
    return flat == [[(task, list(chosen)) for task, chosen in window] for window in other]


def count_features(windows):
    """Features of each task in some windows."""
    counts = np.zeros(len(COUNTS), dtype=int)
    for window in windows:
        for task, chosen in window:
            counts[task] += len(chosen)
    return counts.tolist()


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("first", [0, 1, 17, 40, 71, 72])
def test_several_tasks_resumed_at_any_update_go_on_as_if_never_stopped(first, mixing):
    whole = mixed(mixing=mixing)
    assert same(whole[first:], mixed(first=first, mixing=mixing))
    assert features_read(COUNTS, 16, 3, mixing, first) == count_features(whole[:first]), "where the sampler stands"


def test_a_task_among_others_has_its_share_of_updates_and_those_it_would_have_alone():
    whole = [window[0] for window in mixed()]
    assert list(np.bincount([task for task, _ in whole])) == COUNTS
    for place, (lengths, count) in enumerate(zip(MIXED, COUNTS, strict=True)):
        alone = updates(lengths, 16, 3, 0, count)
        among = [chosen for task, chosen in whole if task == place]
        assert all(np.array_equal(a, b) for a, b in zip(alone, among, strict=True))


def test_mixed_inside_an_update_each_has_batch_size_features_of_several_tasks_and_every_task_its_share():
    whole = mixed(mixing="examples")
    assert {sum(len(chosen) for _, chosen in window) for window in whole} == {16}
    assert np.mean([len(window) > 1 for window in whole]) > 0.9
    assert count_features(whole) == [16 * count for count in COUNTS]
    first_task = np.concatenate([chosen for window in whole for task, chosen in window if task == 0])
    assert sorted(first_task) == sorted(stream(len(LENGTHS), 3, 0, 640)), "its own shuffled epochs, each feature once"


@pytest.mark.parametrize("mixing", MIXINGS)
def test_tasks_alternate_from_start_to_end_in_an_order_of_the_seed(mixing):
    whole = mixed(mixing=mixing)
    shares = np.array([count_features(part) for part in (whole[:24], whole[24:48], whole[48:])]) / (24 * 16)
    expected = np.array(COUNTS) / sum(COUNTS)
    assert np.abs(shares - expected).max() < 4 * np.sqrt(0.25 / 24), "drawn alike throughout, within noise"
    assert not same(whole, mixed(seed=4, mixing=mixing))


def test_one_task_alone_is_mixed_into_nothing():
    alone = updates(LENGTHS, 16, 3, 0, 40)
    windows = list(mixed_updates([LENGTHS], [40], 16, 3, 0, "updates"))
    assert same(windows, [[(0, chosen)] for chosen in alone])


@pytest.mark.parametrize(
    "sampling, weights",
    [
        ({"sampling": "proportional"}, [16000, 4000, 1000]),
        ({"sampling": "capped", "sampling_cap": 2000}, [2000, 2000, 1000]),
        ({"sampling": "temperature", "sampling_temperature": 2.0}, [4, 2, 1]),
        ({"sampling": "temperature", "sampling_temperature": 1.0}, [16, 4, 1]),
        ({"sampling": "uniform"}, [1, 1, 1]),
    ],
)
def test_shares_of_updates_follow_the_sampling_and_their_sum_stays(sampling, weights):
    """16,000, 4,000 and 1,000 features, 630 updates in all."""
    counts = share_updates([16000, 4000, 1000], [480, 120, 30], Knobs(**sampling))
    assert sum(counts) == 630
    assert np.abs(np.array(counts) - 630 * np.array(weights) / sum(weights)).max() < 1
