"""How encoders are pretrained here: one row per encoder. Imports nothing heavy.

An encoder is spelled by its recipe, and by the seed of its pretraining where that is not 0: `lab-base`, `lab-base-s1`.
Budgets are in tokens. The encoders of one root share a tokenizer where their rows name the same languages and size.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from xt.knobs import Knobs
from xt.lab.languages import LAB_LANGUAGES, QUICK_LANGUAGES

SPELLING = re.compile(r"(.+?)(?:-s(\d+))?")


@dataclass(frozen=True)
class Recipe:
    """Shape, text and budget of one masked language model."""

    hidden_size: int
    num_layers: int
    num_heads: int
    num_tokens: int  # real tokens read in all
    knobs: Knobs  # of its training: batch_size counts documents
    languages: tuple[str, ...]  # pretrained on; empty = those of the files `<language>.txt` in a folder root
    tokenizer_languages: tuple[str, ...]  # the vocabulary is made from; empty = the same
    vocab_size: int  # pieces, special ones included; fewer where the text does not hold as many, more than a taken
    # tokenizer has are rows that are never read
    sampling_exponent: float = 0.5  # languages are read in proportion to (tokens there are) ** exponent
    mask_ratio: float = 0.15  # share of tokens to predict
    tokenizer: str = ""  # encoder whose tokenizer is taken; empty = one made from the text, as said above
    note: str = ""


MLM = Knobs(
    learning_rate=1e-3, batch_size=32, max_seq_length=96, warmup_ratio=0.06, weight_decay=0.01, dropout=0.0,
    tokens_per_batch=6144, num_selection_examples=512, selection_steps=10**9, attention="eager",
)  # fmt: skip

ALL = tuple(code for code, row in LAB_LANGUAGES.items() if row.resource != "unseen")
SEEN_BY_MINI = tuple("en de es fr nl it pt ru bg pl el fi et hu tr eu ar he zh ja ko id vi sw".split())
OF_MINI = Recipe(
    256, 4, 4, 8_000_000, MLM, SEEN_BY_MINI, (), 16_000, sampling_exponent=0.6, tokenizer="mini",
    note="the shape, languages and tokenizer of mini, on less than a quarter of its tokens",
)  # fmt: skip
SHAPE_ONLY = Recipe(
    768, 12, 12, 2_000, replace(MLM, batch_size=4, max_seq_length=510, num_selection_examples=4), ("en",), (), 119_547,
    tokenizer="mini", note="the shape of multilingual BERT, built as XLM-R is; weights hardly trained: for costs only",
)  # fmt: skip
QUICK = tuple(code for code in QUICK_LANGUAGES if code in ALL)
BASE = Recipe(144, 4, 4, 6_000_000, MLM, ALL, ALL, 8000, note="1.0 million parameters besides embeddings")

RECIPES: Mapping[str, Recipe] = {
    "lab-tiny": Recipe(
        32, 2, 2, 60_000, replace(MLM, batch_size=16, num_selection_examples=64),
        QUICK[:3], QUICK[:3], 800, note="seconds: it shows that every part works",
    ),
    "lab-small": replace(BASE, hidden_size=80, note="0.3 million parameters besides embeddings"),
    "lab-base": BASE,
    "lab-large": replace(BASE, hidden_size=256, note="3.2 million parameters besides embeddings"),
    "lab-english": replace(BASE, languages=("qaa",), note="one language, as many tokens in all as lab-base"),
    "lab-english-part": replace(
        BASE, languages=("qaa",), num_tokens=447_000, note="as many tokens of qaa as lab-base reads, in world 100"
    ),
    "text-base": replace(BASE, languages=(), tokenizer_languages=(), note="as lab-base, on a folder of plain text"),
    "mini-multi": OF_MINI,
    "mini-small": replace(OF_MINI, hidden_size=128, note="as mini-multi, half as wide"),
    "mini-english": replace(OF_MINI, languages=("en",), note="one language, as many tokens in all as mini-multi"),
    "mbert-shape": SHAPE_ONLY,
    "xlmr-base-shape": replace(SHAPE_ONLY, vocab_size=250_002, note="the shape of XLM-R base; weights hardly trained"),
    "lab-quick": replace(
        BASE, hidden_size=128, num_layers=3, num_tokens=2_500_000, knobs=replace(MLM, batch_size=16),
        languages=QUICK, tokenizer_languages=QUICK, vocab_size=4000,
        note="0.6 million parameters, the languages of the study `quick`",
    ),
}  # fmt: skip


def find_recipe(encoder: str) -> tuple[Recipe, int] | None:
    """(recipe, seed of the pretraining) that an encoder's name spells; None for an encoder that is not made here."""
    match = SPELLING.fullmatch(encoder) if isinstance(encoder, str) else None
    return (RECIPES[match[1]], int(match[2] or 0)) if match and match[1] in RECIPES else None
