"""One task in one other language: asked for, checked, translated batch by batch, written.

What a killed translation has done is kept and not done again. The batches depend on the texts alone, so that what is
written is what a translation that was never killed would have written.
"""

import json
import os
import shutil
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from itertools import takewhile
from pathlib import Path

import numpy as np

from xt.batching import micro_batches
from xt.config import encoder_fingerprint, short_hash
from xt.disk import room_for
from xt.errors import DataError, require_known
from xt.languages import LANGUAGES, get_language
from xt.locations import LAB_ROOT, folder, resolve_encoder, resolve_root
from xt.locks import open_lock
from xt.tasks import TASKS, get_task, home_language, worst_status
from xt.tasks.reading import FORMATS as READERS
from xt.tasks.roots import Loaded, open_root
from xt.tasks.rows import build_rows
from xt.tasks.sources import Source
from xt.tasks.task import Task
from xt.translate.files import add_split, extend_root, read_record, write_record
from xt.translate.rows import REFUSED, TELL, Reading, Told, text_columns

TRANSLATION_VERSION = 1
"""Raised by hand when a change of code moves what is written."""


@dataclass(frozen=True)
class Translation:
    """What is to be translated, by what, and where it goes."""

    task: str
    language: str
    root: str
    into: Path
    translator: str
    revision: str | None
    num_beams: int
    max_length_ratio: float
    tokens_per_batch: int


@dataclass(frozen=True)
class Translator:
    """Something that translates texts."""

    translate_texts: Callable[[list[str]], list[str | None]]  # None: there is none, or it did not end
    count_tokens: Callable[[list[str]], list[int]] = lambda texts: [len(text) for text in texts]
    max_tokens: int = 2**31  # of the longest text that it can read
    identity: Mapping = field(default_factory=dict)  # what decides its translations
    record: Mapping = field(default_factory=dict)  # what is recorded beside it


def translation_config(
    *,
    task: str,
    language: str,
    root: str,
    translator: str,
    translator_revision: str | None = None,
    into: str = "",
    num_beams: int = 1,
    max_length_ratio: float = 2.0,
    tokens_per_batch: int = 4096,
) -> Translation:
    """The checked config of a translation; loads no model. Raises ValueError naming what is allowed.

    `translator` may hold `{code}`, for which the language's code stands; `into` empty is a folder of the cache.
    """
    trained = require_translatable(task)
    home, place = home_language(root), resolve_root(root)
    if LAB_ROOT.fullmatch(place):
        raise ValueError(f"root = {root!r}: the lab translates its training rows itself; allowed: hub, or a folder")
    require_known("language", language, [code for code in LANGUAGES if code != home and not code.startswith("qa")])
    for name, value in {"num_beams": num_beams, "tokens_per_batch": tokens_per_batch}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} = {value!r} is not allowed; allowed: a whole number from 1")
    if isinstance(max_length_ratio, bool) or not isinstance(max_length_ratio, int | float) or not max_length_ratio > 0:
        raise ValueError(f"max_length_ratio = {max_length_ratio!r} is not allowed; allowed: a number above 0")
    name = translator.replace("{code}", language)
    resolve_encoder(name)
    into = Path(into).expanduser() if into else folder("XT_CACHE") / "translated"
    return Translation(
        trained, language, root, into, name, translator_revision, num_beams, float(max_length_ratio), tokens_per_batch
    )


def require_translatable(name: str) -> str:
    """The task whose training rows are read for a task; ValueError where they cannot be translated, and why."""
    task = get_task(name)
    if task.format in REFUSED:
        raise ValueError(f"task {name!r} is not translated: {REFUSED[task.format]}")
    trained = get_task(require_known("task to translate", task.training_task or "", translatable_tasks()))
    return trained.name


def translatable_tasks() -> list[str]:
    """The tasks whose training rows are in one language, and of a format that can be translated."""
    return [
        name
        for name, task in TASKS.items()
        if task.training and task.format in TELL and not any(source.names_language for source in sources_of(task))
    ]


def sources_of(task: Task) -> tuple[Source, ...]:
    """All that a task is trained on."""
    return (task.training, *task.more_training)


def translate_task(config: Translation, load: Callable[[Translation], Translator], report=lambda line: None) -> dict:
    """Translates the training rows of a task, or finds them translated. Returns file -> its record.

    `load` makes the translator when it is needed. Writes `<into>/<dataset>/<config>.<code>/<split>...parquet`, the
    dataset's card and MIRROR.json; `report` gets dicts of `step` and `num_steps`, in batches. Raises ValueError where
    another translation lies there, DataError where no row is left.
    """
    config.into.mkdir(parents=True, exist_ok=True)
    with open_lock(config.into / ".lock"):
        extend_root(config.root, config.into)
    sources, made = sources_of(get_task(config.task)), cache(lambda: load(config))
    known = [find_translation(config, source) for source in sources]
    return {
        "/".join(place_of(config, source)): record or translate_source(config, source, made(), report)
        for source, record in zip(sources, known, strict=True)
    }


def place_of(config: Translation, source: Source) -> tuple[str, str, str]:
    """Dataset, config and split of a source's translation."""
    return source.dataset, f"{source.config}.{config.language}", source.split


def find_translation(config: Translation, source: Source) -> dict:
    """The record of a source's translation; empty where there is none. ValueError where it is of another kind."""
    record, asked = read_record(config.into, *place_of(config, source)), identity_of(config, source)
    made = record.get("asked", asked)
    differing = sorted(key for key in {*asked, *made} if made.get(key) != asked.get(key))
    if differing:
        raise ValueError(
            f"{config.into.joinpath(*place_of(config, source)[:2])} holds a translation that differs in: "
            f"{', '.join(differing)}; name another folder as `into`, or remove it from this one"
        )
    return record


