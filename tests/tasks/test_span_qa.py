"""Offsets: repaired where a passage lost its leading whitespace, refused otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xt.errors import DataError
from xt.tasks.answers import MAX_SHIFT
from xt.tasks.rows import Rows
from xt.tasks.span_qa import count_repaired, read_span_qa


def rows_of(*questions):
    """Rows of (context, (text, start), ...)."""
    values = [
        {
            "id": str(index),
            "cluster": context,
            "question": "?",
            "context": context,
            "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]},
        }
        for index, (context, *answers) in enumerate(questions)
    ]
    return Rows("fi", "some file", values, {}, 0)


def starts(*questions):
    return [[answer.start for answer in example.answers] for example in read_span_qa(rows_of(*questions))]


def test_offsets_in_place_stay():
    assert starts(("Oulu on kaupunki", ("Oulu", 0), ("kaupunki", 8))) == [[0, 8]]


def test_a_stripped_passage_moves_all_its_answers():
    questions = ("Oulu on kaupunki", ("Oulu", 2)), ("Oulu on kaupunki", ("on", 7), ("kaupunki", 10))
    assert starts(*questions) == [[0], [5, 8]]
    rows = rows_of(*questions, ("toinen", ("toinen", 0)))
    assert count_repaired(rows, read_span_qa(rows)) == 2


def test_an_answer_in_place_by_chance_moves_with_its_passage():
    # "a" stands at 1 and at 2; the other answer shows that the passage lost one character
    assert starts(("xaab", ("a", 2)), ("xaab", ("xaab", 1))) == [[1], [0]]


def test_answers_of_one_passage_that_need_different_shifts_are_refused():
    with pytest.raises(DataError, match="some file, row 0 .fi.: expected 'ab' at character 1 .* found 'bc'"):
        starts(("abcd", ("ab", 1)), ("abcd", ("cd", 4)))


def test_an_answer_to_the_right_of_its_offset_is_refused():
    with pytest.raises(DataError, match="expected 'cd' at character 1"):
        starts(("abcd", ("cd", 1)))


def test_a_shift_beyond_the_window_is_refused():
    context = "x" * 20 + "answer" + "x" * 20
    assert starts((context, ("answer", 20 + MAX_SHIFT))) == [[20]]
    with pytest.raises(DataError, match="expected 'answer' at character 29"):
        starts((context, ("answer", 20 + MAX_SHIFT + 1)))


def test_the_row_that_is_wrong_is_the_one_named():
    with pytest.raises(DataError, match="row 1 .fi.: expected 'zz' at character 2 .* found 'cd'"):
        starts(("abcd", ("ab", 0)), ("abcd", ("zz", 2)))


@given(st.text(alphabet="ab é\u0301中ไก่", min_size=1, max_size=30), st.integers(0, MAX_SHIFT), st.data())
def test_a_repaired_answer_is_always_its_text(context, shift, data):
    start = data.draw(st.integers(0, len(context) - 1))
    stop = data.draw(st.integers(start + 1, len(context)))
    (example,) = read_span_qa(rows_of((context, (context[start:stop], start + shift))))
    (answer,) = example.answers
    assert context[answer.start : answer.start + len(answer.text)] == answer.text == context[start:stop]
