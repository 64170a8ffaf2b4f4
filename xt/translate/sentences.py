"""English text cut into sentences, and an answer marked in one, so that it can be found in a translation."""

import re
from collections.abc import Callable, Sequence

from xt.errors import DataError

Span = tuple[int, int]
"""First character and the one behind the last."""

BORDER = re.compile(r"""([.!?…]["')\]”’]*)\s+(?=["'(\[“‘]*[A-Z0-9])|()\s*\n\s*""")
"""The end of a sentence, which is its group, and the white space behind it."""
ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|St|Prof|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Jr|Sr|Mt|No|vs|etc|Inc|Ltd|Co|Corp|cf|ca|Fig|Vol|[A-Z])\.$"
)
"""Ends with a full stop that ends no sentence."""
MARKS = (("[", "]", "[［【", "]］】"), ("<", ">", "<＜", ">＞"), ("{", "}", "{｛", "}｝"))
"""Opening and closing mark, and the characters that each may come back as."""
LETTER = r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
"""A letter or digit of a script that writes spaces between words."""


def cut_sentences(text: str, whole: Sequence[Span], fits: Callable[[str], bool]) -> list[Span]:
    """The sentences of a text, white space around them left out; none ends inside a span of `whole`.

    A sentence that does not fit is cut at white space, near its middle. Raises DataError where that is impossible.
    """
    ends_here = [match for match in BORDER.finditer(text) if ends_sentence(text, match)]
    borders = [(match.end(match.lastindex), match.end()) for match in ends_here]
    free = [(start, end) for start, end in borders if not is_inside((start, end), whole)]
    starts, ends = [0, *(end for _, end in free)], [*(start for start, _ in free), len(text)]
    trimmed = [trim(text, start, end) for start, end in zip(starts, ends, strict=True)]
    return [part for start, end in trimmed if start < end for part in halve(text, (start, end), whole, fits)]


def ends_sentence(text: str, match: re.Match) -> bool:
    """Whether a border is one: not behind `Dr.` or an initial."""
    return match[1] != "." or not ABBREVIATION.search(text, 0, match.end(1))


def is_inside(gap: Span, whole: Sequence[Span]) -> bool:
    """Whether a gap lies inside one of the spans, so that cutting there would part it."""
    return any(start < gap[1] and gap[0] < end for start, end in whole)


def trim(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def halve(text: str, span: Span, whole: Sequence[Span], fits: Callable[[str], bool]) -> list[Span]:
    """A span as it is, or in parts that fit."""
    start, end = span
    if fits(text[start:end]):
        return [span]
    gaps = [match.span() for match in re.compile(r"\s+").finditer(text, start, end)]
    gaps = [gap for gap in gaps if not is_inside(gap, whole)]
    if not gaps:
        raise DataError(f"text too long for the translator, without a space to cut it at: {text[start:end]!r:.200}")
    left, right = min(gaps, key=lambda gap: abs(gap[0] + gap[1] - start - end))
    return halve(text, (start, left), whole, fits) + halve(text, (right, end), whole, fits)


def mark(sentence: str, span: Span) -> str | None:
    """The sentence with marks around a span; None where it holds all kinds of marks itself."""
    marks = choose_marks(sentence)
    start, end = span
    return marks and sentence[:start] + marks[0] + sentence[start:end] + marks[1] + sentence[end:]


def choose_marks(sentence: str) -> tuple[str, str, str, str] | None:
    """The first kind of marks of which the sentence holds none."""
    return next((kind for kind in MARKS if not any(char in sentence for char in kind[2] + kind[3])), None)


def unmark(sentence: str, said: str | None) -> tuple[str, Span] | None:
    """(a translation without its marks, what stood between them); None where they did not come back intact.

    Intact: one opening mark, behind it one closing mark, and text between. `sentence` is what was translated, unmarked.
    """
    marks = choose_marks(sentence)
    match = marks and said and re.fullmatch("([^{0}{1}]*)[{0}]([^{0}{1}]+)[{1}]([^{0}{1}]*)".format(
        re.escape(marks[2]), re.escape(marks[3])), said, flags=re.DOTALL)  # fmt: skip
    if not match or not match[2].strip():
        return None
    before, inside, after = match[1], match[2], match[3]
    start, end = trim(inside, 0, len(inside))
    return before + inside + after, (len(before) + start, len(before) + end)


def find_whole(words: str, text: str) -> list[int]:
    """Where some words stand in a text, as whole words where the script has spaces between words."""
    pattern = f"(?<!{LETTER}){re.escape(words)}(?!{LETTER})"
    return [match.start() for match in re.finditer(pattern, text)]
