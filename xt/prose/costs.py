"""What is said of costs: whether arms cost the same, which languages cost more, what may be saved at equal score."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xt.frontier import LEVEL
from xt.prose.words import say_list, say_number


def say_equivalence(ratios: pd.DataFrame, quantity: str) -> str:
    """How many comparisons of a quantity show equal costs, and the widest interval."""
    tested = ratios[(ratios["quantity"] == quantity) & ratios["p"].notna()]
    if tested.empty:
        return f"{quantity}: not tested"
    widest = tested.loc[tested[["low", "high"]].abs().max(axis=1).idxmax()]
    limits = f"{say_number(widest['low'])} to {say_number(widest['high'])} %"
    many = f"{tested['equivalent'].sum()} of {len(tested)} comparisons"
    return (
        f"{quantity} is equal within {widest['margin']:.0f} % in {many} "
        f"(widest interval {limits}: {widest['intermediate']}, {widest['encoder']}, batches of {widest['batch_size']})"
    )


def answer_costs_of_arms(ratios: pd.DataFrame, lacking: str = "") -> str:
    """Whether an intermediate task changes what inference costs: first in the target language against in English, where
    that was measured, then each against the first arm."""
    if not ratios["p"].notna().any():
        return f"Not known: {lacking or 'nothing was measured in three rounds or more'}."
    direct = ratios["direct"].astype(bool)
    if not direct.any():
        return judge_costs(ratios)
    against = say_list(dict.fromkeys(ratios.loc[~direct, "against"]))
    first = f"Target-language against English intermediate training: {judge_costs(ratios[direct])}"
    return f"{first} Either against {against}: {judge_costs(ratios[~direct])}"


def judge_costs(ratios: pd.DataFrame) -> str:
    """Whether some comparisons show equal costs, which arms are dearer, and each quantity in numbers."""
    tested = ratios[ratios["p"].notna()]
    rises = tested["percent"].where(tested["quantity"] != "throughput", -tested["percent"])  # more pace is not dearer
    dearer = tested[tested["beyond"].astype(bool) & (rises > 0)]
    named = say_list(dict.fromkeys(f"{row.intermediate} on {row.encoder}" for row in dearer.itertuples()))
    first = f"More than the margin: {named}" if len(dearer) else "Nothing beyond the margin is shown"
    first = "Nothing" if len(tested) and tested["equivalent"].all() else first
    return f"{first}: {'; '.join(say_equivalence(ratios, name) for name in dict.fromkeys(ratios['quantity']))}."


def say_left_out(costs: Mapping[str, pd.DataFrame]) -> str:
    """The backends that could not run where the costs were measured, and why; empty where all did."""
    rows = costs["left_out"].drop_duplicates(["backend", "reason"])
    return f"Left out: {'; '.join(rows['reason'])}." if len(rows) else ""


def answer_language_costs(languages: pd.DataFrame) -> str:
    """What an example costs in the dearest language, against the cheapest."""
    rows = languages.assign(total=languages["latency_ms"] + languages["tokenize_ms"])
    parts = []
    for (encoder, target), part in rows.groupby(["encoder", "target"], sort=False):
        part = part.set_index("eval_language")
        dearest, cheapest = part["total"].idxmax(), part["total"].idxmin()
        time, tokens = (part.loc[dearest, name] / part.loc[cheapest, name] for name in ("total", "num_tokens"))
        share = (
            f"the tokenizer takes {part['tokenizer_share'].min():.1f} to {part['tokenizer_share'].max():.1f} % of it"
        )
        times = f"takes {time:.2f} times as long as in {cheapest}, with {tokens:.2f} times the tokens"
        parts.append(f"{encoder} on {target}: an example in {dearest} {times}; {share}")
    return f"What changes the cost is the language. {'. '.join(parts)}." if parts else ""


def say_saving(row: pd.Series) -> str:
    """What is saved at equal score, in words."""
    point = say_limit(row["saved"], row["most"])
    if pd.isna(row["low"]):
        return point
    return f"{point} ({say_limit(row['low'], row['most'])} to {say_limit(row['high'], row['most'])})"


def say_limit(saved: float, most: float) -> str:
    """A share that is saved, in percent; the most that the measured encoders can show is told as that."""
    if saved == -np.inf:
        return "score not reached"
    return f"{saved:.0f} % or more" if saved >= most else f"{saved:.0f} %".replace("-", "\N{MINUS SIGN}")


def answer_saving(savings: pd.DataFrame, lacking: str = "", cost: str = "latency") -> str:
    """How much cheaper a model may be after intermediate training, at the score of the largest encoder without it."""
    rows = savings[savings["cost"] == cost]
    if rows.empty:
        needed = lacking or "needed are scores and costs of two sizes, alike in all else"
        return f"How much cheaper a model may be at equal score is not known: {needed}."
    largest = rows["encoder"].iloc[-1]
    rows = rows[rows["encoder"] == largest]
    told = rows[(rows["low"] > 0) & (rows["high"] > 0)]
    said = say_list(f"{row['intermediate']} {say_saving(row)}" for _, row in rows.iterrows())
    level = f"{100 * (1 - LEVEL):.0f} % intervals"
    judged = f"saving is shown for {say_list(told['intermediate'])}" if len(told) else "no saving is shown"
    judged = judged if rows["low"].notna().any() else "there are no intervals with fewer than three seeds"
    return f"At the score of {largest} without it, {cost} saved: {said} ({level}); {judged}."


def format_savings(savings: pd.DataFrame) -> pd.DataFrame:
    """What is saved at the score of each encoder, one column per arm."""
    told = savings.assign(said=[say_saving(row) for _, row in savings.iterrows()], score=savings["score"].round(1))
    return told.pivot(index=["cost", "encoder", "score"], columns="intermediate", values="said")


def say_layers(choices: pd.DataFrame) -> str:
    """What each encoder scores at the layer chosen on other languages, what that loses against all layers, and its
    share of their time."""
    parts = []
    for _, row in choices.iterrows():
        time = "time not measured" if pd.isna(row["share"]) else f"{row['share']:.0f} % of the time of all layers"
        limits = "" if pd.isna(row["low"]) else f" ({row['low']:.1f} to {row['high']:.1f})"
        change = "" if pd.isna(row["low"]) else f" ({say_number(-row['lost_high'])} to {say_number(-row['lost_low'])})"
        chosen = f"{row['encoder']}: layer {row['layer']} in {row['agree']} of {row['languages']} languages"
        scored = f"{row['score']:.1f} points{limits}, {say_number(-row['lost'])}{change} against all layers, {time}"
        parts.append(f"{chosen}, {scored}")
    return f"{'; '.join(parts)}." if parts else "No retrieval by layer is there."
