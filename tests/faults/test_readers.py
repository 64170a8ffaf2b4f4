"""Malformed releases: an error that names the file, or examples that say what the file says; never a wrong label.

One table of a reading is changed at random: a cell, the type of a column, rows, columns, classes, or bytes of the file.
Where the reading succeeds, every example is held against the row as pyarrow gives it, by rules of its own.
"""

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faults.soak import SOAK, count, tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixture_rows.write import write_fixtures
from xt.errors import DataError
from xt.languages import get_language
from xt.tasks import TASKS, fingerprint_evaluation, fingerprint_training, list_languages, read_evaluation, read_training
from xt.tasks.answers import MAX_SHIFT
from xt.tasks.examples import Candidate, Query
from xt.tasks.places import find, is_held

FORMATS = sorted({task.format for task in TASKS.values()})
BY_FIXTURES = [name for name in TASKS if name != "ccg"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The fixtures, of one's own."""
    place = tmp_path_factory.mktemp("malformed") / "root"
    write_fixtures(place)
    return place


def list_readings(form: str, root: Path) -> list[tuple]:
    """(task, language, source whose file is changed, whether to train, whether examples are made of it) of a format."""
    readings = []
    for name in BY_FIXTURES:
        task = TASKS[name]
        if task.format != form:
            continue
        codes = list_languages(name, str(root))
        code = next((code for code in codes if code != "en"), codes[0])
        sources = [(code, source, False) for source in (task.evaluation, task.pool and pool_of(task)) if source]
        trained = [source for source in (task.training, *task.more_training) if source]
        sources += [("en", source, True) for source in trained if is_held(source, str(root), get_language("en"))]
        for language, source, training in sources:
            found = find(source, str(root), get_language(language))
            readings += [(name, language, one, training, one is found) for one in (found, found.beside) if one]
    distinct = {
        (str(reading[2].source.shape), tuple(reading[2].source.needed), reading[3]): reading for reading in readings
    }
    return readings if SOAK else list(distinct.values())


def pool_of(task):
    """The source of the candidates beside the scored split."""
    return task.pool.at(task.pool.split.format(split=task.evaluation.split))


def read(name: str, language: str, training: bool, root: Path) -> list:
    """The examples of a reading, in the order of the release, and its candidates."""
    if training:
        return read_training(name, str(root), num_selection=0).train
    data = read_evaluation(name, str(root), language)
    return [*data.examples, *data.pool]


TEXTS = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["", " ", "0", "1", "-1", "-", "cause", "nan", "\x00"])
)
NUMBERS = st.one_of(st.none(), st.integers(-3, 9), st.sampled_from([2**31 - 1, -(2**31)]))


def values_of(kind: pa.DataType) -> st.SearchStrategy:
    """Values that a column of this type can hold, most of them wrong."""
    if pa.types.is_struct(kind):
        return st.one_of(st.none(), st.fixed_dictionaries({part.name: values_of(part.type) for part in kind}))
    if pa.types.is_list(kind):
        return st.one_of(st.none(), st.lists(values_of(kind.value_type), max_size=4))
    if pa.types.is_boolean(kind):
        return st.one_of(st.none(), st.booleans())
    return NUMBERS if pa.types.is_integer(kind) else TEXTS


def put_cell(draw, table: pa.Table) -> pa.Table:
    """A value of the right type in some cell."""
    column = draw(st.sampled_from(table.column_names))
    kind, values = table.schema.field(column).type, table[column].to_pylist()
    values[draw(st.integers(0, len(values) - 1))] = draw(values_of(kind))
    return with_column(table, column, pa.array(values, kind))


def swap_cells(draw, table: pa.Table) -> pa.Table:
    """Two cells of a column in each other's place."""
    column = draw(st.sampled_from(table.column_names))
    values, places = table[column].to_pylist(), st.integers(0, table.num_rows - 1)
    one, other = draw(places), draw(places)
    values[one], values[other] = values[other], values[one]
    return with_column(table, column, pa.array(values, table.schema.field(column).type))


