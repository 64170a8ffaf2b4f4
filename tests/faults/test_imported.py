"""Malformed tables and prediction files from elsewhere: an error that names the file, or what the file says."""

import csv
import io
from dataclasses import replace

import pytest
from faults.soak import SOAK, count, tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xt import imports
from xt.errors import DataError
from xt.prediction_files import FORMS, label_names
from xt.tasks import TASKS, list_languages, read_evaluation
from xt.tasks.ccgbank import read_sentences
from xt.tasks.text import read_text

SCORES = """encoder,intermediate,target,eval_language,seed,score
mine,none,xnli,en,1,80.5
mine,squad,xnli,de,1,71.25
mine,squad,xnli,fr,2,"69.0"
"""
PREDICTIONS = """encoder,intermediate,target,eval_language,seed,id,prediction
mine,none,xnli,de,1,0,neutral
mine,none,xnli,de,1,1,entailment
mine,none,xnli,de,1,2,"a ""quoted"", cell"
"""
MARKS = st.sampled_from([",", '"', "\n", "\r", "\x00", ";", "é", "nan", "1e9", "-1", " ", "\ufeff", "=", "\u2028"])
BYTES = st.sampled_from([b"\xff", b"\x80", b"\xc3"])


@st.composite
def spoilt_texts(draw, text: str) -> bytes:
    """A text with characters or lines put in, taken out or doubled, or bytes that are none."""
    for _ in range(draw(st.integers(1, 3))):
        place, size = draw(st.integers(0, len(text))), draw(st.integers(0, 9))
        text = text[:place] + draw(st.one_of(MARKS, st.just(""), st.text(max_size=4))) + text[place + size :]
        lines = text.splitlines(keepends=True) or [""]
        line = draw(st.integers(0, len(lines) - 1))
        text = "".join(
            lines[:line] + lines[line : line + 1] * draw(st.sampled_from([1, 1, 1, 0, 2])) + lines[line + 1 :]
        )
    content = text.encode("utf-8", "surrogatepass")
    place = draw(st.integers(0, len(content)))
    return content[:place] + draw(st.one_of(st.just(b""), st.just(b""), BYTES)) + content[place:]


