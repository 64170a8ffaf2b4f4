"""What a study is: which encoders, arms, targets and seeds, on which data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xt.arms import applies
from xt.config import ScoreConfig
from xt.measurement import EfficiencyConfig, efficiency_config
from xt.parameters import score_configs
from xt.tasks import all_languages_of, get_task, list_languages


@dataclass(frozen=True)
class Part:
    """Encoders with the arms and targets that they get."""

    encoders: tuple[str, ...]
    intermediates: tuple[str, ...]  # arms; the first is the baseline
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What inference with some encoders costs after each of some arms, on the texts of one target."""

    encoders: tuple[str, ...]
    intermediates: tuple[str, ...]  # arms; the first is what the others are compared with
    target: str
    languages: tuple[str, ...]
    measure: Mapping = field(default_factory=dict)  # how much is measured, and knobs; see `efficiency_config`


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
    beside: tuple[Part, ...] = ()  # further encoders, with fewer arms and targets
    costs: tuple[Cost, ...] = ()  # what of it is measured, beside the scores
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # target -> languages; absent = all
    eval_splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # target -> splits other than its own
    more_languages: bool = False  # those that XTREME-R adds, too
    analyses: tuple[str, ...] = ("1-transfer-gain",)  # analysis notebooks that are run on it
    note: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the study consists of, its main part first."""
        return Part(self.encoders, self.intermediates, self.targets), *self.beside

    def cells(self) -> list[tuple[str, str, list[str]]]:
        """(encoder, arm, targets before which the arm can stand), in the order of execution."""
        return [
            (encoder, arm, [target for target in part.targets if applies(arm, target)])
            for part in self.parts
            for encoder in part.encoders
            for arm in part.intermediates
        ]

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
        if not self.more_languages:
            return ()
        held = set(self.languages_of(target))
        return tuple(code for code in all_languages_of(get_task(target), self.root) if code not in held)

    def measurements(self) -> list[EfficiencyConfig]:
        """The measurements of cost, those of the first seed. Raises DataError where their data are not there."""
        return [
            efficiency_config(
                target=cost.target,
                encoder=encoder,
                intermediates=cost.intermediates,
                root=self.root,
                preset=self.preset,
                seed=self.seeds[0],
                languages=cost.languages,
                **cost.measure,
            )
            for cost in self.costs
            for encoder in cost.encoders
        ]
