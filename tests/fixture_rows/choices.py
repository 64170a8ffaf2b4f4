"""More choices: cosmosqa, commonsenseqa, siqa, copa and xcopa."""

import pyarrow as pa

from tests.fixture_rows.pairs import HIDDEN
from tests.fixture_rows.repository import Config, Kind, classes, integer, listed, struct, text

# what happens, why, what for, what comes of it
EVENTS = [
    ("left the umbrella at home", "it was sunny in the morning", "to carry less", "got wet on the way back"),
    ("planted beans by the wall", "the wall keeps warm", "to have beans in June", "watered them each day"),
    ("sold the old piano", "nobody played it", "to make room", "bought a long table"),
    ("walked to the lighthouse", "the bus did not come", "to see the ships", "came home tired"),
    ("learned to swim", "the lake is near", "to cross the bay", "joined a club"),
    ("painted the gate blue", "the old paint was gone", "to please a friend", "washed the brush"),
    ("closed the shop early", "there were no guests", "to go to the fair", "counted the money"),
    ("baked two cakes", "there were many apples", "to give one away", "cleaned the oven"),
]
WHO = ["Mira", "Jonas", "Edda"]


def told(events, people):
    """(context, number of the event, question, right answer, wrong answers of other events)."""
    for number, event in enumerate(events):
        for who in people:
            context = f"{who} {event[0]}."
            for kind, question in ((1, f"Why was that, {who}?"), (3, f"What did {who} do then?")):
                wrong = [events[(number + step) % len(events)][kind] for step in (1, 2, 3)]
                yield context, question, event[kind], wrong


def placed(right, wrong, label):
    """The choices with the right one at the label."""
    return [*wrong[:label], right, *wrong[label:]]


def cosmosqa_rows(events, people, hide=False):
    rows = []
    for number, (context, question, right, wrong) in enumerate(told(events, people)):
        label = number % 4
        choices = {f"answer{place}": choice for place, choice in enumerate(placed(right, wrong, label))}
        row = {"id": f"{people[0]}##{number}", "context": context, "question": question, **choices}
        rows.append(row | {"label": HIDDEN if hide else label})
    return rows


COSMOSQA = Config(
    {name: text() for name in "id context question answer0 answer1 answer2 answer3".split()} | {"label": integer()},
    {
        "train": cosmosqa_rows(EVENTS, WHO),
        "validation": cosmosqa_rows(EVENTS[:6], ["Peter"]),
        "test": cosmosqa_rows(EVENTS[:4], ["Nora"], hide=True),
    },
)


def siqa_rows(events, people):
    return [
        {
            "context": context,
            "question": question,
            **dict(zip(("answerA", "answerB", "answerC"), placed(right, wrong[:2], number % 3), strict=True)),
            "label": str(number % 3 + 1),
        }
        for number, (context, question, right, wrong) in enumerate(told(events, people))
    ]


SIQA = Config(
    dict.fromkeys(("context", "question", "answerA", "answerB", "answerC", "label"), text()),
    {"train": siqa_rows(EVENTS, WHO), "validation": siqa_rows(EVENTS[:6], ["Peter"])},
)

PLACES = [
    ("boat", "harbour"),
    ("book", "shelf"),
    ("cow", "meadow"),
    ("coin", "purse"),
    ("bell", "tower"),
    ("bee", "hive"),
]
ASKED = [
    "Where would you look for a {}?",
    "A {} is lost: where may it be?",
    "Where is a {} kept?",
    "Where does a {} belong?",
    "Where do you find more than one {}?",
    "Where was the first {} seen?",
    "Where will the last {} be?",
    "In which place is a {} at home?",
]


