"""At which hidden state sentence embeddings are compared: one rule for what is computed and what is reported."""

import numpy as np

RETRIEVAL_DEPTH = 2 / 3
"""Relative depth: 8 of 12 (XTREME's base models), 3 of 4."""
OF_LARGE_MODELS = {24: 14}
"""XTREME's scripts take another depth for large models: number of transformer layers -> layer."""


def reported_layer(deepest):
    """Index of the hidden state (0 = embeddings, k = after transformer layer k), of a number or an array of numbers.

    `deepest` is the number of transformer layers.
    """
    deepest = np.asarray(deepest, dtype=float)
    layers = np.maximum(1, np.round(deepest * RETRIEVAL_DEPTH))
    for size, layer in OF_LARGE_MODELS.items():
        layers = np.where(deepest == size, layer, layers)
    return layers
