"""What the contestants of a training benchmark do: the same model, data, epochs, batch and learning rate."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
import transformers

from xt.encode import FORMATS, Features
from xt.knobs import Knobs
from xt.locations import resolve_encoder
from xt.model import load_tokenizer
from xt.presets import resolve_knobs
from xt.pretrain import build_if_ours
from xt.tasks import Task, get_task, list_languages, read_evaluation, read_training

NUM_THREADS = os.cpu_count() or 1
"""Of every contestant, and of the tokenizers."""


@dataclass(frozen=True)
class Job:
    """One training and its scoring, everything read from disk already but the weights."""

    target: str
    encoder: str  # folder
    knobs: Knobs
    train: Sequence
    selection: Sequence
    evaluation: Mapping[str, Sequence]  # language -> examples

    @property
    def task(self) -> Task:
        """The task trained on."""
        return get_task(get_task(self.target).training_task)

    @property
    def scored(self) -> Task:
        """The task scored."""
        return get_task(self.target)

    @property
    def tokenizer(self) -> object:
        """The encoder's, read once: to the tokens each contestant goes for itself."""
        return read_tokenizer(self.encoder)

    def encode(self, examples: Sequence) -> Features:
        """Features as `xt` makes them, for whoever asks; made anew, whatever is kept on disk."""
        encode = FORMATS[self.task.format].encode
        return getattr(encode, "__wrapped__", encode)(examples, self.tokenizer, self.knobs)


@cache
def read_tokenizer(encoder: str) -> object:
    """As `load_tokenizer`."""
    return load_tokenizer(encoder)


def read_job(
    target: str,
    languages: Iterable[str],
    tiny: bool,
    *,
    examples: int,
    scored: int,
    split: str | None = None,
    build: Callable[[], str] | None = None,
    **knobs: object,
) -> Job:
    """A job on the mirror's rows (tiny: on a few of the fixtures', with the tiny encoder), with the preset `mini`.

    `examples` are trained on and `scored` of each language are scored; `build` makes another encoder than mini.
    """
    root = "fixtures" if tiny else "mirror"
    encoder = build_if_ours("tiny") if tiny else build() if build else resolve_encoder("mini")
    known = list_languages(target, root)[:2] if tiny else tuple(languages)
    task = get_task(target).training_task
    chosen = resolve_knobs("mini", task, dict(num_threads=NUM_THREADS, selection_steps=10**6) | knobs)
    if tiny:
        few = dict(max_seq_length=64, batch_size=8, doc_stride=16, max_query_length=24, num_threads=1)
        chosen = replace(chosen, **few)
    examples, scored = (16, 4) if tiny else (examples, scored)
    data = read_training(task, root, max_examples=examples, num_selection=8 if tiny else 500)
    rows = {
        code: read_evaluation(target, root, code, split=None if tiny else split, max_examples=scored).examples
        for code in known
    }
    return Job(target, encoder, chosen, data.train, data.selection, rows)


def build_long_mini() -> str:
    """A folder with mini's tokenizer and an encoder of its shape that reads 384 tokens, weights random."""
    source, place = resolve_encoder("mini"), tempfile.mkdtemp(prefix="xt-long-mini-")
    config = transformers.AutoConfig.from_pretrained(source)
    config.max_position_embeddings = 386
    torch.manual_seed(0)
    transformers.AutoModel.from_config(config, dtype=torch.float32).save_pretrained(place)
    transformers.AutoTokenizer.from_pretrained(source, model_max_length=384).save_pretrained(place)
    return place
