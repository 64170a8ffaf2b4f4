"""The ledger: a verdict on every claim from the results of a study, with what it rests on or what is missing.

The effects that a study can test are one family: with m of them, each interval is at level 1 - 0.05 / m and each p
value is multiplied by m (Bonferroni 1936; Dunn 1961), so that the probability that any verdict of the study is wrong
is at most 0.05. Holm's correction is sharper for p values, but has no intervals that go with it, and verdicts are
read off intervals."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.claims.claim import Claim, load_claims
from xt.claims.effects import EFFECTS, FEW_ABOVE, Evidence, Found, say_left_out
from xt.claims.facts import RELATIONS, ROW_FACTS, TABLE_FACTS
from xt.claims.needs import (
    NO_RUNS,
    NOT_RUN,
    RELEASES,
    Runs,
    find_part,
    groups_of,
    planned_cells,
    runs_for,
    runs_for_value,
    say_lacking,
    training_runs,
)
from xt.claims.panel import Panel
from xt.claims.values import find_value, value_faults
from xt.claims.verdicts import (
    AGGREGATES,
    CONTRADICTED,
    DIRECTIONS,
    LEAST_SEEDS,
    LEVEL,
    NOT_TESTED,
    SUPPORTED,
    UNDECIDED,
    Region,
    judge,
    level_of,
    lies_in,
    seeds_to_decide,
)
from xt.errors import DataError
from xt.gains import load_cubes
from xt.margins import margin_of
from xt.reported import pick_encoder, select_encoder
from xt.results import find_scores, find_study, study_runs, write_bytes
from xt.stats import NUM_RESAMPLES
from xt.studies import STUDIES
from xt.tasks import TASKS, one_moment, worst_status
from xt.tasks.sources import STATUSES

DATA = {
    "generated": "lab",
    "subset": "mirror (subset)",
    "substitute": "mirror (substitute)",
    "complete": "complete",
    "fixture": "fixtures",
}
"""Data status -> where scores are from, in the ledger's words."""
TABLES = "tables"
"""In place of a study: what the tables of this project say, whatever was run."""
NO_RUN_TELLS = "no run of ours can tell: it takes published scores of its time (see the check of published numbers)"


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    study: str
    claim_id: str
    kind: str
    part: str
    """What of the claim is judged: `direction`, `value`, `rows`, `tables` or `published`; or `groups`, its direction on
    the groups of tasks that the study can measure."""
    verdict: str
    on: str = ""
    """Of `direction` and `groups`: on which targets, or groups of them, where not on all of the claim's together."""
    scope: str = ""
    """On what of the claim's arms and targets."""
    finding: str = ""
    """What was found, in words."""
    why: str = ""
    """Why it was not tested; effect and interval stand there all the same, where there are any."""
    effect: float = np.nan
    low: float = np.nan
    high: float = np.nan
    """Adjusted interval of the effect, points."""
    p: float = np.nan
    """Smallest level at which there would be a verdict."""
    p_adjusted: float = np.nan
    num_tests: int = 0
    """Size of the family that interval and p are adjusted for."""
    claimed_low: float = np.nan
    claimed_high: float = np.nan
    """Where the effect must lie for the claim to hold, points."""
    margin: float = np.nan
    """The difference that counts as none."""
    num_seeds: int = 0
    seeds_needed: float = np.nan
    """Seeds that an undecided claim would take; see `xt.claims.verdicts.seeds_to_decide`."""
    interval: str = ""
    """What the interval is over."""
    data: str = ""
    """Where the scores are from."""
    num_runs: int = 0
    runs: str = ""
    """Ids of the runs that the entry rests on."""
    wanted: Runs = NO_RUNS
    """The runs that would test it."""

    def tabulate(self, with_ids: bool) -> dict:
        """The row as it stands in a table, with `num_missing`, `missing` (ids, as far as they are asked for and known
        here) and `command` (what makes them) in place of the wanted runs."""
        row = {name: getattr(self, name) for name in COLUMNS[:-3]}
        missing = " ".join(self.wanted.find_ids()) if with_ids else ""
        return row | dict(num_missing=self.wanted.number, missing=missing, command=self.wanted.command)


