"""Sentences follow the numbers."""

import numpy as np
import pandas as pd
import pytest

from xt.prose import answer_response, answer_transfer_gain, format_gains, say_choice, say_list, say_p


def gains_of(*rows):
    """A gain table of (intermediate, target, gain, adjusted p, placebo)."""
    frame = pd.DataFrame(rows, columns=["intermediate", "target", "gain", "p_holm", "placebo"])
    return frame.assign(
        low=frame["gain"] - 1, high=frame["gain"] + 1, same_data=frame["intermediate"] == "mnli", p=frame["p_holm"],
        relative=0.1, baseline=50.0, num_languages=3, num_at_floor=1,
    )  # fmt: skip


def test_lists_and_p_values():
    assert [say_list(words) for words in ([], ["a"], ["a", "b"], "abc")] == ["none", "a", "a and b", "a, b and c"]
    assert [say_p(p) for p in (0.0004, 0.0126, np.nan)] == ["< 0.001", "0.013", "–"]


def test_what_helps_and_what_hurts_is_named_largest_first():
    answer = answer_transfer_gain(gains_of(
        ("squad", "xquad", 4.0, 0.01, False), ("mnli", "xnli", 9.0, 0.001, False), ("squad", "panx", -3.0, 0.04, False),
        ("squad", "xnli", 8.0, 0.2, False), ("mnli_shuffled", "xnli", 20.0, np.nan, True)))  # fmt: skip
    assert answer == (
        "Helps: mnli before xnli (+9.0 points, 95 % interval +8.0 to +10.0; the same data twice) and "
        "squad before xquad (+4.0 points, 95 % interval +3.0 to +5.0). "
        "Hurts: squad before panx (−3.0 points, 95 % interval −4.0 to −2.0). "
        "The other 1 of 4 pairs of intermediate and target task show no reliable difference."
    )


@pytest.mark.parametrize(("rows", "start"), [
    ([("squad", "xquad", 4.0, 0.3, False), ("squad", "panx", -5.0, 0.1, False)], "None, as far as was tested: 2 of 2"),
    ([("squad", "xquad", 4.0, np.nan, False)], "Not known: fewer than three seeds"),
    ([("squad", "xquad", np.nan, np.nan, False), ("x", "xquad", 3.0, 0.01, True)], "No gain can be tested"),
])  # fmt: skip
def test_no_effect_is_never_claimed(rows, start):
    answer = answer_transfer_gain(gains_of(*rows))
    assert answer.startswith(start)
    assert "Helps" not in answer


def test_a_table_to_read_has_dashes_for_what_is_missing():
    table = format_gains(gains_of(("squad", "xquad", np.nan, np.nan, False), ("p", "xquad", -1.25, 0.5, True)))
    assert list(table.index) == [("xquad", "squad"), ("xquad", "p (placebo)")]
    assert list(table["gain"]) == ["–", "−1.2"] and list(table["95 % interval"]) == ["–", "−2.2 to −0.2"]


def test_a_choice_says_what_it_was_made_on_or_why_there_was_none():
    row = dict(target="xquad", oracle="squad", oracle_score=51.26, selected_on="f1 on 500 examples held out of squad")
    for name, values in (("gain", (1.5, -0.25, 3.0)), ("regret", (2.0, 0.0, 4.0))):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    assert say_choice(pd.Series(row | {"chosen": "mnli"})) == (
        "xquad: mnli, chosen on f1 on 500 examples held out of squad: gain +1.5 (−0.2 to +3.0), regret +2.0 (0.0 to "
        "+4.0) against the oracle squad (51.3 points)"
    )
    assert say_choice(pd.Series(row | {"gain": np.nan, "selected_on": "no data"})) == (
        "xquad: no choice (no data); the oracle squad (51.3 points)"
    )


def slopes_of(*rows):
    """Slopes of (target, predictor, slope, low, high)."""
    return pd.DataFrame(rows, columns=["target", "predictor", "slope", "low", "high"])


def test_what_shows_in_scores_has_its_interval_on_one_side_of_zero():
    answer = answer_response(slopes_of(
        ("xnli", "lexical", -31.25, -40.0, -22.0), ("xnli", "genetic", -9.0, -20.0, 2.0),
        ("xnli", "log_resource", 12.0, 0.1, 24.0), ("udpos", "syntactic", 5.0, -1.0, 11.0),
        ("tatoeba", "script", -7.0, -9.0, -5.0), ("tatoeba", "lexical", -7.0, np.nan, np.nan)))  # fmt: skip
    assert answer == (
        "3 of 6 pairs of target and predictor show (points from the nearest to the farthest language, interval on one "
        "side of 0): xnli: lexical −31.2 and log resource +12.0; tatoeba: script −7.0."
    )


def test_no_response_is_said_where_every_interval_holds_zero():
    assert answer_response(slopes_of(("xnli", "lexical", -9.0, -20.0, 2.0))).startswith("No: no distance shows")
