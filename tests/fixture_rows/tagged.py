"""Tagged sentences, written `word/TAG word/TAG`: udpos, panx, masakhaner; ccg with two tags per word."""

from tests.fixture_rows.repository import Config, classes, listed, text

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
PANX_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

NOUNS = "dog cat house river tree boat road letter".split()
ADJECTIVES = "small old green quiet heavy bright round cold".split()
VERBS = "sleeps stands waits moves falls turns stays ends".split()
NAMES = "Anna Ben Mira Tom Leila Otto Rosa Emil".split()

UDPOS_TEMPLATES = [
    "The/DET {adjective}/ADJ {noun}/NOUN {verb}/VERB ./PUNCT",
    "{name}/PROPN sees/VERB the/DET {noun}/NOUN near/ADP the/DET {other}/NOUN ./PUNCT",
    "She/PRON has/AUX not/PART seen/VERB two/NUM {adjective}/ADJ {noun}s/NOUN ./PUNCT",
    "{name}/PROPN and/CCONJ {friend}/PROPN walk/VERB very/ADV slowly/ADV ./PUNCT",
    "Oh/INTJ ,/PUNCT the/DET {noun}/NOUN {verb}/VERB because/SCONJ it/PRON rains/VERB !/PUNCT",
    "A/DET {noun}/NOUN costs/VERB 20/NUM $/SYM in/ADP the/DET {adjective}/ADJ shop/NOUN ./PUNCT",
]


def udpos_templated(templates, start, stop):
    """One sentence per template and number, with words that move through the lists at different speeds."""
    for number in range(start, stop):
        for place, template in enumerate(templates):
            yield template.format(
                noun=NOUNS[(number + place) % 8],
                other=NOUNS[(number + place + 3) % 8],
                adjective=ADJECTIVES[(3 * number + place) % 8],
                verb=VERBS[(5 * number + place) % 8],
                name=NAMES[(number + 2 * place) % 8],
                friend=NAMES[(number + 2 * place + 3) % 8],
            )


