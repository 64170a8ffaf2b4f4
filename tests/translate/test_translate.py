"""Training rows in another language: what is written, what is lost, what a killed translation goes on from."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import safetensors.torch
import sentencepiece
import torch
import transformers

from xt.errors import DataError
from xt.languages import LANGUAGES, get_language
from xt.locations import vocabulary_files
from xt.pretrain import read_texts
from xt.tasks import TASKS, Answer, get_task, read_training
from xt.translate import Translator, translate_task, translation_config
from xt.translate.models import build_tiny_translator, load_translator, nllb_code, open_model
from xt.translate.rows import tell_sentence
from xt.translate.run import sources_of, translatable_tasks
from xt.translate.run import translate_texts as translate_texts_of

SPLITS = {
    "mnli": ("nyu-mll/glue", "mnli", "train"),
    "hellaswag": ("Rowan/hellaswag", "default", "train"),
    "squad": ("rajpurkar/squad", "plain_text", "train"),
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def ask(task, tmp_path, **settings):
    settings = {"translator": "tiny", "into": str(tmp_path / "root"), "language": "de", "root": "fixtures"} | settings
    return translation_config(task=task, **settings)


def rows_of(root, task, code=""):
    """The rows of a file, answers that it names twice once."""
    dataset, config, split = SPLITS[task]
    (file,) = (Path(root) / dataset / f"{config}{code}").glob(f"{split}-*.parquet")
    rows = pq.read_table(file).to_pylist()
    return [row | ({"answers": distinct(row["answers"])} if "answers" in row else {}) for row in rows]


def distinct(answers):
    pairs = dict.fromkeys(zip(answers["text"], answers["answer_start"], strict=True))
    return {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]}


def turn(text):
    """Another language: every word backwards, the order of words too; marks stay with their words."""
    words = [word[::-1].translate(str.maketrans("[]<>", "][><")) for word in text.split()]
    return " ".join(reversed(words))


def lose_marks_of_numbers(text):
    """The same, but the marks around numbers do not come back."""
    marked = text[text.find("[") + 1 : text.find("]")]
    return turn(text.replace("[", "").replace("]", "") if any(map(str.isdigit, marked)) else text)


def by(function, **settings):
    return lambda config: Translator(lambda texts: [function(text) for text in texts], **settings)


@pytest.mark.parametrize("task", translatable_tasks())
def test_a_copy_is_the_training_data_again_in_the_language(task, tmp_path, fixtures_root):
    records = translate_task(ask(task, tmp_path, language="fr"), by(str))
    home, there = read_training(task, fixtures_root, num_selection=0), str(tmp_path / "root")
    away = read_training(task, there, language="fr", num_selection=0)
    assert away.translated and away.status == "fixture"
    assert away.train == [replace(example, language="fr") for example in home.train], "ids and clusters too"
    assert read_training(task, there, num_selection=0) == home, "English is there too"
    assert len(records) == len(sources_of(get_task(task))) and not any(r["num_lost"] for r in records.values())


@pytest.mark.parametrize("task", SPLITS)
def test_a_copy_is_the_release_again(task, tmp_path, fixtures_root):
    ((name, record),) = translate_task(ask(task, tmp_path), by(str)).items()
    assert rows_of(tmp_path / "root", task, ".de") == rows_of(fixtures_root, task)
    assert name == "/".join(SPLITS[task]).replace("/train", ".de/train")
    assert (record["num_rows"], record["num_lost"], record["lost_share"]) == (48, {}, 0)


def test_texts_are_translated_and_the_rest_is_copied(tmp_path, fixtures_root):
    translate_task(ask("hellaswag", tmp_path), by(turn))
    for home, away in zip(
        rows_of(fixtures_root, "hellaswag"), rows_of(tmp_path / "root", "hellaswag", ".de"), strict=True
    ):
        assert away == home | {"ctx": away["ctx"], "endings": away["endings"]}
        assert away["endings"] == [turn(text) for text in home["endings"]] and away["ctx"] != home["ctx"]


def test_what_is_a_code_is_copied(tmp_path, fixtures_root):
    for task, column in (("copa", "question"), ("commonsenseqa", "choices")):
        translate_task(ask(task, tmp_path), by(turn))
        config, split = get_task(task).training.config, get_task(task).training.split
        home, away = (
            pq.read_table(next((Path(root) / get_task(task).training.dataset / name).glob(f"{split}-*"))).to_pylist()
            for root, name in ((fixtures_root, config), (tmp_path / "root", f"{config}.de"))
        )
        codes = [
            [row[column]["label"] if task == "commonsenseqa" else row[column] for row in rows] for rows in (home, away)
        ]
        assert codes[0] == codes[1] and home != away


def test_questions_without_an_answer_stay_and_are_not_counted_as_lost(tmp_path, fixtures_root):
    (record,) = translate_task(ask("squad_v2", tmp_path), by(lambda text: turn(text.replace("[", "")))).values()
    home = read_training("squad_v2", fixtures_root, num_selection=0).train
    away = read_training("squad_v2", str(tmp_path / "root"), language="de", num_selection=0).train
    assert [e.id for e in away] == [e.id for e in home if not e.answers] != []
    assert record["num_lost"] == {"answer": len(home) - len(away)}


def test_answers_lie_where_the_words_of_their_translation_are(tmp_path, fixtures_root):
    translate_task(ask("squad", tmp_path), by(turn))
    for home, away in zip(rows_of(fixtures_root, "squad"), rows_of(tmp_path / "root", "squad", ".de"), strict=True):
        texts, starts = away["answers"]["text"], away["answers"]["answer_start"]
        assert texts and texts == [turn(text) for text in dict.fromkeys(home["answers"]["text"])]
        assert all(away["context"][start:].startswith(text) for text, start in zip(texts, starts, strict=True))


A, C = Answer("a", 0), Answer("c", 4)


@pytest.mark.parametrize(
    "said, expected",
    [
        pytest.param(["x y z", "[x] y z", "x y [z]"], ("x y z", {A: ("x", 0), C: ("z", 4)}), id="as it is"),
        pytest.param(["x y z", "[u] y w", "x y [w]"], ("u y w", {A: ("u", 0), C: ("w", 4)}), id="as first marked"),
        pytest.param(["x x z", "[x] y z", None], ("x y z", {A: ("x", 0)}), id="words that stand there twice"),
        pytest.param(["x y z", "[u] x", None], ("u x", {A: ("u", 0)}), id="words of the marked one alone"),
        pytest.param([None, "o [x]", None], ("o x", {A: ("x", 2)}), id="marked alone"),
        pytest.param(["x y z", "x y z", "xz] [y"], ("x y z", {}), id="marks lost"),
        pytest.param([None, None, None], (None, {}), id="nothing"),
    ],
)
def test_the_translation_is_taken_that_holds_most_answers(said, expected):
    tell = dict(zip(["a b c", "[a] b c", "a b [c]"], said, strict=True)).__getitem__
    assert tell_sentence("a b c", {A: 0, C: 4}, tell) == expected


def test_questions_that_lose_their_answer_are_left_out_and_counted(tmp_path, fixtures_root):
    (record,) = translate_task(ask("squad", tmp_path), by(lose_marks_of_numbers)).values()
    home, away = rows_of(fixtures_root, "squad"), rows_of(tmp_path / "root", "squad", ".de")
    numbers = [row for row in home if all(any(map(str.isdigit, text)) for text in row["answers"]["text"])]
    assert 0 < len(numbers) < len(home) and [row["id"] for row in away] == [r["id"] for r in home if r not in numbers]
    assert record["num_lost"] == {"answer": len(numbers)} and record["num_rows"] == len(away)
    assert record["lost_share"] == pytest.approx(len(numbers) / len(home), abs=1e-4)
    manifest = json.loads((tmp_path / "root" / "MIRROR.json").read_text())["rajpurkar/squad/plain_text.de"]
    assert manifest["translation"]["train"] == record and manifest["splits"] == {"train": len(away)}
    assert f"{len(numbers)} of 48 rows were lost" in manifest["note"] and "tiny" in manifest["note"]


def test_rows_without_a_translation_are_left_out_and_counted(tmp_path, fixtures_root):
    (record,) = translate_task(ask("mnli", tmp_path), by(lambda text: None if "dog" in text else text)).values()
    lost = [row for row in rows_of(fixtures_root, "mnli") if "dog" in row["premise"] + row["hypothesis"]]
    assert lost and record["num_lost"] == {"untranslated": len(lost)} and record["num_rows"] == 48 - len(lost)
    with pytest.raises(DataError, match="no row came back from the translator; lost: {'untranslated': 48}"):
        translate_task(ask("hellaswag", tmp_path), by(lambda text: None))


def test_no_text_is_longer_than_the_translator_reads_and_each_is_read_once(tmp_path, fixtures_root):
    read = []

    def translate_texts(texts):
        read.extend(texts)
        return texts

    translate_task(ask("squad", tmp_path), lambda config: Translator(translate_texts, max_tokens=60))
    assert max(map(len, read)) <= 60 and len(set(read)) == len(read)
    assert rows_of(tmp_path / "root", "squad", ".de") == rows_of(fixtures_root, "squad")


def test_batches_hold_their_budget_longest_first(tmp_path):
    batches = []

    def translate_texts(texts):
        batches.append([len(text) for text in texts])
        return texts

    translate_task(ask("mnli", tmp_path, tokens_per_batch=120), lambda config: Translator(translate_texts))
    assert all(max(batch) * len(batch) <= 120 for batch in batches) and len(batches) > 5
    assert [max(batch) for batch in batches] == sorted((max(batch) for batch in batches), reverse=True)


def test_what_is_there_is_not_translated_again_and_nothing_else_is_written_over_it(tmp_path):
    first = translate_task(ask("mnli", tmp_path), by(turn))
    assert translate_task(ask("mnli", tmp_path), None) == first
    with pytest.raises(ValueError, match="holds a translation that differs in: num_beams"):
        translate_task(ask("mnli", tmp_path, num_beams=2), None)
    translate_task(ask("mnli", tmp_path, language="fr"), by(str))
    assert rows_of(tmp_path / "root", "mnli", ".de") != rows_of(tmp_path / "root", "mnli", ".fr")


SLOW = """
import sys, time
from pathlib import Path
from xt.translate import Translator, translate_task, translation_config

