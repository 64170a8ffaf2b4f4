"""The rows of the tasks that are trained on before a target task, and their sources."""

from dataclasses import replace
from functools import partial

from xt.tasks.shapes import ask, ask_for_cause, lettered, supertags
from xt.tasks.sources import Source, group_equal, translation
from xt.tasks.task import Task

UNPINNED = "The hub revision is not pinned: main is resolved when read, and the commit is recorded."

NLI = ("entailment", "neutral", "contradiction")
CCG_SLOTS = ("unseen", *(f"category {number}" for number in range(1, 1500)))

PAIR = {"premise": "premise", "hypothesis": "hypothesis", "label": "label"}
QA = {"id": "id", "question": "question", "context": "context", "answers": "answers"}
CCG_COLUMNS = {"tokens": "tokens", "tags": "categories"}
COPA_COLUMNS = {"premise": "premise", "choice1": "choice1", "choice2": "choice2", "idx": "idx", "label": "label"}


MNLI = Source("nyu-mll/glue", "mnli", "train", PAIR, cluster=group_equal("premise"))
SNLI = Source("stanfordnlp/snli", "plain_text", "train", PAIR, cluster=group_equal("premise"), drop_unlabelled=True)
ANLI = Source("facebook/anli", "plain_text", "train_r1", {"id": "uid"} | PAIR, cluster=group_equal("premise"))
QQP = Source(
    "nyu-mll/glue",
    "qqp",
    "train",
    {"premise": "question1", "hypothesis": "question2", "label": "label"},
    cluster=group_equal("premise"),
)
SQUAD = Source("rajpurkar/squad", "plain_text", "train", QA, cluster=group_equal("context"))
SQUAD_V2 = replace(SQUAD, dataset="rajpurkar/squad_v2", config="squad_v2", unanswerable=True)
HELLASWAG = Source(
    "Rowan/hellaswag",
    "default",
    "train",
    {"prompt": "ctx", "choices": "endings", "label": "label", "origin": "source_id"},
    cluster=group_equal("origin"),
    label_values=("0", "1", "2", "3"),
)
COSMOSQA = Source(
    "allenai/cosmos_qa",
    "default",
    "train",
    {name: name for name in "id context question answer0 answer1 answer2 answer3 label".split()},
    cluster=group_equal("context"),
    shape=partial(ask, choices=("answer0", "answer1", "answer2", "answer3")),
)
COMMONSENSEQA = Source(
    "tau/commonsense_qa",
    "default",
    "train",
    {"id": "id", "prompt": "question", "choices": "choices", "label": "answerKey"},
    label_values=tuple("ABCDE"),
    shape=partial(lettered, letters="ABCDE"),
)
SIQA = Source(
    "lighteval/siqa",
    "default",
    "train",
    {name: name for name in "context question answerA answerB answerC label".split()},
    cluster=group_equal("context"),
    label_values=("1", "2", "3"),
    shape=partial(ask, choices=("answerA", "answerB", "answerC")),
)
COPA = Source("aps/super_glue", "copa", "train", COPA_COLUMNS | {"question": "question"}, shape=ask_for_cause)
CCG = Source(
    "xt/ccg",
    "default",
    "train",
    CCG_COLUMNS,
    cluster=group_equal("tokens"),
    shape=partial(supertags, slots=len(CCG_SLOTS)),
    hub_languages=(),
    otherwise=Source(
        "CCGbank",
        "sections",
        "train",
        CCG_COLUMNS,
        cluster=group_equal("tokens"),
        shape=partial(supertags, slots=len(CCG_SLOTS)),
        place="XT_CCGBANK",
    ),
)
CCG_SCORED = replace(
    CCG.at("validation"), beside=CCG, otherwise=replace(CCG.otherwise.at("validation"), beside=CCG.otherwise)
)
XNLI_TRANSLATED = replace(
    MNLI,
    dataset="facebook/xnli",
    config="{code}",
    hub_languages=tuple("ar bg de el es fr hi ru sw th tr ur vi zh".split()),
)
SQUAD_TRANSLATED = replace(
    translation(SQUAD),
    otherwise=replace(
        SQUAD,
        dataset="facebook/mlqa",
        config="mlqa-translate-train.{code}",
        hub_languages=tuple("ar de es hi vi zh".split()),
    ),
)


def english(name: str, training: Source, **row) -> Task:
    """The row of a task that is trained on its own English rows or their translations, and scored on its validation
    split, where `row` says nothing else."""
    usual = dict(translated=translation(training), evaluation=replace(training, split="validation"))
    about = dict(roles=("intermediate",), languages=("en",), training_task=name)
    return Task(name=name, training=training, **(usual | about | row))


