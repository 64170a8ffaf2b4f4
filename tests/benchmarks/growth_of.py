"""Seconds of training and scoring at several sizes, and the exponents of their power laws."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tests.benchmarks import frame
from tests.benchmarks.contestants import Laps, run_xt, score_xt
from tests.benchmarks.jobs import read_job
from tests.benchmarks.pairs import LANGUAGES
from tests.benchmarks.scoring import LANGUAGES as MANY
from xt.encode import Features
from xt.encode.features import Ragged
from xt.evaluate import predict
from xt.model import HEADS, Network, build_model
from xt.transfer import build_accelerator


def along_examples(tiny: bool) -> list[dict]:
    """Training on more and more pairs; the languages scored are few."""
    job = read_job("xnli", LANGUAGES[:2], tiny, examples=8000, scored=20, num_epochs=1, trained_embeddings="seen")
    sizes = [4, 8] if tiny else [size for size in (1000, 2000, 4000, 8000) if size <= len(job.train)]
    sizes = sizes if len(job.train) in sizes else [*sizes, len(job.train)]
    return follow("training pairs", sizes, lambda n: run_xt(replace(job, train=job.train[:n]), 1)["train"])


def along_languages(tiny: bool) -> list[dict]:
    """Scoring more and more languages with 250 sentences each."""
    job = read_job("panx", MANY, tiny, examples=100, scored=250, split="validation")
    codes = list(job.evaluation)
    sizes = [1, 2] if tiny else [5, 10, 20, 40]
    rng = np.random.default_rng(0)
    codes = [codes[place] for place in rng.permutation(len(codes))]

    def score(count: int) -> float:
        """Seconds of that many languages."""
        return score_xt(replace(job, evaluation={code: job.evaluation[code] for code in codes[:count]}), 1)["score"]

    return follow("languages scored", sizes, score, 1 if tiny else 3)


def along_tokens(tiny: bool) -> list[dict]:
    """Scoring 4,000 rows of more and more tokens, of random ids: what is over 1 is attention's square."""
    job = read_job("xnli", LANGUAGES[:2], tiny, examples=100, scored=20)
    head, knobs = HEADS["classification"], job.knobs
    accelerator = build_accelerator(knobs)
    model = build_model(job.encoder, head, 3, knobs, 1)
    network = accelerator.prepare(Network({"mnli": model}, {"mnli": head}))
    count, rng = (8 if tiny else 4000), np.random.default_rng(0)

    def score(length: int) -> float:
        """Seconds of rows of that length."""
        lengths = np.full(count, length)
        features = Features(Ragged(rng.integers(5, 100, lengths.sum()).astype(np.int32), lengths), None, lengths)
        laps = Laps()
        predict(network, "mnli", features, knobs.tokens_per_batch, 1, accelerator.device)
        laps.lap("score")
        return laps.total()["seconds"]

    return follow("tokens per row scored", [8, 16] if tiny else [12, 24, 48, 96], score, 1 if tiny else 3)


def follow(what: str, sizes: Sequence[int], measure: Callable[[int], float], times: int = 1) -> list[dict]:
    """A row per size (the median of `times`), and the slope of log seconds on log size."""
    if len(sizes) > 2:
        measure(sizes[0])  # what is done for the first time
    measured = frame.alternate({str(size): lambda turn, n=size: dict(seconds=measure(n)) for size in sizes}, times)
    seconds = measured.groupby("contestant")["seconds"].median()
    took = [float(seconds[str(size)]) for size in sizes]
    slope = float(np.polyfit(np.log(sizes), np.log(took), 1)[0])
    shown = "; ".join(f"{size}: {second:.3g} s" for size, second in zip(sizes, took, strict=True))
    rows = [frame.row(f"cost against {what}", slope, "exponent", "this <= 1.1", note=shown)]
    return rows + [
        frame.row(f"{what}: {size}", second, "s", axis=what, size=size)
        for size, second in zip(sizes, took, strict=True)
    ]
