"""The studies, as literal tables.

A study's runs are the product of its rows, seed by seed: seed 2 begins when nothing of seed 1 waits for a worker.
"""

from collections.abc import Mapping
from dataclasses import replace

from xt.arms import NINE
from xt.errors import require_known
from xt.lab.languages import QUICK_LANGUAGES
from xt.study import Cost, Part, Study
from xt.tasks import get_task

XLMR_LARGE = "FacebookAI/xlm-roberta-large"
OF_THE_MIRROR: Mapping[str, tuple[str, ...]] = {
    "panx": tuple(code for code in get_task("panx").languages if code != "th"),
    "bucc2018": ("zh",),
}
"""Where the mirror lacks languages: those that it has."""
FEW_ARMS = ("none", "squad", "mnli", "multi")
FOUR_TARGETS = ("xnli", "udpos", "xquad", "tatoeba")
PLACEBOS = ("mnli_shuffled", "squad_shuffled", "own_mnli", "own_squad")

TRAINED = ("none", "squad", "squad.qac")
OF_THE_LAB = ("qaa", "qab", "qac", "qax")
WINDOWS = {"num_rounds": 6, "max_seq_length": 96, "doc_stride": 24, "max_query_length": 32}
PAIRS: Mapping[str, object] = {"batch_sizes": (1, 16), "num_rounds": 24, "num_repeats": 8, "num_warmups": 2}
"""How much is measured where arms are compared: 24 pairs show equality within 2 % nine times in ten where the logarithm
of a pair's ratio has a standard deviation of 2.2 %."""


def words(text: str) -> tuple[str, ...]:
    """The names in a text, parted at blanks."""
    return tuple(text.split())


