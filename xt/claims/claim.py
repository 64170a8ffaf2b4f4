"""The claims of `data/claims.csv`, one row each, checked: what is claimed, and the contrast that decides it.

An effect is a difference between arms, averaged over targets; a count is of rows of data; the others are properties of
the tables of tasks, arms and studies. Which function decides a row is named in it (`contrast`), never chosen in code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from xt.arms import ARMS, NINE
from xt.claims.effects import EFFECTS
from xt.claims.facts import RELATIONS, ROW_FACTS, TABLE_FACTS
from xt.claims.quoted import QUOTED
from xt.claims.verdicts import AGGREGATES, DIRECTIONS
from xt.errors import DataError, require_known
from xt.locations import PROJECT
from xt.margins import load_margins, margin_of
from xt.reported import XTREME_TASKS
from xt.schema import Column, check_table, refuse_duplicates
from xt.tasks import TASKS

CLAIMS = PROJECT / "data" / "claims.csv"
SETS: Mapping[str, tuple[str, ...]] = {"nine": NINE, "xtreme": XTREME_TASKS}
"""What stands for several arms or targets."""
TEXT, OPTIONAL = Column("string"), Column("string", required=False)
SHARE = Column("Float64", required=False, low=0, high=1)


def one_of(names) -> Column:
    """A column that names a row of one of the tables of functions, or nothing."""
    return Column("string", required=False, allowed=tuple(names))


SCHEMA = {
    "claim_id": TEXT,
    "kind": Column("string", allowed=("effect", "design", "data")),
    "claim": TEXT,
    "source": TEXT,
    "verified": Column("string", required=False, allowed=("yes", "no", "mixed")),
    "confidence_low": SHARE,
    "confidence_high": SHARE,
    "contrast": one_of((*EFFECTS, *ROW_FACTS, *TABLE_FACTS)),
    "arms": OPTIONAL,
    "against": OPTIONAL,
    "targets": OPTIONAL,
    "languages": one_of(("all",)),
    "aggregate": one_of(AGGREGATES),
    "judged_on": one_of(("all pairs", "pairs run")),
    "direction": one_of(DIRECTIONS),
    "least": one_of(load_margins().index),
    "margin": one_of(load_margins().index),
    "value": Column("Float64", required=False, low=-100, high=100),
    "encoder": OPTIONAL,
    "split": one_of(("validation", "test")),
    "relation": one_of(RELATIONS),
    "expected": OPTIONAL,
    "published": one_of(QUOTED),
}
"""Columns of `data/claims.csv`. `source`: where the claim stands; `verified`, `confidence_low` and `confidence_high`:
what five documents about the paper say of it (they stamp claims by matching text; nothing here rests on that).

