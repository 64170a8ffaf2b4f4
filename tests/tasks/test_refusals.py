"""Bad input is refused by a message that names the file, the row, the value and what is allowed."""

import re

import pyarrow.parquet
import pytest

from tests.fixture_rows.write import rewrite_split, split_file, write_fixtures
from xt.errors import DataError
from xt.tasks import (
    fingerprint_evaluation,
    fingerprint_training,
    list_languages,
    read_evaluation,
    read_training,
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder root of one's own."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    write_fixtures(tmp_path / "root")
    return tmp_path / "root"


def put(column, value, index=1):
    """A change of one cell."""

    def change(rows):
        rows[index][column] = value

    return change


def put_everywhere(column, value):
    """A change of a whole column."""

    def change(rows):
        for row in rows:
            row[column] = value

    return change


def answers(*pairs):
    return {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]}


XTREME = "google/xtreme"
BAD_EVALUATION = {
    "constant labels": (
        "xnli", "en", XTREME, "XNLI", "test", put_everywhere("gold_label", "entailment"),
        "xnli, en, split 'test': the gold of all 12 rows is 0: placeholders",
    ),
    "hidden labels of numbers": (
        "mnli", "en", "nyu-mll/glue", "mnli", "validation_matched", put("label", -1),
        "row 1 .en.: label -1 is a placeholder .* allowed: 0, 1, 2",
    ),
    "hidden labels of text": (
        "hellaswag", "en", "Rowan/hellaswag", "default", "validation", put("label", ""),
        "row 1 .en.: label '' is a placeholder .* allowed: '0', '1', '2', '3'",
    ),
    "a missing label": (
        "xnli", "ar", XTREME, "XNLI", "test", put("gold_label", None), "row 1 .ar.: label None is a placeholder"
    ),
    "an unknown label": (
        "xnli", "ar", XTREME, "XNLI", "test", put("gold_label", "maybe"),
        "row 1 .ar.: unknown label 'maybe'; allowed: 'entailment', 'neutral', 'contradiction'",
    ),
    "missing text": (
        "xnli", "ar", XTREME, "XNLI", "test", put("sentence2", None), "row 1 .ar.: hypothesis is None"
    ),
    "premises out of step": (
        "xnli", "ar", XTREME, "XNLI", "test", lambda rows: rows[1:], "row 0: expected 3 rows with one premise"
    ),
    "too few choices": (
        "hellaswag", "en", "Rowan/hellaswag", "default", "validation", put("endings", ["one", "two"]),
        "row 1 .en.: choices are .'one', 'two'.; expected 4",
    ),
    "tokens and tags of unequal length": (
        "udpos", "de", XTREME, "udpos.German", "test", put("pos_tags", [7]), "row 1 .de.: 7 tokens but 1 tags"
    ),
    "an unknown tag": (
        "udpos", "th", XTREME, "udpos.Thai", "test", put("pos_tags", [7, 17, 7]),
        "row 1 .th.: unknown label 17; allowed: 0, 1, .* 16",
    ),
    "an empty sentence": (
        "panx", "zh", XTREME, "PAN-X.zh", "test", put("tokens", []), "row 1 .zh.: no tokens"
    ),
    "constant tags": (
        "panx", "zh", XTREME, "PAN-X.zh", "test",
        lambda rows: [row | {"ner_tags": [0] * len(row["tokens"])} for row in rows],
        "the gold of all 12 rows is 0: placeholders",
    ),
    "an offset beside its answer": (
        "xquad", "de", XTREME, "XQuAD.de", "validation", put("answers", answers(("1874", 2))),
        "row 5f000001 .de.: expected '1874' at character 2 of its context, found 'ra T'",
    ),
    "a text that its context lacks": (
        "xquad", "de", XTREME, "XQuAD.de", "validation", put("answers", answers(("1875", 41))),
        "row 5f000001 .de.: expected '1875' at character 41 of its context, found '1874'",
    ),
    "an offset before its passage": (
        "xquad", "de", XTREME, "XQuAD.de", "validation", put("answers", answers(("Mira", -4))),
        "row 5f000001 .de.: expected 'Mira' at character -4",
    ),
    "a question without answers": (
        "tydiqa", "ar", XTREME, "tydiqa", "validation", put("answers", answers()), "row arabic-.* answers are"
    ),
    "empty answers": (
        "tydiqa", "ar", XTREME, "tydiqa", "validation", put("answers", answers(("", 0))), "answers are .*''"
    ),
    "constant answers": (
        "xquad", "hi", XTREME, "XQuAD.hi", "validation",
        lambda rows: [row | {"answers": answers((row["context"][-1], len(row["context"]) - 1))} for row in rows
                      if row["context"].endswith("।")],
        "the gold of all 9 rows is '।'",
    ),
    "an empty sentence of a pair": (
        "tatoeba", "th", XTREME, "tatoeba.tha", "validation", put("target_sentence", " \n"),
        "row 1 .th.: target is empty",
    ),
    "an id that occurs twice": (
        "xquad", "de", XTREME, "XQuAD.de", "validation", put("id", "5f000000"), "id '5f000000' occurs twice"
    ),
    "a question without answers, where none is meant": (
        "mlqa", "de", XTREME, "MLQA.de.de", "test", put("answers", answers()), "row a21 .de.: answers are"
    ),
    "answers that are all empty": (
        "squad_v2", "en", "rajpurkar/squad_v2", "squad_v2", "validation", put_everywhere("answers", answers()),
        "squad_v2, en, split 'validation': the gold of all 12 rows is '': placeholders",
    ),
    "answers of nothing": (
        "squad_v2", "en", "rajpurkar/squad_v2", "squad_v2", "validation", put("answers", None), "answers are .*None"
    ),
    "a label beyond the two": (
        "pawsx", "zh", XTREME, "PAWS-X.zh", "test", put("label", "2"),
        "row 1 .zh.: unknown label '2'; allowed: '0', '1'",
    ),
    "an idx that English COPA has not": (
        "xcopa", "it", "cambridgeltl/xcopa", "it", "test", put("idx", 17),
        "row 17 .it.: idx 17 is not in English COPA; expected one of 0 to 5",
    ),
    "an idx that occurs twice": (
        "xcopa", "it", "cambridgeltl/xcopa", "it", "test", put("idx", 5), "id '5' occurs twice"
    ),
    "a question of COPA that is neither": (
        "copa", "en", "aps/super_glue", "copa", "validation", put("question", "reason"),
        "row 1 .en.: question 'reason'; expected cause, effect",
    ),
    "letters out of order": (
        "commonsenseqa", "en", "tau/commonsense_qa", "default", "validation",
        put("choices", {"label": list("ABCED"), "text": list("vwxyz")}), "row b0001 .en.: choices are .*'E', 'D'",
    ),
    "a context that is missing": (
        "siqa", "en", "lighteval/siqa", "default", "validation", put("context", None), "row 1 .en.: context is None"
    ),
    "a tag that is neither PAN-X's nor a date": (
        "masakhaner", "sw", "masakhane/masakhaner2", "swa", "test", put("ner_tags", [0] * 5 + [9]),
        "row 1 .sw.: unknown label 9; allowed: 0, .* 8",
    ),
    "a pair of lines that are not there": (
        "bucc2018", "de", "mteb/BUCC", "de-en", "test", put("gold", [[1, 5], [7, 1]], 0),
        "row gold .de.: pair 7, 1: there are 6 and 5 lines",
    ),
    "pairs that count from 0": (
        "bucc2018", "de", "mteb/BUCC", "de-en", "test", put("gold", [[0, 4]], 0), "row gold .de.: pair 0, 4"
    ),
    "no gold pairs": (
        "bucc2018", "de", "mteb/BUCC", "de-en", "test", put("gold", [], 0),
        "the gold of all 6 rows is \\(\\): placeholders",
    ),
    "sentences beside their offsets": (
        "lareqa", "de", "google-research-datasets/xquad_r", "de", "validation",
        put("sentence_breaks", [[0, 46], [48, 72]]), "row 5f000001 .de.: sentence_breaks .* do not give its sentences",
    ),
    "a mention beside its offset": (
        "mewslix", "de", "izhx/mewsli-x", "wikinews_mentions.de", "test", put("mention_start", 13),
        "row de-Q1-1 .de.: expected 'Lentow' at character 13, found",
    ),
    "an entity that is no candidate": (
        "mewslix", "de", "izhx/mewsli-x", "wikinews_mentions.de", "test", put("entity", "Q9"),
        "query 'de-Q1-1' has 'Q9' for its answer, which is no candidate",
    ),
    "no rows": (
        "udpos", "zh", XTREME, "udpos.Chinese", "test", lambda rows: rows.clear(), "no rows for language 'zh'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_EVALUATION)
def test_bad_evaluation_rows(case, root):
    task, language, dataset, config, split, change, message = BAD_EVALUATION[case]
    read_evaluation(task, str(root), language)
    rewrite_split(root, dataset, config, split, change)
    with pytest.raises(DataError, match=message) as refusal:
        read_evaluation(task, str(root), language)
    elsewhere = re.search("placeholders|no candidate", str(refusal.value))
    assert str(root if elsewhere else split_file(root, dataset, config, split)) in str(refusal.value)


def test_hidden_labels_are_refused_in_training_too(root):
    rewrite_split(root, "nyu-mll/glue", "mnli", "train", put("label", -1))
    with pytest.raises(DataError, match="row 1 .en.: label -1 is a placeholder"):
        read_training("xnli", str(root), num_selection=8)


HIDDEN = {"mnli": "test_matched"} | dict.fromkeys(("qqp", "hellaswag", "cosmosqa", "commonsenseqa", "copa"), "test")


@pytest.mark.parametrize(("task", "split"), HIDDEN.items())
def test_hidden_test_splits_are_refused(task, split, fixtures_root):
    with pytest.raises(DataError, match="is a placeholder for a hidden label"):
        read_evaluation(task, fixtures_root, "en", split=split)


def test_a_language_that_a_mixed_split_lacks(fixtures_root):
    with pytest.raises(DataError, match=r"XNLI.test-.*: no rows for language 'fr' \(French\)"):
        read_evaluation("xnli", fixtures_root, "fr")


def test_classes_in_another_order(root):
    file = split_file(root, "nyu-mll/glue", "mnli", "train")
    table = pyarrow.parquet.read_table(file)
    metadata = {b"huggingface": table.schema.metadata[b"huggingface"].replace(b"neutral", b"unrelated")}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), file)
    with pytest.raises(DataError, match="classes of label are .*unrelated.*; expected .*neutral"):
        read_training("mnli", str(root), num_selection=8)


