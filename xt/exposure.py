"""What an encoder is, and what its pretraining read of each language, as far as that is known."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from xt.lab.languages import LAB_LANGUAGES, RESOURCES
from xt.languages import LANGUAGES, get_language
from xt.recipes import SEEN_BY_MINI, find_recipe

MIRROR_TEXT: Mapping[str, float] = MappingProxyType({
    "af": 0.48, "ar": 2.94, "bg": 2.52, "bn": 0.23, "de": 4.04, "el": 2.00, "en": 9.16, "es": 3.67, "et": 0.73,
    "eu": 0.95, "fa": 0.98, "fi": 3.15, "fr": 2.92, "he": 2.25, "hi": 0.29, "hu": 1.24, "id": 1.23, "it": 0.79,
    "ja": 2.12, "ka": 1.20, "kk": 0.08, "ko": 1.99, "mr": 0.51, "ms": 0.40, "nl": 2.29, "pl": 0.95, "pt": 0.61,
    "ro": 0.64, "ru": 1.32, "sw": 1.63, "ta": 1.97, "te": 0.20, "tl": 0.11, "tr": 1.84, "uk": 1.39, "ur": 1.54,
    "vi": 2.34, "yo": 1.29, "zh": 4.64,
})  # fmt: skip
"""Megabytes of text per language of the mirror's `local/multilingual-text`, which `mini` and its like read."""
SHAPES: Mapping[str, tuple[int, int]] = MappingProxyType({
    "mini": (256, 4), "bert-base-multilingual-cased": (768, 12), "roberta-base": (768, 12), "roberta-large": (1024, 24),
    "xlm-roberta-base": (768, 12), "xlm-roberta-large": (1024, 24), "xlm-roberta-xl": (2560, 36),
    "xlm-roberta-xxl": (4096, 48),
})  # fmt: skip
"""Encoders not made here, without their owner's name -> width and layers."""
ENGLISH_ONLY: Mapping[str, float] = MappingProxyType({"roberta-base": 160_000.0, "roberta-large": 160_000.0})
"""Encoders that read English alone -> megabytes (Liu et al. 2019)."""
STEPS: Mapping[str, float] = MappingProxyType({"words": 1 / 1000, "MB": 1000.0, "GiB": 1024.0, "": math.nan})
"""Unit of an amount -> how many of the steps that `log_resource` counts are in one."""


def encoder_size(encoder: str) -> float:
    """Parameters besides embeddings: 2 h + layers * (12 h ** 2 + 13 h) at width h; NaN for an encoder not known here.

    That is attention, a feed-forward part four times as wide, their biases and layer norms (Vaswani et al. 2017).
    """
    found = find_recipe(encoder)
    shape = (found[0].hidden_size, found[0].num_layers) if found else SHAPES.get(encoder.split("/")[-1])
    return float(2 * shape[0] + shape[1] * (12 * shape[0] ** 2 + 13 * shape[0])) if shape else math.nan


def load_exposure(encoder: str, codes: Iterable[str]) -> list[dict]:
    """A row per language: `language`, `resource` (text that pretraining read), its `unit`, `log_resource`, `seen`.

    `log_resource` is log2(1 + thousands of words, kB or MiB), so that 0 is no text at all; amounts in different units,
    and encoders of different corpora, are not compared. Where nobody knows what an encoder read, `resource` and
    `log_resource` are NaN, and `seen` is None. Raises ValueError for an unknown code.
    """
    return [_row(code, *_read_of(encoder, get_language(code).code)) for code in codes]


def _row(code: str, amount: float, unit: str) -> dict:
    seen, log_resource = None if math.isnan(amount) else amount > 0, math.log2(1 + STEPS[unit] * amount)
    return {"language": code, "resource": amount, "unit": unit, "log_resource": log_resource, "seen": seen}


def _read_of(encoder: str, code: str) -> tuple[float, str]:
    """(amount, unit) that an encoder read of one language."""
    found, name = find_recipe(encoder), encoder.split("/")[-1]
    if code in LAB_LANGUAGES:
        read = code in found[0].languages if found else math.nan
        return RESOURCES[LAB_LANGUAGES[code].resource] * read, "words"
    if found or name == "mini":
        return MIRROR_TEXT.get(code, 0.0) * (code in (found[0].languages if found else SEEN_BY_MINI)), "MB"
    if name.startswith("xlm-r"):
        return float(LANGUAGES[code].xlmr_pretraining_gib), "GiB"
    return (ENGLISH_ONLY[name] * (code == "en"), "MB") if name in ENGLISH_ONLY else (math.nan, "")
