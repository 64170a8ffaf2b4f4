"""That each benchmark starts, on tiny sizes; how rows are judged; how operations are counted."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.benchmarks import __main__ as bench
from tests.benchmarks import flops, frame
from tests.benchmarks.step import TINY
from tests.benchmarks.steps import build_network, draw_features, head_operations
from xt.model import collate


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("name", [n for n in (*bench.BENCHMARKS, *bench.ON_A_GPU) if n not in bench.IN_PROCESSES])
def test_benchmark_starts(name, cache, monkeypatch):
    monkeypatch.setenv("XT_CACHE", cache)
    module = bench.find(name)
    found = module.measure(tiny=True)
    assert "minute" in module.TAKES or "second" in module.TAKES
    assert list(found)[: len(frame.COLUMNS)] == frame.COLUMNS and len(found)
    measured = found[found["target"] != ""]
    assert np.isfinite(measured["this"].astype(float)).all()


def test_row_says_whether_its_target_is_reached_and_none_without_one():
    reached = [frame.row("a", 2.0, "s", target, ratio=1.5)["reached"] for target in ("ratio >= 1.5", "this < 2", "")]
    assert reached == [True, False, None]


def test_ratio_is_that_of_the_same_turn_and_turns_alternate():
    order, seconds = [], {"xt": [1.0, 10.0], "other": [3.0, 20.0]}

    def contestant(name):
        return lambda turn: order.append(name) or dict(seconds=seconds[name][turn - 1])

    measured = frame.alternate({name: contestant(name) for name in seconds}, 2)
    assert order == ["xt", "other", "other", "xt"]
    found = frame.compare(measured, "xt", "other")
    assert found["ratio"] == pytest.approx(2.5) and found["ratios"] == "3.00 2.00"


def test_table_lies_beside_the_machine_it_was_measured_on_and_tiny_or_skipped_writes_none(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RESULTS", str(tmp_path))

    def measure(tiny):
        return frame.table([frame.row("something", 2.0, "s", "this < 3")])

    def skip(tiny):
        raise frame.Skipped("no such machine")

    frame.run("tiny", measure, tiny=True)
    assert frame.run("skipped", skip) is None and not (tmp_path / "bench").exists()
    frame.run("whole", measure)
    machine = json.loads((tmp_path / "bench" / "whole.json").read_text())
    assert machine["processor"] and machine["libraries"]["torch"] and machine["memory_gib"] > 0
    assert machine.keys() >= {"load_before", "date", "code_version", "seconds"}
    [row] = frame.read_tables().to_dict("records")
    assert row["bench"] == "whole" and row["reached"] and row["date"] == machine["date"]


@pytest.mark.parametrize("kind", ["pairs", "windows"])
def test_operations_by_formula_are_those_that_torch_counts(kind):
    network, rng = build_network(kind, TINY | dict(num_hidden_layers=3), "eager"), np.random.default_rng(0)
    features = draw_features(kind, 4, 100, 24, rng)
    features.input_ids.lengths[:] = 8  # torch counts padding, too
    labels = torch.zeros(4, *features.labels[0].shape, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        scores = network("step", collate(features, np.arange(4), 1, "cpu"), labels)
        network.heads["step"].loss(scores, labels).backward()
    expected = flops.count_step(network.encoder.config, np.full(4, 8), **head_operations(kind, TINY["hidden_size"]))
    assert counter.get_total_flops() == expected


def test_shares_of_a_profile_add_up_and_products_are_told_from_the_rest():
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        torch.randn(300, 300) @ torch.randn(300, 300)
    shares = flops.share_time(seen)
    assert sum(shares.values()) == pytest.approx(1) and 0 < shares["products"] < 1 and shares["rest"] > 0


def test_summary_holds_every_table_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XT_RESULTS", str(tmp_path))
    for name in ("first", "second"):
        frame.run(name, lambda tiny: frame.table([frame.row("something", 2.0, "s")]))
    for _ in range(2):
        bench.summarize()
    assert pd.read_csv(tmp_path / "bench" / "summary.csv")["bench"].tolist() == ["first", "second"]
