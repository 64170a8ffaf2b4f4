"""Corrections for several tests at once."""

from collections.abc import Callable, Sequence

import numpy as np


def adjust_holm(p: np.ndarray) -> np.ndarray:
    """p values (n,) adjusted by Holm 1979 (family-wise error); a missing p stays missing and is not counted.

    The family is what one would act on: the intermediate tasks tried on one encoder and target.  Placebo
    arms stand outside it.  A placebo is a check of the procedure and nobody's hypothesis: counting it would
    weaken the tests of the real arms the more checks a study has, and an effect of it is no discovery but a
    warning.  It stays in the variance pool, where it is one more arm trained like the others.
    """
    p, adjusted, order = places_of(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return adjusted


def adjust_benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p values (n,) adjusted by Benjamini and Hochberg 1995 (false discovery rate); missing stays missing."""
    p, adjusted, order = places_of(p)
    steps = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1])
    return adjusted


def adjust_family(table, by: Sequence[str], adjust: Callable = adjust_holm):
    """Column `p` of a data frame adjusted within rows that share their values of `by`; missing for placebo arms
    (`placebo`, where there is such a column), which stand outside every family."""
    tested = table["p"].astype(float)
    tested = tested.mask(table["placebo"].astype(bool)) if "placebo" in table else tested
    return tested.groupby([table[name] for name in by]).transform(adjust)


def places_of(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p as floats, as many NaN, places of the values that are there, smallest first).

    statsmodels' `multipletests` gives the same values, and collects garbage at every call: 60 ms each.
    """
    p = np.asarray(p, dtype=float)
    return p, np.full(p.shape, np.nan), np.argsort(p, kind="stable")[: np.isfinite(p).sum()]
