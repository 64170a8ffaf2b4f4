"""Arms against arms: the primary test with the other arm in the baseline's place, on the languages of the question."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.choosing import BEST, CHOSEN
from xt.contrasts import (
    BESIDE,
    CONTRAST_COLUMNS,
    LANGUAGE,
    SEVERAL,
    TRAINED_IN,
    TRANSLATION,
    ZERO_SHOT,
    contrast,
    contrast_table,
    find_pairs,
)
from xt.gains import ScoreCube, average_languages, gain_table, load_cubes, turn
from xt.results import load_scores
from xt.stats import gain_test

LANGUAGES = ("de", "fr", "sw")


def make_cube(arms, gains, num_seeds=3, floors=0.0, constant=(), trained_in=None) -> ScoreCube:
    """Scores of arms that gain so much over 50 points, with seed noise except in `constant` arms; `trained_in` maps
    an arm to languages."""
    rng = np.random.default_rng(1)
    points = 50 + np.array(gains)[None, :, None] + rng.normal(0, 0.4, (num_seeds, len(arms), 1)) + np.zeros(3)
    for arm in constant:
        points[:, arms.index(arm)] = points[:1, arms.index(arm)]
    drawn = points + rng.normal(0, 0.5, (200, 1, 1, 3)) + rng.normal(0, 0.2, (200, 1, len(arms), 3))
    zero_shot = [[code not in (trained_in or {}).get(arm, ()) for code in LANGUAGES] for arm in arms]
    floors = np.broadcast_to(np.asarray(floors, dtype=float), 3)
    return ScoreCube("mini", "xquad", tuple(arms), tuple(range(1, num_seeds + 1)), LANGUAGES, points, drawn, floors,
                     np.array(zero_shot), np.full(3, 100))  # fmt: skip


ARMS = ["none", "squad", "mnli", "multi"]
CUBE = make_cube(ARMS, [0, 3, 1, 4])


def test_against_the_baseline_it_is_the_gain():
    gains, found = gain_table([CUBE]).set_index("intermediate"), contrast(CUBE, "squad", "none")
    same = ("gain", "low", "high", "p", "baseline", "relative", "seed_sd", "df")
    assert [found[name] for name in same] == pytest.approx([gains.loc["squad", name] for name in same])


def test_it_is_the_primary_test_on_the_paired_differences():
    found, back = contrast(CUBE, "multi", "squad"), contrast(CUBE, "squad", "multi")
    points = CUBE.points.mean(axis=-1)
    assert found["gain"] == pytest.approx((points[:, 3] - points[:, 1]).mean()) == pytest.approx(-back["gain"])
    assert found["p"] == pytest.approx(back["p"]) and found["low"] == pytest.approx(-back["high"])
    assert found["baseline"] == pytest.approx(points[:, 1].mean()) and found["num_languages"] == 3
    with pytest.raises(ValueError, match="arm.*'multy'"):
        contrast(CUBE, "multy", "squad")


def test_a_baseline_without_seeds_does_not_shrink_the_seed_variance():
    cube = replace(make_cube(ARMS, [0, 3, 1, 4], constant=("none",)), target="tatoeba")
    means = average_languages(cube, np.full(3, True))
    assert turn(means, "multi", "squad").arms == ("squad", "multi", "mnli")
    alone = gain_test(means.points[:, [1, 3, 2]], None)
    assert contrast(cube, "multi", "squad")["seed_sd"] == pytest.approx(alone.seed_sd)
    assert turn(means, "multi", "none").arms == ("none", "multi", "squad", "mnli"), "asked for, it stays"


def test_the_arms_that_belong_together_are_found():
    arms = ["none", "mnli", "squad", "multi", "multi_mlm", "mnli_translated", "squad.de", "mnli_squad_translated",
            "mnli_shuffled", "tydiqa.ko", "my own task"]  # fmt: skip
    assert find_pairs(arms) == [
        (BESIDE, "multi_mlm", "multi"),
        (TRANSLATION, "mnli_translated", "mnli"),
        (LANGUAGE, "squad.de", "squad"),
        (TRANSLATION, "mnli_squad_translated", "mnli"),
        (TRANSLATION, "mnli_squad_translated", "squad"),
    ]


def test_an_arm_in_another_language_is_compared_there_and_elsewhere():
    cube = make_cube(["none", "squad", "squad.de"], [0, 3, 4], trained_in={"squad.de": ("de",)})
    table = contrast_table([cube], SCORES)
    assert table[["question", "scope", "num_languages"]].values.tolist() == [
        [LANGUAGE, ZERO_SHOT, 2], [LANGUAGE, TRAINED_IN, 1],
    ]  # fmt: skip
    assert table["p_holm"].tolist() == pytest.approx((2 * table["p"]).clip(upper=2 * table["p"].min()), rel=0.5)
    floored = make_cube(["none", "squad", "squad.de"], [0, 3, 4], floors=99.0, trained_in={"squad.de": ("de",)})
    table = contrast_table([floored], SCORES)
    assert len(table) == 1 and table[["gain", "p"]].isna().all(axis=None), "a row that says there is no number"


SCORES = pd.DataFrame(columns="run_id encoder target intermediate seed metric layer direction eval_language".split())


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A study on disk: English data recommend mnli, zero-shot scores squad."""
    place = tmp_path_factory.mktemp("results")
    write_study(
        place, arms=("none", "mnli", "squad", "multi"), num_clusters=40,
        languages={"xquad": ("en", "de", "es"), "tatoeba": ("de", "nl")},
        cluster_size=1, gains={("squad", "xquad"): 0.2, ("multi", "xquad"): 0.2},
        selected={("mnli", "xquad"): 0.9},
    )  # fmt: skip
    scores = load_scores("real", place)
    cubes = load_cubes(scores, np.random.default_rng(1), place, num_resamples=200)
    return contrast_table(cubes, scores, place), cubes


def test_several_tasks_are_held_against_the_choice_one_could_make_and_the_one_one_could_not(several):
    table, cubes = several
    rows = table[table["target"] == "xquad"].set_index("against")
    xquad = next(cube for cube in cubes if cube.target == "xquad")
    assert list(table) == list(CONTRAST_COLUMNS) and set(table["question"]) == {SEVERAL}
    assert rows.loc[CHOSEN, "gain"] == pytest.approx(contrast(xquad, "multi", "mnli")["gain"])
    assert rows.loc[BEST, "gain"] == pytest.approx(contrast(xquad, "multi", "squad")["gain"])
    assert rows.loc[CHOSEN, "gain"] > 10 > abs(rows.loc[BEST, "gain"])
    assert (rows["num_candidates"] == 2).all()


def test_where_nothing_is_trained_only_scores_can_choose(several):
    table, _ = several
    assert table.loc[table["target"] == "tatoeba", "against"].tolist() == [BEST]