COLUMNS = (*(name for name in Entry.__dataclass_fields__ if name != "wanted"), "num_missing", "missing", "command")


@one_moment()
def judge_study(
    study: str,
    rng: np.random.Generator,
    claims: list[Claim] | None = None,
    results: Path | None = None,
    encoder: str = "",
    num_resamples: int = NUM_RESAMPLES,
    with_ids: bool = False,
) -> pd.DataFrame:
    """The ledger of a study's results: one row per claim and part of it, columns as in `Entry`.

    `encoder`: whose scores; default: the study's first. `with_ids`: whether missing runs are named one by one. A study
    without results has a ledger too: it says what to run.
    """
    claims = load_claims() if claims is None else claims
    scores, _ = find_scores(study, results)
    runs = study_runs(study, results)
    encoder = pick_encoder(scores, study, encoder) or (STUDIES[study].encoders[0] if study in STUDIES else "")
    scores = select_encoder(scores, study, encoder)
    targets = {target for claim in claims for target in claim.target_names}
    cubes = load_cubes(scores[scores["target"].isin(targets)], rng, results, num_resamples, min_seeds=1)
    evidence = Evidence(study, encoder, Panel(cubes), scores, results)
    effects = [claim for claim in claims if claim.kind == "effect"]
    tried = [one for whole in effects for claim in whole.apart for one in ask(claim, evidence)]
    values = [(claim, value_faults(claim, scores)) for claim in effects if claim.value is not None]
    num_tests = max(1, sum(found.is_test for _, found in tried) + sum(not faults for _, faults in values))
    entries = [judge_direction(claim, found, evidence, num_tests) for claim, found in tried]
    entries += [judge_value(claim, faults, evidence, num_tests) for claim, faults in values]
    entries += [judge_rows(study, claim, runs) for claim in claims if claim.contrast in ROW_FACTS]
    entries += [judge_tables(claim) for claim in claims if claim.contrast in TABLE_FACTS]
    entries += [not_tested(study, claim, "published", NO_RUN_TELLS, NO_RUNS) for claim in claims if not claim.contrast]
    order = {claim.claim_id: place for place, claim in enumerate(claims)}
    table = pd.DataFrame([entry.tabulate(with_ids) for entry in entries], columns=COLUMNS)
    return table.sort_values("claim_id", key=lambda ids: ids.map(order), kind="stable").reset_index(drop=True)


def ask(claim: Claim, evidence: Evidence) -> list[tuple[Claim, Found]]:
    """An effect with what the results say of it. A mean without a group of the claim's tasks is another one, whatever
    the group is missing for. Where nothing that the study has yet to run would bring it in, the claim on the other
    groups stands beside it, with the numbers."""
    found, own = find_effect(claim, evidence), STUDIES.get(evidence.study)
    planned = find_part(claim, planned_cells(own, evidence.encoder)).targets if own else ()
    out = {name for name, why in found.left_out.items() if why != NOT_RUN or name not in planned}
    within = groups_of(set(claim.target_names) - out)
    if within in (claim.groups, set()):
        return [(claim, found)]
    names = [name for name in claim.target_names if TASKS[name].group in within]
    groups = ", ".join(dict.fromkeys(TASKS[name].group for name in names))
    rest = replace(claim, part="groups", on=groups, targets=" ".join(names))
    told = find_effect(rest, evidence)
    return [(claim, replace(found, differences=None)), (rest, replace(told, left_out=found.left_out | told.left_out))]