def identity_of(config: Translation, source: Source) -> dict:
    """What decides a translation, as JSON-ready values."""
    knobs = ("language", "num_beams", "max_length_ratio", "tokens_per_batch")
    return {name: getattr(config, name) for name in knobs} | {
        "translation_version": TRANSLATION_VERSION,
        "translator": encoder_fingerprint(config.translator, config.revision),
        "rows": open_root(config.root).fingerprint(source, get_language(home_language(config.root))),
    }


def translate_source(config: Translation, source: Source, translator: Translator, report: Callable) -> dict:
    """Translates and writes one source; returns its record."""
    task, home = get_task(config.task), get_language(home_language(config.root))
    loaded = open_root(config.root).read(source, home)
    examples = READERS[task.format].read(build_rows(loaded, source, task.labels, home))
    reading = Reading(source, loaded.table.to_pylist(), examples, fitting(translator))
    asked: dict[str, str] = {}
    TELL[task.format](reading, lambda text: asked.setdefault(text, text))
    identity = identity_of(config, source)
    work = folder("XT_CACHE") / "translations" / short_hash(identity | dict(translator.identity))
    work.mkdir(parents=True, exist_ok=True)
    with open_lock(work.with_suffix(".lock")):
        said = translate_texts(list(asked), translator, config.tokens_per_batch, work / "batches.jsonl", report)
        told = TELL[task.format](reading, said.__getitem__)
        record = describe(config, source, translator, told, len(reading.rows)) | {"asked": identity}
        write(config, source, loaded, told, record)
        shutil.rmtree(work)
    return record


def fitting(translator: Translator) -> Callable[[str], bool]:
    """Whether a text can be read whole; a text has no more tokens than bytes, so that few need to be counted."""
    limit = translator.max_tokens
    return lambda text: len(text.encode()) < limit or translator.count_tokens([text])[0] <= limit


def translate_texts(
    texts: Sequence[str], translator: Translator, tokens_per_batch: int, log: Path, report: Callable
) -> dict[str, str | None]:
    """Text -> its translation; batch by batch, longest first. What `log` holds of a killed run is not done again."""
    lengths = np.asarray(translator.count_tokens(texts), dtype=np.int64)
    batches = micro_batches(np.argsort(-lengths, kind="stable"), lengths, tokens_per_batch)
    done = whole_lines(log)
    with room_for(log, "the batches before are kept"), log.open("ab") as handle:
        handle.truncate(sum(map(len, done)))
        for step, batch in enumerate(batches[len(done) :], start=len(done) + 1):
            said = json.dumps(
                translator.translate_texts([texts[index] for index in batch]), ensure_ascii=False
            ).encode()
            done.append(encode_line(said))
            handle.write(done[-1])
            handle.flush()
            os.fsync(handle.fileno())
            report({"doing": "translate", "step": step, "num_steps": len(batches)})
    return {
        texts[index]: text
        for batch, line in zip(batches, done, strict=True)
        for index, text in zip(batch, json.loads(line[9:]), strict=True)
    }


def whole_lines(log: Path) -> list[bytes]:
    """The lines of a log up to one that is not whole; a warning names a damaged one."""
    lines = log.read_bytes().splitlines(keepends=True) if log.is_file() else []
    whole = list(takewhile(lambda line: line == encode_line(line[9:-1]), lines))
    if any(line.endswith(b"\n") for line in lines[len(whole) :]):
        warnings.warn(f"{log} is damaged in line {len(whole) + 1}: translated again from there on", stacklevel=3)
    return whole


def encode_line(said: bytes) -> bytes:
    """The line of a batch: its CRC-32, then the batch."""
    return b"%08x %s\n" % (zlib.crc32(said), said)


def describe(config: Translation, source: Source, translator: Translator, told: Told, num_rows: int) -> dict:
    """What is recorded of a translation: how much, how much was lost and why, by what and when."""
    revision = translator.identity.get("commit") or config.revision or "main"
    num_lost, today = sum(told.lost.values()), date.today().isoformat()
    return {
        "num_rows": num_rows - num_lost,
        "num_lost": dict(told.lost),
        "lost_share": round(num_lost / max(1, num_rows), 4),
        "translator": config.translator,
        "revision": revision,
        "date": today,
        "note": f"Machine-translated into {get_language(config.language).name} from {source.dataset}, {source.config}, "
        f"{source.split}, by {config.translator}, revision {revision}, on {today}; translated columns: "
        f"{', '.join(text_columns(source))}; {num_lost} of {num_rows} rows were lost.",
    } | {**translator.identity, **translator.record}


def write(config: Translation, source: Source, loaded: Loaded, told: Told, record: Mapping) -> None:
    """Writes a translated split, once its rows have been read as a task reads them. DataError where none is left."""
    import pyarrow

    if not told.rows:
        raise DataError(f"{loaded.where}: no row came back from the translator; lost: {record['num_lost']}")
    dataset, name, split = place_of(config, source)
    task, spoken = get_task(config.task), get_language(config.language)
    table = pyarrow.Table.from_pylist(told.rows, schema=loaded.table.schema)
    rows = build_rows(replace(loaded, table=table, where=f"{dataset}, {name}, {split}"), source, task.labels, spoken)
    READERS[task.format].read(rows)
    with open_lock(config.into / ".lock"):
        add_split(config.into, dataset, name, split, table)
        write_record(config.into, dataset, name, split, worst_status("substitute", loaded.status), record)
