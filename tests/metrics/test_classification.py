"""Accuracy of labels."""

import numpy as np
import pytest

from xt.errors import DataError
from xt.metrics import METRICS


def test_each_example_counts_once():
    assert METRICS["accuracy"].example_stats(np.array([2, 0]), [2, 1]).tolist() == [[1, 1], [0, 1]]


def test_logits_instead_of_labels_are_refused():
    with pytest.raises(DataError, match=r"\(2, 3\)"):
        METRICS["accuracy"].example_stats(np.zeros((2, 3)), [0, 1])
