"""The rows of XTREME's nine tasks, and their sources."""

from dataclasses import replace

from xt.tasks import search_shapes
from xt.tasks.intermediate_tasks import NLI, QA, UNPINNED
from xt.tasks.sources import Source, group_consecutive, group_equal
from xt.tasks.task import Task

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
PANX_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

XTREME = "google/xtreme"
UDPOS_LANGUAGES = tuple(
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh".split()
)
PANX_LANGUAGES = tuple(
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw yo my zh kk tr et "
    "fi hu".split()
)
XQUAD_LANGUAGES = tuple("en es de el ru tr ar vi th zh hi".split())
TATOEBA_LANGUAGES = tuple(
    "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh kk tr et fi "
    "hu".split()
)

XNLI = Source(
    XTREME,
    "XNLI",
    "test",
    {"premise": "sentence1", "hypothesis": "sentence2", "label": "gold_label"},
    language_column="language",
    cluster=group_consecutive(3, "premise"),
    label_values=NLI,
)
PAWSX = Source(
    XTREME,
    "PAWS-X.{code}",
    "test",
    {"premise": "sentence1", "hypothesis": "sentence2", "label": "label"},
    label_values=("0", "1"),
)
UDPOS = Source(
    XTREME,
    "udpos.{name}",
    "test",
    {"tokens": "tokens", "tags": "pos_tags"},
    cluster=group_equal("tokens"),
    hub_languages=UDPOS_LANGUAGES,
)
PANX = Source(
    XTREME,
    "PAN-X.{code}",
    "test",
    {"tokens": "tokens", "tags": "ner_tags"},
    cluster=group_equal("tokens"),
    hub_languages=PANX_LANGUAGES,
)
XQUAD = Source(
    XTREME,
    "XQuAD.{code}",
    "validation",
    QA,
    cluster=group_equal("context"),
    hub_languages=XQUAD_LANGUAGES,
    otherwise=Source("google/xquad", "xquad.{code}", "validation", QA, cluster=group_equal("context")),
)
MLQA = Source(XTREME, "MLQA.{code}.{code}", "test", QA, cluster=group_equal("context"))
TYDIQA = Source(
    XTREME,
    "tydiqa",
    "validation",
    QA,
    language_column="id",
    language_pattern="(?i)^{name}-",
    cluster=group_equal("context"),
)
TATOEBA = Source(
    XTREME,
    "tatoeba.{iso3}",
    "validation",
    {"source": "source_sentence", "target": "target_sentence"},
    hub_languages=TATOEBA_LANGUAGES,
)
BUCC_LINES = {"foreign": "sentence1", "english": "sentence2", "gold": "gold"}
BUCC2018 = Source(
    "mteb/BUCC",
    "{code}-en",
    "test",
    BUCC_LINES,
    shape=search_shapes.foreign_lines,
    otherwise=Source(
        "bucc2018/{code}-en",
        "{code}",
        "test",
        {"id": "id", "text": "text"},
        shape=search_shapes.lines_with_gold,
        beside=Source("bucc2018/{code}-en", "gold", "{split}", {"foreign": "{code}_id", "english": "en_id"}),
        hub_languages=(),
    ),
)

