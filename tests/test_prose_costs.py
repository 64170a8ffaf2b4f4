"""What is said of costs says the opposite when the numbers do."""

import pandas as pd
import pytest

from xt.frontier import SAVING_COLUMNS
from xt.prose import answer_costs_of_arms, answer_language_costs, answer_saving, format_savings, say_layers
from xt.prose.costs import say_left_out


def ratios(*rows) -> pd.DataFrame:
    """(percent, half width, p) of latencies of one arm each."""
    return pd.DataFrame(
        [
            dict(encoder="lab-base", quantity="latency", batch_size=1, intermediate=f"arm{place}", margin=2.0, pairs=12,
                 percent=percent, low=percent - half, high=percent + half, p=p, equivalent=p < 0.05, against="none",
                 direct=False, beyond=abs(percent) - half > 2)
            for place, (percent, half, p) in enumerate(rows)
        ],
        columns=["encoder", "quantity", "batch_size", "intermediate", "margin", "pairs", "percent", "low", "high", "p",
                 "equivalent", "against", "direct", "beyond"],
    )  # fmt: skip


def test_equal_costs_dearer_ones_and_open_ones_are_told_apart():
    assert answer_costs_of_arms(ratios((0.1, 0.5, 0.001), (-0.2, 0.8, 0.01))).startswith(
        "Nothing: latency is equal within 2 % in 2 of 2 comparisons (widest interval −1.0 to +0.6 %: arm1, lab-base"
    )
    assert answer_costs_of_arms(ratios((0.1, 0.5, 0.001), (1, 3, 0.3))).startswith(
        "Nothing beyond the margin is shown: "
    )
    assert answer_costs_of_arms(ratios((0.1, 0.5, 0.001), (6, 2, 0.9))).startswith(
        "More than the margin: arm1 on lab-base"
    )
    assert answer_costs_of_arms(ratios(), "run it") == "Not known: run it."
    assert "three rounds" in answer_costs_of_arms(ratios((0.1, float("nan"), float("nan"))))


def test_target_language_against_english_is_answered_before_either_against_none():
    rows = ratios((0.1, 0.5, 0.001), (0.2, 0.5, 0.001), (3.0, 0.5, 0.9))
    rows.loc[2, ["intermediate", "against", "direct"]] = ["squad.qac", "squad", True]
    said = answer_costs_of_arms(rows)
    assert said.startswith("Target-language against English intermediate training: More than the margin: squad.qac on")
    assert "in 0 of 1 comparisons" in said.partition("Either")[0]
    assert "Either against none: Nothing: latency is equal within 2 % in 2 of 2 comparisons" in said


def test_more_features_per_second_are_not_dearer_and_fewer_are():
    rows = ratios((6, 2, 0.9), (-6, 2, 0.9)).assign(quantity="throughput")
    assert answer_costs_of_arms(rows).startswith("More than the margin: arm1 on lab-base: ")


def test_backends_that_could_not_run_are_named():
    left_out = pd.DataFrame({"backend": ["onnx"] * 2, "reason": ["backend onnx needs onnxruntime"] * 2})
    assert say_left_out({"left_out": left_out}) == "Left out: backend onnx needs onnxruntime."
    assert say_left_out({"left_out": left_out.iloc[:0]}) == ""


def test_the_dearest_language_is_named():
    table = pd.DataFrame(dict(encoder="mini", target="xnli", eval_language=["en", "th"], num_tokens=[10.0, 30.0],
                              tokenize_ms=[1.0, 1.0], latency_ms=[9.0, 19.0], tokenizer_share=[10.0, 5.0]))  # fmt: skip
    said = answer_language_costs(table)
    assert "an example in th takes 2.00 times as long as in en, with 3.00 times the tokens" in said
    assert "5.0 to 10.0 % of it" in said and answer_language_costs(table.iloc[:0]) == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((40.0, 20.0, 60.0, 75.0), "squad 40 % (20 % to 60 %) (95 % intervals); saving is shown for squad"),
        ((40.0, -5.0, 60.0, 75.0), "squad 40 % (−5 % to 60 %) (95 % intervals); no saving is shown"),
        ((75.0, 60.0, 75.0, 75.0), "squad 75 % or more (60 % to 75 % or more)"),
        ((float("-inf"), float("-inf"), 10.0, 75.0), "squad score not reached (score not reached to 10 %)"),
        ((40.0, float("nan"), float("nan"), 75.0), "squad 40 % (95 % intervals); there are no intervals"),
    ],
)
def test_what_is_saved_is_said_with_its_limits(row, told):
    table = pd.DataFrame([["latency", "lab-large", 50.0, "squad", *row]], columns=SAVING_COLUMNS)
    assert told in answer_saving(table)
    assert format_savings(table).iloc[0, 0] in told


def test_nothing_to_compare_says_what_is_needed():
    empty = pd.DataFrame(columns=SAVING_COLUMNS)
    assert "two sizes" in answer_saving(empty) and "run it" in answer_saving(empty, "run it")


def test_the_layer_that_other_languages_chose_is_told_with_what_it_loses_and_its_time():
    row = dict(encoder="mini", layer=2, agree=20, languages=22, score=30.0, low=28.0, high=32.0, lost=1.5, lost_low=0.5,
               lost_high=2.5, share=66.0)  # fmt: skip
    assert say_layers(pd.DataFrame([row])) == (
        "mini: layer 2 in 20 of 22 languages, 30.0 points (28.0 to 32.0), \N{MINUS SIGN}1.5 (\N{MINUS SIGN}2.5 to "
        "\N{MINUS SIGN}0.5) against all layers, 66 % of the time of all layers."
    )
    unknown = row | dict(low=float("nan"), lost=-1.0, share=float("nan"))
    assert "30.0 points, +1.0 against all layers, time not measured" in say_layers(pd.DataFrame([unknown]))
    assert say_layers(pd.DataFrame([row]).iloc[:0]) == "No retrieval by layer is there."
