"""Questions on passages: squad, squad_v2, xquad, mlqa, tydiqa, and translations of training rows."""

from tests.fixture_rows.repository import Config, integer, listed, struct, text

PEOPLE = "Mira Olen|Jonas Vane|Edda Lorn|Peter Quill".split("|")
THINGS = "bridge|library|school|mill|tower|harbour|theatre|station".split("|")
TOWNS = "Lentow|Harvel|Old Senna|Brack|Mondry".split("|")


def answer_rows(context, questions, shift=0):
    """Rows of (question, answers); offsets count `shift` blanks that stood in front of the passage."""
    for question, *answers in questions:
        starts = [context.index(answer) + shift for answer in answers]
        yield {"context": context, "question": question, "answers": {"text": answers, "answer_start": starts}}


def building_passages(start, stop):
    """Answers at the very beginning and at the very end of the passage."""
    for number in range(start, stop):
        person, thing, town = PEOPLE[number % 4], THINGS[number % 8], TOWNS[number % 5]
        year = str(1700 + 13 * number)
        yield f"{person} built the {thing} in {year}. Today the {thing} stands in {town}", [
            (f"Who built the {thing}?", person),
            (f"When was the {thing} built?", year, f"in {year}"),
            (f"Where does the {thing} stand?", town, town),
        ]


def squad_rows(start, stop):
    rows = [row for passage in building_passages(start, stop) for row in answer_rows(*passage)]
    return [{"id": f"{start:04x}{index:04x}", "title": "Buildings", **row} for index, row in enumerate(rows)]


ANSWERS = struct(text=listed(text()), answer_start=listed(integer()))

SQUAD = Config(
    {"id": text(), "title": text(), "context": text(), "question": text(), "answers": ANSWERS},
    {"train": squad_rows(0, 16), "validation": squad_rows(16, 20)},
)



def squad_v2_rows(start, stop):
    """The last question of each passage has no answer."""
    rows = squad_rows(start, stop)
    for row in rows[2::3]:
        row["question"] = row["question"].replace("Where does", "Who sold").replace(" stand?", "?")
        row["answers"] = {"text": [], "answer_start": []}
    return rows


SQUAD_V2 = Config(SQUAD.columns, {"train": squad_v2_rows(0, 16), "validation": squad_v2_rows(16, 20)})


def squad_translated():
    for number in range(8):
        person, thing = PEOPLE[number % 4], "Brücke|Mühle|Schule|Kirche|Halle|Burg|Scheune|Werkstatt".split("|")[number]
        town, year = TOWNS[number % 5], str(1700 + 13 * number)
        yield f"{person} baute die {thing} im Jahr {year}. Heute steht die {thing} in {town}", [
            (f"Wer baute die {thing}?", person),
            (f"Wann wurde die {thing} gebaut?", year),
            (f"Wo steht die {thing}?", town),
        ]


SQUAD_DE_ROWS = [row for passage in squad_translated() for row in answer_rows(*passage)]
SQUAD_DE = Config(
    {"id": text(), "context": text(), "question": text(), "answers": ANSWERS},
    {"train": [{"id": f"{index:08x}", **row} for index, row in enumerate(SQUAD_DE_ROWS)]},
)

