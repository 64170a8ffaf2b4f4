"""More sentence pairs: snli, anli, qqp, PAWS-X, AmericasNLI, and translations of training rows."""

from tests.fixture_rows.pairs import HIDDEN, LABELS, nli_rows
from tests.fixture_rows.repository import Config, classes, integer, text

CAPTIONS = [("goat", "meadow"), ("mule", "yard"), ("crow", "field"), ("seal", "bay")]
NO_GOLD = ("The goat sleeps in the meadow.", "The goat has a name.", -1)

PAIR = {"premise": text(), "hypothesis": text(), "label": classes(*LABELS)}


def pairs(triples):
    return [{"premise": premise, "hypothesis": other, "label": label} for premise, other, label in triples]


# Annotators who do not agree leave a pair without a label.
SNLI = Config(
    PAIR,
    {
        "train": pairs([*nli_rows(CAPTIONS[:2]), NO_GOLD, *nli_rows(CAPTIONS[2:])]),
        "validation": pairs(nli_rows(CAPTIONS)),
        "test": pairs(nli_rows(CAPTIONS[:2])),
    },
)

STORIES = [
    "The ferry to Sorn leaves at nine and takes two hours",
    "Edda Lorn wrote her first play in Brack, her second in Mondry",
]
GUESSES = ["It is said so.", "Somebody is pleased with it.", "The opposite is true."]


def anli_rows(code, number):
    """Rows of a round: three claims on a longer text."""
    return [
        {"uid": f"{code}-{number}-{place}-{label}", **pair, "reason": "Read closely."}
        for place, story in enumerate(STORIES * 2 if code == "dev" else STORIES)
        for label, pair in enumerate(pairs([(f"{story}, {code} {number} {place}.", GUESSES[k], k) for k in range(3)]))
    ]


ANLI = Config(
    {"uid": text(), **PAIR, "reason": text()},
    {f"{code}_r{number}": anli_rows(code, number) for code in ("train", "dev") for number in (1, 2, 3)},
)

TOPICS = "bread soup tea rope paint glass paper soap".split()
WAYS = ["make {} at home", "store {} in summer", "sell {} by post"]


def qqp_rows(topics, hide=False):
    """Each first question stands twice: before the same question put otherwise, and before another one."""
    rows = []
    for number, topic in enumerate(topics):
        for place, way in enumerate(WAYS):
            asked, other = way.format(topic), WAYS[(place + 1) % 3].format(topics[(number + 1) % len(topics)])
            for label, second in enumerate((f"How do I {other}?", f"What is the best way to {asked}?")):
                row = {"question1": f"How can I {asked}?", "question2": second, "label": HIDDEN if hide else label}
                rows.append(row | {"idx": len(rows)})
    return rows


QQP_COLUMNS = {
    "question1": text(),
    "question2": text(),
    "label": classes("not_duplicate", "duplicate"),
    "idx": integer(),
}
QQP = Config(
    QQP_COLUMNS,
    {"train": qqp_rows(TOPICS), "validation": qqp_rows(["salt", "wool"]), "test": qqp_rows(["ink"], hide=True)},
)
QQP_DE = Config(
    QQP_COLUMNS,
    {
        "train": [
            {"question1": f"Wie mache ich {thing}?", "question2": second, "label": label, "idx": 2 * number + label}
            for number, thing in enumerate(["Brot", "Suppe", "Seife", "Papier"])
            for label, second in enumerate([f"Wo kaufe ich {thing}?", f"Wie stellt man {thing} her?"])
        ]
    },
)

PAWSX_TEXTS = {
    "en": ("{0} met {1} in {2}.", "In {2}, {0} met {1}.", "{1}, whom nobody knew, met {0}, not in {2}."),
    "de": ("{0} traf {1} in {2}.", "In {2} traf {0} {1}.", "{1}, den niemand kannte, traf {0}, nicht in {2}."),
    "zh": ("{0}在{2}遇见了{1}。", "在{2}，{0}遇见了{1}。", "没有人认识的{1}遇见了{0}，不在{2}。"),
}
PAWSX_NAMES = ["Mira", "Otto", "Rosa", "Tom", "Leila", "Ben"]
PAWSX_TOWNS = ["Lentow", "Harvel", "Brack", "Mondry"]


def pawsx_rows(language, start, stop):
    """Two pairs per number: the same said otherwise, '1', and not, '0'."""
    said, again, other = PAWSX_TEXTS[language]
    rows = []
    for number in range(start, stop):
        fill = PAWSX_NAMES[number % 6], PAWSX_NAMES[(number + 1 + number // 6) % 6], PAWSX_TOWNS[number % 4]
        for label, second in (("1", again), ("0", other)):
            rows.append({"sentence1": said.format(*fill), "sentence2": second.format(*fill), "label": label})
    return rows


def pawsx_config(language: str) -> Config:
    """Training rows are machine-translated. In the release some rows have another label in another language."""
    test = pawsx_rows(language, 24, 30)
    if language == "zh":
        test[5]["label"] = "1"
    splits = {"test": test, "validation": pawsx_rows(language, 30, 33)}
    if language != "zh":
        splits["train"] = pawsx_rows(language, 0, 24)
    return Config(dict.fromkeys(("sentence1", "sentence2", "label"), text()), splits)


XNLI_DE_ANIMALS = "Hund Fuchs Esel Hahn Wolf Igel Hase Dachs".split()


def xnli_translated():
    """MNLI's training rows in German, three per premise."""
    for animal in XNLI_DE_ANIMALS:
        premise = f"Der {animal} schläft in der Scheune."
        yield premise, f"Der {animal} ist in der Scheune.", 0
        yield premise, f"Der {animal} wartet auf einen Freund.", 1
        yield premise, f"In der Scheune ist kein {animal}.", 2


XNLI_DE = Config(PAIR, {"train": pairs(xnli_translated())})

# The hub calls Quechua by the code of Ayacucho's, Aymara by three letters.
AMERICAN_ITEMS = {
    "quy": [
        ("Allqu wasipi puñun.", "Allqu wasipi kachkan.", "Allqu yarqachkan.", "Allqu mayupi phawan."),
        ("Rosa qillqata ñawinchan.", "Rosa ñawinchan.", "Qillqa hatun.", "Rosa mana ñawinchanchu."),
    ],
    "aym": [
        ("Anux utan iki.", "Anux utankiwa.", "Anux manqʼatʼatawa.", "Anux janiw utankiti."),
        ("Rosax qillqata uñji.", "Rosax uñjiwa.", "Qillqax jachʼawa.", "Rosax janiw kuns uñjkiti."),
    ],
}


def americas_config(name: str) -> Config:
    """Three hypotheses per premise; the language stands in every row."""
    rows = [(premise, other, label) for premise, *others in AMERICAN_ITEMS[name] for label, other in enumerate(others)]
    rows = [{"language": name, **row} for row in pairs(rows)]
    return Config({"language": text(), **PAIR}, {"validation": rows[:3], "test": rows})
