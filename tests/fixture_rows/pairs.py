"""Sentence pairs with a class, choices, and translations: mnli, hellaswag, xnli, tatoeba."""

from tests.fixture_rows.repository import Config, classes, integer, listed, text

LABELS = ("entailment", "neutral", "contradiction")
HIDDEN = -1  # what the hub writes for a label that it does not give

ANIMALS = "dog cat horse goat fox hen duck mouse".split()
TRAIN_SCENES = [(animal, place) for animal in ANIMALS for place in ("garden", "barn")]
DEV_SCENES = [("dog", "kitchen"), ("cat", "barn"), ("horse", "garden"), ("sheep", "barn")]


def nli_rows(scenes):
    """Three hypotheses per scene: they follow from it, are open, contradict it."""
    for animal, place in scenes:
        premise = f"The {animal} sleeps in the {place}."
        yield premise, f"The {animal} is in the {place}.", 0
        yield premise, f"The {animal} waits for a friend.", 1
        yield premise, f"No {animal} is in the {place}.", 2


def glue_rows(triples):
    return [
        {"premise": premise, "hypothesis": hypothesis, "label": label, "idx": index}
        for index, (premise, hypothesis, label) in enumerate(triples)
    ]


MNLI = Config(
    {"premise": text(), "hypothesis": text(), "label": classes(*LABELS), "idx": integer()},
    {
        "train": glue_rows(nli_rows(TRAIN_SCENES)),
        "validation_matched": glue_rows(nli_rows(DEV_SCENES)),
        "test_matched": glue_rows((premise, other, HIDDEN) for premise, other, _ in nli_rows(DEV_SCENES)),
    },
)

# premise, then what follows from it, what is open, what contradicts it
XNLI_ITEMS = {
    "ar": [
        ("ينام الكلب في الحديقة.", "الكلب في الحديقة.", "الكلب ينتظر صديقه.", "لا يوجد كلب في الحديقة."),
        ("تقرأ ليلى كتابًا قديمًا.", "ليلى تقرأ.", "الكتاب طويل جدًا.", "ليلى لا تقرأ شيئًا."),
        ("وصل القطار متأخرًا أمس.", "وصل القطار أمس.", "كان المطر غزيرًا.", "وصل القطار في موعده."),
        ("يبيع الرجل الخبز في السوق.", "الرجل في السوق.", "الخبز رخيص.", "الرجل لا يبيع شيئًا."),
    ],
    "de": [
        ("Der Hund schläft im Garten.", "Der Hund ist im Garten.", "Der Hund wartet auf einen Freund.",
         "Im Garten ist kein Hund."),
        ("Leila liest ein altes Buch.", "Leila liest.", "Das Buch ist sehr lang.", "Leila liest nichts."),
        ("Der Zug kam gestern zu spät an.", "Der Zug kam gestern an.", "Es regnete stark.",
         "Der Zug kam pünktlich an."),
        ("Der Mann verkauft Brot auf dem Markt.", "Der Mann ist auf dem Markt.", "Das Brot ist billig.",
         "Der Mann verkauft nichts."),
    ],
    "en": [
        ("The dog sleeps in the garden.", "The dog is in the garden.", "The dog waits for a friend.",
         "No dog is in the garden."),
        ("Leila reads an old book.", "Leila reads.", "The book is very long.", "Leila reads nothing."),
        ("The train arrived late yesterday.", "The train arrived yesterday.", "It was raining hard.",
         "The train arrived on time."),
        ("The man sells bread at the market.", "The man is at the market.", "The bread is cheap.",
         "The man sells nothing."),
    ],
    "zh": [
        ("狗在花园里睡觉。", "狗在花园里。", "狗在等朋友。", "花园里没有狗。"),
        ("莱拉在读一本旧书。", "莱拉在读书。", "这本书很长。", "莱拉什么也不读。"),
        ("火车昨天晚点到达。", "火车昨天到了。", "当时雨很大。", "火车准时到达。"),
        ("那个人在市场上卖面包。", "那个人在市场上。", "面包很便宜。", "那个人什么也不卖。"),
    ],
}  # fmt: skip

# The order of the three hypotheses differs from premise to premise, and is the same in every language.
XNLI_ORDER = [(2, 0, 1), (0, 1, 2), (1, 2, 0), (2, 1, 0)]


def xnli_rows(items):
    """All languages in one split, one after the other, labels as strings."""
    return [
        {"language": code, "sentence1": premise, "sentence2": hypotheses[label], "gold_label": LABELS[label]}
        for code, premises in items.items()
        for (premise, *hypotheses), order in zip(premises, XNLI_ORDER, strict=False)
        for label in order
    ]


XNLI = Config(
    {"language": text(), "sentence1": text(), "sentence2": text(), "gold_label": text()},
    {
        "test": xnli_rows(XNLI_ITEMS),
        "validation": xnli_rows({language: items[:2] for language, items in XNLI_ITEMS.items()}),
    },
)

# activity, how it begins, how it goes on
ACTIVITIES = [
    ("Baking", "A woman puts flour into a bowl. She", "adds eggs and stirs the dough."),
    ("Painting", "A man opens a can of paint. He", "dips a brush into the paint."),
    ("Fishing", "A girl sits at the lake with a rod. She", "throws the line into the water."),
    ("Gardening", "A boy digs a hole in the soil. He", "puts a small plant into the hole."),
    ("Cycling", "A man pumps up a tyre. He", "gets on the bicycle and rides off."),
    ("Sewing", "A woman threads a needle. She", "pulls the needle through the cloth."),
    ("Skating", "A boy ties his skates. He", "glides slowly over the ice."),
    ("Washing", "A girl fills a bucket with soap. She", "rubs the car with a sponge."),
]
PLACES = ["At home,", "At school,", "On Sunday,", "Before noon,", "After lunch,", "In summer,"]