place, log, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

def translate_texts(texts):
    time.sleep(pause)
    with log.open("a") as handle:
        handle.writelines(text + "\\n" for text in texts)
    return [text.upper() for text in texts]

config = translation_config(
    task="squad", language="de", root="fixtures", translator="tiny", into=str(place / "root"), tokens_per_batch=200
)
translate_task(config, lambda config: Translator(translate_texts))
"""


def start(place, pause):
    place.mkdir(exist_ok=True)
    command = [sys.executable, "-c", SLOW, str(place), str(place / "texts"), str(pause)]
    return subprocess.Popen(command, env=os.environ | {"XT_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"})


BATCHES = [["a\u2028b", "c\x85d"], ["e\u2029", None], ["Grüße", "f"]]


def log_of(place, batches):
    """(text -> its translation, what was asked of a translator that says these batches and then ends its process)."""
    texts, read = [f"{number}{'x' * 40}" for number in range(6)], []
    said = iter(batches)

    def translate_texts(asked):
        read.append(asked)
        return next(said)

    with suppress(StopIteration):
        return translate_texts_of(texts, Translator(translate_texts), 100, place, lambda line: None), read
    return None, read


@pytest.mark.filterwarnings("ignore:.*is damaged in")
@pytest.mark.parametrize("spoil", [
    lambda log: log + b'7f3a91c2 ["HALF A',
    lambda log: log + b"\0" * 300,
    lambda log: log + b"\0" * 300 + b"\n",
], ids=["cut", "zeros", "zeros and an end"])  # fmt: skip
def test_what_a_power_cut_leaves_behind_the_log_is_translated_again(spoil, tmp_path):
    log = tmp_path / "log"
    log_of(log, BATCHES[:2])
    log.write_bytes(spoil(log.read_bytes()))
    found, read = log_of(log, BATCHES[2:])
    assert list(found.values()) == sum(BATCHES, []) and len(read) == 1


def test_a_letter_of_the_log_that_a_disk_changed_becomes_no_training_data(tmp_path):
    log = tmp_path / "log"
    log_of(log, BATCHES[:2])
    log.write_bytes(log.read_bytes().replace(b"e\xe2", b"o\xe2"))
    with pytest.warns(UserWarning, match="log is damaged in line 2: translated again from there on"):
        found, read = log_of(log, BATCHES[1:])
    assert list(found.values()) == sum(BATCHES, []) and len(read) == 2


@pytest.mark.filterwarnings("ignore:.*is damaged in")
@pytest.mark.parametrize("spoil", [
    lambda file: file.unlink(),
    lambda file: file.write_bytes(file.read_bytes()[:-1]),
    lambda file: file.write_bytes(file.read_bytes().replace(b"PAR1", b"PAR2")),
], ids=["gone", "cut", "changed"])  # fmt: skip
def test_a_translation_that_is_damaged_on_the_disk_is_made_again(spoil, tmp_path):
    whole = translate_task(ask("mnli", tmp_path), by(turn))
    (file,) = (tmp_path / "root" / "nyu-mll/glue/mnli.de").glob("train-*")
    told = rows_of(tmp_path / "root", "mnli", ".de")
    spoil(file)
    assert translate_task(ask("mnli", tmp_path), by(turn)) == whole
    assert rows_of(tmp_path / "root", "mnli", ".de") == told and translate_task(ask("mnli", tmp_path), None) == whole


def test_a_translation_is_on_the_disk_before_it_is_said_to_be_there(tmp_path, monkeypatch):
    """Named in MIRROR.json, and its log deleted, only after its file was synced."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda place, *_, **__: (synced.append(f"{place} went"), rmtree(place)))
    translate_task(ask("mnli", tmp_path), by(turn))
    names = [Path(name).name for name in synced]
    data = next(place for place, name in enumerate(names) if name.startswith(".train-") and name.endswith(".new"))
    manifest = max(place for place, name in enumerate(names) if name.startswith(".MIRROR.json"))
    assert data < manifest < next(place for place, name in enumerate(synced) if name.endswith(" went"))


