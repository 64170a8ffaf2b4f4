"""What is compared, what is left out, and that planted gains are found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from statsmodels.stats.multitest import multipletests
from synthetic_study import AT_FLOOR, write_study

from xt.arms import find_arm
from xt.errors import DataError
from xt.gains import (
    ALL,
    TRAINED_IN,
    average_languages,
    average_targets,
    compare_arms,
    compare_means,
    gain_table,
    group_gain_table,
    language_gain_table,
    load_cubes,
    resample,
    trains_on_same_data,
)
from xt.gains.cubes import load_cluster_sums
from xt.item_stats import join_clusters, read_stats
from xt.prose import format_gains
from xt.reported import (
    is_zero_shot,
    list_left_out,
    score_table,
    select_complete,
    select_primary,
    select_reported,
    select_sound,
)
from xt.results import find_stats, load_scores
from xt.stats import ITEMS_ONLY, adjust_holm
from xt.tasks import TASKS

ARMS = ("none", "squad", "hellaswag", "mnli_shuffled")
LANGUAGES = {
    "xquad": ("en", "de", "es", "ru", "zh"), "udpos": ("en", "de", "nl", "fr", "zh"),
    "tatoeba": ("de", "nl", "fr", "zh"),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_study(folder, arms=ARMS, languages=LANGUAGES, num_clusters=100)
    return folder


@pytest.fixture(scope="module")
def scores(results):
    return load_scores("real", results)


@pytest.fixture(scope="module")
def cubes(scores, results):
    return {cube.target: cube for cube in load_cubes(scores, np.random.default_rng(0), results)}


@pytest.fixture(scope="module")
def gains(cubes):
    return gain_table(list(cubes.values())).set_index(["target", "intermediate"])


def test_retrieval_is_compared_at_two_thirds_of_the_depth_from_english(scores):
    rows = select_reported(scores).query("target == 'tatoeba'")
    assert set(rows["layer"]) == {3} and set(rows["direction"]) == {"from_english"}


def test_one_primary_row_per_arm_seed_and_language(scores):
    rows = select_primary(scores)
    assert len(rows) == len(ARMS) * 3 * (5 + 5 + 4)
    assert set(rows.query("target == 'udpos'")["metric"]) == {"token_accuracy"}
    with pytest.raises(DataError, match="rows repeat"):
        select_primary(pd.concat([scores, scores.assign(run_id="again")]))


def test_xtremes_mean_has_english_and_its_own_metrics(scores):
    table = score_table(scores).set_index(["target", "intermediate"])
    rows = scores.query("target == 'xquad' and intermediate == 'squad'")
    assert table.loc[("xquad", "squad"), "xtreme"] == pytest.approx(rows["score"].mean())
    zero_shot = rows.query("eval_language != 'en' and metric == 'f1'")["score"].mean()
    assert table.loc[("xquad", "squad"), "zero_shot"] == pytest.approx(zero_shot)
    chunks = scores.query("target == 'udpos' and intermediate == 'none' and metric == 'chunk_f1'")["score"].mean()
    assert table.loc[("udpos", "none"), "xtreme"] == pytest.approx(chunks)
    assert (table["num_languages"] == 4).all() and (table["num_seeds"] == 3).all()


def test_a_gain_is_the_mean_difference_over_languages_above_the_floor(scores, gains):
    rows = scores.query("target == 'xquad' and metric == 'f1' and eval_language in ['de', 'es', 'ru']")
    means = rows.groupby("intermediate")["score"].mean()
    row = gains.loc[("xquad", "squad")]
    assert row["gain"] == pytest.approx(means["squad"] - means["none"])
    assert row["baseline"] == pytest.approx(means["none"])
    assert row["relative"] == pytest.approx(row["gain"] / means["none"])
    assert row["error_reduction"] == pytest.approx(row["gain"] / (100 - means["none"]))
    assert (row["num_languages"], row["num_at_floor"], row["num_seeds"]) == (3, 1, 3)


def test_planted_gains_are_found_and_nothing_else(gains):
    found = gains[gains["p_holm"] < 0.05]["gain"]
    assert set(found.index) == {("xquad", "squad"), ("tatoeba", "hellaswag")}
    assert found["xquad", "squad"] == pytest.approx(15, abs=4) and found["tatoeba", "hellaswag"] < -5
    assert gains.loc[("xquad", "squad"), "low"] < 15 < gains.loc[("xquad", "squad"), "high"]


def test_placebo_arms_are_tested_but_outside_the_family(gains):
    placebo = gains.xs("mnli_shuffled", level="intermediate")
    assert placebo["placebo"].all() and placebo["p"].notna().all() and placebo["p_holm"].isna().all()
    assert (gains["p_holm"].dropna() >= gains["p"][gains["p_holm"].notna()]).all()


def test_the_family_is_the_tasks_tried_on_an_encoder_and_target(gains):
    for _, rows in gains[~gains["placebo"]].groupby(level="target"):
        assert len(rows) == 2 and np.allclose(rows["p_holm"], adjust_holm(rows["p"].to_numpy()))
        assert rows["p_holm"].min() == pytest.approx(2 * rows["p"].min())


def test_training_twice_on_the_same_data_is_marked(gains):
    assert set(gains.index[gains["same_data"]]) == {("xquad", "squad")}


def test_the_floor_is_decided_once_for_all_arms(cubes):
    for cube in cubes.values():
        at_floor = dict(zip(cube.languages, cube.at_floor, strict=True))
        assert at_floor.pop(AT_FLOOR) and not any(at_floor.values())
    languages = language_gain_table(list(cubes.values()))
    assert (languages.groupby(["target", "eval_language"])["at_floor"].nunique() == 1).all()
    assert languages["p_bh"].isna().equals(languages["at_floor"] | languages["placebo"])


def test_p_of_languages_is_adjusted_over_the_arms_and_languages_of_a_target(cubes):
    for cube in cubes.values():
        rows = language_gain_table([cube])
        tested = rows[~rows["placebo"] & ~rows["at_floor"]]
        assert len(tested) == 2 * 3 and rows["p_bh"].notna().sum() == 6
        np.testing.assert_allclose(tested["p_bh"], multipletests(tested["p"], method="fdr_bh")[1])


def test_scores_of_languages_have_95_percent_intervals_over_item_clusters(cubes):
    cube = cubes["udpos"]
    rows = language_gain_table([cube]).drop_duplicates("eval_language")
    drawn = cube.resampled.mean(axis=(1, 2))
    reach = t.ppf(0.975, 99) * drawn.std(axis=0) * np.sqrt(100 / 99)
    np.testing.assert_allclose(rows["score_high"] - rows["score"], reach)
    np.testing.assert_allclose(rows["score"] - rows["score_low"], reach)


def test_items_that_move_an_arm_and_the_baseline_alike_are_no_doubt_about_the_gain(cubes):
    cube = cubes["xquad"]
    moved = np.random.default_rng(4).normal(0, 5, (300, 1, 1, 1)) + np.zeros((1, *cube.points.shape))
    alike = replace(cube, resampled=cube.points + moved)
    assert compare_arms(alike, ~cube.at_floor).item_error == pytest.approx(0, abs=1e-9)


def test_a_score_that_equals_its_rounded_floor_is_at_it(cubes):
    constant = np.full_like(cubes["udpos"].resampled, 100 / 3)
    exact = replace(cubes["udpos"], points=constant[0], resampled=constant, floors=np.full(4, 33.3333))
    assert exact.at_floor.all() and not replace(exact, floors=np.full(4, 33.3)).at_floor.any()


def test_languages_at_chance_do_not_pass_as_above_their_floor_because_there_are_many(cubes):
    """One in forty passes for itself; the arm that was trained in a language tells nothing of the zero-shot ones."""
    rng, shape = np.random.default_rng(3), (3, 4, 400)
    error = rng.normal(0, 2, 400)
    chance = replace(
        cubes["udpos"], languages=tuple(map(str, range(400))), points=50 + error + np.zeros(shape),
        resampled=50 + error + rng.normal(0, 2, (300, 1, 1, 400)) + np.zeros((1, *shape[:2], 1)),
        floors=np.full(400, 50.0), zero_shot=np.ones((4, 400), bool), num_clusters=np.full(400, 200),
    )  # fmt: skip
    alone = chance.points.mean(axis=(0, 1)) > 50 + 1.97 * chance.level[1]
    assert alone.sum() > 3 and chance.at_floor.all()
    taught = np.where(np.arange(4)[:, None] == 3, 60.0, 0.0) * (np.arange(400) < 9)
    seen = replace(chance, points=chance.points + taught, zero_shot=taught == 0)
    assert seen.at_floor.all() and not replace(seen, zero_shot=chance.zero_shot).at_floor[:9].any()
    unknown = replace(chance, floors=np.where(np.arange(400) == 7, np.nan, 50.0))
    assert unknown.floor_unknown.nonzero()[0].tolist() == [7] == (~unknown.at_floor).nonzero()[0].tolist()


def test_a_score_of_few_clusters_is_known_less_well(cubes):
    few, many = (replace(cubes["udpos"], num_clusters=np.full(4, count)).level for count in (5, 100))
    assert (few[2] == 4).all() and few[1] ** 2 == pytest.approx(many[1] ** 2 * (5 / 4) / (100 / 99))


def test_a_target_all_at_its_floor_has_no_gain(cubes):
    row = gain_table([replace(cubes["udpos"], floors=np.full(4, 99.0))]).iloc[0]
    assert row["num_languages"] == 0 and row["num_at_floor"] == 4 and "gain" not in row.dropna()


@pytest.mark.parametrize(("target", "jointly"), [("xnli", True), ("mlqa", True), ("tatoeba", False)])
def test_items_of_a_parallel_task_are_drawn_jointly(target, jointly):
    correct = pd.Series(np.arange(40) % 3 == 0, index=[f"c{n}" for n in range(40)]).astype(int)
    twins = pd.concat({"de": correct, "fr": correct}, names=["eval_language", "cluster"])
    sums = pd.DataFrame({(1, "none", "correct"): twins, (1, "none", "count"): 1})
    points = resample(sums, ("fr", "de"), TASKS[target], (1, 1), np.random.default_rng(0), 50)
    assert points.shape == (50, 1, 1, 2) and points.std() > 1
    assert (points[..., 0] == points[..., 1]).all() == jointly


def test_passages_that_share_a_question_in_some_language_are_one_cluster():
    rows = [("en", "q1", "a"), ("en", "q2", "a"), ("en", "q3", "b"), ("de", "q2", "x"), ("de", "q4", "x")]
    rows += [("es", "q4", "m"), ("es", "q5", "n"), ("hi", "q3", "a")]
    items = pd.DataFrame(rows, columns=["eval_language", "id", "cluster"], index=range(10, 18))
    joined = join_clusters(items)
    linked = joined.groupby(joined).groups.values()
    assert sorted(map(sorted, linked)) == [[10, 11, 13, 14, 15], [12, 17], [16]]


def test_the_sums_of_mlqa_stand_by_joined_clusters(tmp_path):
    write_study(tmp_path, arms=("none",), seeds=(1,), languages={"mlqa": ("de", "es")}, cluster_size=3)
    rows = select_primary(load_scores("real", tmp_path))
    items = read_stats(find_stats("real", rows["run_id"].iloc[0], tmp_path))
    sums = load_cluster_sums(rows, (1,), ("none",), tmp_path)
    by_cluster = items.groupby(["eval_language", join_clusters(items)])["mlqa_f1.f1"].sum()
    assert sums[1, "none", "mlqa_f1.f1"].to_dict() == by_cluster.to_dict()


def test_the_mean_of_resamples_is_the_score(cubes):
    for cube in cubes.values():
        np.testing.assert_allclose(cube.resampled.mean(axis=0), cube.points, atol=0.8)


def test_runs_on_other_examples_are_refused(tmp_path):
    write_study(tmp_path, arms=("none",), languages={"udpos": ("de", "nl")}, num_clusters=9)
    write_study(tmp_path, arms=("squad",), languages={"udpos": ("de", "nl")}, num_clusters=10)
    with pytest.raises(DataError, match="cluster 'c9' of de is not in all"):
        load_cubes(load_scores("real", tmp_path), np.random.default_rng(0), tmp_path)


@pytest.mark.parametrize(("missing", "arms", "seeds"), [
    ("intermediate == 'squad' and seed == 2 and eval_language == 'de'", set(ARMS) - {"squad"}, {1, 2, 3}),
    ("intermediate == 'squad' and eval_language == 'de'", set(ARMS) - {"squad"}, {1, 2, 3}),
    ("intermediate != 'none' and seed == 3 and intermediate != 'squad'", set(ARMS), {1, 2}),
    ("intermediate == 'none' and seed == 2", set(ARMS), {1, 3}),
    ("intermediate == 'none' and eval_language == 'de'", set(ARMS), {1, 2, 3}),
    ("seed == 2 and intermediate == 'hellaswag' or seed == 3", set(ARMS) - {"hellaswag"}, {1, 2}),
])  # fmt: skip
def test_an_unfinished_arm_costs_neither_the_seed_nor_the_other_arms(scores, missing, arms, seeds):
    rows = select_primary(scores)
    lacking = rows.drop(rows.query(f"target == 'udpos' and ({missing})").index)
    kept = select_complete(lacking)
    own = kept[kept["target"] == "udpos"]
    assert set(own["intermediate"]) == arms and set(own["seed"]) == seeds
    assert own.groupby(["intermediate", "seed"]).size().nunique() == 1
    assert len(kept) - len(own) == (rows["target"] != "udpos").sum(), "no other target loses a row"
    made = lacking.drop_duplicates("run_id")
    assert len(list_left_out(scores.loc[lacking.index])) == len(made) - kept["run_id"].nunique()


def test_a_seed_with_a_collapsed_run_is_told_apart(scores):
    rows = select_primary(scores)
    rows = rows.assign(outcome=rows["outcome"].where(rows["run_id"] != "xquad-none-s3", "collapsed"))
    sound = select_sound(rows)
    assert set(sound.query("target == 'xquad'")["seed"]) == {1, 2}
    assert len(rows) - len(sound) == len(ARMS) * 5


def test_one_seed_gives_no_row_where_two_are_asked_for(scores, results):
    cubes = load_cubes(scores[scores["seed"] == 1], np.random.default_rng(0), results)
    assert gain_table(cubes).empty
    assert language_gain_table(cubes).empty


def test_two_seeds_have_intervals_over_items_and_no_p(scores, results):
    cubes = load_cubes(scores[scores["seed"] < 3], np.random.default_rng(0), results)
    table = gain_table(cubes)
    assert table["p"].isna().all() and table["low"].notna().all() and set(table["kind"]) == {ITEMS_ONLY}


def test_a_language_that_an_arm_was_trained_in_is_left_out_of_that_arms_gain_and_marked(tmp_path):
    languages = {"xquad": ("en", "de", "es", "fr", "ru")}
    write_study(tmp_path, arms=("none", "mnli", "mnli.de"), languages=languages, num_clusters=40)
    cubes = load_cubes(load_scores("real", tmp_path), np.random.default_rng(0), tmp_path, 200)
    gains = gain_table(cubes).set_index("intermediate")
    assert gains["num_languages"].to_dict() == {"mnli": 4, "mnli.de": 3}
    assert gains["num_trained_in"].to_dict() == {"mnli": 0, "mnli.de": 1}
    points, others = cubes[0].points, [code != "de" for code in cubes[0].languages]
    own = (points[:, cubes[0].arms.index("mnli.de"), others] - points[:, 0, others]).mean()
    assert gains.loc["mnli.de", "gain"] == pytest.approx(own)
    languages = language_gain_table(cubes).set_index(["intermediate", "eval_language"])["zero_shot"]
    assert list(languages.index[~languages]) == [("mnli.de", "de")]
    trained_in_all = replace(cubes[0], zero_shot=cubes[0].zero_shot & [[True], [True], [False]])
    assert list(gain_table([trained_in_all])["lacking"]) == ["", TRAINED_IN]
    assert list(group_gain_table([trained_in_all])["lacking"]) == ["", "", *["xquad (trained in)"] * 2]
    assert score_table(load_scores("real", tmp_path))["num_languages"].tolist() == [4, 3, 4]
    assert list(format_gains(gains.reset_index())["not zero-shot"]) == [0, 1]


@pytest.mark.parametrize(
    ("trained", "language", "new"),
    [("de+fr", "fr", False), ("de+fr", "f", True), ("de", "en", False), (None, "de", True), ("", "en", False)],
)
def test_what_was_trained_in_before_or_on_the_target_is_not_zero_shot(trained, language, new):
    row = {"intermediate_language": [trained], "train_language": ["en"], "eval_language": [language]}
    assert is_zero_shot(pd.DataFrame(row)).tolist() == [new]


@pytest.mark.parametrize(
    ("arm", "targets"),
    [
        ("mnli", {"xnli"}),
        ("mnli.de", {"xnli"}),
        ("squad", {"xquad"}),
        ("own_squad", {"xnli", "udpos", "xquad", "tydiqa"}),
        ("hellaswag", set()),
        ("none", set()),
        ("somebodys_own", set()),
    ],
)
def test_shared_data_is_found_in_the_task_table(arm, targets):
    shown = ("xnli", "udpos", "xquad", "tydiqa", "tatoeba")
    assert {target for target in shown if trains_on_same_data(arm, target)} == targets


@pytest.mark.parametrize(
    ("arm", "target"),
    [("anli_plus", "xnli"), ("squad_v2", "xquad"), ("squad_v2", "mlqa"), ("squad", "lareqa"), ("multi", "xnli"),
     ("multi", "lareqa"), ("mnli_translated", "americasnli")],
)  # fmt: skip
def test_shared_data_of_versions_and_mixtures(arm, target):
    if not {target, *find_arm(arm).tasks} <= set(TASKS):
        pytest.skip("a task of this arm has no row yet")
    assert trains_on_same_data(arm, target) and not trains_on_same_data(arm, "udpos")


@pytest.fixture(scope="module")
def groups(cubes):
    return group_gain_table(list(cubes.values())).set_index(["intermediate", "group"])


def test_contributions_of_the_groups_add_up_to_the_gain_over_all_targets(groups, gains):
    parts = groups.drop(ALL, level="group")
    for arm in ("squad", "hellaswag", "mnli_shuffled"):
        overall = groups.loc[(arm, ALL)]
        assert parts.loc[arm, "contribution"].sum() == pytest.approx(overall["gain"])
        assert overall["gain"] == pytest.approx(gains.xs(arm, level="intermediate")["gain"].mean())
        assert overall["targets"] == "udpos, xquad, tatoeba" and overall["num_seeds"] == 3
    assert groups.loc[("squad", "QA"), "low"] == pytest.approx(gains.loc[("xquad", "squad"), "low"])


def test_groups_are_of_the_seeds_that_all_targets_of_an_arm_have(cubes):
    two = replace(cubes["udpos"], seeds=(1, 3), points=cubes["udpos"].points[[0, 2]],
                  resampled=cubes["udpos"].resampled[:, [0, 2]])  # fmt: skip
    table = group_gain_table([cubes["xquad"], two]).set_index(["intermediate", "group"])
    assert (table["num_seeds"] == 2).all() and set(table["kind"]) == {ITEMS_ONLY}
    points = cubes["xquad"].points[[0, 2]][:, :2, ~cubes["xquad"].at_floor].mean(axis=-1)
    assert table.loc[(cubes["xquad"].arms[1], "QA"), "gain"] == pytest.approx(np.diff(points).mean())


def test_targets_without_a_value_are_named_with_the_reason(cubes):
    xquad = cubes["xquad"]
    keep = [place for place, arm in enumerate(xquad.arms) if arm != "hellaswag"]
    shorter = replace(
        xquad, arms=tuple(xquad.arms[place] for place in keep), points=xquad.points[:, keep],
        resampled=xquad.resampled[:, :, keep], zero_shot=xquad.zero_shot[keep],
    )  # fmt: skip
    at_floor = replace(cubes["udpos"], floors=np.full(len(cubes["udpos"].languages), 99.0))
    two = replace(cubes["tatoeba"], floors=np.where(np.arange(4) == 0, 99.0, cubes["tatoeba"].floors))
    assert set(group_gain_table([two])["lacking"]) == {"tatoeba (above its floor in fewer than 3 languages)"}
    assert gain_table([two])["gain"].notna().all(), "the target for itself is shown"
    table = group_gain_table([at_floor, shorter, cubes["tatoeba"]]).set_index(["intermediate", "group"])
    row = table.loc[("hellaswag", ALL)]
    assert (row["targets"], row["lacking"]) == ("tatoeba", "udpos (at its floor), xquad (no run)")
    assert np.isnan(table.loc[("hellaswag", "QA"), "gain"]) and table.loc[("squad", "QA"), "num_targets"] == 1
    assert np.isnan(table.loc[("mnli_shuffled", ALL), "p_holm"]) and table.loc[("mnli_shuffled", ALL), "placebo"]


def test_a_mean_is_known_as_well_as_the_part_with_fewest_clusters_and_untrained_where_one_is(cubes):
    trained, untrained = (
        replace(cubes[target], num_clusters=np.array(counts))
        for target, counts in (("xquad", [60, 20, 40, 90]), ("tatoeba", [30, 50, 70, 80]))
    )
    first, three = np.arange(4) == 0, np.arange(4) < 3
    assert average_languages(trained, first).num_clusters == 60 and average_languages(trained, three).num_clusters == 20
    both = average_targets([trained, untrained], [first, three])
    assert both.num_clusters == 30 and both.untrained and not average_targets([trained], [first]).untrained
    unknown = average_targets([trained, replace(untrained, resampled=None)], [first, three])
    assert unknown.resampled is None and unknown.num_clusters == np.inf and unknown.untrained


def test_a_mean_over_targets_puts_each_seed_and_arm_beside_itself(cubes):
    """Also where one target has them in another order, or more of them."""
    cube = cubes["xquad"]
    order, above = [2, 0, 3, 1], np.ones(4, bool)
    other = replace(cube, arms=tuple(np.array(cube.arms)[order]), points=cube.points[:, order],
                    resampled=cube.resampled[:, :, order])  # fmt: skip
    fewer = replace(other, seeds=(3, 1), points=other.points[[2, 0]], resampled=other.resampled[:, [2, 0]])
    alone, both = average_languages(cube, above), average_targets([cube, fewer], [above, above])
    assert both.seeds == (1, 3) and both.arms == cube.arms
    np.testing.assert_allclose(both.points, alone.points[[0, 2]])
    np.testing.assert_allclose(both.resampled, alone.resampled[:, [0, 2]])
    parts = [cube, cubes["tatoeba"]]
    points = np.mean([average_languages(part, above).points for part in parts], axis=0)
    np.testing.assert_allclose(average_targets(parts, [above, above]).points, points)


def test_what_a_seed_does_to_all_targets_stays_in_their_mean(cubes):
    """One intermediate training feeds all targets: its luck does not average out over them."""
    cube = cubes["xquad"]
    luck = np.zeros_like(cube.points)
    luck[:, cube.arms.index("squad")] += np.array([-6.0, 0.0, 6.0])[:, None]
    moved, above = replace(cube, points=cube.points + luck), ~cube.at_floor
    twice = compare_means(average_targets([moved, moved], [above, above]))
    once = compare_means(average_targets([moved], [above]))
    assert twice.seed_sd == pytest.approx(once.seed_sd) and twice.seed_sd > 2


def test_item_noise_of_one_seed_is_not_counted_as_if_every_seed_had_it(cubes):
    """Arms whose answers differ by chance alone: nothing is left of items once each seed's own part is taken out."""
    cube = cubes["xquad"]
    gains = cube.resampled[:, :, 1:].mean(axis=-1) - cube.resampled[:, :, :1].mean(axis=-1)
    counted_before = gains.mean(axis=1).std(axis=0)
    assert (compare_arms(cube, ~cube.at_floor).item_error < 0.6 * counted_before).all()
    assert (cube.num_clusters == 100).all()


def test_which_languages_count_does_not_depend_on_what_else_is_loaded(tmp_path):
    write_study(tmp_path, arms=("none", "squad"), seeds=(1, 2), num_clusters=6)
    scores = load_scores("real", tmp_path)
    together = load_cubes(scores, np.random.default_rng(1), tmp_path)
    alone = [
        load_cubes(scores[scores["target"] == cube.target], np.random.default_rng(1), tmp_path)[0] for cube in together
    ]
    assert len(together) > 1
    assert all(np.array_equal(one.resampled, other.resampled) for one, other in zip(together, alone, strict=True))
