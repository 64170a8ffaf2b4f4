"""The ledger: a verdict on every claim from the results of a study, with what it rests on or what is missing.

The effects that a study can test are one family: with m of them, each interval is at level 1 - 0.05 / m and each p
value is multiplied by m (Bonferroni 1936; Dunn 1961), so that the probability that any verdict of the study is wrong
is at most 0.05. Holm's correction is sharper for p values, but has no intervals that go with it, and verdicts are
read off intervals."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from xt.claims.claim import Claim, load_claims
from xt.claims.effects import AT_FLOOR, EFFECTS, Evidence, Found
from xt.claims.needs import RELEASES, Runs, runs_for, runs_for_value, say_lacking, testable_part, training_runs
from xt.claims.panel import Panel
from xt.claims.rows import ROW_FACTS
from xt.claims.tables import RELATIONS, TABLE_FACTS
from xt.claims.values import find_value, value_faults
from xt.claims.verdicts import (
    AGGREGATES,
    CONTRADICTED,
    DIRECTIONS,
    LEVEL,
    NOT_TESTED,
    SUPPORTED,
    UNDECIDED,
    Region,
    judge,
    level_of,
    seeds_to_decide,
)
from xt.errors import DataError
from xt.gains import load_cubes
from xt.margins import margin_of
from xt.reported import select_encoder
from xt.results import RUN_COLUMNS, find_scores, find_study, load_runs, write_bytes
from xt.stats import NUM_RESAMPLES
from xt.studies import STUDIES
from xt.tasks import worst_status
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


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    study: str
    claim_id: str
    kind: str
    part: str
    """What of the claim is judged: `direction`, `value`, `rows` or `tables`."""
    verdict: str
    scope: str = ""
    """On what of the claim's arms and targets."""
    finding: str = ""
    """What was found, in words."""
    why: str = ""
    """Why it was not tested."""
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
    num_missing: int = 0
    missing: str = ""
    """Ids of the runs that would test it, as far as they are known here."""
    command: str = ""
    """What makes them."""


COLUMNS = tuple(Entry.__dataclass_fields__)


def judge_study(
    study: str,
    rng: np.random.Generator,
    claims: list[Claim] | None = None,
    results: Path | None = None,
    encoder: str = "",
    num_resamples: int = NUM_RESAMPLES,
) -> pd.DataFrame:
    """The ledger of a study's results: one row per claim and part of it, columns as in `Entry`.

    `encoder`: whose scores; default: the study's first. A study without results has a ledger too: it says what to run.
    """
    claims = load_claims() if claims is None else claims
    scores, lacking = find_scores(study, results)
    scores = select_encoder(scores, study, encoder)
    targets = {target for claim in claims for target in claim.target_names}
    cubes = load_cubes(scores[scores["target"].isin(targets)], rng, results, num_resamples, min_seeds=1)
    evidence = Evidence(Panel(cubes), scores, rng, results)
    done = set(load_runs(study, results)["run_id"]) if not lacking else set()
    effects = [claim for claim in claims if claim.kind == "effect"]
    tried = [(claim, find_effect(claim, evidence)) for claim in effects]
    values = [(claim, value_faults(claim, scores)) for claim in effects if claim.value is not None]
    num_tests = sum(isinstance(found, Found) for _, found in tried) + sum(not faults for _, faults in values)
    entries = [judge_direction(study, claim, found, evidence, done, num_tests) for claim, found in tried]
    entries += [judge_value(study, claim, faults, evidence, num_tests) for claim, faults in values]
    runs = load_runs(study, results) if not lacking else pd.DataFrame(columns=RUN_COLUMNS)
    entries += [judge_rows(study, claim, runs) for claim in claims if claim.contrast in ROW_FACTS]
    entries += [judge_tables(claim) for claim in claims if claim.contrast in TABLE_FACTS]
    order = {claim.claim_id: place for place, claim in enumerate(claims)}
    table = pd.DataFrame([asdict(entry) for entry in entries], columns=COLUMNS)
    return table.sort_values("claim_id", key=lambda ids: ids.map(order), kind="stable").reset_index(drop=True)