def commonsenseqa_rows(questions, code, hide=False):
    rows = []
    for asked in questions:
        for number, (thing, place) in enumerate(PLACES):
            label = (number + len(rows) // 6) % 5
            wrong = [PLACES[(number + step) % 6][1] for step in (1, 2, 3, 4)]
            rows.append({
                "id": f"{code}{len(rows):04x}",
                "question": asked.format(thing),
                "question_concept": thing,
                "choices": {"label": list("ABCDE"), "text": placed(place, wrong, label)},
                "answerKey": "" if hide else "ABCDE"[label],
            })  # fmt: skip
    return rows


COMMONSENSEQA = Config(
    {
        "id": text(),
        "question": text(),
        "question_concept": text(),
        "choices": struct(label=listed(text()), text=listed(text())),
        "answerKey": text(),
    },
    {
        "train": commonsenseqa_rows(ASKED, "a"),
        "validation": commonsenseqa_rows(["Where is the nearest {}?", "Where can a {} stay?"], "b"),
        "test": commonsenseqa_rows(["Where is no {}?"], "c", hide=True),
    },
)


def copa_rows(items, hide=False):
    """(premise, first choice, second choice, question, label) -> rows; `idx` counts them."""
    names = ("premise", "choice1", "choice2", "question")
    rows = [dict(zip(names, item, strict=False)) | {"idx": idx, "label": item[4]} for idx, item in enumerate(items)]
    return [row | {"label": HIDDEN} if hide else row for row in rows]


def copa_templated():
    for number, (event, why, _, then) in enumerate(EVENTS):
        other = EVENTS[(number + 1) % 8]
        for place, who in enumerate(WHO):
            for question, right, wrong in (("cause", why, other[1]), ("effect", f"{who} {then}", f"{who} {other[3]}")):
                choices = [right, wrong] if place % 2 else [wrong, right]
                yield f"{who} {event}.", f"{choices[0]}.", f"{choices[1]}.", question, choices.index(right)


COPA_ITEMS = {
    "validation": [
        ("The lamp went out.", "The oil was used up.", "The window was open.", "cause", 0),
        ("The baker slept late.", "The bread was ready at dawn.", "The shop opened at noon.", "effect", 1),
        ("Snow fell all night.", "The road was white.", "The road was dry.", "effect", 0),
        ("The dog barked.", "The dog was asleep.", "Somebody knocked.", "cause", 1),
    ],
    "test": [
        ("The boat sank.", "It had a hole.", "It had a sail.", "cause", 0),
        ("I lost my key.", "I stood before the door.", "I bought a lamp.", "effect", 0),
        ("The soup was cold.", "The cook was quick.", "The fire was out.", "cause", 1),
        ("The bridge broke.", "The cars crossed it.", "The cars turned round.", "effect", 1),
        ("The girl laughed.", "She heard a joke.", "She heard the bell.", "cause", 0),
        ("It rained for a week.", "The river fell.", "The river rose.", "effect", 1),
    ],
}
COPA_COLUMNS = {"premise": text(), "choice1": text(), "choice2": text(), "question": text(), "idx": integer()}
COPA = Config(
    COPA_COLUMNS | {"label": classes("choice1", "choice2")},
    {
        "train": copa_rows(copa_templated()),
        "validation": copa_rows(COPA_ITEMS["validation"]),
        "test": copa_rows(COPA_ITEMS["test"], hide=True),
    },
)

XCOPA_TEXTS = {
    "it": {
        "validation": [
            ("La lampada si spense.", "L'olio era finito.", "La finestra era aperta."),
            ("Il fornaio dormì a lungo.", "Il pane era pronto all'alba.", "Il negozio aprì a mezzogiorno."),
            ("Nevicò tutta la notte.", "La strada era bianca.", "La strada era asciutta."),
            ("Il cane abbaiò.", "Il cane dormiva.", "Qualcuno bussò."),
        ],
        "test": [
            ("La barca affondò.", "Aveva un buco.", "Aveva una vela."),
            ("Ho perso la chiave.", "Rimasi davanti alla porta.", "Comprai una lampada."),
            ("La zuppa era fredda.", "Il cuoco era veloce.", "Il fuoco era spento."),
            ("Il ponte crollò.", "Le auto lo attraversarono.", "Le auto tornarono indietro."),
            ("La ragazza rise.", "Sentì una barzelletta.", "Sentì la campana."),
            ("Piovve per una settimana.", "Il fiume calò.", "Il fiume salì."),
        ],
    },
    "th": {
        "validation": [
            ("ตะเกียงดับ", "น้ำมันหมด", "หน้าต่างเปิดอยู่"),
            ("คนทำขนมปังตื่นสาย", "ขนมปังเสร็จตอนเช้ามืด", "ร้านเปิดตอนเที่ยง"),
            ("หิมะตกทั้งคืน", "ถนนเป็นสีขาว", "ถนนแห้ง"),
            ("หมาเห่า", "หมาหลับอยู่", "มีคนเคาะประตู"),
        ],
        "test": [
            ("เรือจม", "เรือมีรู", "เรือมีใบ"),
            ("ฉันทำกุญแจหาย", "ฉันยืนอยู่หน้าประตู", "ฉันซื้อตะเกียง"),
            ("ซุปเย็น", "พ่อครัวทำเร็ว", "ไฟดับ"),
            ("สะพานพัง", "รถข้ามไป", "รถหันกลับ"),
            ("เด็กหญิงหัวเราะ", "เธอได้ยินเรื่องตลก", "เธอได้ยินเสียงระฆัง"),
            ("ฝนตกหนึ่งสัปดาห์", "แม่น้ำลดลง", "แม่น้ำสูงขึ้น"),
        ],
    },
}
# As published, Thai asks for effects only.
XCOPA_QUESTION = {"th": "effect"}


def boolean() -> Kind:
    return Kind(pa.bool_(), {"dtype": "bool", "_type": "Value"}, {"dtype": "bool"})


def xcopa_config(language: str) -> Config:
    """COPA's validation and test rows, with labels."""
    splits = {
        split: copa_rows(
            (*texts, XCOPA_QUESTION.get(language, question), label)
            for texts, (*_, question, label) in zip(XCOPA_TEXTS[language][split], items, strict=True)
        )
        for split, items in COPA_ITEMS.items()
    }
    splits = {split: [row | {"changed": False} for row in rows] for split, rows in splits.items()}
    return Config(COPA_COLUMNS | {"label": integer(), "changed": boolean()}, splits)
