"""Translated pairs out of two corpora, as XTREME mines BUCC (Artetxe & Schwenk 2019 for the margin).

Identical lines are one; four neighbours both ways; ratio margin; each sentence's best both ways; greedy one-to-one;
a threshold on the margin that is chosen on other pairs than those it is applied to.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import torch

from xt.encode import encode_sentences
from xt.neighbours import Neighbours, neighbours
from xt.retrieval import embed

NEIGHBOURS = 4


@dataclass(frozen=True)
class Pairs:
    """P mined pairs, the best margin first."""

    sources: np.ndarray  # (P,) places in the foreign corpus
    targets: np.ndarray  # (P,) places in the English corpus
    margins: np.ndarray  # (P,) float64


def mine(model, queries: Sequence, pool: Sequence, tokenizer, knobs, device, layer: int) -> tuple[Pairs, int]:
    """Pairs of `Query` sentences and `Candidate` sentences by the hidden state `layer`; how many sentences were cut.

    A line that stands several times in its corpus takes part as one, but is in no pair.
    """
    corpora, num_cut = [], 0
    for texts in ([query.text for query in queries], [candidate.text for candidate in pool]):
        places, single = distinct_lines(texts)
        features = encode_sentences([texts[place] for place in places], tokenizer, knobs)
        where = (knobs.tokens_per_batch, tokenizer.pad_token_id, device, slice(layer, layer + 1))
        corpora.append((places, single, embed(model, features, *where, pooling=knobs.pooling)[0]))
        num_cut += features.num_truncated
    (sources, single_sources, left), (targets, single_targets, right) = corpora
    pairs = pair_up(left, right, device)
    kept = single_sources[pairs.sources] & single_targets[pairs.targets]
    return Pairs(sources[pairs.sources[kept]], targets[pairs.targets[kept]], pairs.margins[kept]), num_cut


def distinct_lines(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(D,) place of the first of each distinct line, and (D,) whether it stands only once."""
    lines = [text.strip() for text in texts]
    counts, first = Counter(lines), {line: place for place, line in reversed(list(enumerate(lines)))}
    places = np.array(sorted(first.values()), dtype=np.int64)
    return places, np.array([counts[lines[place]] == 1 for place in places], dtype=bool)


def pair_up(sources: torch.Tensor, targets: torch.Tensor, device) -> Pairs:
    """Pairs of rows of `sources` (N, H) and `targets` (M, H), float32 unit vectors; each row is in at most one."""
    forward, backward = neighbours(sources, targets, NEIGHBOURS, device)
    forward_mean, backward_mean = (found.scores.double().mean(dim=1).numpy() for found in (forward, backward))
    found_targets, forward_margins = best_margins(forward, forward_mean, backward_mean)
    found_sources, backward_margins = best_margins(backward, backward_mean, forward_mean)
    left = np.concatenate([np.arange(len(sources)), found_sources])
    right = np.concatenate([found_targets, np.arange(len(targets))])
    margins = np.concatenate([forward_margins, backward_margins])
    chosen, used_left, used_right = [], np.zeros(len(sources), dtype=bool), np.zeros(len(targets), dtype=bool)
    for place in np.argsort(-margins, kind="stable"):
        if not used_left[left[place]] and not used_right[right[place]]:
            used_left[left[place]] = used_right[right[place]] = True
            chosen.append(place)
    chosen = np.array(chosen, dtype=np.int64)
    chosen = chosen[margins[chosen] > 0]
    return Pairs(left[chosen], right[chosen], margins[chosen])


def best_margins(found: Neighbours, own_mean: np.ndarray, other_mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the neighbour of highest ratio margin, and that margin: cosine over the mean of both sides' mean cosines."""
    places = found.places.numpy()
    margins = found.scores.double().numpy() / ((own_mean[:, None] + other_mean[places]) / 2)
    best = margins.argmax(axis=1)
    rows = np.arange(len(places))
    return places[rows, best], margins[rows, best]


def best_threshold(margins: np.ndarray, right: np.ndarray, num_gold: int) -> float:
    """The margin from which on pairs are kept, so that F1 is highest: midway between the last kept pair and the next.

    `margins` (P,) descending, `right` (P,) whether a pair is gold. Where the best is to keep all, the last margin;
    where no pair is right, 0.0, which keeps all.
    """
    found = np.cumsum(right)
    if not found.any():
        return 0.0
    f1 = 2 * found / (np.arange(1, len(found) + 1) + num_gold)
    last = int(np.argmax(f1))
    return float(margins[last : last + 2].mean())


def halves(ids: Sequence[str], data_seed: int) -> np.ndarray:
    """(N,) 0 or 1, by the hash of an id: which half of the English corpus a sentence is in."""
    return np.array([blake2b(f"{data_seed}:{name}".encode()).digest()[0] & 1 for name in ids], dtype=np.int64)


def right_pairs(pairs: Pairs, queries: Sequence, pool: Sequence) -> np.ndarray:
    """(P,) whether a pair is gold."""
    found = zip(pairs.sources, pairs.targets, strict=True)
    return np.array([pool[target].id in queries[source].relevant for source, target in found], dtype=bool)


def calibrate(pairs: Pairs, queries: Sequence, pool: Sequence) -> float:
    """The best threshold for these pairs."""
    num_gold = sum(len(query.relevant) for query in queries)
    return best_threshold(pairs.margins, right_pairs(pairs, queries, pool), num_gold)


def cross_fit(pairs: Pairs, queries: Sequence, pool: Sequence, data_seed: int) -> np.ndarray:
    """(P,) the threshold for each pair: the best one for the pairs of the other half of the English corpus."""
    half, right = halves([candidate.id for candidate in pool], data_seed), right_pairs(pairs, queries, pool)
    place = {candidate.id: place for place, candidate in enumerate(pool)}
    gold = half[[place[name] for query in queries for name in query.relevant]]
    thresholds = np.empty(len(pairs.margins))
    for own in (0, 1):
        other = half[pairs.targets] != own
        thresholds[~other] = best_threshold(pairs.margins[other], right[other], int((gold != own).sum()))
    return thresholds
