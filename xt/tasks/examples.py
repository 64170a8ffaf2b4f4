"""One frozen example type per format.

All of them carry `id`, unique within a task's split and language; `cluster`, the unit that is resampled and
sliced whole (premise, passage, sentence, pair); and `language`, our code. In a parallel task the same item
has the same id and the same cluster in every language.
"""

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Classification:
    """A sentence pair and its class."""

    id: str
    cluster: str
    language: str
    premise: str
    hypothesis: str
    label: int
    """Index into the task's labels."""


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """A prompt, its possible continuations, and which of them is right."""

    id: str
    cluster: str
    language: str
    prompt: str
    choices: tuple[str, ...]
    label: int
    """Index into the choices."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """Words and one tag per word."""

    id: str
    cluster: str
    language: str
    tokens: tuple[str, ...]
    tags: tuple[int, ...]
    """Indices into the task's labels, as many as tokens."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of a context: `context[start : start + len(text)] == text`."""

    text: str
    start: int
    """Offset of the first character (Unicode code points)."""


@dataclass(frozen=True, slots=True)
class SpanQA:
    """A question, the passage that answers it, and the accepted spans."""

    id: str
    cluster: str
    language: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    """Distinct, in the release's order; none only where the task has questions without an answer."""


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A sentence and its English translation."""

    id: str
    cluster: str
    language: str
    source: str
    """The sentence in `language`."""
    target: str
    """The sentence in English."""


@dataclass(frozen=True, slots=True)
class QueryPassage:
    """A text and the passage that belongs to it: what a dual encoder is trained on."""

    id: str
    cluster: str
    language: str
    query: str
    passage: str
    context: str
    """What stands around the passage, itself included; empty where there is nothing."""

    @property
    def relevant(self) -> tuple[str]:
        """The name of its passage: a hash of passage and context, so that equal ones are one candidate."""
        return (blake2b(f"{self.passage}\n{self.context}".encode(), digest_size=8).hexdigest(),)


@dataclass(frozen=True, slots=True)
class Query:
    """A text for which others are searched: a question, a mention, a sentence to find the translation of."""

    id: str
    cluster: str
    language: str
    text: str
    relevant: tuple[str, ...]
    """Ids of the candidates of the same reading that are right; empty where none is."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be found."""

    id: str
    language: str
    text: str
    context: str
    """What stands around the text, itself included; empty where there is nothing."""


Example = Classification | MultipleChoice | Tagging | SpanQA | SentencePair | QueryPassage | Query
