"""Agreement of languages is what is left above chance; what is kept is counted on shared items only."""

import numpy as np
import pandas as pd
import pytest
from test_flips import rights_of

from xt.consistency import agreement_table, kept_table, reduce_kappa, select_parallel


def test_kappa_is_0_by_chance_and_100_where_the_same_items_are_right():
    sums = [(100, 50, 50, 25), (100, 40, 40, 40), (100, 60, 40, 0), (100, 50, 50, 40)]
    assert reduce_kappa(sums).round(1).tolist() == [0.0, 100.0, -92.3, 60.0]


def test_kappa_is_not_defined_where_chance_always_agrees():
    assert np.isnan(reduce_kappa([(10, 10, 10, 10), (10, 0, 0, 0), (0, 0, 0, 0)])).all()


def test_only_tasks_with_the_same_items_are_compared():
    right = np.ones((3, 2, 1, 4))
    chosen = select_parallel([rights_of(right, target=name) for name in ("xnli", "udpos", "mlqa", "tatoeba", "xquad")])
    assert [one.target for one in chosen] == ["xnli", "mlqa", "xquad"]


def agreeing(rng, share, num_seeds=3, num_items=120, languages=("en", "de", "fr")):
    """Rights whose arm `squad` has this share of the items right or wrong in all languages alike."""
    apart = rng.random((num_seeds, 3, len(languages), num_items)) < 0.5
    alike = rng.random((num_seeds, 3, 1, num_items)) < 0.5
    together = rng.random((num_seeds, 3, 1, num_items)) < np.array([0.2, share, 0.2])[:, None, None]
    return rights_of(np.where(together, alike, apart), languages)


def test_languages_that_an_arm_makes_agree_are_found():
    table = agreement_table([agreeing(np.random.default_rng(0), 0.8)], np.random.default_rng(1))
    assert table["intermediate"].tolist() == ["none", "squad", "mnli_shuffled"]
    none, squad, placebo = table.to_dict("records")
    assert none["kappa"] == pytest.approx(20, abs=8) and squad["kappa"] == pytest.approx(80, abs=8)
    assert squad["change"] == pytest.approx(squad["kappa"] - none["kappa"]) and squad["p_holm"] < 0.001
    assert squad["low"] < squad["change"] < squad["high"] and placebo["placebo"] and pd.isna(placebo["p_holm"])
    assert pd.isna(none["change"]) and abs(none["seed_kappa"]) < 10


def test_where_arms_agree_alike_nothing_is_found():
    rng = np.random.default_rng(2)
    found = [agreement_table([agreeing(rng, 0.2, num_items=60)], rng, 50)["p"][1] for _ in range(30)]
    assert np.mean(np.array(found) < 0.05) <= 0.1


def test_the_result_depends_on_data_and_rng_only():
    one = agreeing(np.random.default_rng(3), 0.5)
    first, second = (agreement_table([one], np.random.default_rng(4)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_undefined_pairs_are_counted_and_left_out():
    right = np.random.default_rng(5).random((3, 2, 3, 40)) < 0.5
    right[0, 0, :2] = False  # at one seed of the baseline two languages have nothing right
    table = agreement_table([rights_of(right, ("en", "de", "fr"))], np.random.default_rng(1))
    assert table["num_undefined"].tolist() == [1, 0] and table["kappa"].notna().all()


def test_one_language_alone_agrees_with_nothing():
    (none, squad) = agreement_table([rights_of(np.ones((3, 2, 1, 9)))], np.random.default_rng(1)).to_dict("records")
    assert pd.isna(squad["kappa"]) and squad["num_languages"] == 1 and pd.isna(none["kappa"])


def test_what_is_kept_of_the_training_language():
    english, german = [[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]], [[1, 1, 1, 0, 1, 0], [1, 0, 0, 0, 1, 0]]
    right = np.array([[[e, g]] for e, g in zip(english, german, strict=True)])
    (row,) = kept_table([rights_of(right, ("en", "de"), arms=("none",))]).to_dict("records")
    assert row["right"] == pytest.approx(100 * 6 / 12) and row["kept"] == pytest.approx(100 * (3 / 4 + 1 / 2) / 2)
    assert row["again"] == pytest.approx(100 * 2 / 3)
    assert kept_table([rights_of(right[:, :, 1:], ("de",), arms=("none",))]).empty


def test_only_items_that_both_languages_have_are_counted():
    one = rights_of([[[[1, 1, 0, 0], [1, 0, 1, 1]]]] * 2, ("en", "de"), arms=("none",), target="mlqa")
    one.items.loc[one.items["eval_language"] == "de", "id"] = ["0", "1", "other", "another"]
    (row,) = kept_table([one]).to_dict("records")
    assert (row["right"], row["kept"]) == (50.0, 50.0)


def test_a_language_that_an_arm_was_trained_in_is_compared_for_none():
    right = np.random.default_rng(9).random((3, 2, 3, 40)) < 0.5
    seen = {"de": np.array([True, True]), "fr": np.array([True, False])}
    table = agreement_table([rights_of(right, ("en", "de", "fr"), compared=seen)], np.random.default_rng(1))
    assert table["num_languages"].tolist() == [2, 2]