def test_a_damaged_translator_is_named(tmp_path):
    place = tmp_path / "translator"
    build_tiny_translator(place, read_texts(vocabulary_files("tiny")))
    (place / "model.safetensors").write_bytes((place / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(DataError, match="translator .*: its weights are damaged .*; fetch or copy them again"):
        open_model(str(place), None)


def test_a_translator_is_asked_for_as_encoders_are(tmp_path, monkeypatch):
    """Of the commit that was looked through, again where the hub does not answer."""
    monkeypatch.setattr("xt.translate.models.check_checkpoint", lambda *_: None)
    monkeypatch.setattr(
        "xt.translate.models.open_pretrained", lambda what, advice, builder, *asked, **how: (asked, how)
    )
    for asked, how in open_model("owner/name", "abc"):
        assert asked == ("owner/name", "abc") and how["trust_remote_code"] is False


def test_a_killed_translation_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path):
    whole = start(tmp_path / "whole", 0)
    cut = start(tmp_path / "cut", 0.05)
    while not (tmp_path / "cut" / "texts").is_file() or len((tmp_path / "cut" / "texts").read_text().splitlines()) < 40:
        assert cut.poll() is None
        time.sleep(0.01)
    cut.kill()
    cut.wait()
    (log,) = (tmp_path / "cut" / "cache" / "translations").glob("*/batches.jsonl")
    done = len(log.read_text().splitlines())
    with log.open("a") as handle:
        handle.write('7f3a91c2 ["HALF A')  # what a kill inside a write leaves
    assert start(tmp_path / "cut", 0).wait() == 0 == whole.wait()
    texts = [(tmp_path / name / "texts").read_text().splitlines() for name in ("whole", "cut")]
    assert done > 2 and sorted(set(texts[0])) == sorted(texts[0]) == sorted(set(texts[1]))
    assert len(texts[1]) - len(texts[0]) <= 20, "at most the batch that was cut off is done again"
    files = [next((tmp_path / name / "root").glob("*/*/*.de/*.parquet")).read_bytes() for name in ("whole", "cut")]
    assert files[0] == files[1]
    assert not list((tmp_path / "cut" / "cache" / "translations").glob("*/batches.jsonl")), "cleared when it is done"


def test_the_tiny_translator_is_an_nllb_model_and_loses_every_mark(tmp_path):
    first = translate_task(ask("mnli", tmp_path, num_beams=2), load_translator)
    again = translate_task(ask("mnli", tmp_path, num_beams=2, into=str(tmp_path / "again")), load_translator)
    assert rows_of(tmp_path / "root", "mnli", ".de") == rows_of(tmp_path / "again", "mnli", ".de")
    assert [r["num_lost"] for r in first.values()] == [r["num_lost"] for r in again.values()]
    with pytest.raises(DataError, match="no row came back from the translator; lost: .*'answer'"):
        translate_task(ask("squad", tmp_path), load_translator)
    with pytest.raises(ValueError, match="unknown language of the translator 'qaa_Latn'"):
        load_translator(replace(ask("mnli", tmp_path), language="qaa"))


def test_an_nllb_model_is_told_to_write_the_language(tmp_path):
    seen = {}
    for code in ("de", "zh"):
        translator = load_translator(ask("mnli", tmp_path, language=code))
        seen[code] = translator.translate_texts.keywords["forced_bos_token_id"]
    names = translator.translate_texts.keywords["tokenizer"].convert_ids_to_tokens(list(seen.values()))
    assert names == ["deu_Latn", "zho_Hans"]
    assert translator.translate_texts.keywords["tokenizer"]("a")["input_ids"][0] not in seen.values()


def test_every_language_of_the_tasks_has_nllbs_code(tmp_path):
    known = set(transformers.models.nllb.tokenization_nllb.FAIRSEQ_LANGUAGE_CODES)
    spoken = {code for task in TASKS.values() for code in (*task.languages, *task.more_languages)}
    lacking = {code for code in spoken if nllb_code(get_language(code)) not in known}
    assert lacking <= {"bbj", "bzd", "cni", "hch", "nah", "oto", "pcm", "shp", "tar"}, (
        "languages that NLLB does not know"
    )


@pytest.fixture
def marian(tmp_path):
    """The folder of a random Marian model with a tokenizer trained on the fixtures."""
    place = tmp_path / "marian"
    place.mkdir()
    texts = read_texts(vocabulary_files("tiny"))
    for name in ("source", "target"):
        with (place / f"{name}.spm").open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts), model_writer=file, vocab_size=400, hard_vocab_limit=False,
                minloglevel=2, character_coverage=0.98,
            )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_file=str(place / "source.spm"))
    pieces = ["</s>", "<unk>", *(model.id_to_piece(place) for place in range(3, model.get_piece_size())), "<pad>"]
    (place / "vocab.json").write_text(json.dumps({piece: index for index, piece in enumerate(pieces)}))
    transformers.MarianTokenizer(
        *(str(place / name) for name in ("source.spm", "target.spm", "vocab.json")), source_lang="en", target_lang="de"
    ).save_pretrained(place)
    shape = dict(encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2)
    shape |= dict(d_model=32, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64)
    pad = len(pieces) - 1
    config = transformers.MarianConfig(
        vocab_size=len(pieces), pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0, **shape
    )
    network = transformers.MarianMTModel(config)
    network.generation_config.exponential_decay_length_penalty = (3, 4.0)
    network.save_pretrained(place)
    return str(place)


