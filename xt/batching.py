"""Which features go into which update, and how an update is cut to fit memory. Everything is a pure function.

An update is exactly `batch_size` features of an endless stream: one shuffled epoch after the other. The stream is
sorted by length inside blocks of `BLOCK_UPDATES` updates, whose order is then drawn again, so that an update holds
features of like length and padding is little. A training that ends inside a block has seen a random part of it.
"""

from collections.abc import Iterator, Sequence

import numpy as np

BLOCK_UPDATES = 16


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


def mixed_updates(
    lengths: Sequence[np.ndarray], counts: Sequence[int], batch_size: int, seed: int, first: int
) -> Iterator[tuple[int, np.ndarray]]:
    """(task, features) of each update from `first` on, where task k is read by `counts[k]` of all updates.

    Each update reads one task. Which one is drawn without replacement from all updates, so that a task's chance is its
    share of what is left, and a task's own updates are those it would have alone.
    """
    order = np.random.default_rng([seed, 2]).permutation(np.repeat(np.arange(len(counts)), counts))
    done = np.bincount(order[:first], minlength=len(counts))
    streams = [updates(lengths[k], batch_size, seed, int(done[k]), counts[k]) for k in range(len(counts))]
    for task in order[first:]:
        yield int(task), next(streams[task])


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
