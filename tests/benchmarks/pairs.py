"""Sentence pairs: fine-tune on 8,000 of them, score 15 languages."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "8,000 pairs of MNLI and 1,000 of XNLI in each of 15 languages, mini encoder, against two Trainers: 10 minutes"
LANGUAGES = "ar bg de el en es fr hi ru sw th tr ur vi zh".split()


def measure(tiny: bool = False) -> pd.DataFrame:
    """Time against both baselines, and whether the losses agree."""
    from tests.benchmarks.contestants import race
    from tests.benchmarks.jobs import read_job

    job = read_job("xnli", LANGUAGES, tiny, examples=8000, scored=1000, num_epochs=1, trained_embeddings="seen")
    return frame.table(race("fine-tune on 8,000 pairs, score 15 languages", job, tiny, scripts=5, tuned=1.2))
