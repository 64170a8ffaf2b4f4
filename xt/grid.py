"""Which runs a study needs, which are missing, and how they are made: planned, executed, collected."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import BaseFileLock, Timeout

from xt import store
from xt.arms import check_arm
from xt.collecting import expected_seconds, is_sound, kind_of, result_of
from xt.config import ScoreConfig, Trained, short_hash
from xt.costs import write_costs
from xt.disk import DiskFull, room_for
from xt.engine import Execution, Failure, ended, execute, last_lines, start
from xt.errors import DataError, require_known
from xt.locations import PROJECT, folder
from xt.locks import open_lock
from xt.measurement import EfficiencyConfig
from xt.processes import last_line
from xt.results import finished_runs, is_committed, write_run
from xt.study import Study
from xt.tasks import one_moment
from xt.vocabularies import has_subwords, write_subwords

NOTEBOOKS = PROJECT / "notebooks" / "experiments"
PROGRESS_SECONDS = 30.0
"""Between two lines about runs under way."""


@dataclass(frozen=True)
class PlannedRun:
    """A run of a study and what is there of it."""

    config: Trained | ScoreConfig | EfficiencyConfig
    phase: str  # pretrain, intermediate, target, retrieval or efficiency
    state: str  # committed, complete, missing, or not needed

    @property
    def run_id(self) -> str:
        """The run's folder and its key in the results."""
        return self.config.run_id


@dataclass(frozen=True)
class Block:
    """The runs that share encoder, arm and seed."""

    encoder: str
    intermediate: str
    seed: int
    runs: tuple[PlannedRun, ...]
    lacking: Mapping[str, str] = field(default_factory=dict)  # what cannot run -> what it lacks


def plan(study: Study) -> list[Block]:
    """Every run of a study and its state, in the order of execution. Loads no data and no model."""
    committed = finished_runs(study_folder(study))
    with one_moment():
        scorings = [plan_block(study, cell, seed, committed) for seed in study.seeds for cell in study.cells()]
        return scorings + [plan_measurement(config, committed) for config in study.measurements()]


def plan_block(study: Study, cell: tuple[str, str, list[str]], seed: int, committed: set[str]) -> Block:
    """The runs of one encoder, arm and seed; what a scoring starts from is needed only while it is missing.

    A scoring whose data are not there (licensed ones, say) is no run: the block says what it lacks, and the rest runs.
    """
    (encoder, intermediate, targets), scorings, lacking = cell, [], {}
    for target in targets:
        try:
            config = study.score_config(encoder, intermediate, target, seed)
            scorings.append(PlannedRun(config, config.phase, state_of(config.run_id, committed)))
            if absent := study.absent_languages(target):
                lacking[f"{target} in {', '.join(absent)}"] = f"root {study.root!r} has no rows of these languages"
        except DataError as error:
            lacking[f"{target} after {intermediate}"] = str(error)
    models = {model.run_id: model for run in scorings for model in ancestors(run.config)}
    needed = {model.run_id for run in scorings if run.state == "missing" for model in ancestors(run.config)}
    trainings = [
        PlannedRun(model, model.phase, state_of_model(run_id) if run_id in needed else "not needed")
        for run_id, model in models.items()
    ]
    return Block(encoder, intermediate, seed, (*trainings, *scorings), lacking)


def plan_measurement(config: EfficiencyConfig, committed: set[str]) -> Block:
    """The one run of a measurement of cost, which trains what it lacks itself."""
    run = PlannedRun(config, config.phase, state_of(config.run_id, committed))
    return Block(config.encoder, "+".join(config.intermediates), config.seed, (run,))


def ancestors(config: ScoreConfig) -> list[Trained]:
    """The trainings that a scoring starts from and does not make itself, first one first."""
    chain, model = [], config.model
    while model:
        chain.insert(0, model)
        model = model.parent
    return [model for model in chain if model.phase != "target"]


def state_of_model(run_id: str) -> str:
    """Where a training stands whose weights are needed."""
    return "complete" if store.has_weights(run_id) else "missing"


def state_of(run_id: str, committed: set[str]) -> str:
    """Where a scoring stands: committed with the results, complete in its folder, or missing."""
    return "committed" if run_id in committed else "complete" if store.is_complete(run_id) else "missing"


def study_folder(study: Study) -> Path:
    """Where a study's results are kept."""
    return folder("XT_RESULTS") / study.name


