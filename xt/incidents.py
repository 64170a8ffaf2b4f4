"""What did not go as planned while a run computed, noted for its record: memory that ran out, numbers not finite."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass

import numpy as np

from xt import processes
from xt.batching import micro_batches
from xt.encode.features import Features

LEAST_TOKENS = 16
"""Tokens of a forward pass below which nothing is halved."""
REFUSALS = ("out of memory", "can't allocate memory", "bad_alloc", "ALLOC_FAILED", "Cannot allocate memory")
"""What errors of torch and its libraries say when memory ran out."""


@dataclass
class Incidents:
    """What happened to forward passes that only predict."""

    scoring_tokens_per_batch: int = 0  # padded tokens that memory held, where it held fewer than the knob says
    num_not_finite: int = 0  # inputs that were answered with numbers that are not finite

    def record(self) -> dict:
        """What `outcome.json` says of them; empty where nothing happened."""
        return {name: value for name, value in asdict(self).items() if value}


NOTED: ContextVar[Incidents | None] = ContextVar("NOTED", default=None)


@contextmanager
def noting() -> Iterator[Incidents]:
    """While it lasts, what happens is noted in what it gives; afterwards in that of the context around it, too."""
    outer = NOTED.get() or Incidents()
    inner = Incidents(outer.scoring_tokens_per_batch)
    before = NOTED.set(inner)
    try:
        yield inner
    finally:
        NOTED.reset(before)
        outer.scoring_tokens_per_batch = inner.scoring_tokens_per_batch
        outer.num_not_finite += inner.num_not_finite


def note_not_finite(numbers, mask=None) -> None:
    """Counts the inputs (first axis) of which a number is not finite; of `mask` (B, T) only true positions count."""
    wrong = ~numbers.isfinite()
    if mask is not None:
        wrong &= mask.bool().reshape(*mask.shape, *[1] * (numbers.ndim - mask.ndim))
    if NOTED.get() is not None:
        NOTED.get().num_not_finite += int(wrong.flatten(1).any(dim=1).sum())


def compute_parts(
    features: Features, tokens_per_batch: int, compute: Callable[[np.ndarray], object]
) -> Iterator[tuple[np.ndarray, object]]:
    """(features, what `compute` makes of them) of all features, longest first, cut as `micro_batches` cuts them.

    What memory does not hold is computed in halves, and so is all that follows, in this call and, while `noting`
    lasts, in those after it. Raises MemoryError where one feature alone is too much.
    """
    lengths, rows, noted = features.lengths, features.rows_per_feature, NOTED.get() or Incidents()
    tokens = min(tokens_per_batch, noted.scoring_tokens_per_batch or tokens_per_batch)
    left = np.argsort(-lengths, kind="stable")
    while len(left):
        refusal = ""
        for part in micro_batches(left, lengths, tokens, rows):
            made, refusal = ask_memory(compute, part)
            if refusal:
                tokens = noted.scoring_tokens_per_batch = halve(tokens, int(lengths[part[0]]) * rows, refusal)
                break
            left = left[len(part) :]
            yield part, made


def ask_memory(compute: Callable, *arguments) -> tuple:
    """(what a computation gives, ""), or (None, what was said) where memory ran out; what it held is then free.

    Among several processes, which would have to halve alike, the error is raised.
    """
    try:
        return compute(*arguments), ""
    except (RuntimeError, MemoryError) as error:
        refusal = f"{type(error).__name__}: {error}".splitlines()[0]
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in REFUSALS):
            raise
        if processes.part()[1] > 1:
            raise
    free_memory()
    return None, refusal


def free_memory() -> None:
    """Gives back what nobody holds any more, on the device too."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def halve(tokens: int, least: int, refusal: str) -> int:
    """Half as many tokens per forward pass, but at least `least`, which cannot be cut.

    Raises MemoryError, saying what can be done, where memory refused that already.
    """
    if tokens <= max(least, LEAST_TOKENS):
        raise MemoryError(
            f"{refusal}; a forward pass of {least} tokens, which cannot be cut, is more than memory holds; allowed: a "
            "smaller max_seq_length or batch_size, a smaller encoder, or fewer runs at once on this device"
        )
    return max(tokens // 2, least, LEAST_TOKENS)
