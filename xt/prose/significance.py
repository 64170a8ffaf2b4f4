"""Sentences on which gains survive seeds, examples and the number of tests."""

import pandas as pd

from xt.gains.declared import HOLM, ONE_SEED, PERCENTILE, PRIMARY, WAYS
from xt.prose.gains import say_gain
from xt.prose.words import say_list, say_some


def answer_significance(declared: pd.DataFrame, lacking: str = "") -> str:
    """Which gains survive, and what would have been declared otherwise, from `xt.gains.declared_table`; placebos are
    not counted. `lacking`: what to run where there are no results."""
    real = declared[~declared["placebo"].astype(bool)]
    if real.empty:
        return f"Not known: {lacking or 'no target has a baseline, an arm and a language above its floor'}."
    tested = real[real[HOLM].notna()]
    if tested.empty:
        return f"Not known: fewer than three seeds give no p value. {say_naive(real)}."
    survive = tested[tested[HOLM].astype(bool)]
    named = say_some(say_gain(row) for _, row in survive.sort_values("gain", key=abs, ascending=False).iterrows())
    what = "None" if survive.empty else f"{len(survive)}"
    left = len(real) - len(tested)
    return (
        f"{what} of {len(tested)} differences survive seeds, examples and the number of tests"
        f"{'' if survive.empty else ': ' + named}"
        f"{f'; {left} more, with fewer than three seeds, are not tested' if left else ''}. {say_naive(tested)}."
    )


def say_naive(real: pd.DataFrame) -> str:
    """`The items of one seed would have declared 9 (7 of them do not survive), ...`, without the end."""
    words = {
        ONE_SEED: "the items of one seed", PERCENTILE: "percentiles over seeds and items",
        PRIMARY: "the primary test without correction",
    }  # fmt: skip
    said = []
    for way, name in words.items():
        if real[way].notna().any():
            found = real[way].fillna(False)
            gone = int((found & ~real[HOLM].fillna(False)).sum())
            lost = f" ({gone} of them do not survive)" if real[HOLM].notna().any() else ""
            said.append(f"{name} would have declared {int(found.sum())}{lost}")
    sentence = say_list(said)
    return sentence[0].upper() + sentence[1:]


def count_declared(declared: pd.DataFrame) -> pd.DataFrame:
    """Rows `tasks` and `placebos`: how many gains each way declares (missing where it can be asked of none), and how
    many there are (`tested`)."""
    kinds = declared["placebo"].map({True: "placebos", False: "tasks"})
    counts = declared[[way for way in WAYS if way in declared]].astype("Int64").groupby(kinds).sum(min_count=1)
    return counts.assign(tested=declared.groupby(kinds).size()).sort_index(ascending=False)


def say_counts(counts: pd.DataFrame) -> str:
    """`tasks: one seed 9, ...` from `count_declared`; `cannot be asked` where a number is missing."""
    return "; ".join(
        f"{kind}: " + ", ".join(f"{way} {'cannot be asked' if pd.isna(count) else count}" for way, count in row.items())
        for kind, row in counts.drop(columns="tested").iterrows()
    )


def format_noise(noise: pd.DataFrame) -> pd.DataFrame:
    """`xt.gains.noise_table` to read: numbers with one decimal; `no number` where no number of seeds would do."""
    table = noise.drop(columns="noise").set_index(["encoder", "target"])
    seeds = [name for name in table if str(name).startswith("seeds for")]
    numbers = table.drop(columns=seeds).astype(float).round(1)
    whole = ["num_arms", "num_seeds"]
    said = {name: [f"{count:.0f}" if pd.notna(count) else "no number" for count in table[name]] for name in seeds}
    return numbers.astype(dict.fromkeys(whole, int)).assign(**said)


def format_calibration(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """`xt.stats.calibration.calibration_table` to read: methods and seeds down, noise and items across, per cent."""
    wide = rows.pivot_table(index=["method", "num_seeds"], columns=["items", "noise"], values=column, sort=False)
    return (100 * wide).round(1).astype(object).where(wide.notna(), "")
