"""Flips of examples, and agreement of languages, in sentences."""

import pandas as pd

from xt.prose.words import LEVEL, say_interval, say_list, say_p, say_some


def answer_errors(flips: pd.DataFrame) -> str:
    """Whether an intermediate task flips examples, and whether another seed would as well, from `xt.flips.flip_table`.

    Placebo arms are not counted. What seeds do is compared only where the baseline is trained: without training (in
    retrieval) it has no seed.
    """
    tested = flips[~flips["placebo"].astype(bool) & flips["flips"].notna()]
    if tested.empty:
        return "Not known: no target has an intermediate task and a language above its floor."
    if tested["by_seed"].isna().all():
        return (
            f"Not known: with one seed, an intermediate task flips {tested['flips'].median():.1f} of 100 examples in "
            f"the median of {len(tested)} pairs of intermediate and target task, and another seed might flip as many."
        )
    return f"{compare_with_seeds(tested[tested['by_seed'] > 0])} {say_repeated(tested)}"


def compare_with_seeds(trained: pd.DataFrame) -> str:
    """How many pairs flip fewer examples than another seed of the baseline, and how many both flip."""
    if trained.empty:
        return "No target is trained, so there is no flip by another seed to compare with."
    fewer = int((trained["flips"] < trained["by_seed"]).sum())
    return (
        f"An intermediate task flips fewer examples, from right to wrong or back, than another seed of the baseline "
        f"in {fewer} of {len(trained)} pairs of intermediate and trained target task: in the median "
        f"pair {trained['flips'].median():.1f} of 100 examples, another seed {trained['by_seed'].median():.1f}."
    )


def say_repeated(tested: pd.DataFrame) -> str:
    """In how many pairs flips come again at another seed, and in which."""
    if tested["p_holm"].isna().all():
        return "Which of them come again at another seed cannot be told with fewer than three seeds."
    reliable = tested[(tested["p_holm"] < LEVEL) & (tested["repeated"] > 0)].sort_values("repeated", ascending=False)
    named = [
        f"{row['intermediate']} before {row['target']} ({row['repeated']:.1f}, 95 % interval {say_interval(row)})"
        for _, row in reliable.iterrows()
    ]
    known = int(tested["p_holm"].notna().sum())
    return (
        f"Flips that come again at another seed, so that they are the task's doing, are found in {len(reliable)} of "
        f"{known} pairs (Holm-adjusted p below {LEVEL})" + (f": {say_some(named, 4)}." if named else ".")
    )


def say_kept(kept: pd.DataFrame) -> str:
    """What the baseline keeps of the training language, per target, from `xt.consistency.kept_table`."""
    known = kept[(kept["intermediate"] == "none") & kept["kept"].notna()]
    rows = known.groupby("target", sort=False)[["kept", "right"]].mean()
    said = [f"{row['kept']:.0f} % in {target} (of all items {row['right']:.0f} %)" for target, row in rows.iterrows()]
    return f"Of the items that are right in the training language, right in another one are {say_list(said)}"


def say_agreement(agreement: pd.DataFrame) -> str:
    """Which arms change how far languages agree, from `xt.consistency.agreement_table`, without placebo arms."""
    tested = agreement[~agreement["placebo"].astype(bool) & agreement["change"].notna()]
    if tested.empty:
        return "Whether an intermediate task makes languages agree cannot be told"
    if tested["p_holm"].isna().all():
        return "Whether an intermediate task makes languages agree cannot be told with fewer than three seeds"
    reliable = tested[tested["p_holm"] < LEVEL].sort_values("change", key=abs, ascending=False)
    named = [
        f"{row['intermediate']} before {row['target']} ({say_interval(row)}, adjusted p {say_p(row['p_holm'])})"
        for _, row in reliable.iterrows()
    ]
    return (
        f"An intermediate task changes how far languages agree in {len(reliable)} of {len(tested)} pairs of "
        f"intermediate and target task: {say_some(named, 4)}"
    )


def title_flips(flips: pd.DataFrame) -> str:
    """In how many pairs the task flips fewer examples than another seed does."""
    trained = flips[~flips["placebo"] & (flips["by_seed"] > 0)]
    if trained.empty:
        return "No trained target with a second seed to compare with"
    fewer = int((trained["flips"] < trained["by_seed"]).sum())
    return (
        f"{fewer} of {len(trained)} pairs of intermediate and trained target task flip fewer examples than another seed"
    )


def title_repeated(flips: pd.DataFrame) -> str:
    """In which pairs flips come again at another seed."""
    tested = flips[flips["p_holm"].notna()]
    if tested.empty:
        return "With fewer than three seeds it cannot be told which flips come again"
    reliable = tested[(tested["p_holm"] < LEVEL) & (tested["repeated"] > 0)].sort_values("repeated", ascending=False)
    named = [f"{row['intermediate']} before {row['target']}" for _, row in reliable.iterrows()]
    return f"Flips come again in {len(reliable)} of {len(tested)} pairs of intermediate and target task: " + say_some(
        named
    )


def title_languages(by_language: pd.DataFrame) -> str:
    """In which languages flips come again most often, from `xt.flips.language_flip_table`; not adjusted."""
    known = by_language[by_language["repeated"].notna() & ~by_language["placebo"]]
    if known.empty:
        return "With one seed it cannot be told in which languages flips come again"
    above = known[known["low"] > 0]
    counts = [f"{code} ({count})" for code, count in above["eval_language"].value_counts().items()]
    return (
        f"{len(above)} of {len(known)} intervals of single languages lie above 0, not adjusted; most often in "
        f"{say_some(counts, 5)}"
    )


def title_firmness(firmness: pd.DataFrame) -> str:
    """Whether flips are of examples that seeds decide, from `xt.flips.firmness_table`, over trained targets."""
    known = firmness[~firmness["placebo"]]
    wavering = known[known["firmness"].eq("right at some") & (known["share"] > 0)]
    if wavering.empty:
        return "Which examples seeds decide cannot be told: no trained target with a second seed"
    return (
        f"{wavering['share_of_flips'].mean():.0f} % of the flips are of the {wavering['share'].mean():.0f} % of "
        "examples that the baseline has right at some seeds and wrong at others"
    )


def say_checkpoints(alone: pd.DataFrame) -> str:
    """Which pairs of checkpoints differ, from `xt.flips.checkpoint_table`."""
    if alone.empty:
        return "Not here: several seeds, no language above its floor, or examples that hang together"
    differ = alone[alone["p_bh"] < LEVEL].sort_values("p", kind="stable")
    named = [
        f"{row['intermediate']} before {row['target']} in {row['eval_language']} ({row['lost']} lost, {row['won']} won)"
        for _, row in differ.iterrows()
    ]
    return (
        f"{len(differ)} of {alone['p_bh'].notna().sum()} pairs of checkpoints differ (Benjamini-Hochberg below {LEVEL} "
        f"within a target): {say_some(named)}"
    )
