"""From rows as released to rows of our fields, where naming the columns is not enough: see `Source.shape`."""

from collections import Counter
from collections.abc import Mapping, Sequence

from xt.tasks.sources import Release

CAUSES = {"cause": "What was the cause?", "effect": "What was the effect?"}
"""How the question of a COPA row is put behind its premise, as XTREME-R puts it."""
UNSEEN = 0
"""The label of a category that the training rows do not have."""


def ask(release: Release, *, choices: Sequence[str]) -> list:
    """A question on a context: both are the prompt, and the choices stand in columns of their own."""
    return [
        row | {"prompt": _prompt(release, place, row, "context", "question"), "choices": [row[c] for c in choices]}
        for place, row in enumerate(release.rows)
    ]


def lettered(release: Release, *, letters: str) -> list:
    """Choices that come with their letters, which must be these in this order."""
    for row in release.rows:
        found = row["choices"] and row["choices"]["label"]
        if found != list(letters):
            raise release.error(row["id"], f"choices are {found}; expected {list(letters)}")
    return [row | {"choices": row["choices"]["text"]} for row in release.rows]


def ask_for_cause(release: Release) -> list:
    """COPA: the question of the row behind its premise."""
    return [_copa(release, row, row["question"]) for row in release.rows]


def ask_for_cause_as_in_english(release: Release) -> list:
    """XCOPA: the question of English COPA's row with the same `idx`: as published, some languages' are wrong.

    Raises DataError where COPA has no such row, or another label than a row that shall translate it.
    """
    english = {row["idx"]: row for row in release.beside}
    for row in release.rows:
        if row["idx"] not in english:
            raise release.error(
                row["idx"], f"idx {row['idx']!r} is not in English COPA; expected one of 0 to {len(english) - 1}"
            )
        label = english[row["idx"]]["label"]
        if label not in (-1, row["label"]):
            raise release.error(row["idx"], f"label {row['label']!r}, but {label!r} in English COPA: a wrong idx?")
    return [_copa(release, row, english[row["idx"]]["question"]) for row in release.rows]


def _copa(release: Release, row: Mapping, question: str) -> dict:
    if question not in CAUSES:
        raise release.error(row["idx"], f"question {question!r}; expected {', '.join(CAUSES)}")
    asked = row | {"question": CAUSES[question]}
    prompt = _prompt(release, row["idx"], asked, "premise", "question")
    return {"id": str(row["idx"]), "prompt": prompt, "choices": [row["choice1"], row["choice2"]], "label": row["label"]}


def _prompt(release: Release, place, row: Mapping, *fields: str) -> str:
    missing = next((name for name in fields if not isinstance(row[name], str)), None)
    if missing:
        raise release.error(row.get("id", place), f"{missing} is {row[missing]!r}; expected text")
    return " ".join(row[name] for name in fields)


def supertags(release: Release, *, slots: int) -> list:
    """An open set of tags as numbers, the most frequent tag of the training rows first, from 1.

    The training rows are those beside, or these. A tag that they lack is UNSEEN: no model is trained to give it.
    """
    for place, row in enumerate([*release.rows, *release.beside]):
        if None in (row["tags"] or ()):
            raise release.error(row.get("id", place), f"tags are {row['tags']!r}; expected texts")
    counts = Counter(tag for row in release.beside or release.rows for tag in row["tags"] or ())
    order = sorted(counts, key=lambda tag: (-counts[tag], tag))
    if len(order) >= slots:
        raise release.error(0, f"{len(order)} categories in the training rows; expected fewer than {slots}")
    numbers = {tag: number for number, tag in enumerate(order, UNSEEN + 1)}
    return [row | {"tags": row["tags"] and [numbers.get(tag, UNSEEN) for tag in row["tags"]]} for row in release.rows]


def first_of(release: Release, *, field: str) -> list:
    """The first row of each value of a field."""
    return list({row[field]: row for row in reversed(release.rows)}.values())[::-1]