LAB = Study(
    name="lab",
    question="Which intermediate task helps which target task, zero-shot, in generated languages?",
    root="lab",
    preset="lab_short",
    encoders=("lab-base",),
    intermediates=(
        "none",
        *NINE,
        "multi",
        *PLACEBOS,
        *words("multi_mlm mnli_translated squad_translated squad.qac squad.qao"),
    ),
    targets=words("pawsx xnli panx udpos xquad mlqa tydiqa bucc2018 tatoeba xcopa lareqa mewslix"),
    seeds=(1, 2, 3),
    beside=(Part(("lab-small", "lab-large", "lab-english"), FEW_ARMS, FOUR_TARGETS),),
    analyses=words(
        "1-transfer-gain 2-significance 3-multi-task 5-pretraining 6-robustness-distance 7-errors 9-claims "
        "12-recommendation"
    ),
    note="qac and qao, in which an arm trains: both with much text, one in the script of qaa and one in another",
)
SCALING = replace(
    LAB,
    name="lab-scaling",
    question="Is the gain of an intermediate task smaller in a larger encoder?",
    encoders=tuple(f"lab-{size}{seed}" for seed in ("", "-s1", "-s2") for size in ("small", "base", "large")),
    intermediates=FEW_ARMS,
    targets=FOUR_TARGETS,
    seeds=(1,),
    beside=(),
    analyses=("4-scaling",),
    note="the unit is a pretrained encoder: three sizes, three seeds of pretraining each",
)
CONFIRM = replace(
    LAB,
    name="lab-confirm-1",
    question="Does a world that was never looked at before say the same?",
    root="lab-1",
    intermediates=(*FEW_ARMS, *PLACEBOS),
    targets=FOUR_TARGETS,
    beside=(),
    analyses=("1-transfer-gain", "2-significance", "6-robustness-distance"),
    note="",
)
PAPER = Study(
    name="paper",
    question="Does English intermediate-task training improve zero-shot transfer of XLM-R large on XTREME?",
    root="hub",
    preset="jiant",
    encoders=(XLMR_LARGE,),
    intermediates=("none", *NINE, "multi", "multi_mlm", "mnli_translated", "squad_translated", *PLACEBOS),
    targets=("pawsx", "xnli", "panx", "udpos", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"),
    seeds=(1, 2, 3),
    analyses=("1-transfer-gain", "8-published"),
    note="the main table of Phang et al. 2020; CCG needs CCGbank",
)
WITH_VALIDATION = tuple(code for code in get_task("udpos").languages if code not in ("kk", "th", "tl", "yo"))
"""Languages of UDPOS whose treebanks have development data."""

STUDIES: Mapping[str, Study] = {
    study.name: study
    for study in (
        LAB,
        SCALING,
        CONFIRM,
        replace(CONFIRM, name="lab-confirm-2", root="lab-2"),
        replace(
            LAB,
            name="lab-cost",
            question="What does inference cost after intermediate training, by size, language and layer?",
            intermediates=("none",),
            targets=(),
            seeds=(1,),
            beside=(),
            costs=(
                Cost(("lab-small", "lab-base", "lab-large"), TRAINED, "xquad", OF_THE_LAB, PAIRS),
                Cost(
                    ("lab-small", "lab-base", "lab-large"),
                    ("none",),
                    "tatoeba",
                    OF_THE_LAB[1:],
                    PAIRS | dict(num_layers=(1, 2, 3, 4), num_rounds=5),
                ),
            ),
            analyses=("10-intermediate-language", "11-footprint"),
            note="qaa is what is trained in, qac what squad.qac is trained in; qax is cut into most subwords",
        ),
        Study(
            name="real-cost",
            question="What does it cost on real texts, in shapes of mBERT and XLM-R base, and by how a model is run?",
            root="mirror",
            preset="cost",
            encoders=("mini",),
            intermediates=("none",),
            targets=(),
            seeds=(1,),
            costs=(
                Cost(
                    ("mbert-shape", "xlmr-base-shape"),
                    ("none", "tydiqa", "tydiqa.sw"),
                    "xnli",
                    ("en", "de", "sw", "zh"),
                    dict(batch_sizes=(1, 4), num_rounds=14, num_repeats=5, num_warmups=2, num_threads=2),
                ),
                Cost(("mini",), ("none",), "xquad", ("en", "de", "ru", "th", "zh"), WINDOWS),
                Cost(
                    ("mini",),
                    ("none",),
                    "xnli",
                    ("en", "sw", "th"),
                    dict(
                        batch_sizes=(1, 2, 4, 8, 16, 32, 64, 128, 256),
                        backends=("eager", "eager_bf16", "compiled", "int8", "onnx"),
                        num_rounds=4,
                        num_repeats=3,
                        num_warmups=1,
                        max_seq_length=96,
                    ),
                ),
            ),
            analyses=("10-intermediate-language", "11-footprint"),
            note="the shapes read mini's subwords, and their weights are hardly trained: a cost, never a score",
        ),
        Study(
            name="smoke",
            question="Does every part work here? Half a minute on rows written by hand; the scores mean nothing.",
            root="fixtures",
            preset="smoke",
            encoders=("tiny",),
            intermediates=("none", "mnli"),
            targets=("xnli", "udpos", "xquad", "tatoeba"),
            seeds=(1, 2),
            languages={
                "xnli": ("en", "de", "zh"),
                "udpos": ("en", "de", "zh"),
                "xquad": ("en", "de", "zh"),
                "tatoeba": ("de", "zh"),
            },
            note="a tiny encoder with random weights, on fixtures",
        ),
        Study(
            name="quick",
            question="Which intermediate task helps which target task, zero-shot, in languages made here?",
            root="lab-4",
            preset="quick",
            encoders=("lab-quick",),
            intermediates=("none", "squad", "multi_three", "squad_shuffled", "own_squad"),
            targets=("udpos", "xquad", "tydiqa", "tatoeba"),
            seeds=(1, 2),
            languages={
                "udpos": QUICK_LANGUAGES,
                "xquad": QUICK_LANGUAGES,
                "tydiqa": QUICK_LANGUAGES,
                "tatoeba": QUICK_LANGUAGES[1:],
            },
            note="the default: pretraining, training and scoring in generated languages, in minutes",
        ),
        Study(
            name="pilot",
            question="Does the lab respond to what is known about its languages?",
            root="lab-100",
            preset="lab",
            encoders=("lab-base",),
            intermediates=("none", "squad", "mnli", "hellaswag", "mnli_shuffled", "none_again"),
            targets=("xnli", "udpos", "xquad", "tatoeba"),
            seeds=(1, 2, 3),
            analyses=("1-transfer-gain", "0-lab"),
            note="a development world: what is learned on it shapes the lab, and is no result",
        ),
        Study(
            name="real",
            question="Which English intermediate task helps which target task, zero-shot, on real files?",
            root="mirror",
            preset="mini",
            encoders=("mini",),
            intermediates=("none", "mnli", "squad", "hellaswag", "mnli_shuffled", "own_squad"),
            targets=("xnli", "udpos", "panx", "xquad", "tydiqa", "tatoeba"),
            seeds=(1, 2, 3),
            languages=OF_THE_MIRROR,
            eval_splits={"panx": ("validation",), "udpos": ("de:validation",)},
            note="PAN-X: validation is the only split with labels in every language of the mirror, which lacks Thai; "
            "UDPOS German: the mirror has no test split",
        ),
        Study(
            name="real-full",
            question="Which free intermediate task helps which target task on real files, with a small encoder?",
            root="mirror",
            preset="mini_short",
            encoders=("mini",),
            intermediates=words(
                "none anli_plus squad mnli_shuffled own_squad multi_free mnli squad_v2 hellaswag qqp "
                "cosmosqa commonsenseqa"
            ),
            targets=words(
                "xnli americasnli pawsx udpos panx masakhaner xquad mlqa tydiqa xcopa lareqa tatoeba bucc2018"
            ),
            seeds=(1, 2, 3),
            languages=OF_THE_MIRROR,
            eval_splits={
                "panx": ("validation",),
                "udpos": ("de:validation",),
                "mlqa": ("validation",),
                "bucc2018": ("validation",),
            },
            note="what the mirror holds in XTREME's languages: no CCG, no Mewsli-X, no test split of MLQA and BUCC",
            analyses=("1-transfer-gain", "8-published"),
        ),
        Study(
            name="real-encoders",
            question="Are gains on real files smaller in a larger encoder, or in one that read many languages?",
            root="mirror",
            preset="mini_short",
            encoders=("mini-multi", "mini-small", "mini-english"),
            intermediates=("none", "mnli", "squad", "mnli_shuffled", "own_squad"),
            targets=("udpos", "panx", "xquad", "tydiqa", "tatoeba"),
            seeds=(1, 2, 3),
            languages=OF_THE_MIRROR,
            eval_splits={"panx": ("validation",), "udpos": ("de:validation",)},
            analyses=("4-scaling", "5-pretraining"),
            note="three encoders pretrained here on the mirror's text, with the tokenizer of mini: two widths, and "
            "English only",
        ),
        PAPER,
        replace(
            PAPER,
            name="paper-dev",
            languages={"udpos": WITH_VALIDATION},
            eval_splits=dict.fromkeys(("pawsx", "xnli", "panx", "udpos", "mlqa"), ("validation",)),
            note="the models of `paper`, scored on development data where the release has any",
        ),
        Study(
            name="xtreme-r",
            question="Does English intermediate-task training improve zero-shot transfer on XTREME-R's ten tasks?",
            root="hub",
            preset="xtreme_large",
            encoders=(XLMR_LARGE,),
            intermediates=words("none mnli squad hellaswag multi_free mnli_shuffled squad_shuffled own_mnli own_squad"),
            targets=("xnli", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba", "mewslix", "lareqa"),
            seeds=(1, 2, 3),
            more_languages=True,
            note="XTREME-R embeds Tatoeba with an encoder fine-tuned on SQuAD: that is the arm squad here",
        ),
        Study(
            name="intermediate-language",
            question="Is the gain larger when the intermediate task is in the target language instead of English?",
            root="hub",
            preset="jiant",
            encoders=("FacebookAI/xlm-roberta-base",),
            intermediates=words(
                "none mnli mnli.de mnli.sw mnli.zh squad squad.de squad.zh tydiqa tydiqa.ko tydiqa.sw mnli_shuffled "
                "squad_shuffled own_mnli own_squad"
            ),
            targets=("xnli", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba"),
            seeds=(1, 2, 3),
            note="MNLI and SQuAD in other languages are machine-translated; TyDi QA is not",
        ),
        Study(
            name="intermediate-language-mirror",
            question="The same on real files with a small encoder: TyDi QA, PAN-X and MasakhaNER in other languages?",
            root="mirror",
            preset="mini_short",
            encoders=("mini",),
            intermediates=words(
                "none tydiqa tydiqa.ko tydiqa.sw panx panx.de panx.sw masakhaner.sw own_squad squad_shuffled"
            ),
            targets=("xquad", "tydiqa", "panx", "masakhaner"),
            seeds=(1, 2, 3),
            languages=OF_THE_MIRROR,
            eval_splits={"panx": ("validation",)},
        ),
        Study(
            name="lab-parts",
            question="Do several tasks, text beside a task, translated data and other languages train in the lab?",
            root="lab-100",
            preset="quick",
            encoders=("lab-quick",),
            intermediates=words(
                "none multi multi_three multi_three_mlm mnli_squad_translated squad.qab own_squad squad_shuffled"
            ),
            targets=("udpos", "xquad", "mlqa", "xcopa", "lareqa", "mewslix", "tatoeba", "bucc2018"),
            seeds=(1,),
            languages=dict.fromkeys(("xcopa", "tatoeba", "bucc2018"), QUICK_LANGUAGES[1:])
            | dict.fromkeys(("udpos", "xquad", "mlqa", "lareqa", "mewslix"), QUICK_LANGUAGES),
            note="a development world and one seed: it shows that the parts run, and answers nothing",
        ),
    )
}


def get_study(name: str) -> Study:
    """The study of this name; ValueError naming the studies there are otherwise."""
    return STUDIES[require_known("study", name, STUDIES)]
