"""Ours and the published scores, in sentences."""

import pandas as pd

from xt.prose.words import say_number


def answer_published(table: pd.DataFrame, parts: dict[str, float], lacking: str) -> str:
    """Whether ours may be set beside published scores, from `xt.published.comparable`, and what the published gain is
    made of, from `xt.published.decompose`. `lacking`: what to run where there are no results."""
    made_of = (
        f"The published gain of {say_number(parts['overall'])} points is {say_number(parts['trained'])} on the targets "
        f"with fine-tuning ({say_number(parts['without_tydiqa'])} without TyDi QA); the rest is retrieval, which "
        f"would have to gain {say_number(parts['retrieval'])}."
    )
    if lacking:
        return f"Not known: {lacking}. {made_of}"
    fair = table[table["reason"] == ""]
    if fair.empty:
        common = table["reason"].str.split("; ").explode().value_counts()[:3]
        why = "; ".join(f"{reason} ({count})" for reason, count in common.items())
        return (
            f"They cannot be compared: none of {len(table)} means may stand beside a published one. The commonest "
            f"reasons: {why}. {made_of}"
        )
    far = (fair["ours"] - fair["published"]).abs()
    return (
        f"{len(fair)} of {len(table)} means may stand beside a published one, and lie {far.mean():.1f} points from it "
        f"on average, {far.max():.1f} at most. {made_of}"
    )
