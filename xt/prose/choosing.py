"""The intermediate task that was chosen, in sentences."""

import pandas as pd

from xt.prose.words import say_number

CHOICE_NOTE = (
    "What the paper chose on is not known; here it is the English selection data of the target's own training. "
    "The oracle chooses on the zero-shot scores themselves, less what it owes to luck."
)


def say_choice(row: pd.Series) -> str:
    """One row of `xt.choosing.choice_table` as a sentence; where nothing could be chosen on, why, and the oracle."""
    oracle = f"the oracle {row['oracle']} ({row['oracle_score']:.1f} points)"
    if pd.isna(row["gain"]):
        return f"{row['target']}: no choice ({row['selected_on']}); {oracle}"
    gain, regret = (
        f"{name} {say_number(row[name])} ({say_number(row[f'{name}_low'])} to {say_number(row[f'{name}_high'])})"
        for name in ("gain", "regret")
    )
    return f"{row['target']}: {row['chosen']}, chosen on {row['selected_on']}: {gain}, {regret} against {oracle}"