def find_effect(claim: Claim, evidence: Evidence) -> Found:
    """What the results say of an effect. Without enough of its arms that is nothing; without a group of its tasks it is
    of another mean than claimed, and tests nothing. A target that cannot be measured, as too few languages are above
    their floor, is left out of the mean and named as long as its group has others."""
    cells, effect = evidence.panel.cells(), EFFECTS[claim.contrast]
    part = find_part(claim, cells)
    if not part.pairs or len(part.pairs) < claim.least_pairs:
        never = {name: effect.excludes(name) for name in claim.target_names if name not in claim.usable_targets}
        return Found(left_out=never, why="; ".join(filter(None, [say_left_out(never), say_lacking(claim, cells)])))
    pairs = claim.pairs if claim.judged_on == "all pairs" else tuple(part.pairs)
    found = effect.find(evidence, pairs, part.pairs, part.targets, claim.languages == "all")
    reasons = {name: effect.excludes(name) or NOT_RUN for name in claim.target_names if name not in part.targets}
    reasons |= found.left_out
    gone = claim.groups - groups_of(found.targets)
    lacking = {name: why for name, why in reasons.items() if TASKS[name].group in gone}
    open_groups = groups_of(name for name, why in lacking.items() if why != FEW_ABOVE)
    return replace(found, left_out=reasons, why=say_left_out(lacking), at_floor=bool(gone - open_groups))


def judge_direction(claim: Claim, found: Found, evidence: Evidence, num_tests: int) -> Entry:
    """The verdict on the claimed side of an effect."""
    margin, wanted = claim.margin_points, runs_for(claim, evidence, found.at_floor)
    if found.differences is None:
        return not_tested(evidence.study, claim, claim.part, found.why, wanted)
    region = DIRECTIONS[claim.direction](claim.edge, margin)
    entry = judge_effect(claim, claim.part, found, claim.aggregate, region, evidence, num_tests)
    if entry.verdict == CONTRADICTED and lies_in([(-margin, margin)], entry.low, entry.high):
        entry = replace(entry, finding=f"{entry.finding}: counts as none")
    unrun = entry.verdict == UNDECIDED and found.differences.num_known < len(found.differences.pairs)
    return replace(entry, margin=margin, wanted=wanted if unrun or entry.verdict == NOT_TESTED else NO_RUNS)


def judge_value(claim: Claim, faults: list[str], evidence: Evidence, num_tests: int) -> Entry:
    """The verdict on the points that a claim names."""
    if faults:
        return not_tested(evidence.study, claim, "value", "; ".join(faults), runs_for_value(claim))
    margin = margin_of("published value")
    region, found = DIRECTIONS["equal"](claim.value, margin), find_value(claim, evidence.scores)
    return replace(judge_effect(claim, "value", found, "only", region, evidence, num_tests), margin=margin)


def not_tested(study: str, claim: Claim, part: str, why: str, runs: Runs) -> Entry:
    """What a claim lacks, and what makes it."""
    return Entry(study, claim.claim_id, claim.kind, part, NOT_TESTED, claim.on, why=why, wanted=runs)


def judge_effect(
    claim: Claim, part: str, found: Found, aggregate: str, region: Region, evidence: Evidence, num_tests: int
) -> Entry:
    """Effect, adjusted interval and p, the verdict they give, and the runs they rest on. With too few seeds for a p
    value, or on other targets than claimed, effect and interval stand there and decide nothing."""
    parts, alpha, scores = found.differences, LEVEL / num_tests, evidence.scores
    effect, low, high, place = AGGREGATES[aggregate].join(parts, alpha)
    verdict = judge(region, low, high) if found.is_test else NOT_TESTED
    p = level_of(parts, aggregate, region.parts(verdict)) if found.is_test else np.nan
    seeds_lacking = "" if parts.has_p else f"{parts.num_seeds} of at least {LEAST_SEEDS} seeds"
    seeds = seeds_to_decide(parts, aggregate, region, alpha) if verdict == UNDECIDED else np.nan
    rows = scores[scores["intermediate"].isin(found.arms) & scores["target"].isin(found.targets)]
    runs, (arm, against) = sorted(set(rows["run_id"])), parts.pairs[place]
    side = (" (a gain)" if parts.effect[place] > 0 else " (a loss)") if AGGREGATES[aggregate].size else ""
    return Entry(
        evidence.study, claim.claim_id, claim.kind, part, verdict, claim.on,
        scope=say_scope(claim, found), finding=f"{arm} against {against}{side}",
        why="; ".join(filter(None, [found.why, seeds_lacking])),
        effect=effect, low=low, high=high, p=p, p_adjusted=np.minimum(1.0, num_tests * p),
        num_tests=num_tests, claimed_low=region.claimed[0], claimed_high=region.claimed[1], num_seeds=parts.num_seeds,
        seeds_needed=seeds, interval=parts.kind, data=say_data(rows["data_status"]), num_runs=len(runs),
        runs=" ".join(runs),
    )  # fmt: skip


