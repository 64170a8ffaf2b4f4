"""Frames and score rows of ranking, of selection data and of the floors by chance; whole runs on the fixtures."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from xt import store
from xt.errors import DataError
from xt.evaluate import frame_of, join_pools, primary_score
from xt.floors import CHANCE, expected_precision, floor_scores
from xt.metrics import METRICS
from xt.metrics.ranking import average_precision
from xt.parameters import retrieval_configs, target_configs
from xt.scoring import score_selection
from xt.tasks import get_task, read_evaluation, read_training
from xt.tasks.examples import Candidate, Query
from xt.tasks.reading import EvaluationData
from xt.transfer import build_accelerator, run_block

SHARED = dict(encoder="tiny", root="fixtures", preset="smoke", seed=1, precision="fp32", intermediate="none")


@pytest.fixture(scope="module", autouse=True)
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("scoring")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XT_RUNS", str(place / "runs"))
        patch.setenv("XT_CACHE", str(place / "cache"))
        yield place / "runs"


@pytest.fixture(scope="module")
def lareqa():
    (config,) = target_configs(target="lareqa", languages="en,de,zh", keep_weights=True, **SHARED)
    return config, run_block([config]), store.read_predictions(store.run_folder(config.run_id))


def test_a_question_ranks_the_sentences_of_all_languages_and_one_of_each_is_right(lareqa):
    config, scores, frame = lareqa
    evaluation = {code: read_evaluation("lareqa", config.root, code) for code in config.languages}
    pool = {candidate.id for data in evaluation.values() for candidate in data.pool}
    ranked = [row.split(" ") for row in frame["prediction"]]
    assert all(len(row) == len(set(row)) == 20 and set(row) <= pool for row in ranked)
    assert {code for row in ranked for code in {name.split("/")[0] for name in row}} == set(config.languages)
    right = {
        query.id: {
            name for data in evaluation.values() for q in data.examples if q.id == query.id for name in q.relevant
        }
        for query in evaluation["en"].examples
    }
    assert all(set(gold.split(" ")) == right[name] for gold, name in zip(frame["gold"], frame["id"], strict=True))
    assert all(len(gold) == 3 for gold in right.values())
    for code in config.languages:
        cell = frame[frame["eval_language"] == code]
        points = [
            average_precision(p.split(), set(g.split())) for p, g in zip(cell["prediction"], cell["gold"], strict=True)
        ]
        row = scores[scores["eval_language"] == code]
        assert row["score"].item() == pytest.approx(100 * np.mean(points)) and row["num_examples"].item() == len(cell)


def test_selection_data_are_scored_as_the_training_saw_them(lareqa):
    config, _, _ = lareqa
    source = str(store.run_folder(config.model.model_id) / store.WEIGHTS)
    frame = score_selection(config.model, source, build_accelerator(config.knobs), lambda line: None)
    selection = read_training("lareqa", config.root, num_selection=config.knobs.num_selection_examples).selection
    assert list(frame["id"]) == [example.id for example in selection]
    assert [set(gold.split()) for gold in frame["gold"]] == [set(example.relevant) for example in selection]
    best = json.loads((store.run_folder(config.model.model_id) / "outcome.json").read_text())["best_score"]
    stats = frame[["map_at_20.average_precision", "map_at_20.count"]].to_numpy()
    assert METRICS["map_at_20"].reduce(stats.sum(axis=0)) == pytest.approx(best) and best > 0


def test_pairs_mined_by_a_run_are_scored_against_all_that_are_there():
    (config,) = retrieval_configs(target="bucc2018", languages="de", **SHARED)
    scores = run_block([config])
    frame = store.read_predictions(store.run_folder(config.run_id))
    data = read_evaluation("bucc2018", config.root, "de")
    num_gold = sum(len(query.relevant) for query in data.examples)
    found = sum(p in g.split() for p, g in zip(frame["prediction"], frame["gold"], strict=True) if p)
    expected = 200 * found / ((frame["prediction"] != "").sum() + num_gold)
    assert scores["score"].item() == pytest.approx(expected) and set(frame["threshold_from"]) == {"other half"}
    floor = 200 * (num_gold / len(data.pool)) / (len(data.examples) + num_gold)
    assert scores["floor"].item() == pytest.approx(floor) and scores["floor_kind"].item() == "chance"


def languages(*rows):
    """Evaluation data of languages: (code, candidates, queries as id -> relevant)."""
    return {
        code: EvaluationData(
            [Query(name, name, code, "?", relevant) for name, relevant in queries.items()], "real", "test", (), 0, 0,
            [Candidate(name, code, name, "") for name in pool],
        )
        for code, pool, queries in rows
    }  # fmt: skip


def test_only_in_a_parallel_task_is_an_answer_right_in_every_language():
    evaluation = languages(("en", ["en/a", "en/b"], {"q": ("en/a",)}), ("de", ["de/a"], {"q": ("de/a",)}))
    parallel = join_pools(get_task("lareqa"), evaluation)
    apart = join_pools(get_task("mewslix"), evaluation)
    for joined in (parallel, apart):
        assert [candidate.id for candidate in joined["de"].pool] == ["en/a", "en/b", "de/a"] and len(joined) == 2
    assert parallel["de"].examples[0].relevant == parallel["en"].examples[0].relevant == ("en/a", "de/a")
    assert apart["de"].examples[0].relevant == ("de/a",)


def test_two_candidates_of_one_id_are_refused_and_the_same_one_is_one():
    evaluation = languages(("en", ["Q1"], {"q": ("Q1",)}), ("de", ["Q1"], {"q": ("Q1",)}))
    assert len(join_pools(get_task("mewslix"), evaluation)["en"].pool) == 1
    evaluation["de"] = replace(evaluation["de"], pool=[Candidate("Q1", "de", "another", "")])
    with pytest.raises(DataError, match="two candidates have the id 'Q1'"):
        join_pools(get_task("mewslix"), evaluation)


@pytest.mark.parametrize(("relevant", "candidates"), [(1, 6), (1, 50), (4, 30), (25, 40), (3, 3)])
def test_the_floor_of_a_ranking_is_what_random_orders_score(relevant, candidates):
    rng, ids = random.Random(0), list(range(candidates))
    drawn = [average_precision(rng.sample(ids, candidates), set(range(relevant))) for _ in range(4000)]
    assert expected_precision(relevant, candidates) == pytest.approx(np.mean(drawn), abs=0.012)


def test_the_floor_of_ranking_counts_the_answers_of_all_languages():
    evaluation = languages(("en", ["en/a", "en/b"], {"q": ("en/a",)}), ("de", ["de/a", "de/b"], {"q": ("de/a",)}))
    floors = CHANCE["ranking"](get_task("lareqa"), evaluation)
    assert floors == dict.fromkeys(("en", "de"), pytest.approx(100 * expected_precision(2, 4)))


def test_saying_nothing_is_the_floor_where_questions_may_have_no_answer(fixtures_root):
    task, examples = get_task("squad_v2"), read_evaluation("squad_v2", fixtures_root, "en").examples
    silent = 100 * sum(not example.answers for example in examples) / len(examples)
    assert 0 < silent < 100
    assert floor_scores(task, examples, list, None) == dict.fromkeys(task.metrics, pytest.approx(silent))


def test_answers_with_their_doubt_are_stored_and_scored_again_and_ids_with_blanks_are_not(fixtures_root, tmp_path):
    examples = read_evaluation("squad_v2", fixtures_root, "en").examples
    predictions = [(e.answers[0].text, -1.0) if e.answers else ("x", 1.0) for e in examples]
    frame = frame_of(get_task("squad_v2"), predictions, examples)
    store.write_predictions(tmp_path, "squad_v2", frame)
    read = store.read_predictions(tmp_path)
    pairs = list(zip(read["prediction"], read["no_answer_score"], strict=True))
    assert primary_score(get_task("squad_v2"), pairs, examples) == 100
    spoilt = [Query("1", "1", "en", "?", ("a b",))]
    with pytest.raises(DataError, match="id 'a b' cannot be stored"):
        frame_of(get_task("lareqa"), [["c"]], spoilt)


def test_mlqa_is_scored_by_the_rule_of_each_language(fixtures_root):
    task = get_task("mlqa")
    for code, wrapped in (("de", "das {}"), ("zh", "。{}")):
        examples = read_evaluation("mlqa", fixtures_root, code).examples
        predictions = [wrapped.format(example.answers[0].text) for example in examples]
        assert primary_score(task, predictions, examples) == 100
