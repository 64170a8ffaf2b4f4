"""What a claim needs: which of its arms and targets were scored, and the runs of a study that would test it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from xt.claims.verdicts import LEAST_SEEDS
from xt.config import chain_of
from xt.errors import DataError
from xt.results import study_runs
from xt.studies import STUDIES
from xt.study import Study
from xt.tasks import TASKS, asked_once

Cells = Collection[tuple[str, str]]
"""(arm, target) of what was scored, or is planned."""
Done = Collection[tuple[str, str, int]]
"""(arm, target, seed) of what was scored."""
ONE_SPLIT = ("xquad", "tydiqa", "tatoeba", "bucc2018")
"""Targets of which the hub has one split, whatever it is called."""
NOT_RUN = "not run in full"
"""Not at all, or not at the seeds and in the languages of the rest."""
RELEASES = "hub"
"""The root whose rows are the releases themselves."""


@dataclass(frozen=True)
class Part:
    """What of a claim is in some cells."""

    pairs: list[tuple[str, str]]
    """The pairs of arms that are there on all of `targets`."""
    targets: list[str]
    """Those with any of the pairs."""

    def suffices(self, claim) -> bool:
        """Whether there may be a verdict on it: with enough pairs, and a target of each group (QA, retrieval, ...)."""
        return len(self.pairs) >= claim.least_pairs and groups_of(self.targets) == claim.groups

    def is_whole(self, claim) -> bool:
        """Whether it would do for any verdict: with all pairs, where the claim is about just these."""
        return self.suffices(claim) and (claim.judged_on == "pairs run" or len(self.pairs) == len(claim.pairs))


def groups_of(targets: Collection[str]) -> set[str]:
    """The groups of tasks (QA, retrieval, ...) that these targets are of."""
    return {TASKS[target].group for target in targets}


def find_part(claim, cells: Cells) -> Part:
    """The part of a claim that these cells hold."""
    targets = [
        target
        for target in claim.usable_targets
        if any((arm, target) in cells and (against, target) in cells for arm, against in claim.pairs)
    ]
    pairs = [pair for pair in claim.pairs if all((arm, target) in cells for arm in pair for target in targets)]
    return Part(pairs if targets else [], targets)


def say_lacking(claim, cells: Cells) -> str:
    """Which targets or arms of a claim that cannot be tested were not run."""
    arms, targets = {arm for arm, _ in cells}, {target for _, target in cells}
    groups = groups_of(target for target in claim.target_names if target in targets)
    lacking = [target for target in claim.target_names if TASKS[target].group not in groups]
    if not lacking:
        lacking = [arm for pair in claim.pairs for arm in pair if arm not in arms]
    return f"{', '.join(dict.fromkeys(lacking)) or 'the same arms on the same targets'}: {NOT_RUN}"


@dataclass(frozen=True)
class Runs:
    """Runs that would test a claim."""

    command: str
    """What makes them; empty where no study of this project has them."""
    number: int
    """How many they are."""
    ids: tuple[Callable[[], str], ...] = ()
    """What finds their ids, which takes a tenth of a second each; empty ones hash data that are not here."""

    def find_ids(self) -> list[str]:
        """The ids that can be known here."""
        return list(filter(None, dict.fromkeys(find() for find in self.ids)))


NO_RUNS = Runs("", 0)


def runs_for(claim, evidence, at_floor: bool = False) -> Runs:
    """The runs that would test a claim: those of the study's own plan for its encoder that are not done, else those of
    the first study whose plan covers all of the claim and is not done with it (its own ledger judges it then).

    `at_floor`: the runs are there, and too few languages are above their floor. Then only a study of the releases is
    asked for, as another small encoder would hardly do better.
    """
    own = STUDIES.get(evidence.study)
    if own and not at_floor:
        part = find_part(claim, planned_cells(own, evidence.encoder))
        missing = list_runs(own, evidence.encoder, part, evidence.done)
        if part.suffices(claim) and missing.number:
            return missing
    for other in others_of(own):
        part = find_part(claim, planned_cells(other, other.encoders[0]))
        if part.is_whole(claim) and (other.root == RELEASES or not at_floor):
            missing = list_runs(other, other.encoders[0], part, scored_in(other.name, evidence.results))
            if missing.number:
                return missing
    return NO_RUNS


@asked_once
def scored_in(study: str, results: Path | None) -> Done:
    """What a study has scored with its first encoder."""
    runs = study_runs(study, results)
    runs = runs[(runs["encoder"] == STUDIES[study].encoders[0]) & runs["target"].notna()]
    return set(zip(runs["intermediate"], runs["target"], runs["seed"], strict=True))


def runs_for_value(claim) -> Runs:
    """The runs that would test the point value of a claim: of its own encoder, on its own split, on all of its
    targets."""
    for study in STUDIES.values():
        encoder = study.encoders[0]
        part = find_part(claim, planned_cells(study, encoder))
        on_split = all(is_split(claim.split, study.eval_splits.get(target, ()), target) for target in part.targets)
        if encoder.endswith(f"/{claim.encoder}") and len(part.targets) == len(claim.target_names) and on_split:
            return list_runs(study, encoder, Part(value_pairs(part.pairs), part.targets))
    return NO_RUNS


def value_pairs(pairs: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each arm of a claim against the baseline: what its point value is of."""
    return [(arm, "none") for arm in dict.fromkeys(arm for arm, _ in pairs)]


