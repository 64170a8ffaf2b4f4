"""From rows as released to queries, candidates and pairs of texts: the shapes of bucc2018, lareqa and mewslix."""

import re
from collections.abc import Mapping, Sequence

from xt.tasks.answers import find_shift, lies_at
from xt.tasks.examples import Answer
from xt.tasks.sources import Release

AROUND = 100
"""Characters of context kept on either side of a mention; words are not cut."""
END = re.compile(
    r"[.!?\u061f\u06d4\u0964\u0965]+[\"'\u201d\u2019\u00bb)\]]*\s+|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d\u2019\uff09]*\s*"
)
"""Where a sentence may end: marks (Arabic, Urdu, Devanagari and Chinese ones too), closing marks, blanks."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, without the blanks between them: it ends at a mark of END.

    Text without such marks (Thai) is one sentence; an abbreviation before a blank ends one, too.
    """
    ends = [match.end() for match in END.finditer(text)]
    pieces = [(start, text[start:end]) for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [(start + _blanks(piece), start + len(piece.rstrip())) for start, piece in pieces if piece.strip()]


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip())


def questions_with_sentences(release: Release) -> list:
    """SQuAD's rows: the question and the sentence that holds its first answer; two sentences joined where it crosses.

    Offsets are repaired as in `read_span_qa`. Raises DataError where an answer is not at its offset.
    """
    by_passage: dict[str, list[Answer]] = {}
    for row in release.rows:
        by_passage.setdefault(row["context"], []).append(_answer(release, row))
    shifts = {context: find_shift(context, answers) for context, answers in by_passage.items()}
    sentences = {context: split_sentences(context) for context in by_passage}
    return [_pair(release, row, shifts[row["context"]], sentences[row["context"]]) for row in release.rows]


def _answer(release: Release, row: Mapping) -> Answer:
    answers = row["answers"] or {"text": [], "answer_start": []}
    texts, starts = answers["text"] or [], answers["answer_start"] or []
    told = isinstance(row["context"], str) and texts and all(texts) and len(starts) == len(texts) and None not in starts
    if not told:
        raise release.error(
            row["id"], f"context {row['context']!r:.40}, answers {answers!r}; expected texts and as many offsets"
        )
    return Answer(answers["text"][0], answers["answer_start"][0])


def _pair(release: Release, row: Mapping, shift: int, sentences: Sequence[tuple[int, int]]) -> dict:
    context, answer = row["context"], _answer(release, row)
    if not lies_at(context, answer, shift):
        raise release.error(row["id"], f"expected {answer.text!r} at character {answer.start} of its context")
    first = answer.start - shift
    last = first + len(answer.text) - 1
    touched = [(start, end) for start, end in sentences if start <= last and first < end]
    passage = context[touched[0][0] : touched[-1][1]]
    return {"id": row["id"], "query": row["question"], "passage": passage, "context": context}


def sentences_of_passages(release: Release) -> list:
    """LAReQA's candidates: the sentences of each passage, named by language, its first question's id, and place."""
    first = {row["context"]: row for row in reversed(release.rows)}
    return [
        {"id": _sentence_id(release, row, place), "text": row["context"][start:end], "context": row["context"]}
        for row in reversed(first.values())
        for place, (start, end) in enumerate(_breaks(release, row))
    ]


def questions_for_sentences(release: Release) -> list:
    """LAReQA's questions: relevant is the sentence that holds the first character of the answer.

    Raises DataError where no sentence does, or the sentences are not where their offsets say.
    """
    first = {row["context"]: row for row in reversed(release.rows)}
    queries = []
    for row in release.rows:
        answer = _answer(release, row)
        places = [n for n, (start, end) in enumerate(_breaks(release, row)) if start <= answer.start < end]
        if not places or not lies_at(row["context"], answer, 0):
            raise release.error(row["id"], f"no sentence holds {answer.text!r} at character {answer.start}")
        relevant = [_sentence_id(release, first[row["context"]], places[0])]
        queries.append({"id": row["id"], "text": row["question"], "relevant": relevant, "context": row["context"]})
    return queries


def _sentence_id(release: Release, row: Mapping, place: int) -> str:
    return f"{release.language}/{row['id']}/{place}"


