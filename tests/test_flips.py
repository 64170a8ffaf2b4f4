"""Flips are counted as defined, and what only seeds do is not taken for the task's doing."""

from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from synthetic_study import LANGUAGES, write_study

from xt.errors import DataError
from xt.flips import (
    FIRMNESS,
    Rights,
    checkpoint_table,
    count_flips,
    firmness_table,
    flip_table,
    infer_repeated,
    is_right,
    language_flip_table,
    load_rights,
    take_out_seeds,
)
from xt.gains import load_cubes
from xt.metrics import METRICS
from xt.results import load_scores
from xt.stats import ITEMS_ONLY, SEEDS_AND_ITEMS

ARMS = ("none", "squad", "mnli_shuffled")


def rights_of(right, languages=("de",), arms=None, target="xnli", clusters=None, compared=None):
    """Rights from an array (S, K, L, I) of as many items per language."""
    right = np.asarray(right, bool)
    seeds, num_arms, _, num_items = right.shape
    codes = np.repeat(languages, num_items)
    names = np.tile([str(n) for n in range(num_items)], len(languages))
    items = pd.DataFrame({"eval_language": codes, "id": names, "cluster": names})
    if clusters is not None:
        items["cluster"] = np.tile(np.asarray(clusters, dtype=str), len(languages))
    arms = arms or ARMS[:num_arms]
    everywhere = {code: np.ones(num_arms, bool) for code in languages if code != "en"}
    trained = "en" if "en" in languages else ""
    seeds = tuple(range(1, seeds + 1))
    right = right.reshape(*right.shape[:2], -1)
    return Rights("mini", target, arms, seeds, items, right, trained, everywhere if compared is None else compared)


def test_flips_lost_won_and_those_of_another_seed():
    base = [[1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]]
    arm = [[1, 1, 0, 0, 1, 0, 0, 0], [1, 1, 0, 0, 1, 1, 1, 0]]
    (row,) = flip_table([rights_of([[[b], [a]] for b, a in zip(base, arm, strict=True)])]).to_dict("records")
    assert (row["right"], row["by_seed"]) == (100 * 7 / 16, 100 / 8)
    assert (row["lost"], row["won"], row["flips"]) == (100 * 3 / 16, 100 * 4 / 16, 100 * 7 / 16)
    assert row["repeated"] == 100 * 2 / 8  # items 2 and 4 flip alike at both seeds
    assert row["across"] == 100 * (4 + 3) / 16  # items 2, 4, 5, 6 and (the other way) 2, 3, 4
    assert (row["num_languages"], row["num_items"], row["num_seeds"]) == (1, 8, 2)


def test_a_flip_that_the_next_seed_undoes_counts_against():
    right = [[[[1, 0]], [[0, 0]]], [[[0, 0]], [[1, 0]]]]
    assert flip_table([rights_of(right)])["repeated"].tolist() == [-50.0]


def test_languages_weigh_alike_and_those_at_their_floor_or_trained_in_are_left_out():
    right = np.zeros((3, 3, 4, 10), bool)
    right[:, 1, 1], right[:, 1, 2], right[:, 1, 3] = True, False, True  # (en), de: all won, fr: none; zh is no cell
    compared = {"de": np.array([True, True, True]), "fr": np.array([True, True, False])}
    table = flip_table([rights_of(right, ("en", "de", "fr", "zh"), compared=compared)])
    assert table["won"].tolist() == [50.0, 0.0] and table["num_languages"].tolist() == [2, 1]
    assert table["num_items"].tolist() == [20, 10]
    by_language = language_flip_table([rights_of(right, ("en", "de", "fr", "zh"), compared=compared)])
    assert by_language[["intermediate", "eval_language"]].to_numpy().tolist() == [
        ["squad", "de"], ["mnli_shuffled", "de"], ["squad", "fr"]]  # fmt: skip
    assert by_language["won"].tolist() == [100.0, 0.0, 0.0]


def test_where_no_language_is_left_the_row_stays_and_says_nothing():
    (row,) = flip_table([rights_of(np.ones((3, 2, 1, 4)), compared={})]).to_dict("records")
    assert row["intermediate"] == "squad" and pd.isna(row["flips"]) and pd.isna(row["p_holm"])