UDPOS_TEST = {
    "English": [
        *udpos_templated(UDPOS_TEMPLATES[:5], 8, 10),
        "Two/NUM old/ADJ boats/NOUN stay/VERB near/ADP the/DET river/NOUN ./PUNCT",
        "She/PRON sells/VERB " + " ,/PUNCT ".join(f"{noun}s/NOUN" for noun in NOUNS * 3) + " ./PUNCT",
    ],
    "German": [
        "Der/DET kleine/ADJ Hund/NOUN schläft/VERB ./PUNCT",
        "Anna/PROPN sieht/VERB das/DET Haus/NOUN am/ADP Fluss/NOUN ./PUNCT",
        "Sie/PRON hat/AUX zwei/NUM alte/ADJ Boote/NOUN gesehen/VERB ./PUNCT",
        "Otto/PROPN und/CCONJ Rosa/PROPN gehen/VERB sehr/ADV langsam/ADV ./PUNCT",
        "Ach/INTJ ,/PUNCT der/DET Baum/NOUN fällt/VERB ,/PUNCT weil/SCONJ es/PRON stürmt/VERB !/PUNCT",
        "Ein/DET Brief/NOUN kostet/VERB 2/NUM €/SYM ./PUNCT",
        "Die/DET Straße/NOUN ist/AUX kalt/ADJ ./PUNCT",
        "Er/PRON versucht/VERB zu/PART schlafen/VERB ./PUNCT",
        "Wir/PRON warten/VERB im/ADP grünen/ADJ Garten/NOUN ./PUNCT",
        "Das/DET Wort/NOUN foo/X steht/VERB dort/ADV ./PUNCT",
        "Mira/PROPN liest/VERB einen/DET langen/ADJ Brief/NOUN ./PUNCT",
        "Kinder/NOUN lachen/VERB ,/PUNCT aber/CCONJ niemand/PRON hört/VERB es/PRON ./PUNCT",
    ],
    "Chinese": [
        "小/ADJ 狗/NOUN 睡觉/VERB 。/PUNCT",
        "我/PRON 看/VERB 书/NOUN 。/PUNCT",
        "她/PRON 有/VERB 三/NUM 只/NOUN 猫/NOUN 。/PUNCT",
        "莱拉/PROPN 和/CCONJ 本/PROPN 在/ADP 河/NOUN 边/NOUN 等/VERB 。/PUNCT",
        "他/PRON 不/ADV 喝/VERB 茶/NOUN 。/PUNCT",
        "这/DET 条/NOUN 路/NOUN 很/ADV 长/ADJ 。/PUNCT",
        "我们/PRON 会/AUX 游泳/VERB 。/PUNCT",
        "因为/SCONJ 下雨/VERB ，/PUNCT 他们/PRON 回家/VERB 了/PART 。/PUNCT",
        "啊/INTJ ，/PUNCT 房子/NOUN 很/ADV 旧/ADJ ！/PUNCT",
        "船/NOUN 在/VERB 这里/PRON 吗/PART ？/PUNCT",
        "老/ADJ 树/NOUN 倒/VERB 了/PART 。/PUNCT",
        "罗莎/PROPN 写/VERB 信/NOUN 。/PUNCT",
    ],
    "Thai": [
        "แมว/NOUN นอน/VERB",
        "ฉัน/PRON กิน/VERB ข้าว/NOUN",
        "เขา/PRON ไม่/PART ดื่ม/VERB น้ำ/NOUN",
        "บ้าน/NOUN เก่า/ADJ อยู่/VERB ใกล้/ADP แม่น้ำ/NOUN",
        "ลีลา/PROPN และ/CCONJ เบน/PROPN เดิน/VERB ช้า/ADV",
        "เรา/PRON มี/VERB หมา/NOUN สอง/NUM ตัว/NOUN",
        "ถนน/NOUN ยาว/VERB มาก/ADV",
        "เธอ/PRON จะ/AUX เขียน/VERB จดหมาย/NOUN",
        "เพราะ/SCONJ ฝน/NOUN ตก/VERB เรา/PRON กลับ/VERB บ้าน/NOUN",
        "ต้นไม้/NOUN ใน/ADP สวน/NOUN สูง/VERB",
        "เรือ/NOUN ลำ/NOUN นี้/DET เล็ก/VERB",
        "คุณ/PRON ไป/VERB ไหน/PRON ?/PUNCT",
    ],
    "Arabic": [
        "ينام/VERB الكلب/NOUN الصغير/ADJ ./PUNCT",
        "ليلى/PROPN تقرأ/VERB كتابًا/NOUN ./PUNCT",
        "البيت/NOUN القديم/ADJ قرب/ADP النهر/NOUN ./PUNCT",
        "هي/PRON لا/PART تشرب/VERB القهوة/NOUN ./PUNCT",
        "أحمد/PROPN و/CCONJ سارة/PROPN يمشيان/VERB ببطء/ADV ./PUNCT",
        "في/ADP الحديقة/NOUN ثلاث/NUM أشجار/NOUN ./PUNCT",
        "كان/AUX الطريق/NOUN طويلًا/ADJ ./PUNCT",
        "سوف/AUX نكتب/VERB رسالة/NOUN ./PUNCT",
        "هذا/DET القارب/NOUN جديد/ADJ ./PUNCT",
        "رجعوا/VERB لأن/SCONJ المطر/NOUN غزير/ADJ ./PUNCT",
        "أين/ADV القطة/NOUN ؟/PUNCT",
        "يا/INTJ ولد/NOUN ،/PUNCT تعال/VERB !/PUNCT",
    ],
}

PEOPLE = ["Mara Keller", "Tobin Ash", "Lio Grandt", "Nora Vessel", "Ida Brenn", "Jon Carrow"]
TOWNS = ["Northvale", "Port Ellin", "Sandrun", "Oakmere"]
FIRMS = ["Harrow Motors", "Bluefield Bank", "Tinwell Press", "Cape Mills"]

PANX_TEMPLATES = {
    "en": ["{person} was born in {town} .", "{firm} opened an office in {town} .", "{person} ( {firm} )"],
    "de": ["{person} wohnt in {town} .", "{firm} hat ihren Sitz in {town} .", "{person} ( {firm} )"],
}  # fmt: skip


def spans(phrase: str, name: str) -> str:
    """Every word of a name with its tag: the first begins the span."""
    words = phrase.split()
    return " ".join(f"{word}/{'B' if index == 0 else 'I'}-{name}" for index, word in enumerate(words))


