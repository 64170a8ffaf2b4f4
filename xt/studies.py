"""The studies, as literal tables: which encoders, intermediate tasks, targets and seeds, on which data.

A study's runs are the product of its rows, seed by seed: seed 1 of everything is complete before seed 2 begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xt.arms import applies
from xt.config import ScoreConfig
from xt.errors import require_known
from xt.lab.languages import QUICK_LANGUAGES
from xt.parameters import score_configs
from xt.tasks import get_task


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
    analyses: tuple[str, ...] = ("1-transfer-gain",)  # analysis notebooks that are run on it
    note: str = ""

    def block(self, encoder: str, intermediate: str, seed: int) -> list[ScoreConfig]:
        """The scorings that share encoder, arm and seed, one per target."""
        return [
            config
            for target in self.targets
            if applies(intermediate, target)
            for config in score_configs(
                [target],
                encoder=encoder,
                intermediate=intermediate,
                root=self.root,
                preset=self.preset,
                seed=seed,
                languages=self.languages.get(target, ()),
                eval_splits=self.eval_splits.get(target, ()),
            )
        ]


STUDIES: Mapping[str, Study] = {
    study.name: study
    for study in (
        Study(
            name="smoke",
            question="Does every part work here? Two minutes on rows written by hand; the scores mean nothing.",
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
            intermediates=("none", "squad", "mnli", "multi"),
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
            intermediates=("none", "mnli", "squad", "hellaswag", "mnli_shuffled"),
            targets=("xnli", "udpos", "panx", "xquad", "tydiqa", "tatoeba"),
            seeds=(1, 2, 3),
            languages={"panx": tuple(code for code in get_task("panx").languages if code != "th")},
            eval_splits={"panx": ("validation",), "udpos": ("de:validation",)},
            note="PAN-X: validation is the only split with labels in every language of the mirror, which lacks Thai; "
            "UDPOS German: the mirror has no test split",
        ),
    )
}


def get_study(name: str) -> Study:
    """The study of this name; ValueError naming the studies there are otherwise."""
    return STUDIES[require_known("study", name, STUDIES)]
