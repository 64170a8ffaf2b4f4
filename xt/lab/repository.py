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

from xt.errors import DataError
from xt.lab import LAB_VERSION, choices, pairs, questions, sentences
from xt.lab.items import Item, Order
from xt.lab.languages import BEGINNING, LAB_LANGUAGES
from xt.lab.translation import Noise
from xt.locations import folder

CODES = tuple(LAB_LANGUAGES)
TRAIN, EVALUATION = {"train": 6000}, {"validation": 300, "test": 300}
PLACEHOLDERS = {
    "code": "(?P<code>qa[a-z])",
    "other": "(?P<other>qa[a-z])",
    "noise": "(?:-lexical(?P<lexical>[0-9]{1,2}|100))?(?:-order(?P<order>[0-9]{1,2}|100))?",
}


@dataclass(frozen=True)
class Recipe:
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

    def orders(self, seed: int, split: str, match: re.Match, share: float = 1.0) -> list[Order]:
        """What the generator is asked for, language by language."""
        given = match.groupdict()
        codes = [given.get("code") or BEGINNING] if not self.mixed else [BEGINNING] if split == "train" else self.codes
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


def _translated(recipe: Recipe, config: str) -> Recipe:
    return replace(recipe, config=config, sizes={s: n for s, n in recipe.sizes.items() if s.startswith("train")})


