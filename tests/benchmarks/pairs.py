"""Sentence pairs: fine-tune on 8,000 of them, score 15 languages."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "8,000 pairs of MNLI and 600 of XNLI in each of 15 languages, mini encoder, against two Trainers: 9 minutes"
LANGUAGES = "ar bg de el en es fr hi ru sw th tr ur vi zh".split()


def measure(tiny: bool = False) -> pd.DataFrame:
    """Time against both baselines, and whether the losses agree."""
    from tests.benchmarks.contestants import race
    from tests.benchmarks.jobs import read_job

    knobs = dict(num_epochs=1, trained_embeddings="seen", last_layer="first")
    job = read_job("xnli", LANGUAGES, tiny, examples=8000, scored=600, **knobs)
    return frame.table(
        race(f"fine-tune on {len(job.train):,} pairs, score 15 languages", job, 1 if tiny else 3, scripts=5, tuned=1.2)
    )
