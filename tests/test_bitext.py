"""Mined pairs: as a plain loop over all sentences finds them, cut where other pairs say."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from xt.bitext import best_threshold, calibrate, cross_fit, distinct_lines, halves, mine, pair_up, right_pairs
from xt.config import ScoreConfig
from xt.knobs import Knobs
from xt.metrics.depth import reported_layer
from xt.model import load_encoder, load_tokenizer
from xt.scoring import score_pairs
from xt.tasks.examples import Candidate, Query
from xt.tasks.reading import EvaluationData
from xt.transfer import build_accelerator

KNOBS = Knobs(max_seq_length=64, tokens_per_batch=1000, precision="fp32")


def plain_pairs(left, right, k=4):
    """The same by one loop after the other, over whole Python lists."""
    cosine = [[float(a @ b) for b in right] for a in left]
    columns = list(zip(*cosine, strict=True))
    mean = [sum(sorted(row)[-k:]) / k for row in cosine]
    mean_back = [sum(sorted(column)[-k:]) / k for column in columns]

    def margin(i, j):
        return cosine[i][j] / ((mean[i] + mean_back[j]) / 2)

    candidates = []
    for i, row in enumerate(cosine):
        near = sorted(range(len(right)), key=lambda j: -row[j])[:k]
        candidates.append(max((margin(i, j), i, j) for j in near))
    for j, column in enumerate(columns):
        near = sorted(range(len(left)), key=lambda i: -column[i])[:k]
        candidates.append(max((margin(i, j), i, j) for i in near))
    pairs = []
    for score, i, j in sorted(candidates, reverse=True):
        if i not in {p[0] for p in pairs} and j not in {p[1] for p in pairs} and score > 0:
            pairs.append((i, j, score))
    return pairs


@pytest.mark.parametrize("sizes", [(30, 20), (15, 40), (3, 2)])
def test_pairs_are_those_of_a_plain_loop(sizes):
    rng = np.random.default_rng(0)
    right = rng.normal(size=(sizes[1], 8))
    left = rng.normal(size=(sizes[0], 8))
    shared = min(sizes) // 2
    left[:shared] = right[:shared] + rng.normal(size=(shared, 8)) * 0.5
    left, right = (normalize(torch.from_numpy(side).float(), dim=1) for side in (left, right))
    found = pair_up(left, right, "cpu")
    expected = plain_pairs(left, right, k=min(4, *sizes))
    if min(sizes) >= 4:
        assert list(zip(found.sources, found.targets, strict=True)) == [pair[:2] for pair in expected]
        assert found.margins == pytest.approx([score for _, _, score in expected], rel=1e-4)
    assert len(set(found.sources)) == len(found.sources) and len(set(found.targets)) == len(found.targets)


MARGINS = np.array([1.5, 1.4, 1.2, 1.1, 0.9])


@pytest.mark.parametrize(
    ("right", "num_gold", "expected"),
    [
        ([1, 1, 0, 0, 0], 2, 1.3),  # midway between the last kept pair and the next
        ([1, 0, 0, 1, 1], 3, 0.9),  # all are kept: there is no next
        ([1, 0, 1, 0, 0], 3, 1.15),
        ([0, 0, 0, 0, 0], 3, 0.0),
        ([1, 0, 0, 0, 0], 1, 1.45),
    ],
)
def test_the_threshold_is_where_f1_is_highest(right, num_gold, expected):
    assert best_threshold(MARGINS, np.array(right, dtype=bool), num_gold) == pytest.approx(expected)


def test_no_pairs_and_one_pair_have_a_threshold():
    assert best_threshold(MARGINS[:0], np.zeros(0, dtype=bool), 3) == 0.0
    assert best_threshold(MARGINS[:1], np.ones(1, dtype=bool), 1) == 1.5


def test_identical_lines_are_one_and_in_no_pair():
    places, single = distinct_lines(["a", "b", "a\n", "c", " b"])
    assert places.tolist() == [0, 1, 3] and single.tolist() == [False, False, True]


WORDS = ["Nora", "writes", "a", "letter", "sleeps", "Omar", "sings", "Oslo", "pen", "takes", "in", "She"]


def corpus(seed, count, gold):
    """(foreign sentences, English sentences); `gold` of them are the same words in the same order."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, size=9)) for _ in range(2 * count - gold)]
    english = [Candidate(f"en{seed}-{i}", "en", text, "") for i, text in enumerate(texts[:count])]
    foreign = texts[:gold] + texts[count:]
    queries = [
        Query(f"de{seed}-{i}", str(i), "de", text, (english[i].id,) if i < gold else ())
        for i, text in enumerate(foreign)
    ]
    return queries, english


