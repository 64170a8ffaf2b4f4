"""XTREME's prediction files: one text per task and language, written and read in the form of the task's format.

What a line is, and in which order lines stand, is what the benchmark's `evaluate.py` reads: labels and tags by name in
the order of the release, answers by id, pairs and rankings by id. Tatoeba's test files hold the English sentences in
alphabetical order: line i is for the i-th of them, and tells the position (from 0) of the foreign sentence found.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xt.errors import DataError
from xt.tasks import Task


@dataclass(frozen=True)
class FileForm:
    """How the predictions of one format stand in a file."""

    suffix: str
    """What follows `test-<language>.`"""
    write: Callable[[Task, Sequence, Sequence], str]
    """(task, predictions as a run folder holds them, their examples in the order of the release) -> text."""
    read: Callable[[Task, str, Sequence, str], list]
    """(task, text, examples, file) -> one decoded prediction per example. DataError names file, line and value."""


def form_of(task: Task) -> FileForm:
    """The form of a task's files. DataError where XTREME has none for its format."""
    if task.format not in FORMS:
        raise DataError(f"{task.name}: XTREME has no prediction file for {task.format}; allowed: {', '.join(FORMS)}")
    return FORMS[task.format]


def label_names(task: Task) -> tuple[str, ...]:
    """The labels as the release spells them."""
    return tuple(map(str, task.evaluation.label_values or task.labels))


def take(names: Sequence[str], value: str, where: str) -> int:
    """Place of a value among names. DataError naming where it stands and what is allowed."""
    if value not in names:
        raise DataError(f"{where}: {value!r}; allowed: {', '.join(names)}")
    return names.index(value)


def split_lines(text: str, num_lines: int, file: str) -> list[str]:
    """The lines of a text without what ends them. DataError where they are not as many as examples."""
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) != num_lines:
        raise DataError(f"{file}: {len(lines)} lines; allowed: {num_lines}, one per example in the release's order")
    return lines


