"""Which features an update holds, and that it is a pure function of seed and step."""

import numpy as np
import pytest

from xt.batching import BLOCK_UPDATES, epoch_order, micro_batches, mixed_updates, num_updates, updates

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


def mixed(seed=3, first=0):
    return list(mixed_updates(MIXED, COUNTS, 16, seed, first))


def same(one, other):
    return [task for task, _ in one] == [task for task, _ in other] and all(
        np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("first", [0, 1, 17, 40, 71, 72])
def test_several_tasks_resumed_at_any_update_go_on_as_if_never_stopped(first):
    assert same(mixed()[first:], mixed(first=first))


def test_a_task_among_others_has_its_share_of_updates_and_those_it_would_have_alone():
    whole = mixed()
    assert list(np.bincount([task for task, _ in whole])) == COUNTS
    for place, (lengths, count) in enumerate(zip(MIXED, COUNTS, strict=True)):
        alone = updates(lengths, 16, 3, 0, count)
        among = [chosen for task, chosen in whole if task == place]
        assert all(np.array_equal(a, b) for a, b in zip(alone, among, strict=True))


def test_tasks_alternate_from_start_to_end_in_an_order_of_the_seed():
    tasks = [task for task, _ in mixed()]
    assert {0, 1} <= set(tasks[:24]) and {0, 1} <= set(tasks[-24:])
    assert tasks != [task for task, _ in mixed(seed=4)] and not same(mixed(), mixed(seed=4))


def test_one_task_alone_is_mixed_into_nothing():
    alone = updates(LENGTHS, 16, 3, 0, 40)
    assert same(list(mixed_updates([LENGTHS], [40], 16, 3, 0)), [(0, chosen) for chosen in alone])