INTERMEDIATE = (
    english(
        name="anli_plus",
        format="classification",
        group="sentence pair",
        labels=NLI,
        training=MNLI,
        more_training=(SNLI, ANLI, replace(ANLI, split="train_r2"), replace(ANLI, split="train_r3")),
        evaluation=replace(ANLI, split="dev_r3"),
        metrics=("accuracy",),
        citation="Nie et al. (2020), Adversarial NLI, ACL; with SNLI, Bowman et al. (2015), EMNLP, and MultiNLI",
        licence="CC BY-NC 4.0 (ANLI); CC BY-SA 4.0 (SNLI); MultiNLI's",
        note="MNLI, SNLI and the three rounds of ANLI, proportionally; ids say which. Unlabelled rows of SNLI are "
        f"dropped and counted. A cluster is a premise. {UNPINNED}",
    ),
    english(
        name="mnli",
        format="classification",
        group="sentence pair",
        labels=NLI,
        training=MNLI,
        translated=replace(translation(MNLI), otherwise=XNLI_TRANSLATED),
        evaluation=replace(MNLI, split="validation_matched"),
        metrics=("accuracy",),
        citation="Williams, Nangia and Bowman (2018), MultiNLI, NAACL; as in GLUE, Wang et al. (2019), ICLR",
        licence="mixed by genre: OANC, CC BY 3.0, CC BY-SA 3.0, public domain",
        note=f"A cluster is a premise. Translations are a root's own, else those of XNLI. {UNPINNED}",
    ),
    english(
        name="qqp",
        format="classification",
        group="sentence pair",
        labels=("not_duplicate", "duplicate"),
        training=QQP,
        metrics=("accuracy",),
        citation="Iyer, Dandekar and Csernai (2017), Quora Question Pairs; as in GLUE, Wang et al. (2019), ICLR",
        licence="Quora's terms: non-commercial",
        note=f"Pairs with the same first question are a cluster. Test labels are hidden. {UNPINNED}",
    ),
    english(
        name="squad_v2",
        format="span_qa_v2",
        group="QA",
        training=SQUAD_V2,
        metrics=("f1_no_answer", "exact_match_no_answer"),
        citation="Rajpurkar, Jia and Liang (2018), SQuAD 2.0, ACL",
        licence="CC BY-SA 4.0",
        note="Empty answers: the question has none. Its validation split holds XQuAD's paragraphs: never select on "
        f"it. {UNPINNED}",
    ),
    english(
        name="squad",
        format="span_qa",
        group="QA",
        training=SQUAD,
        translated=SQUAD_TRANSLATED,
        metrics=("f1", "exact_match"),
        citation="Rajpurkar et al. (2016), SQuAD, EMNLP",
        licence="CC BY-SA 4.0",
        note="Version 1.1. Its validation split holds XQuAD's paragraphs: never select on it. Translations are a "
        f"root's own, else those of MLQA. {UNPINNED}",
    ),
    english(
        name="hellaswag",
        format="multiple_choice",
        group="commonsense",
        labels=("0", "1", "2", "3"),
        training=HELLASWAG,
        metrics=("accuracy",),
        citation="Zellers et al. (2019), HellaSwag, ACL",
        licence="MIT",
        note=f"A cluster is a source video or article. Test labels are hidden. {UNPINNED}",
    ),
    english(
        name="ccg",
        format="tagging",
        group="structured",
        labels=CCG_SLOTS,
        training=CCG,
        translated=translation(replace(CCG, otherwise=None)),
        evaluation=CCG_SCORED,
        metrics=("token_accuracy",),
        citation="Hockenmaier and Steedman (2007), CCGbank, Computational Linguistics",
        licence="LDC User Agreement for Non-Members (LDC2005T13); the lab's: CC0 1.0",
        note="Categories are an open set: label n is the n-th most frequent one of the training rows of root and "
        "language, label 0 one that they lack, which counts as an error. From the root's xt/ccg, else from the CCGbank "
        "folder that XT_CCGBANK names (sections 02-21, 00, 23). A cluster is a sentence. No revision: not on the hub.",
    ),
    english(
        name="cosmosqa",
        format="multiple_choice",
        group="commonsense",
        labels=("0", "1", "2", "3"),
        training=COSMOSQA,
        metrics=("accuracy",),
        citation="Huang et al. (2019), Cosmos QA, EMNLP",
        licence="CC BY 4.0",
        note=f"The prompt is passage and question; a cluster is a passage. Test labels are hidden. {UNPINNED}",
    ),
    english(
        name="commonsenseqa",
        format="multiple_choice",
        group="commonsense",
        labels=("A", "B", "C", "D", "E"),
        training=COMMONSENSEQA,
        metrics=("accuracy",),
        citation="Talmor et al. (2019), CommonsenseQA, NAACL",
        licence="MIT",
        note=f"The random split. Test labels are hidden. {UNPINNED}",
    ),
    english(
        name="siqa",
        format="multiple_choice",
        group="commonsense",
        labels=("1", "2", "3"),
        training=SIQA,
        metrics=("accuracy",),
        citation="Sap et al. (2019), Social IQa, EMNLP",
        licence="CC BY 4.0",
        note=f"Trained on before COPA, for XCOPA. A cluster is a context. {UNPINNED}",
    ),
    english(
        name="copa",
        format="multiple_choice",
        group="commonsense",
        labels=("choice1", "choice2"),
        trained_before="siqa",
        training=COPA,
        selection=replace(COPA, split="validation"),
        metrics=("accuracy",),
        citation="Roemmele, Bejan and Gordon (2011), COPA, AAAI; as in SuperGLUE, Wang et al. (2019), NeurIPS",
        licence="BSD 2-Clause",
        note="XCOPA translates its validation and test splits: selected on validation, scored on test. Test labels are "
        f"hidden on the hub. {UNPINNED}",
    ),
)
