"""What a measurement of cost is, checked, and its identity. Imports nothing heavy."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import ClassVar

from xt.config import ScoreConfig, Trained, chain_of, encoder_fingerprint, short_hash, word
from xt.errors import require_known
from xt.knobs import Knobs, check_knob, coerce, knob
from xt.machine import find_device
from xt.parameters import as_list, score_configs
from xt.tasks import TASKS

MEASURING_VERSION = 2
"""Raised by hand when a change of code moves what is measured."""
BACKEND_NAMES = ("eager", "eager_bf16", "compiled", "int8", "onnx")
"""Rows of `xt.efficiency.backends.BACKENDS`, which imports torch."""


@dataclass(frozen=True)
class Measure:
    """How much is measured: in every round one fresh process for each arm and backend, in random order."""

    num_rounds: int = knob(20, "fresh processes of each arm and backend", ">= 1")
    num_repeats: int = knob(10, "timed batches per language, batch size and process", ">= 2")
    num_warmups: int = knob(3, "batches per language and batch size that are not timed", ">= 1")
    batch_sizes: tuple[int, ...] = (1, 16)
    num_layers: tuple[int, ...] = ()  # of the encoder, from below, which are run; empty = all
    backends: tuple[str, ...] = ("eager",)

    def __post_init__(self):
        for entry in fields(self)[:3]:
            check_knob(entry.name, getattr(self, entry.name), entry.type, entry.metadata["allowed"])
        if not self.batch_sizes or min(self.batch_sizes) < 1 or min(self.num_layers, default=1) < 1:
            raise ValueError(f"batch_sizes = {self.batch_sizes}, num_layers = {self.num_layers}; allowed: 1 and more")
        for name in self.backends:
            require_known("backend", name, BACKEND_NAMES)
        if self.num_layers and set(self.backends) != {"eager"}:
            raise ValueError(f"num_layers = {self.num_layers} with backends {self.backends}; allowed: eager alone")


@dataclass(frozen=True)
class EfficiencyConfig:
    """One measurement: an encoder after each of several arms, under the head of one target, on its texts."""

    target: str
    encoder: str
    intermediates: tuple[str, ...]  # arms; the first is what the others are compared with
    scorings: Mapping[str, ScoreConfig]  # arm -> the scoring whose encoder, texts and knobs are taken
    measure: Measure
    parameters: Mapping  # those of the notebook that makes it

    phase: ClassVar[str] = "efficiency"
    parent: ClassVar[None] = None
    model: ClassVar[None] = None

    @property
    def intermediate(self) -> str:
        """The arms, as one text."""
        return "+".join(self.intermediates)

    @property
    def knobs(self) -> Knobs:
        """Those of the scoring; a backend has the precision of its name, else float32."""
        return replace(self.scoring.knobs, precision="fp32")

    @property
    def scoring(self) -> ScoreConfig:
        """The scoring of the first arm: all share texts, knobs and seed."""
        return self.scorings[self.intermediates[0]]

    @property
    def seed(self) -> int:
        """Draws the head and the order of the processes."""
        return self.scoring.seed

    def prepared(self, arm: str) -> Trained | None:
        """What an arm trained before the target task; None where the encoder is taken as it is found."""
        return next((model for model in chain_of(self.scorings[arm].model) if model.phase != "target"), None)

    def identity(self) -> dict:
        """Everything that is measured, and the machine: a time belongs to one."""
        first = self.scoring
        scored = first.identity()
        found = encoder_fingerprint(first.encoder, first.encoder_revision)
        models = {arm: self.prepared(arm) for arm in self.intermediates}
        return {
            "measuring_version": MEASURING_VERSION,
            "models": {arm: model.model_id if model else found for arm, model in models.items()},
            "target": self.target,
            "data": scored["data"],
            "seed": self.seed,
            "knobs": scored["knobs"],
            "measure": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self.measure).items()},
            "device": find_device(),
        }

    @cached_property
    def run_id(self) -> str:
        """Readable name and hash: the folder of the measurement."""
        return f"efficiency-{self.target}-{word(self.encoder)}-s{self.seed}-{short_hash(self.identity())}"


def efficiency_config(
    *,
    target: str,
    encoder: str,
    intermediates: str | Iterable[str],
    root: str,
    preset: str,
    seed: int,
    batch_sizes: Iterable[int] = Measure.batch_sizes,
    num_layers: Iterable[int] = Measure.num_layers,
    backends: str | Iterable[str] = Measure.backends,
    num_rounds: int = Measure.num_rounds,
    num_repeats: int = Measure.num_repeats,
    num_warmups: int = Measure.num_warmups,
    **settings,
) -> EfficiencyConfig:
    """The checked config of one measurement; `settings` are further ones of `score_configs`, knobs included.

    Raises ValueError naming what is allowed.
    """
    arms = as_list("intermediates", intermediates)
    if not arms:
        raise ValueError(f"intermediates = {intermediates!r} names no arm; allowed: an arm, or a list of arms")
    parameters = dict(
        target=target, encoder=encoder, intermediates=list(arms), root=root, preset=preset, seed=seed,
        batch_sizes=list(batch_sizes), num_layers=list(num_layers), backends=list(as_list("backends", backends)),
        num_rounds=num_rounds, num_repeats=num_repeats, num_warmups=num_warmups,
    )  # fmt: skip
    measure = Measure(
        *(coerce(int, value) for value in (num_rounds, num_repeats, num_warmups)),
        batch_sizes=tuple(sorted(set(batch_sizes))),
        num_layers=tuple(sorted(set(num_layers))),
        backends=as_list("backends", backends),
    )
    shared = dict(encoder=encoder, root=root, preset=preset, seed=seed, **settings)
    require_known("target", target, [name for name, task in TASKS.items() if "target" in task.roles])
    scorings = {arm: score_configs([target], intermediate=arm, **shared)[0] for arm in arms}
    return EfficiencyConfig(target, encoder, arms, scorings, measure, parameters | settings)
