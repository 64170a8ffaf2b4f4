"""The tasks: one row each."""

from collections.abc import Mapping
from dataclasses import replace

from xt.errors import require_known
from xt.tasks.sources import Source, group_consecutive, group_equal
from xt.tasks.task import Task, build_table

UNPINNED = "The hub revision is not pinned: main is resolved when read, and the commit is recorded."

NLI = ("entailment", "neutral", "contradiction")

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip

PANX_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

PAIR = {"premise": "premise", "hypothesis": "hypothesis", "label": "label"}
QA = {"id": "id", "question": "question", "context": "context", "answers": "answers"}

MNLI = Source("nyu-mll/glue", "mnli", "train", PAIR, cluster=group_equal("premise"))
SQUAD = Source("rajpurkar/squad", "plain_text", "train", QA, cluster=group_equal("context"))
HELLASWAG = Source(
    "Rowan/hellaswag",
    "default",
    "train",
    {"prompt": "ctx", "choices": "endings", "label": "label", "origin": "source_id"},
    cluster=group_equal("origin"),
    label_values=("0", "1", "2", "3"),
)
XNLI = Source(
    "google/xtreme",
    "XNLI",
    "test",
    {"premise": "sentence1", "hypothesis": "sentence2", "label": "gold_label"},
    language_column="language",
    cluster=group_consecutive(3, "premise"),
    label_values=NLI,
)
UDPOS = Source(
    "google/xtreme",
    "udpos.{name}",
    "test",
    {"tokens": "tokens", "tags": "pos_tags"},
    cluster=group_equal("tokens"),
)
PANX = Source(
    "google/xtreme",
    "PAN-X.{code}",
    "test",
    {"tokens": "tokens", "tags": "ner_tags"},
    cluster=group_equal("tokens"),
)
XQUAD = Source("google/xtreme", "XQuAD.{code}", "validation", QA, cluster=group_equal("context"))
TYDIQA = Source(
    "google/xtreme",
    "tydiqa",
    "validation",
    QA,
    language_column="id",
    language_pattern="(?i)^{name}-",
    cluster=group_equal("context"),
)
TATOEBA = Source(
    "google/xtreme",
    "tatoeba.{iso3}",
    "validation",
    {"source": "source_sentence", "target": "target_sentence"},
)