def write_labels(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """One label per line."""
    return "".join(f"{label_names(task)[label]}\n" for label in predictions)


def parse_label(task: Task, value: str, example, where: str) -> int:
    """A label by name, as the release or this project spells it."""
    return task.labels.index(value) if value in task.labels else take(label_names(task), value, where)


def read_labels(task: Task, text: str, examples: Sequence, file: str) -> list[int]:
    """Label indices."""
    lines = enumerate(split_lines(text, len(examples), file), 1)
    return [parse_label(task, line, None, f"{file}, line {row}") for row, line in lines]


def write_choices(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """One JSON record per line, `label` being the place of the choice, from 0."""
    return "".join(json.dumps({"label": int(label)}) + "\n" for label in predictions)


def parse_choice(task: Task, value: str, example, where: str) -> int:
    """The place of a choice, from 0."""
    return take([str(place) for place in range(len(task.labels))], value, where)


def read_choices(task: Task, text: str, examples: Sequence, file: str) -> list[int]:
    """Places of choices."""
    lines = enumerate(split_lines(text, len(examples), file), 1)
    named = [(str(read_json(line, f"{file}, line {row}").get("label")), f"{file}, line {row}") for row, line in lines]
    return [parse_choice(task, value, None, where) for value, where in named]


def write_tags(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """One tag per line, a blank line between sentences."""
    return "\n".join("".join(f"{tag}\n" for tag in tags) for tags in predictions)


def read_tags(task: Task, text: str, examples: Sequence, file: str) -> list[list[int]]:
    """Tag indices per sentence. DataError too where a sentence has another number of tags than words."""
    blocks = text.strip("\n").split("\n\n") if examples else []
    sentences = [[line.strip() for line in block.split("\n")] for block in blocks]
    if len(sentences) != len(examples):
        raise DataError(f"{file}: {len(sentences)} sentences; allowed: {len(examples)}, a blank line between them")
    return [
        parse_tags(task, " ".join(tags), example, f"{file}, sentence {place}")
        for place, (tags, example) in enumerate(zip(sentences, examples, strict=True), 1)
    ]


def parse_tags(task: Task, value: str, example, where: str) -> list[int]:
    """Tags joined by blanks, one per word."""
    tags = value.split()
    if len(tags) != len(example.tokens):
        raise DataError(f"{where}: {len(tags)} tags; allowed: {len(example.tokens)}, one per word")
    return [take(task.labels, tag, where) for tag in tags]


def write_answers(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """A JSON record: question id -> answer."""
    answers = {example.id: answer for example, answer in zip(examples, predictions, strict=True)}
    return json.dumps(answers, ensure_ascii=False, indent=1) + "\n"


def read_answers(task: Task, text: str, examples: Sequence, file: str) -> list[str]:
    """Answers in the order of the examples. DataError for an id that is missing, unknown or there twice."""
    return read_record(text, examples, file, lambda answer: isinstance(answer, str), "a text")


def read_rankings(task: Task, text: str, examples: Sequence, file: str) -> list[list[str]]:
    """Ids of what was found, the best first, in the order of the examples; DataError as `read_answers`."""
    return read_record(text, examples, file, is_ranking, "a list of ids")


def is_ranking(value) -> bool:
    """Whether a value of a JSON record is a list of texts."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def read_record(text: str, examples: Sequence, file: str, is_allowed: Callable, allowed: str) -> list:
    """The values of a JSON record in the order of the examples that its keys name."""
    record = read_json(text, file)
    match_ids(record, [example.id for example in examples], file)
    strange = next((name for name, value in record.items() if not is_allowed(value)), None)
    if strange is not None:
        raise DataError(f"{file}: id {strange!r} has {record[strange]!r}; allowed: {allowed}")
    return [record[example.id] for example in examples]


def write_rankings(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """A JSON record: query id -> ids of what was found, the best first."""
    found = {example.id: ids.split() for example, ids in zip(examples, predictions, strict=True)}
    return json.dumps(found, ensure_ascii=False) + "\n"


def write_neighbours(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """One position per line, for the English sentences in alphabetical order."""
    position, found = {example.id: place for place, example in enumerate(examples)}, list(predictions)
    return "".join(f"{position[found[place]]}\n" for place in english_order(examples))


def read_neighbours(task: Task, text: str, examples: Sequence, file: str) -> list[str]:
    """Ids of what was found for each English sentence, in the order of the examples."""
    places = [str(place) for place in range(len(examples))]
    lines, found = split_lines(text, len(examples), file), [""] * len(examples)
    for row, (line, place) in enumerate(zip(lines, english_order(examples), strict=True), 1):
        found[place] = examples[take(places, line, f"{file}, line {row}")].id
    return found


def english_order(examples: Sequence) -> list[int]:
    """Places of the pairs when their English sentences stand in alphabetical order, as in XTREME's test files."""
    return sorted(range(len(examples)), key=lambda place: examples[place].target.strip())


def write_pairs(task: Task, predictions: Sequence, examples: Sequence) -> str:
    """One pair of ids per line, foreign and English, for the sentences that were paired.

    DataError where ids are not BUCC's (`de-000413461`): the hub's copy has none.
    """
    strange = next((example.id for example in examples if not example.id.startswith(f"{example.language}-")), None)
    if strange is not None:
        raise DataError(f"{task.name}: id {strange!r} is not the release's; allowed: a root with BUCC's own files")
    return "".join(f"{example.id}\t{found}\n" for example, found in zip(examples, predictions, strict=True) if found)


def read_pairs(task: Task, text: str, examples: Sequence, file: str) -> list[str | None]:
    """The English id of each foreign sentence, None where it is in no pair."""
    known, pairs = {example.id for example in examples}, {}
    for row, line in enumerate(text.splitlines(), 1):
        foreign, tab, english = line.strip().partition("\t")
        if not tab or foreign not in known or foreign in pairs:
            raise DataError(
                f"{file}, line {row}: {line!r}; allowed: a foreign id not named before, a tab, an English id"
            )
        pairs[foreign] = english
    return [pairs.get(example.id) for example in examples]


def read_json(text: str, where: str) -> dict:
    """A JSON record. DataError where it is none, or names a key twice."""

    def refuse_twice(pairs: list) -> dict:
        keys = [key for key, _ in pairs]
        twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
        if twice is not None:
            raise DataError(f"{where}: id {twice!r} stands twice; allowed: every id once")
        return dict(pairs)

    try:
        record = json.loads(text, object_pairs_hook=refuse_twice)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: no JSON ({error}); allowed: a JSON record") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: {str(record)[:40]!r}; allowed: a JSON record")
    return record


def match_ids(given: Sequence[str] | Mapping, wanted: Sequence[str], where: str) -> None:
    """DataError naming the first id that is missing, unknown or doubled: none is scored 0."""
    ids, known = list(given), set(wanted)
    present = set(ids)
    twice = sorted(present) if len(present) < len(ids) else []
    faults = {
        "stands twice": next((id for id in twice if ids.count(id) > 1), None),
        "is missing": next((id for id in wanted if id not in present), None),
        "is unknown": next((id for id in ids if id not in known), None),
    }
    for fault, id in faults.items():
        if id is not None:
            raise DataError(f"{where}: id {id!r} {fault}; allowed: the {len(wanted)} ids of the release, each once")


FORMS: Mapping[str, FileForm] = {
    "classification": FileForm("tsv", write_labels, read_labels),
    "multiple_choice": FileForm("jsonl", write_choices, read_choices),
    "tagging": FileForm("tsv", write_tags, read_tags),
    "span_qa": FileForm("json", write_answers, read_answers),
    "retrieval": FileForm("tsv", write_neighbours, read_neighbours),
    "mining": FileForm("tsv", write_pairs, read_pairs),
    "ranking": FileForm("json", write_rankings, read_rankings),
}
"""Format -> its form."""