def find_effect(claim: Claim, evidence: Evidence) -> Found | str:
    """What the results say of an effect, or why they say nothing."""
    cells = evidence.panel.cells()
    pairs, targets = testable_part(claim, cells)
    return (
        EFFECTS[claim.contrast](evidence, pairs, targets, claim.languages == "all")
        if pairs
        else say_lacking(claim, cells)
    )


def judge_direction(
    study: str, claim: Claim, found: Found | str, evidence: Evidence, done: set[str], num_tests: int
) -> Entry:
    """The verdict on the claimed side of an effect."""
    if isinstance(found, str):
        return not_tested(study, claim, "direction", found, runs_for(claim, study, done, found == AT_FLOOR))
    region = DIRECTIONS[claim.direction](claim.edge, claim.margin_points)
    entry = judge_effect(study, claim, "direction", found, claim.aggregate, region, evidence.scores, num_tests)
    return replace(entry, margin=claim.margin_points)


def judge_value(study: str, claim: Claim, faults: list[str], evidence: Evidence, num_tests: int) -> Entry:
    """The verdict on the points that a claim names."""
    if faults:
        return not_tested(study, claim, "value", "; ".join(faults), runs_for_value(claim))
    margin = margin_of("published value")
    region, found = DIRECTIONS["equal"](claim.value, margin), find_value(claim, evidence.scores)
    entry = judge_effect(study, claim, "value", found, "only", region, evidence.scores, num_tests)
    return replace(entry, margin=margin)


def not_tested(study: str, claim: Claim, part: str, why: str, runs: Runs) -> Entry:
    """What a claim lacks, and what makes it."""
    missing = dict(num_missing=runs.number, missing=" ".join(runs.run_ids), command=runs.command)
    return Entry(study, claim.claim_id, claim.kind, part, NOT_TESTED, why=why, **missing)


def judge_effect(
    study: str,
    claim: Claim,
    part: str,
    found: Found,
    aggregate: str,
    region: Region,
    scores: pd.DataFrame,
    num_tests: int,
) -> Entry:
    """Effect, adjusted interval and p, the verdict they give, and the runs they rest on."""
    parts, alpha = found.differences, LEVEL / num_tests
    effect, low, high, place = AGGREGATES[aggregate].join(parts, alpha)
    arms = {*parts.arms, *parts.against} if part == "value" else {arm for pair in claim.pairs for arm in pair}
    rows = scores[scores["intermediate"].isin(arms) & scores["target"].isin(found.targets)]
    runs = sorted(set(rows["run_id"]))
    known = parts.num_seeds > 2
    p = level_of(parts, aggregate, region) if known else np.nan
    verdict = judge(region, low, high) if known else UNDECIDED
    return Entry(
        study, claim.claim_id, claim.kind, part, verdict,
        scope=say_scope(claim, found), finding=f"{parts.arms[place]} against {parts.against[place]}",
        effect=effect, low=low, high=high, p=p, p_adjusted=min(1.0, num_tests * p) if known else np.nan,
        num_tests=num_tests, claimed_low=region.claimed[0], claimed_high=region.claimed[1], num_seeds=parts.num_seeds,
        seeds_needed=seeds_to_decide(parts, aggregate, region, alpha) if verdict == UNDECIDED else np.nan,
        interval=parts.kind, data=say_data(rows["data_status"]), num_runs=len(runs), runs=" ".join(runs),
    )  # fmt: skip


def say_scope(claim: Claim, found: Found) -> str:
    """`4 of 9 targets, 3 of 9 comparisons; xnli at the floor`."""
    compared = len(found.differences.arms)
    said = f"{len(found.targets)} of {len(claim.target_names)} targets"
    if len(claim.pairs) > 1 and claim.contrast == "difference":
        said += f", {compared} of {len(claim.pairs)} comparisons"
    return "; ".join(filter(None, [said, found.note]))


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


def write_ledger(table: pd.DataFrame, study: str, results: Path | None = None) -> Path:
    """Writes a study's ledger beside its results, `claims.csv`, with every run id, and returns its path."""
    path = find_study(study, results) / "claims.csv"
    write_bytes(path, table.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode())
    return path
