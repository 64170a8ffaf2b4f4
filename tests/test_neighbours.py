"""Neighbours both ways: exact, ties included, and never more than a block of the similarity matrix."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from xt import neighbours as module
from xt.neighbours import neighbours, ranked

ROWS, COLUMNS, SIZE = 70, 90, 6


def draw(rng, count):
    """Vectors of small whole numbers: products are exact, and many are equal."""
    return torch.from_numpy(rng.integers(-2, 3, size=(count, SIZE))).float()


def by_brute_force(scores, count):
    """Scores and places of the best, of equal ones the first."""
    places = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(scores, places, axis=1), places


@pytest.mark.parametrize("count", [1, 4, 20, 100])
@pytest.mark.parametrize("blocks", [(7, 11), (8, 90), (70, 5), (1024, 8192)])
def test_both_ways_equal_brute_force_with_ties_over_block_borders(monkeypatch, blocks, count):
    monkeypatch.setattr(module, "BLOCK_ROWS", blocks[0])
    monkeypatch.setattr(module, "BLOCK_COLUMNS", blocks[1])
    rng = np.random.default_rng(0)
    rows, columns = draw(rng, ROWS), draw(rng, COLUMNS)
    scores = (rows @ columns.T).numpy()
    assert len(np.unique(scores)) < 60, "there are ties"
    for found, expected in zip(neighbours(rows, columns, count, "cpu"), (scores, scores.T), strict=True):
        values, places = by_brute_force(expected, count)
        assert np.array_equal(found.scores.numpy(), values) and np.array_equal(found.places.numpy(), places)
    one_way = ranked(rows, columns, count, "cpu")
    assert np.array_equal(one_way.places.numpy(), by_brute_force(scores, count)[1])


class Ledger(TorchDispatchMode):
    """Notes the multiplications of all matrix products, and the most numbers that any result holds."""

    def __init__(self):
        super().__init__()
        self.multiplications = self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.mm.default:
            self.multiplications += args[0].shape[0] * args[0].shape[1] * args[1].shape[1]
        tensors = result if isinstance(result, (tuple, list)) else [result]
        self.largest = max([self.largest, *(t.numel() for t in tensors if isinstance(t, torch.Tensor))])
        return result


def test_each_block_is_computed_once_and_nothing_larger_is_ever_held(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 16)
    monkeypatch.setattr(module, "BLOCK_COLUMNS", 32)
    rows, columns = torch.randn(150, 3), torch.randn(130, 3)
    with Ledger() as ledger:
        neighbours(rows, columns, 2, "cpu")
    assert ledger.multiplications == 150 * 130 * 3, "both directions come from one product"
    assert ledger.largest <= 16 * 32


def test_what_a_block_takes_fits_beside_two_corpora_of_100_000():
    inputs = 2 * 100_000 * 768 * 4
    block = module.BLOCK_ROWS * module.BLOCK_COLUMNS
    assert inputs + block * (4 + 4 + 8) + 2 * 100_000 * 8 * 12 < 1.1 * 2**30, "a block, and once sorted with its places"