def panx_templated(language, start, stop):
    """One sentence per template and number."""
    for number in range(start, stop):
        for place, template in enumerate(PANX_TEMPLATES[language]):
            words = [word if word.startswith("{") else f"{word}/O" for word in template.split()]
            yield " ".join(words).format(
                person=spans(PEOPLE[(number + place) % 6], "PER"),
                town=spans(TOWNS[(number + number // 4) % 4], "LOC"),
                firm=spans(FIRMS[(number + number // 6) % 4], "ORG"),
            )


# Chinese is tagged character by character.
PANX_TEST = {
    "en": [*panx_templated("en", 16, 20)],
    "de": [*panx_templated("de", 16, 20)],
    "zh": [
        "林/B-PER 小/I-PER 河/I-PER 住/O 在/O 青/B-LOC 石/I-LOC 镇/I-LOC 。/O",
        "白/B-LOC 沙/I-LOC 湾/I-LOC 很/O 安/O 静/O 。/O",
        "东/B-ORG 湖/I-ORG 银/I-ORG 行/I-ORG 关/O 门/O 了/O 。/O",
        "周/B-PER 明/I-PER 月/I-PER 写/O 信/O 。/O",
        "他/O 去/O 红/B-LOC 叶/I-LOC 山/I-LOC 。/O",
        "新/B-ORG 星/I-ORG 书/I-ORG 店/I-ORG",
        "*/O 林/B-PER 小/I-PER 河/I-PER",
        "青/B-LOC 石/I-LOC 镇/I-LOC ，/O 白/B-LOC 沙/I-LOC 湾/I-LOC",
        "周/B-PER 明/I-PER 月/I-PER 在/O 东/B-ORG 湖/I-ORG 银/I-ORG 行/I-ORG 工/O 作/O",
        "没/O 有/O 人/O 来/O 。/O",
        "红/B-LOC 叶/I-LOC 山/I-LOC 下/O 雪/O 了/O 。/O",
        "陈/B-PER 大/I-PER 川/I-PER",
    ],
    "ar": [
        "ولدت/O ليلى/B-PER حداد/I-PER في/O تل/B-LOC الريح/I-LOC ./O",
        "بنك/B-ORG النخيل/I-ORG",
        "سافر/O سامر/B-PER إلى/O وادي/B-LOC السرو/I-LOC ./O",
        "تحويل/O تل/B-LOC الريح/I-LOC",
        "تعمل/O سارة/B-PER في/O دار/B-ORG القمر/I-ORG ./O",
        "وادي/B-LOC السرو/I-LOC مدينة/O صغيرة/O ./O",
        "كتب/O نبيل/B-PER فارس/I-PER رسالة/O ./O",
        "أغلقت/O دار/B-ORG القمر/I-ORG أبوابها/O ./O",
        "لم/O يأت/O أحد/O ./O",
        "نبيل/B-PER فارس/I-PER (/O بنك/B-ORG النخيل/I-ORG )/O",
        "نزل/O المطر/O على/O تل/B-LOC الريح/I-LOC ./O",
        "سامر/B-PER و/O ليلى/B-PER حداد/I-PER",
    ],
}


def tagged_rows(sentences, names, column, **extra):
    """Rows of tokens and class numbers."""
    rows = []
    for sentence in sentences:
        pairs = [word.rsplit("/", 1) for word in sentence.split()]
        row = {"tokens": [token for token, _ in pairs], column: [names.index(tag) for _, tag in pairs]}
        rows.append(row | {key: [value] * len(pairs) for key, value in extra.items()})
    return rows


def udpos_config(language: str) -> Config:
    """Training rows in English only."""
    splits = {"test": tagged_rows(UDPOS_TEST[language], UPOS, "pos_tags")}
    if language == "English":
        splits["train"] = tagged_rows(udpos_templated(UDPOS_TEMPLATES, 0, 8), UPOS, "pos_tags")
    return Config({"tokens": listed(text()), "pos_tags": listed(classes(*UPOS))}, splits)


def panx_config(language: str) -> Config:
    """Training rows in English only; validation rows in English and German."""
    splits = {"test": PANX_TEST[language]}
    if language in PANX_TEMPLATES:
        splits["validation"] = panx_templated(language, 20, 24)
    if language == "en":
        splits["train"] = panx_templated("en", 0, 16)
    splits = {name: tagged_rows(rows, PANX_TAGS, "ner_tags", langs=language) for name, rows in splits.items()}
    columns = {"tokens": listed(text()), "ner_tags": listed(classes(*PANX_TAGS)), "langs": listed(text())}
    return Config(columns, splits)


# Two more classes than PAN-X: dates.
MASAKHANER_TAGS = (*PANX_TAGS, "B-DATE", "I-DATE")
MASAKHANER_ROWS = {
    "swa": [
        "Asha/B-PER Tumbo/I-PER anaishi/O Kijiwe/B-LOC tangu/O mwaka/B-DATE 1998/I-DATE ./O",
        "Benki/B-ORG ya/I-ORG Nyota/I-ORG ilifunguliwa/O Jumatatu/B-DATE ./O",
        "Juma/B-PER anasoma/O kitabu/O ./O",
        "Mvua/O ilinyesha/O Kijiwe/B-LOC jana/O ./O",
        "Leo/O hakuna/O mtu/O ./O",
        "Kampuni/B-ORG ya/I-ORG Mawimbi/I-ORG iko/O Pwanimto/B-LOC ./O",
    ],
    "twi": [
        "Kofi/B-PER Anto/I-PER te/O Subinso/B-LOC ./O",
        "Ama/B-PER kan/O nhoma/O ./O",
        "Osu/O tɔɔ/O Subinso/B-LOC Dwoada/B-DATE ./O",
        "Obiara/O amma/O ./O",
        "Nsoromma/B-ORG Sikakorabea/I-ORG wɔ/O Bepɔano/B-LOC ./O",
        "Yaw/B-PER twerɛ/O krataa/O ./O",
    ],
}


def masakhaner_config(name: str) -> Config:
    """Rows of each split carry an id that counts from 0."""
    rows = tagged_rows(MASAKHANER_ROWS[name], MASAKHANER_TAGS, "ner_tags")
    rows = [{"id": str(number), **row} for number, row in enumerate(rows)]
    columns = {"id": text(), "tokens": listed(text()), "ner_tags": listed(classes(*MASAKHANER_TAGS))}
    return Config(columns, {"train": rows * 2, "validation": rows[:3], "test": rows})


CCG_TEMPLATES = [
    "The|DT|NP/N {noun}|NN|N {verb}|VBZ|S[dcl]\\NP .|.|.",
    "{name}|NNP|NP sees|VBZ|(S[dcl]\\NP)/NP the|DT|NP/N {adjective}|JJ|N/N {noun}|NN|N .|.|.",
    "{name}|NNP|NP {verb}|VBZ|S[dcl]\\NP near|IN|((S\\NP)\\(S\\NP))/NP the|DT|NP/N {noun}|NN|N .|.|.",
    "A|DT|NP/N {adjective}|JJ|N/N {noun}|NN|N has|VBZ|(S[dcl]\\NP)/(S[pt]\\NP) moved|VBN|S[pt]\\NP .|.|.",
]
CCG_UNSEEN = "Either|CC|(NP/NP)/NP {name}|NNP|NP or|CC|conj the|DT|NP/N {noun}|NN|N {verb}|VBZ|S[dcl]\\NP .|.|."
"""A sentence with a category that no training sentence has."""


def ccg_lines(templates, start, stop):
    """Sentences as `word|POS|category`."""
    for number in range(start, stop):
        for place, template in enumerate(templates):
            yield template.format(
                noun=NOUNS[(number + place) % 8],
                verb=VBZ[(3 * number + place) % 4],
                name=NAMES[(number + 2 * place) % 8],
                adjective=ADJECTIVES[(5 * number + place) % 8],
            )


VBZ = "sleeps stands waits ends".split()
CCG_LINES = {
    "train": [*ccg_lines(CCG_TEMPLATES, 0, 12)],
    "validation": [*ccg_lines(CCG_TEMPLATES[:3] + [CCG_UNSEEN], 12, 15)],
    "test": [*ccg_lines(CCG_TEMPLATES, 15, 18)],
}


def ccg_rows(lines):
    columns = [list(zip(*(word.split("|") for word in line.split()), strict=True)) for line in lines]
    return [{"tokens": [*words], "pos_tags": [*tags], "categories": [*cats]} for words, tags, cats in columns]


CCG = Config(
    {"tokens": listed(text()), "pos_tags": listed(text()), "categories": listed(text())},
    {split: ccg_rows(lines) for split, lines in CCG_LINES.items()},
)
