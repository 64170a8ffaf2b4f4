"""The rows of the target tasks that XTREME-R adds, and of low-resource languages beyond both, and their sources."""

from dataclasses import replace
from functools import partial

from xt.tasks import search_shapes, shapes
from xt.tasks.intermediate_tasks import COPA_COLUMNS, NLI, PAIR, QA, SQUAD, SQUAD_TRANSLATED, UNPINNED
from xt.tasks.sources import Source, group_equal
from xt.tasks.target_tasks import PANX_TAGS
from xt.tasks.task import Task

AMERICAN = {"ay": "aym", "qu": "quy"}
AFRICAN = {"sw": "swa"}
MASAKHANER = Source(
    "masakhane/masakhaner2",
    "{iso3}",
    "test",
    {"tokens": "tokens", "tags": "ner_tags"},
    cluster=group_equal("tokens"),
    outside=("B-DATE", "I-DATE"),
    codes=AFRICAN,
)
XCOPA = Source(
    "cambridgeltl/xcopa",
    "{code}",
    "test",
    COPA_COLUMNS,
    shape=shapes.ask_for_cause_as_in_english,
    beside=Source("aps/super_glue", "copa", "{split}", {"idx": "idx", "question": "question", "label": "label"}),
)
LAREQA = Source(
    "google-research-datasets/xquad_r",
    "{code}",
    "validation",
    QA | {"sentences": "sentences", "breaks": "sentence_breaks"},
    cluster=group_equal("context"),
    shape=search_shapes.questions_for_sentences,
    hub_languages=(),
    hint="the hub's copy lacks the sentences that LAReQA ranks: take them from its original files, in a folder root",
)
SENTENCES = {"cluster": group_equal("context"), "shape": search_shapes.questions_with_sentences}
MENTIONS = {"id": "id", "context": "context", "mention": "mention", "start": "mention_start", "entity": "entity"}
MEWSLIX = Source(
    "izhx/mewsli-x",
    "wikinews_mentions.{code}",
    "test",
    MENTIONS,
    cluster=group_equal("entity"),
    shape=search_shapes.mentions,
    hub_languages=(),
    hint="the hub's copy is JSON lines, in part in archives: write it as parquet with these columns into a folder root",
)

FURTHER = (
    Task(
        name="xcopa",
        format="multiple_choice",
        roles=("target",),
        group="sentence pair",
        languages=tuple("et ht id it qu sw ta th tr vi zh".split()),
        labels=("choice1", "choice2"),
        training_task="copa",
        evaluation=XCOPA,
        parallel=True,
        metrics=("accuracy",),
        citation="Ponti et al. (2020), XCOPA, EMNLP; as in XTREME-R, Ruder et al. (2021), EMNLP",
        licence="CC BY 4.0",
        note="Whether cause or effect is asked for is English COPA's: as published some languages' are wrong. XTREME-R "
        f"groups it with XNLI. {UNPINNED}",
    ),
    Task(
        name="lareqa",
        format="ranking",
        roles=("target",),
        group="retrieval",
        languages=tuple("ar de el en es hi ru th tr vi zh".split()),
        training_task="lareqa",
        training=replace(SQUAD, **SENTENCES),
        translated=replace(SQUAD_TRANSLATED, otherwise=replace(SQUAD_TRANSLATED.otherwise, **SENTENCES), **SENTENCES),
        evaluation=LAREQA,
        pool=replace(
            LAREQA.at("{split}"), cluster=lambda columns, ids, where: ids, shape=search_shapes.sentences_of_passages
        ),
        parallel=True,
        metrics=("map_at_20",),
        citation="Roy et al. (2020), LAReQA, EMNLP; as in XTREME-R, Ruder et al. (2021), EMNLP",
        licence="CC BY-SA 4.0",
        note="XQuAD's questions; candidates are all sentences of its passages, relevant is the one in which the answer "
        "begins. Trained on SQuAD's questions with the sentence of the answer, cut after . ! ? and the like, and "
        f"joined with the next where the answer crosses. A cluster is a passage. {UNPINNED}",
    ),
    Task(
        name="mewslix",
        format="ranking",
        roles=("target",),
        group="retrieval",
        languages=tuple("ar de en es fa ja pl ro ta tr uk".split()),
        training_task="mewslix",
        training=replace(
            MEWSLIX,
            config="wikipedia_pairs",
            split="train",
            columns=MENTIONS | {"description": "entity_description"},
            shape=search_shapes.mentions_with_entities,
        ),
        evaluation=MEWSLIX,
        pool=replace(
            MEWSLIX,
            config="candidate_entities",
            columns={"id": "entity", "language": "language", "text": "description"},
            cluster=lambda columns, ids, where: ids,
            shape=partial(shapes.first_of, field="id"),
        ),
        metrics=("map_at_20",),
        citation="Ruder et al. (2021), XTREME-R, EMNLP; after Botha, Shan and Gillick (2020), EMNLP",
        licence="Apache-2.0",
        note="A mention stands in brackets, with up to 100 characters of context on either side; candidates are the "
        "descriptions of all entities, one each, whatever the language. One entity is right: mAP@20 is then "
        f"MRR@20. A cluster is an entity. {UNPINNED}",
    ),
    Task(
        name="americasnli",
        format="classification",
        roles=("target",),
        group="sentence pair",
        languages=tuple("ay bzd cni gn hch nah oto qu shp tar".split()),
        labels=NLI,
        training_task="mnli",
        evaluation=Source(
            "nala-cub/americas_nli", "{code}", "test", PAIR, cluster=group_equal("premise"), codes=AMERICAN
        ),
        metrics=("accuracy",),
        citation="Ebrahimi et al. (2022), AmericasNLI, ACL",
        licence="CC BY-SA 4.0",
        note="A part of XNLI, translated from Spanish. A cluster is a premise, resampled in each language for itself, "
        f"though most are the same items: intervals of a mean over languages may be too narrow. {UNPINNED}",
    ),
    Task(
        name="masakhaner",
        format="tagging",
        roles=("intermediate", "target"),
        group="structured",
        languages=tuple("bm bbj ee fon ha ig rw lg luo mos ny pcm sn sw tn tw wo xh yo zu".split()),
        labels=PANX_TAGS,
        training_task="panx",
        training=MASAKHANER.at("train"),
        evaluation=MASAKHANER,
        metrics=("span_f1",),
        citation="Adelani et al. (2022), MasakhaNER 2.0, EMNLP",
        licence="CC BY-NC 4.0",
        note="Trained on English PAN-X, or in one of its languages on its own rows. Its tags of dates are read as O, "
        f"because PAN-X has none: no score compares with a published one. A cluster is a sentence. {UNPINNED}",
    ),
)
