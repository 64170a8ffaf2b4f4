"""Ratios of costs: what is shown to be equal and what is not, against statsmodels; committed tables checked."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.weightstats import ttost_paired
from synthetic_costs import write_cost_study

from xt.costs import (
    compare_arms,
    costs_folder,
    describe_best_batches,
    describe_languages,
    describe_latencies,
    load_costs,
    measure_rounds,
)
from xt.costs import (
    test_ratio as judge_ratio,
)
from xt.errors import DataError
from xt.stats import adjust_holm


def compare(tmp_path, **options) -> pd.DataFrame:
    write_cost_study(tmp_path, **options)
    return compare_arms(load_costs("lab-cost", tmp_path))


def row_of(table, quantity, batch_size=1, **where):
    chosen = table[(table["quantity"] == quantity) & (table["batch_size"] == batch_size)]
    for name, value in where.items():
        chosen = chosen[chosen[name] == value]
    (row,) = chosen.to_dict("records")
    return row


def test_an_arm_that_costs_the_same_is_equivalent(tmp_path):
    table = compare(tmp_path, num_rounds=24)
    for quantity in ("latency", "throughput", "memory"):
        row = row_of(table, quantity)
        assert row["equivalent"] and row["low"] <= 0.05 and row["high"] >= -0.05 and row["pairs"] == 24
        assert -2 < row["low"] <= row["percent"] <= row["high"] < 2


def test_an_arm_that_costs_more_is_not(tmp_path):
    row = row_of(compare(tmp_path, ratios={"none": 1.0, "squad": 1.05}, num_rounds=24), "latency")
    assert not row["equivalent"] and row["low"] < 5 < row["high"] and row["low"] > 2 and row["beyond"]


def test_one_of_many_intervals_that_misses_the_margin_by_chance_is_not_beyond_it():
    rng = np.random.default_rng(0)
    rows = [judge_ratio(rng.normal(0, 0.1, 12), 2.0, 0.05) for _ in range(400)]
    alone = [row["p_beyond"] < 0.025 for row in rows]
    assert 0 < np.mean(alone) < 0.05
    assert all(row["p_beyond"] < 0.025 for row in rows if row["low"] > 2)
    assert min(adjust_holm(np.array([row["p_beyond"] for row in rows]))) > 0.025


def test_noisy_processes_leave_it_open(tmp_path):
    row = row_of(compare(tmp_path, noise=0.1, num_rounds=6), "latency")
    assert not row["equivalent"] and row["low"] < 0 < row["high"]


def test_p_is_that_of_statsmodels(tmp_path):
    write_cost_study(tmp_path)
    costs = load_costs("lab-cost", tmp_path)
    rounds = measure_rounds(costs)
    rounds = rounds[(rounds["quantity"] == "latency") & (rounds["batch_size"] == 1)]
    wide = rounds.pivot(index="round", columns="intermediate", values="log")
    margin = np.log(1.02)
    p = ttost_paired(wide["squad"].to_numpy(), wide["none"].to_numpy(), -margin, margin)[0]
    row = row_of(compare_arms(costs), "latency")
    assert row["p"] == pytest.approx(p) and row["p_holm"] >= row["p"]


def test_repeats_of_a_process_are_one_observation(tmp_path):
    write_cost_study(tmp_path)
    costs = load_costs("lab-cost", tmp_path)
    doubled = costs | {"latencies": pd.concat([costs["latencies"]] * 3)}
    once, thrice = (row_of(compare_arms(tables), "latency") for tables in (costs, doubled))
    assert once == thrice


def test_too_few_rounds_have_no_p(tmp_path):
    row = row_of(compare(tmp_path, num_rounds=2), "latency")
    assert np.isnan(row["p"]) and np.isnan(row["low"]) and not row["equivalent"] and row["pairs"] == 2


def test_encoders_are_compared_apart(tmp_path):
    table = compare(
        tmp_path, encoders={"lab-small": 4.0, "lab-base": 10.0}, ratios={"none": 1.0, "squad": 1.0, "mnli": 1.0}
    )
    assert len(table) == 2 * 2 * 3 * 2 and set(table["against"]) == {"none"}
    assert set(table["encoder"]) == {"lab-small", "lab-base"} and set(table["intermediate"]) == {"squad", "mnli"}


def test_an_arm_in_another_language_is_compared_with_itself_in_english(tmp_path):
    """Each within 2 % of the baseline, and more than 2 % apart."""
    table = compare(tmp_path, ratios={"none": 1.0, "squad": 0.987, "squad.qac": 1.013}, noise=0.002, num_rounds=150)
    alone = [row_of(table, "latency", intermediate=arm, against="none") for arm in ("squad", "squad.qac")]
    direct = row_of(table, "latency", direct=True)
    assert all(row["equivalent"] and not row["direct"] for row in alone) and not direct["equivalent"]
    assert (direct["intermediate"], direct["against"]) == ("squad.qac", "squad") and 2 < direct["percent"] < 3.5


def test_an_example_of_several_windows_costs_them_all(tmp_path):
    write_cost_study(tmp_path, features={"zh": 2.5})
    table = describe_languages(load_costs("lab-cost", tmp_path)).set_index("eval_language")
    assert table.loc["zh", "latency_ms"] / table.loc["en", "latency_ms"] == pytest.approx(2 * 2.5, rel=0.03)
    assert table.loc["zh", "tokenizer_share"] == pytest.approx(100 * 0.4 / 50.4, rel=0.03)


def test_the_best_batch_is_named_with_what_it_does_for_a_language(tmp_path):
    write_cost_study(tmp_path, features={"zh": 2.0})
    table = describe_best_batches(load_costs("lab-cost", tmp_path)).set_index("eval_language")
    assert set(table["batch_size"]) == {16}
    assert table.loc["en", "features_per_second"] == pytest.approx(1000 * 16 / (10 * 16**0.7), rel=0.03)
    assert table.loc["en", "examples_per_second"] / table.loc["zh", "examples_per_second"] == pytest.approx(4, rel=0.03)


def test_a_language_of_long_texts_pays_for_them(tmp_path):
    write_cost_study(tmp_path, layers=(2, 4))
    table = describe_languages(load_costs("lab-cost", tmp_path)).set_index("eval_language")
    assert table.loc["zh", "latency_ms"] / table.loc["en", "latency_ms"] == pytest.approx(2, rel=0.03)
    assert table.loc["en", "latency_ms"] == pytest.approx(10, rel=0.03)  # of the whole encoder, not of two layers
    assert table.loc["zh", "tokenizer_share"] == pytest.approx(100 * 0.4 / 20.4, rel=0.03)


def test_percentiles_are_of_single_batches(tmp_path):
    write_cost_study(tmp_path)
    costs = load_costs("lab-cost", tmp_path)
    table = describe_latencies(costs, ["encoder", "batch_size"]).set_index("batch_size")
    single = costs["latencies"].query("batch_size == 16")["milliseconds"].to_numpy(float)
    assert table.loc[16, "batches"] == len(single) and table.loc[16, "p95"] == pytest.approx(np.quantile(single, 0.95))
    assert table.loc[16, "p50"] <= table.loc[16, "p95"] <= table.loc[16, "p99"]


def test_a_study_without_measurements_gives_empty_tables(tmp_path):
    from synthetic_study import write_study

    write_study(tmp_path, "lab-cost", num_clusters=5)
    costs = load_costs("lab-cost", tmp_path)
    assert all(table.empty for table in costs.values()) and compare_arms(costs).empty


def test_a_spoilt_table_is_named(tmp_path):
    write_cost_study(tmp_path)
    run_id = load_costs("lab-cost", tmp_path)["texts"]["run_id"].iloc[0]
    path = costs_folder(tmp_path / "lab-cost", run_id) / "texts.parquet"
    table = pd.read_parquet(path)
    table.assign(tokenize_ms=-1.0).to_parquet(path)
    with pytest.raises(DataError, match=r"texts.parquet: column tokenize_ms, row 0: -1.0"):
        load_costs("lab-cost", tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="texts.parquet"):
        load_costs("lab-cost", tmp_path)
