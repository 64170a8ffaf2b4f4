"""Tasks: one row each in TASKS, read from the hub or from a folder, as checked examples.

`table` holds the rows, `task` what a row is, `sources` what names its data, `roots` where it is read,
`rows` the way from a release's columns to our fields, one file per format the way to examples, `selection`
slices and caps; `reading` puts them together.
"""

from xt.tasks.examples import Answer, Classification, Example, MultipleChoice, SentencePair, SpanQA, Tagging
from xt.tasks.reading import (
    EvaluationData,
    TrainingData,
    fingerprint_evaluation,
    fingerprint_training,
    home_language,
    languages_of,
    list_languages,
    read_evaluation,
    read_training,
)
from xt.tasks.selection import shuffle_labels
from xt.tasks.sources import STATUSES, Source, worst_status
from xt.tasks.table import TASKS, get_task
from xt.tasks.task import Task
from xt.tasks.text import fingerprint_text, read_text, text_languages, text_status

__all__ = [
    "STATUSES",
    "TASKS",
    "Answer",
    "Classification",
    "EvaluationData",
    "Example",
    "MultipleChoice",
    "SentencePair",
    "Source",
    "SpanQA",
    "Tagging",
    "Task",
    "TrainingData",
    "fingerprint_evaluation",
    "fingerprint_text",
    "fingerprint_training",
    "get_task",
    "home_language",
    "languages_of",
    "list_languages",
    "read_evaluation",
    "read_text",
    "read_training",
    "shuffle_labels",
    "text_languages",
    "text_status",
    "worst_status",
]
