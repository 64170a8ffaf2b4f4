"""What is searched: bucc2018 in two layouts, LAReQA, Mewsli-X."""

from tests.fixture_rows.passages import ANSWERS, XQUAD_PASSAGES, answer_rows
from tests.fixture_rows.repository import Config, integer, listed, text

GERMAN = [
    "Die Mühle steht seit hundert Jahren am Fluss.",
    "Im Herbst ziehen die Störche nach Süden.",
    "Der Markt beginnt um sieben Uhr.",
    "Edda Lorn schrieb drei Bücher über das Meer.",
    "Im Herbst ziehen die Störche nach Süden.",
    "Die Fähre nach Sorn braucht zwei Stunden.",
]
ENGLISH = [
    "The ferry to Sorn takes two hours.",
    "Nobody has seen the map since.",
    "In autumn the storks fly south.",
    "The library owns old coins.",
    "The mill has stood by the river for a hundred years.",
]
CHINESE = ["林小河写了三本书。", "市场七点开门。", "没有人知道这条路。", "青石镇在山上。"]
ENGLISH_OF_CHINESE = ["Lin Xiaohe wrote three books.", "It has rained since Monday.", "Qingshi lies on a mountain."]

# One row holds both corpora; pairs count from 1; there are no development rows. A line is there twice.
BUCC_DE = Config(
    {"sentence1": listed(text()), "sentence2": listed(text()), "gold": listed(listed(integer()))},
    {"test": [{"sentence1": GERMAN, "sentence2": ENGLISH, "gold": [[1, 5], [2, 3], [6, 1]]}]},
)
# The sample set, as its own files have it.
BUCC_ZH = {
    "zh": Config(
        {"id": text(), "text": text()},
        {"validation": [{"id": f"zh-{n:09}", "text": line} for n, line in enumerate(CHINESE, 1)]},
    ),
    "en": Config(
        {"id": text(), "text": text()},
        {"validation": [{"id": f"en-{n:09}", "text": line} for n, line in enumerate(ENGLISH_OF_CHINESE, 1)]},
    ),
    "gold": Config(
        {"zh_id": text(), "en_id": text()},
        {"validation": [{"zh_id": f"zh-{zh:09}", "en_id": f"en-{en:09}"} for zh, en in ((1, 1), (4, 3))]},
    ),
}

# Where each passage of XQUAD_PASSAGES is cut: the first words of its second sentence.
CUTS = {
    "en": ("Thirty", "It sells", "Its oldest", "It is picked"),
    "de": ("Dreißig", "Es verkauft", "Ihre älteste", "Man pflückt"),
    "zh": ("三十名",),
}


def cut(context, language):
    """Offsets of its sentences."""
    second = next((context.index(words) for words in CUTS[language] if words in context), len(context))
    first = len(context[:second].rstrip())
    return [[0, first]] + ([[second, len(context)]] if second < len(context) else [])


def lareqa_config(language: str) -> Config:
    """XQuAD's rows with the sentences of the passage, as in the original files."""
    rows = []
    for context, questions in XQUAD_PASSAGES[language]:
        breaks = cut(context, language)
        sentences = {"sentences": [context[start:end] for start, end in breaks], "sentence_breaks": breaks}
        rows += [row | sentences for row in answer_rows(context, questions)]
    columns = {"id": text(), "context": text(), "question": text(), "answers": ANSWERS}
    columns |= {"sentences": listed(text()), "sentence_breaks": listed(listed(integer()))}
    return Config(columns, {"validation": [{"id": f"5f{index:06x}", **row} for index, row in enumerate(rows)]})


ENTITIES = {
    "Q1": ("en", "Lentow", "A town with a mill, on the river Orva."),
    "Q2": ("de", "Harvel", "Eine Stadt mit einer alten Bibliothek."),
    "Q3": ("en", "Edda Lorn", "A writer of three books about the sea."),
    "Q4": ("ja", "ソルン", "北の海にある島。"),
    "Q5": ("en", "Orva", "A river of the north."),
    "Q6": ("de", "Mira Tolan", "Eine Baumeisterin von Brücken."),
}
CONTEXTS = {
    "en": ["Yesterday {} was in the news.", "Everybody speaks of {} again.", "{} is older than one thinks."],
    "de": ["Gestern stand {} in der Zeitung.", "Alle reden wieder von {}."],
    "ja": ["昨日、{}が新聞に載った。", "みんなが{}の話をしている。"],
}
LONG = "word " * 40


def mention_rows(language, entities, prefix=""):
    """Mentions of entities; some lie far within a long text."""
    rows = []
    for entity in entities:
        name = ENTITIES[entity][1]
        for place, form in enumerate(CONTEXTS[language]):
            before = prefix + form.partition("{}")[0]
            row = {"id": f"{language}-{entity}-{place}", "language": language, "context": prefix + form.format(name)}
            row |= {"mention": name, "mention_start": len(before), "entity": entity}
            rows.append(row | {"entity_description": ENTITIES[entity][2]})
    return rows


MENTION = {"id": text(), "language": text(), "context": text(), "mention": text(), "mention_start": integer()}
MENTION |= {"entity": text(), "entity_description": text()}
PAIRS = [row | {"id": f"{row['id']}-{n}"} for n in range(2) for row in mention_rows("en", ENTITIES, f"{n} times. ")]
MEWSLIX = {
    "wikipedia_pairs": Config(MENTION, {"train": PAIRS}),
    **{
        f"wikinews_mentions.{code}": Config(
            MENTION, {"test": mention_rows(code, ("Q1", "Q3", "Q4", "Q6"), LONG if code == "en" else "")}
        )
        for code in CONTEXTS
    },
    "candidate_entities": Config(
        {"entity": text(), "language": text(), "title": text(), "description": text()},
        {
            "test": [
                {"entity": entity, "language": language, "title": title, "description": about}
                for entity, (language, title, about) in ENTITIES.items()
            ]
            + [{"entity": "Q1", "language": "de", "title": "Lentow", "description": "Eine Stadt mit einer Mühle."}]
        },
    ),
}