@pytest.mark.parametrize(("seeds", "kind", "known"), [(1, "one seed", False), (2, ITEMS_ONLY, True)])
def test_few_seeds_are_said_and_give_no_p(seeds, kind, known):
    right = np.random.default_rng(0).random((seeds, 3, 2, 40)) < 0.5
    table = flip_table([rights_of(right, ("de", "fr"))])
    assert set(table["kind"]) == {kind} and table["p"].isna().all() and table["p_holm"].isna().all()
    assert table[["repeated", "low", "by_seed"]].notna().all(axis=None) == known and table["flips"].notna().all()


def simulate(rng, num_seeds=3, effect=0.0, num_arms=4, num_items=60, languages=("de", "fr", "sw"), own=0.4):
    """Rights of a study in which a seed moves all of a run's languages (a run's part by `own`), and an arm moves items
    for good by `effect`, the same for all arms or one for each."""
    shape = (num_seeds, num_arms, len(languages), num_items)
    hard = rng.normal(0, 1.5, shape[-1]) + rng.normal(0, 0.5, shape[2:])
    seed = 0.4 * rng.normal(0, 1, (num_seeds, 1, 1, 1)) + own * rng.normal(0, 1, (num_seeds, num_arms, 1, 1))
    effects = np.append(0.0, np.broadcast_to(effect, num_arms - 1))[:, None, None]
    moved = effects * rng.normal(0, 1, (1, num_arms, *shape[2:]))
    arms = ("none", *(f"arm{n}" for n in range(1, num_arms)))
    return rights_of(hard + seed + moved + rng.normal(0, 1, shape) > 0, languages, arms)


@pytest.mark.parametrize(("num_seeds", "own"), [(3, 1.2), (5, 0.4)])
def test_where_only_seeds_differ_nothing_is_found(num_seeds, own):
    rng = np.random.default_rng(num_seeds)
    tables = pd.concat([flip_table([simulate(rng, num_seeds, own=own, num_arms=10)]) for _ in range(50)])
    by_study = tables[["p_holm", "repeated"]].to_numpy().reshape(50, -1, 2)
    assert (tables["p"] < 0.05).mean() < 0.05 and (by_study[..., 0].min(axis=1) < 0.05).mean() < 0.07
    means = by_study[..., 1].mean(axis=1)
    assert abs(means.mean()) < 3 * means.std() / 50**0.5 and tables["flips"].mean() > 20
    assert ((tables["low"] <= 0) & (tables["high"] >= 0)).mean() > 0.95
    assert set(tables["kind"]) == {SEEDS_AND_ITEMS}


def test_the_interval_covers_what_an_arm_does_beside_arms_that_do_nothing():
    rng = np.random.default_rng(4)
    tables = [flip_table([simulate(rng, effect=(2.0, 0.0, 0.0), own=0.2)]).iloc[0] for _ in range(50)]
    truth = np.mean([row["repeated"] for row in tables])
    assert np.mean([row["low"] <= truth <= row["high"] for row in tables]) > 0.93


def test_what_an_arm_changes_for_good_is_found_and_measured_without_bias():
    rng = np.random.default_rng(3)
    few = pd.concat([flip_table([simulate(rng, 3, effect=2.5)]) for _ in range(40)])
    many = pd.concat([flip_table([simulate(rng, 12, effect=2.5)]) for _ in range(15)])
    assert (few["p"] < 0.05).mean() > 0.5
    assert few["repeated"].mean() == pytest.approx(many["repeated"].mean(), rel=0.1)


def test_placebo_arms_stand_outside_the_family():
    right = np.random.default_rng(5).random((3, 4, 1, 40)) < 0.5
    table = flip_table([rights_of(right, arms=("none", "squad", "mnli", "mnli_shuffled"))])
    assert table["p"].notna().all() and table["placebo"].tolist() == [False, False, True]
    assert table["p_holm"].isna().tolist() == [False, False, True]
    assert table["p_holm"].min() == pytest.approx(min(1, 2 * table["p"][:2].min())), "a family of two"


