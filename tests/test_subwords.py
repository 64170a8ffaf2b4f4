"""Fertility, unknown subwords and overlap on texts that can be counted by hand, and on the fixtures."""

from dataclasses import replace
from string import ascii_letters

import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from xt.errors import DataError
from xt.grid import StudyRunner
from xt.studies import get_study
from xt.subwords import FILE, SUBWORD_SCHEMA, count_subwords, load_subwords, read_subwords
from xt.tasks.examples import MultipleChoice, SentencePair, Tagging
from xt.vocabularies import has_subwords, known_subwords, open_tokenizer, texts_of, write_subwords

STUDY = replace(
    get_study("smoke"),
    targets=("udpos", "xnli", "tatoeba"),
    languages={"udpos": ("en", "zh"), "xnli": ("en", "de"), "tatoeba": ("de",)},
)


@pytest.fixture(scope="module")
def letters():
    """A tokenizer of five letters and a digit, one subword each; blanks part words, all else is unknown."""
    made = Tokenizer(
        models.WordPiece({"[UNK]": 0} | {sign: n for n, sign in enumerate("abcde1", 1)}, unk_token="[UNK]")
    )
    made.model.continuing_subword_prefix = ""
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def test_a_word_is_what_stands_between_blanks(letters):
    row = count_subwords(letters, ["ab c", "dd1"], None, {1, 2})
    assert (row["num_texts"], row["num_words"], row["num_characters"], row["num_subwords"]) == (2, 3, 6, 6)
    assert row["fertility"] == 2 and row["per_character"] == 1 and row["unknown"] == 0
    assert row["overlap"] == pytest.approx(2 / 5), "a and b of a b c d d; the digit is not compared"


def test_where_words_are_written_together_they_are_given_or_fertility_is_missing(letters):
    given = count_subwords(letters, ["abcd"], [("ab", "c", "d")], set())
    assert (given["num_words"], given["fertility"]) == (3, pytest.approx(4 / 3)) and given["overlap"] is None
    unknown = count_subwords(letters, ["abcd"], [], set())
    assert unknown["num_words"] is None and unknown["fertility"] is None and unknown["per_character"] == 1


def test_what_is_unknown_is_counted_and_shared_with_nothing(letters):
    row = count_subwords(letters, ["a xyz"], None, {1, 0})
    assert row["unknown"] == 0.5 and row["overlap"] == 0.5


def test_each_text_is_read_once_in_its_own_language_and_words_only_where_they_are_words():
    pair = SentencePair("1", "1", "de", "Guten Tag", "Good day")
    assert texts_of("tatoeba", "de", [pair, replace(pair, id="2")]) == (["Guten Tag"], None)
    choice = MultipleChoice("1", "1", "de", "A", ("B", "C"), 0)
    assert texts_of("xcopa", "de", [choice])[0] == ["A", "B", "C"]
    german, chinese = Tagging("1", "1", "de", ("Guten", "Tag"), (0, 0)), Tagging("1", "1", "zh", ("你", "好"), (0, 0))
    assert texts_of("udpos", "de", [german]) == (["Guten Tag"], None)
    assert texts_of("udpos", "zh", [chinese]) == (["你好"], [("你", "好")])
    assert texts_of("panx", "zh", [chinese]) == (["你好"], []), "its words are single characters"


def test_overlap_is_with_all_texts_of_the_training_language(letters):
    texts = {("udpos", "en"): (["ab 1"], None), ("xnli", "en"): (["c x"], None), ("xnli", "de"): (["d"], None)}
    assert known_subwords(letters, texts, "en") == {1, 2, 3} and known_subwords(letters, texts, "qaa") == set()


@pytest.fixture(scope="module")
def latin():
    """A tokenizer of Latin letters."""
    made = Tokenizer(models.WordPiece({"[UNK]": 0} | {sign: n for n, sign in enumerate(ascii_letters, 1)},
                                      unk_token="[UNK]", continuing_subword_prefix=""))  # fmt: skip
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


@pytest.fixture(scope="module")
def counted(tmp_path_factory, latin):
    place = tmp_path_factory.mktemp("results") / "smoke"
    place.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xt.vocabularies.open_tokenizer", lambda *_: latin)
        write_subwords(STUDY, place)
    return place


def test_a_study_is_counted_in_every_target_and_language(counted):
    table = read_subwords(counted / FILE)
    assert set(zip(table["target"], table["eval_language"], strict=True)) == {
        ("udpos", "en"), ("udpos", "zh"), ("xnli", "en"), ("xnli", "de"), ("tatoeba", "de"),
    }  # fmt: skip
    assert set(table["encoder"]) == {"tiny"} and table["fertility"].notna().all()
    cells = table.set_index(["target", "eval_language"])
    assert cells["overlap"]["udpos", "zh"] == 0 and cells["unknown"]["udpos", "zh"] == 1
    assert cells["overlap"]["xnli", "en"] > cells["overlap"]["xnli", "de"] > 0.5, "umlauts are unknown"
    assert cells["fertility"]["xnli", "en"] > 2


def test_encoders_that_share_a_tokenizer_share_a_row_and_are_told_apart_when_read(counted, tmp_path, monkeypatch):
    table = pd.read_csv(counted / FILE, dtype=str, keep_default_na=False).assign(encoders="tiny other")
    (tmp_path / "two").mkdir()
    table.to_csv(tmp_path / "two" / FILE, index=False)
    assert has_subwords(STUDY, counted) and not has_subwords(replace(STUDY, encoders=("tiny", "other")), counted)
    assert has_subwords(replace(STUDY, encoders=("tiny", "other")), tmp_path / "two")
    assert len(read_subwords(tmp_path / "two" / FILE)) == 2 * len(table)
    pd.concat([table, table]).to_csv(tmp_path / "two" / FILE, index=False)
    with pytest.raises(DataError, match="rows repeat"):
        read_subwords(tmp_path / "two" / FILE)


def test_a_run_writes_what_is_missing_once_and_says_why_it_cannot(tmp_path, monkeypatch, latin):
    monkeypatch.setenv("XT_RESULTS", str(tmp_path))
    said = []
    runner = StudyRunner(STUDY, said.append)
    runner.count_subwords()
    assert said == [], "no results, no counts"
    (tmp_path / "smoke").mkdir()
    monkeypatch.setattr("xt.vocabularies.open_tokenizer", lambda *_: (_ for _ in ()).throw(DataError("no tokenizer")))
    runner.count_subwords()
    assert said == ["subwords are not counted: no tokenizer"]
    monkeypatch.setattr("xt.vocabularies.open_tokenizer", lambda *_: latin)
    runner.count_subwords(), runner.count_subwords()
    assert len(said) == 2 and said[1].endswith("smoke/subwords.csv") and (tmp_path / "smoke" / FILE).is_file()


def test_a_study_that_was_not_counted_names_the_command(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runs.csv").write_text("run_id\n")
    with pytest.raises(DataError, match="no subword counts of study 'mine'.*`xt run mine` writes it"):
        load_subwords("mine", tmp_path)


def test_a_tokenizer_is_found_in_a_folder_or_said_to_be_nowhere(mini_encoder):
    assert open_tokenizer(str(mini_encoder), "fixtures").get_vocab_size() == 16_000
    with pytest.raises(DataError, match="(?s)tokenizer of encoder 'nobody/nothing'.* use a folder"):
        open_tokenizer("nobody/nothing", "fixtures")


def test_columns_are_those_of_the_schema(counted):
    assert (counted / FILE).read_text().splitlines()[0] == ",".join(SUBWORD_SCHEMA)