def with_column(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    """The table with other values in a column; what is said of the file stays."""
    place = table.column_names.index(column)
    return table.set_column(place, column, values).replace_schema_metadata(table.schema.metadata)


def retype(draw, table: pa.Table) -> pa.Table:
    """A column of another type."""
    column = draw(st.sampled_from(table.column_names))
    made = draw(st.sampled_from(MADE))
    return with_column(table, column, made(table[column].to_pylist()))


MADE = (
    lambda values: pa.array([None if value is None else str(value) for value in values]),
    lambda values: pa.array([str(value).encode() for value in values]),
    lambda values: pa.array([float(len(str(value))) for value in values]),
    lambda values: pa.array([bool(place % 2) for place in range(len(values))]),
    lambda values: pa.array([[str(value)] for value in values]),
    lambda values: pa.array([[place] for place in range(len(values))]),
    lambda values: pa.array([{"text": str(value)} for value in values]),
    lambda values: pa.array([0 for _ in values]),
    lambda values: pa.nulls(len(values)),
    lambda values: pa.array([str(value).encode() + b"\xff" for value in values]).view(pa.string()),
)


def change_rows(draw, table: pa.Table) -> pa.Table:
    """Rows left out, in another order, or there twice."""
    rows = draw(st.lists(st.integers(0, table.num_rows - 1), max_size=table.num_rows + 2))
    return table.take(pa.array(rows, pa.int64()))


def change_columns(draw, table: pa.Table) -> pa.Table:
    """A column gone, under another name, or there twice."""
    column = draw(st.sampled_from(table.column_names))
    other = draw(st.sampled_from(table.column_names))
    names = [other if name == column else name for name in table.column_names]
    return draw(st.sampled_from([table.drop_columns([column]), table.rename_columns(names)]))


def change_classes(draw, table: pa.Table) -> pa.Table:
    """Something else in what the file says of its columns."""
    known = (table.schema.metadata or {}).get(b"huggingface", b"{}")
    spoilt = draw(
        st.sampled_from(
            [b"", b"[]", b"{", known[:-4], b'{"info": 3}', known.replace(b'"names": [', b'"names": ["x", ')]
        )
    )
    return table.replace_schema_metadata({b"huggingface": spoilt})


CHANGES = (put_cell, put_cell, put_cell, swap_cells, retype, change_rows, change_columns, change_classes, None)


@st.composite
def spoilt_files(draw, table: pa.Table, whole: bytes) -> bytes | pa.Table:
    """A changed table, or (by None) the file with some bytes changed or cut off."""
    change = draw(st.sampled_from(CHANGES))
    if change:
        return change(draw, table)
    if draw(st.booleans()):
        return whole[: draw(st.integers(0, len(whole) - 1))]
    place, bits = draw(st.integers(0, len(whole) - 1)), draw(st.integers(1, 255))
    return whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :]


@pytest.mark.parametrize("form", FORMATS)
def test_a_malformed_release_is_named_or_read_as_it_is(form, root):
    readings = list_readings(form, root)
    with count(f"malformed input, {form}: {len(readings)} readers", "readers") as tally:
        for reading in readings:
            try_reading(reading, root, tally)
    assert tally.lost == 0


