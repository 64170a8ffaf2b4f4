"""Sentences follow the numbers."""

import numpy as np
import pandas as pd
import pytest

from xt.contrasts import BESIDE, SEVERAL, ZERO_SHOT
from xt.prose import (
    answer_response,
    answer_transfer_gain,
    format_gains,
    say_choice,
    say_choices,
    say_list,
    say_p,
    say_question,
    say_unpaired,
)


def gains_of(*rows):
    """A gain table of (intermediate, target, gain, adjusted p, placebo)."""
    frame = pd.DataFrame(rows, columns=["intermediate", "target", "gain", "p_holm", "placebo"])
    return frame.assign(
        low=frame["gain"] - 1, high=frame["gain"] + 1, same_data=frame["intermediate"] == "mnli", p=frame["p_holm"],
        relative=0.1, baseline=50.0, num_languages=3, num_at_floor=1, encoder="mini",
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


def test_of_many_losses_the_largest_are_named_and_the_rest_counted_by_target():
    answer = answer_transfer_gain(gains_of(
        *((f"task{n}", "tatoeba", -5.0 - n, 0.01, False) for n in range(4)),
        *((f"task{n}", "bucc2018", -1.0 - n, 0.01, False) for n in range(3))))  # fmt: skip
    assert answer.startswith(
        "Hurts: 7 pairs, 4 before tatoeba and 3 before bucc2018; the largest: task3 before tatoeba (−8.0"
    )
    assert "task1 before bucc2018" not in answer and "task0 before tatoeba" in answer


def test_what_has_too_few_seeds_is_not_counted_as_without_a_difference():
    answer = answer_transfer_gain(gains_of(
        ("squad", "xquad", 4.0, 0.3, False), ("mnli", "panx", 9.0, np.nan, False), ("qqp", "panx", -5.0, np.nan, False)
    ))  # fmt: skip
    assert answer.startswith("None, as far as was tested: 1 of 1 pairs") and "mnli" not in answer
    assert answer.endswith(" 2 more are not tested, as they have fewer than three seeds.")


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


def test_a_table_of_several_encoders_names_them():
    gains = gains_of(("squad", "xquad", 1.0, 0.5, False), ("squad", "xquad", 2.0, 0.5, False))
    table = format_gains(gains.assign(encoder=["small", "large"]))
    assert list(table.index) == [("small", "xquad", "squad"), ("large", "xquad", "squad")]


def choices_of(*rows):
    """Choices of (target, chosen, gain, adjusted p, languages, regret)."""
    frame = pd.DataFrame(rows, columns="target chosen gain p_holm num_languages regret".split())
    limits = {f"{name}{end}": frame[of] + off for name, of in (("", "gain"), ("regret_", "regret"))
              for end, off in (("low", -1.0), ("high", 1.25))}  # fmt: skip
    about = dict(selected_on="f1 on 500 examples", oracle="qqp", oracle_gain=3.0, oracle_low=2.0, oracle_high=4.0)
    return frame.assign(**limits, **about)


def test_a_choice_says_what_it_was_made_on_or_why_there_was_none():
    rows = choices_of(("xquad", "mnli", 1.5, 0.2, 3, 2.0), ("tatoeba", None, np.nan, np.nan, 3, np.nan))
    assert [say_choice(row) for _, row in rows.iterrows()] == [
        "xquad: mnli, chosen on f1 on 500 examples: +1.5 (+0.5 to +2.8); by zero-shot scores qqp: +3.0 (+2.0 to +4.0), "
        "regret +2.0 (+1.0 to +3.2)",
        "tatoeba: no choice (f1 on 500 examples); by zero-shot scores qqp: +3.0 (+2.0 to +4.0)",
    ]


def test_choices_are_counted_by_what_was_tested_and_averaged_over_targets_with_enough_languages():
    rows = choices_of(
        ("xquad", "mnli", 4.0, 0.01, 3, 2.0), ("xcopa", "squad", 40.0, 0.2, 1, 0.0),
        ("panx", "ccg", -1.0, 0.02, 9, 5.0), ("xnli", "qqp", 3.0, np.nan, 9, np.nan))  # fmt: skip
    assert say_choices(rows) == (
        "the task chosen on English data gains reliably before xquad (mnli); loses reliably before panx (ccg); is "
        "not told from none before xcopa; is not tested before xnli, for want of three seeds; gains +2.0 points in the "
        "mean of the 3 targets with 3 languages or more; misses most before panx, against what zero-shot scores would "
        "choose (qqp): +5.0 (+4.0 to +6.2)"
    )


def test_a_contrast_without_p_value_is_not_counted_as_no_difference():
    rows = [("xquad", 2.0, 0.01), ("panx", 1.0, 0.5), ("xnli", 9.0, np.nan), ("pawsx", np.nan, np.nan)]
    table = pd.DataFrame(rows, columns=["target", "gain", "p_holm"]).assign(
        question=BESIDE, intermediate="multi_mlm", against="multi", scope=ZERO_SHOT, low=0.5, high=4.0)  # fmt: skip
    assert say_question(table, BESIDE).endswith(
        "more in 1 (multi_mlm less multi, xquad: +2.0 points, +0.5 to +4.0), no reliable difference in 1 of 2 and not "
        "tested in 1, for want of three seeds"
    )
    assert ": not known, as fewer than three seeds" in say_question(table[2:], BESIDE)
    assert ": not tested, for want of runs" in say_question(table[3:], BESIDE)


def slopes_of(*rows):
    """Slopes of (target, predictor, slope, low, high)."""
    return pd.DataFrame(rows, columns=["target", "predictor", "slope", "low", "high"])


def test_what_shows_in_scores_has_its_interval_on_one_side_of_zero():
    answer = answer_response(slopes_of(
        ("xnli", "lexical", -31.25, -40.0, -22.0), ("xnli", "genetic", -9.0, -20.0, 2.0),
        ("xnli", "log_resource", 12.0, 0.1, 24.0), ("udpos", "syntactic", 5.0, -1.0, 11.0),
        ("tatoeba", "script", -7.0, -9.0, -5.0), ("tatoeba", "lexical", -7.0, np.nan, np.nan)))  # fmt: skip
    assert answer == (
        "3 of 6 pairs of target and predictor show, where chance alone gives 0.3 (points from the nearest to the "
        "farthest language, interval on one side of 0): xnli: lexical −31.2 and log resource +12.0; "
        "tatoeba: script −7.0."
    )


def test_no_response_is_said_where_every_interval_holds_zero():
    assert answer_response(slopes_of(("xnli", "lexical", -9.0, -20.0, 2.0))).startswith("No: no distance shows")


def test_a_study_without_such_arms_is_not_told_to_be_run_but_one_that_has_them_is_named():
    said = say_unpaired("real")
    assert "study `real` has no arm" in said and "`lab`" in said and "xt run" not in said
    assert "no arm" in say_unpaired("real-full", (BESIDE,)) and "`paper`" in say_unpaired("real-full", (BESIDE,))
    assert say_unpaired("real-full", (SEVERAL,)).endswith("yet: run `xt run real-full`")
    assert say_unpaired("intermediate-language").endswith("yet: run `xt run intermediate-language`")
