"""Which generator makes which split, and the files, laid out as on the hub and made when they are first asked for.

A translation of the training data of `qaa` is the config with the language's code behind a dot, as in `default.qab`
(on the hub's own example: `facebook/xnli`, config `qab`; `facebook/mlqa`, config `mlqa-translate-train.qab`). Behind
it may stand what went wrong, in percent of the words and of the sentences: `default.qab-lexical10-order25`.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from xt.disk import is_sound, seal_file
from xt.errors import DataError
from xt.lab import LAB_VERSION, choices, pairs, questions, sentences
from xt.lab.items import Item, Order
from xt.lab.languages import BEGINNING, LAB_LANGUAGES
from xt.lab.translation import Noise
from xt.locations import folder
from xt.locks import open_lock

CODES = tuple(LAB_LANGUAGES)
TRAIN, EVALUATION = {"train": 6000}, {"validation": 300, "test": 300}
PLACEHOLDERS = {
    "code": "(?P<code>qa[a-z])",
    "other": "(?P<other>qa[a-z])",
    "noise": "(?:-lexical(?P<lexical>[0-9]{1,2}|100))?(?:-order(?P<order>[0-9]{1,2}|100))?",
}


@dataclass(frozen=True)
class Maker:
    """How the splits of one config are made."""

    dataset: str
    """Hub dataset id."""
    config: str
    """Config; `{code}` and `{other}` stand for languages, `{noise}` for what a translation got wrong."""
    make: Callable[[Order], Iterator[Item]]
    """What makes the items of a language."""
    sizes: Mapping[str, int]
    """Split -> its number of examples per language (for text: of words in a language with much of it)."""
    draws: str
    """Name of the draws: recipes with the same name say the same things."""
    parallel: bool = True
    """Whether the items are the same in all languages."""
    mixed: bool = False
    """Whether the config holds all languages (its training split: `qaa`)."""
    codes: tuple[str, ...] = CODES
    """The languages there are."""

    def codes_of(self, split: str) -> tuple[str, ...]:
        """The languages in a split of a config that holds several."""
        return (BEGINNING,) if split == "train" else self.codes

    def orders(self, seed: int, split: str, match: re.Match, share: float = 1.0) -> list[Order]:
        """What the generator is asked for, language by language."""
        given = match.groupdict()
        codes = self.codes_of(split) if self.mixed else [given.get("code") or BEGINNING]
        noise = Noise(int(given.get("lexical") or 0), int(given.get("order") or 0))
        return [
            Order(
                seed=seed,
                code=code,
                other=given.get("other") or code,
                name=f"{self.draws}/{split}" + (f"/{code}" if not self.parallel else ""),
                combos="text" if self.draws == "text" else "train" if split.startswith("train") else "test",
                size=max(1, round(self.sizes[split] * share)),
                noise=noise,
            )
            for code in codes
        ]


def _translated(maker: Maker, config: str) -> Maker:
    return replace(maker, config=config, sizes={s: n for s, n in maker.sizes.items() if s.startswith("train")})


MNLI = Maker("nyu-mll/glue", "mnli", pairs.make_mnli, TRAIN | {"validation_matched": 300}, "mnli")
SQUAD = Maker("rajpurkar/squad", "plain_text", questions.make_squad, TRAIN | {"validation": 300}, "squad")
ROUNDS = {f"{split}_r{n}": size for n in (1, 2, 3) for split, size in (("train", 1998), ("dev", 300), ("test", 300))}
ENGLISH = (
    MNLI,
    SQUAD,
    Maker("stanfordnlp/snli", "plain_text", pairs.make_snli, {"train": 2000} | EVALUATION, "snli"),
    Maker("facebook/anli", "plain_text", pairs.make_anli, ROUNDS, "anli"),
    Maker("nyu-mll/glue", "qqp", pairs.make_qqp, TRAIN | {"validation": 300}, "qqp"),
    Maker("rajpurkar/squad_v2", "squad_v2", questions.make_squad_v2, TRAIN | {"validation": 300}, "squad_v2"),
    Maker("Rowan/hellaswag", "default", choices.make_hellaswag, TRAIN | {"validation": 300}, "hellaswag"),
    Maker("allenai/cosmos_qa", "default", choices.make_cosmosqa, TRAIN | {"validation": 300}, "cosmosqa"),
    Maker("tau/commonsense_qa", "default", choices.make_commonsenseqa, TRAIN | {"validation": 300}, "commonsenseqa"),
    Maker("lighteval/siqa", "default", choices.make_siqa, TRAIN | {"validation": 300}, "siqa"),
    Maker("aps/super_glue", "copa", choices.make_xcopa, {"train": 400} | EVALUATION, "xcopa"),
    Maker("xt/ccg", "default", sentences.make_ccg, TRAIN | EVALUATION, "ccg"),
)
MAKERS = (
    *ENGLISH,
    *(_translated(maker, maker.config + ".{code}{noise}") for maker in ENGLISH),
    replace(_translated(MNLI, "{code}{noise}"), dataset="facebook/xnli"),
    replace(_translated(SQUAD, "mlqa-translate-train.{code}{noise}"), dataset="facebook/mlqa"),
    Maker("google/xtreme", "XNLI", pairs.make_xnli, EVALUATION, "xnli", mixed=True),
    Maker("google/xtreme", "PAWS-X.{code}", pairs.make_pawsx, TRAIN | EVALUATION, "pawsx"),
    Maker("google/xtreme", "udpos.{code}", sentences.make_udpos, TRAIN | EVALUATION, "udpos", parallel=False),
    Maker("google/xtreme", "PAN-X.{code}", sentences.make_panx, TRAIN | EVALUATION, "panx", parallel=False),
    Maker("google/xtreme", "XQuAD.{code}", questions.make_xquad, {"validation": 300}, "xquad"),
    Maker("google/xtreme", "MLQA.{code}.{other}", questions.make_mlqa, EVALUATION, "mlqa"),
    Maker("google/xtreme", "tydiqa", questions.make_tydiqa, TRAIN | EVALUATION, "tydiqa", parallel=False, mixed=True),
    Maker("google/xtreme", "tatoeba.{code}", sentences.make_tatoeba, {"validation": 300}, "tatoeba", parallel=False),
    Maker("cambridgeltl/xcopa", "{code}", choices.make_xcopa, EVALUATION, "xcopa"),
    Maker("google-research-datasets/xquad_r", "{code}", questions.make_lareqa, {"validation": 300}, "xquad"),
    Maker("mteb/BUCC", "{code}-en", sentences.make_bucc2018, EVALUATION, "bucc2018", parallel=False),
    Maker("izhx/mewsli-x", "wikipedia_pairs", sentences.make_mewslix, TRAIN, "mewslix", parallel=False),
    Maker("izhx/mewsli-x", "wikinews_mentions.{code}", sentences.make_mewslix, EVALUATION, "mewslix", parallel=False),
    Maker("izhx/mewsli-x", "candidate_entities", sentences.make_candidates, {"test": 1}, "candidates", mixed=True),
    Maker(
        "xt/text",
        "{code}",
        sentences.make_text,
        {"train": 400_000},
        "text",
        parallel=False,
        codes=tuple(code for code, row in LAB_LANGUAGES.items() if row.resource != "unseen"),
    ),
)
"""Everything that the lab makes."""


def find_maker(dataset: str, config: str, split: str) -> tuple[Maker, re.Match]:
    """The maker of a split and the match of its config. Raises DataError naming what there is instead."""
    of_dataset = [maker for maker in MAKERS if maker.dataset == dataset]
    if not of_dataset:
        raise DataError(
            f"the lab has no dataset {dataset!r}; there is: {', '.join(sorted({r.dataset for r in MAKERS}))}"
        )
    for maker in of_dataset:
        match = _pattern(maker.config).fullmatch(config)
        if match and all(value in maker.codes for key, value in match.groupdict().items() if key in ("code", "other")):
            if split not in maker.sizes:
                raise DataError(
                    f"the lab's {dataset} {config} has no split {split!r}; there is: {', '.join(maker.sizes)}"
                )
            return maker, match
    there = ", ".join(maker.config for maker in of_dataset)
    raise DataError(f"the lab's {dataset} has no config {config!r}; there is: {there}, with the code of a language")


def make_items(seed: int, dataset: str, config: str, split: str, share: float = 1.0) -> Iterator[Item]:
    """The items of a split, or of a share of its size. Raises DataError where there is no such split."""
    maker, match = find_maker(dataset, config, split)
    for order in maker.orders(seed, split, match, share):
        yield from maker.make(order)


def write_split(seed: int, dataset: str, config: str, split: str) -> Path:
    """The folder root of a world, in which the split's file lies; generated under a lock unless it is there.

    Raises DataError where there is no such split.
    """
    import pyarrow
    import pyarrow.parquet

    find_maker(dataset, config, split)
    root = folder("XT_CACHE") / "lab" / f"v{LAB_VERSION}-w{seed}"
    file = root / dataset / config / f"{split}.parquet"
    if is_sound(file):
        return root
    file.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(root / f"{dataset.replace('/', '+')}.lock"):
        if not is_sound(file):
            rows = [item.row for item in make_items(seed, dataset, config, split)]
            draft = file.with_suffix(f".{os.getpid()}")
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), draft)
            _write_card(root / dataset, dataset)
            seal_file(file, draft)
    return root


def _write_card(place: Path, dataset: str) -> None:
    """The dataset's card: a config for each folder, with the splits of its maker."""
    lines = ["---", "configs:"]
    for config in sorted(path.name for path in place.iterdir() if path.is_dir()):
        maker = next(r for r in MAKERS if r.dataset == dataset and _pattern(r.config).fullmatch(config))
        files = [f"  - split: {split}\n    path: {config}/{split}.parquet" for split in maker.sizes]
        lines += [f"- config_name: {config}", "  data_files:", *files]
    draft = place / f"README.{os.getpid()}"
    draft.write_text("\n".join([*lines, "---", f"Generated by xt.lab, version {LAB_VERSION}.", ""]), encoding="utf-8")
    os.replace(draft, place / "README.md")


@lru_cache
def _pattern(config: str) -> re.Pattern:
    """A config with placeholders as a regular expression."""
    parts = re.split(r"\{(\w+)\}", config)
    return re.compile("".join(PLACEHOLDERS[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)))
