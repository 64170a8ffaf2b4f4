"""Flips of examples, and agreement of languages, in sentences."""

import pandas as pd

from xt.prose.words import LEVEL, say_interval, say_list, say_p, say_some, split_reliable


def select_tested(flips: pd.DataFrame) -> pd.DataFrame:
    """The rows of `xt.flips.flip_table` with flips, without placebo arms."""
    return flips[~flips["placebo"].astype(bool) & flips["flips"].notna()]


def answer_errors(flips: pd.DataFrame) -> str:
    """Whether an intermediate task flips examples, and whether another seed would as well, from `xt.flips.flip_table`.

    Placebo arms are not counted.
    """
    tested = select_tested(flips)
    if tested.empty:
        return "Not known: no target has an intermediate task and a language above its floor."
    if tested["by_seed"].isna().all():
        return (
            f"Not known: with one seed, an intermediate task flips {tested['flips'].median():.1f} of 100 examples in "
            f"the median of {len(tested)} pairs of intermediate and target task, and another seed might flip as many."
        )
    return f"{say_flips(flips)}. {say_repeated(flips)}."


def say_flips(flips: pd.DataFrame) -> str:
    """In how many pairs an arm differs from a baseline of another seed in more examples than two seeds of the baseline
    do, and in how many both differ; of trained targets, as without training the baseline has no seed."""
    trained = select_tested(flips)
    trained = trained[trained["by_seed"] > 0]
    if trained.empty:
        return "No trained target has a second seed of the baseline to compare with"
    more = int((trained["across"] > trained["by_seed"]).sum())
    return (
        "An arm at one seed and the baseline at another differ in more examples, right or wrong, than two seeds of the "
        f"baseline in {more} of {len(trained)} pairs of intermediate and trained target task (counted, not tested): in "
        f"the median pair in {trained['across'].median():.1f} of 100 examples, two seeds of the "
        f"baseline in {trained['by_seed'].median():.1f} (arm and baseline of one seed in "
        f"{trained['flips'].median():.1f})"
    )


def say_repeated(flips: pd.DataFrame) -> str:
    """In how many pairs flips come again at another seed, and in which."""
    more, less, rest, untested = split_reliable(select_tested(flips), "repeated")
    known = len(more) + len(less) + len(rest)
    if not known:
        return "Which flips come again at another seed cannot be told with fewer than three seeds"
    named = [
        f"{row['intermediate']} before {row['target']} ({row['repeated']:.1f}, 95 % interval {say_interval(row)})"
        for _, row in more.sort_values("repeated", ascending=False).iterrows()
    ]
    return (
        "Flips that come again at another seed, so that they are the task's doing, are found in "
        f"{len(more)} of {known} pairs (Holm-adjusted p below {LEVEL})"
        + (f": {say_some(named, 4)}" if named else "")
        + (f"; {len(untested)} more are not tested, with fewer than three seeds" if len(untested) else "")
    )


def say_kept(kept: pd.DataFrame) -> str:
    """What the baseline keeps of the training language, per target, from `xt.consistency.kept_table`."""
    known = kept[(kept["intermediate"] == "none") & kept["kept"].notna()]
    rows = known.groupby("target", sort=False)[["kept", "right"]].mean()
    said = [f"{row['kept']:.0f} % in {target} (of all items {row['right']:.0f} %)" for target, row in rows.iterrows()]
    return f"Of the items that are right in the training language, right in another one are {say_list(said)}"


def say_agreement(agreement: pd.DataFrame) -> str:
    """Which arms change how far languages agree, from `xt.consistency.agreement_table`, without placebo arms."""
    more, less, rest, untested = split_reliable(
        agreement[~agreement["placebo"].astype(bool) & agreement["change"].notna()], "change"
    )
    known = len(more) + len(less) + len(rest)
    if not known:
        few = " with fewer than three seeds" if len(untested) else ": no task with two languages above their floor"
        return f"Whether an intermediate task makes languages agree cannot be told{few}"
    named = [
        f"{row['intermediate']} before {row['target']} ({say_interval(row)}, adjusted p {say_p(row['p_holm'])})"
        for _, row in pd.concat([more, less]).sort_values("change", key=abs, ascending=False).iterrows()
    ]
    return (
        f"An intermediate task changes how far languages agree in {len(named)} of {known} pairs of intermediate and "
        f"target task: {say_some(named, 4)}"
        + (f"; {len(untested)} more are not tested, with fewer than three seeds" if len(untested) else "")
    )


def title_languages(by_language: pd.DataFrame) -> str:
    """In which languages flips come again most often, from `xt.flips.language_flip_table`; not adjusted."""
    known = by_language[by_language["repeated"].notna() & ~by_language["placebo"]]
    if known.empty:
        return "With one seed it cannot be told in which languages flips come again"
    above = known[known["low"] > 0]
    counts = [f"{code} ({count})" for code, count in above["eval_language"].value_counts().items()]
    return (
        f"{len(above)} of {len(known)} intervals of single languages lie above 0, not adjusted (up to 2.5 % would by "
        f"chance); most often in {say_some(counts, 5)}"
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