def say_scope(claim: Claim, found: Found) -> str:
    """`4 of 9 targets, 3 of 9 comparisons; xnli: not run`."""
    said = f"{len(found.targets)} of {len(found.targets) + len(found.left_out)} targets"
    if len(claim.pairs) > 1 and claim.contrast == "difference":
        said += f", {found.differences.num_known} of {len(claim.pairs)} comparisons"
    return "; ".join(filter(None, [said, say_left_out(found.left_out)]))


def say_data(statuses: pd.Series) -> str:
    """Where scores are from, by the worst status of their data."""
    named = [status for status in set(statuses) if status in STATUSES]
    return DATA[worst_status(*named)] if named else "imported"


def judge_rows(study: str, claim: Claim, runs: pd.DataFrame) -> Entry:
    """The verdict on a claim about data: on complete data only, as found in the rows that a study's runs trained on."""
    task = claim.arms
    trained = runs[(runs["phase"] == "intermediate") & (runs["intermediate"] == task)]
    wanted = training_runs(task)
    if trained.empty:
        return not_tested(study, claim, "rows", f"nothing was trained on {task}", wanted)
    status = worst_status(*trained["data_status"]) if set(trained["data_status"]) <= set(STATUSES) else "imported"
    if status != "complete":
        return not_tested(
            study, claim, "rows", f"its rows of {task} are not the release: {DATA.get(status, status)}", wanted
        )
    root = STUDIES[study].root if study in STUDIES else RELEASES
    try:
        found = ROW_FACTS[claim.contrast](task, root)
    except (DataError, ValueError):
        return not_tested(study, claim, "rows", f"the rows of {task} are not here to be counted (root {root})", wanted)
    holds = RELATIONS[claim.relation](found, set(claim.expected_names))
    return Entry(
        study, claim.claim_id, claim.kind, "rows", SUPPORTED if holds else CONTRADICTED, scope=f"root {root}",
        finding=", ".join(sorted(found)), data=DATA[status], num_runs=len(trained), runs=" ".join(trained["run_id"]),
    )  # fmt: skip


def judge_tables(claim: Claim) -> Entry:
    """The verdict on a claim about the design: what the tables say, in every study the same."""
    found = TABLE_FACTS[claim.contrast]()
    holds = RELATIONS[claim.relation](found, set(claim.expected_names))
    verdict = SUPPORTED if holds else CONTRADICTED
    return Entry(
        TABLES, claim.claim_id, claim.kind, "tables", verdict, scope=claim.contrast, finding=", ".join(sorted(found))
    )


def write_ledger(study: str, results: Path | None = None) -> tuple[Path, pd.DataFrame]:
    """Judges a study and writes its ledger, with every run id, beside its results; returns (`claims.csv`, the ledger).
    Raises DataError where there are no results."""
    path = find_study(study, results) / "claims.csv"
    table = judge_study(study, np.random.default_rng(1), results=results, with_ids=True)
    write_bytes(path, table.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode())
    return path, table