def executions_of(study: Study, block: Block) -> list[Execution]:
    """The notebooks that make a block's missing runs: what is trained first, then its readers.

    The targets of a block share a notebook, so that a kernel's start is paid once, and a model that two of them score
    is trained once.
    """
    encoder = dict(encoder=block.encoder, root=study.root)
    shared = encoder | dict(intermediate=block.intermediate, preset=study.preset, seed=block.seed)
    missing = [run for run in block.runs if run.state == "missing"]
    measured = [run for run in missing if isinstance(run.config, EfficiencyConfig)]
    made = [build_execution(study, run.phase, dict(run.config.parameters), (run,)) for run in measured]
    groups: dict[tuple, list[PlannedRun]] = {}
    for run in [run for run in missing if run not in measured]:
        target = getattr(run.config, "target", None)
        own = run.run_id if target is None else ""  # a training has a notebook of its own
        groups.setdefault((run.phase, own), []).append(run)
    for (phase, own), runs in groups.items():
        parameters = encoder if phase == "pretrain" else shared
        if not own:
            targets = [run.config.target for run in runs]
            languages = [f"{target}/{code}" for target in targets for code in study.languages_of(target)]
            splits = [f"{target}/{rule}" for target in targets for rule in study.eval_splits.get(target, ())]
            parameters = shared | dict(target=targets, languages=languages, eval_splits=splits)
        elif phase == "intermediate" and check_arm(block.intermediate).of_target:
            parameters = shared | dict(target=runs[0].config.task)
        made.append(build_execution(study, phase, parameters, tuple(runs)))
    return made


def build_execution(study: Study, phase: str, parameters: dict, runs: tuple[PlannedRun, ...]) -> Execution:
    """One notebook execution; its name tells phase, targets, arm, encoder and seed."""
    targets = parameters.get("target", ())
    words = (phase, targets if isinstance(targets, str) else "+".join(targets), parameters.get("intermediate"))
    seed = f"s{parameters['seed']}" if "seed" in parameters else None
    encoder = re.sub(r"[^\w.]+", "_", parameters["encoder"])
    encoder = encoder if len(encoder) <= 80 else f"{encoder[:67]}_{short_hash({'encoder': parameters['encoder']})}"
    output = folder("XT_RUNS") / "notebooks" / study.name / f"{'-'.join(filter(None, (*words, encoder, seed)))}.ipynb"
    needs = tuple(dict.fromkeys(need for run in runs for need in needs_of(run)))
    return Execution(NOTEBOOKS / f"{phase}.ipynb", parameters, tuple(run.run_id for run in runs), needs, output)


def needs_of(run: PlannedRun) -> list[str]:
    """The trainings that must be complete before a run starts."""
    if run.phase in ("target", "retrieval"):
        return [model.run_id for model in ancestors(run.config)[-1:]]
    return [run.config.parent.run_id] if run.config.parent else []