def is_split(split: str, rules: Collection[str], target: str) -> bool:
    """Whether evaluation rules ask for this split in all languages; `test` is what a benchmark reports, whatever its
    release calls it, and so is any split of a target that has one only."""
    reported = TASKS[target].evaluation.split
    return set(rules or (reported,)) == {reported if split == "test" or target in ONE_SPLIT else split}


def training_runs(task: str) -> Runs:
    """The trainings on all rows of an intermediate task: of the first study of the releases that has it."""
    for study in STUDIES.values():
        if study.root == RELEASES and task in study.intermediates:
            ids = tuple(partial(training_id, study.name, task, seed) for seed in study.seeds)
            return Runs(f"xt run {study.name}", len(study.seeds), ids)
    return NO_RUNS


def others_of(own: Study | None) -> list[Study]:
    """Studies with enough seeds besides this one, those on the same data first."""
    able = [study for study in STUDIES.values() if study != own and len(study.seeds) >= LEAST_SEEDS]
    return sorted(able, key=lambda study: own is None or study.root != own.root)


def planned_cells(study: Study, encoder: str) -> set[tuple[str, str]]:
    """(arm, target) that a study plans for an encoder."""
    return {(arm, target) for name, arm, targets in study.cells() if name == encoder for target in targets}


def list_runs(study: Study, encoder: str, part: Part, done: Done = ()) -> Runs:
    """A study's runs of some arms and targets, with all of its seeds, that are not among those done."""
    arms = dict.fromkeys(arm for pair in part.pairs for arm in pair)
    cells = [(arm, target, seed) for seed in study.seeds for arm in arms for target in part.targets]
    missing = [cell for cell in cells if cell not in done]
    ids = tuple(partial(scoring_id, study.name, encoder, *cell) for cell in missing)
    return Runs(f"xt run {study.name}", len(missing), ids)


def known_id(make: Callable[[], str]) -> str:
    """A run's id; empty where it hashes data that are not here (licensed ones, or a root's folder)."""
    try:
        return make()
    except (DataError, ValueError):
        return ""


@cache
def scoring_id(name: str, encoder: str, arm: str, target: str, seed: int) -> str:
    """The id of a scoring in a study's plan; empty where it is not known here."""
    return known_id(lambda: STUDIES[name].score_config(encoder, arm, target, seed).run_id)


@cache
def training_id(name: str, arm: str, seed: int) -> str:
    """The id of an intermediate training in a study's plan; empty where it is not known here."""
    study = STUDIES[name]

    def find() -> str:
        models = chain_of(study.score_config(study.encoders[0], arm, study.targets[0], seed).model)
        return next(model.run_id for model in models if model.phase == "intermediate")

    return known_id(find)
