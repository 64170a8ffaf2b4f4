"""The presets, each a small table of knobs, and the knobs that a training gets from them. Imports nothing heavy.

`jiant` is closest to the code that Phang et al. 2020 released (jiant's guides and `XTREME` scripts); `xtreme` are the
settings of XTREME's own scripts; `xlmr` those of fairseq's XLM-R on XNLI (fairseq issue 1367). Where a source says
nothing, a knob keeps its default. `xtreme` is for base models, `xtreme_large` for large ones, which XTREME trains on
NLI and multiple choice with a higher learning rate.
"""

from collections.abc import Mapping
from dataclasses import replace

from xt.errors import require_known
from xt.knobs import KNOBS, OF_DATA, Knobs, coerce
from xt.tasks import asked_once, get_task

LAB_QA = dict(doc_stride=16, max_query_length=32, max_answer_length=12, empty_windows=1, num_selection_examples=150)
LAB: Mapping[str, Mapping[str, object]] = {
    "several tasks": dict(learning_rate=5e-4, num_epochs=1, batch_size=16),
    "all": dict(
        learning_rate=1e-3,
        num_epochs=2,
        batch_size=32,
        max_seq_length=96,
        dropout=0.0,
        max_train_examples=4000,
        max_eval_examples=200,
        num_selection_examples=200,
        selection_steps=100,
        tokens_per_batch=4096,
        trained_embeddings="seen",
        attention="eager",
    ),
    "classification": dict(learning_rate=3e-4, num_epochs=4, batch_size=16),
    "multiple_choice": dict(learning_rate=3e-4, num_epochs=1, batch_size=16),
    "span_qa": LAB_QA,
    "span_qa_v2": LAB_QA,
    "mining": dict(max_eval_examples=0),
    "ranking": dict(num_epochs=2, batch_size=16, max_query_length=32),
    "copa": dict(num_epochs=4, batch_size=16),
}

SEARCH: Mapping[str, Mapping[str, object]] = {
    "retrieval": dict(max_seq_length=512),
    "mining": dict(max_seq_length=512),
    "lareqa": dict(num_epochs=3, batch_size=16, max_query_length=96, max_seq_length=256),
    "mewslix": dict(num_epochs=2, max_query_length=64, max_seq_length=64),
}
"""Of XTREME's and XTREME-R's scripts; jiant has none of its own but for the length of sentences."""
QA = dict(max_seq_length=384, doc_stride=128, max_query_length=64, max_answer_length=30)
XTREME_QA = QA | dict(learning_rate=3e-5, num_epochs=3, warmup_steps=500, weight_decay=1e-4)
XTREME: Mapping[str, Mapping[str, object]] = {
    "all": dict(
        learning_rate=2e-5, num_epochs=5, batch_size=32, max_seq_length=128, warmup_ratio=0.0, weight_decay=0.0
    ),
    "tagging": dict(num_epochs=10),
    "span_qa": XTREME_QA,
    "span_qa_v2": XTREME_QA,
    **SEARCH,
}
JIANT: Mapping[str, Mapping[str, object]] = {
    "all": dict(num_epochs=2, batch_size=32, max_seq_length=256),
    "pawsx": dict(num_epochs=5),
    "tagging": dict(num_epochs=10),
    "span_qa": QA | dict(batch_size=16),
    "span_qa_v2": QA | dict(batch_size=16),
    **SEARCH,
    "intermediate": dict(num_epochs=3, batch_size=32, max_seq_length=256),
}
MINI_QA = dict(
    num_epochs=1,
    doc_stride=24,
    max_query_length=32,
    max_answer_length=20,
    empty_windows=1,
    max_train_examples=3000,
    max_eval_examples=200,
    num_selection_examples=200,
)
MINI: Mapping[str, Mapping[str, object]] = {
    "all": dict(
        learning_rate=3e-4,
        num_epochs=2,
        batch_size=32,
        max_seq_length=96,
        max_train_examples=6000,
        max_eval_examples=300,
        num_selection_examples=300,
        selection_steps=50,
        tokens_per_batch=3072,
        attention="eager",
    ),
    "tagging": dict(num_epochs=3),
    "span_qa": MINI_QA,
    "span_qa_v2": MINI_QA,
    "multiple_choice": dict(num_epochs=1, max_train_examples=3000),
    "mining": dict(max_eval_examples=0),
    "ranking": dict(num_epochs=1, batch_size=16, max_query_length=32, max_train_examples=3000),
    "copa": dict(num_epochs=4),
}
SHORT_QA = MINI_QA | dict(max_train_examples=1500, max_eval_examples=100, num_selection_examples=100)

