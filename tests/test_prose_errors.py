"""What is said of flips follows the table of flips."""

import numpy as np
import pandas as pd

from xt.prose import answer_errors, say_agreement, say_kept, say_some


def flips_of(*rows):
    """Flips of (arm, target, flips, across, by_seed, repeated, adjusted p, placebo)."""
    numbers = ["flips", "across", "by_seed", "repeated", "p_holm"]
    frame = pd.DataFrame(rows, columns=["intermediate", "target", *numbers, "placebo"]).astype(
        dict.fromkeys(numbers, float)
    )
    return frame.assign(low=frame["repeated"] - 1, high=frame["repeated"] + 1)


def test_flips_are_set_beside_those_of_seeds_and_what_repeats_is_named():
    answer = answer_errors(flips_of(
        ("squad", "xquad", 4, 5, 6, 0.1, 0.9, False), ("mnli", "xquad", 8, 9, 6, 2.0, 0.01, False),
        ("mnli", "xnli", 5, 10, 9, -2.0, 0.01, False), ("squad", "tatoeba", 20, 20, 0, 12.04, 0.001, False),
        ("qqp", "tydiqa", 3, 4, 8, 5.0, np.nan, False),
        ("mnli_shuffled", "xnli", 50, 60, 1, 40.0, np.nan, True)))  # fmt: skip
    assert answer == (
        "An arm at one seed and the baseline at another differ in more examples, right or wrong, than two seeds of the "
        "baseline in 2 of 4 pairs of intermediate and trained target task (counted, not tested): in the median pair in "
        "7.0 of 100 examples, "
        "two seeds of the baseline in 7.0 (arm and baseline of one seed in 4.5). Flips that come again at another "
        "seed, so that they are the task's doing, are found in 2 of 4 pairs (Holm-adjusted p below 0.05): squad before "
        "tatoeba (12.0, 95 % interval +11.0 to +13.0) and mnli before xquad (2.0, 95 % interval +1.0 to +3.0); 1 more "
        "are not tested, with fewer than three seeds."
    )


def test_few_seeds_and_no_language_are_said():
    one = flips_of(("squad", "xquad", 4, np.nan, np.nan, np.nan, np.nan, False))
    assert answer_errors(one).startswith("Not known: with one seed, an intermediate task flips 4.0 of 100 examples")
    two = flips_of(("squad", "xquad", 4, 5, 6, 1, np.nan, False))
    assert answer_errors(two).endswith("cannot be told with fewer than three seeds.")
    none = flips_of(("squad", "xquad", np.nan, np.nan, np.nan, np.nan, np.nan, False))
    assert answer_errors(none).startswith("Not known: no target") and answer_errors(none[:0]).startswith("Not known")
    retrieval = flips_of(("squad", "tatoeba", 4, 4, 0, 1, 0.6, False))
    assert answer_errors(retrieval).startswith("No trained target")


def test_what_is_kept_is_the_baselines():
    kept = pd.DataFrame({
        "intermediate": ["none", "none", "squad"], "target": "xnli", "kept": [60.0, 70.0, 5.0],
        "right": [40.0, 50.0, 9.0],
    })  # fmt: skip
    assert say_kept(kept).endswith("right in another one are 65 % in xnli (of all items 45 %)")
    assert say_kept(kept[:0]).endswith("are none")


def test_changes_of_agreement():
    frame = pd.DataFrame({
        "intermediate": ["none", "squad", "mnli", "own_squad"], "target": "xquad", "change": [np.nan, -4.0, 1.0, 9.0],
        "low": [np.nan, -6.0, -1.0, 8.0], "high": [np.nan, -2.0, 3.0, 10.0], "p_holm": [np.nan, 0.02, 0.5, np.nan],
        "placebo": [False, False, False, True],
    })  # fmt: skip
    assert say_agreement(frame) == (
        "An intermediate task changes how far languages agree in 1 of 2 pairs of intermediate and target task: squad "
        "before xquad (−6.0 to −2.0, adjusted p 0.020)"
    )
    assert "fewer than three seeds" in say_agreement(frame.assign(p_holm=np.nan))
    assert "cannot be told" in say_agreement(frame[:1])


def test_a_long_list_says_how_many_more():
    assert say_some("abcd", 4) == "a, b, c and d" and say_some("abcdefg", 2) == "a, b and 5 more"