@pytest.mark.parametrize(("target", "factor"), [("xnli", 1.0), ("mlqa", 1.0), ("tydiqa", 0.5)])
def test_parallel_items_vary_together_and_others_by_language(target, factor):
    rng = np.random.default_rng(6)
    one = rng.random((2, 2, 1, 50)) < 0.5
    alone = flip_table([rights_of(one, target=target)])
    both = flip_table([rights_of(np.repeat(one, 2, axis=2), ("de", "fr"), target=target)])
    widths = [(table["high"] - table["low"]).item() for table in (alone, both)]
    assert widths[1] / widths[0] == pytest.approx(factor**0.5)


def test_the_interval_over_items_is_that_of_a_mean_over_clusters():
    rng = np.random.default_rng(7)
    right = np.repeat(rng.random((2, 2, 1, 30)) < 0.5, 3, axis=3)  # clusters of three that are all alike
    table = flip_table([rights_of(right, clusters=np.repeat(np.arange(30), 3))])
    changes = right[:, 1, 0, ::3].astype(int) - right[:, 0, 0, ::3]
    error = 100 * (changes[0] * changes[1]).std(ddof=1) / 30**0.5
    assert (table["high"] - table["low"]).item() / 2 == pytest.approx(1.959964 * error)


@pytest.mark.parametrize("num_seeds", [3, 5])
def test_the_variance_over_seeds_is_the_jackknifes(num_seeds):
    rng = np.random.default_rng(8)
    by_pair = rng.normal(0, 1, (2, num_seeds * (num_seeds - 1) // 2))
    pairs = list(combinations(range(num_seeds), 2))
    without = np.array([by_pair[:, [seed not in pair for pair in pairs]].mean(axis=1) for seed in range(num_seeds)])
    jackknife = (num_seeds - 1) / num_seeds * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    pseudo = take_out_seeds(by_pair, num_seeds)
    assert pseudo.var(axis=0, ddof=1) / num_seeds == pytest.approx(jackknife)
    alone = infer_repeated(by_pair[:1], np.zeros(1), 9.0, num_seeds)
    half = student.ppf(0.975, num_seeds - 1) * jackknife[0] ** 0.5
    assert alone["repeated"] == by_pair[0].mean()
    assert (alone["high"] - alone["repeated"]) == pytest.approx(half, rel=1e-4)


def test_what_examples_add_at_one_pair_of_seeds_is_counted_once():
    rng = np.random.default_rng(9)
    right = rng.random((3, 2, 1, 400)) < 0.5  # nothing but noise of single runs: pairs of seeds share none of it
    counts = count_flips(rights_of(right))
    products = 100 * (lambda d: np.array([d[0] * d[1], d[0] * d[2], d[1] * d[2]]))(
        right[:, 1, 0] * 1.0 - right[:, 0, 0]
    )
    pairs = np.cov(products)[np.triu_indices(3, 1)] / 400
    assert counts.covariance.item() == pytest.approx(pairs.mean())


def test_two_checkpoints_are_compared_where_examples_are_independent():
    right = np.zeros((2, 3, 1, 30), bool)
    right[0, 1, :, :12], right[0, 0, :, 10:12], right[1, 0] = True, True, True
    table = checkpoint_table([rights_of(right)])
    assert table[["intermediate", "lost", "won", "num_items"]].to_numpy().tolist() == [
        ["squad", 0, 10, 30], ["mnli_shuffled", 2, 0, 30]]  # fmt: skip
    assert table["p"].tolist() == pytest.approx([2 * 0.5**10, 0.5]) and table["p_bh"].isna().tolist() == [False, True]
    assert checkpoint_table([rights_of(right, clusters=np.repeat(range(15), 2))]).empty


def test_firm_and_wavering_examples():
    base = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])
    arm = np.array([[0, 1, 1, 0], [1, 1, 1, 0]])
    table = firmness_table([rights_of(np.stack([base, arm], axis=1)[:, :, None])]).set_index("firmness")
    assert table["share"].to_dict() == dict(zip(FIRMNESS, (25.0, 50.0, 25.0), strict=True))
    assert table["flips"].to_dict() == dict(zip(FIRMNESS, (50.0, 50.0, 0.0), strict=True))
    assert table["share_of_flips"].round(1).to_dict() == dict(zip(FIRMNESS, (33.3, 66.7, 0.0), strict=True))
    assert firmness_table([rights_of(np.ones((1, 2, 1, 4)))]).empty


