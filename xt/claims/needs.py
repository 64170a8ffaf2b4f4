"""What a claim needs: which of its arms and targets were scored, and the runs of a study that would test it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache

from xt.config import chain_of
from xt.errors import DataError
from xt.studies import STUDIES
from xt.study import Study
from xt.tasks import TASKS

Cells = Collection[tuple[str, str]]
"""(arm, target) of what was scored, or is planned."""
Pairs = list[tuple[str, str]]
LEAST_SEEDS = 3
"""Fewer give no p value."""
ONE_SPLIT = ("xquad", "tydiqa", "tatoeba", "bucc2018")
"""Targets of which the hub has one split, whatever it is called."""
RELEASES = "hub"
"""The root whose rows are the releases themselves."""


def testable_part(claim, cells: Cells) -> tuple[Pairs, list[str]]:
    """The pairs of arms and the targets on which a claim can be tested with these cells; both empty where it cannot:
    with fewer pairs than it takes, or without any target of one of its groups (QA, retrieval, ...)."""
    wanted = {TASKS[target].group for target in claim.target_names}
    targets = [
        target
        for target in claim.target_names
        if any((arm, target) in cells and (against, target) in cells for arm, against in claim.pairs)
    ]
    pairs = [
        pair for pair in claim.pairs if targets and all((arm, target) in cells for arm in pair for target in targets)
    ]
    enough = len(pairs) >= claim.least_pairs and {TASKS[target].group for target in targets} == wanted
    return (pairs, targets) if enough else ([], [])


def say_lacking(claim, cells: Cells) -> str:
    """Which targets or arms of a claim that cannot be tested were not run."""
    arms, targets = {arm for arm, _ in cells}, {target for _, target in cells}
    groups = {TASKS[target].group for target in claim.target_names if target in targets}
    lacking = [target for target in claim.target_names if TASKS[target].group not in groups]
    if not lacking:
        lacking = [arm for pair in claim.pairs for arm in pair if arm not in arms]
    return f"not run: {', '.join(dict.fromkeys(lacking)) or 'the same arms on the same targets'}"


@dataclass(frozen=True)
class Runs:
    """Runs that would test a claim."""

    command: str
    """What makes them; empty where no study of this project has them."""
    number: int
    """How many they are."""
    run_ids: tuple[str, ...]
    """Their ids, as far as the data that an id hashes are here."""


NO_RUNS = Runs("", 0, ())


def runs_for(claim, study: str, done: Collection[str], at_floor: bool = False) -> Runs:
    """The runs that would test a claim on a study, whose committed runs are `done`: the missing ones of its own plan,
    else those of the first study whose plan covers the claim.

    `at_floor`: the runs are there, and no language is above its floor. Then only a study of the releases is asked for,
    as another small encoder would hardly do better.
    """
    own = STUDIES.get(study)
    if own and not at_floor:
        missing = list_runs(own, *testable_part(claim, main_cells(own)), done)
        if missing.number:
            return missing
    for other in others_of(own):
        if other.root == RELEASES or not at_floor:
            found = list_runs(other, *testable_part(claim, main_cells(other)))
            if found.number:
                return found
    return NO_RUNS


def runs_for_value(claim) -> Runs:
    """The runs that would test the point value of a claim: of its own encoder, on its own split, on all of its
    targets."""
    for study in STUDIES.values():
        cells = main_cells(study)
        pairs, targets = testable_part(claim, cells)
        on_split = all(is_split(claim.split, study.eval_splits.get(target, ()), target) for target in targets)
        if study.encoders[0].endswith(f"/{claim.encoder}") and len(targets) == len(claim.target_names) and on_split:
            return list_runs(study, value_pairs(claim, pairs), targets)
    return NO_RUNS


def value_pairs(claim, pairs: Pairs) -> Pairs:
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
            ids = dict.fromkeys(training_id(study.name, task, seed) for seed in study.seeds)
            return Runs(f"xt run {study.name}", len(study.seeds), tuple(filter(None, ids)))
    return NO_RUNS


def others_of(own: Study | None) -> list[Study]:
    """Studies with enough seeds besides this one, those on the same data first."""
    able = [study for study in STUDIES.values() if study != own and len(study.seeds) >= LEAST_SEEDS]
    return sorted(able, key=lambda study: own is None or study.root != own.root)


def main_cells(study: Study) -> set[tuple[str, str]]:
    """(arm, target) that a study plans for its first encoder."""
    first = [cell for cell in study.cells() if cell[0] == study.encoders[0]]
    return {(arm, target) for _, arm, targets in first for target in targets}


def list_runs(study: Study, pairs: Pairs, targets: list[str], done: Collection[str] = ()) -> Runs:
    """A study's runs of some arms and targets, with all of its seeds, that are not among those done."""
    arms = dict.fromkeys(arm for pair in pairs for arm in pair)
    ids = [scoring_id(study.name, arm, target, seed) for seed in study.seeds for arm in arms for target in targets]
    missing = [run_id for run_id in ids if run_id not in done]
    return Runs(f"xt run {study.name}", len(missing), tuple(filter(None, missing)))


def known_id(make: Callable[[], str]) -> str:
    """A run's id; empty where it hashes data that are not here (licensed ones, or a root's folder)."""
    try:
        return make()
    except (DataError, ValueError):
        return ""


@cache
def scoring_id(name: str, arm: str, target: str, seed: int) -> str:
    """The id of a scoring in a study's plan; empty where it is not known here."""
    study = STUDIES[name]
    return known_id(lambda: study.score_config(study.encoders[0], arm, target, seed).run_id)


@cache
def training_id(name: str, arm: str, seed: int) -> str:
    """The id of an intermediate training in a study's plan; empty where it is not known here."""
    study = STUDIES[name]

    def find() -> str:
        models = chain_of(study.score_config(study.encoders[0], arm, study.targets[0], seed).model)
        return next(model.run_id for model in models if model.phase == "intermediate")

    return known_id(find)
