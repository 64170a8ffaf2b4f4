"""The ledger of claims in words, from `xt.claims.judge_study`."""

import numpy as np
import pandas as pd

from xt.claims import CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED, VERDICTS
from xt.prose.words import say_list, say_number, say_p

VERBS = {SUPPORTED: "supports", CONTRADICTED: "contradicts", UNDECIDED: "leaves undecided", NOT_TESTED: "does not test"}
PARTS = dict(direction="", groups="", value=" (points)", rows=" (rows)", tables=" (tables)", published=" (published)")
"""Part of a claim -> what follows its name."""


def say_name(ledger: pd.DataFrame) -> pd.Series:
    """`squad-gain`, `squad-gain (points)`, `squad-gain (structured, QA)` of each row: the claim, and on what of it."""
    return ledger["claim_id"] + ledger["part"].map(PARTS) + ledger["on"].map(lambda on: f" ({on})" if on else "")


def answer_claims(ledger: pd.DataFrame, study: str) -> str:
    """What a study's ledger says, in a few sentences; the claims of each verdict are named with their effects."""
    parts = {part: ledger[ledger["part"] == part] for part in PARTS}
    effects, values, tables = parts["direction"], parts["value"], parts["tables"]
    directions = ledger[ledger["part"].isin(["direction", "groups"])]
    commands = sorted(set(directions.loc[directions["verdict"] == NOT_TESTED, "command"]) - {""})
    run = f"; what is missing comes with {say_list(f'`{command}`' for command in commands)}" if commands else ""
    data = sorted(set(directions.loc[directions["verdict"] != NOT_TESTED, "data"]))
    judged = f", judged by direction only on {say_list(data)} data" if data else ""
    held = values[values["verdict"] != NOT_TESTED]
    told = "".join(f"; {row.claim_id} is {row.verdict}" for row in held.itertuples())
    wrong = tables.loc[tables["verdict"] == CONTRADICTED, "claim_id"]
    counted = (parts["rows"]["verdict"] != NOT_TESTED).sum()
    return (
        f"Of {len(effects)} claimed effects, study `{study}` {say_verdicts(effects, say_name(effects))}{judged}{run}. "
        f"{say_groups(parts['groups'])}"
        f"{len(held)} of {len(values)} claimed point values can be held against it{told}. "
        f"The tables of tasks, arms and studies support {(tables['verdict'] == SUPPORTED).sum()} of {len(tables)} "
        f"claims about the design and contradict {say_list(wrong)}. "
        f"{counted} of {len(parts['rows'])} claims about rows of data could be judged on whole data."
    )


def say_verdicts(rows: pd.DataFrame, names: pd.Series) -> str:
    """`supports none and contradicts 1 (squad-gain −4.9)`, with these names of the claims."""
    named = names + rows["effect"].map(lambda effect: f" {say_number(effect)}" if pd.notna(effect) else "")
    of = {verdict: list(named[rows["verdict"] == verdict]) for verdict in VERDICTS}
    return say_list(
        f"{VERBS[verdict]} {len(said)} ({say_list(said)})" if said else f"{VERBS[verdict]} none"
        for verdict, said in of.items()
        if said or verdict in (SUPPORTED, CONTRADICTED)
    )


def say_groups(rows: pd.DataFrame) -> str:
    """What is judged of claims on the groups of tasks that a study can measure; empty where there is no such row."""
    each = rows.groupby("on", sort=False)
    said = [f"on {say_list(on.split(', '))} it {say_verdicts(of, of['claim_id'])}" for on, of in each]
    what = "Where a group of tasks cannot be measured there, the rest of a claim is judged apart: "
    return f"{what}{'; '.join(said)}. " if said else ""


def say_effect(row: pd.Series) -> str:
    """`−4.9 (−7.1 to −2.6)`: an effect and its adjusted interval, `−4.9 (below −2.6)` where comparisons that were not
    run leave a side open; a dash where there is none."""
    if pd.isna(row["effect"]):
        return "–"
    low, high = (say_number(row[end]) if np.isfinite(row[end]) else "" for end in ("low", "high"))
    limits = f"{low} to {high}" if low and high else f"above {low}" if low else f"below {high}"
    return f"{say_number(row['effect'])} ({limits})"


def say_needed(row: pd.Series) -> str:
    """The seeds that an undecided claim would take; a dash for any other."""
    if row["verdict"] != UNDECIDED:
        return "–"
    if pd.notna(row["seeds_needed"]):
        return f"{row['seeds_needed']:.0f}"
    return "the comparisons not run" if row["num_missing"] else "more items, not seeds"


def format_verdicts(ledger: pd.DataFrame) -> pd.DataFrame:
    """The effects of a ledger as a table to read: one row per claim and part, numbers as text."""
    rows = ledger[ledger["effect"].notna()]
    table = pd.DataFrame({
        "claim": say_name(rows),
        "verdict": rows["verdict"],
        "effect (adjusted interval)": rows.apply(say_effect, axis=1),
        "of": rows["finding"],
        "p (adjusted)": rows["p_adjusted"].map(say_p),
        "seeds": rows["num_seeds"],
        "seeds needed": rows.apply(say_needed, axis=1),
        "on": rows["scope"],
        "data": rows["data"],
        "runs": rows["num_runs"].astype(str) + ", from " + rows["runs"].str.split().str[0],
    })  # fmt: skip
    return table.set_index("claim")


def format_missing(ledger: pd.DataFrame) -> pd.DataFrame:
    """What was not tested as a table to read: why, the command that makes the missing runs, and how many they are."""
    rows = ledger[ledger["verdict"] == NOT_TESTED]
    table = pd.DataFrame({
        "claim": say_name(rows), "why": rows["why"],
        "command": rows["command"].replace("", "–"), "missing runs": rows["num_missing"].replace(0, "–"),
    })  # fmt: skip
    return table.set_index("claim")


def say_stamps(ledger: pd.DataFrame, claims) -> str:
    """What documents' stamp `verified` was worth: the verdicts, on results and tables, on the whole of each claim that
    carries it; of a claim that is judged apart, the worst."""
    stamped = {claim.claim_id for claim in claims if claim.verified == "yes"}
    rows = ledger[ledger["claim_id"].isin(stamped) & ~ledger["part"].isin(["value", "groups"])]
    worst = (CONTRADICTED, NOT_TESTED, UNDECIDED, SUPPORTED)
    whole = rows.groupby("claim_id", sort=False)["verdict"].agg(lambda of: min(of, key=worst.index))
    counts = whole.value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts]
    wrong = list(whole.index[whole == CONTRADICTED])
    return f"Of {len(whole)} claims that documents call verified {say_list(said)}; contradicted: {say_list(wrong)}."