# Four passages in five languages: passage, then three questions with their answers. The second passage holds
# combining marks (a decomposed é) where the script has one; the third ends in its answer.
CAFE = "Cafe\u0301 Orlin"
XQUAD_PASSAGES = {
    "en": [
        ("Mira Tolan built the stone bridge in 1874. Thirty workers helped her.", [
            ("Who built the stone bridge?", "Mira Tolan"),
            ("When was the bridge built?", "1874"),
            ("How many workers helped?", "Thirty"),
        ]),
        (f"{CAFE} opens at six. It sells tea, and its owner bakes bread with walnuts.", [
            ("What opens at six?", CAFE),
            ("When does it open?", "six"),
            ("What is in the bread?", "walnuts"),
        ]),
        ("The library of Harvel owns 40,000 books. Its oldest map shows the island of Sorn", [
            ("How many books does the library own?", "40,000"),
            ("Where is the library?", "Harvel"),
            ("Which island does the map show?", "Sorn"),
        ]),
        ("Tea grows on the northern hills because the nights are cool there. It is picked in May.", [
            ("What grows on the hills?", "Tea"),
            ("Why does tea grow there?", "because the nights are cool there"),
            ("When is the tea picked?", "in May"),
        ]),
    ],
    "de": [
        ("Mira Tolan baute die Steinbrücke im Jahr 1874. Dreißig Arbeiter halfen ihr.", [
            ("Wer baute die Steinbrücke?", "Mira Tolan"),
            ("Wann wurde die Brücke gebaut?", "1874"),
            ("Wie viele Arbeiter halfen?", "Dreißig"),
        ]),
        (f"{CAFE} öffnet um sechs. Es verkauft Tee, und die Besitzerin backt Brot mit Walnüssen.", [
            ("Was öffnet um sechs?", CAFE),
            ("Wann öffnet es?", "sechs"),
            ("Was ist im Brot?", "Walnüssen"),
        ]),
        ("Die Bibliothek von Harvel besitzt 40.000 Bücher. Ihre älteste Karte zeigt die Insel Sorn", [
            ("Wie viele Bücher besitzt die Bibliothek?", "40.000"),
            ("Wo ist die Bibliothek?", "Harvel"),
            ("Welche Insel zeigt die Karte?", "Sorn"),
        ]),
        ("Tee wächst auf den nördlichen Hügeln, weil die Nächte dort kühl sind. Man pflückt ihn im Mai.", [
            ("Was wächst auf den Hügeln?", "Tee"),
            ("Warum wächst dort Tee?", "weil die Nächte dort kühl sind"),
            ("Wann wird der Tee gepflückt?", "im Mai"),
        ]),
    ],
    "zh": [
        ("米拉·托兰于1874年建造了石桥。三十名工人帮助了她。", [
            ("谁建造了石桥？", "米拉·托兰"),
            ("桥是什么时候建造的？", "1874年"),
            ("有多少工人帮忙？", "三十"),
        ]),
        ("奥林咖啡馆六点开门。它卖茶，店主用核桃烤面包。", [
            ("什么地方六点开门？", "奥林咖啡馆"),
            ("它几点开门？", "六点"),
            ("面包里有什么？", "核桃"),
        ]),
        ("哈维尔图书馆有40,000本书。最古老的地图画的是索恩岛", [
            ("图书馆有多少本书？", "40,000"),
            ("图书馆在哪里？", "哈维尔"),
            ("地图画的是哪个岛？", "索恩岛"),
        ]),
        ("茶长在北方的山上，因为那里夜晚凉爽。人们五月采茶。", [
            ("山上长什么？", "茶"),
            ("茶为什么长在那里？", "因为那里夜晚凉爽"),
            ("什么时候采茶？", "五月"),
        ]),
    ],
    "ar": [
        ("بنت ميرا تولان الجسر الحجري عام 1874. ساعدها ثلاثون عاملًا.", [
            ("من بنى الجسر الحجري؟", "ميرا تولان"),
            ("متى بُني الجسر؟", "عام 1874"),
            ("كم عاملًا ساعدها؟", "ثلاثون"),
        ]),
        ("مَقْهى أورلين يفتح في السادسة. يبيع الشاي، وتخبز صاحبته خبزًا بالجوز.", [
            ("ما الذي يفتح في السادسة؟", "مَقْهى أورلين"),
            ("متى يفتح؟", "السادسة"),
            ("ماذا في الخبز؟", "الجوز"),
        ]),
        ("تملك مكتبة هارفل 40,000 كتاب. وتُظهر أقدم خرائطها جزيرة سورن", [
            ("كم كتابًا تملك المكتبة؟", "40,000"),
            ("أين المكتبة؟", "هارفل"),
            ("أي جزيرة تظهر في الخريطة؟", "سورن"),
        ]),
        ("الشاي ينمو على التلال الشمالية لأن الليالي باردة هناك. ويُقطف في مايو.", [
            ("ماذا ينمو على التلال؟", "الشاي"),
            ("لماذا ينمو الشاي هناك؟", "لأن الليالي باردة هناك"),
            ("متى يُقطف الشاي؟", "في مايو"),
        ]),
    ],
    "hi": [
        ("मीरा तोलान ने 1874 में पत्थर का पुल बनाया। तीस मज़दूरों ने उसकी मदद की।", [
            ("पत्थर का पुल किसने बनाया?", "मीरा तोलान"),
            ("पुल कब बना?", "1874"),
            ("कितने मज़दूरों ने मदद की?", "तीस"),
        ]),
        ("ओरलिन कैफ़े छह बजे खुलता है। वहाँ चाय मिलती है, और मालकिन अखरोट की रोटी बनाती है।", [
            ("छह बजे क्या खुलता है?", "ओरलिन कैफ़े"),
            ("वह कब खुलता है?", "छह बजे"),
            ("रोटी में क्या है?", "अखरोट"),
        ]),
        ("हारवेल के पुस्तकालय में 40,000 किताबें हैं। उसका सबसे पुराना नक्शा दिखाता है द्वीप सोर्न", [
            ("पुस्तकालय में कितनी किताबें हैं?", "40,000"),
            ("पुस्तकालय कहाँ है?", "हारवेल"),
            ("नक्शा कौन सा द्वीप दिखाता है?", "सोर्न"),
        ]),
        ("चाय उत्तर की पहाड़ियों पर उगती है क्योंकि वहाँ रातें ठंडी होती हैं। उसे मई में तोड़ते हैं।", [
            ("पहाड़ियों पर क्या उगता है?", "चाय"),
            ("चाय वहाँ क्यों उगती है?", "क्योंकि वहाँ रातें ठंडी होती हैं"),
            ("चाय कब तोड़ते हैं?", "मई में"),
        ]),
    ],
}  # fmt: skip