TASKS: Mapping[str, Task] = build_table(
    Task(
        name="mnli",
        format="classification",
        roles=("intermediate",),
        group="sentence pair",
        languages=("en",),
        labels=NLI,
        training_task="mnli",
        training=MNLI,
        selection=None,
        evaluation=replace(MNLI, split="validation_matched"),
        parallel=False,
        metrics=("accuracy",),
        citation="Williams, Nangia and Bowman (2018), MultiNLI, NAACL; as in GLUE, Wang et al. (2019), ICLR",
        licence="mixed by genre: OANC, CC BY 3.0, CC BY-SA 3.0, public domain",
        note=f"A cluster is a premise. {UNPINNED}",
    ),
    Task(
        name="squad",
        format="span_qa",
        roles=("intermediate",),
        group="QA",
        languages=("en",),
        labels=(),
        training_task="squad",
        training=SQUAD,
        selection=None,
        evaluation=replace(SQUAD, split="validation"),
        parallel=False,
        metrics=("f1", "exact_match"),
        citation="Rajpurkar et al. (2016), SQuAD, EMNLP",
        licence="CC BY-SA 4.0",
        note=f"Version 1.1. Its validation split holds XQuAD's paragraphs: never select on it. {UNPINNED}",
    ),
    Task(
        name="hellaswag",
        format="multiple_choice",
        roles=("intermediate",),
        group="commonsense",
        languages=("en",),
        labels=("0", "1", "2", "3"),
        training_task="hellaswag",
        training=HELLASWAG,
        selection=None,
        evaluation=replace(HELLASWAG, split="validation"),
        parallel=False,
        metrics=("accuracy",),
        citation="Zellers et al. (2019), HellaSwag, ACL",
        licence="MIT",
        note=f"A cluster is a source video or article. Test labels are hidden. {UNPINNED}",
    ),
    Task(
        name="xnli",
        format="classification",
        roles=("target",),
        group="sentence pair",
        languages=tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split()),
        labels=NLI,
        training_task="mnli",
        training=None,
        selection=None,
        evaluation=XNLI,
        parallel=True,
        metrics=("accuracy",),
        citation="Conneau et al. (2018), XNLI, EMNLP; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY-NC 4.0",
        note=f"A cluster is a premise with its three hypotheses. {UNPINNED}",
    ),
    Task(
        name="udpos",
        format="tagging",
        roles=("target",),
        group="structured",
        languages=tuple(
            "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo "
            "zh".split()
        ),
        labels=UPOS,
        training_task="udpos",
        training=replace(UDPOS, split="train"),
        selection=None,
        evaluation=UDPOS,
        parallel=False,
        metrics=("token_accuracy", "chunk_f1"),
        citation="Nivre et al. (2018), Universal Dependencies 2.5; as in XTREME, Hu et al. (2020), ICML",
        licence="per treebank; mostly CC BY-SA or CC BY-NC-SA",
        note=f"XTREME's published number is chunk_f1. A cluster is a sentence. {UNPINNED}",
    ),
    Task(
        name="panx",
        format="tagging",
        roles=("target",),
        group="structured",
        languages=tuple(
            "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw "
            "yo my zh kk tr et fi hu".split()
        ),
        labels=PANX_TAGS,
        training_task="panx",
        training=replace(PANX, split="train"),
        selection=None,
        evaluation=PANX,
        parallel=False,
        metrics=("span_f1",),
        citation="Pan et al. (2017), WikiANN, ACL; as in XTREME, Hu et al. (2020), ICML",
        licence="ODC-BY; text CC BY-SA",
        note=f"Tags are silver. A cluster is a sentence. {UNPINNED}",
    ),
    Task(
        name="xquad",
        format="span_qa",
        roles=("target",),
        group="QA",
        languages=tuple("en es de el ru tr ar vi th zh hi".split()),
        labels=(),
        training_task="squad",
        training=None,
        selection=None,
        evaluation=XQUAD,
        parallel=True,
        metrics=("f1", "exact_match"),
        citation="Artetxe, Ruder and Yogatama (2020), XQuAD, ACL; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY-SA 4.0",
        note=f"The reported split is called validation. A cluster is a passage. {UNPINNED}",
    ),
    Task(
        name="tydiqa",
        format="span_qa",
        roles=("target",),
        group="QA",
        languages=tuple("en ar bn fi id ko ru sw te".split()),
        labels=(),
        training_task="tydiqa",
        training=replace(TYDIQA, split="train"),
        selection=None,
        evaluation=TYDIQA,
        parallel=False,
        metrics=("f1", "exact_match"),
        citation="Clark et al. (2020), TyDi QA, TACL; gold passages as in XTREME, Hu et al. (2020), ICML",
        licence="Apache-2.0",
        note=f"The reported split is called validation. A cluster is a passage. {UNPINNED}",
    ),
    Task(
        name="tatoeba",
        format="retrieval",
        roles=("target",),
        group="retrieval",
        languages=tuple(
            "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh kk "
            "tr et fi hu".split()
        ),
        labels=(),
        training_task=None,
        training=None,
        selection=None,
        evaluation=TATOEBA,
        parallel=False,
        metrics=("accuracy",),
        citation="Artetxe and Schwenk (2019), TACL; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY 2.0 FR",
        note=f"Up to 1,000 pairs with English; the pairs differ between languages. {UNPINNED}",
    ),
)


def get_task(name: str) -> Task:
    """The row of a task. Raises ValueError naming the tasks there are."""
    return TASKS[require_known("task", name, TASKS)]
