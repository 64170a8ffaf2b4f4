"""What one process measures of a real model: memory, operations, languages, layers; and the rounds of processes."""

import json

import numpy as np
import pytest
import torch
import transformers

from xt.costs import write_costs
from xt.efficiency import process
from xt.efficiency.backends import BACKENDS, lacking
from xt.efficiency.process import Batches, count_operations, joules_since, keep_layers, measure_process, read_energy
from xt.efficiency.rounds import list_processes, measure_cost, result_of
from xt.encode.features import Features, Ragged
from xt.measurement import efficiency_config
from xt.tasks import get_task

CPU = torch.device("cpu")


def configure(**changes):
    asked = dict(target="tatoeba", encoder="tiny", intermediates="none", root="fixtures", preset="smoke", seed=1,
                 languages=["de", "zh"], batch_sizes=[1, 2], num_layers=[1, 2], num_repeats=2,
                 num_rounds=2)  # fmt: skip
    return efficiency_config(**asked | changes)


@pytest.fixture
def model():
    torch.manual_seed(0)
    shape = dict(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=48)
    config = transformers.XLMRobertaConfig(vocab_size=40, max_position_embeddings=20, type_vocab_size=1, **shape)
    return transformers.XLMRobertaModel._from_config(config, attn_implementation="sdpa").eval()


@pytest.fixture
def batches():
    rows = [np.arange(3, 3 + count) for count in (5, 8, 3)]
    return Batches(Features(Ragged.of(rows), None, np.arange(3)), 1, CPU)


def test_one_process_tells_memory_latency_and_texts():
    tables = measure_process(configure(), "none", "eager", number=0)
    assert [row["batch_size"] for row in tables["processes"]] == [1, 2]
    for row in tables["processes"]:
        assert 50 < row["base_memory_mib"] <= row["peak_memory_mib"] and row["features_per_second"] > 0
        assert row["num_parameters"] > 10_000 and row["memory_mib"] <= row["peak_memory_mib"]
    assert {(row["eval_language"], row["batch_size"], row["num_layers"]) for row in tables["latencies"]} == {
        (code, count, layers) for code in ("de", "zh") for count in (1, 2) for layers in (1, 2)
    }
    assert len(tables["latencies"]) == 16 and all(row["milliseconds"] > 0 for row in tables["latencies"])
    cells = [(row["eval_language"], row["batch_size"], row["num_layers"]) for row in tables["latencies"]]
    assert cells != sorted(cells)  # interleaved
    assert {row["eval_language"] for row in tables["texts"]} == {"de", "zh"}
    assert {row["features_per_example"] for row in tables["texts"]} == {1.0} and tables["processes"][0]["disk_mib"] > 0


def test_a_long_text_is_counted_in_windows_and_each_round_times_others():
    """The windows of an example and their tokens are those of the encoder; operations are counted in one round."""
    asked = dict(
        target="xquad",
        languages=["en"],
        num_layers=[],
        batch_sizes=[1],
        max_seq_length=24,
        doc_stride=4,
        max_query_length=8,
    )
    first, second = (measure_process(configure(**asked), "none", "eager", number=number) for number in (0, 1))
    (text,) = first["texts"]
    assert text["features_per_example"] > 1 and text["tokenize_ms"] > 0
    assert text["num_tokens"] / text["features_per_example"] <= 24
    numbers = [{row["number"] for row in tables["latencies"]} for tables in (first, second)]
    assert numbers == [{0, 1}, {2, 3}] and first["work"] and not second["work"]


def test_the_tokenizer_is_timed_on_one_example_at_a_time(monkeypatch):
    given = []
    monkeypatch.setitem(process.READ, "retrieval", lambda examples, *how: given.append(len(examples)) or given)
    _, seconds = process.encode_timed(get_task("tatoeba"), list(range(120)), None, None, number=1)
    assert given == [120] + [1] * 60 and 0 < seconds < 1


@pytest.mark.parametrize(("now", "spent"), [((7_000_000, 3_000_000), 8.0), ((500_000, 3_000_000), 11.500001)])
def test_energy_is_that_of_all_packages_also_when_a_counter_starts_again(tmp_path, monkeypatch, now, spent):
    """Two packages; what counts the whole machine and a part of one is not added to them."""
    for place, name in {"a": "package-0", "b": "package-1", "c": "psys", "d": "core"}.items():
        (tmp_path / place).mkdir()
        for file, value in {"name": name, "energy_uj": "1000000", "max_energy_range_uj": "10000000"}.items():
            (tmp_path / place / file).write_text(f"{value}\n")
    monkeypatch.setattr(process, "POWERCAP", tmp_path)
    before = read_energy()
    for place, value in zip("abcd", (*now[:2], 9_000_000, 9_000_000), strict=True):
        (tmp_path / place / "energy_uj").write_text(f"{value}\n")
    assert joules_since(before) == pytest.approx(spent)
    monkeypatch.setattr(process, "POWERCAP", tmp_path / "none")
    assert joules_since(read_energy()) is None


