"""What an oracle and models that see only part of an item score on every task of the lab."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from tests.lab.oracle import Bayes, complete, find, follow, grams, infer, overlap, recall, same_claim
from xt.lab.grammar import realise
from xt.lab.items import Item, tell
from xt.lab.pairs import LABELS
from xt.lab.repository import make_items
from xt.lab.world import World, build_world
from xt.metrics import METRICS


@cache
def read_items(seed: int, dataset: str, config: str, split: str, share: float = 1.0) -> list[Item]:
    """Items of a split, or of a share of its size."""
    return list(make_items(seed, dataset, config, split, share))


@dataclass(frozen=True)
class Probe:
    """A task of one right label, or of one right option, and how to read its rows."""

    dataset: str
    config: str
    evaluation: str
    gold: Callable[[dict], int]
    """Row -> right label or option."""
    oracle: Callable[[World, Any], int]
    """World, meaning -> label or option."""
    context: Callable[[dict], str]
    """Row -> the half that the partial model does not see."""
    half: Callable[[dict], list[str]]
    """Row -> the half that it sees: one text, or an option's each."""
    num_labels: int
    train: str = "train"

    @property
    def chance(self) -> float:
        """Points of a guess."""
        return 100 / self.num_labels

    def read(self, seed: int, split: str, share: float) -> list[Item]:
        """Items of a split."""
        return read_items(seed, self.dataset, self.config, split, share)


def _pair(dataset, config, evaluation, first, second, gold, oracle, num_labels, train="train") -> Probe:
    return Probe(
        dataset, config, evaluation, lambda row: gold(row["label"]), oracle,
        lambda row: row[first], lambda row: [row[second]], num_labels, train,
    )  # fmt: skip


def _inference(dataset, config, evaluation, train="train") -> Probe:
    oracle = lambda world, meaning: LABELS.index(infer(world, *meaning))  # noqa: E731
    return _pair(dataset, config, evaluation, "premise", "hypothesis", int, oracle, 3, train)


def _paraphrase(dataset, config, evaluation, first, second) -> Probe:
    oracle = lambda world, meaning: int(same_claim(world, *meaning))  # noqa: E731
    return _pair(dataset, config, evaluation, first, second, int, oracle, 2)


def _copa(dataset, config, evaluation) -> Probe:
    steps = {"cause": -1, "effect": 1}
    return Probe(
        dataset, config, evaluation, lambda row: row["label"],
        lambda world, meaning: follow(world, [meaning[0]], meaning[1], steps[meaning[2]]),
        lambda row: row["premise"], lambda row: [row["choice1"], row["choice2"]], 2,
    )  # fmt: skip


PROBES: Mapping[str, Probe] = {
    "mnli": _inference("nyu-mll/glue", "mnli", "validation_matched"),
    "anli_plus: snli": _inference("stanfordnlp/snli", "plain_text", "test"),
    "anli_plus: anli": _inference("facebook/anli", "plain_text", "test_r1", "train_r1"),
    "qqp": _paraphrase("nyu-mll/glue", "qqp", "validation", "question1", "question2"),
    "pawsx": _paraphrase("google/xtreme", "PAWS-X.qaa", "test", "sentence1", "sentence2"),
    "squad_v2: answerable": Probe(
        "rajpurkar/squad_v2", "squad_v2", "validation", lambda row: len(row["answers"]["text"]),
        lambda world, meaning: int(find(world, meaning[1].question, meaning[0])[0] >= 0),
        lambda row: row["context"], lambda row: [row["question"]], 2,
    ),
    "hellaswag": Probe(
        "Rowan/hellaswag", "default", "validation", lambda row: int(row["label"]),
        lambda world, meaning: follow(world, meaning[0], meaning[1]),
        lambda row: row["ctx"], lambda row: row["endings"], 4,
    ),
    "cosmosqa": Probe(
        "allenai/cosmos_qa", "default", "validation", lambda row: row["label"],
        lambda world, meaning: complete(world, *meaning[:3]),
        lambda row: row["context"], lambda row: [row[f"answer{place}"] for place in range(4)], 4,
    ),
    "siqa": Probe(
        "lighteval/siqa", "default", "validation", lambda row: int(row["label"]) - 1,
        lambda world, meaning: complete(world, *meaning[:3]),
        lambda row: row["context"], lambda row: [row[f"answer{letter}"] for letter in "ABC"], 3,
    ),
    "commonsenseqa": Probe(
        "tau/commonsense_qa", "default", "validation", lambda row: "ABCDE".index(row["answerKey"]),
        lambda world, meaning: recall(world, *meaning[:2]),
        lambda row: row["question"], lambda row: row["choices"]["text"], 5,
    ),
    "copa": _copa("aps/super_glue", "copa", "test"),
}  # fmt: skip
"""Task -> how to probe it; xnli and xcopa are made as mnli and copa are."""


def balanced_accuracy(predictions, gold) -> float:
    """Mean over the labels of the share of their items that are right, in points."""
    hits: dict = {}
    for prediction, label in zip(predictions, gold, strict=True):
        hits.setdefault(label, []).append(prediction == label)
    return 100 * float(np.mean([np.mean(row) for row in hits.values()]))


