"""What an encoder's subwords make of each language: fertility, unknown subwords, overlap with the training language.

    data/results/<study>/subwords.csv    measured by `xt.vocabularies` on the texts that the study is evaluated on

Fertility is the mean number of subwords per word (Rust et al. 2021, section 3). A word is what stands between blanks;
in a script that writes words together, what a treebank (UDPOS) calls one, and without a treebank fertility is missing.
Subwords per character can be counted everywhere, and compares languages of one script only.

Overlap is the share of the subwords of a text that also occur in texts of the training language, counted as often as
they occur; subwords without a letter are left out, as digits and punctuation are shared by nearly all languages, and
what is unknown counts as not shared. Pires et al. 2019, section 3.1, count types of subwords instead, which grows with
the size of the texts.
"""

from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import pandas as pd

from xt.errors import DataError
from xt.results import find_study
from xt.schema import Column, check_table, refuse_duplicates
from xt.tasks import TASKS

FILE = "subwords.csv"
COUNT, SHARE = Column("Int64", low=0), Column("Float64", low=0, high=1)
SUBWORD_SCHEMA: Mapping[str, Column] = {
    "encoders": Column("string"),
    "target": Column("string", allowed=tuple(TASKS)),
    "eval_language": Column("string"),
    "num_texts": COUNT,
    "num_words": Column("Int64", required=False, low=1),
    "num_characters": COUNT,
    "num_subwords": COUNT,
    "fertility": Column("Float64", required=False, low=0),
    "per_character": Column("Float64", low=0),
    "unknown": SHARE,
    "overlap": Column("Float64", required=False, low=0, high=1),
}
"""Columns of the table. `encoders`: those that share a tokenizer, parted by blanks; `num_characters` without blanks;
`unknown`, `overlap`: shares of the subwords; missing where a language has no words or letters to count."""


def count_subwords(tokenizer, texts: Sequence[str], words: Sequence[Sequence[str]] | None, known: Set[int]) -> dict:
    """What a tokenizer (`tokenizers.Tokenizer`) makes of texts: the numbers of SUBWORD_SCHEMA.

    `words` are the texts' words where blanks do not part them (None: they do; empty: not known); `known` the subwords
    of the training language, empty where there are no texts in it.
    """
    encoded = [part.ids for part in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    ids = [token for part in encoded for token in part]
    num_words, num_pieces = sum(len(text.split()) for text in texts), len(ids)
    if words is not None:
        parted = tokenizer.encode_batch([list(part) for part in words], is_pretokenized=True, add_special_tokens=False)
        num_words, num_pieces = sum(map(len, words)), sum(len(part.ids) for part in parted)
    lettered, unknown = spelled_with_letters(tokenizer, ids), ids.count(unknown_token(tokenizer))
    compared = len(lettered) + unknown if known else 0
    return {
        "num_texts": len(texts),
        "num_words": num_words or None,
        "num_characters": (length := sum(len("".join(text.split())) for text in texts)),
        "num_subwords": len(ids),
        "fertility": num_pieces / num_words if num_words else None,
        "per_character": len(ids) / length,
        "unknown": unknown / len(ids),
        "overlap": sum(token in known for token in lettered) / compared if compared else None,
    }


def spelled_with_letters(tokenizer, ids: Sequence[int]) -> list[int]:
    """The subwords that hold a letter, as often as they occur; one that is not known holds none."""
    there = {token for token in set(ids) if any(sign.isalpha() for sign in tokenizer.id_to_token(token))}
    there.discard(unknown_token(tokenizer))
    return [token for token in ids if token in there]


def unknown_token(tokenizer) -> int | None:
    """The subword that stands for what cannot be spelled; None where a vocabulary spells everything."""
    import json

    model = json.loads(tokenizer.to_str())["model"]
    return model["unk_id"] if "unk_id" in model else tokenizer.token_to_id(model.get("unk_token") or "")


def read_subwords(path: Path) -> pd.DataFrame:
    """The checked table of a file, one row per encoder, target and language: `encoder` stands for `encoders`."""
    table = check_table(pd.read_csv(path, dtype=str, keep_default_na=False), SUBWORD_SCHEMA, path)
    table = table.assign(encoder=table["encoders"].str.split(" ")).explode("encoder").drop(columns="encoders")
    refuse_duplicates(table, ["encoder", "target", "eval_language"], path)
    return table.reset_index(drop=True)


def load_subwords(study: str, results: Path | str | None = None) -> pd.DataFrame:
    """The counts of a study (`read_subwords`). DataError naming the file looked for and the command that makes it."""
    path = find_study(study, results) / FILE
    if not path.is_file():
        raise DataError(f"no subword counts of study {study!r}: no file {path}; `xt run {study}` writes it")
    return read_subwords(path)


def find_subwords(study: str, results: Path | str | None = None) -> pd.DataFrame | None:
    """The counts of a study; None where they, or its results, are not there."""
    try:
        return load_subwords(study, results)
    except DataError:
        return None
