"""Ranked candidates and mined pairs; expected values by hand, or by XTREME's own functions on the same ids."""

import pytest

from xt.errors import DataError
from xt.metrics import METRICS

RANKED = [f"c{i}" for i in range(40)]


@pytest.mark.parametrize(
    ("ranked", "relevant", "expected"),
    [
        (RANKED, {"c0"}, 1),
        (RANKED, {"c3"}, 1 / 4),  # one gold id: the reciprocal rank
        (RANKED, {"c20"}, 0),  # the 21st is too late
        (RANKED, {"c0", "c2", "c30"}, (1 + 2 / 3) / 3),
        (RANKED, set(RANKED[:25]), 1),  # 25 are relevant, 20 can be found: the divisor is 20
        (RANKED, set(RANKED[10:35]), 0.165614298412286),
        (["c0", "c0", "c1"], {"c0", "c1"}, (1 + 2 / 3) / 2),  # named again: a miss
        ([], {"c0"}, 0),
    ],
)
def test_average_precision_at_20(ranked, relevant, expected):
    assert METRICS["map_at_20"].example_stats([ranked], [relevant])[0].tolist() == [pytest.approx(expected), 1]


@pytest.mark.parametrize(("ranked", "relevant"), [("c0 c1", ["c0"]), (["c0"], "c0"), (["c0"], [])])
def test_a_ranking_needs_ids_and_something_relevant(ranked, relevant):
    with pytest.raises(DataError, match="query 0"):
        METRICS["map_at_20"].example_stats([ranked], [relevant])


def test_pairs_found_against_pairs_that_are_there():
    found = ["e1", "e2", None, "", "e9", "e5"]
    gold = [("e1",), ("e3",), ("e4",), (), (), ("e5", "e6")]
    stats = METRICS["pair_f1"].example_stats(found, gold)
    assert stats.tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 2]]
    assert METRICS["pair_f1"].reduce(stats.sum(axis=0)) == pytest.approx(200 * 2 / (4 + 5))


def test_pairs_need_ids_and_a_list():
    with pytest.raises(DataError, match="sentence 0: gold is 'e1'"):
        METRICS["pair_f1"].example_stats(["e1"], ["e1"])