def fit(bags_of: Callable[[dict], list[list[str]]], gold: Callable, rows: list[dict]) -> Callable[[dict], int]:
    """A naive Bayes model of what a row's bags are: labelled as a whole, or right and wrong options."""
    bags = [bags_of(row) for row in rows]
    if len(bags[0]) == 1:
        model = Bayes([bag for (bag,) in bags], [gold(row) for row in rows])
        return lambda row: model.predict(bags_of(row)[0])
    right = [int(place == gold(row)) for row, options in zip(rows, bags, strict=True) for place in range(len(options))]
    model = Bayes(list(chain.from_iterable(bags)), right)
    return lambda row: model.choose(bags_of(row))


def measure(name: str, seed: int, train_share: float = 1.0, share: float = 5.0) -> dict:
    """A row of the table: task, chance, and the points of the oracle and of three models that do not understand."""
    probe, world = PROBES[name], build_world(seed)
    train = [item.row for item in probe.read(seed, probe.train, train_share)]
    items = probe.read(seed, probe.evaluation, share)
    rows, gold = [item.row for item in items], [probe.gold(item.row) for item in items]
    told = [probe.oracle(world, item.meaning) for item in items]
    bags = {
        "half": lambda row: [grams(text) for text in probe.half(row)],
        "word overlap": lambda row: [overlap(probe.context(row), text) for text in probe.half(row)],
        "bag of words": lambda row: [
            [f"1 {gram}" for gram in grams(probe.context(row))] + [f"2 {gram}" for gram in grams(text)]
            for text in probe.half(row)
        ],
    }
    models = {kind: fit(bags_of, probe.gold, train) for kind, bags_of in bags.items()}
    scores = {kind: balanced_accuracy(map(model, rows), gold) for kind, model in models.items()}
    stats = METRICS["accuracy"].example_stats(told, gold)
    oracle = float(METRICS["accuracy"].reduce(stats.sum(axis=0)))
    return {"task": name, "chance": round(probe.chance, 1), "oracle": oracle} | {
        k: round(v, 1) for k, v in scores.items()
    }


SPANS = {
    "squad": ("rajpurkar/squad", "plain_text", "validation"),
    "squad_v2": ("rajpurkar/squad_v2", "squad_v2", "validation"),
    "xquad": ("google/xtreme", "XQuAD.qaa", "validation"),
    "mlqa": ("google/xtreme", "MLQA.qaa.qaa", "test"),
    "lareqa": ("google-research-datasets/xquad_r", "qaa", "validation"),
}
"""Questions on passages, in `qaa`."""


def answer(seed: int, item: Item) -> str:
    """What the oracle finds in a passage of `qaa`: '' for nothing."""
    told, asked = item.meaning
    index, slot = find(build_world(seed), asked.question, told)
    passage = tell((realise(said, seed, "qaa") for said in told), "qaa")
    assert passage.text == item.row["context"]
    return passage.answers(index, slot)["text"][0] if index >= 0 else ""


def score_spans(predictions: list[str], items: list[Item]) -> dict[str, float]:
    """Exact match and F1; no answer counts as the empty one."""
    gold = [item.row["answers"]["text"] or [""] for item in items]
    metrics = [METRICS["exact_match"], METRICS["f1"]]
    empty = [(p, g) for p, g in zip(predictions, gold, strict=True) if g == [""]]
    assert all(prediction == "" for prediction, _ in empty)
    full = [(p, g) for p, g in zip(predictions, gold, strict=True) if g != [""]]
    return {m.name: float(m.reduce(m.example_stats(*zip(*full, strict=True)).sum(axis=0))) for m in metrics}


def guess_answers(train: list[Item], items: list[Item]) -> tuple[float, float]:
    """Exact match in points of the most usual answer, and of the likeliest one for the question's words."""
    texts = [item.row["answers"]["text"][0] for item in train]
    usual = {text for text, _ in Counter(texts).most_common(150)}
    kept = [(grams(item.row["question"]), text) for item, text in zip(train, texts, strict=True) if text in usual]
    model = Bayes([bag for bag, _ in kept], [text for _, text in kept])
    gold = [item.row["answers"]["text"][0] for item in items]
    constant = Counter(texts).most_common(1)[0][0]
    guesses = [model.predict(grams(item.row["question"])) for item in items]
    return 100 * gold.count(constant) / len(gold), 100 * float(np.mean(np.array(guesses) == np.array(gold)))


def quality_table(seed: int) -> str:
    """The table of `measure` as Markdown, for `data/README.md`."""
    rows = [measure(name, seed) for name in PROBES]
    lines = [" | ".join(map(str, row.values())) for row in (dict(zip(rows[0], rows[0], strict=True)), *rows)]
    return "\n".join([lines[0], "|".join(["---"] * len(rows[0])), *lines[1:]])


if __name__ == "__main__":
    print(quality_table(101))
