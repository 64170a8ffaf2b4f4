"""Sentences of English text, and answers marked in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xt.errors import DataError
from xt.translate.sentences import cut_sentences, find_whole, mark, unmark


def cut(text, whole=(), limit=10**9):
    return [text[start:end] for start, end in cut_sentences(text, whole, lambda part: len(part) <= limit)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Ada Lovelace met J. Smith in the U.S. Army.", "They spoke!", '"Really?" she asked.', "3 left."],
        ["He left at 5 p.m. and she stayed.", "What was the cause?", "(It rained.)", "Rain…", "Sun."],
        ["It costs 3.5 dollars.", "[Applause.]", "iPhones ring."],
        [],
    ],
)
def test_sentences_end_where_a_reader_ends_them(sentences):
    text = " ".join(sentences)
    if "[Applause.]" in sentences:
        sentences = [*sentences[:1], "[Applause.] iPhones ring."]  # a small letter opens no sentence
    assert cut(text) == sentences


def test_lines_are_cut_and_white_space_stays_outside():
    assert cut("  One line\n\n  another. \n") == ["One line", "another."]


@given(st.text(alphabet="ab.!? AB\n", max_size=60), st.data())
def test_nothing_is_lost_answers_stay_whole_and_parts_fit(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    whole = [(start, end)] if text[start:end] == text[start:end].strip() != "" else []
    try:
        spans = cut_sentences(text, whole, lambda part: len(part) <= 20)
    except DataError:
        return
    assert [text[a:b] for a, b in spans] == [text[a:b].strip() for a, b in spans]
    assert "".join(text[a:b] for a, b in spans).split() != [] or not text.strip()
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(0 < b - a <= 20 for a, b in spans)
    assert all(any(a <= s and e <= b for a, b in spans) for s, e in whole)


def test_a_sentence_that_is_too_long_is_cut_at_white_space_and_a_word_that_is_is_refused():
    assert cut("one two three four five", limit=14) == ["one two three", "four five"]
    assert cut("one two three four", [(4, 13)], limit=9) == ["one", "two three", "four"]
    with pytest.raises(DataError, match="without a space to cut it at"):
        cut("one " + "x" * 30, limit=14)


@pytest.mark.parametrize(
    "sentence, said, expected",
    [
        ("a Oslo b", "x [Oslo] y", ("x Oslo y", "Oslo")),
        ("a Oslo b", "x [ Oslo ] .", ("x  Oslo  .", "Oslo")),
        ("a Oslo b", "在【奥斯陆】。", ("在奥斯陆。", "奥斯陆")),
        ("a [Oslo] b", "x [y] <Oslo>", ("x [y] Oslo", "Oslo")),
        ("a Oslo b", "x Oslo y", None),
        ("a Oslo b", "x [Oslo y", None),
        ("a Oslo b", "x ]Oslo[ y", None),
        ("a Oslo b", "x [Oslo] [y]", None),
        ("a Oslo b", "x [ ] y", None),
        ("a Oslo b", None, None),
        ("a [<{Oslo b", "a [<{Oslo b", None),
    ],
)
def test_marks_come_back_intact_or_not_at_all(sentence, said, expected):
    found = unmark(sentence, said)
    assert (found and (found[0], found[0][slice(*found[1])])) == expected


def test_marks_are_of_a_kind_that_the_sentence_does_not_hold():
    assert mark("in Oslo.", (3, 7)) == "in [Oslo]."
    assert mark("[in] Oslo.", (5, 9)) == "[in] <Oslo>."
    assert mark("[<{ Oslo", (4, 8)) is None


def test_words_are_found_whole_where_words_are_told_apart():
    assert find_whole("4", "1984 and 4 more, 45.") == [9]
    assert find_whole("Oslo", "Oslossa") == []
    assert find_whole("奥斯陆", "他在奥斯陆住") == [2]
