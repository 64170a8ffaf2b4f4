"""Published numbers held against each other: what can be recomputed from them, and what cannot.

These checks say nothing about the world: no run of ours is in them, and a number that agrees with itself is a number
that was copied right. They stand apart from the verdicts on studies.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import pandas as pd

from xt.margins import margin_of
from xt.published import decompose, published_gains
from xt.reported import XTREME_TASKS

AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot be told"
QUOTED_TO = 0.05
"""Published numbers have one decimal."""
ITS_TIME = ("xlm-roberta-large", "xlm-roberta-base", "bert-base-multilingual-cased", "xlm-mlm-100-1280")
"""Encoders with published zero-shot scores by May 2020; those that came later are left out."""


@dataclass(frozen=True)
class Check:
    """What published numbers say of a claim."""

    word: str
    """AGREES, DISAGREES or CANNOT_TELL."""
    number: float
    """The number that was computed, in points or as a count."""
    finding: str
    """In words."""


def overall_gains(published: pd.DataFrame) -> dict[str, float]:
    """Arm -> its published gain in XTREME's mean over no intermediate task, points."""
    rows = published[(published["task"] == "xtreme") & (published["metric"] == "gain")]
    return {
        name.split(" minus ")[0]: float(score) for name, score in zip(rows["intermediate"], rows["score"], strict=True)
    }


def hold(holds: bool) -> str:
    """AGREES or DISAGREES."""
    return AGREES if holds else DISAGREES


def quote_gain(claim, published: pd.DataFrame) -> Check:
    """The gain of the arm as published beside the claimed one: whether it was copied right."""
    number = overall_gains(published)[claim.arms]
    return Check(hold(abs(number - claim.value) < QUOTED_TO), number, f"quoted as {number:+.1f}; no runs, no interval")


def rank_quoted(claim, published: pd.DataFrame) -> Check:
    """Whether the arm has the largest published gain, if all its rivals have one."""
    gains = overall_gains(published)
    rivals = {name: gains[name] for _, name in claim.pairs if name in gains}
    number, total = gains[claim.arms] - max(rivals.values()), len(claim.pairs)
    said = f"{number:+.1f} above the largest of {len(rivals)} published out of {total}"
    return Check(hold(number > 0) if number <= 0 or len(rivals) == total else CANNOT_TELL, number, said)


def recompute_mean(claim, published: pd.DataFrame) -> Check:
    """The claimed mean from the published scores of its targets; with some missing, what those would have to be."""
    parts, rows = decompose(published), published_gains(published)
    if len(rows) == len(XTREME_TASKS):
        number = float(rows["gain"].mean())
        return Check(hold(abs(number - claim.value) < QUOTED_TO), number, f"mean over {len(rows)} targets")
    said = (
        f"{parts['trained']:+.1f} on the {len(rows)} targets with published scores ({parts['without_tydiqa']:+.1f} "
        f"without TyDi QA); the others would have to gain {parts['retrieval']:+.1f}"
    )
    return Check(CANNOT_TELL, parts["trained"], said)


def imply_retrieval(claim, published: pd.DataFrame) -> Check:
    """What the targets without fine-tuning must have gained for the published mean to hold."""
    number = decompose(published)["retrieval"]
    said = f"{number:+.1f} each is what is left of the mean of the best of nine; no retrieval score is published"
    return Check(CANNOT_TELL if number > claim.edge else DISAGREES, number, said)


def quote_target(claim, published: pd.DataFrame) -> Check:
    """The published gain of the best of nine on the claim's target. The best of nine is no single task: where it gains,
    many may or one; where it does not, none does."""
    number = float(published_gains(published).set_index("target")["gain"][claim.target_names[0]])
    relevant, wants_none = number > margin_of(claim.margin), claim.direction == "equal"
    word = hold(wants_none != relevant) if wants_none or not relevant else CANNOT_TELL
    return Check(word, number, f"best of nine {number:+.1f} on {claim.targets}, without an interval")


def rank_encoders(claim, published: pd.DataFrame) -> Check:
    """On how many tasks XLM-R large has the best published zero-shot mean of its time, of those with a rival's. Of an
    encoder with several it is their average."""
    rows = published[published["encoder"].isin(ITS_TIME) & (published["intermediate"] == "none")]
    rows = rows[rows["eval_language"] == "mean"]
    rows = rows[rows["task"].isin(XTREME_TASKS) & rows["setting"].isin(["zero-shot", "no fine-tuning"])]
    means = rows.groupby(["task", "metric", "encoder"])["score"].mean().unstack()
    contested = means[means["xlm-roberta-large"].notna() & (means.notna().sum(axis=1) > 1)].astype(float)
    best = (contested.idxmax(axis=1) == "xlm-roberta-large").groupby(level="task").all()
    return Check(
        hold(best.mean() > 0.5), int(best.sum()), f"best on {best.sum()} of {len(best)} tasks with a published rival"
    )


QUOTED: Mapping[str, Callable[..., Check]] = {
    "quoted gain": quote_gain,
    "largest quoted": rank_quoted,
    "decomposed": recompute_mean,
    "implied retrieval": imply_retrieval,
    "best on target": quote_target,
    "best of its time": rank_encoders,
}
"""Check of published numbers -> what computes it."""


def check_published(claims, published: pd.DataFrame) -> pd.DataFrame:
    """`claim_id, check, word, number, finding`: what published numbers say of the claims that name a check."""
    rows = [
        dict(claim_id=claim.claim_id, check=claim.published) | asdict(QUOTED[claim.published](claim, published))
        for claim in claims
        if claim.published
    ]
    return pd.DataFrame(rows, columns=["claim_id", "check", "word", "number", "finding"])
