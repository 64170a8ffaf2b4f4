"""CCGbank from a folder that the user names: derivations or lines, sections or a file per split."""

import shutil

import pytest

from tests.fixture_rows.tagged import CCG_LINES
from xt.errors import DataError
from xt.tasks import fingerprint_evaluation, fingerprint_training, list_languages, read_evaluation, read_training
from xt.tasks.ccgbank import read_sentences


def derive(line: str) -> str:
    """A line of `word|POS|category` as a derivation whose inner nodes are not to be read."""
    leaves = [word.split("|") for word in line.split()]
    told = [f"(<L {category} {tag} {tag} {word} {category}_1>)" for word, tag, category in leaves]
    return f"(<T S[dcl] 0 2> {' '.join(told)} )"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that XT_CCGBANK names, empty."""
    (tmp_path / "ccgbank").mkdir()
    monkeypatch.setenv("XT_CCGBANK", str(tmp_path / "ccgbank"))
    return tmp_path / "ccgbank"


@pytest.fixture
def root(tmp_path):
    """A root without CCG of its own."""
    (tmp_path / "root").mkdir()
    return str(tmp_path / "root")


def write_sections(place, sections, form=derive, ending="auto"):
    """Section -> lines, half of them in each of two files; derivations have a line with an id before them."""
    for section, lines in sections.items():
        folder = place / "data" / "AUTO" / section
        folder.mkdir(parents=True)
        for number, part in enumerate((lines[: len(lines) // 2], lines[len(lines) // 2 :])):
            text = [
                f"ID=wsj_{section}{number:02}.{n} PARSER=GOLD NUMPARSE=1\n{form(line)}" for n, line in enumerate(part)
            ]
            (folder / f"wsj_{section}{number:02}.{ending}").write_text("\n".join(text) + "\n", encoding="utf-8")
        beside = place / "data" / "PARG" / section
        beside.mkdir(parents=True)
        (beside / f"wsj_{section}00.parg").write_text("<s> 3\n1 0 N/N 1 no derivation\n<\\s>\n", encoding="utf-8")


SECTIONS = {
    "02": CCG_LINES["train"][:20],
    "21": CCG_LINES["train"][20:],
    "22": ["Not|RB|N trained|VBN|N on|IN|N"],
    "00": CCG_LINES["validation"],
    "23": CCG_LINES["test"],
}


def test_sections_and_files_of_splits_are_read_alike(place, root, fixtures_root):
    own = read_training("ccg", fixtures_root, num_selection=8)
    write_sections(place, SECTIONS)
    sections = read_training("ccg", root, num_selection=8)
    assert (sections.train, sections.selection, sections.status) == (own.train, own.selection, "complete")
    assert sections.files[0] == "$XT_CCGBANK/data/AUTO/02/wsj_0200.auto" and len(sections.files) == 4
    scored = read_evaluation("ccg", root, "en")
    assert scored.examples == read_evaluation("ccg", fixtures_root, "en").examples and 0 in scored.examples[3].tags
    assert read_evaluation("ccg", root, "en", split="test").examples[0].tokens[0] == "The"
    shutil.rmtree(place / "data")
    for split, name in (("train", "train.txt"), ("validation", "dev.stagged"), ("test", "test.txt")):
        (place / name).write_text("\n".join(CCG_LINES[split]), encoding="utf-8")
    assert read_training("ccg", root, num_selection=8).train == own.train
    assert read_evaluation("ccg", root, "en").examples == scored.examples


def test_a_root_with_ccg_of_its_own_needs_no_folder(place, fixtures_root):
    before = fingerprint_training("ccg", fixtures_root)
    write_sections(place, SECTIONS)
    assert fingerprint_training("ccg", fixtures_root) == before
    assert read_training("ccg", fixtures_root, num_selection=8).status == "fixture"


def test_a_fingerprint_moves_with_the_training_rows_that_number_the_labels(place, root):
    write_sections(place, SECTIONS)
    assert list_languages("ccg", root) == ("en",)
    train, scored = fingerprint_training("ccg", root), fingerprint_evaluation("ccg", root, "en")
    (place / "data" / "AUTO" / "22" / "wsj_2200.auto").write_text("", encoding="utf-8")
    assert (fingerprint_training("ccg", root), fingerprint_evaluation("ccg", root, "en")) == (train, scored)
    (place / "data" / "AUTO" / "02" / "wsj_0200.auto").write_text(derive("One|CD|N"), encoding="utf-8")
    assert fingerprint_training("ccg", root) != train and fingerprint_evaluation("ccg", root, "en") != scored


def test_without_the_folder_the_message_says_what_to_get(place, root):
    for ask in (fingerprint_training, read_training):
        with pytest.raises(
            DataError, match="no dataset.*; or: .*no CCGbank for split 'train'.*LDC2005T13.*set XT_CCGBANK"
        ):
            ask("ccg", root)
    with pytest.raises(DataError, match="^[^;]*no CCGbank for split 'train'"):
        read_training("ccg", "hub")
    assert list_languages("ccg", root) == ()


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("train.auto", "(<T S[dcl] 0 2> )", r"train.auto, line 3: .* is no derivation; expected"),
        ("train.auto", "(<L N NN NN dog N>) (<L N NN cat N>)", r"train.auto, line 3: .* is no derivation"),
        ("train.txt", "The|DT|NP/N dog|NN", r"train.txt, line 3: 'dog\|NN'; expected word\|POS\|category"),
        ("train.txt", "The|DT|NP/N ||.", r"train.txt, line 3: '\|\|.'; expected"),
    ],
)
def test_a_line_that_is_no_sentence_is_named(name, line, words, place, root):
    good = CCG_LINES["train"][0]
    good = derive(good) if name.endswith("auto") else good
    (place / name).write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_training("ccg", root, num_selection=0)


def test_a_word_may_hold_a_bar_and_an_empty_file_is_refused(place, root):
    (place / "train.txt").write_text("a|b|NN|N\n", encoding="utf-8")
    assert list(read_sentences(place / "train.txt")) == [(("a|b",), ("NN",), ("N",))]
    (place / "train.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="train.txt: no sentences"):
        read_training("ccg", root)