PRESETS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "smoke": {
        "all": dict(
            learning_rate=2e-3,
            num_epochs=3,
            batch_size=8,
            max_seq_length=64,
            doc_stride=16,
            max_query_length=24,
            max_answer_length=12,
            num_selection_examples=8,
            selection_steps=6,
            tokens_per_batch=1024,
        ),
    },
    "mini": MINI,
    "mini_short": {
        **MINI,
        "all": MINI["all"]
        | dict(max_train_examples=2000, max_eval_examples=100, num_selection_examples=100, trained_embeddings="seen"),
        "tagging": dict(num_epochs=2),
        "span_qa": SHORT_QA,
        "span_qa_v2": SHORT_QA,
        "multiple_choice": dict(num_epochs=1),
        "ranking": MINI["ranking"] | dict(max_train_examples=1500),
        "several tasks": dict(num_epochs=1),
    },
    "cost": {
        **MINI,
        "all": MINI["all"]
        | dict(
            num_train_steps=4,
            batch_size=4,
            max_seq_length=384,
            max_train_examples=64,
            max_eval_examples=100,
            num_selection_examples=8,
            trained_embeddings="seen",
            attention="sdpa",
            precision="fp32",
        ),
        "span_qa": QA | dict(empty_windows=1, max_train_examples=64, max_eval_examples=100, num_selection_examples=8),
    },
    "jiant": JIANT,
    "xtreme": XTREME,
    "xtreme_large": {**XTREME, "mnli": dict(learning_rate=3e-5), "multiple_choice": dict(learning_rate=3e-5)},
    "xlmr": {**XTREME, "mnli": dict(learning_rate=5e-6, batch_size=128, selection_steps=5000)},
    "lab": LAB,
    "lab_short": {
        **LAB,
        "all": LAB["all"] | dict(max_train_examples=2400),
        "classification": LAB["classification"] | dict(num_epochs=3),
    },
    "quick": {**LAB, "all": LAB["all"] | dict(max_train_examples=2000, max_eval_examples=150)},
}
"""Preset -> scope -> knobs. Scopes apply in order: `all`, the training task's format, the training task's name; for an
intermediate training `intermediate`, and for one on more than one task `several tasks`."""


def resolve_knobs(
    preset: str, task_name: str, overrides: Mapping[str, object] | None = None, scopes: tuple[str, ...] = ()
) -> Knobs:
    """The knobs of a training on `task_name` (or a retrieval run on it): preset rows, those of further `scopes` last,
    then overrides.

    Raises ValueError for an unknown preset or knob and for a value out of range.
    """
    return _resolve(preset, task_name, tuple((overrides or {}).items()), scopes)


@asked_once
def _resolve(preset: str, task_name: str, overrides: tuple, scopes: tuple[str, ...]) -> Knobs:
    rows = PRESETS[require_known("preset", preset, PRESETS)]
    task = get_task(task_name)
    chosen: dict[str, object] = {}
    for scope in ("all", task.format, task.name, *scopes):
        chosen.update(rows.get(scope, {}))
    for name, value in overrides:
        require_known("knob", name, KNOBS)
        if value is not None:
            chosen[name] = value
    return replace(Knobs(), **{name: coerce(KNOBS[name].type, value) for name, value in chosen.items()})


def knobs_of(preset: str, tasks: tuple[str, ...], overrides: Mapping, phase: str) -> list[tuple[str, Knobs]]:
    """The knobs of each task that one training of a phase reads: its own for its data, the first one's for all else.

    So every task is read equally often, and takes part by its size.
    """
    return _knobs_of(preset, tasks, tuple(overrides.items()), phase)


@asked_once
def _knobs_of(preset: str, tasks: tuple[str, ...], overrides: tuple, phase: str) -> list[tuple[str, Knobs]]:
    scopes = (phase, *(("several tasks",) if len(tasks) > 1 else ()))
    first, *others = [_resolve(preset, task, overrides, scopes) for task in tasks]
    common = {name: getattr(first, name) for name in KNOBS if name not in OF_DATA}
    return list(zip(tasks, [first, *(replace(knobs, **common) for knobs in others)], strict=True))
