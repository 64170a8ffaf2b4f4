"""The row of the task table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xt.errors import require_known
from xt.languages import get_language
from xt.tasks.sources import Source

FORMATS = (
    "classification", "multiple_choice", "tagging", "span_qa", "span_qa_v2", "retrieval", "ranking", "mining",
)  # fmt: skip
"""`span_qa_v2`: questions may have no answer. `retrieval`: the translation among as many sentences, no training.
`mining`: translated pairs out of two corpora, no training. `ranking`: a dual encoder ranks candidates for queries."""
ROLES = ("intermediate", "target")
LABELLED = ("classification", "multiple_choice", "tagging")
"""Formats whose rows name their labels."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task: what it is, where its rows lie, how it is scored."""

    name: str
    """The benchmark's name for it."""
    format: str
    """One of FORMATS: decides reader, encoding, head and metric columns."""
    roles: tuple[str, ...]
    """Which phases may train or score it, out of ROLES."""
    group: str
    """What is averaged together: sentence pair, structured, QA, retrieval, commonsense."""
    languages: tuple[str, ...]
    """Languages of the evaluation data, in the benchmark's order."""
    labels: tuple[str, ...] = ()
    """Names of the labels or tags in the hub's order; empty where the format has none."""
    training_task: str | None
    """The task whose data a model for this one is trained on; None: nothing is trained."""
    training: Source | None = None
    """Rows to train on; None where another task's are used, or nothing is trained."""
    selection: Source | None = None
    """A split disjoint from training to select checkpoints on; None: a slice of the training rows."""
    evaluation: Source | None
    """Rows that are scored."""
    parallel: bool = False
    """Whether the items are the same in all languages."""
    shared_ids: bool = False
    """Whether an id is one item in every language that has it, though not every language has it."""
    metrics: tuple[str, ...]
    """Metrics, the primary one first."""
    citation: str
    """Who made the data."""
    licence: str
    """Licence of the data."""
    note: str
    """What a reader of its scores should know; says so where a source has no pinned revision."""
    more_languages: tuple[str, ...] = ()
    """Languages of the evaluation data that XTREME-R adds."""
    more_training: tuple[Source, ...] = ()
    """Rows trained on together with those of `training`, under the same labels."""
    translated: Source | None = None
    """The training rows machine-translated from English, a language each; its config or language column tells which."""
    trained_before: str | None = None
    """The task on whose data a model is fine-tuned first, before `training_task` (SIQA before COPA)."""
    calibration: Source | None = None
    """Rows on which a threshold on scores is chosen; None, or rows that a root lacks: see the format."""
    pool: Source | None = None
    """Rows of the candidates, where they do not stand with the queries."""

    def __post_init__(self):
        require_known("format", self.format, FORMATS)
        for role in self.roles:
            require_known("role", role, ROLES)
        for code in (*self.languages, *self.more_languages):
            get_language(code)
        for field in ("name", "roles", "group", "languages", "metrics", "citation", "licence"):
            if not getattr(self, field):
                raise ValueError(f"task {self.name!r}: {field} is empty")
        everywhere = (*self.languages, *self.more_languages)
        if len(set(everywhere)) != len(everywhere):
            raise ValueError(f"task {self.name!r}: a language is named twice in {everywhere}")
        if bool(self.labels) != (self.format in LABELLED):
            raise ValueError(f"task {self.name!r}: labels are {self.labels}; required for {', '.join(LABELLED)} only")
        unpinned = [source for source in self.sources if source.revision is None]
        if unpinned and "revision" not in self.note:
            dataset = unpinned[0].dataset
            raise ValueError(f"task {self.name!r}: {dataset} has no revision and the note does not say so")

    @property
    def joint(self) -> bool:
        """Whether languages share items, which are then resampled jointly."""
        return self.parallel or self.shared_ids

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that the row names."""
        named = (self.training, *self.more_training, self.selection, self.evaluation)
        return tuple(source for source in (*named, self.translated, self.calibration, self.pool) if source)


def build_table(*tasks: Task) -> Mapping[str, Task]:
    """Name -> row, read-only. Raises ValueError for a duplicate name or an unknown training task."""
    table: dict[str, Task] = {}
    for task in tasks:
        if task.name in table:
            raise ValueError(f"task {task.name!r} stands twice in the table")
        table[task.name] = task
    for task in tasks:
        if task.trained_before is not None:
            require_known(f"task trained before {task.name!r}", task.trained_before, table)
        if task.training_task is not None:
            trained = table[require_known(f"training task of {task.name!r}", task.training_task, table)]
            if trained.training is None:
                raise ValueError(f"task {task.name!r}: its training task {trained.name!r} has no training rows")
    return MappingProxyType(table)