@pytest.fixture(scope="module")
def encoder(tiny_encoder):
    return load_encoder(tiny_encoder, KNOBS), load_tokenizer(tiny_encoder)


def test_the_same_words_are_mined_and_repeated_lines_are_not(encoder):
    queries, pool = corpus(0, 30, 20)
    pairs, cut = mine(encoder[0], queries, pool, encoder[1], KNOBS, "cpu", 1)
    assert cut == 0 and right_pairs(pairs, queries, pool).sum() == 20
    twice = [*queries, Query("copy", "copy", "de", queries[3].text, ())]
    pairs, _ = mine(encoder[0], twice, pool, encoder[1], KNOBS, "cpu", 1)
    assert right_pairs(pairs, twice, pool).sum() == 19 and not {3, 30} & set(pairs.sources)


def test_cross_fitted_thresholds_come_from_the_other_half_alone(encoder):
    queries, pool = corpus(0, 30, 20)
    pairs, _ = mine(encoder[0], queries, pool, encoder[1], KNOBS, "cpu", 1)
    thresholds, half = cross_fit(pairs, queries, pool, data_seed=0), halves([c.id for c in pool], 0)
    assert 5 < half.sum() < 25, "two halves"
    for own in (0, 1):
        others = [place for place in range(len(pool)) if half[place] != own]
        ids = {pool[place].id for place in others}
        asked = [query for query in queries if not query.relevant or query.relevant[0] in ids]
        kept = np.isin(pairs.targets, others)
        alone = best_threshold(
            pairs.margins[kept], right_pairs(pairs, queries, pool)[kept], sum(len(q.relevant) for q in asked)
        )
        assert set(thresholds[half[pairs.targets] == own]) == {alone}


def scoring(encoder):
    return ScoreConfig("bucc2018", ("de",), (), encoder, "none", "here", "smoke", 0, KNOBS, None)


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_threshold_is_chosen_on_other_corpora_and_used(monkeypatch, encoder, tiny_encoder, calibrated):
    queries, pool = corpus(0, 30, 20)
    known = corpus(1, 24, 6)
    data, other = (EvaluationData(*part[:1], "real", split, (), 0, 0, part[1]) for part, split in (
        ((queries, pool), "test"), (known, "validation"),
    ))  # fmt: skip
    monkeypatch.setattr("xt.scoring.read_calibration", lambda *asked: other if calibrated else None)
    accelerator = build_accelerator(KNOBS)
    frame, _ = score_pairs(scoring(tiny_encoder), tiny_encoder, None, {"de": data}, accelerator, lambda line: None)
    layer = int(reported_layer(encoder[0].config.num_hidden_layers))
    assert list(frame["id"]) == [query.id for query in queries] and set(frame["embedding_layer"]) == {layer}
    assert set(frame["prediction"]) <= {"", *(candidate.id for candidate in pool)}, "none of the other corpus"
    assert set(frame["threshold_from"]) == {"validation" if calibrated else "other half"}
    paired = frame[frame["score"].notna()]
    assert ((paired["prediction"] != "") == (paired["score"] >= paired["threshold"])).all()
    assert (paired["prediction"] == "").any(), "the threshold drops some"
    if calibrated:
        pairs, _ = mine(encoder[0], *known, encoder[1], KNOBS, "cpu", layer)
        assert set(paired["threshold"]) == {calibrate(pairs, *known)}
    assert frame["pair_f1.gold"].sum() == 20
    assert frame["pair_f1.tp"].sum() == (frame["prediction"] == frame["gold"])[frame["gold"] != ""].sum() > 10
