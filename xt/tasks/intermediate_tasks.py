"""The rows of the tasks that are trained on before a target task, and their sources."""

from dataclasses import replace

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
    shape=ask("answer0", "answer1", "answer2", "answer3"),
)
COMMONSENSEQA = Source(
    "tau/commonsense_qa",
    "default",
    "train",
    {"id": "id", "prompt": "question", "choices": "choices", "label": "answerKey"},
    label_values=tuple("ABCDE"),
    shape=lettered("ABCDE"),
)
SIQA = Source(
    "lighteval/siqa",
    "default",
    "train",
    {name: name for name in "context question answerA answerB answerC label".split()},
    cluster=group_equal("context"),
    label_values=("1", "2", "3"),
    shape=ask("answerA", "answerB", "answerC"),
)
COPA = Source("aps/super_glue", "copa", "train", COPA_COLUMNS | {"question": "question"}, shape=ask_for_cause)
CCG = Source(
    "xt/ccg",
    "default",
    "train",
    CCG_COLUMNS,
    cluster=group_equal("tokens"),
    shape=supertags(len(CCG_SLOTS)),
    hub_languages=(),
    otherwise=Source(
        "CCGbank",
        "sections",
        "train",
        CCG_COLUMNS,
        cluster=group_equal("tokens"),
        shape=supertags(len(CCG_SLOTS)),
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

INTERMEDIATE = (
    Task(
        name="anli_plus",
        format="classification",
        roles=("intermediate",),
        group="sentence pair",
        languages=("en",),
        labels=NLI,
        training_task="anli_plus",
        training=MNLI,
        more_training=(SNLI, ANLI, replace(ANLI, split="train_r2"), replace(ANLI, split="train_r3")),
        translated=translation(MNLI),
        evaluation=replace(ANLI, split="dev_r3"),
        metrics=("accuracy",),
        citation="Nie et al. (2020), Adversarial NLI, ACL; with SNLI, Bowman et al. (2015), EMNLP, and MultiNLI",
        licence="CC BY-NC 4.0 (ANLI); CC BY-SA 4.0 (SNLI); MultiNLI's",
        note="MNLI, SNLI and the three rounds of ANLI, proportionally; ids say which. Unlabelled rows of SNLI are "
        f"dropped and counted. A cluster is a premise. {UNPINNED}",
    ),
    Task(
        name="mnli",
        format="classification",
        roles=("intermediate",),
        group="sentence pair",
        languages=("en",),
        labels=NLI,
        training_task="mnli",
        training=MNLI,
        translated=replace(translation(MNLI), otherwise=XNLI_TRANSLATED),
        evaluation=replace(MNLI, split="validation_matched"),
        metrics=("accuracy",),
        citation="Williams, Nangia and Bowman (2018), MultiNLI, NAACL; as in GLUE, Wang et al. (2019), ICLR",
        licence="mixed by genre: OANC, CC BY 3.0, CC BY-SA 3.0, public domain",
        note=f"A cluster is a premise. Translations are a root's own, else those of XNLI. {UNPINNED}",
    ),
    Task(
        name="qqp",
        format="classification",
        roles=("intermediate",),
        group="sentence pair",
        languages=("en",),
        labels=("not_duplicate", "duplicate"),
        training_task="qqp",
        training=QQP,
        translated=translation(QQP),
        evaluation=replace(QQP, split="validation"),
        metrics=("accuracy",),
        citation="Iyer, Dandekar and Csernai (2017), Quora Question Pairs; as in GLUE, Wang et al. (2019), ICLR",
        licence="Quora's terms: non-commercial",
        note=f"Pairs with the same first question are a cluster. Test labels are hidden. {UNPINNED}",
    ),
    Task(
        name="squad_v2",
        format="span_qa_v2",
        roles=("intermediate",),
        group="QA",
        languages=("en",),
        training_task="squad_v2",
        training=SQUAD_V2,
        translated=translation(SQUAD_V2),
        evaluation=replace(SQUAD_V2, split="validation"),
        metrics=("f1_no_answer", "exact_match_no_answer"),
        citation="Rajpurkar, Jia and Liang (2018), SQuAD 2.0, ACL",
        licence="CC BY-SA 4.0",
        note="Empty answers: the question has none. Its validation split holds XQuAD's paragraphs: never select on "
        f"it. {UNPINNED}",
    ),
    Task(
        name="squad",
        format="span_qa",
        roles=("intermediate",),
        group="QA",
        languages=("en",),
        training_task="squad",
        training=SQUAD,
        translated=SQUAD_TRANSLATED,
        evaluation=replace(SQUAD, split="validation"),
        metrics=("f1", "exact_match"),
        citation="Rajpurkar et al. (2016), SQuAD, EMNLP",
        licence="CC BY-SA 4.0",
        note="Version 1.1. Its validation split holds XQuAD's paragraphs: never select on it. Translations are a "
        f"root's own, else those of MLQA. {UNPINNED}",
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
        translated=translation(HELLASWAG),
        evaluation=replace(HELLASWAG, split="validation"),
        metrics=("accuracy",),
        citation="Zellers et al. (2019), HellaSwag, ACL",
        licence="MIT",
        note=f"A cluster is a source video or article. Test labels are hidden. {UNPINNED}",
    ),
    Task(
        name="ccg",
        format="tagging",
        roles=("intermediate",),
        group="structured",
        languages=("en",),
        labels=CCG_SLOTS,
        training_task="ccg",
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
    Task(
        name="cosmosqa",
        format="multiple_choice",
        roles=("intermediate",),
        group="commonsense",
        languages=("en",),
        labels=("0", "1", "2", "3"),
        training_task="cosmosqa",
        training=COSMOSQA,
        translated=translation(COSMOSQA),
        evaluation=replace(COSMOSQA, split="validation"),
        metrics=("accuracy",),
        citation="Huang et al. (2019), Cosmos QA, EMNLP",
        licence="CC BY 4.0",
        note=f"The prompt is passage and question; a cluster is a passage. Test labels are hidden. {UNPINNED}",
    ),
    Task(
        name="commonsenseqa",
        format="multiple_choice",
        roles=("intermediate",),
        group="commonsense",
        languages=("en",),
        labels=("A", "B", "C", "D", "E"),
        training_task="commonsenseqa",
        training=COMMONSENSEQA,
        translated=translation(COMMONSENSEQA),
        evaluation=replace(COMMONSENSEQA, split="validation"),
        metrics=("accuracy",),
        citation="Talmor et al. (2019), CommonsenseQA, NAACL",
        licence="MIT",
        note=f"The random split. Test labels are hidden. {UNPINNED}",
    ),
    Task(
        name="siqa",
        format="multiple_choice",
        roles=("intermediate",),
        group="commonsense",
        languages=("en",),
        labels=("1", "2", "3"),
        training_task="siqa",
        training=SIQA,
        translated=translation(SIQA),
        evaluation=replace(SIQA, split="validation"),
        metrics=("accuracy",),
        citation="Sap et al. (2019), Social IQa, EMNLP",
        licence="CC BY 4.0",
        note=f"Trained on before COPA, for XCOPA. A cluster is a context. {UNPINNED}",
    ),
    Task(
        name="copa",
        format="multiple_choice",
        roles=("intermediate",),
        group="commonsense",
        languages=("en",),
        labels=("choice1", "choice2"),
        training_task="copa",
        trained_before="siqa",
        training=COPA,
        translated=translation(COPA),
        selection=replace(COPA, split="validation"),
        evaluation=replace(COPA, split="validation"),
        metrics=("accuracy",),
        citation="Roemmele, Bejan and Gordon (2011), COPA, AAAI; as in SuperGLUE, Wang et al. (2019), NeurIPS",
        licence="BSD 2-Clause",
        note="XCOPA translates its validation and test splits: selected on validation, scored on test. Test labels are "
        f"hidden on the hub. {UNPINNED}",
    ),
)
