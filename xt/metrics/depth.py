"""At which hidden state sentence embeddings are compared: one rule for what is computed and what is reported."""

import numpy as np

RETRIEVAL_DEPTH = 2 / 3
"""Relative depth: 8 of 12 (XTREME's base models), 3 of 4."""


def reported_layer(deepest):
    """Index of the hidden state (0 = embeddings, k = after transformer layer k), of a number or an array of numbers.

    `deepest` is the number of transformer layers.
    """
    return np.maximum(1, np.round(np.asarray(deepest, dtype=float) * RETRIEVAL_DEPTH))