def _breaks(release: Release, row: Mapping) -> Sequence[Sequence[int]]:
    breaks, texts = row["breaks"], row["sentences"]
    if not isinstance(row["context"], str) or not breaks or not all(map(is_pair, breaks)):
        raise release.error(row["id"], f"context {row['context']!r:.40}, sentence_breaks {breaks}; expected pairs")
    found = [row["context"][start:end] for start, end in breaks]
    if found != texts:
        raise release.error(row["id"], f"sentence_breaks {breaks} do not give its sentences")
    return breaks


def is_pair(values: Sequence | None) -> bool:
    """Whether these are two numbers."""
    return values is not None and len(values) == 2 and None not in values


def only_row(release: Release) -> Mapping:
    """BUCC in one row: that row. DataError where there are others, or a column of it is missing."""
    row = release.rows[0]
    missing = next((name for name, value in row.items() if value is None), None)
    if len(release.rows) != 1 or missing:
        found = f"{missing} is None" if missing else f"{len(release.rows)} rows"
        raise release.error(0, f"{found}; expected one row with both corpora")
    return row


def foreign_lines(release: Release) -> list:
    """BUCC in one row: the foreign sentences, numbered from 1, and which English sentence is the translation."""
    row = only_row(release)
    relevant: dict[int, list[str]] = {}
    for pair in row["gold"]:
        foreign, english = pair if is_pair(pair) else (0, 0)
        if not (0 < foreign <= len(row["foreign"]) and 0 < english <= len(row["english"])):
            sizes = f"{len(row['foreign'])} and {len(row['english'])} lines"
            said = f"{foreign}, {english}" if is_pair(pair) else pair
            raise release.error("gold", f"pair {said}: there are {sizes}, counted from 1")
        relevant.setdefault(foreign, []).append(str(english))
    return [
        {"id": str(number), "text": text, "relevant": relevant.get(number, [])}
        for number, text in enumerate(row["foreign"], 1)
    ]


def english_lines(release: Release) -> list:
    """BUCC in one row: the English sentences, numbered from 1."""
    row = only_row(release)
    lines = enumerate(row["english"], 1)
    return [{"id": str(number), "text": text, "language": release.home} for number, text in lines]


def lines_with_gold(release: Release) -> list:
    """BUCC with ids: the foreign sentences, and which English one the gold rows beside them name."""
    ids = {row["id"] for row in release.rows}
    relevant: dict[str, list[str]] = {}
    for pair in release.beside:
        if pair["foreign"] not in ids:
            raise release.error(pair["foreign"], "is in a gold pair, but not among the sentences")
        relevant.setdefault(pair["foreign"], []).append(pair["english"])
    return [row | {"relevant": relevant.get(row["id"], [])} for row in release.rows]


def lines(release: Release) -> list:
    """BUCC with ids: the English sentences."""
    return [row | {"language": release.home} for row in release.rows]


def mentions(release: Release) -> list:
    """Mewsli-X's queries: a mention in its context; relevant is its entity."""
    return [
        {"id": row["id"], "text": _mark(release, row), "relevant": [row["entity"]], "entity": row["entity"]}
        for row in release.rows
    ]


def mentions_with_entities(release: Release) -> list:
    """Mewsli-X's training rows: a mention in its context and the description of its entity."""
    return [
        {
            "id": row["id"],
            "query": _mark(release, row),
            "passage": row["description"],
            "context": "",
            "entity": row["entity"],
        }
        for row in release.rows
    ]


def _mark(release: Release, row: Mapping) -> str:
    """The mention between brackets, with at most AROUND characters of whole words on either side."""
    context, start = row["context"], row["start"]
    missing = next((name for name in ("context", "start", "mention", "entity") if row[name] is None), None)
    if missing:
        raise release.error(row["id"], f"{missing} is None; expected a mention in its context")
    stop = start + len(row["mention"])
    if context[start:stop] != row["mention"]:
        raise release.error(
            row["id"], f"expected {row['mention']!r} at character {start}, found {context[start:stop]!r}"
        )
    before, after = context[:start], context[stop:]
    if len(before) > AROUND:
        before = before[-AROUND:].partition(" ")[2] or before[-AROUND:]
    if len(after) > AROUND:
        after = after[:AROUND].rpartition(" ")[0] or after[:AROUND]
    return f"{before}[ {row['mention']} ]{after}"