class StudyRunner:
    """Runs what is missing of a study and commits each result as it comes; says how far it is."""

    def __init__(self, study: Study, say: Callable[[str], None]):
        self.study, self.say = study, say
        self.blocks = plan(study)
        self.runs = {run.run_id: run for run in distinct_runs(self.blocks)}
        self.lacking = {what: why for block in self.blocks for what, why in block.lacking.items()}
        self.failures: list[Failure] = []
        self.locks: dict[Path, BaseFileLock] = {}  # kept: each sees how long another machine's lease stands untouched
        self.claims: dict[Execution, BaseFileLock] = {}
        self.unstarted: dict[Execution, str] = {}  # and why
        self.expected = expected_seconds(study_folder(study), (run.config for run in self.runs.values()))
        self.left: list[str] = []
        self.workers, self.told = 1, time.monotonic()

    def has_work(self, seeds: Iterable[int] = ()) -> bool:
        """Whether a scoring of these seeds (empty = all), or what stands complete, is not committed yet.

        ValueError for a seed of no run.
        """
        for seed in seeds:
            require_known("seed", str(seed), map(str, self.study.seeds))
        left = [run for run in self.runs.values() if run.state == "missing" and not isinstance(run.config, Trained)]
        return any(not seeds or run.config.seed in seeds for run in left + self.list_uncollected())

    def run(self, workers: int, seeds: Iterable[int] = (), begin: Callable = start) -> list[Failure]:
        """Executes the missing runs, the first seed's first; returns those that failed. Says what cannot run, and why.

        `begin` starts a notebook, here or elsewhere; see `xt.engine.execute`.
        """
        self.workers, self.begin = workers, begin
        reasons: dict[str, list[str]] = {}
        for what, why in self.lacking.items():
            reasons.setdefault(why, []).append(what)
        for why, what in reasons.items():
            self.say(f"NOT RUN  {', '.join(what)}: {why}")
        self.collect_complete()
        executions = self.list_executions(*seeds)
        self.left = [run_id for execution in executions for run_id in execution.run_ids]
        if executions:
            self.say(f"{len(self.left)} runs in {len(executions)} notebooks, {workers} at a time")
        alone = [made for made in executions if self.runs[made.run_ids[0]].phase == EfficiencyConfig.phase]
        together = [made for made in executions if made not in alone]
        for group, at_once in ((together, workers), (alone, 1)):
            self.execute(group, at_once)
        self.count_subwords()
        return self.failures

    def execute(self, executions: list[Execution], workers: int) -> None:
        """Runs some notebooks, `workers` at a time; those that could not start are failures."""
        calls = self.is_done, self.claim, self.on_start, self.on_end, self.on_tick
        for execution in execute(executions, workers, self.begin_or_find, *calls):
            self.failures += [
                Failure(run_id, execution.output, "not started: a run it needs failed") for run_id in execution.run_ids
            ]

    def collect_complete(self) -> None:
        """Commits what stands complete in its folders; what is damaged there is named, and is missing from then on."""
        complete = self.list_uncollected()
        for run in complete:
            if is_sound(run.run_id, self.say):
                self.collect(run)
        if not all(store.is_complete(run.run_id) for run in complete):
            self.blocks = plan(self.study)
            self.runs = {run.run_id: run for run in distinct_runs(self.blocks)}

    def list_uncollected(self) -> list[PlannedRun]:
        """The runs that stand complete in their folders and not in the results: a grid was killed in between, say."""
        place = study_folder(self.study)
        there = [run for run in self.runs.values() if run.state != "committed" and not is_committed(place, run.run_id)]
        return [run for run in there if store.is_complete(run.run_id)]

    def claim(self, execution: Execution) -> bool:
        """Takes a notebook for this grid, unless another one has it or works on its next run.

        Without room for the lock it is taken too, and fails where it starts.
        """
        path = execution.output.with_suffix(".lock")
        try:
            with room_for(path, "what is done is kept"):
                lock = self.locks.get(path) or self.locks.setdefault(path, open_lock(path))
                lock.acquire(timeout=0)
                self.claims[execution] = lock
                undone = [run_id for run_id in execution.run_ids if not self.is_done(run_id)]
                if undone and store.is_busy(undone[0]):
                    self.claims.pop(execution).release()
                    return False
        except Timeout:
            return False
        except DiskFull as error:
            self.unstarted[execution] = str(error)
        return True

    def begin_or_find(self, execution: Execution):
        """The process of a notebook; what stands for one where another grid has made its runs, or the disk is full."""
        if all(map(self.is_done, execution.run_ids)):
            return ended(0)
        try:
            with room_for(execution.output, "what is done is kept"):
                return ended(1) if execution in self.unstarted else self.begin(execution)
        except DiskFull as error:
            self.unstarted[execution] = str(error)
            return ended(1)

    def count_subwords(self) -> None:
        """Writes what the encoders' tokenizers make of the study's texts, where that is missing; says why it cannot."""
        place = study_folder(self.study)
        if place.is_dir() and not has_subwords(self.study, place):
            try:
                self.say(f"subwords of the study's texts: {write_subwords(self.study, place)}")
            except (DataError, ValueError, OSError) as error:
                self.say(f"subwords are not counted: {error}")

    def list_executions(self, *seeds: int) -> list[Execution]:
        """The notebooks that seeds (none = all) still need; a training that several blocks start from stands once."""
        place = study_folder(self.study)
        executions = {
            made.run_ids: made
            for block in self.blocks
            if not seeds or block.seed in seeds
            for made in executions_of(self.study, block)
            if not all(self.is_done(run_id) and is_committed(place, run_id) for run_id in made.run_ids)
        }
        return list(executions.values())

    def is_done(self, run_id: str) -> bool:
        """Whether what reads this run may start."""
        run = self.runs[run_id]
        return store.has_weights(run_id) if isinstance(run.config, Trained) else store.is_complete(run_id)

    def on_start(self, execution: Execution) -> None:
        """Says that a notebook starts, or that another grid made its runs."""
        self.say(f"{'found ' if all(map(self.is_done, execution.run_ids)) else 'start '} {execution.title}")

    def on_end(self, execution: Execution, exit_code: int) -> list[Execution]:
        """Collects what an execution made; after a failure, what is left of its block without the failed run."""
        done = [run_id for run_id in execution.run_ids if self.is_done(run_id)]
        for run_id in done:
            self.left.remove(run_id)
            self.collect(self.runs[run_id], execution.output)
        if execution in self.claims:
            self.claims.pop(execution).release()
        undone = [run_id for run_id in execution.run_ids if run_id not in done]
        self.say(f"{'FAILED' if undone else 'done  '} {execution.title}; {self.time_left()}")
        if not undone:
            return []
        failed, *rest = undone
        self.left.remove(failed)
        said = self.unstarted.pop(execution, "") or last_lines(execution.output, exit_code)
        with suppress(DiskFull):  # it stays where it was executed
            store.keep_notebook(failed, execution.output)
        self.failures.append(Failure(failed, execution.output, said))
        return [without_failed(execution, self.runs, rest)] if rest else []

    def on_tick(self, running: list[Execution]) -> None:
        """Now and then says where the running notebooks stand."""
        if time.monotonic() - self.told > PROGRESS_SECONDS:
            self.told = time.monotonic()
            self.say(
                "; ".join(f"{execution.title}: {self.standing(execution)}" for execution in running)
                + f"; {self.time_left()}"
            )

    def standing(self, execution: Execution) -> str:
        """The last update that a running notebook logged for its first run not yet done."""
        undone = [run_id for run_id in execution.run_ids if not self.is_done(run_id)]
        if not undone:
            return "ending"
        position = f"run {len(execution.run_ids) - len(undone) + 1} of {len(execution.run_ids)}"
        with suppress(FileNotFoundError):  # a training that begins anew sets its log aside
            if last := last_line(store.run_folder(model_of(self.runs[undone[0]])) / "train.jsonl"):
                return f"{position}, update {last['step']} of {last['num_steps']}"
        return position

    def time_left(self) -> str:
        """The runs left and an estimate of their time, from finished runs of the same kind."""
        kinds = [kind_of(self.runs[run_id].config) for run_id in self.left]
        known = [self.expected[kind] for kind in kinds if kind in self.expected]
        if not self.left:
            return "nothing left"
        if not known:
            return f"{len(self.left)} runs left, time not known yet"
        minutes = sum(known) / len(known) * len(self.left) / self.workers / 60
        return f"{len(self.left)} runs left, about {minutes:.0f} min"

    def collect(self, run: PlannedRun, notebook: Path | None = None) -> None:
        """Writes a complete run into the study's results unless it is there; learns how long its kind takes.

        Its folder keeps the notebook that made it.
        """
        try:
            with room_for(f"the result of run {run.run_id}", "its folder is kept"):
                if notebook:
                    store.keep_notebook(run.run_id, notebook)
                if is_committed(study_folder(self.study), run.run_id):
                    return
                scores, row, stats, selection = result_of(run.config, self.study.name)
                if run.phase == EfficiencyConfig.phase:
                    write_costs(study_folder(self.study), run.run_id, store.read_costs(store.run_folder(run.run_id)))
                write_run(study_folder(self.study), run.run_id, scores, row, stats, selection)
            self.expected.setdefault(kind_of(run.config), row["seconds"])
        except (DataError, DiskFull) as error:
            self.failures.append(Failure(run.run_id, store.run_folder(run.run_id) / "notebook.ipynb", str(error)))


def model_of(run: PlannedRun) -> str:
    """The run id under which a run's own training is logged."""
    return run.config.model.model_id if run.phase == "target" else run.run_id


def without_failed(execution: Execution, runs: Mapping[str, PlannedRun], rest: list[str]) -> Execution:
    """What is left of a block after one of its runs failed."""
    targets = [runs[run_id].config.target for run_id in rest]
    rules = {
        name: [entry for entry in execution.parameters[name] if entry.partition("/")[0] in targets]
        for name in ("languages", "eval_splits")
    }
    output = execution.output.with_stem(f"{execution.output.stem}-rest{len(rest)}")
    parameters = execution.parameters | {"target": targets} | rules
    return replace(execution, parameters=parameters, run_ids=tuple(rest), output=output)


def distinct_runs(blocks: Iterable[Block]) -> list[PlannedRun]:
    """The runs of some blocks; a training that several of them start from stands once, needed if one needs it."""
    runs = (run for block in blocks for run in block.runs)
    return list({run.run_id: run for run in sorted(runs, key=lambda run: run.state != "not needed")}.values())
