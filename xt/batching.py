"""Which features go into which update, and how an update is cut to fit memory. Everything is a pure function.

An update is exactly `batch_size` features of an endless stream: one shuffled epoch after the other. The stream is
sorted by length inside blocks of `BLOCK_UPDATES` updates, whose order is then drawn again, so that an update holds
features of like length and padding is little. A training that ends inside a block has seen a random part of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

BLOCK_UPDATES = 16
ROUNDING = 1e-9
"""What a share of updates may lack of a whole number."""


def num_updates(num_features: int, num_epochs: float, batch_size: int) -> int:
    """Updates that read `num_epochs` passes over the features, rounded up; at least one."""
    return max(1, int(np.ceil(num_features * num_epochs / batch_size)))


def epoch_order(num_features: int, seed: int, epoch: int) -> np.ndarray:
    """(N,) the order of one epoch, from (seed, epoch) alone."""
    return np.random.default_rng([seed, epoch]).permutation(num_features)


def stream(num_features: int, seed: int, start: int, end: int) -> np.ndarray:
    """(end - start,) features at these positions of the endless stream of shuffled epochs."""
    epochs = range(start // num_features, (end - 1) // num_features + 1)
    orders = np.concatenate([epoch_order(num_features, seed, epoch) for epoch in epochs])
    offset = epochs.start * num_features
    return orders[start - offset : end - offset]


def block_updates(lengths: np.ndarray, batch_size: int, seed: int, block: int) -> np.ndarray:
    """(BLOCK_UPDATES, batch_size) the features of one block's updates, of like length inside an update."""
    size = BLOCK_UPDATES * batch_size
    positions = stream(len(lengths), seed, block * size, (block + 1) * size)
    by_length = positions[np.argsort(lengths[positions], kind="stable")]
    order = np.random.default_rng([seed, block, 1]).permutation(BLOCK_UPDATES)
    return by_length.reshape(BLOCK_UPDATES, batch_size)[order]


def updates(lengths: np.ndarray, batch_size: int, seed: int, first: int, last: int) -> Iterator[np.ndarray]:
    """The features (batch_size,) of updates first, first + 1, ..., last - 1, longest feature first."""
    block, rows = -1, None
    for step in range(first, last):
        if step // BLOCK_UPDATES != block:
            block = step // BLOCK_UPDATES
            rows = block_updates(lengths, batch_size, seed, block)
        chosen = rows[step % BLOCK_UPDATES]
        yield chosen[np.argsort(-lengths[chosen], kind="stable")]


def share_updates(sizes: Sequence[int], proportional: Sequence[int], knobs, total: int = 0) -> list[int]:
    """Updates of each task, `total` or else as many in all as `proportional` has, shared as `knobs.sampling` says.

    `sizes` are features. Shares go as `proportional`, which goes with the size, with min(size, cap), with
    size ** (1 / temperature) (Conneau and Lample 2019, 3.1), or are equal; what rounding leaves goes to the largest
    remainders.
    """
    weigh, total = WEIGHTS.get(knobs.sampling), total or sum(proportional)
    weights = np.array([weigh(size, knobs) for size in sizes] if weigh else proportional, dtype=float)
    exact = weights / weights.sum() * total
    counts = np.floor(exact + ROUNDING).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    return counts.tolist()


WEIGHTS: Mapping[str, Callable] = {
    "capped": lambda size, knobs: min(size, knobs.sampling_cap),
    "temperature": lambda size, knobs: size ** (1 / knobs.sampling_temperature),
    "uniform": lambda size, knobs: 1,
}
"""Way of sampling -> (features of a task, knobs) -> the weight of the task; not there: as many as its passes take."""

Window = list[tuple[int, np.ndarray]]
"""What one update reads: (task, features) of each of its tasks."""


def task_order(counts: Sequence[int], batch_size: int, seed: int, mixing: str) -> np.ndarray:
    """(U, E) the task of each draw of each of U updates: one draw of `batch_size` features, or one for each feature.

    Draws are without replacement, task k having `counts[k]` of all updates, so that a task's chance is its share of
    what is left.
    """
    draws = DRAWS[mixing](batch_size)
    drawn = np.repeat(np.arange(len(counts)), np.asarray(counts) * draws)
    return np.random.default_rng([seed, 2]).permutation(drawn).reshape(-1, draws)


DRAWS: Mapping[str, Callable[[int], int]] = {"updates": lambda batch_size: 1, "examples": lambda batch_size: batch_size}
"""Knob `mixing` -> draws in an update: a task for all of it, or one for each of its features."""


def features_read(counts: Sequence[int], batch_size: int, seed: int, mixing: str, step: int) -> list[int]:
    """Features of each task that the first `step` updates read: where the sampler stands."""
    order = task_order(counts, batch_size, seed, mixing)
    read = np.bincount(order[:step].ravel(), minlength=len(counts)) * (batch_size // order.shape[1])
    return read.tolist()


def mixed_updates(
    lengths: Sequence[np.ndarray], counts: Sequence[int], batch_size: int, seed: int, first: int, mixing: str
) -> Iterator[Window]:
    """What each update from `first` on reads of tasks with features of these `lengths`; see `task_order`.

    An update of one task is that of `updates`, as the task would have alone. In an update of several each takes the
    next features of its own shuffled epochs, longest first.
    """
    order, done = task_order(counts, batch_size, seed, mixing), features_read(counts, batch_size, seed, mixing, first)
    alone = [updates(lengths[k], batch_size, seed, done[k] // batch_size, counts[k]) for k in range(len(counts))]
    for row in order[first:]:
        if len(row) == 1:
            yield [(int(row[0]), next(alone[row[0]]))]
            continue
        window = []
        for task, count in zip(*np.unique(row, return_counts=True), strict=True):
            chosen = stream(len(lengths[task]), seed, done[task], done[task] + int(count))
            window.append((int(task), chosen[np.argsort(-lengths[task][chosen], kind="stable")]))
            done[task] += int(count)
        yield window


def micro_batches(chosen: Sequence[int], lengths: np.ndarray, tokens_per_batch: int, rows: int = 1) -> list[np.ndarray]:
    """An update's features (longest first) cut so that each padded part holds at most `tokens_per_batch` tokens.

    `rows` is the number of rows per feature. A single feature above the budget stands alone.
    """
    chosen, parts, start = np.asarray(chosen), [], 0
    while start < len(chosen):
        fits = max(1, tokens_per_batch // (int(lengths[chosen[start]]) * rows))
        parts.append(chosen[start : start + fits])
        start += fits
    return parts


def share_batches(
    chosen: Sequence[int], lengths: np.ndarray, tokens_per_batch: int, rows: int, which: int, count: int
) -> list[np.ndarray]:
    """The micro-batches of one of `count` processes: every `count`-th feature, in as many parts as all the others have.

    The first process's are the longest, and all are cut where its own are. The last part may be empty.
    """
    first = micro_batches(chosen[::count], lengths, tokens_per_batch, rows)
    return np.split(chosen[which::count], np.cumsum([len(part) for part in first[:-1]]).astype(int))
