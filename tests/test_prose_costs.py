"""What is said of costs says the opposite when the numbers do."""

import pandas as pd
import pytest

from xt.frontier import SAVING_COLUMNS
from xt.prose import answer_costs_of_arms, answer_language_costs, answer_saving, format_savings, say_layers


def ratios(*rows) -> pd.DataFrame:
    """(percent, half width, p) of latencies of one arm each."""
    return pd.DataFrame(
        [
            dict(encoder="lab-base", quantity="latency", batch_size=1, intermediate=f"arm{place}", margin=2.0, pairs=12,
                 percent=percent, low=percent - half, high=percent + half, p=p, equivalent=p < 0.05)
            for place, (percent, half, p) in enumerate(rows)
        ],
        columns=["encoder", "quantity", "batch_size", "intermediate", "margin", "pairs", "percent", "low", "high", "p",
                 "equivalent"],
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


def test_the_best_layer_is_told_with_its_time():
    table = pd.DataFrame(dict(encoder="mini", layer=[1, 2, 3], score=[10.0, 30.0, 20.0], share=[33.0, 66.0, 100.0]))
    assert say_layers(table) == "mini is best at layer 2 of 3 (30.0 points, 66 % of the time of all layers)."