TARGETS = (
    Task(
        name="xnli",
        format="classification",
        roles=("target",),
        group="sentence pair",
        languages=tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split()),
        labels=NLI,
        training_task="mnli",
        evaluation=XNLI,
        parallel=True,
        metrics=("accuracy",),
        citation="Conneau et al. (2018), XNLI, EMNLP; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY-NC 4.0",
        note=f"A cluster is a premise with its three hypotheses. {UNPINNED}",
    ),
    Task(
        name="pawsx",
        format="classification",
        roles=("target",),
        group="sentence pair",
        languages=tuple("de en es fr ja ko zh".split()),
        labels=("different", "paraphrase"),
        training_task="pawsx",
        training=PAWSX.at("train"),
        translated=PAWSX.at("train"),
        evaluation=PAWSX,
        parallel=True,
        metrics=("accuracy",),
        citation="Yang et al. (2019), PAWS-X, EMNLP; as in XTREME, Hu et al. (2020), ICML",
        licence="free for any purpose, as is",
        note="Training rows other than English are machine-translated. In 1.6 to 2.2 % of the rows the label differs "
        f"between languages: each keeps its own. {UNPINNED}",
    ),
    Task(
        name="udpos",
        format="tagging",
        roles=("target",),
        group="structured",
        languages=UDPOS_LANGUAGES,
        more_languages=("lt", "pl", "ro", "uk", "wo"),
        labels=UPOS,
        training_task="udpos",
        training=replace(
            UDPOS.at("train"), hub_languages=tuple(c for c in UDPOS_LANGUAGES if c not in ("th", "tl", "yo"))
        ),
        evaluation=UDPOS,
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
        languages=PANX_LANGUAGES,
        more_languages=("az", "gu", "lt", "pa", "pl", "qu", "ro", "uk"),
        labels=PANX_TAGS,
        training_task="panx",
        training=PANX.at("train"),
        evaluation=PANX,
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
        languages=XQUAD_LANGUAGES,
        more_languages=("ro",),
        training_task="squad",
        evaluation=XQUAD,
        parallel=True,
        metrics=("f1", "exact_match"),
        citation="Artetxe, Ruder and Yogatama (2020), XQuAD, ACL; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY-SA 4.0",
        note=f"The reported split is called validation. A cluster is a passage. {UNPINNED}",
    ),
    Task(
        name="mlqa",
        format="span_qa",
        roles=("target",),
        group="QA",
        languages=tuple("en es de ar hi vi zh".split()),
        training_task="squad",
        evaluation=MLQA,
        shared_ids=True,
        metrics=("mlqa_f1", "mlqa_exact_match"),
        citation="Lewis et al. (2020), MLQA, ACL; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY-SA 3.0",
        note="Question and passage are in one language. Each question is in four languages on average. A cluster is "
        f"a passage, together with those of other languages that share a question with it. {UNPINNED}",
    ),
    Task(
        name="tydiqa",
        format="span_qa",
        roles=("target",),
        group="QA",
        languages=tuple("en ar bn fi id ko ru sw te".split()),
        training_task="tydiqa",
        training=replace(
            TYDIQA.at("train"),
            otherwise=replace(TYDIQA.at("train"), dataset="google-research-datasets/tydiqa", config="secondary_task"),
        ),
        evaluation=TYDIQA,
        metrics=("f1", "exact_match"),
        citation="Clark et al. (2020), TyDi QA, TACL; gold passages as in XTREME, Hu et al. (2020), ICML",
        licence="Apache-2.0",
        note=f"The reported split is called validation. A cluster is a passage. {UNPINNED}",
    ),
    Task(
        name="bucc2018",
        format="mining",
        roles=("target",),
        group="retrieval",
        languages=tuple("de fr ru zh".split()),
        training_task=None,
        evaluation=BUCC2018,
        calibration=replace(BUCC2018.at("validation"), hub_languages=()),
        pool=replace(
            BUCC2018.at("{split}"),
            shape=search_shapes.english_lines,
            otherwise=Source(
                "bucc2018/{code}-en",
                "en",
                "{split}",
                {"id": "id", "text": "text"},
                shape=search_shapes.lines,
                hub_languages=(),
            ),
        ),
        metrics=("pair_f1",),
        citation="Zweigenbaum, Sharoff and Rapp (2018), BUCC; as in XTREME, Hu et al. (2020), ICML",
        licence="BUCC's terms: for research",
        note="The threshold is chosen on validation rows where a root has them; the hub has none. XTREME's own rows "
        f"are the gold pairs alone, from which nothing can be mined. {UNPINNED}",
    ),
    Task(
        name="tatoeba",
        format="retrieval",
        roles=("target",),
        group="retrieval",
        languages=TATOEBA_LANGUAGES,
        more_languages=("az", "lt", "pl", "ro", "uk"),
        training_task=None,
        evaluation=TATOEBA,
        metrics=("accuracy",),
        citation="Artetxe and Schwenk (2019), TACL; as in XTREME, Hu et al. (2020), ICML",
        licence="CC BY 2.0 FR",
        note=f"Up to 1,000 pairs with English; the pairs differ between languages. {UNPINNED}",
    ),
)