def test_a_missing_column(root):
    file = split_file(root, XTREME, "udpos.Thai", "test")
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(file).drop_columns("pos_tags"), file)
    with pytest.raises(DataError, match="no column 'pos_tags'; there is: tokens"):
        read_evaluation("udpos", str(root), "th")


def test_unknown_names_are_refused_with_the_known_ones(fixtures_root):
    with pytest.raises(ValueError, match="unknown task 'xnil'; did you mean 'xnli'.* allowed: anli_plus, mnli"):
        read_evaluation("xnil", fixtures_root, "en")
    with pytest.raises(ValueError, match="unknown language of xquad 'fr'.* allowed: en, es, de"):
        read_evaluation("xquad", fixtures_root, "fr")
    with pytest.raises(ValueError, match="unknown training language of mnli 'qab'.* allowed: af, ar"):
        read_training("xnli", fixtures_root, language="qab")
    with pytest.raises(ValueError, match="unknown training language of udpos 'gu'.* allowed: af, ar"):
        read_training("udpos", fixtures_root, language="gu")
    with pytest.raises(ValueError, match="unknown root"):
        read_evaluation("xnli", "nowhere/to/be/found", "en")
    with pytest.raises(ValueError, match="tatoeba.* without training"):
        read_training("tatoeba", fixtures_root)