def test_a_marian_model_translates_its_pair_and_no_other(marian, tmp_path):
    (record,) = translate_task(ask("mnli", tmp_path, translator=marian), load_translator).values()
    assert record["num_rows"] > 0 and record["translator"] == marian
    with pytest.raises(ValueError, match="the translator writes 'de'; asked for: 'fr'"):
        load_translator(ask("mnli", tmp_path, translator=marian, language="fr"))
    weights = Path(marian) / "model.safetensors"
    torch.save(safetensors.torch.load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    with pytest.raises(ValueError, match="weights are read from safetensors only"):
        load_translator(ask("mnli", tmp_path, translator=marian))


@pytest.mark.parametrize(
    "task, settings, words",
    [
        ("udpos", {}, "task 'udpos' is not translated: its tags belong to words"),
        ("tydiqa", {}, "unknown task to translate 'tydiqa'"),
        ("tatoeba", {}, "unknown task to translate ''"),
        ("mnli", {"language": "en"}, "unknown language 'en'"),
        ("mnli", {"language": "qab"}, "unknown language 'qab'"),
        ("mnli", {"root": "lab"}, "the lab translates its training rows itself"),
        ("mnli", {"num_beams": 0}, "num_beams = 0 is not allowed; allowed: a whole number from 1"),
        ("mnli", {"max_length_ratio": 0}, "max_length_ratio = 0 is not allowed; allowed: a number above 0"),
        ("mnli", {"translator": "no/such/model"}, "unknown encoder 'no/such/model'"),
    ],
)
def test_what_cannot_be_translated_is_refused_and_why(task, settings, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        ask(task, tmp_path, **settings)


def test_the_model_of_a_pair_is_named_by_the_language(tmp_path):
    assert ask("mnli", tmp_path, translator="Helsinki-NLP/opus-mt-en-{code}").translator == "Helsinki-NLP/opus-mt-en-de"


def test_a_target_is_translated_by_the_rows_it_trains_on(tmp_path):
    assert ask("xnli", tmp_path).task == "mnli" and ask("xquad", tmp_path).task == get_task("xquad").training_task
    assert "de" in LANGUAGES


@pytest.mark.parametrize("task", ["mnli", "hellaswag", "squad"])
def test_the_labs_own_translation_reads_as_training_data(task):
    away = read_training(task, "lab-101", language="qac", max_examples=50, num_selection=20)
    assert {example.language for example in away.train} == {"qac"} and away.translated