An effect: `contrast` of each of `arms` with its counterpart in `against`, in the mean over `targets` (what `;` parts is
judged apart), joined by `aggregate`, over the languages that neither arm was trained in, or (`languages`) over all but
that of the target's training;
`judged_on`: `all pairs` where the claim is about just these, so that nothing is known of one that was not run, `pairs
run` where they are examples of it; on the side of `direction`, by more than the margin named in `least`, where one is;
`margin` names the difference that counts as none. `value`: the points claimed, for `encoder` on `split` only. A
property: what `contrast` finds must be, or include (`relation`), what is `expected`. `published`: the check of
published numbers against each other."""
NEEDED = {
    "effect": ("contrast", "arms", "against", "targets", "aggregate", "judged_on", "direction", "margin"),
    "data": ("contrast", "relation", "expected"),
    "design": (),
}
"""Kind -> columns without which a row says nothing that can be computed."""


@dataclass(frozen=True)
class Claim:
    """One row of the ledger."""

    claim_id: str
    kind: str
    claim: str
    source: str
    verified: str
    confidence_low: float | None
    confidence_high: float | None
    contrast: str
    arms: str
    against: str
    targets: str
    languages: str
    aggregate: str
    judged_on: str
    direction: str
    least: str
    margin: str
    value: float | None
    encoder: str
    split: str
    relation: str
    expected: str
    published: str
    part: str = "direction"
    on: str = ""
    """What of an effect is judged, and on which of its targets where not in one mean over all; no columns."""

    @property
    def apart(self) -> list["Claim"]:
        """The claim for each mean over targets that is judged apart."""
        means = [names.strip() for names in self.targets.split(";")]
        return [replace(self, targets=names, on=names) for names in means] if len(means) > 1 else [self]

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(arm, the arm it is compared with), each; one name on a side stands against all of the other."""
        arms, against = spell(self.arms), spell(self.against)
        longest = max(len(arms), len(against))
        arms, against = (names * longest if len(names) == 1 else names for names in (arms, against))
        return tuple(zip(arms, against, strict=True))

    @property
    def target_names(self) -> tuple[str, ...]:
        """The targets that the claim is about."""
        return spell(self.targets)

    @property
    def usable_targets(self) -> tuple[str, ...]:
        """Those on which the contrast can be computed at all."""
        return tuple(name for name in self.target_names if not EFFECTS[self.contrast].excludes(name))

    @property
    def groups(self) -> set[str]:
        """Groups of tasks (QA, retrieval, ...) of the targets."""
        return {TASKS[name].group for name in self.target_names}

    @property
    def least_pairs(self) -> int:
        """With fewer pairs no verdict can come of a study."""
        return 1 if self.judged_on == "pairs run" else EFFECTS[self.contrast].least(self.aggregate, len(self.pairs))

    @property
    def expected_names(self) -> tuple[str, ...]:
        """What a property must be."""
        return tuple(part.strip() for part in self.expected.split(";"))

    @property
    def margin_points(self) -> float:
        """The difference that counts as none, in points."""
        return margin_of(self.margin)

    @property
    def edge(self) -> float:
        """The points that an effect must exceed."""
        return margin_of(self.least) if self.least else 0.0


def spell(names: str) -> tuple[str, ...]:
    """`nine` or `mnli squad` as a tuple of names."""
    return tuple(one for name in names.replace(";", " ").split() for one in SETS.get(name, (name,)))


def load_claims(path: Path = CLAIMS) -> list[Claim]:
    """The claims, checked. DataError naming file, claim, value and what is allowed."""
    table = check_table(pd.read_csv(path, dtype=str, keep_default_na=False), SCHEMA, path)
    refuse_duplicates(table, ["claim_id"], path)
    texts = [name for name, rule in SCHEMA.items() if rule.dtype == "string"]
    table = table.astype(object).where(table.notna(), None)
    table[texts] = table[texts].fillna("")
    return [check_claim(Claim(**row), path) for row in table.to_dict("records")]


def check_claim(claim: Claim, path: Path) -> Claim:
    """The claim itself. DataError for what it lacks and for names that no table has."""
    where = f"{path}: claim {claim.claim_id!r}"
    lacking = [name for name in NEEDED[claim.kind] if not getattr(claim, name)]
    if lacking:
        raise DataError(
            f"{where}: no {lacking[0]}; needed of a claim of kind {claim.kind}: {', '.join(NEEDED[claim.kind])}"
        )
    if not (claim.contrast or claim.published):
        raise DataError(f"{where}: neither contrast nor published: nothing decides it")
    if (claim.value is None) != (not claim.split) or (claim.value is None) != (not claim.encoder):
        raise DataError(f"{where}: value, encoder and split stand together or not at all")
    tables = {"arms": ARMS, "against": ARMS, "targets": TASKS}
    for column, allowed in tables.items():
        for name in spell(getattr(claim, column)):
            try:
                require_known(column, name, [*allowed, *SETS])
            except ValueError as error:
                raise DataError(f"{where}: {error}") from error
    if claim.kind == "effect":
        require_pairs(claim, where)
    return claim


def require_pairs(claim: Claim, where: str) -> None:
    """DataError where arms and those they are compared with do not pair."""
    try:
        len(claim.pairs)
    except ValueError as error:
        raise DataError(
            f"{where}: {len(spell(claim.arms))} arms against {len(spell(claim.against))}; allowed: one, or as many"
        ) from error