def test_impossible_numbers_are_refused(fixtures_root):
    with pytest.raises(ValueError, match="max_examples is 0; allowed: 1 or more"):
        read_evaluation("xnli", fixtures_root, "en", max_examples=0)
    with pytest.raises(ValueError, match="num_selection is -1; allowed: 0 or more"):
        read_training("xnli", fixtures_root, num_selection=-1)
    with pytest.raises(DataError, match="48 training rows cannot be divided into 500"):
        read_training("xnli", fixtures_root)
    with pytest.raises(DataError, match="48 training rows cannot be divided into 2"):
        read_training("xnli", fixtures_root, num_selection=2)  # a premise has three rows


HOW = "get it with `hf download --repo-type dataset {} --local-dir .*{}`, or use root='hub'"


def test_an_absent_dataset(root):
    for file in (root / "rajpurkar").rglob("*"):
        file.unlink() if file.is_file() else None
    expected = rf"{re.escape(str(root))}/rajpurkar/squad: no dataset .* there is: .*tau/commonsense_qa"
    for read in (lambda: read_training("xquad", str(root)), lambda: read_evaluation("squad", str(root), "en")):
        with pytest.raises(DataError, match=expected) as refusal:
            read()
        assert re.search(HOW.format("rajpurkar/squad", "rajpurkar/squad"), str(refusal.value))


def test_an_absent_config(fixtures_root):
    with pytest.raises(DataError, match="README.md: no config 'udpos.Finnish'; there is: .*udpos.English"):
        read_evaluation("udpos", fixtures_root, "fi")


