"""The subwords of a study's encoders, counted on the texts that the study is evaluated on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from xt import store
from xt.errors import DataError
from xt.lab.languages import UNSPACED
from xt.languages import get_language
from xt.locations import resolve_encoder
from xt.parameters import pretraining_of
from xt.schema import check_table
from xt.study import Study
from xt.subwords import FILE, SUBWORD_SCHEMA, count_subwords, read_subwords, spelled_with_letters
from xt.tasks import home_language, read_evaluation
from xt.tasks.examples import Classification, MultipleChoice, Query, SentencePair, SpanQA, Tagging

MAX_EXAMPLES = 200
"""Examples per target and language that are counted."""
WORD_TASKS = ("udpos",)
"""Targets whose examples are words in every script: PAN-X in Chinese, Japanese and Thai is parted into characters."""
TEXTS: Mapping[type, Callable[..., tuple[str, ...]]] = {
    Classification: lambda example: (example.premise, example.hypothesis),
    MultipleChoice: lambda example: (example.prompt, *example.choices),
    SpanQA: lambda example: (example.question, example.context),
    SentencePair: lambda example: (example.source,),
    Query: lambda example: (example.text,),
}
"""Type of example -> its texts in its language; those of Tagging are its words."""


def has_subwords(study: Study, place: Path) -> bool:
    """Whether a study's folder holds counts of all its encoders."""
    counted = set(read_subwords(place / FILE)["encoder"]) if (place / FILE).is_file() else set()
    return {encoder for part in study.parts if part.targets for encoder in part.encoders} <= counted


def write_subwords(study: Study, place: Path) -> Path:
    """Counts the subwords of a study's encoders in every target and language, and writes the table.

    Encoders with the same tokenizer are one row. DataError or ValueError where texts or tokenizers are not there.
    """
    texts, frames = read_study(study), []
    for encoders, tokenizer in group_encoders(study):
        known = known_subwords(tokenizer, texts, home_language(study.root))
        for (target, language), (written, words) in texts.items():
            where = {"encoders": " ".join(encoders), "target": target, "eval_language": language}
            frames.append(where | count_subwords(tokenizer, written, words, known))
    table = check_table(pd.DataFrame(frames), SUBWORD_SCHEMA, FILE)
    store.write_text(place / FILE, table.to_csv(index=False, float_format="%.4f", lineterminator="\n"))
    return place / FILE


def read_study(study: Study) -> dict[tuple[str, str], tuple[list[str], list | None]]:
    """(target, language) -> (distinct texts, their words where blanks do not part them: see `count_subwords`).

    A target without data in the study's root is left out: the study's plan names it.
    """
    texts = {}
    for target in dict.fromkeys(target for part in study.parts for target in part.targets):
        try:
            config = study.score_config(study.encoders[0], study.intermediates[0], target, study.seeds[0])
        except DataError:
            continue
        for code in config.languages:
            data = read_evaluation(target, study.root, code, split=config.split_of(code), max_examples=MAX_EXAMPLES)
            texts[target, code] = texts_of(target, code, data.examples)
    return texts


def texts_of(target: str, code: str, examples: Sequence) -> tuple[list[str], list | None]:
    """(distinct texts of these examples, in order; None, or their words in a script that writes words together)."""
    spaced = get_language(code).script not in UNSPACED
    tagged = [example.tokens for example in examples if isinstance(example, Tagging)]
    parts = [TEXTS[type(example)](example) for example in examples if not isinstance(example, Tagging)]
    written = [text for part in parts for text in part] + [(" " if spaced else "").join(words) for words in tagged]
    return list(dict.fromkeys(filter(str.strip, written))), None if spaced else tagged * (target in WORD_TASKS)


def known_subwords(tokenizer, texts: Mapping, train_language: str) -> set[int]:
    """The subwords with a letter of all texts in the training language; none where there are no such texts."""
    written = [text for (_, code), (part, _) in texts.items() if code == train_language for text in part]
    encoded = tokenizer.encode_batch(written, add_special_tokens=False)
    return set(spelled_with_letters(tokenizer, [token for part in encoded for token in part.ids]))


def group_encoders(study: Study) -> Iterable[tuple[list[str], object]]:
    """(encoders that share a tokenizer, that tokenizer), in the study's order."""
    found: dict[str, tuple[list[str], object]] = {}
    for encoder in dict.fromkeys(encoder for part in study.parts for encoder in part.encoders):
        tokenizer = open_tokenizer(encoder, study.root)
        found.setdefault(tokenizer.to_str(), ([], tokenizer))[0].append(encoder)
    return found.values()


def open_tokenizer(encoder: str, root: str):
    """The `tokenizers.Tokenizer` of an encoder: of its folder, its run's, made by its recipe, or of the hub."""
    from tokenizers import Tokenizer

    made = pretraining_of(encoder, root)
    place = Path(resolve_encoder(encoder)) if made is None else store.run_folder(made.run_id) / store.WEIGHTS
    if (place / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(place / "tokenizer.json"))
    from xt.model import load_tokenizer
    from xt.pretrain import build_if_ours, make_tokenizer

    try:
        return (make_tokenizer(made) if made else load_tokenizer(build_if_ours(encoder))).backend_tokenizer
    except OSError as error:
        raise DataError(f"encoder {encoder!r}: no tokenizer in {place} or on the hub ({error})") from error
