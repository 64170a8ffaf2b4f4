"""Gains against size: encoders that differ in nothing else, cells that can show a gain, a unit that is an encoder."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_study import write_study

from xt.errors import DataError
from xt.exposure import encoder_size
from xt.gains import ALL, ScoreCube
from xt.prose import answer_scaling, say_apart
from xt.results import load_scores
from xt.scaling import (
    OF_BASELINE,
    OF_ERROR,
    POINTS,
    check_alike,
    compared_languages,
    flag_cells,
    list_apart,
    load_alike,
    load_sizes,
    mean_by_size,
    scores_by_size,
    size_table,
    tabulate_sizes,
    trend_table,
)

ENCODERS = tuple(f"lab-{size}{seed}" for size in ("small", "base", "large") for seed in ("", "-s1", "-s2"))
LANGUAGES = ("qab", "qac", "qad", "qae", "qaf")
PLACES = {"small": 0, "base": 1, "large": 2}


def make_cubes(target="udpos", baselines=(30.0, 40.0, 50.0), gains=(6.0, 6.0, 6.0), encoders=ENCODERS):
    """One seed each of none, squad and a placebo; the gain of squad and the baseline go with size. qae is at its floor
    in the small encoders, qad near 100 in the large ones."""
    rng, cubes = np.random.default_rng(len(target)), []
    items = rng.normal(0, 0.4, (200, 1, 1, 5))
    for encoder in encoders:
        place = PLACES[encoder.split("-")[1]]
        points = baselines[place] + np.array([0, gains[place], 0.0])[None, :, None] + rng.normal(0, 0.3, (1, 3, 1))
        points = points + np.array([0, 0, 47 if place == 2 else 0, 0, 0])
        floors = np.array([0, 0, 0, 99.0 if place == 0 else 0, 0])
        cubes.append(ScoreCube(encoder, target, ("none", "squad", "mnli_shuffled"), (1,), LANGUAGES, points,
                               points + items, floors, np.full((3, 5), True), np.full(5, 60)))  # fmt: skip
    return cubes


def list_scores(encoders, arms=("none", "squad")):
    """A row per encoder, target and arm."""
    return pd.DataFrame(
        [dict(encoder=name, target="udpos", intermediate=arm) for name in encoders for arm in arms],
        columns=["encoder", "target", "intermediate"],
    )


def test_encoders_that_differ_in_size_alone_are_compared():
    table = size_table(list_scores([*ENCODERS, "lab-english", "lab-tiny", "somebody/unknown", "xlm-roberta-base"]))
    assert sorted(table["encoder"]) == sorted(ENCODERS) and table["size"].is_monotonic_increasing
    assert table["compared"].all()
    hub = size_table(list_scores(["FacebookAI/xlm-roberta-large", "FacebookAI/xlm-roberta-base", "lab-base"]))
    assert hub["encoder"].tolist() == ["FacebookAI/xlm-roberta-base", "FacebookAI/xlm-roberta-large"]
    assert size_table(list_scores(["somebody/unknown"])).empty


def test_an_encoder_whose_runs_have_only_begun_is_left_out_and_takes_nothing_from_the_others():
    scores = pd.concat([list_scores(ENCODERS[:8]), list_scores(ENCODERS[8:], ("none",))])
    table = size_table(scores).set_index("encoder")["compared"]
    assert not table[ENCODERS[8]] and table.drop(ENCODERS[8]).all()
    more = size_table(pd.concat([scores, list_scores(ENCODERS[:1], ("mnli", "multi"))]))
    assert more["compared"].sum() == 8, "an encoder with more runs asks none of the others"


def test_only_cells_that_can_show_a_gain_in_every_encoder_are_compared():
    cubes = make_cubes()
    assert compared_languages(cubes).tolist() == [True, True, False, False, True]
    cells = flag_cells({"udpos": cubes}).set_index(["encoder", "eval_language"])
    assert cells.loc[("lab-small", "qae"), "at_floor"] and not cells.loc[("lab-large", "qae"), "at_floor"]
    assert cells.loc[("lab-large", "qad"), "at_ceiling"] and not cells.loc[("lab-small", "qad"), "at_ceiling"]
    assert cells.groupby("eval_language")["compared"].all().to_dict() == dict(
        qab=True, qac=True, qad=False, qae=False, qaf=True
    )
    trained = [replace(cube, zero_shot=np.array([[True] * 5, [False] + [True] * 4, [True] * 5])) for cube in cubes]
    assert compared_languages(trained).tolist() == [False, True, False, False, True]
    assert scores_by_size({"udpos": cubes}) and scores_by_size({"udpos": trained}) == [], "two languages are too few"


def test_the_same_points_are_a_smaller_share_of_a_higher_score_and_a_larger_one_of_the_error():
    trends = trend_table(scores_by_size({"udpos": make_cubes(), "panx": make_cubes("panx")}))
    primary = trends[(trends["target"] == ALL) & (trends["intermediate"] == "squad")].set_index("measure")
    assert primary.loc[OF_BASELINE, "high"] < 0 < primary.loc[OF_ERROR, "low"]
    assert primary.loc[POINTS, "low"] < 0 < primary.loc[POINTS, "high"]
    assert primary.loc[OF_BASELINE, ["smallest", "largest"]].tolist() == pytest.approx([20, 12], abs=1.5)
    assert (trends["num_encoders"] == 9).all() and (trends["df"] == 7).all() and trends["p"].notna().all()
    assert trends.loc[trends["placebo"].astype(bool), "p_adjusted"].isna().all()


def test_a_relative_gain_over_targets_is_the_ratio_of_the_means_and_no_mean_of_ratios():
    cubes = {"udpos": make_cubes(baselines=(4.0,) * 3), "panx": make_cubes("panx", baselines=(60.0,) * 3)}
    part = next(part for part in scores_by_size(cubes) if part.target == ALL)
    (share,) = tabulate_sizes([part]).query("measure == @OF_BASELINE and intermediate == 'squad'")["value"].iloc[:1]
    base, squad = part.points[0, :2]
    assert share == pytest.approx(100 * (squad - base) / base) and share < 25, "not (150 % + 10 %) / 2"


def test_a_doubling_is_a_doubling_of_parameters():
    gains = scores_by_size({"udpos": make_cubes(gains=(8.0, 6.0, 4.0))})
    row = trend_table(gains).query("target == 'udpos' and intermediate == 'squad' and measure == @POINTS").iloc[0]
    doublings = np.log2(encoder_size("lab-large") / encoder_size("lab-small"))
    assert row["slope"] == pytest.approx(-4 / doublings, abs=0.25) and row["p_adjusted"] < 0.05


def test_three_encoders_have_no_p_and_one_size_no_trend():
    few = trend_table(scores_by_size({"udpos": make_cubes(encoders=("lab-small", "lab-base", "lab-large"))}))
    assert few["p"].isna().all() and few["low"].notna().all() and (few["df"] == 1).all()
    assert trend_table(scores_by_size({"udpos": make_cubes(encoders=ENCODERS[3:6])})).empty


def test_a_mean_over_encoders_has_an_interval_where_a_size_has_several():
    gains = scores_by_size({"udpos": make_cubes()})
    means = mean_by_size(tabulate_sizes(gains))
    row = means.query("target == 'udpos' and intermediate == 'squad' and measure == @POINTS")
    assert row["num_encoders"].tolist() == [3, 3, 3] and (row["high"] > row["value"]).all()
    alone = mean_by_size(tabulate_sizes(scores_by_size({"udpos": make_cubes(encoders=ENCODERS[::3])})))
    assert alone["low"].isna().all() and alone["value"].notna().all()


def test_encoders_scored_on_other_examples_are_refused():
    cubes = make_cubes()
    with pytest.raises(DataError, match="lab-small-s1 was scored .* on other examples than lab-small"):
        check_alike([cubes[0], replace(cubes[1], num_clusters=np.full(5, 59))])
    with pytest.raises(DataError, match="lab-small-s1 was scored after other arms"):
        check_alike([cubes[0], replace(cubes[1], arms=("none", "mnli", "mnli_shuffled"))])


PAIR = ("lab-small", "lab-large")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """(scores of two encoders, four arms and three seeds; the folder of the results; the cubes of all)."""
    folder, arms = tmp_path_factory.mktemp("results"), ("none", "mnli", "squad", "multi")
    for encoder in PAIR:
        write_study(folder, "lab", encoder=encoder, arms=arms, gains={("squad", "udpos"): 0.1}, num_clusters=20,
                    languages={"udpos": ("en", "de", "fr", "nl", "ru")})  # fmt: skip
    scores = load_scores("lab", folder)
    return scores, folder, load_alike(scores, PAIR, np.random.default_rng(1), folder)["udpos"]


def lose(scores, *runs):
    """The scores without these runs, (encoder, arm, seeds) each."""
    for encoder, arm, seeds in runs:
        scores = scores[
            ~((scores["encoder"] == encoder) & (scores["intermediate"] == arm) & scores["seed"].isin(seeds))
        ]
    return scores


@pytest.mark.parametrize(
    ("lost", "arms"),
    [
        ((), ("none", "mnli", "squad", "multi")),
        ((("lab-small", "mnli", [3]), ("lab-large", "squad", [3])), ("none", "multi")),
        ((("lab-large", "multi", [3]),), ("none", "mnli", "squad")),
        ((("lab-small", "squad", [2, 3]),), ("none", "mnli", "multi")),
        ((("lab-small", "squad", [1, 2, 3]),), ("none", "mnli", "multi")),
        (
            (("lab-small", "mnli", [3]), ("lab-small", "multi", [3]), ("lab-large", "mnli", [2, 3]),
             ("lab-large", "multi", [2, 3])),
            ("none", "squad"),
        ),
    ],
)  # fmt: skip
def test_an_arm_that_one_encoder_has_not_finished_is_compared_in_none_and_named(study, lost, arms):
    scores, folder, whole = lose(study[0], *lost), study[1], study[2]
    _, cubes = load_sizes(scores, np.random.default_rng(1), folder)
    for cube, full in zip(cubes["udpos"], whole, strict=True):
        assert cube.arms == arms and cube.seeds == (1, 2, 3), "a seed that only arms left out lack stays"
        assert np.array_equal(cube.points, full.points[:, [full.arms.index(arm) for arm in arms]])
    assert set(trend_table(scores_by_size(cubes))["intermediate"]) == set(arms) - {"none"}
    left = list_apart(scores, PAIR, cubes)
    assert set(left["intermediate"]) == {"none", "mnli", "squad", "multi"} - set(arms)
    assert all(f"{arm} before udpos" in say_apart(left) for arm in left["intermediate"])
    begun = {arm for _, arm, seeds in lost if len(seeds) < 3}
    assert set(left.loc[left["begun"], "intermediate"]) == begun and ("an encoder has no run" in say_apart(left)) == (
        begun != {arm for _, arm, _ in lost}
    )


def test_a_target_without_a_baseline_in_one_encoder_is_named(study):
    scores = lose(study[0], ("lab-small", "none", [1, 2, 3]))
    cubes = load_alike(scores, PAIR, np.random.default_rng(1), study[1])
    left = list_apart(scores, PAIR, cubes)
    assert cubes == {} and set(left["intermediate"]) == {"none", "mnli", "squad", "multi"}
    assert "an encoder has no run: none before udpos" in say_apart(left)
    many = pd.DataFrame(dict(target="udpos", intermediate=[*"abcdefgh"], begun=True))
    assert say_apart(many).endswith(
        "every encoder: " + ", ".join(f"{arm} before udpos" for arm in "abcdefg") + " and h before udpos."
    )
    assert say_apart(many.assign(begun=False)).endswith("f before udpos and 2 more.") and say_apart(many[:0]) == ""


def tell(smallest, largest, slope, of_error=None, p=0.01, df=7):
    """Trends of squad over all targets, reliable by both shares unless said otherwise."""
    row = dict(target=ALL, intermediate="squad", placebo=False, low=np.nan, high=np.nan, p=p, p_adjusted=p, df=df)
    row |= dict(num_encoders=df + 2, smallest=smallest, largest=largest, slope=slope)
    error = row | dict(measure=OF_ERROR, slope=slope if of_error is None else of_error)
    return pd.DataFrame([row | dict(measure=POINTS), row | dict(measure=OF_BASELINE), error])


NO_FALL = "No gain shrinks reliably by both shares."


@pytest.mark.parametrize(
    ("trend", "said"),
    [
        ((8, 2, -2), "Yes, for squad, by either share. "),
        (
            (-12, -2, 3),
            f"{NO_FALL} With size a loss shrinks, by either share, for squad. ",
        ),
        ((-6, 4, 3), f"{NO_FALL} With size a loss turns into a gain"),
        (
            (8, 2, -2, 0.5),
            f"{NO_FALL} It depends on what the gain is divided by for squad.",
        ),
    ],
)
def test_a_gain_that_shrinks_is_no_loss_that_shrinks(trend, said):
    sizes = pd.DataFrame(dict(encoder=["a", "b", "new"], size=[1.0, 2, 4], compared=[True, True, False]))
    answer = answer_scaling(tell(*trend), sizes)
    assert answer.startswith(said) and answer.endswith("Left out, as runs that the others have are missing: new.")
    assert answer_scaling(tell(*trend, p=0.5), sizes).startswith(f"{NO_FALL} With every")
    assert answer_scaling(tell(*trend, p=np.nan, df=1), sizes).startswith("Not decided: 3 encoders give no p value")
    none = answer_scaling(tell(*trend)[:0], sizes)
    assert none.startswith("Not known: a trend needs encoders of two sizes") and "compared here: 2 of 2 sizes" in none
