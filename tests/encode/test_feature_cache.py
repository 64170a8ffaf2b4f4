"""Features that were kept are those that would be made, and what is no entry is made again."""

import os
from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest

from xt.encode import FORMATS, cache, encode_candidates, encode_queries, encode_sentences
from xt.encode.features import Ragged
from xt.presets import resolve_knobs
from xt.tasks import get_task, read_evaluation, read_training

TASKS = ("mnli", "hellaswag", "udpos", "squad", "squad_v2", "lareqa")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Where this test's features are kept."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path))
    return tmp_path / "features"


@pytest.fixture(scope="module")
def knobs():
    return resolve_knobs("smoke", "squad")


@pytest.fixture(scope="module")
def pairs(fixtures_root):
    """Sentence pairs."""
    return read_training("mnli", fixtures_root, num_selection=8).train


def cases(root):
    """Name -> (encoder that keeps, what it encodes)."""
    found = {name: (FORMATS[get_task(name).format].encode, read_training(name, root, num_selection=8).train)
             for name in TASKS}  # fmt: skip
    sentences = [example.source for example in read_evaluation("tatoeba", root, "de").examples]
    given = (sentences, sentences[:3], [(text, sentences[0]) for text in sentences])
    encoders = (encode_sentences, encode_queries, encode_candidates)
    return found | {encode.__name__: pair for encode, *pair in zip(encoders, encoders, given, strict=True)}


def assert_same(one, other):
    """Two features agree bit for bit: types, shapes, values."""
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, Ragged):
            left, right = ([rows.values, rows.lengths, rows.starts] for rows in (left, right))
        lists = isinstance(left, list)
        assert lists == isinstance(right, list)
        for a, b in zip(left, right, strict=True) if lists else [(left, right)]:
            assert np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype, field.name


def refuse(*given):
    raise AssertionError("encoded again")


def test_what_was_kept_is_what_would_be_made_of_every_format(fixtures_root, tokenizer, knobs, monkeypatch, place):
    for name, (encode, examples) in cases(fixtures_root).items():
        made = encode(examples, tokenizer, knobs)
        assert_same(made, encode.__wrapped__(examples, tokenizer, knobs))
        with monkeypatch.context() as patch:
            patch.setattr(type(tokenizer), "__call__", refuse)
            found = encode(examples, tokenizer, knobs)
        assert_same(made, found)
        assert not found.input_ids.values.flags.owndata, name
        chosen = np.arange(len(made))[::-1]
        assert_same(made.select(chosen), found.select(chosen))


def test_what_encoding_reads_decides_which_entry_it_is(pairs, tokenizer, knobs, place, monkeypatch):
    encode, names = FORMATS["classification"].encode, set()

    def count(examples=pairs, settings=knobs):
        encode(examples, tokenizer, settings)
        names.update(os.listdir(place))
        return len(names)

    assert count() == count() == count(settings=replace(knobs, batch_size=1, max_query_length=9)) == 1
    assert count([replace(pairs[0], premise=pairs[0].premise + " "), *pairs[1:]]) == 2
    assert count([replace(pairs[0], label=(pairs[0].label + 1) % 3), *pairs[1:]]) == 3
    assert count(pairs[::-1]) == 4
    assert count(settings=replace(knobs, max_seq_length=16)) == 5
    monkeypatch.setattr(tokenizer, "truncation_side", "left")
    assert count() == 6
    monkeypatch.setattr(cache, "digest_of_code", lambda: "another version")
    assert count() == 7


def test_an_encoder_cannot_read_a_knob_that_names_no_entry(pairs, tokenizer, knobs):
    with pytest.raises(AttributeError, match="max_seq_length"):
        cache.kept(FORMATS["classification"].encode.__wrapped__, "doc_stride")(pairs, tokenizer, knobs)


def damage(content, at=-70):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        damage,
        partial(damage, at=30),
        lambda content: content[:-64],
        lambda content: b"",
        lambda content: b"{}\n",
        lambda content: content.replace(b'"key": "', b'"key": "0', 1),
    ],
)
def test_an_entry_that_is_damaged_or_of_another_name_is_named_and_made_again(spoil, pairs, tokenizer, knobs, place):
    encode = FORMATS["classification"].encode
    made = encode(pairs, tokenizer, knobs)
    [path] = place.iterdir()
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    with pytest.warns(UserWarning, match=f"{path.name}.* made again"):
        again = encode(pairs, tokenizer, knobs)
    assert_same(made, again)
    assert path.read_bytes() == whole and list(place.iterdir()) == [path]


def test_what_was_used_longest_ago_goes_first(pairs, tokenizer, knobs, place, monkeypatch):
    encode, entries = FORMATS["classification"].encode, []
    for size in (16, 17, 18):
        encode(pairs, tokenizer, replace(knobs, max_seq_length=size))
        entries += set(place.iterdir()) - set(entries)
        os.utime(entries[-1], (size, size))
    first, second, third = entries
    encode(pairs, tokenizer, replace(knobs, max_seq_length=16))  # used again
    monkeypatch.setattr(cache, "LIMIT", first.stat().st_size * 2 + 100)
    encode(pairs, tokenizer, replace(knobs, max_seq_length=19))
    assert first.is_file() and not second.is_file() and not third.is_file() and len(list(place.iterdir())) == 2


def test_features_come_where_nothing_can_be_kept(pairs, tokenizer, knobs, place):
    place.write_text("no folder")
    encode = FORMATS["classification"].encode
    with pytest.warns(UserWarning, match="not kept"):
        assert_same(encode(pairs, tokenizer, knobs), encode.__wrapped__(pairs, tokenizer, knobs))
