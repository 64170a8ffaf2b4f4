"""Whether answers lie where their offsets say, and by how much a passage lost them."""

from collections.abc import Sequence

from xt.tasks.examples import Answer

MAX_SHIFT = 8
"""Characters; the most leading whitespace whose loss from a passage is repaired."""


def lies_at(context: str, answer: Answer, shift: int) -> bool:
    """Whether the answer's text stands `shift` characters before its offset."""
    start = answer.start - shift
    return start >= 0 and context.startswith(answer.text, start)


def find_shift(context: str, answers: Sequence[Answer]) -> int:
    """Characters by which all answers lie before their offsets; 0 if they are in place, or if nothing fits."""
    fits = (s for s in range(MAX_SHIFT + 1) if all(lies_at(context, answer, s) for answer in answers))
    return next(fits, 0)
