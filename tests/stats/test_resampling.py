"""Resampling depends on data and generator alone, draws what it says, and stays within its memory."""

import tracemalloc

import numpy as np
import pytest

from xt.metrics import METRICS
from xt.stats import bootstrap_apart, draw_counts, resample_sums, resampling

ACCURACY = METRICS["accuracy"].reduce


def sums_of(num_clusters, width, seed=0, whole=True):
    drawn = np.random.default_rng(seed).random((num_clusters, width))
    return np.rint(drawn) if whole else drawn


def test_counts_are_those_of_drawing_with_replacement():
    counts = draw_counts(50, 4000, np.random.default_rng(0))
    assert (counts.sum(axis=1) == 50).all() and counts.min() == 0
    assert counts.var() == pytest.approx(1 - 1 / 50, rel=0.02)
    assert counts[:, 0].mean() == pytest.approx(1, abs=0.06) and counts[:, -1].mean() == pytest.approx(1, abs=0.06)
    assert np.corrcoef(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(-1 / 49, abs=0.06)
    assert len(np.unique(counts, axis=0)) == 4000


@pytest.mark.parametrize("whole", [True, False])
def test_the_product_is_that_of_the_counts(whole):
    sums = sums_of(40, 6, whole=whole)
    counts = draw_counts(40, 300, np.random.default_rng(1))
    np.testing.assert_allclose(resample_sums(sums, np.random.default_rng(1), 300), counts @ sums, rtol=1e-12)


def test_threads_and_repeated_columns_change_nothing(monkeypatch):
    sums = sums_of(70, 5, whole=False)
    twice, alone = np.concatenate([sums, sums], axis=1), resample_sums(sums, np.random.default_rng(2), 500)
    monkeypatch.setattr(resampling, "BLOCK_CELLS", 70 * 20)  # 25 blocks, in threads
    threads = resample_sums(twice, np.random.default_rng(2), 500)
    monkeypatch.setattr(resampling, "FEW_BLOCKS", 1000)
    in_turn = resample_sums(twice, np.random.default_rng(2), 500)
    assert (threads == in_turn).all() and (threads[:, :5] == threads[:, 5:]).all()
    assert alone.std(axis=0) == pytest.approx(threads[:, :5].std(axis=0), rel=0.2)


def test_passes_inside_a_block_change_nothing(monkeypatch):
    first = draw_counts(33, 100, np.random.default_rng(3))
    monkeypatch.setattr(resampling, "PASS_CELLS", 34)
    assert (first[:1] == draw_counts(33, 100, np.random.default_rng(3))[:1]).all()


def test_large_sums_are_not_rounded():
    sums = np.array([[2.0**24], [1.0]])
    assert set(np.unique(resample_sums(sums, np.random.default_rng(4), 50))) == {2.0, 2.0**24 + 1, 2.0**25}


def test_sets_that_share_no_items_are_independent_and_each_is_as_if_alone():
    correct = (np.random.default_rng(5).random((200, 1)) < 0.4).repeat(3, axis=1).astype(float)
    sums = np.stack([correct, np.ones_like(correct)], axis=-1)  # three sets that look the same
    apart = bootstrap_apart(sums, ACCURACY, np.random.default_rng(6), 3000)
    assert apart.std(axis=0) == pytest.approx(100 * np.sqrt(0.4 * 0.6 / 200), rel=0.1)
    assert np.abs(np.corrcoef(apart.T)[np.triu_indices(3, 1)]).max() < 0.08
    assert apart.mean(axis=1).std() == pytest.approx(apart[:, 0].std() / 3**0.5, rel=0.08)
    with pytest.raises(ValueError, match="3 sets of items in 2 resamples"):
        bootstrap_apart(sums, ACCURACY, np.random.default_rng(6), 2)


def test_memory_is_that_of_the_result_and_a_few_blocks():
    sums = sums_of(2000, 4)
    tracemalloc.start()
    resample_sums(sums, np.random.default_rng(7), 4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6 < 4000 * 2000 * 8  # all counts at once would be 64 MB
