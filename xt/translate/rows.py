"""A release's rows -> the same rows in another language, and how many were lost.

Every function reads `tell`: a sentence -> its translation, or None where there is none. It is called in the same order
whatever it answers, so that a first pass can ask what there is to translate.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xt.tasks import Answer, Example
from xt.tasks.sources import Source
from xt.translate.sentences import Span, cut_sentences, find_whole, mark, unmark

COPIED = ("id", "idx", "label", "origin", "answers")
"""Fields of a task's row that are no text; all its other fields are translated."""
CODES = {"aps/super_glue": ("question",)}
"""Dataset -> further columns that are no text: COPA's question is the word `cause` or `effect`."""


@dataclass(frozen=True)
class Reading:
    """What is to be translated."""

    source: Source
    rows: Sequence[dict]  # the release's
    examples: Sequence[Example]  # what the task reads in them; for questions one per row
    fits: Callable[[str], bool]  # whether the translator can read a text whole


@dataclass
class Told:
    """What came of it."""

    rows: list[dict]  # as the release's, in its order
    lost: Counter  # why rows were left out -> how many: "untranslated", "answer"


def tell_columns(reading: Reading, tell: Callable) -> Told:
    """Rows whose texts are translated and whose other columns are copied."""
    columns = text_columns(reading.source)
    told = Told([], Counter())
    for row in reading.rows:
        said = {column: tell_value(row[column], reading, tell) for column in columns}
        keep(told, row | said, any(is_lost(value) for value in said.values()) and "untranslated")
    return told


def tell_questions(reading: Reading, tell: Callable) -> Told:
    """Rows of questions on passages, with those answers that were found again; a row that has lost all is left out."""
    asked: dict[str, dict[Answer, None]] = {}
    for example in reading.examples:
        asked.setdefault(example.context, {}).update(dict.fromkeys(example.answers))
    passages = {context: tell_passage(context, list(answers), reading, tell) for context, answers in asked.items()}
    told, names = Told([], Counter()), reading.source.columns
    for row, example in zip(reading.rows, reading.examples, strict=True):
        context, found = passages[example.context]
        question = tell_value(example.question, reading, tell)
        answers = [found[answer] for answer in example.answers if answer in found]
        spans = {"text": [answer.text for answer in answers], "answer_start": [answer.start for answer in answers]}
        said = {names["context"]: context, names["question"]: question, names["answers"]: spans}
        untranslated = (context is None or question is None) and "untranslated"
        keep(told, row | said, untranslated or (bool(example.answers) and not answers and "answer"))
    return told


def keep(told: Told, row: dict, reason: str | bool) -> None:
    """Adds a row, or counts the reason why it is left out."""
    if reason:
        told.lost[reason] += 1
    else:
        told.rows.append(row)


def text_columns(source: Source) -> list[str]:
    """The release's columns that a task reads as text."""
    kept = CODES.get(source.dataset, ())
    return [column for name, column in source.columns.items() if name not in COPIED and column not in kept]


def tell_value(value, reading: Reading, tell: Callable):
    """A text, or all texts of a list, in translation; None for a text that has none.

    Of choices that come with their letters the texts are translated, the letters copied.
    """
    if isinstance(value, list):
        return [tell_value(entry, reading, tell) for entry in value]
    if isinstance(value, dict):
        return value | {"text": tell_value(value["text"], reading, tell)}
    spans = cut_sentences(value, (), reading.fits)
    return join(value, spans, [tell(value[start:end]) for start, end in spans])


def is_lost(value) -> bool:
    """Whether a translation, or one of a list, is missing."""
    texts = value["text"] if isinstance(value, dict) else value
    return any(map(is_lost, texts)) if isinstance(texts, list) else texts is None


def join(text: str, spans: Sequence[Span], said: Sequence[str | None]) -> str | None:
    """A text with its sentences replaced, the white space between them as it was."""
    if any(sentence is None for sentence in said):
        return None
    starts = [end for _, end in [(0, 0), *spans]]
    gaps = [text[end:start] for end, (start, _) in zip(starts, spans, strict=False)]
    return "".join(gap + sentence for gap, sentence in zip(gaps, said, strict=True)) + text[starts[-1] :]


def tell_passage(
    context: str, answers: Sequence[Answer], reading: Reading, tell: Callable
) -> tuple[str | None, Mapping[Answer, Answer]]:
    """(the passage in translation, or None; answer -> where it lies there, for those that were found again)."""
    spans = cut_sentences(context, [(a.start, a.start + len(a.text)) for a in answers], reading.fits)
    said, found = [], {}
    for start, end in spans:
        inside = {answer: answer.start - start for answer in answers if start <= answer.start < end}
        sentence, places = tell_sentence(context[start:end], inside, tell)
        before = join(context[:start], spans[: len(said)], said) if places else ""
        found |= {a: Answer(words, len(before or "") + place) for a, (words, place) in places.items()}
        said.append(sentence)
    return join(context, spans, said), found


def tell_sentence(
    sentence: str, answers: Mapping[Answer, int], tell: Callable
) -> tuple[str | None, Mapping[Answer, tuple[str, int]]]:
    """(a sentence in translation, or None; answer -> its words there and their place).

    The sentence is translated as it is, and once for each answer, marked. Of these translations, the marks removed, the
    one is taken that holds most of the answers: at its own marks, or as the words between the marks of another, which
    must stand in it exactly once.
    """
    plain = tell(sentence)
    marked = {a: unmark(sentence, said) for a, said in tell_marked(sentence, answers, tell).items()}
    intact = {answer: pair for answer, pair in marked.items() if pair}
    words = {answer: text[start:end] for answer, (text, (start, end)) in intact.items()}
    versions = [(plain, {})] if plain is not None else []
    versions += [(text, {answer: start}) for answer, (text, (start, _)) in intact.items()]
    found = [(text, places_in(text, own, words)) for text, own in versions]
    return max(found, key=lambda version: len(version[1]), default=(None, {}))


def tell_marked(sentence: str, answers: Mapping[Answer, int], tell: Callable) -> dict[Answer, str | None]:
    """Answer -> the translation of the sentence with marks around it; None where it could not be marked or told."""
    texts = {answer: mark(sentence, (start, start + len(answer.text))) for answer, start in answers.items()}
    return {answer: text and tell(text) for answer, text in texts.items()}


def places_in(text: str, own: Mapping[Answer, int], words: Mapping[Answer, str]) -> dict[Answer, tuple[str, int]]:
    """Answer -> (its words, their place in one translation); `own` are places known by marks."""
    hits = {answer: [own[answer]] if answer in own else find_whole(words[answer], text) for answer in words}
    return {answer: (words[answer], places[0]) for answer, places in hits.items() if len(places) == 1}


TELL = {
    "classification": tell_columns,
    "multiple_choice": tell_columns,
    "span_qa": tell_questions,
    "span_qa_v2": tell_questions,
}
"""Format -> how its rows are told in another language."""
REFUSED = {"tagging": "its tags belong to words, and the words of a translation would have to be aligned with them"}
"""Format -> why its rows cannot be translated."""