def hellaswag_rows(activities, places, hide=False):
    """Four endings, three of them taken from other activities; the label is a string, empty where hidden."""
    rows = []
    for (number, (name, opening, ending)) in enumerate(activities):
        wrong = [activities[(number + step) % len(activities)][2] for step in (1, 2, 3)]
        for place in places:
            label = (number + len(rows)) % 4
            first, second = f"{place} {opening[0].lower()}{opening[1:]}".rsplit(" ", 1)
            rows.append({
                "ind": len(rows),
                "activity_label": name,
                "ctx_a": first,
                "ctx_b": second.lower(),
                "ctx": f"{first} {second.lower()}",
                "endings": [*wrong[:label], ending, *wrong[label:]],
                "source_id": f"video-{number}-{len(rows) // 2}",
                "split": "test" if hide else "train",
                "split_type": "indomain",
                "label": "" if hide else str(label),
            })  # fmt: skip
    return rows


HELLASWAG = Config(
    {
        "ind": integer(), "activity_label": text(), "ctx_a": text(), "ctx_b": text(), "ctx": text(),
        "endings": listed(text()), "source_id": text(), "split": text(), "split_type": text(),
        "label": text(),
    },
    {
        "train": hellaswag_rows(ACTIVITIES, PLACES),
        "validation": hellaswag_rows(ACTIVITIES[:4], ["At night,", "In winter,", "Before work,"]),
        "test": hellaswag_rows(ACTIVITIES[4:], ["At noon,"], hide=True),
    },
)  # fmt: skip

TATOEBA_PAIRS = {
    "ara": [
        ("أين محطة القطار؟", "Where is the train station?"),
        ("أحب القهوة بلا سكر.", "I like coffee without sugar."),
        ("السماء صافية اليوم.", "The sky is clear today."),
        ("أخي أطول مني.", "My brother is taller than I am."),
        ("لا تنسَ مفتاحك.", "Do not forget your key."),
        ("هذه الغرفة باردة.", "This room is cold."),
        ("متى يفتح المتجر؟", "When does the shop open?"),
        ("هي تتكلم ثلاث لغات.", "She speaks three languages."),
        ("ضاع قلمي.", "My pen is lost."),
        ("الخبز على الطاولة.", "The bread is on the table."),
        ("نلتقي غدًا صباحًا.", "We meet tomorrow morning."),
        ("شكرًا على المساعدة.", "Thank you for the help."),
    ],
    "cmn": [
        ("火车站在哪里？", "Where is the train station?"),
        ("我的鞋湿了。", "My shoes are wet."),
        ("她明天来。", "She comes tomorrow."),
        ("这条路很长。", "This road is long."),
        ("請關上窗戶。", "Please close the window."),
        ("他们住在山上。", "They live on the mountain."),
        ("我忘了他的名字。", "I forgot his name."),
        ("晚饭好了。", "Dinner is ready."),
        ("你喜欢音乐吗？", "Do you like music?"),
        ("猫在睡觉。", "The cat is asleep."),
        ("我们输了比赛。", "We lost the game."),
        ("今天很热。", "It is hot today."),
    ],
    "deu": [
        ("Wo ist der Bahnhof?", "Where is the train station?"),
        ("Meine Schwester spielt Geige.", "My sister plays the violin."),
        ("Das Fenster ist kaputt.", "The window is broken."),
        ("Ich habe keinen Hunger.", "I am not hungry."),
        ("Wir fahren im Herbst ans Meer.", "We go to the sea in autumn."),
        ("Kannst du schwimmen?", "Can you swim?"),
        ("Der Tee ist zu heiß.", "The tea is too hot."),
        ("Er kam ohne Schuhe.", "He came without shoes."),
        ("Die Kinder lachen laut.", "The children laugh loudly."),
        ("Niemand kennt den Weg.", "Nobody knows the way."),
        ("Sie schrieb mir einen Brief.", "She wrote me a letter."),
        ("Es schneit seit gestern.", "It has been snowing since yesterday."),
    ],
    "tha": [
        ("สถานีรถไฟอยู่ที่ไหน", "Where is the train station?"),
        ("ฉันชอบข้าวผัด", "I like fried rice."),
        ("แมวนอนอยู่บนเก้าอี้", "The cat lies on the chair."),
        ("วันนี้ฝนตก", "It is raining today."),
        ("เขาเป็นหมอ", "He is a doctor."),
        ("ประตูเปิดอยู่", "The door is open."),
        ("คุณชื่ออะไร", "What is your name?"),
        ("น้ำเย็นมาก", "The water is very cold."),
        ("เราไปตลาดกัน", "Let us go to the market."),
        ("หนังสือเล่มนี้แพง", "This book is expensive."),
        ("เธอร้องเพลงเก่ง", "She sings well."),
        ("พรุ่งนี้เป็นวันหยุด", "Tomorrow is a holiday."),
    ],
}


def tatoeba_config(iso3: str) -> Config:
    """Sentences end in a newline; `source_lang` is a stretch of a path, as on the hub."""
    rows = [
        {
            "source_sentence": f"{source}\n",
            "target_sentence": f"{target}\n",
            "source_lang": f"pairs/v1/tatoeba.{iso3}-eng",
            "target_lang": "eng",
        }
        for source, target in TATOEBA_PAIRS[iso3]
    ]
    return Config(dict.fromkeys(rows[0], text()), {"validation": rows})
