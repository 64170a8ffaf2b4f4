"""The studies, as literal tables: which encoders, intermediate tasks, targets and seeds, on which data.

A study's runs are the product of its rows, seed by seed: seed 1 of everything is complete before seed 2 begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xt.arms import NINE, applies
from xt.config import ScoreConfig
from xt.errors import require_known
from xt.lab.languages import QUICK_LANGUAGES
from xt.parameters import score_configs
from xt.tasks import all_languages_of, get_task, list_languages


@dataclass(frozen=True)
class Study:
    """A named grid of runs."""

    name: str
    question: str
    root: str
    preset: str
    encoders: tuple[str, ...]
    intermediates: tuple[str, ...]  # arms; the first is the baseline
    targets: tuple[str, ...]
    seeds: tuple[int, ...]
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # target -> languages; absent = all
    eval_splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # target -> splits other than its own
    more_languages: bool = False  # those that XTREME-R adds, too
    analyses: tuple[str, ...] = ("1-transfer-gain",)  # analysis notebooks that are run on it
    note: str = ""

    def targets_of(self, intermediate: str) -> list[str]:
        """The targets before which an arm can stand."""
        return [target for target in self.targets if applies(intermediate, target)]

    def score_config(self, encoder: str, intermediate: str, target: str, seed: int) -> ScoreConfig:
        """The scoring of one target. Raises DataError where its data, or those of its arm, are not there."""
        [config] = score_configs(
            [target],
            encoder=encoder,
            intermediate=intermediate,
            root=self.root,
            preset=self.preset,
            seed=seed,
            languages=self.languages_of(target),
            eval_splits=self.eval_splits.get(target, ()),
        )
        return config

    def languages_of(self, target: str) -> tuple[str, ...]:
        """The languages asked for of a target: those of the study's row, or those of XTREME-R that the root holds; none
        means XTREME's."""
        held = list_languages(target, self.root, more=True) if self.more_languages else ()
        return self.languages.get(target, held)

    def absent_languages(self, target: str) -> tuple[str, ...]:
        """The languages of XTREME-R that a study of them has to do without."""
        wanted = all_languages_of(get_task(target), self.root) if self.more_languages else ()
        return tuple(code for code in wanted if code not in self.languages_of(target))


XLMR_LARGE = "FacebookAI/xlm-roberta-large"
OF_THE_MIRROR: Mapping[str, tuple[str, ...]] = {
    "panx": tuple(code for code in get_task("panx").languages if code != "th"),
    "bucc2018": ("zh",),
}
"""Where the mirror lacks languages: those that it has."""

STUDIES: Mapping[str, Study] = {
    study.name: study
    for study in (
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
            analyses=("1-transfer-gain", "2-lab"),
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
            intermediates=(
                "none",
                "anli_plus",
                "squad",
                "mnli_shuffled",
                "own_squad",
                "multi_free",
                "mnli",
                "squad_v2",
                "hellaswag",
                "qqp",
                "cosmosqa",
                "commonsenseqa",
            ),
            targets=(
                "xnli",
                "americasnli",
                "pawsx",
                "udpos",
                "panx",
                "masakhaner",
                "xquad",
                "mlqa",
                "tydiqa",
                "xcopa",
                "lareqa",
                "tatoeba",
                "bucc2018",
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
            name="paper",
            question="Does English intermediate-task training improve zero-shot transfer of XLM-R large on XTREME?",
            root="hub",
            preset="jiant",
            encoders=(XLMR_LARGE,),
            intermediates=(
                "none",
                *NINE,
                "multi",
                "multi_mlm",
                "mnli_squad_translated",
                "mnli_shuffled",
                "squad_shuffled",
                "own_mnli",
                "own_squad",
            ),
            targets=("pawsx", "xnli", "panx", "udpos", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"),
            seeds=(1, 2, 3),
            analyses=("1-transfer-gain", "8-published"),
            note="the main table of Phang et al. 2020; CCG needs CCGbank",
        ),
        Study(
            name="xtreme-r",
            question="Does English intermediate-task training improve zero-shot transfer on XTREME-R's ten tasks?",
            root="hub",
            preset="xtreme_large",
            encoders=(XLMR_LARGE,),
            intermediates=(
                "none",
                "mnli",
                "squad",
                "hellaswag",
                "multi_free",
                "mnli_shuffled",
                "squad_shuffled",
                "own_mnli",
                "own_squad",
            ),
            targets=(
                "xnli",
                "xcopa",
                "udpos",
                "panx",
                "xquad",
                "mlqa",
                "tydiqa",
                "tatoeba",
                "mewslix",
                "lareqa",
            ),
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
            intermediates=(
                "none",
                "mnli",
                "mnli.de",
                "mnli.sw",
                "mnli.zh",
                "squad",
                "squad.de",
                "squad.zh",
                "tydiqa",
                "tydiqa.ko",
                "tydiqa.sw",
                "mnli_shuffled",
                "squad_shuffled",
                "own_mnli",
                "own_squad",
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
            intermediates=(
                "none",
                "tydiqa",
                "tydiqa.ko",
                "tydiqa.sw",
                "panx",
                "panx.de",
                "panx.sw",
                "masakhaner.sw",
                "own_squad",
                "squad_shuffled",
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
            intermediates=(
                "none",
                "multi",
                "multi_three",
                "multi_three_mlm",
                "mnli_squad_translated",
                "squad.qab",
                "own_squad",
                "squad_shuffled",
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