# As on the hub, the blank in front of this passage was stripped and its offsets were left alone.
XQUAD_STRIPPED = {("zh", 3)}


def xquad_config(language: str) -> Config:
    """Ids and passages are parallel over the languages."""
    rows = [
        row
        for number, (context, questions) in enumerate(XQUAD_PASSAGES[language])
        for row in answer_rows(context, questions, shift=(language, number) in XQUAD_STRIPPED)
    ]
    return Config(
        {"id": text(), "context": text(), "question": text(), "answers": ANSWERS},
        {"validation": [{"id": f"5f{index:06x}", **row} for index, row in enumerate(rows)]},
    )


# Each question is in some of the languages only.
MLQA_LACKING = {"de": {0}, "zh": {3}}


def mlqa_config(language: str) -> Config:
    """Questions and passages of one language; ids are parallel where a passage is there."""
    rows = [
        {"id": f"a{number}{index}", "title": "Places", **row}
        for number, (context, questions) in enumerate(XQUAD_PASSAGES[language])
        if number not in MLQA_LACKING.get(language, ())
        for index, row in enumerate(answer_rows(context, questions))
    ]
    return Config(SQUAD.columns, {"validation": rows[:3], "test": rows[3:]})


RIVERS = "Lenta Orva Sill Teme Ursk Vell".split()
EN_TOWNS = [start + end for start in "Ar Bel Cor Dun El Far".split() for end in "ford ham mere wick".split()]
RU_TOWNS = "Белово Дубна Заречье Липки Озеры Ясное".split()
RU_RIVERS = "Лента Орва Силь Тема Урск Велла".split()
AR_TOWNS = "زهرانة سلمية وردان كرمة نخلة ريحان".split()
AR_RIVERS = "لنتا أورفا سيل تيما أورسك فيلا".split()


def town_passages(towns, rivers, passage, questions, step):
    """One passage per town, with a question on its river and one on its year."""
    for number, town in enumerate(towns):
        river, year = rivers[(number + step) % len(rivers)], str(1200 + 17 * number + step)
        fill = {"town": town, "river": river, "year": year}
        on_river, on_year = (question.format(**fill) for question in questions)
        yield town, passage.format(**fill), [(on_river, river), (on_year, year, year)]


TYDIQA_FORMS = {
    "english": ("{town} is a town on the river {river}. It was founded in {year}.",
                ("Which river is {town} on?", "When was {town} founded?")),
    "russian": ("{town} — город на реке {river}. Он основан в {year} году.",
                ("На какой реке стоит город {town}?", "Когда основан город {town}?")),
    "arabic": ("{town} مدينة على نهر {river}. تأسست عام {year}.",
               ("على أي نهر تقع {town}؟", "متى تأسست {town}؟")),
}  # fmt: skip

# The same for some Arabic passages: number -> how many blanks.
TYDIQA_STRIPPED = {("arabic", 1): 1, ("arabic", 4): 2}


def tydiqa_rows(language, towns, rivers, step):
    """The id begins with the language; a negative number after it makes two hyphens."""
    passage, questions = TYDIQA_FORMS[language]
    rows = []
    for number, (town, context, asked) in enumerate(town_passages(towns, rivers, passage, questions, step)):
        sign = "-" if number % 2 else ""
        for index, row in enumerate(answer_rows(context, asked, TYDIQA_STRIPPED.get((language, number), 0))):
            rows.append({"id": f"{language}-{sign}{7000 + 31 * number + step}-{index}", "title": town, **row})
    return rows


TYDIQA = Config(
    {"id": text(), "title": text(), "context": text(), "question": text(), "answers": ANSWERS},
    {
        "train": [
            *tydiqa_rows("english", EN_TOWNS, RIVERS, 0),
            *tydiqa_rows("russian", RU_TOWNS[:2], RU_RIVERS, 3),
        ],
        "validation": [
            *tydiqa_rows("arabic", AR_TOWNS, AR_RIVERS, 5),
            *tydiqa_rows("english", EN_TOWNS[::4], RIVERS[::-1], 5),
            *tydiqa_rows("russian", RU_TOWNS, RU_RIVERS, 5),
        ],
    },
)

KO_TOWNS = "가람 나루 다온 라온 마루 바다".split()
TYDIQA_FORMS["korean"] = (
    "{town} 마을은 {river} 강가에 있다. {year} 년에 세워졌다.",
    ("{town} 마을은 어느 강가에 있는가?", "{town} 마을은 언제 세워졌는가?"),
)
# The release itself has training rows that XTREME's copy lacks here.
TYDIQA_GOLD = Config(
    TYDIQA.columns,
    {
        "train": [
            *tydiqa_rows("english", EN_TOWNS[:2], RIVERS, 1),
            *tydiqa_rows("korean", KO_TOWNS, "한들 은여울 새내 큰내 작은내 맑은내".split(), 1),
        ]
    },
)
