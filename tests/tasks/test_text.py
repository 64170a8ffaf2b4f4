"""Text to pretrain on: a folder of plain files, the lab, and what is refused."""

import pytest

from xt.errors import DataError
from xt.lab.languages import LAB_LANGUAGES
from xt.parameters import pretrain_config
from xt.tasks import fingerprint_text, read_text, text_languages, text_status


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "en.txt").write_text("One line.\n\n  Another.  \n", encoding="utf-8")
    (tmp_path / "de.txt").write_text("Eine Zeile.\n", encoding="utf-8")
    return str(tmp_path)


def test_lines_of_a_plain_file_are_documents(folder):
    assert read_text(folder, "en") == ["One line.", "Another."]
    assert text_languages(folder) == ("de", "en") and text_status(folder, "en") == "complete"


def test_an_encoder_on_plain_text_reads_the_languages_that_are_there_and_its_id_moves_with_the_text(folder, tmp_path):
    config = pretrain_config(encoder="text-base", root=folder)
    before = config.model_id
    assert config.recipe.languages == config.recipe.tokenizer_languages == ("de", "en")
    (tmp_path / "de.txt").write_text("Eine andere Zeile.\n", encoding="utf-8")
    assert pretrain_config(encoder="text-base", root=folder).model_id != before


def test_text_of_the_lab_is_generated_and_named_by_its_world_alone():
    assert fingerprint_text("lab-100", "qaa") != fingerprint_text("lab-101", "qaa")
    assert text_status("lab-100", "qaa") == "generated"
    assert read_text("lab-100", "qad")[:3] == read_text("lab-100", "qad")[:3] != read_text("lab-101", "qad")[:3]


@pytest.mark.parametrize(
    "root, words",
    [
        ("hub", "the hub's wikimedia/wikipedia has no rows for language 'qaa'"),
        ("fixtures", "no config 'qaa'|no dataset with a card .* put text of one's own there as <language>.txt; or: "),
    ],
)
def test_a_root_without_text_is_refused_when_planning(root, words):
    with pytest.raises(DataError, match=words):
        print(pretrain_config(encoder="lab-tiny", root=root).model_id)


def test_text_of_the_mirror_and_of_the_hub(mirror_root):
    languages = text_languages(mirror_root)
    assert len(languages) == 39 and languages[:2] == ("af", "ar")
    assert text_status(mirror_root, "de") == "complete" and len(read_text(mirror_root, "kk")) == 875
    assert fingerprint_text(mirror_root, "de")[0] == "local/multilingual-text"
    on_hub = text_languages("hub")
    assert {"en", "ha", "sw"} < set(on_hub) and not {"yo", "qu", "qaa"} & set(on_hub), "what XLM-R has read"
    assert fingerprint_text("hub", "ha") == ["wikimedia/wikipedia", "20231101.ha", "train", "ha", "main"]
    assert text_languages("lab-100") == tuple(code for code, row in LAB_LANGUAGES.items() if row.resource != "unseen")


def test_an_unseen_language_and_an_empty_folder_have_no_text(tmp_path):
    with pytest.raises(DataError, match="no config 'qaq'"):
        read_text("lab-100", "qaq")
    with pytest.raises(DataError, match="needed are files <language>.txt"):
        pretrain_config(encoder="text-base", root=str(tmp_path))
    (tmp_path / "en.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no text of 'en'"):
        read_text(str(tmp_path), "en")