@pytest.mark.parametrize("ask", [read_evaluation, fingerprint_evaluation])
def test_an_absent_split(ask, fixtures_root):
    with pytest.raises(DataError, match="README.md: no split 'test' of XQuAD.de; there is: validation; get it with"):
        ask("xquad", fixtures_root, "de", split="test")


def test_files_that_the_card_names_but_are_gone(root):
    split_file(root, XTREME, "udpos.German", "test").unlink()
    with pytest.raises(DataError, match=r"udpos.German/test-\*: no such file, .* get it with"):
        read_evaluation("udpos", str(root), "de")
    assert list_languages("udpos", str(root)) == ("ar", "en", "th", "zh")


def test_a_split_of_which_only_some_files_are_here(root):
    file = split_file(root, XTREME, "udpos.German", "test")
    file.rename(file.with_name("test-00000-of-00002.parquet"))
    for ask in (read_evaluation, fingerprint_evaluation):
        with pytest.raises(DataError, match=r"udpos.German/test-\*: 1 files here, 2 expected; get it with"):
            ask("udpos", str(root), "de")


def test_a_pointer_in_place_of_a_file(root):
    file = split_file(root, XTREME, "udpos.German", "test")
    file.write_text("version 1\nsize 12345\n")
    with pytest.raises(DataError, match=f"{re.escape(str(file))}: not readable as parquet .* Git LFS pointer"):
        read_evaluation("udpos", str(root), "de")


@pytest.mark.parametrize("card", ["# no front matter\n", "---\nlicense: mit\n---\n", "---\nconfigs:\n- a: b\n---\n"])
def test_a_card_that_names_no_files(card, root):
    (root / XTREME / "README.md").write_text(card)
    with pytest.raises(DataError, match="README.md: its front matter must list `configs`"):
        read_evaluation("udpos", str(root), "de")


def test_an_unknown_status(root):
    manifest = root / "MIRROR.json"
    manifest.write_text(manifest.read_text().replace('"fixture"', '"perfect"'))
    with pytest.raises(DataError, match="MIRROR.json: unknown status 'perfect'; allowed: complete, subset"):
        read_evaluation("udpos", str(root), "de")


def test_a_translation_that_is_nowhere_is_refused_with_both_places(fixtures_root):
    expected = "no config 'mnli.fr'; .*translate.ipynb.*; or: .*facebook/xnli/README.md: no config 'fr'; there is: de; "
    for ask in (read_training, fingerprint_training):
        with pytest.raises(DataError, match=expected):
            ask("xnli", fixtures_root, language="fr")
    with pytest.raises(DataError, match=r"no rows for language 'bn' \(Bengali\)"):
        read_training("tydiqa", fixtures_root, language="bn")


def test_sentences_that_the_hubs_copy_lacks(root):
    file = split_file(root, "google-research-datasets/xquad_r", "de", "validation")
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(file).drop_columns(["sentences", "sentence_breaks"]), file)
    with pytest.raises(DataError, match="no column 'sentences'; there is: .*; the hub's copy lacks the sentences"):
        read_evaluation("lareqa", str(root), "de")


def test_xcopa_whose_label_is_not_english_copas(root):
    rewrite_split(root, "cambridgeltl/xcopa", "it", "validation", put("label", 0))
    with pytest.raises(DataError, match="row 1 .it.: label 0, but 1 in English COPA: a wrong idx?"):
        read_evaluation("xcopa", str(root), "it", split="validation")


def test_xcopa_without_english_copa(root):
    (root / "aps" / "super_glue" / "README.md").unlink()
    for ask in (read_evaluation, fingerprint_evaluation):
        with pytest.raises(DataError, match="aps/super_glue: no dataset"):
            ask("xcopa", str(root), "it")


def test_training_answers_beside_their_offsets_find_no_sentence(root):
    rewrite_split(root, "rajpurkar/squad", "plain_text", "train", put("answers", answers(("1700", 2))))
    with pytest.raises(DataError, match="row 00000001 .en.: expected '1700' at character 2 of its context"):
        read_training("lareqa", str(root), num_selection=8)


def test_the_hub_has_what_the_row_says_and_no_more():
    with pytest.raises(DataError, match="the hub's facebook/xnli has no rows for language 'fi'"):
        fingerprint_training("mnli", "hub", "fi")
    with pytest.raises(DataError, match="the hub's izhx/mewsli-x has no rows .*JSON lines"):
        fingerprint_evaluation("mewslix", "hub", "de")
    assert list_languages("mewslix", "hub") == () and len(list_languages("panx", "hub")) == 40