def try_reading(reading: tuple, root: Path, tally) -> None:
    """Reads one table in many spoilt forms."""
    name, language, found, training, is_read = reading
    loaded = found.load()
    target = root / loaded.files[0]
    table, whole, before = pq.read_table(target), target.read_bytes(), fingerprint(name, language, training, root)

    @settings(
        max_examples=tries(20, 500), deadline=None, database=None, derandomize=not SOAK,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(spoilt_files(table, whole))
    def check(spoilt) -> None:
        tally.tries += 1
        write(spoilt, target)
        try:
            examples = read(name, language, training, root)
        except DataError as error:
            assert str(root) in str(error), "the message names the file"
            return
        there = pq.read_table(target)
        assert target.read_bytes() == whole or fingerprint(name, language, training, root) != before
        if "gold" in found.source.columns and found.source.shape:
            check_gold(rows_of(found, there), examples)
        elif is_read and (found.source.shape is None or found.source.columns.keys() & {"label", "tags", "mention"}):
            check_examples(TASKS[TASKS[name].training_task] if training else TASKS[name], found, there, examples)

    try:
        check()
    finally:
        write(whole, target)


def write(spoilt: bytes | pa.Table, target: Path) -> None:
    """Writes what a reader will find."""
    target.unlink(missing_ok=True)
    if isinstance(spoilt, bytes):
        target.write_bytes(spoilt)
    else:
        pq.write_table(spoilt, target, compression="zstd")


def fingerprint(name: str, language: str, training: bool, root: Path) -> str:
    """What a run's id has of the data."""
    return fingerprint_training(name, str(root)) if training else fingerprint_evaluation(name, str(root), language)


def check_examples(task, found, table: pa.Table, examples: list) -> None:
    """Every example says what its row says, as far as a rule tells."""
    rows = rows_of(found, table)
    if found.source.drop_unlabelled:
        rows = [row for row in rows if row["label"] not in (-1, "-1", "", "-", None)]
    joined = (
        f"{found.source.dataset.rpartition('/')[2]}/{found.source.split}:"  # how ids begin where sources are joined
    )
    examples = [example for example in examples if example.id.startswith(joined)] or examples
    examples = [example for example in examples if not isinstance(example, Candidate)]
    assert len(examples) >= len(rows)
    for row, example in zip(rows, examples, strict=False):
        for field, rule in RULES.items():
            if field in row:
                rule(row, example, found.source, task)


def check_gold(rows: list[dict], examples: list) -> None:
    """Every foreign sentence has the English ones that the pairs of line numbers name."""
    [row] = rows
    queries = [example for example in examples if isinstance(example, Query)]
    assert [query.text for query in queries] == row["foreign"]
    for query in queries:
        assert list(query.relevant) == [str(right) for left, right in row["gold"] if str(left) == query.id]


def rows_of(found, table: pa.Table) -> list[dict]:
    """The rows of a reading's language, under our names."""
    source = found.source
    rows = table.select(sorted(set(source.needed.values()))).to_pylist()
    if source.language_column:
        pattern = source.language_pattern.format(**source._names(found.language))
        rows = [row for row in rows if re.search(pattern, row[source.language_column])]
    return [{field: row[column] for field, column in source.columns.items()} for row in rows]


def same_label(row, example, source, task) -> None:
    """The label is the place of the row's value among the release's, of the same type."""
    if hasattr(example, "label"):
        allowed = list(source.label_values or range(len(task.labels)))
        assert type(row["label"]) is type(allowed[0]) and example.label == allowed.index(row["label"])


def same_tags(row, example, source, task) -> None:
    """Tags are the row's; a class behind the task's is the first one."""
    assert list(example.tokens) == row["tokens"]
    assert list(example.tags) == [tag if tag < len(task.labels) else 0 for tag in row["tags"]]


def same_answers(row, example, source, task) -> None:
    """Answers are texts of the row, at their places, moved by what one passage lost at its beginning."""
    if not hasattr(example, "answers"):
        return
    said = list(zip(row["answers"]["text"] or [], row["answers"]["answer_start"] or [], strict=True))
    assert example.context == row["context"] and example.question == row["question"]
    assert all(example.context[a.start :][: len(a.text)] == a.text for a in example.answers)
    shifts = {
        shift for shift in range(MAX_SHIFT + 1) if {(a.text, a.start + shift) for a in example.answers} == set(said)
    }
    assert shifts or not said and not example.answers


def same_entity(row, example, source, task) -> None:
    """What is right for a mention is its entity."""
    if isinstance(example, Query):
        assert example.relevant == (row["entity"],) and row["mention"] in example.text


def same_text(field: str):
    """The text is the row's."""

    def rule(row, example, source, task) -> None:
        if hasattr(example, field) and not (field == "text" and source.shape):
            assert getattr(example, field) == row[field].rstrip("\r\n" if field in ("source", "target") else "")

    return rule


RULES = {
    "label": same_label,
    "tags": same_tags,
    "answers": same_answers,
    "entity": same_entity,
    **{field: same_text(field) for field in ("premise", "hypothesis", "source", "target", "text")},
}
"""Our field -> what must hold of an example whose row has it."""


def test_the_rules_find_a_wrong_label(root, monkeypatch):
    """What reads a label one off is found by the same check."""
    from xt.tasks.rows import Rows

    label = Rows.label
    monkeypatch.setattr(Rows, "label", lambda self, row, value: (label(self, row, value) + 1) % 2)
    for name, language in (("pawsx", "de"), ("udpos", "de")):
        found = find(TASKS[name].evaluation, str(root), get_language(language))
        examples = read(name, language, False, root)
        with pytest.raises(AssertionError):
            check_examples(TASKS[name], found, found.load().table, examples)


def test_a_spoilt_manifest_or_card_is_named(root, tmp_path):
    """Every byte region of what says which files there are and what they are."""
    with count("malformed card or manifest", "readers") as tally:
        for relative in ("MIRROR.json", "google/xtreme/README.md"):
            place = tmp_path / Path(relative).name
            shutil.copytree(root, place)
            path = place / relative
            whole = path.read_bytes()
            told = read("udpos", "de", False, root), read_evaluation("udpos", str(root), "de").status
            step = max(1, len(whole) // tries(20, 500))
            for at in range(0, len(whole), step):
                for spoilt in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :]):
                    tally.tries += 1
                    path.unlink()
                    path.write_bytes(spoilt)
                    try:
                        data = read_evaluation("udpos", str(place), "de")
                        tally.half_read += (data.examples, data.status) != told and not is_json(spoilt)
                    except DataError as error:
                        if str(place) not in str(error):
                            tally.lose(str(error))
    assert tally.lost == 0


def is_json(content: bytes) -> bool:
    """Whether it is a record that says something else in due form, which nobody can tell from what was meant."""
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