MNLI = Recipe("nyu-mll/glue", "mnli", pairs.make_mnli, TRAIN | {"validation_matched": 300}, "mnli")
SQUAD = Recipe("rajpurkar/squad", "plain_text", questions.make_squad, TRAIN | {"validation": 300}, "squad")
ROUNDS = {f"{split}_r{n}": size for n in (1, 2, 3) for split, size in (("train", 1998), ("dev", 300), ("test", 300))}
ENGLISH = (
    MNLI,
    SQUAD,
    Recipe("stanfordnlp/snli", "plain_text", pairs.make_snli, {"train": 2000} | EVALUATION, "snli"),
    Recipe("facebook/anli", "plain_text", pairs.make_anli, ROUNDS, "anli"),
    Recipe("nyu-mll/glue", "qqp", pairs.make_qqp, TRAIN | {"validation": 300}, "qqp"),
    Recipe("rajpurkar/squad_v2", "squad_v2", questions.make_squad_v2, TRAIN | {"validation": 300}, "squad_v2"),
    Recipe("Rowan/hellaswag", "default", choices.make_hellaswag, TRAIN | {"validation": 300}, "hellaswag"),
    Recipe("allenai/cosmos_qa", "default", choices.make_cosmosqa, TRAIN | {"validation": 300}, "cosmosqa"),
    Recipe("tau/commonsense_qa", "default", choices.make_commonsenseqa, TRAIN | {"validation": 300}, "commonsenseqa"),
    Recipe("lighteval/siqa", "default", choices.make_siqa, TRAIN | {"validation": 300}, "siqa"),
    Recipe("aps/super_glue", "copa", choices.make_xcopa, {"train": 400} | EVALUATION, "copa"),
    Recipe("xt/ccg", "default", sentences.make_ccg, TRAIN | EVALUATION, "ccg"),
)
RECIPES = (
    *ENGLISH,
    *(_translated(recipe, recipe.config + ".{code}{noise}") for recipe in ENGLISH),
    replace(_translated(MNLI, "{code}{noise}"), dataset="facebook/xnli"),
    replace(_translated(SQUAD, "mlqa-translate-train.{code}{noise}"), dataset="facebook/mlqa"),
    Recipe("google/xtreme", "XNLI", pairs.make_xnli, EVALUATION, "xnli", mixed=True),
    Recipe("google/xtreme", "PAWS-X.{code}", pairs.make_pawsx, TRAIN | EVALUATION, "pawsx"),
    Recipe("google/xtreme", "udpos.{code}", sentences.make_udpos, TRAIN | EVALUATION, "udpos", parallel=False),
    Recipe("google/xtreme", "PAN-X.{code}", sentences.make_panx, TRAIN | EVALUATION, "panx", parallel=False),
    Recipe("google/xtreme", "XQuAD.{code}", questions.make_xquad, {"validation": 300}, "xquad"),
    Recipe("google/xtreme", "MLQA.{code}.{other}", questions.make_mlqa, EVALUATION, "mlqa"),
    Recipe("google/xtreme", "tydiqa", questions.make_tydiqa, TRAIN | EVALUATION, "tydiqa", parallel=False, mixed=True),
    Recipe("google/xtreme", "tatoeba.{code}", sentences.make_tatoeba, {"validation": 300}, "tatoeba", parallel=False),
    Recipe("cambridgeltl/xcopa", "{code}", choices.make_xcopa, EVALUATION, "xcopa"),
    Recipe("google-research-datasets/xquad_r", "{code}", questions.make_lareqa, {"validation": 300}, "xquad"),
    Recipe("mteb/BUCC", "{code}-en", sentences.make_bucc2018, EVALUATION, "bucc2018", parallel=False),
    Recipe("izhx/mewsli-x", "wikipedia_pairs", sentences.make_mewslix, TRAIN, "mewslix", parallel=False),
    Recipe("izhx/mewsli-x", "wikinews_mentions.{code}", sentences.make_mewslix, EVALUATION, "mewslix", parallel=False),
    Recipe("izhx/mewsli-x", "candidate_entities", sentences.make_candidates, {"test": 1}, "candidates", mixed=True),
    Recipe(
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


def find_recipe(dataset: str, config: str, split: str) -> tuple[Recipe, re.Match]:
    """The recipe of a split and the match of its config. Raises DataError naming what there is instead."""
    of_dataset = [recipe for recipe in RECIPES if recipe.dataset == dataset]
    if not of_dataset:
        raise DataError(
            f"the lab has no dataset {dataset!r}; there is: {', '.join(sorted({r.dataset for r in RECIPES}))}"
        )
    for recipe in of_dataset:
        match = _pattern(recipe.config).fullmatch(config)
        if match and all(value in recipe.codes for key, value in match.groupdict().items() if key in ("code", "other")):
            if split not in recipe.sizes:
                raise DataError(
                    f"the lab's {dataset} {config} has no split {split!r}; there is: {', '.join(recipe.sizes)}"
                )
            return recipe, match
    there = ", ".join(recipe.config for recipe in of_dataset)
    raise DataError(f"the lab's {dataset} has no config {config!r}; there is: {there}, with the code of a language")


def make_items(seed: int, dataset: str, config: str, split: str, share: float = 1.0) -> Iterator[Item]:
    """The items of a split, or of a share of its size. Raises DataError where there is no such split."""
    recipe, match = find_recipe(dataset, config, split)
    for order in recipe.orders(seed, split, match, share):
        yield from recipe.make(order)


def write_split(seed: int, dataset: str, config: str, split: str) -> Path:
    """The folder root of a world, in which the split's file lies; generated under a lock unless it is there.

    Raises DataError where there is no such split.
    """
    import pyarrow
    import pyarrow.parquet
    from filelock import FileLock

    find_recipe(dataset, config, split)
    root = folder("XT_CACHE") / "lab" / f"v{LAB_VERSION}-w{seed}"
    file = root / dataset / config / f"{split}.parquet"
    if file.is_file():
        return root
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{dataset.replace('/', '+')}.lock"):
        if not file.is_file():
            rows = [item.row for item in make_items(seed, dataset, config, split)]
            draft = file.with_suffix(f".{os.getpid()}")
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), draft)
            _write_card(root / dataset, dataset)
            os.replace(draft, file)
    return root


def _write_card(place: Path, dataset: str) -> None:
    """The dataset's card: a config for each folder, with the splits of its recipe."""
    lines = ["---", "configs:"]
    for config in sorted(path.name for path in place.iterdir() if path.is_dir()):
        recipe = next(r for r in RECIPES if r.dataset == dataset and _pattern(r.config).fullmatch(config))
        files = [f"  - split: {split}\n    path: {config}/{split}.parquet" for split in recipe.sizes]
        lines += [f"- config_name: {config}", "  data_files:", *files]
    draft = place / f"README.{os.getpid()}"
    draft.write_text("\n".join([*lines, "---", f"Generated by xt.lab, version {LAB_VERSION}.", ""]), encoding="utf-8")
    os.replace(draft, place / "README.md")


@lru_cache
def _pattern(config: str) -> re.Pattern:
    """A config with placeholders as a regular expression."""
    parts = re.split(r"\{(\w+)\}", config)
    return re.compile("".join(PLACEHOLDERS[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)))