def repeat(strategy, tally, check) -> None:
    """Tries a check on spoilt content."""

    @settings(
        max_examples=tries(20, 500), deadline=None, database=None, derandomize=not SOAK,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def run(spoilt: bytes) -> None:
        tally.tries += 1
        check(spoilt)

    run()


@pytest.mark.parametrize("kind", ["scores", "predictions"])
def test_a_malformed_table_is_named_or_read_as_it_is(kind, tmp_path):
    text, columns = {"scores": (SCORES, imports.SCORES), "predictions": (PREDICTIONS, imports.PREDICTIONS)}[kind]
    path = tmp_path / "table.csv"

    def check(spoilt: bytes) -> None:
        path.write_bytes(spoilt)
        try:
            table = imports.read_table(path, columns)
        except DataError as error:
            assert str(path) in str(error)
            return
        except ValueError as error:
            assert "unknown intermediate" in str(error), "an arm that is misspelled"
            return
        rows = [row for row in csv.reader(io.StringIO(spoilt.decode("utf-8-sig"), newline="")) if row]
        assert len(table) == len(rows) - 1 and all(len(row) == len(rows[0]) for row in rows)
        for name in rows[0]:
            for row, value in zip(rows[1:], table[name], strict=True):
                said = row[rows[0].index(name)]
                assert said == value or float(said) == float(value) or (said == "" and value is None or value != value)

    with count(f"malformed table of {kind}", "readers") as tally:
        repeat(spoilt_texts(text), tally, check)


def said_of(task, examples: list) -> list:
    """A prediction per example, as a run folder holds it."""
    return {
        "classification": lambda: [example.label for example in examples],
        "multiple_choice": lambda: [example.label for example in examples],
        "tagging": lambda: [[task.labels[tag] for tag in example.tags] for example in examples],
        "span_qa": lambda: [example.answers[0].text for example in examples],
        "retrieval": lambda: [example.id for example in examples],
        "mining": lambda: [(example.relevant or ("",))[0] for example in examples],
        "ranking": lambda: [" ".join(example.relevant) for example in examples],
    }[task.format]()


FILES = {"classification": "xnli", "multiple_choice": "xcopa", "tagging": "udpos", "span_qa": "xquad",
         "retrieval": "tatoeba", "ranking": "lareqa", "mining": "bucc2018"}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_malformed_prediction_file_is_named_or_read_as_it_is(form, tmp_path, fixtures_root):
    """What is read is written again as the same lines: no label moves to another example."""
    task, path = TASKS[FILES[form]], tmp_path / "test.txt"
    code = next(c for c in list_languages(task.name, fixtures_root) if c != "en")
    examples = read_evaluation(task.name, fixtures_root, code).examples
    if form == "mining":  # whose ids are the release's in BUCC's own files only
        examples = [replace(example, id=f"de-{example.id:0>9}") for example in examples]
    kind = FORMS[form]

    def check(spoilt: bytes) -> None:
        path.write_bytes(spoilt)
        try:
            read = kind.read(task, imports.read_text(path), examples, str(path))
        except DataError as error:
            assert str(path) in str(error)
            return
        told = [WRITTEN.get(form, as_read)(task, value) for value in read]
        again = kind.read(task, kind.write(task, told, examples), examples, str(path))
        assert list(map(str, again)) == list(map(str, read)) and len(read) == len(examples)
        assert sorted(kind.write(task, told, examples).split()) == sorted(spoilt.decode().split()) or form in REWRITTEN

    with count(f"malformed prediction file of {form}", "readers") as tally:
        repeat(spoilt_texts(kind.write(task, said_of(task, examples), examples)), tally, check)


def as_read(task, value):
    """A prediction that is written as it was read."""
    return value


WRITTEN = {
    "tagging": lambda task, tags: [task.labels[tag] for tag in tags],
    "ranking": lambda task, ids: " ".join(ids),
    "mining": lambda task, found: found or "",
}
REWRITTEN = ("multiple_choice", "span_qa", "ranking", "mining")
"""Forms of which the same content may be spelled in several ways."""


def test_a_label_of_another_case_is_no_label(fixtures_root):
    """The names are the release's; nothing near them is taken for them."""
    assert "neutral" in label_names(TASKS["xnli"])
    with pytest.raises(DataError, match="line 1: 'Neutral'"):
        FORMS["classification"].read(TASKS["xnli"], "Neutral\n", [None], "file")


DERIVATION = """ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1
(<T S[dcl] 0 2> (<L NP NNP NNP Edda NP>) (<L S\\NP VBZ VBZ sings S\\NP>))
"""
LINES = """Edda|NNP|NP sings|VBZ|S\\NP
She|PRP|NP sleeps|VBZ|S\\NP
"""


@pytest.mark.parametrize(("name", "text"), [("train.auto", DERIVATION), ("train.txt", LINES)])
def test_a_malformed_ccgbank_is_named_or_read_as_it_is(name, text, tmp_path):
    path = tmp_path / name

    def check(spoilt: bytes) -> None:
        path.write_bytes(spoilt)
        try:
            sentences = list(read_sentences(path))
        except DataError as error:
            assert str(path) in str(error)
            return
        for words, tags, categories in sentences:
            assert len(words) == len(tags) == len(categories)
            assert all(word in spoilt.decode() for word in (*words, *tags, *categories))

    with count(f"malformed CCGbank, {path.suffix}", "readers") as tally:
        repeat(spoilt_texts(text), tally, check)


def test_a_malformed_text_to_pretrain_on_is_named_or_read_as_it_is(tmp_path):
    path = tmp_path / "de.txt"

    def check(spoilt: bytes) -> None:
        path.write_bytes(spoilt)
        try:
            documents = read_text(str(tmp_path), "de")
        except DataError as error:
            assert str(path) in str(error)
            return
        assert documents and "".join("".join(documents).split()) == "".join(spoilt.decode().split())

    with count("malformed text", "readers") as tally:
        repeat(spoilt_texts("Guten Morgen.\nDas Schaf schläft.\n\nNoch ein Satz.\n"), tally, check)
