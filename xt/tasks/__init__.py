"""Tasks: one row each in TASKS, read from the hub or from a folder, as checked examples.

`table` holds the rows (they stand in `intermediate_tasks`, `target_tasks` and `further_tasks`), `task` what a row is,
`sources` what names its data, `roots` where it is read (`ccgbank`: one licensed release), `places` which of a row's
sources a root holds, `rows` the way from a release's columns to our fields (`shapes` and `search_shapes` where names of
columns are not enough), one file per format the way to examples, `selection` slices and caps; `reading` puts them
together. `text` is what is pretrained on.
"""

from xt.tasks.examples import (
    Answer,
    Candidate,
    Classification,
    Example,
    MultipleChoice,
    Query,
    QueryPassage,
    SentencePair,
    SpanQA,
    Tagging,
)
from xt.tasks.moment import asked_once, one_moment
from xt.tasks.reading import (
    EvaluationData,
    TrainingData,
    all_languages_of,
    fingerprint_evaluation,
    fingerprint_training,
    home_language,
    languages_of,
    list_languages,
    read_calibration,
    read_evaluation,
    read_training,
    training_languages,
    translated_languages,
)
from xt.tasks.selection import shuffle_labels
from xt.tasks.sources import STATUSES, Source, worst_status
from xt.tasks.table import TASKS, get_task
from xt.tasks.task import Task
from xt.tasks.text import fingerprint_text, open_text, read_text, text_languages, text_status