def test_languages_of_any_size_weigh_alike_among_firm_examples():
    right = np.array([[[1, 1, 1, 1, 0]], [[1, 1, 1, 1, 0]]] * 2).reshape(2, 2, 1, 5).astype(bool)
    one = rights_of(right)
    one.items["eval_language"] = ["de"] * 4 + ["fr"]
    one.compared["fr"] = np.ones(2, bool)
    assert firmness_table([one])["share"].tolist() == [50.0, 0.0, 50.0]


def test_an_example_is_right_with_full_marks_and_where_nothing_was_to_be_found():
    spans = pd.DataFrame({"span_f1.tp": [2, 1, 0, 0], "span_f1.predicted": [2, 1, 0, 1], "span_f1.gold": [2, 2, 0, 0]})
    assert is_right(spans.to_numpy(float), METRICS["span_f1"]).tolist() == [True, False, True, False]
    answers = pd.DataFrame({"f1.f1": np.array([1, 0.99, 0], np.float32), "f1.count": 1})
    assert is_right(answers.to_numpy(float), METRICS["f1"]).tolist() == [True, False, False]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    chosen = {target: LANGUAGES[target] for target in ("xnli", "panx", "xquad", "tatoeba")}
    write_study(folder, arms=("none", "squad"), num_clusters=30, languages=chosen)
    return folder


def test_rights_are_those_of_the_committed_statistics(results):
    scores = load_scores("real", results)
    rights, lacking = load_rights(load_cubes(scores, np.random.default_rng(1), results), scores, results)
    assert {one.target for one in rights} == {"xnli", "panx", "xquad", "tatoeba"} and not lacking
    (xnli,) = (one for one in rights if one.target == "xnli")
    assert xnli.train_language == "en" and set(xnli.items["eval_language"]) == set(LANGUAGES["xnli"])
    assert "zh" not in xnli.compared, "at its floor"
    german = scores[(scores["target"] == "xnli") & (scores["eval_language"] == "de")]
    share = 100 * xnli.right[:, :, (xnli.items["eval_language"] == "de").to_numpy()].mean(axis=2)
    for row in german.itertuples():
        seed, arm = xnli.seeds.index(row.seed), xnli.arms.index(row.intermediate)
        assert share[seed, arm] == pytest.approx(row.score, abs=1e-3)


def test_targets_without_statistics_are_named(results, monkeypatch):
    scores = load_scores("real", results)
    cubes = load_cubes(scores, np.random.default_rng(1), results)
    monkeypatch.setattr("xt.flips.has_stats", lambda study, run_id, results: not run_id.startswith("panx"))
    rights, lacking = load_rights(cubes, scores, results)
    assert lacking == ["panx"] and "panx" not in {one.target for one in rights}


def test_runs_on_other_examples_are_refused_and_another_order_is_not(results, monkeypatch):
    from xt import flips

    scores = load_scores("real", results)
    scores = scores[scores["target"] == "xquad"]
    cubes, read = load_cubes(scores, np.random.default_rng(1), results), flips.read_columns
    (before,), _ = load_rights(cubes, scores, results)

    def read_changed(path, *args, name, rows, **where):
        items, stats = read(path, *args, **where)
        return (items[rows], stats[rows]) if name in path.name else (items, stats)

    monkeypatch.setattr(flips, "read_columns", partial(read_changed, name="squad", rows=slice(None, None, -1)))
    (after,), _ = load_rights(cubes, scores, results)
    assert (after.right == before.right).all() and after.items.equals(before.items)
    monkeypatch.setattr(flips, "read_columns", partial(read_changed, name="squad-s2", rows=slice(1, None)))
    with pytest.raises(DataError, match="squad-s2.*other examples"):
        load_rights(cubes, scores, results)
