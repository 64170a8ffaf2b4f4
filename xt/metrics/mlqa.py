"""Exact match and F1 of answers, normalised as their language asks for (Lewis et al. 2020, `mlqa_evaluation_v1.py`).

All Unicode punctuation goes, and the articles of English, Spanish, German, Vietnamese and Arabic. In Chinese each
character is a token, elsewhere what white space separates.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from xt.errors import DataError
from xt.languages import LANGUAGES
from xt.metrics.metric import Metric, reduce_mean
from xt.metrics.span_qa import best_over_gold, match_exactly, overlap_f1

ARTICLES = {
    "en": r"\b(?:a|an|the)\b",
    "es": r"\b(?:un|una|unos|unas|el|la|los|las)\b",
    "hi": None,
    "vi": r"\b(?:của|là|cái|chiếc|những)\b",
    "de": r"\b(?:ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": "ال",  # wherever it stands: the script's other alternative, `\sال^`, matches nothing
    "zh": None,
    **{code: None for code, row in LANGUAGES.items() if row.family.startswith("Lab ")},
}
"""Language -> the words that are dropped; None where the language has no articles. The lab's keep all words."""
HAN = re.compile("([\u4e00-\u9fa5])")


def is_punctuation(character: str) -> bool:
    """Whether Unicode's category begins with P, or ASCII calls it punctuation (which takes in $ + < = > ^ ` | ~)."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def normalise_in(language: str, text: str) -> list[str]:
    """Tokens of an answer: lower case, punctuation away, then articles away, then split."""
    kept = "".join(character for character in text.lower() if not is_punctuation(character))
    if ARTICLES[language]:
        kept = re.sub(ARTICLES[language], " ", kept)
    return (HAN.sub(r" \1 ", kept) if language == "zh" else kept).split()


def normalisers_of(languages: Sequence[str], count: int) -> list[Callable[[str], list[str]]]:
    """One per question. Raises DataError for too few codes, and for a language that MLQA does not have."""
    if len(languages) != count:
        raise DataError(f"{len(languages)} language codes for {count} questions; MLQA's metrics need one each")
    unknown = sorted(set(languages) - set(ARTICLES))
    if unknown:
        raise DataError(f"language {unknown[0]!r} has no rule in MLQA's script; allowed: {', '.join(ARTICLES)}")
    return [partial(normalise_in, language) for language in languages]


def best_in_language(
    score: Callable, predictions: Sequence[str], gold: Sequence[Sequence[str]], languages: Sequence[str] = ()
) -> np.ndarray:
    """N answers and N sequences of gold answers -> (N, 2) floats (score of the best match, count)."""
    return best_over_gold(score, predictions, gold, languages, normalisers_of(languages, len(gold)))


MLQA_F1 = Metric("mlqa_f1", ("f1", "count"), partial(best_in_language, overlap_f1), reduce_mean)
MLQA_EXACT_MATCH = Metric(
    "mlqa_exact_match", ("correct", "count"), partial(best_in_language, match_exactly), reduce_mean
)