def test_operations_are_those_of_the_formula(model, batches):
    """Per layer 8 T h^2 of attention's projections, 4 T^2 h of its products, 4 T h i of the feed-forward part; pooler
    2 h^2."""
    counted = count_operations(model, {"de": batches}, (1, 3))
    per_layer = np.mean([8 * t * 16**2 + 4 * t**2 * 16 + 4 * t * 16 * 48 for t in (5, 8, 3)])
    assert [row["flops"] for row in counted] == pytest.approx([per_layer + 2 * 16**2, 3 * per_layer + 2 * 16**2])


def test_the_first_layers_alone_give_their_hidden_state(model, batches):
    inputs = batches.take(3, 0)
    with torch.inference_mode():
        whole = model(**inputs, output_hidden_states=True).hidden_states
        with keep_layers(model, 2):
            assert torch.equal(model(**inputs).last_hidden_state, whole[2])
        assert torch.equal(model(**inputs).last_hidden_state, whole[3])
    with pytest.raises(ValueError, match="num_layers = 4; allowed: 1 to 3"), keep_layers(model, 4):
        pass


def test_batches_go_round(batches):
    first, second = (batches.places(2, number).tolist() for number in (0, 1))
    assert {*first, second[0]} == {0, 1, 2} and second[1] == first[0]
    assert batches.take(3, 0)["input_ids"].shape == (3, 8)


def test_a_few_batches_are_spread_over_all_texts():
    """So that what a few of them cost is what the texts cost: in a file sorted by length, too."""
    some = Batches(Features(Ragged.of([[1]] * 100), None, np.arange(100)), 1, CPU).places(20, 0)
    assert len(set(some)) == 20 and np.diff([0, *np.sort(some), 100]).max() <= 8


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "compiled" and not lacking(name, "cpu")])
def test_a_backend_computes_what_the_model_computes(backend, model, batches):
    with torch.inference_mode():
        expected = model(**batches.take(3, 0)).last_hidden_state
        got = BACKENDS[backend].build(model, batches.take(2, 0))(batches.take(3, 0))
    found = got[0] if isinstance(got, (list, tuple)) else got.last_hidden_state
    assert torch.as_tensor(found).float().numpy() == pytest.approx(expected.numpy(), abs=0.15)


def test_what_cannot_run_says_what_it_needs(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert lacking("onnx", "cpu") == "backend onnx needs onnxruntime, onnxscript: pip install onnxruntime onnxscript"
    assert lacking("int8", "cuda") == "backend int8 runs on processors only" and lacking("eager", "cuda") == ""


def test_every_round_has_each_process_once_in_an_order_of_its_own():
    config = configure(intermediates="none,mnli,squad", num_rounds=12)
    planned = list(list_processes(config, ["eager", "int8"]))
    rounds = [[kind for number, *kind in planned if number == each] for each in range(12)]
    assert all(sorted(one) == sorted(rounds[0]) and len(one) == 6 for one in rounds)
    assert len({str(one) for one in rounds}) > 6


def test_fresh_processes_are_gathered_and_a_measurement_cut_off_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    config = configure(num_layers=[])
    first = measure_process(config, "none", "eager", number=0)
    place = tmp_path / "runs" / config.run_id / "processes"
    place.mkdir(parents=True)
    first["processes"][0]["load_seconds"] = 1234.5
    result_of(place, 0, "none", "eager").write_text(json.dumps(first))
    tables = measure_cost(config)
    assert tables["processes"]["round"].tolist() == [0, 0, 1, 1]
    assert tables["processes"]["load_seconds"].iloc[0] == 1234.5  # found, not measured again
    assert tables["left_out"].empty
    again = measure_cost(config)
    assert all(again[name].equals(tables[name]) for name in tables)


def test_a_backend_that_cannot_run_here_is_named_in_the_results(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("xt.efficiency.rounds.lacking", lambda name, device: f"no {name} here")
    tables = measure_cost(configure(backends=["onnx"], num_layers=[]))
    assert tables["left_out"].values.tolist() == [["onnx", "no onnx here"]]
    write_costs(tmp_path, "r", tables)


def test_a_process_that_fails_is_told_by_its_last_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(RuntimeError, match="(?s)none with backend eager ended with exit code 1: .*num_layers = 9"):
        measure_cost(configure(num_layers=[9], num_rounds=1))
