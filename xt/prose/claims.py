"""The ledger of claims in words, from `xt.claims.judge_study`."""

import pandas as pd

from xt.claims import CONTRADICTED, NOT_TESTED, SUPPORTED, UNDECIDED, VERDICTS
from xt.prose.words import say_list, say_number, say_p

VERBS = {SUPPORTED: "supports", CONTRADICTED: "contradicts", UNDECIDED: "leaves undecided", NOT_TESTED: "does not test"}
PARTS = {"direction": "", "value": " (points)", "rows": " (rows)", "tables": " (tables)"}
"""Part of a claim -> what follows its name."""


def answer_claims(ledger: pd.DataFrame, study: str) -> str:
    """What a study's ledger says, in three to four sentences; the claims of each verdict are named."""
    parts = {part: ledger[ledger["part"] == part] for part in PARTS}
    effects, values = parts["direction"], parts["value"]
    named = {verdict: list(effects.loc[effects["verdict"] == verdict, "claim_id"]) for verdict in VERDICTS}
    said = [
        f"{VERBS[verdict]} {len(names)} ({say_list(names)})" if names else f"{VERBS[verdict]} none"
        for verdict, names in named.items()
    ]
    commands = sorted(set(effects.loc[effects["verdict"] == NOT_TESTED, "command"]) - {""})
    run = f"; what is missing comes with {say_list(f'`{command}`' for command in commands)}" if commands else ""
    tested = effects[effects["verdict"] != NOT_TESTED]
    data = f", judged by direction only on {say_list(sorted(set(tested['data'])))} data" if len(tested) else ""
    sentences = [f"Of {len(effects)} claims about effects, study `{study}` {say_list(said)}{data}{run}."]
    held = values[values["verdict"] != NOT_TESTED]
    sentences.append(
        f"{len(held)} of {len(values)} claimed point values can be held against it"
        + "".join(f"; {row.claim_id} is {row.verdict}" for row in held.itertuples())
        + "."
    )
    tables = parts["tables"]
    wrong = list(tables.loc[tables["verdict"] == CONTRADICTED, "claim_id"])
    sentences.append(
        f"The tables of tasks, arms and studies support {(tables['verdict'] == SUPPORTED).sum()} of {len(tables)} "
        f"claims about the design and contradict {say_list(wrong)}."
    )
    counted = parts["rows"][parts["rows"]["verdict"] != NOT_TESTED]
    sentences.append(f"{len(counted)} of {len(parts['rows'])} claims about rows of data could be judged on whole data.")
    return " ".join(sentences)


def say_effect(row: pd.Series) -> str:
    """`−4.9 points (−7.1 to −2.6)`: an effect and its adjusted interval; a dash where there is none."""
    if pd.isna(row["effect"]):
        return "–"
    return f"{say_number(row['effect'])} ({say_number(row['low'])} to {say_number(row['high'])})"


def say_runs(ids: str, number: int) -> str:
    """How many runs, and the first of them."""
    first = ids.split(" ")[0]
    return f"{number}, from {first}" if number and first else f"{number}" if number else "–"


def say_needed(row: pd.Series) -> str:
    """The seeds that an undecided claim would take; a dash for any other."""
    if row["verdict"] != UNDECIDED:
        return "–"
    if row["num_seeds"] < 3:
        return "3 or more"
    return "more items, not seeds" if pd.isna(row["seeds_needed"]) else f"{row['seeds_needed']:.0f}"


def format_verdicts(ledger: pd.DataFrame) -> pd.DataFrame:
    """The tested effects of a ledger as a table to read: one row per claim and part, numbers as text."""
    rows = ledger[ledger["effect"].notna()]
    table = pd.DataFrame({
        "claim": rows["claim_id"] + rows["part"].map(PARTS),
        "verdict": rows["verdict"],
        "effect (adjusted interval)": rows.apply(say_effect, axis=1),
        "of": rows["finding"],
        "p (adjusted)": rows["p_adjusted"].map(say_p),
        "seeds": rows["num_seeds"],
        "seeds needed": rows.apply(say_needed, axis=1),
        "on": rows["scope"],
        "data": rows["data"],
        "runs": [say_runs(ids, number) for ids, number in zip(rows["runs"], rows["num_runs"], strict=True)],
    })  # fmt: skip
    return table.set_index("claim")


def format_missing(ledger: pd.DataFrame, with_ids: bool = True) -> pd.DataFrame:
    """What was not tested as a table to read: why, the command that makes the missing runs, how many they are and
    (`with_ids`) the first; ids hash data, which are not on every machine."""
    rows = ledger[ledger["verdict"] == NOT_TESTED]
    runs = [
        say_runs(ids if with_ids else "", number)
        for ids, number in zip(rows["missing"], rows["num_missing"], strict=True)
    ]
    table = pd.DataFrame({
        "claim": rows["claim_id"] + rows["part"].map(PARTS), "why": rows["why"],
        "command": rows["command"].replace("", "–"), "missing runs": runs,
    })  # fmt: skip
    return table.set_index("claim")


def say_stamps(ledger: pd.DataFrame, claims) -> str:
    """What documents' stamp `verified` was worth: the verdicts, on results and tables, of the claims that carry it."""
    stamped = {claim.claim_id for claim in claims if claim.verified == "yes"}
    rows = ledger[ledger["claim_id"].isin(stamped) & (ledger["part"] != "value")]
    counts = rows["verdict"].value_counts()
    said = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts]
    wrong = list(rows.loc[rows["verdict"] == CONTRADICTED, "claim_id"])
    return f"Of {len(rows)} claims that documents call verified {say_list(said)}; contradicted: {say_list(wrong)}."
